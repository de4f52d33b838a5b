package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// diffSerial is a kind of difference that zones alone do not show: that the
// configured family would take the serial somewhere else.
const diffSerial = "serial"

// An adoptReport is the result of "adopt". Hash covers, for every zone, what
// would differ from what is served, what stands without a source, and the keys:
// not the serials and the times of signatures, which go on while a person
// thinks.
type adoptReport struct {
	Version int         `json:"version"`
	Hash    string      `json:"hash"`
	Zones   []adoptZone `json:"zones"`
}

// An adoptZone is one zone of it.
type adoptZone struct {
	Zone        zone.Name         `json:"zone"`
	File        string            `json:"file"`
	Serial      zone.Serial       `json:"serial"`                // served
	NextSerial  zone.Serial       `json:"next_serial,omitempty"` // of the first generation
	Delegations int               `json:"delegations"`           // of the first generation
	Keys        []string          `json:"keys"`
	Remarks     []string          `json:"remarks,omitempty"`
	Blocks      []string          `json:"blocks,omitempty"`
	Differences []zone.Difference `json:"differences"` // of the first generation from what is served
	Standing    []zone.Name       `json:"standing"`    // delegations that no source asserts
	Next        zone.Delta        `json:"next"`        // what the run after would change
	Expires     time.Time         `json:"expires,omitzero"`
	Advice      []string          `json:"advice,omitempty"` // lines of the configuration that keep what is served
}

func newAdoptReport(jobs []*job) *adoptReport {
	r := &adoptReport{Version: 1}
	for _, j := range jobs {
		r.Zones = append(r.Zones, j.adopted.plan)
	}
	h := sha256.New()
	fmt.Fprintf(h, "nirzone adoption 1\n")
	for _, z := range r.Zones {
		z.hash(h)
	}
	r.Hash = hex.EncodeToString(h.Sum(nil))
	return r
}

func (z *adoptZone) hash(w io.Writer) {
	fmt.Fprintf(w, "zone %q %q\n", z.Zone, z.Keys)
	for _, d := range z.Differences {
		if d.Kind != zone.DiffSignatures {
			fmt.Fprintf(w, "%q %q\n", d.Kind, d.Lines)
		}
	}
	fmt.Fprintf(w, "standing %q\n", z.Standing)
}

// compare fills in what differs, and what must not.
func (z *adoptZone) compare(served, ours *zone.Served, g *zone.Group, now time.Time) {
	z.Differences = append([]zone.Difference{}, zone.CompareServed(served, ours)...)
	if f := zone.GuessFamily(served.Serial, now); f != g.SOA.Family {
		z.Differences = append(z.Differences, zone.Difference{Kind: diffSerial, Count: 1, Lines: []string{
			fmt.Sprintf("looks like a %s, the configuration says %q", f, g.SOA.Family),
		}})
	}
	z.Expires = served.Signatures.Expires
	if served.Signatures.Count > 0 && !now.Before(z.Expires) {
		z.Remarks = append(z.Remarks, fmt.Sprintf("a signature of what is served ended on %s", stamp(z.Expires)))
	}
	z.checkSigners(served, ours)
	z.advise(served, g)
}

// checkSigners blocks what a validator with what is served in its cache would
// find bogus: a signature by a key that the cached DNSKEY set lacks, or a new
// DNSKEY set without a key that cached signatures, or a DS, rest on.
func (z *adoptZone) checkSigners(served, ours *zone.Served) {
	before, after := served.KeyTags(), ours.KeyTags()
	if len(before) == 0 {
		return // unsigned until now
	}
	for _, by := range ours.Signatures.By {
		if !slices.Contains(before, by.KeyID()) {
			z.Blocks = append(z.Blocks, fmt.Sprintf("key %d would sign and is not in the served DNSKEY set, which caches hold for its TTL; take it out of the keys folder and roll to it later", by.Tag))
		}
	}
	for _, by := range served.Signatures.By {
		if !slices.Contains(after, by.KeyID()) && !slices.ContainsFunc(z.Blocks, func(s string) bool { return strings.Contains(s, fmt.Sprintf("key %d ", by.Tag)) }) {
			z.Blocks = append(z.Blocks, fmt.Sprintf("key %d made signatures that caches hold and would leave the DNSKEY set", by.Tag))
		}
		signs := slices.ContainsFunc(ours.Signatures.By, func(o zone.ServedSigner) bool { return o.KeyID() == by.KeyID() && o.Keys > 0 })
		if by.Keys > 0 && by.Zone == 0 && slices.Contains(after, by.KeyID()) && !signs {
			z.Blocks = append(z.Blocks, fmt.Sprintf("key %d signs the served DNSKEY set and would not sign the next one, although the parent's DS may name it", by.Tag))
		}
	}
}

