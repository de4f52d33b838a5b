package sign

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"nirzone/zone"
)

// RFC 5155, appendix A: the hashes of the example, by the signer's way and the
// verifier's.
func TestRFC5155Hashes(t *testing.T) {
	salt := []byte{0xaa, 0xbb, 0xcc, 0xdd}
	for name, want := range map[zone.Name]string{
		"example.":       "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom",
		"a.example.":     "35mthgpgcu1qg68fab165klnsnk3dpvl",
		"ai.example.":    "gjeqe526plbf1g8mklp59enfd789njgi",
		"ns1.example.":   "2t7b4g4vsa5smi47k61mv5bv1a22bojr",
		"ns2.example.":   "q04jkcevqvmu85r014c7dkba38o0ji5r",
		"w.example.":     "k8udemvp1j2f7eg6jebps17vp3n8i58h",
		"*.w.example.":   "r53bq7cc2uvmubfu5ocmm6pers9tk9en",
		"x.w.example.":   "b4um86eghhds6nea196smvmlo4ors995",
		"y.w.example.":   "ji6neoaepv8b5o6k4ev33abha8ht9fgc",
		"x.y.w.example.": "2vptu5timamqttgl4luu9kg21e0aor3s",
		"xx.example.":    "t644ebqk9bibcna874givr6joj62mlhv",
	} {
		sum := hashName(name.AppendWire(nil), salt, 12)
		if got := strings.ToLower(base32hex.EncodeToString(sum[:])); got != want {
			t.Errorf("%s: the signer's hash is %s, not %s", name, got, want)
		}
		if got := strings.ToLower(dns.HashName(string(name), dns.SHA1, 12, "aabbccdd")); got != want {
			t.Errorf("%s: the verifier's hash is %s, not %s", name, got, want)
		}
	}
}

// A chainRecord is an NSEC3 record of a file with the name that it is about.
type chainRecord struct{ name, types string }

// nsec3Records reads the chain of a file, for names that are guessed.
func nsec3Records(t *testing.T, file []byte, guesses []string) []chainRecord {
	t.Helper()
	byHash := map[string]string{}
	for _, g := range guesses {
		byHash[strings.ToLower(dns.HashName(g, dns.SHA1, 0, ""))] = g
	}
	var out []chainRecord
	for line := range strings.Lines(string(file)) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); f[3] == "NSEC3" {
			label, _, _ := strings.Cut(f[0], ".")
			rdata := strings.SplitN(f[4], " ", 6)
			types := ""
			if len(rdata) > 5 {
				types = rdata[5]
			}
			out = append(out, chainRecord{byHash[label], types})
		}
	}
	slices.SortFunc(out, func(a, b chainRecord) int { return strings.Compare(a.name, b.name) })
	return out
}

// TestEmptyNonTerminals: names without records above others are in the chain, with
// no types (RFC 5155, section 7.1); glue is not, nor what is above glue alone.
func TestEmptyNonTerminals(t *testing.T) {
	const apex = "d.in-addr.arpa."
	z := &zone.Zone{Apex: testApex(apex)}
	z.Entries = append(z.Entries,
		entry("a.b.c."+apex, zone.TypeNS, zone.NSData("ns.x.y.a.b.c."+apex)),
		entry("ns.x.y.a.b.c."+apex, zone.TypeA, "\xc0\x00\x02\x01"),
		entry("e.b.c."+apex, zone.TypeNS, zone.NSData("ns.")),
		entry("e.b.c."+apex, zone.TypeDS, testDS(1, 2)),
		entry("e.b.c."+apex, zone.TypeA, "\xc0\x00\x02\x01"),
		entry("1.2.f."+apex, zone.TypeCNAME, zone.NSData("1.x.2.f."+apex)),
		entry("f."+apex, zone.TypeA, "\xc0\x00\x02\x01"),
	)
	sortEntries(z)
	keys := pairs(algEd25519)(t, apex)
	s := variant{policy: nsec3}.sign(t, z, keys, testNow)
	if _, err := Verify(context.Background(), s, z, keys, testNow); err != nil {
		t.Fatal(err)
	}
	want := []chainRecord{
		{"1.2.f." + apex, "CNAME RRSIG"},
		{"2.f." + apex, ""},
		{"a.b.c." + apex, "NS"},
		{"b.c." + apex, ""},
		{"c." + apex, ""},
		{apex, "NS SOA RRSIG DNSKEY NSEC3PARAM ZONEMD"},
		{"e.b.c." + apex, "NS DS RRSIG"},
		{"f." + apex, "A RRSIG"},
	}
	var guesses []string
	for _, r := range want {
		guesses = append(guesses, r.name)
	}
	guesses = append(guesses, "x.y.a.b.c."+apex, "y.a.b.c."+apex, "ns.x.y.a.b.c."+apex)
	if got := nsec3Records(t, fileOf(s), guesses); !slices.Equal(got, want) {
		t.Errorf("the chain is\n%v, not\n%v", got, want)
	}
}

