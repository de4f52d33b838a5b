package main

import (
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// write shows the answer to a person: what is published first, then who said
// so, then everything else.
func (a *answer) write(w io.Writer) {
	a.writeTitle(w)
	if a.Apex != nil {
		a.writeApex(w)
	}
	a.section(w, shell.Good, "published", a.Published)
	if len(a.Above) > 0 {
		a.section(w, shell.Good, "published above it", a.Above)
	}
	a.writeBelow(w)
	a.section(w, shell.Care, "also said, and not published", a.others(false))
	a.section(w, shell.Quiet, "said more than once", a.others(true))
	a.writeWaiting(w)
	a.writeClaims(w)
	a.writeNotices(w)
	if a.Registry != nil {
		a.Registry.write(w)
	}
}

func (a *answer) writeTitle(w io.Writer) {
	title := a.Name.File()
	if p, err := netip.ParsePrefix(a.Prefix); err == nil && p.IsSingleIP() {
		title += " (" + p.Addr().String() + ")"
	} else if err == nil {
		title += " (" + a.Prefix + ")"
	}
	fmt.Fprintf(w, "%s: %s\n", title, a.verdict(w))
	fmt.Fprintf(w, "zone %s, serial %d, generation %d of %s\n", a.Zone.File(), a.Serial, a.Generation, a.Built.Format(time.RFC3339))
	if a.Pinned != 0 {
		fmt.Fprintln(w, shell.Paint(w, shell.Care, fmt.Sprintf("the zone is pinned to the content of generation %d: zonebuild rollback --release", a.Pinned)))
	}
	if a.Carried != "" {
		fmt.Fprintln(w, shell.Paint(w, shell.Bad, "the zone is published as it was before: "+a.Carried))
	}
}

func (a *answer) verdict(w io.Writer) string {
	switch a.Status {
	case isDelegated:
		return shell.Paint(w, shell.Good, "delegated")
	case isAlias:
		return shell.Paint(w, shell.Good, "an alias (RFC 2317)")
	case isGlue:
		return shell.Paint(w, shell.Good, "the address of a name server")
	case isBelow:
		return shell.Paint(w, shell.Good, fmt.Sprintf("not in this zone, because %s is delegated", a.Above[0].Name.File()))
	case isApex:
		return shell.Paint(w, shell.Good, "a published parent zone")
	case isAbove:
		return shell.Paint(w, shell.Care, fmt.Sprintf("not published itself, %s below it", count(a.BelowCount, "delegation")))
	}
	return shell.Paint(w, shell.Bad, "not published")
}

// table writes lines with tabs in them as aligned columns.
func table(w io.Writer, indent string, lines []string) {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, l := range lines {
		fmt.Fprintln(tw, indent+l)
	}
	tw.Flush()
}

func (a *answer) writeApex(w io.Writer) {
	fmt.Fprintf(w, "\n%s, signatures good until %s\n", count(a.Apex.Delegations, "delegation"), a.Apex.Expires.Format(time.RFC3339))
	counts := map[string]int{}
	for _, c := range a.Apex.Counts {
		counts[c.Source] = c.Delegations
	}
	t := shell.Table{Header: []string{"  source", ">delegations", "file", "sha256", "fetched"}}
	fmt.Fprintln(w)
	for _, in := range a.Apex.Inputs {
		seen := "-"
		if !in.Seen.IsZero() {
			seen = in.Seen.Format(time.RFC3339)
		}
		t.Add("  "+in.Source, fmt.Sprint(counts[in.Source]), in.File, in.SHA256[:12], seen)
	}
	t.Render(w)
	lines := []string{}
	for _, n := range a.Apex.NS {
		lines = append(lines, "NS\t"+n.String()+"\tconfiguration")
	}
	for _, k := range a.Apex.Keys {
		lines = append(lines, fmt.Sprintf("DNSKEY\tflags %d, algorithm %d, tag %d\tkeys", k.Flags, k.Algorithm, k.Tag))
	}
	fmt.Fprintln(w)
	table(w, "  ", lines)
}

func (a *answer) section(w io.Writer, tone shell.Tone, title string, list []statement) {
	if len(list) > 0 {
		fmt.Fprintf(w, "\n%s\n", shell.Paint(w, tone, title))
		a.statements(w, list)
	}
}

// statements shows records in groups with the same origin: below each, where it
// is from and what became of it.
func (a *answer) statements(w io.Writer, list []statement) {
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].SHA256 == list[0].SHA256 && list[n].Fate == list[0].Fate && list[n].Name == list[0].Name && list[n].Kept == list[0].Kept {
			n++
		}
		a.group(w, list[:n])
		list = list[n:]
	}
}

func (a *answer) group(w io.Writer, list []statement) {
	var records []string
	for _, s := range list {
		records = append(records, s.Record)
	}
	table(w, "  ", records)
	s := list[0]
	lines := []string{"said by\t" + s.Source, "file\t" + places(list), "sha256\t" + s.SHA256}
	if s.Signer != "" {
		lines = append(lines, "signer\t"+s.Signer)
	}
	if !s.Seen.IsZero() {
		lines = append(lines, "fetched\t"+s.Seen.Format(time.RFC3339))
	}
	if o := a.overridden(s); o != "" {
		lines = append(lines, "overrides\t"+o)
	}
	if s.Kept != "" {
		lines = append(lines, "stands\tas published before, whatever the file says now: "+s.Kept)
	}
	if s.Fate != "" {
		lines = append(lines, "but\t"+a.because(s))
	}
	table(w, "    ", lines)
}

