package nir

import (
	"errors"
	"slices"
	"strings"

	"nirzone/nir/inr"
	"nirzone/nir/rpsl"
	"nirzone/zone"
)

// describeZones makes the domain objects of a delegation, if its NIR has Option 2
// (APNIC-103, section 3.4.2). Under Option 1, and for direct members, none are
// made; those that are active go on under the new manager until they are deleted,
// and those that are inactive end.
func (x *Tx) describeZones(d *Delegation, g *Registration, reg registrar, blank bool) error {
	if d.Range.Kind == inr.ASN || blank && reg.option != 2 {
		return nil
	}
	if reg.option != 2 {
		return x.keepZones(d, reg, true)
	}
	zones, err := ReverseZones(d.Range, maxZones)
	many := CodeOf(err) == Held
	if !blank {
		if err2 := x.keepZones(d, reg, many); err2 != nil {
			return err2
		}
	}
	if many {
		return x.notify(Notice{NIR: d.NIR, Code: "too-many-zones", Subject: d.Range.String(), Severity: "warning", Text: err.Error()})
	}
	if err != nil {
		return err
	}
	for _, z := range zones {
		if err := x.describeZone(d, z, g, reg, blank); err != nil {
			return err
		}
	}
	return nil
}

// keepZones makes the active domain objects in a range the manager's, and those that
// the manager deleted of the delegation. The others end if no new ones are made.
func (x *Tx) keepZones(d *Delegation, reg registrar, alone bool) error {
	list, err := x.domainsIn(d.Range)
	if err != nil {
		return err
	}
	for _, w := range list {
		switch {
		case w.State == DomainActive:
			err = x.keepZone(&w, d, reg)
		case w.State == DomainDeleted && w.NIR == reg.code:
			err = x.deriveZone(&w, d)
		case alone:
			err = whoisObjects.end(x, w.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keepZone makes an active domain object one of a delegation.
func (x *Tx) keepZone(old *WhoisObject, d *Delegation, reg registrar) error {
	w := *old
	w.DerivedFrom = d.ID
	if err := x.putWhois(&w, old); err != nil {
		return err
	}
	return x.reownChanged(&w, reg)
}

func (x *Tx) reownChanged(w *WhoisObject, reg registrar) error {
	if w.NIR == reg.code && w.Source == reg.source && slices.Contains(w.Mntner, strings.ToUpper(reg.mntner)) {
		return nil
	}
	return x.reown(w, reg)
}

// domainsIn returns the domain objects kept here for zones in a range, those that
// were deleted too.
func (v *View) domainsIn(r inr.Range) ([]WhoisObject, error) {
	if r.Kind == inr.ASN {
		return nil, nil
	}
	list, err := whoisObjects.find(v, "type = 'domain' AND origin = 'registry' AND kind = $1 AND first >= $2 AND first <= $3 ORDER BY first, key",
		r.Kind.String(), numKey(r.First), numKey(r.Last))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(w WhoisObject) bool { return !r.Contains(w.Range) }), nil
}

// describeZone makes one domain object: an inactive one, unless it is there
// already. An inactive one is as it was made; one that is active keeps what its
// NIR wrote.
func (x *Tx) describeZone(d *Delegation, z ReverseZone, g *Registration, reg registrar, blank bool) error {
	key := z.Name.File()
	var old *WhoisObject
	if !blank {
		var err error
		if old, err = x.kept("domain", key); err != nil {
			return err
		}
	}
	if old != nil && old.State == DomainDeleted && old.NIR == d.NIR {
		return nil
	}
	if old != nil && old.State == DomainActive {
		return x.keepZone(old, d, reg)
	}
	w := WhoisObject{Origin: KeptHere, DerivedFrom: d.ID, NIR: d.NIR, State: DomainInactive}
	if err := w.fill(renderZone(key, g, reg)); err != nil {
		return err
	}
	if err := x.putWhois(&w, old); err != nil {
		return err
	}
	return x.declareRefs(&w, "named by "+d.Range.String())
}

// renderZone writes a domain object that is inactive, as APNIC-103, section 3.4.2,
// shows it.
func renderZone(key string, g *Registration, reg registrar) *rpsl.Object {
	_, tree, _ := strings.Cut(key, ".in-addr")
	name := "in-addr.arpa"
	if tree == "" {
		name = "ip6.arpa"
	}
	return rpsl.New("domain", key, "descr", name+" zone for "+key, "admin-c", g.AdminC, "tech-c", g.TechC, "zone-c", g.TechC,
		"nserver", DummyServer, "mnt-by", reg.mntner, "source", reg.source)
}

// SetDomain sets name servers and DS records of a zone; without name servers it
// becomes inactive. ds are the texts of DS records: tag, algorithm, digest type,
// digest. All else stays as it is: an object that was made for a member of whom no
// contact is known, as after an import, goes on without.
func (x *Tx) SetDomain(name string, ns, ds []string) (WhoisObject, error) {
	if err := x.mayWrite("change whois objects"); err != nil {
		return WhoisObject{}, err
	}
	z, err := ParseReverseZone(name)
	if err != nil {
		return WhoisObject{}, err
	}
	old, err := x.kept("domain", z.Name.File())
	if err != nil {
		return WhoisObject{}, err
	}
	if old == nil || old.State == DomainDeleted {
		return WhoisObject{}, x.noDomain(z)
	}
	o, err := old.RPSL()
	if err != nil {
		return WhoisObject{}, err
	}
	if len(ns) == 0 && len(ds) == 0 {
		ns = []string{DummyServer}
	}
	o.Set("nserver", ns...)
	o.Set("ds-rdata", ds...)
	return x.putChecked(o)
}

// noDomain says why a zone has no domain object, and what its manager does instead.
func (x *Tx) noDomain(z ReverseZone) error {
	bad := refuse(NotFound, "there is no domain object %s", z.Name.File()).in("zone")
	list, err := x.At(z.Range.Kind, z.Range.First)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return bad.remedy("nirctl delegation list")
	}
	n, err := x.NIR(list[0].NIR)
	if CodeOf(err) == NotFound {
		return bad.remedy("nirctl whois put FILE: write the object whole")
	}
	if err != nil {
		return err
	}
	if n.Option == 1 {
		return refuse(NotFound, "%s has Option 1: the name servers of %s stand in its own zonelet", n.Code, z.Name.File()).
			in("zone").by("APNIC-103, section 3.4.1").remedy("nirctl zone make --help")
	}
	return bad.remedy("nirctl domain list " + n.Code)
}

// checkDomain judges a domain object by the rules of the merge, and returns its
// zone and state.
func checkDomain(o *rpsl.Object) (ReverseZone, string, error) {
	z, err := ParseReverseZone(o.Get("domain"))
	if err != nil {
		return z, "", err
	}
	_, dummy, err := domainRecords(o, z)
	if err != nil {
		return z, "", err
	}
	if dummy {
		return z, DomainInactive, nil
	}
	return z, DomainActive, nil
}

// domainRecords returns the NS and DS records of a domain object; none and true if
// it names the dummy server.
func domainRecords(o *rpsl.Object, z ReverseZone) (list []zone.Record, dummy bool, err error) {
	var m mistakes
	ns, ds := o.All("nserver"), o.All("ds-rdata")
	for _, h := range ns {
		if strings.EqualFold(strings.TrimSuffix(h, "."), DummyServer) {
			dummy = true
		}
	}
	if dummy && (len(ns) > 1 || len(ds) > 0) {
		return nil, true, invalid("nserver", "%s stands beside others: take it out to activate the zone, or take the others out", DummyServer).by("APNIC-103, section 3.4.2")
	}
	if dummy {
		return nil, true, nil
	}
	if len(ns) == 0 {
		m.add(invalid("nserver", "it is missing: name the servers, or %s", DummyServer).by("RFC 4035, section 2.4"))
	}
	standIn := z.Name // the parser knows no classless names
	if z.Classless {
		standIn = z.Name.Parent()
	}
	for _, f := range []struct {
		field, typ string
		values     []string
	}{{"nserver", "NS", ns}, {"ds-rdata", "DS", ds}} {
		for _, value := range f.values {
			r, err := oneRecord(f.field, standIn.File()+" "+f.typ+" "+value, z.Name)
			if err == nil && slices.Contains(list, r) {
				err = invalid(f.field, "%.80q is there twice: take one out", value)
			}
			m.add(err)
			list = append(list, r)
		}
	}
	if len(list) > 128 {
		m.add(invalid("nserver", "%d records, at most 128 are taken", len(list)))
	}
	return list, false, m.err()
}

func oneRecord(field, line string, owner zone.Name) (zone.Record, error) {
	found, err := zone.ParseDelegations(field, []byte(line))
	var bad *zone.SyntaxErrors
	switch {
	case errors.As(err, &bad):
		return zone.Record{}, invalid(field, "%s", bad.Errors[0].Msg)
	case err != nil || len(found) != 1:
		return zone.Record{}, invalid(field, "%.80q is no value", line)
	}
	r := found[0].Record
	r.Name = owner
	if host, ok := r.Data.Host(); ok && r.Type == zone.TypeNS && host.Within(owner) {
		return r, invalid(field, "%s lies inside the zone that it serves and would need an address: name a server elsewhere", host.File()).by("RFC 9471, section 3")
	}
	return r, nil
}