// advise says how to keep settings as they are served, in lines that are a piece of
// the configuration: [signing], and the zone's own [[zones]] group as a whole, so
// that it can be put in place of what is there.
func (z *adoptZone) advise(served *zone.Served, g *zone.Group) {
	if lines := z.signingAdvice(served); len(lines) > 0 {
		z.Advice = append(append(z.Advice, "[signing]"), lines...)
	}
	ttls := z.differs(zone.DiffTTL) && !g.TTL.FromSource && commonTTL(served, g.TTL.Fixed) != g.TTL.Fixed
	if z.differs(zone.DiffSOA) || z.differs(diffSerial) || z.differs(zone.DiffApexNS) || ttls {
		z.Advice = append(z.Advice, z.groupAdvice(served, g)...)
	}
}

func (z *adoptZone) differs(kind string) bool {
	return slices.ContainsFunc(z.Differences, func(d zone.Difference) bool { return d.Kind == kind })
}

func (z *adoptZone) signingAdvice(served *zone.Served) []string {
	var lines []string
	if i := slices.IndexFunc(served.Records, func(r zone.Record) bool { return r.Type == zone.TypeDNSKEY && r.Name == served.Origin }); i >= 0 && z.differs(zone.DiffTTL) {
		lines = append(lines, fmt.Sprintf("dnskey_ttl = %d", served.Records[i].TTL))
	}
	if z.differs(zone.DiffDenial) && strings.HasPrefix(served.Denial, "NSEC3") {
		lines = append(lines, `denial = "nsec3"   # without salt and iterations (RFC 9276)`)
	}
	return lines
}

// groupAdvice is the zone's group as it is served. What a zone does not tell, it
// has from g.
func (z *adoptZone) groupAdvice(served *zone.Served, g *zone.Group) []string {
	names := []string{}
	for _, r := range served.Records {
		if r.Name == served.Origin && r.Type == zone.TypeNS {
			names = append(names, fmt.Sprintf("%q", r.Text()))
		}
	}
	s, family := served.SOA, g.SOA.Family
	if z.differs(diffSerial) {
		family = zone.GuessFamily(served.Serial, served.Signatures.Newest)
	}
	ttl := []string{fmt.Sprintf("ttl = %d", commonTTL(served, g.TTL.Fixed))}
	if g.TTL.FromSource {
		ttl = []string{`ttl = "source"`, fmt.Sprintf("ttl_min = %d", g.TTL.Min), fmt.Sprintf("ttl_max = %d", g.TTL.Max)}
	}
	lines := []string{"[[zones]]", fmt.Sprintf("names = [%q]", z.Zone.File()), "ns = [" + strings.Join(names, ", ") + "]"}
	return append(append(lines, ttl...),
		fmt.Sprintf("soa = { mname = %q, rname = %q, refresh = %d, retry = %d, expire = %d, minimum = %d, ttl = %d, serial = %q }",
			s.MName, s.RName, s.Refresh, s.Retry, s.Expire, s.Minimum, s.TTL, family))
}

// commonTTL returns the TTL that most NS records have, without any the one given.
func commonTTL(served *zone.Served, without uint32) uint32 {
	count := map[uint32]int{}
	for _, r := range served.Records {
		if r.Type == zone.TypeNS {
			count[r.TTL]++
		}
	}
	if len(count) == 0 {
		return without
	}
	best := uint32(0)
	for ttl, n := range count {
		if n > count[best] || n == count[best] && ttl > best {
			best = ttl
		}
	}
	return best
}