// overridden names the sources whose word a published statement overrides.
func (a *answer) overridden(s statement) string {
	var out []string
	for _, o := range a.Said {
		if s.Fate == "" && o.Fate == fateOverridden && o.Source != s.Source && !slices.Contains(out, o.Source) {
			out = append(out, o.Source)
		}
	}
	return strings.Join(out, ", ")
}

// places names the lines of statements from one input: file:228, file:164-167
// or file:228, 230.
func places(list []statement) string {
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1].Line-list[j].Line <= 1 && list[j+1].Line >= list[j].Line {
			j++
		}
		part := fmt.Sprint(list[i].Line)
		if list[j].Line > list[i].Line {
			part += fmt.Sprintf("-%d", list[j].Line)
		}
		parts, i = append(parts, part), j+1
	}
	return list[0].File + ":" + strings.Join(parts, ", ")
}

func (a *answer) writeBelow(w io.Writer) {
	if a.BelowCount == 0 || a.Status == isApex {
		return
	}
	fmt.Fprintf(w, "\ndelegated below it\n")
	for i, n := range a.Below {
		if i == shownBelow {
			break
		}
		fmt.Fprintf(w, "  %s\n", n)
	}
	if a.BelowCount > shownBelow {
		fmt.Fprintf(w, "  and %d more\n", a.BelowCount-shownBelow)
	}
}

// others returns what was said and is not published, or the duplicates of what
// is.
func (a *answer) others(duplicates bool) []statement {
	var out []statement
	for _, s := range a.Said {
		if s.Fate != fatePublished && (s.Fate == fateDuplicate) == duplicates {
			out = append(out, s)
		}
	}
	return out
}

func (a *answer) writeWaiting(w io.Writer) {
	for _, h := range a.Holds {
		lines := []string{"hash\t" + h.Hash, "limit\t" + h.Rule, fmt.Sprintf("losses\t%d, this name %s", h.Removes, map[bool]string{true: "among them", false: "not among them"}[h.LosesName])}
		lines = append(lines, "look\tzonebuild held show "+h.Hash[:12])
		fmt.Fprintf(w, "\n%s\n", shell.Paint(w, shell.Bad, fmt.Sprintf("held: a change of %s (%s)", h.Source, h.Kind)))
		table(w, "  ", lines)
	}
	for _, n := range a.Waiting {
		why := "waits for the next build"
		if n.Held != "" {
			why = "is held (" + n.Held[:12] + ")"
		}
		if n.Probation {
			why = "counts for nothing while " + n.Source + " is in probation"
		}
		if a.Pinned != 0 {
			why = "is not used while the zone is pinned"
		}
		fmt.Fprintf(w, "\n%s\n", shell.Paint(w, shell.Care, fmt.Sprintf("a newer %s of %s %s", n.File, n.Source, why)))
		if n.Error != "" {
			fmt.Fprintf(w, "  it cannot be used: %s\n", n.Error)
			continue
		}
		if len(n.Says) == 0 {
			table(w, "  ", []string{"says\tnothing of this name", "sha256\t" + n.SHA256})
			continue
		}
		a.statements(w, n.Says)
	}
}

// shownClaims is how many claims are listed; --json has all of them.
const shownClaims = 8

func (a *answer) writeClaims(w io.Writer) {
	if a.Status == isApex {
		fmt.Fprintf(w, "\n%s inside it\n", count(len(a.Claims), "claim"))
		return
	}
	fmt.Fprintf(w, "\nclaims over it\n")
	var lines []string
	for i, c := range a.Claims {
		if i == shownClaims {
			lines = append(lines, fmt.Sprintf("and %d more", len(a.Claims)-i))
			break
		}
		lines = append(lines, c.Source+"\t"+c.Prefix)
	}
	if len(lines) == 0 {
		lines = []string{"none"}
	}
	table(w, "  ", lines)
}

func (a *answer) writeNotices(w io.Writer) {
	if len(a.Notices) == 0 {
		return
	}
	fmt.Fprintln(w, "\nnotices")
	for _, n := range a.Notices {
		since := ""
		if !n.Since.IsZero() {
			since = " (since " + n.Since.Format(time.RFC3339) + ")"
		}
		fmt.Fprintf(w, "  %s to %s: %s%s\n", shell.Paint(w, toneOf(n.Severity), n.Severity.String()), n.Source, place(n.Notice), since)
		fmt.Fprintf(w, "    %s: %s\n", n.Code, n.Text)
	}
}

// place is where a notice points: a line, else the zone.
func place(n zone.Notice) string {
	if n.Pos.File == "" {
		return n.Zone.File()
	}
	return n.Pos.String()
}

// toneOf is the colour of a severity.
func toneOf(s zone.Severity) shell.Tone {
	return []shell.Tone{shell.Quiet, shell.Plain, shell.Care, shell.Bad}[min(s, zone.Alarm)]
}
