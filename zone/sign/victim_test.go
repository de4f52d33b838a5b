package sign

import (
	"bytes"
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"nirzone/zone"
)

// A victim is a zone to be spoiled.
type victim struct {
	t    *testing.T
	z    *zone.Zone
	keys []Key
	s    *Signed
}

func newVictim(t *testing.T, alg uint8, count int) *victim {
	t.Helper()
	z, keys := testZone(t, testName, count), testKeys(t, testName, alg)
	v := &victim{t, z, keys, mustSign(t, z, keys, Prior{}, testNow)}
	if err := v.verify(); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *victim) verify() error {
	_, err := Verify(context.Background(), v.s, v.z, v.keys, testNow)
	return err
}

// lines returns the file line by line, each with its end.
func (v *victim) lines() []string {
	return slices.Collect(strings.Lines(string(fileOf(v.s))))
}

// file puts a new text in place, with the size and digest that it has: nothing
// but the content is wrong.
func (v *victim) file(parts ...[]byte) *victim {
	s := *v.s
	s.text = parts
	s.seal()
	w := *v
	w.s = &s
	return &w
}

func (v *victim) with(lines []string) *victim {
	text := strings.Join(lines, "")
	return v.file([]byte(strings.TrimSuffix(text, "\n") + "\n"))
}

// find returns the line of an owner (relative to the zone, @ for the apex) and
// type; for RRSIG the type is written RRSIG(NSEC), or RRSIG(NSEC) 13 for that by
// an algorithm.
func (v *victim) find(lines []string, owner, typ string) int {
	v.t.Helper()
	head := owner + "." + string(testName) + "\t"
	if owner == "@" {
		head = string(testName) + "\t"
	}
	covered := ""
	if c, ok := strings.CutPrefix(typ, "RRSIG("); ok {
		typ, covered = "RRSIG", strings.Replace(c, ")", "", 1)+" "
	}
	i := slices.IndexFunc(lines, func(l string) bool {
		return strings.HasPrefix(l, head) && strings.Contains(l, "\tIN\t"+typ+"\t"+covered)
	})
	if i < 0 {
		v.t.Fatalf("no line %s %s", owner, typ)
	}
	return i
}

// A spoiling is a way to spoil a good zone. want is a part of what the verifier
// says of it, or several such parts with | between them.
type spoiling struct {
	name, want string
	spoil      spoiler
}

// refuses spoils the zone in each of the ways, and expects the verifier to say
// what it was.
func (v *victim) refuses(ways []spoiling) {
	for _, c := range ways {
		v.t.Run(c.name, func(t *testing.T) { v.refuse(t, c.spoil, c.want) })
	}
}

func (v *victim) refuse(t *testing.T, spoil spoiler, want string) {
	t.Helper()
	if err := v.with(spoil(v.lines())).verify(); err == nil || !matchesOne(err.Error(), want) {
		t.Errorf("the error %v does not say %q", err, want)
	}
}

func matchesOne(text, wants string) bool {
	return slices.ContainsFunc(strings.Split(wants, "|"), func(w string) bool { return strings.Contains(text, w) })
}

type spoiler = func(l []string) []string

func (v *victim) edit(owner, typ string, f func(string) string) spoiler {
	return func(l []string) []string {
		i := v.find(l, owner, typ)
		was := l[i]
		if l[i] = f(was); l[i] == was {
			v.t.Fatalf("editing %q changed nothing", was)
		}
		return l
	}
}

func (v *victim) replace(owner, typ, old, text string) spoiler {
	return v.edit(owner, typ, func(s string) string { return strings.Replace(s, old, text, 1) })
}

func (v *victim) drop(owner, typ string) spoiler {
	return v.edit(owner, typ, func(string) string { return "" })
}

func (v *victim) twice(owner, typ string) spoiler {
	return v.edit(owner, typ, func(s string) string { return s + s })
}

// insert adds a line after another.
func (v *victim) insert(owner, typ, line string) spoiler {
	return v.edit(owner, typ, func(s string) string { return s + line })
}

