package nir

import (
	"bytes"
	"fmt"
	"time"

	"nirzone/nir/inr"
	"nirzone/nir/stats"
)

// StatisticsOptions say which statistics are exported.
type StatisticsOptions struct {
	Form   stats.Form
	Day    time.Time // that they are of; its location gives the offset from UTC
	Latest bool      // name the file delegated-apnic-latest instead of after the day
	Signer Signer    // of the .asc; nil for none
}

// Statistics returns the statistics of the view's state, with their seals: the
// file, its .md5 and its .asc. What it writes depends on the state and the options
// alone.
//
// Every number is in one record. What an NIR delegated to members is theirs, with
// their economy, date and type, and the rest of what the NIR has is its own. In the
// extended form, what is free of the regional pools is available; what is free of
// reserved pools and of those in quarantine is reserved. Serial is the day; the
// header's dates are the first and the last of the records.
func (v *View) Statistics(o StatisticsOptions) ([]ExportFile, error) {
	if o.Day.IsZero() {
		return nil, invalid("day", "it is missing")
	}
	list, err := v.records(o.Form)
	if err != nil {
		return nil, fmt.Errorf("exporting statistics: %w", err)
	}
	h := stats.Header{Registry: v.Rules.statistics(), Serial: stats.DateOf(o.Day).String(), Offset: o.Day.Format("-0700")}
	for i := range list {
		d := list[i].Date
		if d != 0 && (h.Start == 0 || d < h.Start) {
			h.Start = d
		}
		h.End = max(h.End, d)
	}
	var b bytes.Buffer
	b.Grow(56 * len(list))
	if err := stats.Write(&b, stats.File{Form: o.Form, Header: h}, list); err != nil {
		return nil, err
	}
	f := ExportFile{o.name(h.Registry), b.Bytes()}
	s, err := seals(f, o.Signer, o.Day)
	return append([]ExportFile{f}, s...), err
}

func (o *StatisticsOptions) name(registry string) string {
	name := "delegated-" + registry
	if o.Form == stats.Extended {
		name += "-extended"
	}
	if o.Latest {
		return name + "-latest"
	}
	return name + "-" + stats.DateOf(o.Day).String()
}

// A recorder makes records of delegations.
type recorder struct {
	v       *View
	form    stats.Form
	handles map[string]string // of members and NIRs; empty in the plain form
	nirs    map[string]NIR
	list    []stats.Record
}

func (v *View) records(form stats.Form) ([]stats.Record, error) {
	r := recorder{v: v, form: form, handles: map[string]string{}, nirs: map[string]NIR{}}
	if err := r.holders(); err != nil {
		return nil, err
	}
	var held inr.Builder
	for _, k := range inr.Kinds {
		s, err := v.standingOf(k)
		if err != nil {
			return nil, err
		}
		for i := range s.top {
			held.Add(s.top[i].Range)
			r.delegation(&s.top[i], s.sub)
		}
	}
	if form == stats.Extended {
		return r.list, r.pools(held.Set())
	}
	return r.list, nil
}

// holders reads what statistics call members and NIRs.
func (r *recorder) holders() error {
	list, err := r.v.NIRs()
	if err != nil {
		return err
	}
	for _, n := range list {
		r.nirs[n.Code] = n
	}
	if r.form == stats.Plain {
		return nil
	}
	return members.each(r.v, "id <> ''", nil, func(m *Member) error {
		r.handles[m.ID] = m.handle()
		return nil
	})
}

// delegation adds what became of a first step: its second steps, and the rest.
func (r *recorder) delegation(d *Delegation, sub []Delegation) {
	if d.Level == RIRToMember {
		r.add(d, d.Range, r.handles[d.Member])
		return
	}
	var given inr.Builder
	for _, s := range meeting(sub, d.Range) {
		given.Add(s.Range)
		r.add(s, s.Range, r.handles[s.Member])
	}
	own := ""
	if n, ok := r.nirs[d.NIR]; ok && d.Evidence != ByImport { // an import without holders says the NIR, and nobody
		own = opaque(n.ID)
	}
	for rest := range inr.Of(d.Range).Subtract(given.Set()).All() {
		r.add(d, rest, own)
	}
}

var statusOf = map[string]stats.Status{"allocation": stats.Allocated, "assignment": stats.Assigned}

func (r *recorder) add(d *Delegation, rng inr.Range, holder string) {
	rec := stats.Record{
		Registry: r.v.Rules.statistics(), Economy: d.Economy, Range: rng, Date: r.v.Rules.day(d), Status: statusOf[d.Type], Opaque: holder,
	}
	if rec.Economy == "" {
		rec.Economy = r.nirs[d.NIR].Economy
	}
	r.list = append(r.list, rec)
}

// pools adds what is nobody's of the pools.
func (r *recorder) pools(held inr.Set) error {
	list, err := r.v.Pools()
	if err != nil {
		return err
	}
	var open, closed inr.Builder
	for i := range list {
		switch list[i].Purpose {
		case Regional:
			open.Add(list[i].Range)
		case Reserved, Quarantine:
			closed.Add(list[i].Range)
		}
	}
	for status, b := range map[stats.Status]*inr.Builder{stats.Available: &open, stats.Reserved: &closed} { // sorted when written
		for rng := range b.Set().Subtract(held).All() {
			r.list = append(r.list, stats.Record{Registry: r.v.Rules.statistics(), Range: rng, Status: status})
		}
	}
	return nil
}