// TestNibbles: a delegation deep in ip6.arpa has an empty name for every nibble
// above it.
func TestNibbles(t *testing.T) {
	const apex = "0.4.2.ip6.arpa."
	z := &zone.Zone{Apex: testApex(apex), Entries: []zone.Entry{entry("d.c.b.a."+apex, zone.TypeNS, zone.NSData("ns."))}}
	keys := pairs(algEd25519)(t, apex)
	s := variant{policy: nsec3}.sign(t, z, keys, testNow)
	got := nsec3Records(t, fileOf(s), []string{apex, "a." + apex, "b.a." + apex, "c.b.a." + apex, "d.c.b.a." + apex})
	if len(got) != 5 || slices.ContainsFunc(got, func(r chainRecord) bool { return r.name == "" }) {
		t.Errorf("the chain is %v", got)
	}
	// NSEC3 five times, and NS, SOA, DNSKEY, NSEC3PARAM, ZONEMD.
	if s.facts.Signatures != 10 {
		t.Errorf("%d signatures", s.facts.Signatures)
	}
}

// TestHashCollision: names that NSEC3 cannot tell apart, or that are where its
// records are to be, are refused.
func TestHashCollision(t *testing.T) {
	if err := sortChain([]hashedName{{of: 1}, {hash: [20]byte{1}}, {of: ofEmpty}}); err == nil || !strings.Contains(err.Error(), "two names") {
		t.Error("one hash for two names:", err)
	}
	p, keys := testPolicy(algEd25519), pairs(algEd25519)(t, testName)
	p.Denial = zone.DenialNSEC3
	own := strings.ToLower(dns.HashName(string(testName), dns.SHA1, 0, "")) + "." + string(testName)
	for _, owner := range []string{own, "x." + own} {
		z := &zone.Zone{Apex: testApex(testName), Entries: []zone.Entry{entry(zone.Name(owner), zone.TypeNS, zone.NSData("ns."))}}
		if _, err := Sign(context.Background(), z, keys, p, Prior{}, testNow); err == nil || !strings.Contains(err.Error(), "an NSEC3 record has that name") {
			t.Errorf("%s: %v", owner, err)
		}
	}
}

// TestDenialChange: from NSEC to NSEC3 and back, the serial goes forward each
// time, and each file is wholly the one or the other.
func TestDenialChange(t *testing.T) {
	z, keys := testZone(t, testName, 50), pairs(algECDSA)(t, testName)
	var prior Prior
	for i, denial := range []zone.Denial{zone.DenialNSEC, zone.DenialNSEC3, zone.DenialNSEC3, zone.DenialNSEC} {
		p := testPolicy(algECDSA)
		p.Denial = denial
		s, err := Sign(context.Background(), z, keys, p, prior, testNow)
		must(t, err)
		if _, err := Verify(context.Background(), s, z, keys, testNow); err != nil {
			t.Error(err)
		}
		if want := zone.Serial(2026112100 + []int{0, 1, 1, 2}[i]); s.facts.Serial != want {
			t.Errorf("step %d: serial %d instead of %d", i, s.facts.Serial, want)
		}
		text := string(fileOf(s))
		if (strings.Contains(text, "\tNSEC\t") || strings.Contains(text, " NSEC ")) != (denial == zone.DenialNSEC) || strings.Contains(text, "NSEC3") != (denial == zone.DenialNSEC3) {
			t.Errorf("step %d: NSEC and NSEC3 are mixed, or wrong", i)
		}
		prior = Prior{Serial: s.facts.Serial, Body: s.facts.Body, Known: true}
	}
}

