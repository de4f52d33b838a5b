package nir

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"nirzone/nir/inr"
	"nirzone/nir/rpsl"
)

// A Registration is what whois says of a delegation beyond the delegation itself.
// What a request said stands until a registration says otherwise.
type Registration struct {
	Row
	Delegation string `json:"delegation"`
	Netname    string `json:"netname"`
	Descr      string `json:"descr" text:"lines"`
	Economy    string `json:"economy"`
	AdminC     string `json:"admin_c"`
	TechC      string `json:"tech_c"`
	IRT        string `json:"irt"` // "" for the member's
}

var registrations = newTable[Registration]("registration", "rgs")

// Registration returns what whois says of a delegation.
func (v *View) Registration(delegation string) (Registration, error) {
	d, err := delegations.get(v, delegation)
	if err != nil {
		return Registration{}, err
	}
	return v.registration(&d, nil)
}

func (v *View) registration(d *Delegation, r *Request) (Registration, error) {
	if r == nil {
		g, ok, err := registrations.one(v, "delegation = $1", d.ID)
		if err != nil || ok {
			return g, err
		}
		if q, ok, err := requests.one(v, "id = $1", d.Request); err != nil {
			return g, err
		} else if ok && d.Request != "" {
			r = &q
		}
	}
	g := Registration{Delegation: d.ID}
	if r != nil {
		g.Netname, g.Descr, g.Economy, g.AdminC, g.TechC = r.Netname, r.Descr, r.Economy, r.AdminC, r.TechC
		return g, nil
	}
	if d.Member == "" {
		return g, nil
	}
	m, err := v.Member(d.Member)
	g.AdminC, g.TechC = m.AdminC, m.TechC
	return g, err
}

// Register changes what whois says of a delegation: the only way to change its
// objects (but for a domain's name servers).
func (x *Tx) Register(g Registration) error {
	d, err := delegations.get(x.View, g.Delegation)
	if err != nil {
		return err
	}
	if err := x.Actor.needNIR("change a registration", d.NIR); err != nil {
		return err
	}
	var m mistakes
	if !netnameForm.MatchString(g.Netname) {
		m.add(invalid("netname", "%.80q is not letters, digits, hyphens and underscores", g.Netname))
	}
	if !economyForm.MatchString(g.Economy) {
		m.add(invalid("economy", "%.20q is not two upper-case letters (ISO 3166-1)", g.Economy))
	}
	for _, f := range [][2]string{{"admin_c", g.AdminC}, {"tech_c", g.TechC}} {
		m.need(f[0], f[1], "APNIC-103, section 3.2.1")
	}
	if err := m.err(); err != nil {
		return err
	}
	old, _, err := registrations.one(x.View, "delegation = $1", d.ID)
	if err != nil {
		return err
	}
	if g.Row = old.Row; g == old {
		return nil
	}
	x.act("registration.change")
	if err := registrations.put(x, &g); err != nil {
		return err
	}
	return x.describe(&d, nil)
}

var netnameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$`)

// describe makes the whois objects of a delegation, or brings them up to date:
// those of its numbers, and for an NIR of Option 2 those of its reverse zones. r is
// the request that made it, nil if there is none or it does not matter. Objects of
// the same keys are taken over from whoever had them, and so is what people keep
// for parts of the range: after a transfer everything names the new manager.
// Call it first for the delegations that come, then [Tx.undescribe] for those that
// went: name servers that are in use stay.
func (x *Tx) describe(d *Delegation, r *Request) error {
	reg, err := x.registrar(d.NIR)
	if err != nil {
		return err
	}
	g, err := x.registration(d, r)
	if err != nil {
		return err
	}
	var who Member
	if d.Member != "" {
		if who, err = x.Member(d.Member); err != nil {
			return err
		}
	}
	blank, err := x.isBlank(d.Range)
	if err != nil {
		return err
	}
	for _, part := range described(d) {
		if err := x.describePart(d, part, &g, &who, reg, blank); err != nil {
			return fmt.Errorf("describing %s: %w", d.Range, err)
		}
	}
	if r == nil { // the objects of a new delegation are new
		if err := x.prune(d); err != nil {
			return err
		}
	}
	if d.Level == RIRToNIR {
		return nil
	}
	if !blank {
		if err := x.adoptKept(d, reg); err != nil {
			return err
		}
	}
	return x.describeZones(d, &g, reg, blank)
}

// isBlank reports whether no object that is kept here begins inside a range, as
// it is with space that was never delegated: then there is nothing to take over,
// and nothing to look for.
func (v *View) isBlank(r inr.Range) (blank bool, err error) {
	parts := make([]string, 2)
	for i, which := range []string{"kind <> '' AND type <> 'domain'", "type = 'domain'"} { // as the indexes are
		parts[i] = "EXISTS (SELECT 1 FROM whois_object WHERE " + v.standing() + " AND kind = $1 AND first >= $2 AND first <= $3 AND origin = 'registry' AND " + which + ")"
	}
	rows, err := v.query("SELECT CASE WHEN "+strings.Join(parts, " OR ")+" THEN 0 ELSE 1 END", r.Kind.String(), numKey(r.First), numKey(r.Last))
	if err != nil {
		return false, fmt.Errorf("reading whois objects: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		err = rows.Scan(&blank)
	}
	return blank, errors.Join(err, rows.Err())
}

// A numbers is what one object stands for.
type numbers struct {
	class, key string
	rng        inr.Range
}

// maxNumbers is how many aut-num objects a delegation gets; a longer range of
// ASNs gets an as-block.
const maxNumbers = 64

// described returns the objects that a delegation has: IPv6 that is no prefix has
// several.
func described(d *Delegation) []numbers {
	switch {
	case d.Range.Kind == inr.IPv4:
		return []numbers{{"inetnum", d.Range.RPSL(), d.Range}}
	case d.Range.Kind == inr.IPv6:
		var list []numbers
		for b := range d.Range.Blocks() {
			list = append(list, numbers{"inet6num", b.String(), b.Range()})
		}
		return list
	}
	n := d.Range.Last.Sub(d.Range.First).Lo + 1
	if n > maxNumbers || n > 1 && d.Level == RIRToNIR {
		return []numbers{{"as-block", d.Range.RPSL(), d.Range}}
	}
	var list []numbers
	for i := d.Range.First; !d.Range.Last.Less(i); i = i.Next() {
		one := inr.Range{Kind: inr.ASN, First: i, Last: i}
		list = append(list, numbers{"aut-num", one.String(), one})
	}
	return list
}

func (x *Tx) describePart(d *Delegation, n numbers, g *Registration, m *Member, reg registrar, blank bool) error {
	var old *WhoisObject
	if !blank {
		var err error
		if old, err = x.kept(n.class, n.key); err != nil {
			return err
		}
	}
	if d.Level == RIRToNIR && old != nil && old.DerivedFrom != "" && old.DerivedFrom != d.ID {
		if above, ok, err := delegations.one(x.View, "id = $1", old.DerivedFrom); err != nil || ok && above.Level != RIRToNIR && above.NIR == d.NIR {
			return err // the member's own object says more
		}
	}
	if g.Netname == "" && old != nil && (old.DerivedFrom != d.ID || d.Evidence == ByTransfer) { // of no request: what was said before stands
		if err := x.inherit(g, old); err != nil {
			return err
		}
	}
	w := WhoisObject{Origin: KeptHere, DerivedFrom: d.ID, NIR: d.NIR}
	if err := w.fill(render(d, n, g, m, reg)); err != nil {
		return err
	}
	if err := x.putWhois(&w, old); err != nil {
		return err
	}
	return x.declareRefs(&w, "named by "+d.Range.String())
}

// inherit keeps what an object says when its delegation is replaced by one that no
// request made.
func (x *Tx) inherit(g *Registration, old *WhoisObject) error {
	o, err := old.RPSL()
	if err != nil {
		return err
	}
	name := "netname"
	if o.Class() == "aut-num" {
		name = "as-name"
	}
	g.Netname, g.Descr, g.Economy = o.Get(name), strings.Join(o.All("descr"), "\n"), o.Get("country")
	g.AdminC, g.TechC, g.IRT = o.Get("admin-c"), o.Get("tech-c"), o.Get("mnt-irt")
	if g.Netname == "" {
		return nil
	}
	return registrations.put(x, g)
}

// render writes the object of numbers.
func render(d *Delegation, n numbers, g *Registration, m *Member, reg registrar) *rpsl.Object {
	descr := g.Descr
	if descr == "" {
		descr = m.Name
	}
	if descr == "" {
		descr = reg.source
	}
	netname := g.Netname
	if netname == "" {
		netname = madeName(d, m, reg)
	}
	adminC, techC := cmp.Or(g.AdminC, m.AdminC), cmp.Or(g.TechC, m.TechC)
	economy, irt := cmp.Or(g.Economy, d.Economy), cmp.Or(g.IRT, m.IRT)
	switch n.class {
	case "aut-num":
		return rpsl.New("aut-num", n.key, "as-name", netname, "descr", descr, "country", economy, "admin-c", adminC, "tech-c", techC,
			"mnt-by", reg.mntner, "mnt-irt", irt, "source", reg.source)
	case "as-block":
		return rpsl.New("as-block", n.key, "descr", descr, "country", economy, "admin-c", adminC, "tech-c", techC, "mnt-by", reg.mntner, "source", reg.source)
	}
	status := "ALLOCATED PORTABLE"
	if d.Type == "assignment" {
		status = "ASSIGNED PORTABLE"
	}
	return rpsl.New(n.class, n.key, "netname", netname, "descr", descr, "country", economy, "admin-c", adminC, "tech-c", techC,
		"status", status, "mnt-by", reg.mntner, "mnt-lower", m.Mntner, "mnt-irt", irt, "source", reg.source)
}

// madeName names a network that nobody named.
func madeName(d *Delegation, m *Member, reg registrar) string {
	s := strings.ToUpper(m.Name)
	if s == "" {
		s = reg.source
	}
	s = strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, s), "-")
	for strings.Contains(s, "--") {
		s = strings.ReplaceAll(s, "--", "-")
	}
	if s == "" {
		s = "NET-" + strings.ToUpper(d.Range.Kind.String())
	}
	return s[:min(len(s), 40)]
}

// prune ends objects of a delegation that it has no more: its range became less. A
// zone that another delegation of the NIR holds is of that one, and one that is
// active and of several stays ([Tx.splitZones]).
func (x *Tx) prune(d *Delegation) error {
	keys := map[string]bool{}
	for _, n := range described(d) {
		keys[n.class+" "+n.key] = true
	}
	list, err := whoisObjects.find(x.View, "derived_from = $1 AND derived_from <> ''", d.ID)
	if err != nil {
		return err
	}
	for _, w := range list {
		shared := w.State == DomainActive && d.Range.Overlaps(w.Range)
		if keys[w.Type+" "+w.Key] || w.Type == "domain" && (shared || d.Range.Contains(w.Range)) {
			continue
		}
		if there, err := x.rehome(&w); err != nil || there {
			if err != nil {
				return err
			}
			continue
		}
		if err := whoisObjects.end(x, w.ID); err != nil {
			return err
		}
	}
	return nil
}

// adoptKept makes what people keep for parts of a delegation the new manager's.
func (x *Tx) adoptKept(d *Delegation, reg registrar) error {
	list, err := x.keptWithin(d.Range, "nir <> $4", d.NIR)
	if err != nil {
		return err
	}
	for _, w := range list {
		if err := x.reown(&w, reg); err != nil {
			return err
		}
	}
	return nil
}

// keptWithin returns the objects of numbers in a range that are kept here.
func (v *View) keptWithin(r inr.Range, and string, args ...any) ([]WhoisObject, error) {
	all := append([]any{r.Kind.String(), numKey(r.First), numKey(r.Last)}, args...)
	list, err := whoisObjects.find(v, ofNumbers+"first >= $2 AND first <= $3 AND origin = 'registry' AND "+and+" ORDER BY first, last, id", all...)
	return slices.DeleteFunc(list, func(w WhoisObject) bool { return !r.Contains(w.Range) }), err
}

// reown changes source and maintainer of an object and leaves the rest.
func (x *Tx) reown(w *WhoisObject, reg registrar) error {
	before, err := x.registrar(w.NIR)
	if err != nil {
		return err
	}
	o, err := w.RPSL()
	if err != nil {
		return err
	}
	now := *w
	o.Set("source", reg.source)
	o.Set("mnt-by", maintained(o.Words("mnt-by"), before.mntner, reg.mntner)...)
	if err := now.fill(o); err != nil {
		return err
	}
	now.NIR = reg.code
	if err := x.putWhois(&now, w); err != nil {
		return err
	}
	return x.declareRefs(&now, "taken over from "+before.source)
}

// maintained puts the registry's maintainer first and takes the former one out.
func maintained(list []string, before, now string) []string {
	out := []string{now}
	for _, m := range list {
		if !strings.EqualFold(m, before) && !strings.EqualFold(m, now) {
			out = append(out, m)
		}
	}
	return out
}

// undescribe ends the whois objects of a delegation that ended, and what people
// kept for parts of it that nobody holds any more. What another delegation has
// taken over stays.
func (x *Tx) undescribe(d *Delegation) error {
	list, err := whoisObjects.find(x.View, "derived_from = $1 AND derived_from <> ''", d.ID)
	if err != nil {
		return err
	}
	for _, w := range list {
		if err := whoisObjects.end(x, w.ID); err != nil {
			return err
		}
	}
	if d.Level == RIRToNIR {
		return nil
	}
	kept, err := x.keptWithin(d.Range, "derived_from = ''")
	if err != nil {
		return err
	}
	for _, w := range kept {
		held, err := x.heldAt(w.Range)
		if err != nil {
			return err
		}
		if !held {
			if err := whoisObjects.end(x, w.ID); err != nil {
				return err
			}
		}
	}
	return x.describeAbove(d)
}

// heldAt reports whether a member holds the beginning of a range.
func (v *View) heldAt(r inr.Range) (bool, error) {
	list, err := v.At(r.Kind, r.First)
	return slices.ContainsFunc(list, func(d Delegation) bool { return d.Level != RIRToNIR }), err
}

// describeAbove makes the object of the NIR's own delegation of the same range,
// for which the member's stood.
func (x *Tx) describeAbove(d *Delegation) error {
	above, ok, err := delegations.one(x.View, "level = 'rir-nir' AND kind = $1 AND first = $2", d.Range.Kind.String(), numKey(d.Range.First))
	if err != nil || !ok {
		return err
	}
	return x.describe(&above, nil)
}

// undescribed selects delegations without an object: not those from the regional
// registry to an NIR for which a member's of the same range stands.
const undescribed = `NOT EXISTS (SELECT 1 FROM whois_object w WHERE w.derived_from = delegation.id AND w.derived_from <> '' AND w.until IS NULL)
	AND NOT (level = 'rir-nir' AND EXISTS (SELECT 1 FROM delegation m WHERE m.level = 'nir-member' AND m.kind = delegation.kind
		AND m.first = delegation.first AND m.last = delegation.last AND m.until IS NULL)) `

// undescribedOrder is that of an index: who wants some does not pay for sorting all.
const undescribedOrder = "ORDER BY level, kind, first"

// Undescribed returns delegations that have no whois object, at most limit: those
// of an import. They are answered for all the same ([View.WhoisCovering]), but are
// in no export. It asks of each delegation whether it has one until it has found
// enough: of 85 000, a batch of 5000 takes 0.2 to 0.5 s, where making their objects
// takes 4 s.
func (v *View) Undescribed(limit int) ([]Delegation, error) {
	return delegations.find(v, undescribed+undescribedOrder+fmt.Sprintf(" LIMIT %d", limit))
}

// CountUndescribed returns how many delegations have no whois object.
func (v *View) CountUndescribed() (n int, err error) {
	if err = v.queryRow("SELECT count(*) FROM delegation WHERE " + v.standing() + " AND " + undescribed).Scan(&n); err != nil {
		err = fmt.Errorf("counting delegations without whois objects: %w", err)
	}
	return n, err
}

// DescribeMissing makes the whois objects of delegations that have none, of at most
// limit of them, and returns of how many: 0 when there are no more.
func (x *Tx) DescribeMissing(limit int) (int, error) {
	if err := x.Actor.need("describe delegations", RegistryStaff, Admin); err != nil {
		return 0, err
	}
	list, err := x.Undescribed(limit)
	if err != nil {
		return 0, err
	}
	x.act("whois.describe")
	for _, d := range list {
		if err := x.room(); err != nil {
			return 0, err
		}
		if err := x.describe(&d, nil); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}
