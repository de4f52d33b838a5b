package zone

import (
	"slices"
	"strings"
)

// A glueTable holds the addresses of a zone by host, as [NSData] names it, each
// as "A ns1.28.12.202.in-addr.arpa. 192.0.2.1", with the source they are from.
// It is nearly always empty: few name servers lie inside the zone.
type glueTable map[Data]hostGlue

type hostGlue struct {
	source string
	texts  []string
}

func glueOf(z *Zone) glueTable {
	if z == nil {
		return nil
	}
	var t glueTable
	for i := range z.Entries {
		if e := &z.Entries[i]; isAddress(e.Record) {
			if t == nil {
				t = glueTable{}
			}
			key := NSData(e.Name)
			t[key] = hostGlue{z.input(*e).Source, append(t[key].texts, e.Type.String()+" "+string(e.Name)+" "+e.Text())}
		}
	}
	return t
}

// moved returns the hosts whose addresses differ, with the source that had them,
// or has them now.
func (t glueTable) moved(next glueTable) map[Data]string {
	hosts := map[Data]string{}
	for host, g := range next {
		hosts[host] = g.source
	}
	for host, g := range t {
		if hosts[host] = g.source; slices.Equal(g.texts, next[host].texts) {
			delete(hosts, host)
		}
	}
	return hosts
}

// of returns the addresses that a delegation rests on or brings along: those of
// its name servers, wherever in the zone they lie, and those below it.
func (t glueTable) of(es []Entry) []string {
	if len(t) == 0 {
		return nil
	}
	var out []string
	var hosts []Data
	add := func(host Data) {
		if g, ok := t[host]; ok && !slices.Contains(hosts, host) {
			hosts, out = append(hosts, host), append(out, g.texts...)
		}
	}
	for i := range es {
		if es[i].Type == TypeNS {
			add(es[i].Data)
		}
	}
	for i := range es {
		if isAddress(es[i].Record) {
			add(NSData(es[i].Name))
		}
	}
	return out
}

// gatedSource returns the source of what an owner has that can be lost: an NS set
// or an alias of RFC 2317. It is false if it has neither.
func gatedSource(z *Zone, es []Entry) (source string, ok, alias bool) {
	for i := range es {
		if es[i].Type == TypeNS || es[i].Type == TypeCNAME {
			return z.input(es[i]).Source, true, es[i].Type == TypeCNAME
		}
	}
	return "", false, false
}

// unitOf returns what an owner counts as: the single addresses of a /24, whose
// aliases come and go together (RFC 2317), count as that /24.
func unitOf(n Name) Name {
	if strings.Count(string(n), ".") != 6 {
		return n // the cheap half of the question
	}
	if p, ok := n.Prefix(); ok && p.Addr().Is4() && p.Bits() == 32 {
		return n.Parent()
	}
	return n
}

func hasDS(es []Entry) bool {
	return slices.ContainsFunc(es, func(e Entry) bool { return e.Type == TypeDS })
}

// sameSets reports whether two versions of an owner have the same NS, DS and
// CNAME records.
func sameSets(a, b []Entry) bool {
	i, j := 0, 0
	for {
		i, j = nextInSet(a, i), nextInSet(b, j)
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if a[i].Type != b[j].Type || a[i].Data != b[j].Data {
			return false
		}
		i, j = i+1, j+1
	}
}

func nextInSet(es []Entry, i int) int {
	for i < len(es) && (es[i].Type != TypeNS && es[i].Type != TypeDS && es[i].Type != TypeCNAME || es[i].Name != es[0].Name) {
		i++
	}
	return i
}

// setTexts writes the records of an owner of the types given.
func setTexts(es []Entry, types ...Type) []string {
	var out []string
	for i := nextInSet(es, 0); i < len(es); i = nextInSet(es, i+1) {
		if slices.Contains(types, es[i].Type) {
			out = append(out, es[i].Type.String()+" "+es[i].Text())
		}
	}
	return out
}

// nsTexts writes what a delegation leads to: its NS records with the glue they
// rest on, or its CNAME.
func nsTexts(es []Entry, glue glueTable) []string {
	return append(setTexts(es, TypeNS, TypeCNAME), glue.of(es)...)
}

func dsTexts(es []Entry) []string { return setTexts(es, TypeDS) }

// allTexts writes all that an owner has.
func allTexts(es []Entry, glue glueTable) []string {
	return append(nsTexts(es, glue), dsTexts(es)...)
}