// blocked is an error if a zone cannot be taken over as it is.
func (r *adoptReport) blocked() error {
	n := 0
	for _, z := range r.Zones {
		if len(z.Blocks) > 0 {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return &shell.Exit{Code: 1, Err: fmt.Errorf("%d of %s cannot be taken over as served; nothing was published", n, countOf(len(r.Zones), "1 zone", "%d zones")), Hint: "the plan says why"}
}

// command is what a person types to show the plan, or with a hash to do it.
func (c *adoptCall) command(hash string) string {
	words := []string{"zonebuild adopt"}
	for _, p := range c.paths {
		words = append(words, shell.Quote(p))
	}
	if c.keys != "" {
		words = append(words, "--keys", shell.Quote(c.keys))
	}
	for _, t := range c.drop {
		words = append(words, "--drop-key", t)
	}
	if hash != "" {
		words = append(words, "--accept", hash)
	}
	return strings.Join(words, " ")
}

// shownLines bounds the examples of one kind in the text; the JSON has all.
const shownLines = 5

func (r *adoptReport) write(w io.Writer, call *adoptCall) {
	t := shell.Table{Header: []string{"zone", ">served", ">next", ">delegations", ">differences", ">standing", ">keys"}}
	for _, z := range r.Zones {
		n := 0
		for _, d := range z.Differences {
			n += d.Count
		}
		next := fmt.Sprint(z.NextSerial)
		if len(z.Blocks) > 0 {
			next = shell.Paint(w, shell.Bad, "blocked")
		}
		t.Add(z.Zone.File(), fmt.Sprint(z.Serial), next, itoa(z.Delegations), itoa(n), itoa(len(z.Standing)), itoa(len(z.Keys)))
	}
	t.Render(w)
	for i := range r.Zones {
		r.Zones[i].write(w)
	}
	if r.blocked() == nil {
		fmt.Fprintf(w, "\nto take over %s so: %s\n", countOf(len(r.Zones), "1 zone", "%d zones"), call.command(r.Hash[:12]))
	}
}

func (z *adoptZone) write(w io.Writer) {
	fmt.Fprintf(w, "\n%s, signed by %s\n", z.Zone.File(), cmp.Or(strings.Join(z.Keys, ", "), "nobody"))
	for _, s := range z.Blocks {
		fmt.Fprintln(w, " ", shell.Paint(w, shell.Bad, "blocked:"), s)
	}
	if len(z.Differences) == 0 && len(z.Blocks) == 0 {
		fmt.Fprintln(w, "  the first generation differs from what is served in serial and signatures alone")
	}
	for _, d := range z.Differences {
		fmt.Fprintf(w, "  %s: %d\n", shell.Paint(w, shell.Care, d.Kind), d.Count)
		writeSome(w, d.Lines)
	}
	if len(z.Advice) > 0 {
		fmt.Fprintf(w, "  to keep them as they are served, write in the configuration (a zone stands in one group: take %s out of the other):\n", z.Zone.File())
		for _, s := range z.Advice {
			fmt.Fprintln(w, "   ", s)
		}
	}
	for _, s := range z.Remarks {
		fmt.Fprintln(w, "  note:", s)
	}
	if len(z.Standing) > 0 {
		fmt.Fprintf(w, "  %s: %d that no source asserts; they stay until one does, or until a person accepts their loss: zonebuild held\n", shell.Paint(w, shell.Care, "standing"), len(z.Standing))
		var names []string
		for _, n := range z.Standing {
			names = append(names, n.String())
		}
		writeSome(w, names)
	}
	if !z.Next.Empty() {
		fmt.Fprintf(w, "  the run after it would change, through the gates: %s\n", z.Next.Summary())
		var lines []string
		for _, c := range z.Next.Changes {
			lines = append(lines, c.String())
		}
		writeSome(w, lines)
	}
}

func writeSome(w io.Writer, lines []string) {
	for i, l := range lines {
		if i == shownLines {
			fmt.Fprintf(w, "    … and %d more; --json shows all\n", len(lines)-i)
			return
		}
		fmt.Fprintln(w, "   ", l)
	}
}
