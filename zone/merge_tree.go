package zone

import (
	"strings"
)

// resolveTree goes from the top of the tree down and leaves no owner below a
// delegation. Owners are in canonical order, so those below one follow it.
func (m *merger) resolveTree() {
	var cut *owner
	var classless hidden
	for i := range m.owners {
		o := &m.owners[i]
		if cut != nil && strings.HasPrefix(o.key, cut.key) {
			m.hide(o, cut, &classless)
			continue
		}
		m.settle(o, m.below(i))
		if o.state != absent {
			m.flush(cut, &classless)
			cut = o
		}
	}
	m.flush(cut, &classless)
}

// below returns the owners that lie below the one at i.
func (m *merger) below(i int) []owner {
	j := i + 1
	for j < len(m.owners) && strings.HasPrefix(m.owners[j].key, m.owners[i].key) {
		j++
	}
	return m.owners[i+1 : j]
}

// isCNAME reports whether what an owner gets is an alias: then there can be no
// glue below it.
func (m *merger) isCNAME(o *owner) bool {
	if o.state == held {
		for _, e := range m.pub.zone.Entries[o.pub.from:o.pub.to] {
			if e.Type == TypeNS {
				return false
			}
		}
		return true
	}
	return m.set(&o.say)[0].Type == TypeCNAME
}

// settle decides an owner above others.
func (m *merger) settle(o *owner, below []owner) {
	if len(below) == 0 || o.state == absent {
		m.noteMoved(o)
		return
	}
	switch {
	case o.state == fresh && m.settleAboveHeld(o, below):
	case o.moved:
		m.settleMoved(o, below)
	case o.state == fresh && o.source != m.in.Registry:
		m.settleAboveRegistry(o, below)
	}
}

// settleMoved lets go of an owner whose claims moved once the new manager
// asserts something below it.
func (m *merger) settleMoved(o *owner, below []owner) {
	for i := range below {
		d := &below[i]
		p, ok := d.say.name.Prefix()
		if d.asserted && d.say.frag != o.say.frag && ok && m.in.Claims.Covers(m.frags[d.say.frag].Source, p) {
			o.state = absent
			m.note(codeOutsideClaims, o.say, "%s was published from %s, whose claims no longer cover it, and %s now delegates %s below it; leave %[1]s out", o.say.name, m.frags[o.say.frag].Source, m.frags[d.say.frag].Source, d.say.name)
			return
		}
	}
	m.noteMoved(o)
}

func (m *merger) noteMoved(o *owner) {
	if o.moved && o.state == held {
		m.note(codeClaimsMoved, o.say, "%s is published from %s, whose claims no longer cover it; it stands as published until the new manager asserts it or %s releases it", o.say.name, m.frags[o.say.frag].Source, m.in.Registry)
	}
}

// settleAboveRegistry holds an NIR's owner above a name that the registry
// speaks of: the registry's name is never hidden anew by an NIR.
func (m *merger) settleAboveRegistry(o *owner, below []owner) {
	for i := range below {
		if d := &below[i]; d.registry {
			// What the registry itself once had there and gave up is not held: it would
			// hide the registry's new name for as long as the NIR insists.
			stands := m.hold(o, codeOverRegistry) && o.source != m.in.Registry
			if !stands {
				o.state, o.source = absent, ""
			}
			m.note(codeOverRegistry, o.say, "%s would hide %s, which %s delegates; %s; delegate the ranges beside it one by one", o.say.name, d.say.name, m.in.Registry, outcome(stands))
			return
		}
	}
}

// A hidden counts the registry's names of RFC 2317 below a cut, which are told
// of together: up to 256 aliases belong to one /24.
type hidden struct {
	count int
	first *owner
}

// hide drops an owner that lies below a delegation.
func (m *merger) hide(o, cut *owner, classless *hidden) {
	if o.state == absent {
		return
	}
	registry := o.source == m.in.Registry
	switch {
	case registry && m.isClasslessOwner(o):
		if classless.count++; classless.first == nil {
			classless.first = o
		}
	case registry && cut.source != m.in.Registry:
		m.noteHeld(codeHidden, *o, "%s is hidden by %s, which stands as published from %s; settle with %[3]s who delegates it", o.say.name, cut.say.name, cut.source)
	case !registry && cut.source == m.in.Registry:
		m.noteHeld(codeOverridden, *o, "%s lies below %s, which %s delegates and which counts (policy APNIC-103, appendix); leave it out", o.say.name, cut.say.name, cut.source)
	default:
		m.noteHeld(codeShadowed, *o, "%s lies below %s, which %s delegates too and which hides it; leave one of them out", o.say.name, cut.say.name, cut.source)
	}
	o.state = absent
}

func (m *merger) isClasslessOwner(o *owner) bool {
	p, ok := o.say.name.Prefix()
	return !ok || p.Addr().Is4() && p.Bits() > 24
}

// flush tells of the names of RFC 2317 below a cut.
func (m *merger) flush(cut *owner, classless *hidden) {
	if classless.count == 0 {
		return
	}
	o := *classless.first
	o.say.name = cut.say.name
	code := codeClassless
	if cut.source != m.in.Registry {
		code = codeHidden
	}
	m.noteHeld(code, o, "%s is delegated as a whole by %s, so %s in it (RFC 2317) are left out; keep either the delegation or the names", cut.say.name, cut.source, plural(classless.count, "name", "names"))
	*classless = hidden{}
}
