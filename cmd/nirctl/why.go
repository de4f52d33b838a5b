package main

import (
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

func whyCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "why NAME", Short: "Explain why a name is, or is not, in a published zone",
		Long: `Why shows what is published at a name of the reverse tree, who said so and
where: source, file and line, digest, signer and time; and every other source
that spoke of the name, with what became of it. NAME is a name, an address or a
prefix. The answer is computed again from the published generation's inputs.`,
		Example: "  nirctl why 28.12.202.in-addr.arpa\n  nirctl why 202.12.28.0/24\n  nirctl why 202.12.28.7",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.why(args[0]) },
	}
}

// An answer is the result of "why".
type answer struct {
	Version    int           `json:"version"`
	Name       zone.Name     `json:"name"`
	Prefix     string        `json:"prefix,omitempty"`
	Zone       zone.Name     `json:"zone"`
	Generation uint64        `json:"generation"`
	Serial     zone.Serial   `json:"serial"`
	Built      time.Time     `json:"built"`
	Published  []statement   `json:"published"` // what is in the zone at the name
	Above      []statement   `json:"above,omitempty"`
	Said       []statement   `json:"said"` // what the sources say of the name, published or not
	Claimed    []string      `json:"claimed_by"`
	Notices    []zone.Notice `json:"notices,omitempty"`
}

// A statement is one record with where it was read.
type statement struct {
	Record string    `json:"record"`
	Source string    `json:"source"`
	File   string    `json:"file"`
	Line   int       `json:"line"`
	SHA256 string    `json:"sha256"`
	Signer string    `json:"signer,omitempty"`
	Seen   time.Time `json:"seen,omitzero"`
	Kept   string    `json:"kept,omitempty"` // code of the notice because of which it stands
	owner  zone.Name
}

func (a *app) why(arg string) error {
	cfg, g, err := a.published()
	if err != nil {
		return err
	}
	name, err := nameOf(arg)
	if err != nil {
		return err
	}
	ans, err := explain(cfg, g, name)
	if err != nil {
		return err
	}
	if a.json {
		err = a.encode(ans)
	} else {
		ans.write(a.Stdout)
	}
	if err == nil && len(ans.Published) == 0 {
		return &shell.Exit{Code: notFound}
	}
	return err
}

// nameOf reads a name, a prefix, or an address: then the /24, or the /64's
// nibbles, that it lies in.
func nameOf(s string) (zone.Name, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		n, err := zone.ReverseName(p.Masked())
		if err != nil {
			return "", shell.Usage(err, "")
		}
		return n, nil
	}
	if ip, err := netip.ParseAddr(s); err == nil {
		bits := 24
		if ip.Is6() {
			bits = 64
		}
		p, _ := ip.Prefix(bits)
		return zone.ReverseName(p)
	}
	n, err := zone.ParseName(strings.ToLower(s))
	if err != nil {
		return "", shell.Usage(err, "nirctl why 28.12.202.in-addr.arpa")
	}
	return n, nil
}

// explain computes the zone again that holds the name, and looks the name up in
// it and in everything the zone was made of.
func explain(cfg *zone.Config, g *zone.Generation, name zone.Name) (*answer, error) {
	gz := zoneOf(g, name)
	if gz == nil {
		return nil, &shell.Exit{Code: notFound, Err: fmt.Errorf("%s is in no published zone", name), Hint: "zonebuild plan"}
	}
	group := cfg.Group(gz.Zone)
	if group == nil {
		return nil, fmt.Errorf("%s is published, but in no [[zones]] group of the configuration", gz.Zone.File())
	}
	read := shell.Archive(cfg)
	data, err := read(gz.Claims)
	if err != nil {
		return nil, fmt.Errorf("reading the claims: %w", err)
	}
	claims, err := zone.ParseClaims("claims", data)
	if err != nil {
		return nil, err
	}
	z, frags, notices, err := gz.Replay(group.Apex(gz.Zone), cfg.RIR, claims, read, cfg.ParseOptions)
	if err != nil {
		return nil, err
	}
	a := &answer{
		Version: 1, Name: name, Zone: gz.Zone, Generation: g.Number, Serial: gz.Serial, Built: g.Time,
		Published: []statement{}, Said: []statement{}, Claimed: []string{},
	}
	a.fromZone(z)
	for i, f := range frags {
		a.fromFragment(f, gz.Inputs[i])
	}
	a.claims(claims)
	a.notices(notices, g)
	return a, nil
}

// zoneOf returns the published zone that holds the name.
func zoneOf(g *zone.Generation, name zone.Name) *zone.GenerationZone {
	for n := name; ; n = n.Parent() {
		if z := g.Zone(n); z != nil || n == zone.Root {
			return z
		}
	}
}

