package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

// write shows a person what the registry says: who has the numbers, then why.
func (p *registryPart) write(w io.Writer) {
	if p.Missing != "" {
		fmt.Fprintf(w, "\n%s\n", shell.Paint(w, shell.Quiet, "the registry is not there: "+p.Missing))
		return
	}
	fmt.Fprintf(w, "\nin the registry (event %d of %s)\n", p.Event, instant(p.Time))
	for i := range p.Origins {
		writeOrigin(w, &p.Origins[i], "  ")
	}
	if n := p.Count - len(p.Origins); n > 0 {
		fmt.Fprintf(w, "  and %d more: nirctl delegation list --within RANGE\n", n)
	}
	if p.Count == 0 {
		fmt.Fprintln(w, "  nobody holds these numbers")
	}
	for _, d := range p.Domains {
		lines := []string{"source\t" + d.Source + ", of " + d.Manager}
		if d.Recorded.Event > 0 {
			lines = append(lines, "recorded\t"+recorded(d.Recorded))
		}
		if d.State == nir.DomainInactive {
			lines = append(lines, "to activate\tnirctl domain set "+d.Key+" --ns HOSTS")
		}
		fmt.Fprintf(w, "  domain object %s, %s\n", d.Key, d.State)
		table(w, "    ", lines)
	}
	for _, d := range p.Differs {
		fmt.Fprintln(w, shell.Paint(w, shell.Care, "  "+d))
	}
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func recorded(e nir.TracedEvent) string {
	return fmt.Sprintf("%s by %s (%s, event %d)%s", instant(e.At), e.By, e.Act, e.Event, because(e.Reason))
}

// writeOrigin shows a decision below the delegations that stand by it, and then
// what was before a transfer.
func writeOrigin(w io.Writer, o *nir.Origin, indent string) {
	for _, d := range o.Delegations {
		holder := d.Holder
		if d.UID != "" {
			holder = d.UID + ", " + holder
		}
		economy := ""
		if d.Economy != "" {
			economy = ", " + d.Economy
		}
		fmt.Fprintf(w, "%s%s: %s from %s to %s (%s%s, %s)\n", indent, d.Range, d.Type, d.Giver, plain(holder), d.Level, economy, d.Date.UTC().Format(time.DateOnly))
	}
	if o.Withheld {
		fmt.Fprintln(w, indent+"  why that is so is for the registry and its NIR alone")
		return
	}
	lines := []string{"recorded\t" + recorded(o.Delegations[0].Recorded)}
	table(w, indent+"  ", append(lines, evidenceLines(o)...))
	if o.Before != nil {
		fmt.Fprintln(w, indent+"  before that")
		writeOrigin(w, o.Before, indent+"    ")
	}
}

// evidenceLines tell of the decision: what it was, and who took part in it.
func evidenceLines(o *nir.Origin) []string {
	var lines []string
	if r := o.Request; r != nil {
		lines = append(lines, tracedRequest(r)...)
	}
	if t := o.Transfer; t != nil {
		lines = append(lines, fmt.Sprintf("transfer\tof %s, from %s to %s (%s)%s", t.Line, t.Source, t.Destination, t.Type, because(t.Reason)),
			fmt.Sprintf("submitted\t%s by %s", instant(t.Made), t.Submitter), "carried out\t"+instant(t.Done))
	}
	if i := o.Import; i != nil {
		lines = append(lines, fmt.Sprintf("import\t%s of %s, serial %s", plain(i.File), i.Registry, i.Serial), "sha256\t"+i.SHA256)
		lines = append(lines, proposalLines(i.Proposal)...)
	}
	if p := o.Pool; p != nil {
		lines = append(lines, fmt.Sprintf("pool\t%s, which %s held before (APNIC-103, section 3.5)", p.Range, p.NIR), "its record\t"+recorded(p.Recorded))
	}
	return lines
}

func tracedRequest(r *nir.TracedRequest) []string {
	window := ""
	switch {
	case r.Act == nir.SecondOpinionAct:
		window = ", above the window of " + string(r.Window) + ": a second opinion"
	case r.Window != "":
		window = ", within the window of " + string(r.Window)
	}
	name := r.Ref
	if r.NIR != "" {
		name = r.NIR + "/" + r.Ref
	}
	lines := []string{fmt.Sprintf("request\t%s for %s of %s%s", name, r.Size, r.Kind, window), fmt.Sprintf("submitted\t%s by %s", instant(r.Submitted), r.Submitter)}
	for _, s := range r.Steps {
		lines = append(lines, fmt.Sprintf("step %d\t%s by %s: %s%s", s.N, instant(s.Made), s.Author, s.Verdict, because(firstLine(s.Text))))
	}
	return append(append(lines, proposalLines(r.Proposal)...), "state\t"+r.State)
}

// firstLine is what a table shows of a text; --json has all of it.
func firstLine(text string) string {
	text, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if rest != "" {
		text += " …"
	}
	return text
}

func proposalLines(p *nir.TracedProposal) []string {
	if p == nil {
		return nil
	}
	lines := []string{fmt.Sprintf("proposed\t%s by %s, proposal %.12s%s", instant(p.Made), p.Proposer, p.Hash, because(firstLine(p.Reason)))}
	for _, s := range p.Approvals {
		lines = append(lines, fmt.Sprintf("signed\t%s by %s, %s, key %s", instant(s.Made), s.Signer, s.Role, s.Key))
	}
	return lines
}
