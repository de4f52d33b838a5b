package zone

import (
	"slices"
	"strings"
)

// decide decides one owner from what the sources say of it, the registry's
// first. Names above and below do not matter yet.
func (m *merger) decide(key string) {
	says := m.says
	o := owner{key: key, say: says[0]}
	if m.isRegistry(says[0].frag) {
		o.registry = true
		m.decideRegistry(&o, says[0], says[1:])
	} else {
		m.decideOthers(&o, says)
	}
	if o.state != absent || o.registry || o.asserted {
		m.owners = append(m.owners, o)
	}
}

// decideRegistry takes what the registry says. Everybody else is overridden.
func (m *merger) decideRegistry(o *owner, reg say, rest []say) {
	p, _ := o.say.name.Prefix()
	for _, s := range rest {
		if !m.in.Claims.Covers(m.frags[s.frag].Source, p) {
			m.outside(s)
			continue
		}
		m.note(codeOverridden, s, "%s is an object of %s, whose NS and DS count (policy APNIC-103, appendix); leave it out or ask %[2]s to give it up", s.name, m.in.Registry)
	}
	m.take(o, reg)
}

// decideOthers finds the one source that has the right to the owner.
func (m *merger) decideOthers(o *owner, says []say) {
	p, _ := o.say.name.Prefix()
	if by := m.in.Claims.claimants(p, m.in.Registry); by != nil {
		m.quarantine(o, says, by)
		return
	}
	manager := slices.IndexFunc(says, func(s say) bool { return m.in.Claims.Covers(m.frags[s.frag].Source, p) })
	if manager >= 0 {
		m.take(o, says[manager])
	}
	for i, s := range says {
		if i == manager || manager < 0 && m.claimsMoved(o, s) {
			continue
		}
		m.outside(s)
	}
}

// take gives the owner to the source that has the right to it, or holds its
// published state if the set is impossible.
func (m *merger) take(o *owner, s say) {
	o.say = s
	if f := s.fault; f != nil {
		stands := m.hold(o, f.code)
		m.note(f.code, s.at(f.line), "%s; %s", f.text, outcome(stands))
		return
	}
	o.state, o.source, o.asserted = fresh, m.frags[s.frag].Source, true
	if set := m.set(&s); len(set) > 0 && set[0].Type == TypeNS && (len(set) == 1 || set[1].Type != TypeNS) {
		m.note(codeSingleNS, s, "%s has a single name server; add a second one elsewhere (RFC 2182, section 5)", s.name)
	}
}

// hold gives the owner its published state and reports whether there is one.
func (m *merger) hold(o *owner, code string) bool {
	s, ok := m.pub.lookup(o.say.name)
	if !ok {
		o.state, o.source = absent, ""
		return false
	}
	o.state, o.code, o.pub, o.source = held, code, s, m.pub.source(s)
	return true
}

func outcome(stands bool) string {
	if stands {
		return "the delegation stands as published"
	}
	return "it is not published"
}

// quarantine holds an owner in a range that several sources claim. What the
// registry itself once had there and gave up is not held.
func (m *merger) quarantine(o *owner, says []say, by []string) {
	stands := m.hold(o, codeClaimsOverlap)
	if stands && o.source == m.in.Registry {
		o.state, o.source, stands = absent, "", false
	}
	p, _ := o.say.name.Prefix()
	for _, s := range says {
		source := m.frags[s.frag].Source
		if !m.in.Claims.Covers(source, p) && source != o.source {
			m.outside(s)
			continue
		}
		m.note(codeClaimsOverlap, s, "%s lies in a range that %s claim; %s until the registry's claims say whose it is", s.name, strings.Join(by, " and "), outcome(stands))
	}
}

// claimsMoved holds an owner that is published from this source, which still
// asserts it but lost the claims: make before break.
func (m *merger) claimsMoved(o *owner, s say) bool {
	source := m.frags[s.frag].Source
	if m.in.Released[o.say.name] {
		return false
	}
	if p, ok := m.pub.lookup(o.say.name); !ok || m.pub.source(p) != source {
		return false
	}
	m.hold(o, codeClaimsMoved)
	o.say, o.moved = s, true
	return true
}

func (m *merger) outside(s say) {
	source := m.frags[s.frag].Source
	m.note(codeOutsideClaims, s, "%s is not wholly inside the ranges of %s and is ignored (policy APNIC-103, appendix); leave it out, or ask %s to correct the claims", s.name, source, m.in.Registry)
}

// addContested holds the published delegations in contested ranges of which no
// fragment speaks: there, nothing is lost either. It tells the registry of the
// overlaps.
func (m *merger) addContested() {
	origin, ok := m.in.Apex.Origin.Prefix()
	if !ok || m.in.Claims.claimants(origin, m.in.Registry) == nil {
		return
	}
	m.noteOverlaps(m.in.Claims.overlapsIn(origin))
	known := len(m.owners)
	m.pub.index()
	for _, name := range m.pub.order {
		p, ok := name.Prefix()
		if !ok || !name.Within(m.in.Apex.Origin) || name == m.in.Apex.Origin {
			continue
		}
		by := m.in.Claims.claimants(p, m.in.Registry)
		if by == nil {
			continue
		}
		o := owner{key: name.SortKey(), say: say{name: name}}
		if m.hasOwner(known, o.key) || !m.hold(&o, codeClaimsOverlap) || o.source == m.in.Registry {
			continue
		}
		m.owners = append(m.owners, o)
		m.noteHeld(codeClaimsOverlap, o, "%s lies in a range that %s claim and nobody asserts it any more; %s until the registry's claims say whose it is", name, strings.Join(by, " and "), outcome(true))
	}
	slices.SortFunc(m.owners, func(a, b owner) int { return strings.Compare(a.key, b.key) })
}

// hasOwner reports whether one of the first n owners has the key.
func (m *merger) hasOwner(n int, key string) bool {
	_, ok := slices.BinarySearchFunc(m.owners[:n], key, func(o owner, k string) int { return strings.Compare(o.key, k) })
	return ok
}
