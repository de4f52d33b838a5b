package nir

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"nirzone/zone"
)

// A PublishedZone is what the parent zone has of a name today: it is adopted when
// an NIR takes Option 2, so that no delegation is lost between two systems.
type PublishedZone struct {
	Name string   `json:"name"`
	NS   []string `json:"ns"`
	DS   []string `json:"ds"` // texts of DS records
}

// An OptionPlan is what a switch of an NIR's reverse DNS changes. Records are lines
// of what the registry itself delegates.
type OptionPlan struct {
	NIR     string   `json:"nir"`
	From    int      `json:"from"`
	To      int      `json:"to"`
	Create  []string `json:"create"`  // domain objects that come
	Change  []string `json:"change"`  // that are written anew
	Delete  []string `json:"delete"`  // that go
	Active  int      `json:"active"`  // of those that go: the number that has to be named
	Appear  []string `json:"appear"`  // records
	Vanish  []string `json:"vanish"`  // records
	Notices []string `json:"notices"` // what could not be made
}

// PlanOption returns what [Tx.SwitchOption] would do, and does nothing.
func (n *DB) PlanOption(ctx context.Context, a Actor, code string, to int, adopt []PublishedZone) (*OptionPlan, error) {
	p := &OptionPlan{NIR: code, To: to}
	_, err := n.Try(ctx, a, func(x *Tx) error {
		r, err := x.NIR(code)
		if err != nil {
			return err
		}
		p.From = r.Option
		before, err := x.Domains(code)
		if err != nil {
			return err
		}
		p.Active = activeOf(before)
		if err := x.SwitchOption(code, to, adopt, p.Active); err != nil {
			return err
		}
		after, err := x.Domains(code)
		if err != nil {
			return err
		}
		if to == 2 {
			p.Active = 0
		}
		if err := p.compare(before, after); err != nil {
			return err
		}
		notes, err := notices.find(x.View, "nir = $1 AND since = $2 ORDER BY subject", code, x.event)
		for _, note := range notes {
			p.Notices = append(p.Notices, note.Text)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

func activeOf(list []WhoisObject) (n int) {
	for _, w := range list {
		if w.State == DomainActive {
			n++
		}
	}
	return n
}

func (p *OptionPlan) compare(before, after []WhoisObject) error {
	was, is := map[string]*WhoisObject{}, map[string]*WhoisObject{}
	for i := range before {
		was[before[i].Key] = &before[i]
	}
	for i := range after {
		is[after[i].Key] = &after[i]
	}
	for _, key := range slices.Sorted(maps.Keys(is)) {
		switch w := was[key]; {
		case w == nil:
			p.Create = append(p.Create, key)
		case w.Text != is[key].Text || w.State != is[key].State:
			p.Change = append(p.Change, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(was)) {
		if is[key] == nil {
			p.Delete = append(p.Delete, key)
		}
	}
	old, err := recordLines(before)
	if err != nil {
		return err
	}
	now, err := recordLines(after)
	p.Appear = slices.DeleteFunc(slices.Sorted(maps.Keys(now)), func(l string) bool { return old[l] })
	p.Vanish = slices.DeleteFunc(slices.Sorted(maps.Keys(old)), func(l string) bool { return now[l] })
	return err
}

func recordLines(list []WhoisObject) (map[string]bool, error) {
	lines := map[string]bool{}
	for _, w := range list {
		records, err := w.Records()
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			lines[r.String()] = true
		}
	}
	return lines, nil
}

// SwitchOption changes how an NIR manages its reverse zones (APNIC-103, section
// 3.4). To Option 2 its members' delegations get their domain objects, and those
// that are published already their name servers at once; to Option 1 all domain
// objects go, and removes has to be the number of active ones: the NIR's own file
// has to assert them before.
func (x *Tx) SwitchOption(code string, to int, adopt []PublishedZone, removes int) error {
	if err := x.Actor.needNIR("choose how reverse zones are managed", code); err != nil {
		return err
	}
	n, err := x.NIR(code)
	if err != nil {
		return err
	}
	switch {
	case to != 1 && to != 2:
		return invalid("option", "%d is not 1 or 2", to).by("APNIC-103, section 3.4")
	case n.Option == to:
		return refuse(Conflict, "%s has Option %d already", code, to)
	case to == 1 && len(adopt) > 0:
		return invalid("adopt", "published zones are adopted by Option 2")
	}
	if err := x.keyForOption(&n, to); err != nil {
		return err
	}
	n.Option = to
	x.act("nir.option")
	if err := nirs.put(x, &n); err != nil {
		return err
	}
	if to == 2 {
		if err := x.describeAgain("nir = $1 AND level = 'nir-member' AND kind <> 'asn'", code); err != nil {
			return err
		}
		return x.adopt(code, adopt)
	}
	list, err := x.Domains(code)
	if err != nil {
		return err
	}
	if active := activeOf(list); active != removes {
		return refuse(Held, "active zones of %s that would leave the registry's own delegations: %d, not %d", code, active, removes).
			in("removes").remedy(fmt.Sprintf("see that the file of %s asserts them, then say --removes %d", code, active))
	}
	for _, w := range list {
		if err := whoisObjects.end(x, w.ID); err != nil {
			return err
		}
	}
	return nil
}

// keyForOption refuses Option 1 to an NIR that came through probation without a
// key: it is what [Tx.Activate] asks of an NIR of Option 1, which the way over
// Option 2 does not avoid.
func (x *Tx) keyForOption(n *NIR, to int) error {
	if to != 1 || n.State == Probation { // then activation asks for it
		return nil
	}
	list, err := x.NIRVersions(n.ID)
	if err != nil || !slices.ContainsFunc(list, func(v NIR) bool { return v.State == Probation }) {
		return err
	}
	key, err := x.KeyOfNIR(n.Code)
	if err == nil && key == "" {
		err = keyless(n.Code)
	}
	return err
}

// adopt activates domain objects with what is published; a zone that is finer than
// the NIR's domain objects gets its own.
func (x *Tx) adopt(code string, list []PublishedZone) error {
	var m mistakes
	reg, err := x.registrar(code)
	if err != nil {
		return err
	}
	for _, p := range list {
		m.add(x.adoptZone(p, reg))
	}
	return m.err()
}

func (x *Tx) adoptZone(p PublishedZone, reg registrar) error {
	z, err := ParseReverseZone(p.Name)
	if err != nil {
		return err
	}
	d, err := x.holding(z.Range, reg)
	if err != nil {
		return err
	}
	g, err := x.registration(&d, nil)
	if err != nil {
		return err
	}
	if err := x.describeZone(&d, z, &g, reg, false); err != nil {
		return err
	}
	w, err := x.kept("domain", z.Name.File())
	if err != nil || w == nil {
		return err
	}
	o, err := w.RPSL()
	if err != nil {
		return err
	}
	o.Set("nserver", withoutDot(p.NS)...)
	o.Set("ds-rdata", p.DS...)
	now := *w
	if _, now.State, err = checkDomain(o); err != nil {
		return err
	}
	if err := x.checkExclusive(z, now.State); err != nil {
		return err
	}
	if err := now.fill(o); err != nil {
		return err
	}
	return x.putWhois(&now, w)
}

func withoutDot(hosts []string) []string {
	out := make([]string, len(hosts))
	for i, h := range hosts {
		n, err := zone.ParseName(h)
		if err != nil {
			out[i] = h // it is refused with the others
			continue
		}
		out[i] = n.File()
	}
	return out
}