// TestBodyIsContent: over two slots, the body of every variant changes exactly
// when bytes do, and signatures when they are due.
func TestBodyIsContent(t *testing.T) {
	for _, v := range variants {
		if strings.HasPrefix(v.name, "algorithms 8") {
			continue // slow
		}
		t.Run(v.name, func(t *testing.T) {
			z, keys := testZone(t, testName, 12), v.keys(t, testName)
			var last *Signed
			for run := range 30 {
				now := testNow.Add(time.Duration(run) * 18 * time.Hour)
				s := v.sign(t, z, keys, now)
				// The same serial for all, so that only content differs.
				if last != nil {
					p := s.policy
					again, err := Sign(context.Background(), z, keys, p, Prior{Serial: last.facts.Serial, Body: s.facts.Body, Known: true}, now)
					must(t, err)
					s = again
					same := bytes.Equal(fileOf(s), fileOf(last))
					if same != (s.facts.Body == last.facts.Body) {
						t.Fatalf("run %d: bytes the same: %v, body the same: %v", run, same, !same)
					}
					if due := !now.Before(last.facts.Due); due == same {
						t.Fatalf("run %d: due %v, bytes the same: %v", run, due, same)
					}
				}
				last = s
			}
		})
	}
}

// newVictim3 is a zone with NSEC3 to be spoiled.
func newVictim3(t *testing.T, alg uint8, count int) *victim {
	t.Helper()
	v := &victim{t: t, z: testZone(t, testName, count), keys: pairs(alg)(t, testName)}
	v.s = variant{policy: nsec3}.sign(t, v.z, v.keys, testNow)
	must(t, v.verify())
	return v
}

// hashOf returns the label of the NSEC3 record of a name relative to the zone.
func hashOf(owner string) string {
	name := owner + "." + string(testName)
	if owner == "@" {
		name = string(testName)
	}
	return strings.ToLower(dns.HashName(name, dns.SHA1, 0, ""))
}

// TestTamperNSEC3 spoils the chain of a zone with NSEC3 in every way.
func TestTamperNSEC3(t *testing.T) {
	v := newVictim3(t, algECDSA, 120)
	ds, insecure, empty, apex := hashOf("3.0"), hashOf("4.0"), hashOf("0"), hashOf("@")
	at := func(owner, old, text string) spoiler {
		return v.resigned(owner, "NSEC3", v.replace(owner, "NSEC3", old, text))
	}
	v.refuses([]spoiling{
		{"signature", "does not verify", v.flip(ds, "RRSIG(NSEC3)")},
		{"signature missing", "0 signatures instead of 1", v.drop(ds, "RRSIG(NSEC3)")},
		{"signature over DS", "does not verify", v.flip("3.0", "RRSIG(DS)")},
		{"signature over NSEC3PARAM", "does not verify", v.flip("@", "RRSIG(NSEC3PARAM)")},
		{"NSEC3 of a delegation missing", "chain goes on|chain lacks", v.dropHashed(insecure)},
		{"NSEC3 of an empty name missing", "chain goes on|chain lacks", v.dropHashed(empty)},
		{"NSEC3 of the apex missing", "chain goes on|chain lacks", v.dropHashed(apex)},
		{"last NSEC3 missing", "chain lacks", func(l []string) []string {
			last := ""
			for _, s := range l {
				if strings.Contains(s, "\tNSEC3\t") {
					last = max(last, s[:32])
				}
			}
			return v.dropHashed(last)(l)
		}},
		{"NSEC3 without its signature dropped", "RRSIG over NSEC3|must not be", v.drop(ds, "NSEC3")},
		{"next", "chain goes on", v.resigned(ds, "NSEC3", v.edit(ds, "NSEC3", nextHash))},
		{"next, not signed", "does not verify", v.edit(ds, "NSEC3", nextHash)},
		{"bitmap misses DS", "chain goes on", at(ds, " NS DS RRSIG", " NS RRSIG")},
		{"bitmap misses RRSIG", "chain goes on", at(ds, " NS DS RRSIG", " NS DS")},
		{"bitmap claims RRSIG", "chain goes on", at(insecure, " NS\n", " NS RRSIG\n")},
		{"bitmap claims A", "chain goes on", at(insecure, " NS\n", " A NS\n")},
		{"bitmap of an empty name", "chain goes on", v.resigned(empty, "NSEC3", v.edit(empty, "NSEC3", func(s string) string { return strings.TrimSpace(s) + " NS\n" }))},
		{"bitmap of the apex", "chain goes on", at(apex, " NSEC3PARAM", "")},
		{"empty bitmap", "chain goes on", at(insecure, " NS\n", "\n")},
		{"opt-out", "no flags", at(ds, "\t1 0 0 - ", "\t1 1 0 - ")},
		{"iterations", "0 iterations", at(ds, "\t1 0 0 - ", "\t1 0 1 - ")},
		{"salt", "no salt", at(ds, "\t1 0 0 - ", "\t1 0 0 AB ")},
		{"hash", "SHA-1", at(ds, "\t1 0 0 - ", "\t2 0 0 - ")},
		{"TTL", "RFC 9077", v.replace(ds, "NSEC3", "\t3600\t", "\t86400\t")},
		{"upper case", "lower case|order", v.upper(ds)},
		{"two", "more than one NSEC3|there twice", v.edit(ds, "NSEC3", func(s string) string { return s + nextHash(s) })},
		{"at a delegation", "more than one NSEC3", v.insert("3.0", "RRSIG(DS)", "3.0.202.in-addr.arpa.\t3600\tIN\tNSEC3\t1 0 0 - "+strings.ToUpper(apex)+" NS\n")},
		{"with another record", "more than one NSEC3|not in the merged|where the merged", v.edit(ds, "RRSIG(NSEC3)", func(s string) string {
			return ds + ".202.in-addr.arpa.\t86400\tIN\tNS\tns.\n" + s
		})},
		{"NSEC beside it", "merged zone|more than one", v.insert("3.0", "RRSIG(DS)", "3.0.202.in-addr.arpa.\t3600\tIN\tNSEC\t4.0.202.in-addr.arpa. NS DS RRSIG NSEC\n")},
		{"NSEC at the apex", "the apex has NSEC", v.insert("@", "DNSKEY", "202.in-addr.arpa.\t3600\tIN\tNSEC\t4.0.202.in-addr.arpa. NS SOA\n")},
		{"NSEC3 at the apex", "the apex has NSEC3", v.insert("@", "DNSKEY", "202.in-addr.arpa.\t3600\tIN\tNSEC3\t1 0 0 - "+strings.ToUpper(apex)+" NS\n")},
		{"NSEC3PARAM missing", "0 NSEC3PARAM|RRSIG over NSEC3PARAM", v.drop("@", "NSEC3PARAM")},
		{"NSEC3PARAM twice", "2 NSEC3PARAM|does not verify", v.insert("@", "NSEC3PARAM", "202.in-addr.arpa.\t3600\tIN\tNSEC3PARAM\t1 0 0 AB\n")},
		{"NSEC3PARAM iterations", "NSEC3PARAM is not", v.resigned("@", "NSEC3PARAM", v.replace("@", "NSEC3PARAM", "1 0 0 -", "1 0 5 -"))},
		{"NSEC3PARAM flags", "NSEC3PARAM is not", v.resigned("@", "NSEC3PARAM", v.replace("@", "NSEC3PARAM", "1 0 0 -", "1 1 0 -"))},
		{"NSEC3PARAM TTL", "TTL", v.replace("@", "NSEC3PARAM", "\t3600\t", "\t0\t")},
		{"RRSIG at an insecure delegation", "RRSIG over NS", v.extraSignature("4.0", zone.TypeNS)},
		{"extra NSEC3", "chain goes on", v.extraNSEC3(hashOf("nothing"))},
		{"glue hashed", "chain goes on", v.extraNSEC3(hashOf("ns.5.0"))},
		{"not a hash", "is no hash", v.extraNSEC3("99")},
	})
}

