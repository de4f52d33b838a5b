package nir

import (
	"fmt"
	"slices"
	"strings"

	"nirzone/nir/inr"
	"nirzone/nir/rpsl"
)

// editable are the types that people may write; the others follow from
// delegations or are not kept here.
var editable = []string{"inetnum", "inet6num", "aut-num", "domain", "mntner", "irt", "role", "person", "organisation"}

// PutWhois writes an object that people keep: a person, a maintainer, an
// assignment within a delegation, a domain with its name servers. An object that
// follows from a delegation is changed by [Tx.Register]; of a domain that does,
// everything may be changed but its key, source and the registry's maintainer.
func (x *Tx) PutWhois(text string) (WhoisObject, error) {
	if err := x.mayWrite("change whois objects"); err != nil {
		return WhoisObject{}, err
	}
	o, err := rpsl.ParseObject("object", text)
	if err != nil {
		return WhoisObject{}, invalid("text", "%v", err)
	}
	return x.putObject(o)
}

// mayWrite refuses who may write no whois object at all, before anything of the
// input is looked at; whose objects they may write is judged when that is known.
func (x *Tx) mayWrite(act string) error {
	return x.Actor.need(act, NIRStaff, RegistryStaff, Admin)
}

func (x *Tx) putObject(o *rpsl.Object) (WhoisObject, error) {
	o.Lead = ""
	if err := o.Check(); err != nil {
		return WhoisObject{}, invalid("text", "%v", err)
	}
	return x.putChecked(o)
}

// putChecked writes an object that has what its class needs, or all that is known
// of it.
func (x *Tx) putChecked(o *rpsl.Object) (WhoisObject, error) {
	w := WhoisObject{Origin: KeptHere}
	if !slices.Contains(editable, o.Class()) {
		return w, invalid("text", "objects of type %.40s are not kept here", o.Class())
	}
	if err := w.fill(o); err != nil {
		return w, err
	}
	reg, err := x.registrarOf(w.Source)
	if err != nil {
		return w, err
	}
	if err := x.Actor.needNIR("change whois objects", reg.code); err != nil {
		return w, err
	}
	w.NIR = reg.code
	old, err := x.former(&w)
	if err != nil {
		return w, err
	}
	if err := x.checkPlace(&w, o, reg, old); err != nil {
		return w, err
	}
	if err := x.checkRefs(&w); err != nil {
		return w, err
	}
	x.act("whois.put")
	if w.Type == "irt" {
		w.Validated = x.Actor.At
	}
	return w, x.putWhois(&w, old)
}

// former returns the object that another one replaces. Numbers and zones have one
// object here, of one source; persons and maintainers one of each source.
func (x *Tx) former(w *WhoisObject) (*WhoisObject, error) {
	if w.Range.Kind == 0 && w.Type != "domain" {
		old, err := x.keptBy(w.Type, w.Key, w.Source)
		if err != nil || old != nil || refKind(w.Type) != "contact" {
			return old, err
		}
		other := map[string]string{"person": "role", "role": "person"}[w.Type]
		if clash, err := x.keptBy(other, w.Key, w.Source); err != nil || clash == nil {
			return nil, err
		}
		return nil, refuse(Conflict, "%s is the handle of a %s", w.Key, other).in("text").remedy("take another nic-hdl")
	}
	old, err := x.kept(w.Type, w.Key)
	if err != nil || old == nil || old.Source == w.Source {
		return old, err
	}
	return nil, refuse(Conflict, "%s %s is of source %s", w.Type, w.Key, old.Source).in("source").by("APNIC-103, section 3.3")
}

// checkPlace refuses an object that stands for what its registry does not manage,
// or that follows from a delegation.
func (x *Tx) checkPlace(w *WhoisObject, o *rpsl.Object, reg registrar, old *WhoisObject) error {
	r := w.Range
	var around ReverseZone
	if w.Type == "domain" {
		z, state, err := checkDomain(o)
		if err != nil {
			return err
		}
		w.State, around = state, z
	}
	if r.Kind == 0 {
		return nil
	}
	if !slices.Contains(w.Mntner, strings.ToUpper(reg.mntner)) {
		return invalid("mnt-by", "it has to name %s, which answers for %s", reg.mntner, w.Key).by("APNIC-103, section 3.4.2")
	}
	if old != nil && old.DerivedFrom != "" && w.Type != "domain" {
		return refuse(Conflict, "%s %s follows from delegation %s", w.Type, w.Key, old.DerivedFrom).in("text").
			remedy("nirctl delegation view " + old.DerivedFrom)
	}
	d, err := x.holding(r, reg)
	if CodeOf(err) == Forbidden && old != nil && old.State == DomainActive && w.State == DomainActive {
		if shared, serr := x.shares(r, reg); shared || serr != nil {
			d.ID, err = old.DerivedFrom, serr // it is of several (Tx.splitZones), and its servers may change
		}
	}
	if err != nil {
		return err
	}
	if w.Type == "domain" {
		w.DerivedFrom = d.ID
		return x.checkExclusive(around, w.State)
	}
	return nil
}

