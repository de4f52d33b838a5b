package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/observe"
)

// An observeText is the report of observe on a page.
type observeText struct{ *page }

// A serverRow is one address over all zones.
type serverRow struct {
	o                           zone.Observation
	parent                      bool
	zones, good, behind, faulty int
	sampled                     int
	expires                     time.Time
}

// rows sums up by server and address: the zones' own servers first.
func rows(zones []zone.ObservedZone) []*serverRow {
	var out []*serverRow
	row := func(o zone.Observation, parent bool) *serverRow {
		for _, r := range out {
			if r.parent == parent && r.o.Server == o.Server && r.o.Address == o.Address {
				return r
			}
		}
		out = append(out, &serverRow{o: o, parent: parent})
		return out[len(out)-1]
	}
	for i := range zones {
		z := &zones[i]
		for _, o := range z.Servers {
			row(o, false).add(z, o)
		}
		for _, o := range z.Delegation {
			row(o, true).add(z, o)
		}
	}
	slices.SortStableFunc(out, func(a, b *serverRow) int {
		return cmp.Or(cmp.Compare(truth(a.parent), truth(b.parent)), a.o.Server.Compare(b.o.Server), a.o.Address.Compare(b.o.Address))
	})
	return out
}

func (r *serverRow) add(z *zone.ObservedZone, o zone.Observation) {
	r.zones++
	switch {
	case o.Fault != "":
		r.faulty++
		return
	case r.parent && o.Denied:
	case !r.parent && !z.SerialSince.IsZero() && o.Serial != z.Serial:
		r.behind++
	default:
		r.good++
	}
	r.sampled += o.Sampled
	if !o.Expires.IsZero() && (r.expires.IsZero() || o.Expires.Before(r.expires)) {
		r.expires = o.Expires
	}
}

func (t *observeText) write(r *observe.Report) {
	if r.Error == "" {
		t.servers(r, false, []string{"server", "address", ">zones", ">as published", ">other serial", ">no answer", ">sampled", "first signature ends"})
		t.servers(r, true, []string{"parent's server", "address", ">zones", ">with DS", ">no answer", "first signature ends"})
		t.notices(r)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(t, "%s %s\n", t.paint(shell.Care, "note:"), n)
	}
	for _, n := range r.Off {
		fmt.Fprintf(t, "%s %s\n", t.paint(shell.Care, "off:"), n)
	}
	t.summary(r)
}

func (t *observeText) servers(r *observe.Report, parent bool, header []string) {
	table := shell.Table{Header: header}
	for _, row := range rows(r.Zones) {
		if row.parent != parent {
			continue
		}
		ends := "-"
		if !row.expires.IsZero() {
			ends = row.expires.UTC().Format("2006-01-02 15:04")
		}
		cells := []string{row.o.Server.File(), row.o.Address.String(), strconv.Itoa(row.zones), t.count(row.good, shell.Plain)}
		if !parent {
			cells = append(cells, t.count(row.behind, shell.Care))
		}
		cells = append(cells, t.count(row.faulty, shell.Bad))
		if !parent {
			cells = append(cells, t.count(row.sampled, shell.Quiet))
		}
		table.Add(append(cells, ends)...)
	}
	if len(table.Rows) > 0 {
		table.Render(t)
		fmt.Fprintln(t)
	}
}

// maxNotices bounds the list on a screen; the files have all of it.
const maxNotices = 40

func (t *observeText) notices(r *observe.Report) {
	list := t.alike(r.Notices)
	for i, n := range list {
		if i == maxNotices && !t.whole() {
			fmt.Fprintf(t, "and %d more: zonefetch observe --json\n", len(list)-i)
			break
		}
		fmt.Fprintf(t, "%s: %s: %s", t.severity(n.Notice), n.Code, n.Text) // the text says who
		if n.more > 0 {
			fmt.Fprintf(t, "; the same for %s", more(n.more))
		}
		fmt.Fprintln(t)
	}
	if len(list) > 0 {
		fmt.Fprintln(t)
	}
}

func more(n int) string {
	if n == 1 {
		return "1 more zone"
	}
	return fmt.Sprintf("%d more zones", n)
}

// A sameNotice is a notice, and of how many more zones it is true.
type sameNotice struct {
	zone.Notice
	more int
}

// alike makes one, on a screen, of notices that say the same of one server and
// several zones.
func (t *observeText) alike(list []zone.Notice) []sameNotice {
	type key struct {
		code string
		name zone.Name
		text string
	}
	seen := map[key]int{}
	var out []sameNotice
	for _, n := range list {
		k := key{n.Code, n.Name, n.Text}
		if n.Zone != "" && !t.whole() {
			k.text = strings.ReplaceAll(n.Text, n.Zone.File(), "")
		}
		if i, ok := seen[k]; ok && !t.whole() {
			out[i].more++
			continue
		}
		seen[k] = len(out)
		out = append(out, sameNotice{Notice: n})
	}
	return out
}

func (t *observeText) summary(r *observe.Report) {
	what := t.outcome(ending{r.Run, r.Error, r.DryRun, r.Cancelled})
	fmt.Fprintf(t, "%s, %d questions, %.1f s\n", what, r.Questions, r.Seconds)
}

// observeMetrics writes zonefetch_observe.prom, for a failed run too.
func observeMetrics(c *zone.Config, r *observe.Report, code int) error {
	m := shell.NewMetrics("zonefetch_observe")
	m.Finish(code, r.Time, time.Duration(r.Seconds*float64(time.Second)))
	m.Set("recorded", "1 if the run was recorded in the spool.", truth(r.Recorded))
	m.Set("questions", "Questions that were asked.", float64(r.Questions))
	for _, s := range []zone.Severity{zone.Warning, zone.Error, zone.Alarm} {
		n := 0
		for _, notice := range r.Notices {
			if notice.Severity == s {
				n++
			}
		}
		m.Set("notices", "What differs, by severity.", float64(n), "severity", s.String())
	}
	for i := range r.Zones {
		z := &r.Zones[i]
		for _, o := range z.Servers {
			label := []string{"zone", z.Zone.File(), "server", o.Server.File(), "address", o.Address.String()}
			m.Set("server_up", "1 if the address gave a good answer for the zone.", truth(o.Fault == ""), label...)
			if !o.Last.IsZero() {
				m.Set("server_serial", "Serial at the address.", float64(o.Serial), label...)
				m.Set("server_current", "1 if the address has the published serial.", truth(o.Serial == z.Serial), label...)
			}
			if !o.Expires.IsZero() {
				m.Set("server_expires_timestamp_seconds", "When the first signature seen at the address ends.", float64(o.Expires.Unix()), label...)
			}
		}
		for _, o := range z.Delegation {
			label := []string{"zone", z.Zone.File(), "server", o.Server.File(), "address", o.Address.String()}
			m.Set("parent_up", "1 if the address of the parent's server gave a good answer for the zone's DS.", truth(o.Fault == ""), label...)
			m.Set("parent_ds", "1 if the address of the parent's server has a DS set for the zone.", truth(!o.Last.IsZero() && !o.Denied), label...)
		}
	}
	return m.Write(c.Metrics)
}
