package nir

import (
	"slices"
	"sort"
	"time"

	"nirzone/nir/inr"
	"nirzone/nir/stats"
)

// wanted is what a record says there is to be.
type wanted struct {
	*stats.Record
	nir    string // that manages it, "" for the regional registry
	holder string // opaque-id of the member; "" if the file does not say who holds it, or if the NIR itself does
	self   bool   // the NIR itself does
	pool   *Pool  // that contains it, nil for none
}

// level is the level of the first step: to the NIR, or to the direct member.
func (w *wanted) level() Level {
	if w.nir == "" {
		return RIRToMember
	}
	return RIRToNIR
}

// planOwn compares the registry's own statistics with its delegations.
func (p *importPlan) planOwn() error {
	var err error
	if p.members, err = p.x.importMembers(); err != nil {
		return err
	}
	all := p.wanted()
	p.add = make([]Delegation, 0, len(all))
	for _, k := range inr.Kinds {
		s, err := p.x.standingOf(k)
		if err != nil {
			return err
		}
		c := comparison{p: p, standing: s, ended: map[string]bool{}, seen: map[string]bool{}}
		for len(all) > 0 && all[0].Range.Kind == k {
			c.one(&all[0])
			all = all[1:]
		}
		c.missing()
	}
	return nil
}

// wanted makes a list in order of the records that can be right.
func (p *importPlan) wanted() []wanted {
	list := make([]wanted, 0, len(p.file.records))
	for i := range p.file.records {
		w := p.want(&p.file.records[i])
		if p.allowed(&w) {
			list = append(list, w)
		}
	}
	slices.SortStableFunc(list, func(a, b wanted) int { return a.Range.Compare(b.Range) })
	clean := list[:0]
	for _, w := range list {
		if n := len(clean); n > 0 && clean[n-1].Range.Overlaps(w.Range) {
			p.fail(max(w.Line, clean[n-1].Line), "%s overlaps %s of line %d", w.Range, clean[n-1].Range, min(w.Line, clean[n-1].Line))
			continue
		}
		clean = append(clean, w)
	}
	return clean
}

var typeOf = map[stats.Status]string{stats.Allocated: "allocation", stats.Assigned: "assignment"}

func (p *importPlan) want(r *stats.Record) wanted {
	w := wanted{Record: r, nir: p.codes[p.NIRs[r.Economy]].Code, holder: r.Opaque}
	if n := p.codes[w.nir]; w.nir != "" && r.Opaque == opaque(n.ID) {
		w.holder, w.self = "", true
	}
	return w
}

// allowed tells what no registry's state could make right: special space, a
// holder's identifier that cannot be one, a pool from which nothing is given.
func (p *importPlan) allowed(w *wanted) bool {
	if inr.Special().Overlaps(w.Range) {
		s, _ := inr.WhySpecial(w.Range)
		return p.fail(w.Line, "%s holds %s, which is nobody's to delegate (APNIC-103, section 2.6)", w.Range, s)
	}
	if w.holder != "" && !uidForm.MatchString(w.holder) {
		return p.fail(w.Line, "opaque-id %.80q is not 1 to 64 letters, digits, dots, hyphens and underscores", w.holder)
	}
	for i := range p.pools {
		o := &p.pools[i]
		if !o.Range.Overlaps(w.Range) {
			continue
		}
		switch {
		case o.Purpose == Reserved || o.Purpose == Quarantine:
			return p.fail(w.Line, "%s is in pool %s, from which nothing is delegated: it is %s", w.Range, o.Range, o.Purpose)
		case o.Purpose == NIRExisting && (o.NIR != w.nir || !o.Range.Contains(w.Range)):
			return p.fail(w.Line, "%s is in pool %s, which %s held before, and the record is of %s (APNIC-103, section 3.5)", w.Range, o.Range, o.NIR, p.x.registryName(w.nir))
		case o.Range.Contains(w.Range):
			w.pool = o
		}
	}
	return true
}

// standing is what the registry holds of a kind, in order: the first steps of both
// levels together, and the second steps.
type standing struct {
	top, sub []Delegation
}

func (v *View) standingOf(k inr.Kind) (standing, error) {
	var s standing
	var err error
	s.top, err = delegations.find(v, "kind = $1 AND (level = 'rir-nir' OR level = 'rir-member') ORDER BY first", k.String())
	if err == nil {
		s.sub, err = delegations.find(v, "kind = $1 AND level = 'nir-member' ORDER BY first", k.String())
	}
	return s, err
}

// A comparison goes through the records of one kind and what stands of it.
type comparison struct {
	p *importPlan
	standing
	ended map[string]bool
	seen  map[string]bool // of top: met by a record
}

// meeting returns the delegations of a list that overlap a range.
func meeting(list []Delegation, r inr.Range) []*Delegation {
	i := sort.Search(len(list), func(i int) bool { return !list[i].Range.Last.Less(r.First) })
	var met []*Delegation
	for ; i < len(list) && !r.Last.Less(list[i].Range.First); i++ {
		met = append(met, &list[i])
	}
	return met
}

// alive returns what has not ended in this plan.
func (c *comparison) alive(list []*Delegation) []*Delegation {
	var left []*Delegation
	for _, d := range list {
		if !c.ended[d.ID] {
			left = append(left, d)
		}
	}
	return left
}