// flip changes one bit of a signature.
func (v *victim) flip(owner, typ string) spoiler {
	return v.edit(owner, typ, func(s string) string {
		i := strings.LastIndexByte(s, ' ') + 1
		sig, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s[i:]))
		must(v.t, err)
		sig[40] ^= 4
		return s[:i] + base64.StdEncoding.EncodeToString(sig) + "\n"
	})
}

func flipHex(s string) string {
	i := len(s) - 2
	return s[:i] + string("0123456789ABCDEF"[strings.IndexByte("1032547698BADCFE", s[i])]) + s[i+1:]
}

// extraSignature adds a good signature by the ZSK where none belongs.
func (v *victim) extraSignature(owner string, typ zone.Type) spoiler {
	return func(l []string) []string {
		name := testName
		if owner != "@" {
			name = zone.Name(owner + "." + string(testName))
		}
		sg, err := newSigning(v.z, v.keys, v.s.policy, testNow)
		must(v.t, err)
		w := sg.writer(nil)
		w.enter(name)
		ttl, wire := uint32(86400), []byte(nil)
		for _, e := range v.z.Entries {
			if e.Name == name && e.Type == typ {
				wire = appendRecord(wire, w.owner, typ, ttl, e.Data)
			}
		}
		if typ == zone.TypeDNSKEY {
			ttl = 3600
			for _, d := range sg.apexSets(0)[3].data {
				wire = appendRecord(wire, w.owner, typ, ttl, d)
			}
		}
		sig, err := w.sign(nil, w.keys[0], typ, ttl, wire)
		must(v.t, err)
		line := string(appendRRSIG(appendHead(nil, string(name), ttl, zone.TypeRRSIG), sig, string(testName))) + "\n"
		at := v.find(l, owner, typ.String())
		for strings.HasPrefix(l[at], string(name)+"\t") && !strings.Contains(l[at], "\tNSEC\t") && !(strings.Contains(l[at], "\tRRSIG\t") && typ != zone.TypeDNSKEY) {
			at++
		}
		if typ == zone.TypeDNSKEY { // in canonical order among the RRSIGs
			if at = v.find(l, "@", "RRSIG(DNSKEY)"); v.keys[1].Tag > v.keys[0].Tag {
				at++
			}
		}
		return slices.Insert(l, at, line)
	}
}

// resigned spoils a set and signs it again, by the key that should.
func (v *victim) resigned(owner, typ string, spoil spoiler) spoiler {
	return func(l []string) []string {
		l = spoil(l)
		l[v.find(l, owner, "RRSIG("+typ+")")] = v.rrsig(l, owner, zone.Type(dns.StringToType[typ]), v.keys[1])
		return l
	}
}

func (v *victim) foreignKey(k Key) spoiler {
	return func(l []string) []string {
		a := &apexPart{w: &writer{s: &signing{z: v.z}}}
		line := string(a.appendSet(nil, set{typ: zone.TypeDNSKEY, ttl: 3600, data: [][]byte{k.rdata()}}, 0))
		first := v.find(l, "@", "DNSKEY")
		l = slices.Insert(l, first, line)
		slices.SortFunc(l[first:first+3], func(a, b string) int { return bytes.Compare(packLine(a), packLine(b)) })
		return l
	}
}

func packLine(line string) []byte {
	rr, _ := dns.NewRR(line)
	buf := make([]byte, 4096)
	n, _ := dns.PackRR(rr, buf, 0, nil, false)
	return buf[:n]
}

// sameTag returns another public key with the tag of k, later in canonical
// order: the tag is a sum of 16-bit words, so two of them may change places. The
// point is off the curve.
func sameTag(k Key) Key {
	p := slices.Clone(k.Public)
	for i := 2; bytes.Compare(p, k.Public) <= 0; i += 2 {
		p = slices.Clone(k.Public)
		p[0], p[1], p[i], p[i+1] = p[i], p[i+1], p[0], p[1]
	}
	k.Public = p
	return k
}
