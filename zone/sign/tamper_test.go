package sign

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

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

func (v *victim) lines() []string {
	return strings.SplitAfter(strings.TrimSuffix(string(fileOf(v.s)), "\n"), "\n")
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

// TestTamper spoils a good zone in every way that a signer, an HSM, a disk or
// a person might, and expects the verifier to say what it was.
func TestTamper(t *testing.T) {
	v := newVictim(t, algECDSA, 420)
	for _, c := range []struct {
		name, want string
		spoil      func(l []string) []string
	}{
		{"signature over NSEC", "does not verify", v.flip("3.0", "RRSIG(NSEC)")},
		{"signature over DS", "does not verify", v.flip("3.0", "RRSIG(DS)")},
		{"signature over SOA", "does not verify", v.flip("@", "RRSIG(SOA)")},
		{"signature over DNSKEY", "does not verify", v.flip("@", "RRSIG(DNSKEY)")},
		{"signature over ZONEMD", "does not verify", v.flip("@", "RRSIG(ZONEMD)")},
		{"signature over CNAME", "does not verify", v.flip("1.254.254", "RRSIG(CNAME)")},
		{"signature cut short", "does not verify", v.edit("3.0", "RRSIG(DS)", func(s string) string { return s[:len(s)-9] + "AAA=\n" })},
		{"missing RRSIG over NSEC", "0 signatures instead of 1", v.drop("3.0", "RRSIG(NSEC)")},
		{"missing RRSIG over DS", "0 signatures instead of 1", v.drop("3.0", "RRSIG(DS)")},
		{"missing RRSIG over SOA", "0 signatures instead of 1", v.drop("@", "RRSIG(SOA)")},
		{"missing RRSIG over DNSKEY", "0 signatures instead of 1", v.drop("@", "RRSIG(DNSKEY)")},
		{"RRSIG twice", "there twice", v.twice("3.0", "RRSIG(DS)")},
		{"RRSIG over delegation NS", "RRSIG over NS", v.extraSignature("4.0", zone.TypeNS)},
		{"RRSIG over glue", "below a delegation", v.extraSignature("ns.5.0", zone.TypeA)},
		{"RRSIG over address at a cut", "RRSIG over A", v.extraSignature("7.0", zone.TypeA)},
		{"DNSKEY signed by the ZSK too", "not to sign it now", v.extraSignature("@", zone.TypeDNSKEY)},
		{"RRSIG of another key", "not in the DNSKEY set", v.edit("3.0", "RRSIG(DS)", func(s string) string {
			return strings.Replace(s, " "+zoneTag(v.keys[1])+" ", " 1 ", 1)
		})},
		{"RRSIG by the KSK", "not to sign it now", v.edit("3.0", "RRSIG(DS)", func(s string) string {
			return strings.Replace(s, " "+zoneTag(v.keys[1])+" ", " "+zoneTag(v.keys[0])+" ", 1)
		})},
		{"RRSIG of another signer", "instead of the zone", v.replace("3.0", "RRSIG(DS)", " 202.in-addr.arpa. ", " 203.in-addr.arpa. ")},
		{"RRSIG labels", "labels", v.replace("3.0", "RRSIG(DS)", "DS 13 5 ", "DS 13 4 ")},
		{"RRSIG original TTL", "not the TTL of its set", v.replace("3.0", "RRSIG(DS)", "DS 13 5 86400", "DS 13 5 86401")},
		{"RRSIG TTL", "not the TTL of its set", v.replace("3.0", "RRSIG(DS)", "\t86400\t", "\t3600\t")},
		{"RRSIG algorithm", "not in the DNSKEY set", v.replace("3.0", "RRSIG(DS)", "DS 13 ", "DS 8 ")},
		{"wrong NSEC next", "points at 3.0", v.resigned("1.0", "NSEC", v.edit("1.0", "NSEC", func(s string) string { return strings.Replace(s, "\t10.0.", "\t3.0.", 1) }))},
		{"NSEC next is itself", "points at 1.0", v.resigned("1.0", "NSEC", v.replace("1.0", "NSEC", "\t10.0.", "\t1.0."))},
		{"NSEC chain through glue", "points at ns.5.0", v.resigned("5.0", "NSEC", v.edit("5.0", "NSEC", func(s string) string {
			return strings.Replace(s, "NSEC\t", "NSEC\tns.5.0.202.in-addr.arpa. NS RRSIG NSEC ;", 1)
		}))},
		{"apex NSEC next", "points at x.0.0.", v.resigned("@", "NSEC", v.replace("@", "NSEC", "NSEC\t", "NSEC\tx."))},
		{"last NSEC not closed", "not at the apex", v.resigned("ns.own", "NSEC", v.replace("ns.own", "NSEC", "NSEC\t", "NSEC\tzz."))},
		{"NSEC bitmap misses DS", "lists the types NS RRSIG NSEC instead of NS DS", v.replace("3.0", "NSEC", " NS DS RRSIG", " NS RRSIG")},
		{"NSEC bitmap claims DS", "instead of NS RRSIG NSEC", v.replace("4.0", "NSEC", " NS RRSIG", " NS DS RRSIG")},
		{"NSEC bitmap without RRSIG", "lists the types", v.replace("4.0", "NSEC", " RRSIG NSEC", " NSEC")},
		{"NSEC bitmap claims A at a cut", "lists the types", v.replace("7.0", "NSEC", " NS RRSIG", " A NS RRSIG")},
		{"apex NSEC bitmap", "lists the types", v.resigned("@", "NSEC", v.replace("@", "NSEC", " ZONEMD", ""))},
		{"NSEC bitmap claims A", "lists the types", v.resigned("4.0", "NSEC", v.replace("4.0", "NSEC", " NS RRSIG", " A NS RRSIG"))},
		{"NSEC bitmap of a CNAME", "lists the types", v.resigned("1.254.254", "NSEC", v.replace("1.254.254", "NSEC", " CNAME RRSIG", " RRSIG"))},
		{"changed DS, signed", "merged zone has", v.resigned("3.0", "DS", v.replace("3.0", "DS", "\t3 13 2 ", "\t3 12 2 "))},
		{"changed CNAME, signed", "merged zone has", v.resigned("1.254.254", "CNAME", v.replace("1.254.254", "CNAME", "\t1.0-3.", "\t2.0-3."))},
		{"missing NSEC", "0 NSEC records", v.drop("4.0", "NSEC")},
		{"NSEC twice", "there twice", v.twice("4.0", "NSEC")},
		{"NSEC TTL", "RFC 9077", v.replace("4.0", "NSEC", "\t3600\t", "\t86400\t")},
		{"NSEC at glue", "below a delegation", v.insert("ns.5.0", "AAAA", "ns.5.0.202.in-addr.arpa.\t3600\tIN\tNSEC\t202.in-addr.arpa. A RRSIG NSEC\n")},
		{"extra name", "not in the merged zone|merged zone has", v.insert("4.0", "NSEC", "40.0.202.in-addr.arpa.\t86400\tIN\tNS\tns.evil.example.\n")},
		{"extra NS", "merged zone has|order", v.insert("4.0", "NS", "4.0.202.in-addr.arpa.\t86400\tIN\tNS\tzz.evil.example.\n")},
		{"extra DS", "merged zone has|order", v.insert("4.0", "NS", "4.0.202.in-addr.arpa.\t86400\tIN\tDS\t1 13 2 "+strings.Repeat("AB", 32)+"\n")},
		{"extra TXT", "merged zone has|order", v.insert("4.0", "NS", "4.0.202.in-addr.arpa.\t86400\tIN\tTXT\tx\n")},
		{"extra glue", "merged zone has", v.insert("ns.5.0", "A", "ns.5.0.202.in-addr.arpa.\t86400\tIN\tA\t192.0.2.99\n")},
		{"dropped DS", "merged zone has", v.drop("3.0", "DS")},
		{"dropped NS", "merged zone has|is missing", v.drop("4.0", "NS")},
		{"dropped glue", "merged zone has", v.drop("ns.5.0", "A")},
		{"changed NS", "merged zone has|order", v.replace("4.0", "NS", "\tns0.", "\tns00.")},
		{"changed DS", "merged zone has|order", v.replace("3.0", "DS", " 13 2 ", " 14 2 ")},
		{"changed glue", "merged zone has", v.replace("ns.5.0", "A", "192.0.2.1", "192.0.2.2")},
		{"TTL of a delegation", "two TTLs|merged zone has", v.replace("4.0", "NS", "\t86400\t", "\t86399\t")},
		{"TTL of a DS set", "two TTLs|merged zone has", v.replace("3.0", "DS", "\t86400\t", "\t5\t")},
		{"upper case", "merged zone has|order", v.replace("4.0", "NS", "4.0.202.in", "4.0.202.IN")},
		{"class", "class", v.replace("4.0", "NS", "\tIN\t", "\tCH\t")},
		{"wrong serial", "serial 2026112101", v.replace("@", "SOA", "2026112100", "2026112101")},
		{"SOA timer", "not that of the merged zone", v.replace("@", "SOA", " 604800 ", " 604801 ")},
		{"SOA TTL", "not that of the merged zone", v.replace("@", "SOA", "\t86400\t", "\t86401\t")},
		{"no SOA", "does not begin with the zone's SOA", v.drop("@", "SOA")},
		{"second SOA", "2 SOA", v.edit("@", "SOA", func(s string) string { return s + strings.Replace(s, " 604800 ", " 604801 ", 1) })},
		{"SOA below the apex", "order|merged zone has", v.insert("4.0", "NS", "4.0.202.in-addr.arpa.\t86400\tIN\tSOA\ta. b. 1 2 3 4 5\n")},
		{"apex NS changed", "name servers", v.replace("@", "NS", "ns1.", "ns9.")},
		{"apex NS dropped", "name servers", v.drop("@", "NS")},
		{"apex has DS", "the apex has DS", v.insert("@", "NS", "202.in-addr.arpa.\t86400\tIN\tDS\t1 13 2 "+strings.Repeat("AB", 32)+"\n")},
		{"foreign DNSKEY", "none of the zone's keys", v.foreignKey(otherZSK(t))},
		{"DNSKEY with a taken tag", "two keys of the DNSKEY set have the tag", v.foreignKey(sameTag(v.keys[1]))},
		{"DNSKEY flags", "none of the zone's keys", v.replace("@", "DNSKEY", "\t25", "\t38")},
		{"DNSKEY TTL", "two TTLs|TTL", v.replace("@", "DNSKEY", "\t3600\t", "\t3601\t")},
		{"DNSKEY missing", "missing from the DNSKEY set", v.drop("@", "DNSKEY")},
		{"no ZONEMD", "RRSIG over ZONEMD", v.drop("@", "ZONEMD")},
		{"ZONEMD serial", "ZONEMD", v.replace("@", "ZONEMD", "2026112100 1 1", "2026112099 1 1")},
		{"ZONEMD scheme", "ZONEMD", v.replace("@", "ZONEMD", "2026112100 1 1", "2026112100 2 1")},
		{"ZONEMD digest", "RRSIG over ZONEMD", v.edit("@", "ZONEMD", func(s string) string { return flipHex(s) })},
		{"owners out of order", "order|merged zone has|is missing", func(l []string) []string {
			a, b := v.find(l, "3.0", "NS"), v.find(l, "4.0", "NS")
			return slices.Concat(l[:a], l[b:], l[a:b])
		}},
		{"records out of order", "order", func(l []string) []string {
			a := v.find(l, "3.0", "RRSIG(DS)")
			l[a], l[a+1] = l[a+1], l[a]
			return l
		}},
		{"delegation dropped whole", "missing|merged zone has", func(l []string) []string {
			return slices.DeleteFunc(l, func(s string) bool { return strings.HasPrefix(s, "4.0.202.") })
		}},
		{"last name dropped", "is missing", func(l []string) []string {
			last := l[len(l)-1][:strings.IndexByte(l[len(l)-1], '\t')]
			return slices.DeleteFunc(l, func(s string) bool { return strings.HasPrefix(s, last+"\t") })
		}},
		{"cut off", "is missing", func(l []string) []string { return l[:v.find(l, "2.1", "NS")] }},
		{"half a line", "", func(l []string) []string { return append(l[:len(l)-1], l[len(l)-1][:30]) }},
		{"directive", "directive", v.insert("4.0", "NS", "$TTL 5\n")},
		{"include", "directive", v.insert("4.0", "NS", "$INCLUDE /etc/passwd\n")},
		{"generate", "directive", v.insert("4.0", "NS", "$GENERATE 1-9 $ NS a.\n")},
		{"line without owner", "without an owner", v.insert("4.0", "NS", "\t86400\tIN\tNS\tzz.example.\n")},
		{"relative owner", "parsing", v.insert("4.0", "NS", "x\t86400\tIN\tNS\tzz.example.\n")},
		{"garbage", "parsing", v.insert("4.0", "NS", "4.0.202.in-addr.arpa.\t86400\tIN\tGARBAGE\tx\n")},
		{"name outside", "merged zone|order", func(l []string) []string {
			return append(l[:len(l)-1], l[len(l)-1]+"\n", "1.203.in-addr.arpa.\t86400\tIN\tNS\ta.example.\n")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines := v.lines()
			lines[len(lines)-1] += "\n"
			err := v.with(c.spoil(lines)).verify()
			if err == nil || !matchesOne(err.Error(), c.want) {
				t.Errorf("the error %v does not say %q", err, c.want)
			}
		})
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
		w := sg.writer()
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

// TestWrongDigestWellSigned: ZONEMD off by one bit, with a good signature.
func TestWrongDigestWellSigned(t *testing.T) {
	v := newVictim(t, algECDSA, 20)
	sg, err := newSigning(v.z, v.keys, v.s.policy, testNow)
	must(t, err)
	a, err := sg.startApex(v.s.facts.Serial)
	must(t, err)
	a.hash.Write([]byte{0})
	apex, err := a.finish(v.s.facts.Serial)
	must(t, err)
	err = v.file(append([][]byte{apex}, v.s.text[1:]...)...).verify()
	if err == nil || !strings.Contains(err.Error(), "RFC 8976, section 4") {
		t.Error(err)
	}
}

// TestOtherZone: a zone that is right in itself, but not what was merged.
func TestOtherZone(t *testing.T) {
	for what, change := range map[string]func(z *zone.Zone){
		"delegation dropped": func(z *zone.Zone) { z.Entries = z.Entries[2:] },
		"last dropped":       func(z *zone.Zone) { z.Entries = z.Entries[:len(z.Entries)-1] },
		"everything dropped": func(z *zone.Zone) { z.Entries = nil },
		"delegation added": func(z *zone.Zone) {
			z.Entries = append(z.Entries, entry("9.9.202.in-addr.arpa.", zone.TypeNS, zone.NSData("a.")))
			sortEntries(z)
		},
		"DS dropped": func(z *zone.Zone) {
			z.Entries = slices.DeleteFunc(z.Entries, func(e zone.Entry) bool { return e.Type == zone.TypeDS })
		},
		"glue dropped": func(z *zone.Zone) {
			z.Entries = slices.DeleteFunc(z.Entries, func(e zone.Entry) bool { return e.Type == zone.TypeAAAA })
		},
		"TTL": func(z *zone.Zone) {
			for i := range z.Entries {
				z.Entries[i].TTL = 7200
			}
		},
		"SOA":     func(z *zone.Zone) { z.SOA.Refresh++ },
		"minimum": func(z *zone.Zone) { z.SOA.Minimum++ },
		"apex NS": func(z *zone.Zone) { z.NS = z.NS[1:] },
		"NS TTL":  func(z *zone.Zone) { z.TTL.Fixed = 3600 },
	} {
		t.Run(what, func(t *testing.T) {
			v := newVictim(t, algEd25519, 30)
			other := testZone(t, testName, 30)
			change(other)
			v.s = mustSign(t, other, v.keys, Prior{}, testNow)
			if err := v.verify(); err == nil {
				t.Error("it was accepted")
			}
		})
	}
}

// TestOtherKeys: the DNSKEY set must be exactly the keys that should be in use.
func TestOtherKeys(t *testing.T) {
	v := newVictim(t, algECDSA, 3)
	good := v.keys
	extra := otherZSK(t)
	wrong := slices.Clone(good)
	wrong[1].Public = extra.Public
	for what, keys := range map[string][]Key{
		"none": nil, "no ZSK": good[:1], "no KSK": good[1:], "one more": append(slices.Clone(good), extra), "another": wrong,
		"one twice": append(slices.Clone(good), good[1]),
	} {
		if v.keys = keys; v.verify() == nil {
			t.Errorf("%s: it was accepted", what)
		}
	}
}

// TestOtherTimes: signatures count from their inception to before their end.
func TestOtherTimes(t *testing.T) {
	v := newVictim(t, algECDSA, 100)
	check := func(now time.Time) (*Verified, error) {
		return Verify(context.Background(), v.s, v.z, v.keys, now)
	}
	if _, err := check(v.s.facts.Expires); err == nil || !strings.Contains(err.Error(), "is valid from") {
		t.Errorf("at the end of the first signature: %v", err)
	}
	if _, err := check(testNow.Add(-15 * 24 * time.Hour)); err == nil || !strings.Contains(err.Error(), "is valid from") {
		t.Errorf("before the first signature: %v", err)
	}
	ok, err := check(v.s.facts.Expires.Add(-time.Second))
	if err != nil || len(ok.Notices()) != 1 || ok.Notices()[0].Severity != zone.Alarm {
		t.Errorf("a second before the end: %v, %v", ok, err)
	}
	if ok, err = check(testNow); err != nil || len(ok.Notices()) != 0 {
		t.Errorf("now: %v, %v", ok, err)
	}
}

// TestWrongFacts: what will be recorded must be true of the file.
func TestWrongFacts(t *testing.T) {
	for i, change := range []func(f *Facts){
		func(f *Facts) { f.Serial++ },
		func(f *Facts) { f.Delegations++ },
		func(f *Facts) { f.Signatures-- },
		func(f *Facts) { f.Expires = f.Expires.Add(time.Second) },
		func(f *Facts) { f.Due = f.Due.Add(time.Second) },
		func(f *Facts) { f.Size++ },
		func(f *Facts) { f.SHA256 = strings.Repeat("0", 64) },
	} {
		v := newVictim(t, algECDSA, 3)
		change(&v.s.facts)
		if v.verify() == nil {
			t.Errorf("change %d was accepted", i)
		}
	}
}

// TestEveryLine drops and doubles every single line.
func TestEveryLine(t *testing.T) {
	v := newVictim(t, algEd25519, 12)
	n := len(v.lines())
	for i := range n {
		for what, count := range map[string]int{"dropped": 0, "doubled": 2} {
			l := v.lines()
			l[n-1] += "\n"
			line := l[i]
			l[i] = strings.Repeat(line, count)
			if v.with(l).verify() == nil {
				t.Errorf("%s and accepted: %s", what, line)
			}
		}
	}
}

// TestAnyByte changes bytes at random. A file that is accepted says the same as
// before: white space, say, or unused bits of base64.
func TestAnyByte(t *testing.T) {
	v := newVictim(t, algEd25519, 8)
	file := fileOf(v.s)
	want := records(file)
	random := rand.New(rand.NewPCG(3, 4))
	accepted := 0
	for range 1000 {
		text := bytes.Clone(file)
		i := random.IntN(len(text))
		was := text[i]
		if text[i] = byte(random.IntN(128)); random.IntN(2) == 0 {
			text[i] = was ^ 1<<random.IntN(8)
		}
		if text[i] == was || v.file(text).verify() != nil {
			continue
		}
		accepted++
		if got := records(text); got != want {
			t.Fatalf("accepted with byte %d changed from %q to %q:\n%s", i, was, text[i], text)
		}
	}
	t.Logf("%d harmless changes were accepted", accepted)
}

// FuzzVerify feeds the verifier with files: it must never accept one that says
// something else, and never crash.
func FuzzVerify(f *testing.F) {
	z, keys := testZone(f, testName, 1), testKeys(f, testName, algEd25519)
	z.Entries = z.Entries[:2]
	s := mustSign(f, z, keys, Prior{}, testNow)
	file := fileOf(s)
	want := records(file)
	f.Add(file)
	f.Add([]byte{})
	f.Add(bytes.ToLower(file))
	f.Add(bytes.ReplaceAll(file, []byte("\t"), []byte(" ")))
	f.Add(bytes.ReplaceAll(file, []byte("NSEC\t"), []byte("TYPE47\t\\# 1 00 ; ")))
	f.Fuzz(func(t *testing.T, text []byte) {
		spoiled := *s
		spoiled.text = [][]byte{text}
		spoiled.seal()
		_, err := Verify(context.Background(), &spoiled, z, keys, testNow)
		if err == nil && records(text) != want {
			t.Errorf("accepted:\n%s", text)
		}
	})
}

// records returns what a zone file says, as the DNS library packs it.
func records(file []byte) string {
	var b strings.Builder
	p := dns.NewZoneParser(bytes.NewReader(file), "", "")
	buf := make([]byte, 4096)
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		n, err := dns.PackRR(rr, buf, 0, nil, false)
		if err != nil {
			return err.Error()
		}
		b.Write(buf[:n])
	}
	return fmt.Sprint(p.Err()) + b.String()
}

// TestTornParts: however the file is cut into parts, a name that is torn from
// its records or its delegation is noticed, and nothing else matters.
func TestTornParts(t *testing.T) {
	v := newVictim(t, algEd25519, 420)
	if err := v.file(fileOf(v.s)).verify(); err != nil {
		t.Errorf("in one part: %v", err)
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(fileOf(v.s), []byte("\n")), []byte("\n"))
	lines[len(lines)-1] = append(lines[len(lines)-1], '\n')
	if err := v.file(lines...).verify(); err == nil {
		t.Error("every line a part: accepted")
	}
	middle := slices.IndexFunc(lines, func(l []byte) bool { return bytes.HasPrefix(l, []byte("4.0.202.")) })
	half := bytes.Join(lines[:middle], nil)
	if err := v.file(half, half[bytes.Index(half, []byte("\n0.0.202"))+1:]).verify(); err == nil || !strings.Contains(err.Error(), "not together") {
		t.Error("names twice:", err)
	}
	glue := slices.IndexFunc(lines, func(l []byte) bool { return bytes.HasPrefix(l, []byte("ns.5.0.202.")) })
	err := v.file(bytes.Join(lines[:glue], nil), bytes.Join(lines[glue:], nil)).verify()
	if err == nil {
		t.Error("glue torn from its delegation: accepted")
	}
	if err := v.file(fileOf(v.s)[:100]).verify(); err == nil {
		t.Error("cut in a line: accepted")
	}
	if err := v.file().verify(); err == nil {
		t.Error("nothing: accepted")
	}
}

// TestJoin: a name below a delegation in the piece before is glue, even if the
// chain runs through it.
func TestJoin(t *testing.T) {
	wire := func(s zone.Name) []byte { return s.AppendWire(nil) }
	apex := &apexFound{owner: wire(testName), hash: sha512.New384()}
	for _, c := range []struct{ cut, first, want string }{
		{"5.0.", "ns.5.0.", "parted from the delegation"},
		{"5.0.", "ns.6.0.", ""},
		{"5.0.", "ns.15.0.", ""},
	} {
		j := &join{apex: apex, last: wire(testName), cut: wire(zone.Name(c.cut) + testName)}
		first := zone.Name(c.first) + testName
		err := j.take(&piece{first: wire(first), last: wire(first), firstName: string(first)})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s after %s: %v", c.first, c.cut, err)
		}
	}
}