// A verdict is what becomes of a record.
type verdict int

const (
	refused verdict = iota // a mistake was told
	unchanged
	updated
	created
	moved
)

// one decides what a record changes: the first step, and then whether there is to
// be a second.
func (c *comparison) one(w *wanted) {
	top := meeting(c.top, w.Range)
	for _, d := range top {
		c.seen[d.ID] = true
	}
	parent, v := c.first(w, c.alive(top))
	if v == created && len(top) > 0 { // also what gave way to a record before this one
		v = moved
	}
	if v != refused {
		if s := c.second(w, parent); s == refused || v == unchanged {
			v = s
		}
	}
	n := c.p.count(w.nir, w.Economy, w.Range.Kind)
	switch v {
	case unchanged:
		n.Unchanged++
	case updated:
		n.Updated++
	case created:
		n.Created++
	case moved:
		n.Moved++
	}
}

// first makes the first step what the record says and returns its identifier.
func (c *comparison) first(w *wanted, top []*Delegation) (string, verdict) {
	if d := w.madeBy(top); d != nil {
		if d.Evidence == ByImport && c.update(w, d) {
			return d.ID, updated
		}
		return d.ID, unchanged
	}
	if !c.giveWay(w, top) {
		return "", refused
	}
	d := w.delegation(w.level())
	d.ID = c.p.x.newID(delegations.prefix)
	if w.nir == "" {
		d.Member = c.p.member(w)
	}
	c.p.add = append(c.p.add, d)
	return d.ID, created
}

// madeBy returns the delegation that is what a record says, or of which the record
// says a part: what was made by other evidence knows more of its pieces.
func (w *wanted) madeBy(top []*Delegation) *Delegation {
	if len(top) != 1 || top[0].NIR != w.nir || top[0].Level != w.level() {
		return nil
	}
	d := top[0]
	if d.Range == w.Range || d.Level == RIRToNIR && d.Evidence != ByImport && d.Range.Contains(w.Range) {
		return d
	}
	return nil
}

// second makes the second step, from the NIR to its member, what the record says.
// There is one if the record names a holder, and in a pool that the NIR held
// before: what is not free there any more has to be somebody's, unless the record
// names the NIR itself.
func (c *comparison) second(w *wanted, parent string) verdict {
	existing := w.pool != nil && w.pool.Purpose == NIRExisting
	if w.nir == "" || w.holder == "" && (w.self || !existing) {
		return unchanged
	}
	sub := c.alive(meeting(c.sub, w.Range))
	switch {
	case len(sub) == 1 && sub[0].Range == w.Range:
		if sub[0].Evidence == ByImport && c.update(w, sub[0]) {
			return updated
		}
		return unchanged
	case len(sub) > 0 && w.holder == "":
		return unchanged // its pieces are known better
	case !c.giveWay(w, sub):
		return refused
	}
	d := w.delegation(NIRToMember)
	d.Member, d.Parent = c.p.member(w), parent
	c.p.add = append(c.p.add, d)
	return created
}

// update makes a delegation say what the record does, if it does not.
func (c *comparison) update(w *wanted, d *Delegation) bool {
	n := *d
	n.Type, n.Economy, n.Date = typeOf[w.Status], w.Economy, w.Date.Time()
	if w.holder != "" && d.Level != RIRToNIR { // a file without holders does not say that there are none
		n.Member = c.p.member(w)
	}
	if n.Type == d.Type && n.Economy == d.Economy && n.Member == d.Member && c.p.x.Rules.day(d) == w.Date {
		return false
	}
	c.p.put = append(c.p.put, n)
	return true
}

// giveWay ends what a record contradicts, with the second steps below, if all of
// it came by an import too; what has other evidence is the registry's own word,
// and the record's mistake.
func (c *comparison) giveWay(w *wanted, list []*Delegation) bool {
	for _, d := range list {
		if d.Level != NIRToMember {
			list = append(list, c.alive(meeting(c.sub, d.Range))...)
		}
	}
	for _, d := range list {
		if d.Evidence != ByImport {
			return c.p.fail(w.Line, "%s of %s contradicts %s of %s, which is here by %s since %s: correct the file, or transfer it first",
				w.Range, c.p.x.registryName(w.nir), d.Range, c.p.x.registryName(d.NIR), d.Evidence, d.Date.Format(time.DateOnly))
		}
	}
	for _, d := range list {
		c.ended[d.ID] = true
		c.p.end = append(c.p.end, *d)
		c.p.touched.Add(d.Range)
		if d.Range != w.Range && d.Level != NIRToMember {
			c.p.count(d.NIR, d.Economy, d.Range.Kind).Ended++
		}
	}
	return true
}

// delegation is a record as a delegation of a level.
func (w *wanted) delegation(l Level) Delegation {
	d := Delegation{Level: l, Range: w.Range, Type: typeOf[w.Status], Economy: w.Economy, NIR: w.nir, Date: w.Date.Time(), Evidence: ByImport}
	if w.pool != nil {
		d.Pool = w.pool.ID
	}
	return d
}

// missing counts what earlier imports brought and this file does not have.
func (c *comparison) missing() {
	for i := range c.top {
		if d := &c.top[i]; d.Evidence == ByImport && !c.seen[d.ID] {
			c.p.count(d.NIR, d.Economy, d.Range.Kind).Missing++
		}
	}
}