func (a *answer) fromZone(z *zone.Zone) {
	for _, e := range z.Entries {
		if !a.Name.Within(e.Name) {
			continue
		}
		in := z.Inputs[e.Input]
		s := statement{
			Record: e.String(), Source: in.Source, File: in.File, Line: int(e.Line), SHA256: in.SHA256,
			Signer: in.Signer, Seen: in.Seen, Kept: e.Kept, owner: e.Name,
		}
		if e.Name == a.Name {
			a.Published = append(a.Published, s)
		} else {
			a.Above = append(a.Above, s)
		}
	}
}

func (a *answer) fromFragment(f *zone.Fragment, in zone.Input) {
	for _, l := range f.Records {
		if l.Name == a.Name {
			a.Said = append(a.Said, statement{
				Record: l.String(), Source: f.Source, File: f.File, Line: int(l.Line), SHA256: in.SHA256,
				Signer: in.Signer, Seen: in.Seen, owner: l.Name,
			})
		}
	}
}

func (a *answer) claims(c *zone.Claims) {
	p, ok := a.Name.Prefix()
	if !ok {
		return
	}
	a.Prefix = p.String()
	for _, claim := range c.All() {
		if claim.Prefix.Overlaps(p) {
			a.Claimed = append(a.Claimed, claim.Source+" "+claim.Prefix.String())
		}
	}
}

// notices takes what is said of the name, with the time since it holds.
func (a *answer) notices(list []zone.Notice, g *zone.Generation) {
	for _, n := range list {
		if n.Name == a.Name {
			a.Notices = append(a.Notices, n)
		}
	}
	for _, n := range g.Notices {
		if n.Zone == a.Zone && n.Name == "" && strings.HasPrefix(n.Code, "held-") {
			a.Notices = append(a.Notices, n.Notice)
		}
	}
}

func (a *answer) write(w io.Writer) {
	title := a.Name.String()
	if a.Prefix != "" {
		title += " (" + a.Prefix + ")"
	}
	fmt.Fprintf(w, "%s in zone %s, generation %d of %s, serial %d\n", title, a.Zone.File(), a.Generation, a.Built.Format(time.RFC3339), a.Serial)
	switch {
	case len(a.Published) > 0:
		fmt.Fprintf(w, "\n%s\n", shell.Paint(w, shell.Good, "published"))
		writeStatements(w, a.Published)
	case len(a.Above) > 0:
		fmt.Fprintf(w, "\n%s: %s is delegated, so everything below it is answered there\n", shell.Paint(w, shell.Care, "not in this zone"), a.Above[0].owner)
		writeStatements(w, a.Above)
	default:
		fmt.Fprintf(w, "\n%s\n", shell.Paint(w, shell.Bad, "not published"))
	}
	a.writeOthers(w)
	if a.Prefix != "" {
		fmt.Fprintf(w, "\nclaims over it: %s\n", strings.Join(append(a.Claimed, "none")[:max(1, len(a.Claimed))], ", "))
	}
	if len(a.Notices) > 0 {
		fmt.Fprintln(w, "\nnotices")
		for _, n := range a.Notices {
			fmt.Fprintln(w, "  "+n.String())
		}
	}
}

// writeOthers shows what was said of the name and is not what is published.
func (a *answer) writeOthers(w io.Writer) {
	published := map[string]bool{}
	for _, s := range a.Published {
		published[fmt.Sprint(s.SHA256, s.Line)] = true
	}
	var others []statement
	for _, s := range a.Said {
		if !published[fmt.Sprint(s.SHA256, s.Line)] {
			others = append(others, s)
		}
	}
	if len(others) > 0 {
		fmt.Fprintf(w, "\n%s\n", shell.Paint(w, shell.Care, "also said, and not published"))
		writeStatements(w, others)
	}
}

// writeStatements shows records, and below them, once a file, where they are
// from.
func writeStatements(w io.Writer, list []statement) {
	for _, s := range list {
		fmt.Fprintf(w, "  %s\n", s.Record)
	}
	last := ""
	for _, s := range list {
		if s.SHA256 == last {
			continue
		}
		last = s.SHA256
		fmt.Fprintf(w, "    source   %s\n", s.Source)
		fmt.Fprintf(w, "    file     %s\n", places(list, s.SHA256))
		fmt.Fprintf(w, "    sha256   %s\n", s.SHA256)
		if s.Signer != "" {
			fmt.Fprintf(w, "    signer   %s\n", s.Signer)
		}
		if !s.Seen.IsZero() {
			fmt.Fprintf(w, "    fetched  %s\n", s.Seen.Format(time.RFC3339))
		}
		if s.Kept != "" {
			fmt.Fprintf(w, "    %s\n", shell.Paint(w, shell.Care, "stands    although the source does not say it now: "+s.Kept))
		}
	}
}

// places lists file:line of all statements from one input.
func places(list []statement, sum string) string {
	var out []string
	for _, s := range list {
		if s.SHA256 == sum {
			out = append(out, fmt.Sprintf("%s:%d", filepath.Base(s.File), s.Line))
		}
	}
	return strings.Join(out, " ")
}