// nextHash changes one bit of the next hash of an NSEC3 line.
func nextHash(s string) string {
	i := strings.Index(s, " - ") + 5
	c := byte('0')
	if s[i] == c {
		c = '1'
	}
	return s[:i] + string(c) + s[i+1:]
}

func (v *victim) dropHashed(label string) spoiler {
	return func(l []string) []string {
		return slices.DeleteFunc(l, func(s string) bool { return strings.HasPrefix(s, label+".") })
	}
}

func (v *victim) upper(label string) spoiler {
	return func(l []string) []string {
		for i, s := range l {
			if rest, ok := strings.CutPrefix(s, label); ok {
				l[i] = strings.ToUpper(label) + rest
			}
		}
		return l
	}
}

// extraNSEC3 adds a well signed NSEC3 record at a name.
func (v *victim) extraNSEC3(owner string) spoiler {
	return func(l []string) []string {
		name := owner + "." + string(testName)
		record := fmt.Sprintf("%s\t3600\tIN\tNSEC3\t1 0 0 - %s NS\n", name, strings.ToUpper(hashOf("@")))
		at := v.find(l, "@", "ZONEMD") + 1
		for other := testName; at < len(l) && other.Compare(zone.Name(name)) < 0; at++ {
			owner, _, _ := strings.Cut(l[min(at+1, len(l)-1)], "\t")
			other = zone.Name(owner)
		}
		l = slices.Insert(l, at, record)
		return slices.Insert(l, at, v.rrsig(l, owner, zone.TypeNSEC3, v.keys[1]))
	}
}