// holding returns the delegation to a member, managed by a registry, that holds a
// range. A zone above several delegations is nobody's own: then it is the NIR's.
func (x *Tx) holding(r inr.Range, reg registrar) (Delegation, error) {
	list, err := x.At(r.Kind, r.First)
	if err != nil {
		return Delegation{}, err
	}
	for _, d := range list {
		if d.NIR == reg.code && d.Range.Contains(r) {
			return d, nil
		}
	}
	return Delegation{}, refuse(Forbidden, "%s is not wholly in one delegation that %s manages", r, reg.source).in("text").by("APNIC-103, section 3.4.1")
}

// shares reports whether a delegation that a registry manages has a part of a range.
func (x *Tx) shares(r inr.Range, reg registrar) (bool, error) {
	list, err := x.meeting(r, levels...)
	return slices.ContainsFunc(list, func(d Delegation) bool { return d.NIR == reg.code }), err
}

// checkExclusive refuses a zone that is active beside another one that hides it: a
// /24 and a part of it (RFC 2317), or two parts that overlap.
func (x *Tx) checkExclusive(z ReverseZone, state string) error {
	if state != DomainActive || z.Range.Kind != inr.IPv4 {
		return nil
	}
	whole := inr.BlockAt(inr.IPv4, z.Range.First, 24).Range()
	if !whole.Contains(z.Range) {
		return nil
	}
	list, err := x.domainsIn(whole)
	if err != nil {
		return err
	}
	for _, w := range list {
		if w.State != DomainActive || w.Key == z.Name.File() || !w.Range.Overlaps(z.Range) {
			continue
		}
		return refuse(Conflict, "%s is active: one of them hides the other", w.Key).in("domain").by("RFC 2317, section 4").remedy("make it inactive first")
	}
	return nil
}

// DeleteWhois ends an object that people keep. One that others name stays
// (R-API-37), and so does one that follows from a delegation, but for a domain:
// only its NIR may delete that, to serve the zone by its own system (APNIC-103,
// section 3.4.2), and it is not made again.
func (x *Tx) DeleteWhois(class, key, source string) error {
	if err := x.mayWrite("delete whois objects"); err != nil {
		return err
	}
	key, err := rpsl.Key(class, key)
	if err != nil {
		return invalid("key", "%v", err)
	}
	w, err := x.keptBy(class, key, strings.ToUpper(source))
	if err != nil {
		return err
	}
	if w == nil || w.State == DomainDeleted {
		return refuse(NotFound, "there is no %s %s of source %s here", class, key, source)
	}
	if err := x.Actor.needNIR("delete whois objects", w.NIR); err != nil {
		return err
	}
	x.act("whois.delete")
	if class == "domain" {
		return x.deleteDomain(w)
	}
	if w.DerivedFrom != "" {
		return refuse(Conflict, "%s %s follows from delegation %s", class, key, w.DerivedFrom).remedy("transfer or return the delegation")
	}
	users, err := x.WhoisUsers(class, key, 5)
	if err != nil {
		return err
	}
	if len(users) > 0 {
		var names []string
		for _, u := range users {
			names = append(names, u.Type+" "+u.Key)
		}
		return refuse(Conflict, "%s %s is named by %s", class, key, strings.Join(names, "; ")).by("RFC 2725, section 9").remedy("change those first")
	}
	return whoisObjects.end(x, w.ID)
}

func (x *Tx) deleteDomain(w *WhoisObject) error {
	if w.NIR == "" {
		return x.endZone(w)
	}
	if !x.Actor.Has(NIRStaff) || x.Actor.NIR != w.NIR {
		return refuse(Forbidden, "only staff of %s may delete %s", w.NIR, w.Key).by("APNIC-103, section 3.4.2")
	}
	over, err := x.At(w.Range.Kind, w.Range.First)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(over, func(d Delegation) bool { return d.Range.Contains(w.Range) }) {
		return x.endZone(w) // it is of several, and made for none of them
	}
	if err := x.unshare(w.Key); err != nil {
		return err
	}
	now := *w
	now.State = DomainDeleted
	return x.putWhois(&now, w)
}

// describeAgain brings all objects of delegations that a condition selects up to
// date, after what they say changed.
func (x *Tx) describeAgain(where string, args ...any) error {
	list, err := delegations.find(x.View, where+" ORDER BY kind, first, level", args...)
	if err != nil {
		return err
	}
	for _, d := range list {
		if d.Level == RIRToNIR && d.Evidence != ByExistingPool {
			continue // its member's object stands for it
		}
		if err := x.describe(&d, nil); err != nil {
			return fmt.Errorf("delegation %s: %w", d.ID, err)
		}
	}
	return nil
}

// renamed brings what is kept for an NIR up to date after its source or maintainer
// changed.
func (x *Tx) renamed(before, now NIR) error {
	list, err := whoisObjects.find(x.View, "nir = $1 AND origin = 'registry' ORDER BY type, key, id", now.Code)
	if err != nil {
		return err
	}
	for _, w := range list {
		o, err := w.RPSL()
		if err != nil {
			return err
		}
		o.Set("source", now.Source)
		if w.Type != "mntner" {
			o.Set("mnt-by", maintained(o.Words("mnt-by"), before.Mntner, now.Mntner)...)
		}
		n := w
		if err := n.fill(o); err != nil {
			return err
		}
		if err := x.putWhois(&n, &w); err != nil {
			return err
		}
		if err := x.declareRefs(&n, "since the source is "+now.Source); err != nil {
			return err
		}
	}
	return nil
}
