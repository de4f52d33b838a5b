package nir

import (
	"fmt"
	"slices"
	"strings"

	"nirzone/nir/inr"
	"nirzone/nir/rpsl"
)

// splitZones brings the active domain objects that share numbers with a range up to
// date after delegations changed, when all of them are as they will be. One that is
// no delegation's as a whole any more gives way to one for each zone of its parts
// that somebody holds, with the same name servers: what resolves goes on resolving.
// A /24 is not divided, since its parts would need names in it (RFC 2317): it stays
// as it is with the NIR that it is of, and both are told.
func (x *Tx) splitZones(r inr.Range) error {
	if r.Kind == inr.ASN {
		return nil
	}
	list, err := x.activeOver(r)
	if err != nil {
		return err
	}
	for i := range list {
		if err := x.splitZone(&list[i]); err != nil {
			return fmt.Errorf("dividing %s: %w", list[i].Key, err)
		}
	}
	return nil
}

// activeOver returns the active domain objects that share numbers with a range: what
// begins in it (of IPv4 in the /24 where it begins), or is a zone above it.
func (v *View) activeOver(r inr.Range) ([]WhoisObject, error) {
	const active = "type = 'domain' AND origin = 'registry' AND state = 'active' AND kind = $1 AND "
	from, step, most := r.First, 4, 124
	if r.Kind == inr.IPv4 {
		from, step, most = inr.BlockAt(r.Kind, r.First, 24).First, 8, 16
	}
	args := []any{r.Kind.String(), numKey(from)}
	var marks []string
	for l := 16; l <= most; l += step {
		args = append(args, numKey(inr.BlockAt(r.Kind, r.First, l).First))
		marks = append(marks, fmt.Sprintf("$%d", len(args)))
	}
	list, err := whoisObjects.find(v, active+"first < $2 AND first IN ("+strings.Join(marks, ", ")+") ORDER BY first, key", args...)
	if err != nil {
		return nil, err
	}
	more, err := whoisObjects.find(v, active+"first >= $2 AND first <= $3 ORDER BY first, key", r.Kind.String(), numKey(from), numKey(r.Last))
	return slices.DeleteFunc(append(list, more...), func(w WhoisObject) bool { return !w.Range.Overlaps(r) }), err
}

// A zonePart is a zone of which a delegation holds all, or of a /24 several hold
// parts.
type zonePart struct {
	zone ReverseZone
	of   Delegation
	held []Delegation // of and the others
}

func (x *Tx) splitZone(w *WhoisObject) error {
	own, err := x.isOwn(w)
	if err != nil {
		return err
	}
	held, err := x.holders(w, own)
	if err != nil {
		return err
	}
	if len(held) == 0 {
		return x.endZone(w)
	}
	if i := slices.IndexFunc(held, func(d Delegation) bool { return d.Range.Contains(w.Range) }); i >= 0 {
		return x.settleZone(w, &held[i])
	}
	parts, err := zoneParts(w, held)
	if err != nil {
		return err
	}
	if b := inr.BlockAt(w.Range.Kind, w.Range.First, 24); w.Range.Kind == inr.IPv4 && b.Range().Contains(w.Range) {
		return x.shareZone(w, &parts[0])
	}
	if own {
		if err := x.membersOf(parts); err != nil {
			return err
		}
	}
	return x.divideZone(w, parts)
}

// isOwn reports whether a domain object is of an NIR's own delegation, not of one
// to a member; also if that ended.
func (v *View) isOwn(w *WhoisObject) (bool, error) {
	list, err := delegations.versions(v, w.DerivedFrom)
	return len(list) > 0 && list[len(list)-1].Level == RIRToNIR, err
}

// holders returns the delegations between which a domain object's zone is divided,
// in order.
func (v *View) holders(w *WhoisObject, own bool) ([]Delegation, error) {
	lower := NIRToMember
	if own {
		lower = RIRToNIR
	}
	list, err := v.meeting(w.Range, lower, RIRToMember)
	slices.SortFunc(list, func(a, b Delegation) int { return a.Range.Compare(b.Range) })
	return list, err
}

// zoneParts divides a zone between delegations. A /24 of several is one part, of the
// one under the zone's own NIR.
func zoneParts(w *WhoisObject, held []Delegation) ([]zonePart, error) {
	var list []zonePart
	at := map[inr.Range]int{}
	for _, d := range held {
		for in := range inr.Of(w.Range).Intersect(inr.Of(d.Range)).All() {
			zones, err := ReverseZones(in, 1<<10)
			if err != nil {
				return nil, err
			}
			for _, z := range zones {
				if z.Classless {
					z = ReverseZone{Name: classlessParent(z.Range), Range: inr.BlockAt(inr.IPv4, z.Range.First, 24).Range()}
				}
				i, twice := at[z.Range]
				if !twice {
					at[z.Range] = len(list)
					list = append(list, zonePart{z, d, []Delegation{d}})
					continue
				}
				p := &list[i]
				p.held = append(p.held, d)
				if d.NIR == w.NIR && p.of.NIR != w.NIR {
					p.of = d
				}
			}
		}
	}
	return list, nil
}