// TestNSEC3InNSECZone: a zone is wholly the one or the other.
func TestNSEC3InNSECZone(t *testing.T) {
	v := newVictim(t, algECDSA, 20)
	lines := v.lines()
	if err := v.with(v.extraNSEC3(hashOf("4.0"))(lines)).verify(); err == nil || !strings.Contains(err.Error(), "merged zone") {
		t.Error(err)
	}
	v3 := newVictim3(t, algECDSA, 20)
	s := *v.s
	s.policy.Denial = zone.DenialNSEC3
	if v.s = &s; v.verify() == nil {
		t.Error("NSEC where NSEC3 should be: accepted")
	}
	s = *v3.s
	s.policy.Denial = zone.DenialNSEC
	if v3.s = &s; v3.verify() == nil {
		t.Error("NSEC3 where NSEC should be: accepted")
	}
}

// TestEveryLineNSEC3 drops and doubles every single line.
func TestEveryLineNSEC3(t *testing.T) {
	v := newVictim3(t, algEd25519, 6)
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

// TestAnyByteNSEC3 changes bytes at random, as TestAnyByte does.
func TestAnyByteNSEC3(t *testing.T) {
	v := newVictim3(t, algEd25519, 5)
	file := fileOf(v.s)
	want := records(file)
	random := rand.New(rand.NewPCG(5, 6))
	for range 1000 {
		text := bytes.Clone(file)
		i := random.IntN(len(text))
		was := text[i]
		text[i] = was ^ 1<<random.IntN(8)
		if v.file(text).verify() == nil && records(text) != want {
			t.Fatalf("accepted with byte %d changed from %q to %q:\n%s", i, was, text[i], text)
		}
	}
}

// FuzzVerifyNSEC3 feeds the verifier with files, as FuzzVerify does.
func FuzzVerifyNSEC3(f *testing.F) {
	z, keys := testZone(f, testName, 1), pairs(algEd25519)(f, testName)
	z.Entries = z.Entries[:2]
	s := variant{policy: nsec3}.sign(f, z, keys, testNow)
	file := fileOf(s)
	want := records(file)
	f.Add(file)
	f.Add([]byte{})
	f.Add(bytes.ToUpper(file))
	f.Add(bytes.ReplaceAll(file, []byte(" 0 0 - "), []byte(" 0 0 00 ")))
	f.Add(bytes.ReplaceAll(file, []byte("NSEC3\t1 0 0 - "), []byte("TYPE50\t\\# 26 0100000000 14")))
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

// TestLinkOf: what is no NSEC3 record of ours gives no link.
func TestLinkOf(t *testing.T) {
	owner := zone.Name(hashOf("@") + "." + string(testName)).AppendWire(nil)
	data := append([]byte{1, 0, 0, 0, 0, 20}, owner[1:21]...)
	l, ok := linkOf(owner, append(data, 0, 1, 0x20))
	if want := hashOf("@") + ", next " + lowerHex32.EncodeToString(owner[1:21]) + ", types NS"; !ok || l.String() != want {
		t.Errorf("%v, %s instead of %s", ok, l, want)
	}
	if l, ok = linkOf(owner, data); !ok || !strings.HasSuffix(l.String(), "types ") {
		t.Errorf("without types: %v, %s", ok, l)
	}
	for what, c := range map[string][2][]byte{
		"short owner": {owner[:20], data}, "upper case": {bytes.ToUpper(owner), data}, "no base32hex": {bytes.Replace(owner, owner[5:7], []byte("zz"), 1), data},
		"no data": {owner, nil}, "short data": {owner, data[:25]}, "opt-out": {owner, append([]byte{1, 1}, data[2:]...)},
		"root": {{0}, data}, "long label": {append([]byte{33, 'a'}, owner[1:]...), data},
	} {
		if l, ok := linkOf(c[0], c[1]); ok {
			t.Errorf("%s: %s", what, l)
		}
	}
}

// TestTornPartsNSEC3: the chain holds over the parts of a file.
func TestTornPartsNSEC3(t *testing.T) {
	v := newVictim3(t, algEd25519, 1200)
	if len(v.s.text) < 4 {
		t.Fatalf("%d parts are too few", len(v.s.text))
	}
	must(t, v.file(fileOf(v.s)).verify())
	for i := 1; i < len(v.s.text); i++ {
		without := slices.Delete(slices.Clone(v.s.text), i, i+1)
		if v.file(without...).verify() == nil {
			t.Errorf("accepted without part %d", i)
		}
	}
}