// membersOf gives the parts of an NIR's own zone to the members that hold them.
func (x *Tx) membersOf(parts []zonePart) error {
	for i := range parts {
		list, err := x.Within(NIRToMember, parts[i].zone.Range)
		if err != nil {
			return err
		}
		if len(list) == 1 && list[0].Range.Contains(parts[i].zone.Range) {
			parts[i].of = list[0]
		}
	}
	return nil
}

// settleZone makes an active domain object one of the delegation that holds all of
// it.
func (x *Tx) settleZone(w *WhoisObject, d *Delegation) error {
	reg, err := x.registrar(d.NIR)
	if err != nil {
		return err
	}
	if err := x.unshare(w.Key); err != nil {
		return err
	}
	return x.keepZone(w, d, reg)
}

// divideZone writes the parts of a zone in its place. Its DS records are of its own
// keys and would make the parts bogus (RFC 4035, section 5.2): they go.
func (x *Tx) divideZone(w *WhoisObject, parts []zonePart) error {
	o, err := w.RPSL()
	if err != nil {
		return err
	}
	if err := x.endZone(w); err != nil {
		return err
	}
	for i := range parts {
		if err := x.writePart(w, o.Clone(), &parts[i]); err != nil {
			return err
		}
	}
	first, last := parts[0].zone.Name.File(), parts[len(parts)-1].zone.Name.File()
	text := fmt.Sprintf("%s is divided, because it is no longer wholly in one delegation: its name servers have to serve %d zones now, %s to %s, without DS records until their managers set them",
		w.Key, len(parts), first, last)
	list := []string{w.NIR}
	for _, p := range parts {
		list = append(list, p.managers()...)
	}
	return x.tellAll(list, Notice{Code: "zone-divided", Subject: w.Key, Text: text})
}

// writePart writes one part of a zone; what is active already stays, and so does
// what its manager deleted.
func (x *Tx) writePart(w *WhoisObject, o *rpsl.Object, p *zonePart) error {
	key := p.zone.Name.File()
	old, err := x.kept("domain", key)
	if err != nil || old != nil && (old.State == DomainActive || old.State == DomainDeleted && old.NIR == p.of.NIR) {
		return err
	}
	reg, err := x.registrar(p.of.NIR)
	if err != nil {
		return err
	}
	o.Attributes[0] = rpsl.Attr("domain", key)
	o.Set("ds-rdata")
	n := *w
	n.Row, n.DerivedFrom = Row{}, p.of.ID
	if err := n.fill(o); err != nil {
		return err
	}
	if err := x.putWhois(&n, old); err != nil {
		return err
	}
	if err := x.reownChanged(&n, reg); err != nil || p.of.Range.Contains(p.zone.Range) {
		return err
	}
	return x.tellShared(key, p)
}

// managers returns the codes of those who manage a part.
func (p *zonePart) managers() (list []string) {
	for _, d := range p.held {
		list = append(list, d.NIR)
	}
	return list
}

// shareZone leaves a zone of a /24 with one of those who hold parts of it.
func (x *Tx) shareZone(w *WhoisObject, p *zonePart) error {
	reg, err := x.registrar(p.of.NIR)
	if err != nil {
		return err
	}
	if err := x.keepZone(w, &p.of, reg); err != nil {
		return err
	}
	return x.tellShared(w.Key, p)
}

func (x *Tx) tellShared(key string, p *zonePart) error {
	text := fmt.Sprintf("%s stays with %s, although not all of it is: agree on who serves which names, or delete it and activate a zone for each part (RFC 2317)", key, x.registryName(p.of.NIR))
	return x.tellAll(p.managers(), Notice{Code: "zone-shared", Subject: key, Text: text})
}

// tellAll opens a notice to each of some registries.
func (x *Tx) tellAll(list []string, n Notice) error {
	slices.Sort(list)
	for _, code := range slices.Compact(list) {
		n.NIR, n.Severity, n.Origin = code, "warning", "whois"
		if err := x.notify(n); err != nil {
			return err
		}
	}
	return nil
}

func (x *Tx) endZone(w *WhoisObject) error {
	if err := x.unshare(w.Key); err != nil {
		return err
	}
	return whoisObjects.end(x, w.ID)
}

// unshare closes the notices that a zone is of several.
func (x *Tx) unshare(key string) error {
	list, err := notices.find(x.View, "code = 'zone-shared' AND subject = $1 AND closed = 0", key)
	if err != nil {
		return err
	}
	for _, n := range list {
		if err := x.closeNotice(n, x.Actor.At, true); err != nil {
			return err
		}
	}
	return nil
}

// rehome makes a domain object about which its NIR has said something one of the
// delegation of that NIR which holds all of it now, if there is one.
func (x *Tx) rehome(w *WhoisObject) (bool, error) {
	if w.Type != "domain" || w.State == DomainInactive {
		return false, nil
	}
	own, err := x.isOwn(w)
	if err != nil {
		return false, err
	}
	held, err := x.holders(w, own)
	if err != nil {
		return false, err
	}
	for _, d := range held {
		if d.NIR == w.NIR && d.Range.Contains(w.Range) {
			return true, x.deriveZone(w, &d)
		}
	}
	return false, nil
}

// deriveZone makes a domain object one of a delegation, and changes nothing else.
func (x *Tx) deriveZone(old *WhoisObject, d *Delegation) error {
	w := *old
	w.DerivedFrom = d.ID
	return x.putWhois(&w, old)
}
