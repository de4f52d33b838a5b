package sign

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
)

// A variant is another way to sign a zone than by one KSK and one ZSK.
type variant struct {
	name   string
	keys   func(t testing.TB, name zone.Name) []Key
	policy func(p *zone.SigningConfig)
}

// longAgo are the times of a key that has long done all it should.
func longAgo() Timing {
	t := testNow.AddDate(0, 0, -90)
	return Timing{Created: t, Publish: t, Ready: t, Active: t}
}

// aKey makes a key with given times, the same every time.
func aKey(t testing.TB, name zone.Name, flags uint16, alg uint8, timing Timing) Key {
	t.Helper()
	keysMade.Lock()
	defer keysMade.Unlock()
	id := string(name) + roleName(flags) + algorithmNames[alg] + timing.Active.String()
	if keysMade.keys[id] == nil {
		k, err := makeKey(Step{Zone: name, Flags: flags, Algorithm: alg}, nil, testNow, testRandom(id))
		if err != nil {
			t.Fatal(err)
		}
		keysMade.keys[id] = []Key{k}
	}
	k := keysMade.keys[id][0]
	k.Timing = timing
	return k
}

func aCSK(t testing.TB, name zone.Name, alg uint8, timing Timing) Key {
	k := aKey(t, name, FlagsKSK, alg, timing)
	k.CSK = true
	return k
}

// pairs returns a KSK and a ZSK of each algorithm.
func pairs(algs ...uint8) func(testing.TB, zone.Name) []Key {
	return func(t testing.TB, name zone.Name) []Key {
		var keys []Key
		for _, alg := range algs {
			keys = append(keys, aKey(t, name, FlagsKSK, alg, longAgo()), aKey(t, name, FlagsZSK, alg, longAgo()))
		}
		return keys
	}
}

var variants = []variant{
	{name: "CSK", keys: func(t testing.TB, name zone.Name) []Key { return []Key{aCSK(t, name, algECDSA, longAgo())} }},
	{name: "CSK beside KSK and ZSK", keys: func(t testing.TB, name zone.Name) []Key {
		return append(pairs(algECDSA)(t, name), aCSK(t, name, algECDSA, Timing{Publish: testNow.AddDate(0, 0, -9)}))
	}},
	{name: "algorithms 8 and 13", keys: pairs(algRSA, algECDSA)},
	{name: "algorithms 13 and 15", keys: pairs(algECDSA, algEd25519)},
	{name: "algorithm 15 not yet in the DNSKEY set", keys: early},
	{name: "CDS", keys: named(algECDSA)},
	{name: "CDS of the new of two KSKs", keys: func(t testing.TB, name zone.Name) []Key {
		k := aKey(t, name, FlagsKSK, algECDSA, Timing{Publish: testNow.AddDate(0, 0, -1), Active: testNow.AddDate(0, 0, -1)})
		k.CDS = true
		return append(pairs(algECDSA)(t, name), k)
	}},
	{name: "CDS by two algorithms", keys: named(algECDSA, algEd25519)},
	{name: "CDS with a KSK not yet in the DNSKEY set", keys: func(t testing.TB, name zone.Name) []Key {
		keys := early(t, name)
		keys[0].CDS = true
		return keys
	}},
	{name: "CDS delete", keys: pairs(algECDSA), policy: func(p *zone.SigningConfig) { p.DeleteDS = true }},
	{name: "NSEC3", keys: pairs(algECDSA), policy: nsec3},
	{name: "NSEC3 by algorithms 13 and 15 with CDS", keys: named(algECDSA, algEd25519), policy: nsec3},
}

func nsec3(p *zone.SigningConfig) { p.Denial = zone.DenialNSEC3 }

// named returns a KSK, in CDS, and a ZSK of each algorithm.
func named(algs ...uint8) func(testing.TB, zone.Name) []Key {
	return func(t testing.TB, name zone.Name) []Key {
		keys := pairs(algs...)(t, name)
		for i := range keys {
			keys[i].CDS = keys[i].SignsKeys()
		}
		return keys
	}
}

// early returns keys of algorithm 13 in use, and a pair of algorithm 15 that signs
// before it is published (RFC 6781, section 4.1.4).
func early(t testing.TB, name zone.Name) []Key {
	keys := pairs(algECDSA, algEd25519)(t, name)
	for i := range keys[2:] {
		keys[2+i].Timing.Publish = testNow.AddDate(9, 0, 0)
	}
	return keys
}

func (v variant) sign(t testing.TB, z *zone.Zone, keys []Key, now time.Time) *Signed {
	t.Helper()
	p := testPolicy(algECDSA)
	if v.policy != nil {
		v.policy(&p)
	}
	s, err := Sign(context.Background(), z, keys, p, Prior{}, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestVariants signs and verifies the zone in every way, from every size on.
func TestVariants(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			for _, name := range []zone.Name{testName, "0.4.2.ip6.arpa."} {
				for _, count := range []int{0, 1, 120} {
					z, keys := testZone(t, name, count), v.keys(t, name)
					s := v.sign(t, z, keys, testNow)
					if _, err := Verify(context.Background(), s, z, keys, testNow); err != nil {
						t.Errorf("%s with %d delegations: %v", name, count, err)
					}
				}
			}
		})
	}
}

// TestVariantTools shows every variant to the checkers of other makers.
func TestVariantTools(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			p := testPolicy(algECDSA)
			if v.policy != nil {
				v.policy(&p)
			}
			z := testZone(t, testName, 120)
			file, zone := writeBy(t, z, v.keys(t, testName), p), testName.File()
			verify := []string{"dnssec-verify", "-o", zone, file}
			if v.name == "CSK" {
				verify = slices.Insert(verify, 1, "-z")
			}
			for _, argv := range [][]string{
				{"named-checkzone", "-D", "-o", "/dev/null", zone, file},
				verify,
				{"ldns-verify-zone", "-ZZ", file},
				{"kzonecheck", "-d", "on", "-o", zone, file},
				{"nsd-checkzone", zone, file},
			} {
				t.Run(argv[0], func(t *testing.T) { runTool(t, argv) })
			}
		})
	}
}

// count returns how many RRSIG over a type are by a key of an algorithm.
func countSignatures(file []byte, covered, alg string) int {
	return bytes.Count(file, []byte("\tIN\tRRSIG\t"+covered+" "+alg+" "))
}

// TestAlgorithmRoll follows a roll from algorithm 13 to 15 from day to day (RFC
// 6781, section 4.1.4): signatures, then keys; keys away, then signatures.
func TestAlgorithmRoll(t *testing.T) {
	at := func(d int) time.Time { return testNow.AddDate(0, 0, d) }
	keys := pairs(algECDSA, algEd25519)(t, testName)
	for i := range keys {
		if i < 2 {
			keys[i].Timing.Remove, keys[i].Timing.Retire = at(30), at(40)
		} else {
			keys[i].Timing = Timing{Active: at(10), Publish: at(20)}
		}
	}
	z := testZone(t, testName, 60)
	for _, c := range []struct {
		day                int
		old, young         bool // signs the zone
		oldKeys, youngKeys int  // in the DNSKEY set
	}{
		{9, true, false, 2, 0},
		{10, true, true, 2, 0},
		{19, true, true, 2, 0},
		{20, true, true, 2, 2},
		{29, true, true, 2, 2},
		{30, true, true, 0, 2},
		{39, true, true, 0, 2},
		{40, false, true, 0, 2},
	} {
		s := variant{}.sign(t, z, keys, at(c.day))
		if _, err := Verify(context.Background(), s, z, keys, at(c.day)); err != nil {
			t.Errorf("day %d: %v", c.day, err)
		}
		text := fileOf(s)
		owners := countSignatures(text, "NSEC", "13") + countSignatures(text, "NSEC", "15")
		if c.old && c.young {
			owners /= 2
		}
		for alg, want := range map[string]bool{"13": c.old, "15": c.young} {
			if n := countSignatures(text, "NSEC", alg); (n == owners) != want || (n == 0) == want {
				t.Errorf("day %d: %d of %d NSEC are signed by algorithm %s", c.day, n, owners, alg)
			}
		}
		for alg, want := range map[string]int{"13": c.oldKeys, "15": c.youngKeys} {
			if n := bytes.Count(text, []byte(" 3 "+alg+" ")); n != want || countSignatures(text, "DNSKEY", alg) != want/2 {
				t.Errorf("day %d: %d keys of algorithm %s, %d sign the set", c.day, n, alg, countSignatures(text, "DNSKEY", alg))
			}
		}
	}
}

// TestEarlyOfPublishedAlgorithm: a key outside the DNSKEY set does not sign where
// its algorithm is in the set: validators would try it in vain.
func TestEarlyOfPublishedAlgorithm(t *testing.T) {
	keys, z := named(algECDSA)(t, testName), testZone(t, testName, 60)
	without := variant{}.sign(t, z, keys, testNow)
	for _, timing := range []Timing{
		{Active: testNow.AddDate(0, 0, -1)},
		{Active: testNow.AddDate(0, 0, -1), Publish: testNow.AddDate(0, 0, 1)},
		{Active: testNow.AddDate(0, 0, -9), Publish: testNow.AddDate(0, 0, -9), Remove: testNow.AddDate(0, 0, -1), Retire: testNow.AddDate(0, 0, 1)},
	} {
		for _, flags := range []uint16{FlagsZSK, FlagsKSK} {
			all := append(slices.Clone(keys), aKey(t, testName, flags, algECDSA, timing))
			with := variant{}.sign(t, z, all, testNow)
			if !bytes.Equal(fileOf(with), fileOf(without)) {
				t.Errorf("a %s that is not in the DNSKEY set signs", roleName(flags))
			}
			if _, err := Verify(context.Background(), with, z, all, testNow); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestSilentAlgorithm: an algorithm of the DNSKEY set that does not sign all makes
// the zone bogus for those who know it.
func TestSilentAlgorithm(t *testing.T) {
	for i := range 2 {
		v := &victim{t: t, z: testZone(t, testName, 3), keys: pairs(algECDSA, algEd25519)(t, testName)}
		v.s = variant{}.sign(t, v.z, v.keys, testNow)
		v.keys[2+i].Timing.Active = testNow.Add(1)
		if err := v.verify(); err == nil || !strings.Contains(err.Error(), "algorithm 15 is in the DNSKEY set, but") {
			t.Error(err)
		}
	}
}

// TestSpoiledVariants: with several keys about, each signature must be by the one
// that is to make it, and none may be missing.
func TestSpoiledVariants(t *testing.T) {
	two := pairs(algECDSA, algEd25519)
	waiting := func(t testing.TB, name zone.Name) []Key {
		k := aKey(t, name, FlagsZSK, algECDSA, Timing{Publish: testNow.AddDate(0, 0, -1), Active: testNow.AddDate(0, 0, 1)})
		return append(pairs(algECDSA)(t, name), k)
	}
	for _, c := range []struct {
		name, want string
		keys       func(testing.TB, zone.Name) []Key
		spoil      func(v *victim) spoiler
	}{
		{"one algorithm missing at a name", "1 signatures instead of 2", two, func(v *victim) spoiler { return v.drop("3.0", "RRSIG(NSEC) 15") }},
		{"one algorithm missing at the apex", "1 signatures instead of 2", two, func(v *victim) spoiler { return v.drop("@", "RRSIG(SOA) 13") }},
		{"one algorithm missing over the keys", "1 signatures instead of 2", two, func(v *victim) spoiler { return v.drop("@", "RRSIG(DNSKEY) 13") }},
		{"wrong second signature", "does not verify", two, func(v *victim) spoiler { return v.flip("3.0", "RRSIG(DS) 15") }},
		{"early signature missing", "1 signatures instead of 2", early, func(v *victim) spoiler { return v.drop("3.0", "RRSIG(NSEC) 15") }},
		{"early signature wrong", "does not verify", early, func(v *victim) spoiler { return v.flip("3.0", "RRSIG(NSEC) 15") }},
		{"early key signs the DNSKEY set", "not to sign it now", early, func(v *victim) spoiler { return v.signedBy("@", zone.TypeDNSKEY, v.keys[2]) }},
		{"signed by a key that waits", "not to sign it now", waiting, func(v *victim) spoiler { return v.signedBy("3.0", zone.TypeDS, v.keys[2]) }},
		{"CSK in waiting signs the zone", "not to sign it now", variants[1].keys, func(v *victim) spoiler { return v.signedBy("3.0", zone.TypeDS, v.keys[2]) }},
		{"CSK does not sign the keys", "1 signatures instead of 2", variants[1].keys, func(v *victim) spoiler {
			return func(l []string) []string {
				return slices.DeleteFunc(l, func(s string) bool {
					return strings.Contains(s, "\tRRSIG\tDNSKEY ") && strings.Contains(s, " "+zoneTag(v.keys[2])+" ")
				})
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := &victim{t: t, z: testZone(t, testName, 20), keys: c.keys(t, testName)}
			v.s = variant{}.sign(t, v.z, v.keys, testNow)
			must(t, v.verify())
			v.refuse(t, c.spoil(v), c.want)
		})
	}
}

// TestTwoOfOneAlgorithm: a set is signed once by an algorithm, although both keys
// are good.
func TestTwoOfOneAlgorithm(t *testing.T) {
	second := aKey(t, testName, FlagsZSK, algECDSA, Timing{Publish: testNow.AddDate(0, 0, -50), Active: testNow.AddDate(0, 0, -1)})
	v := &victim{t: t, z: testZone(t, testName, 20), keys: append(pairs(algECDSA, algEd25519)(t, testName), second)}
	v.s = variant{}.sign(t, v.z, v.keys, testNow)
	must(t, v.verify())
	lines := v.lines()
	other := second
	if at := v.find(lines, "3.0", "RRSIG(DS) 13"); strings.Contains(lines[at], " "+zoneTag(second)+" "+string(testName)) {
		other = v.keys[1]
	}
	lines = v.drop("3.0", "RRSIG(DS) 15")(lines)
	err := v.with(v.alsoBy("3.0", zone.TypeDS, other)(lines)).verify()
	if err == nil || !strings.Contains(err.Error(), "signed twice by algorithm 13") {
		t.Error(err)
	}
}

// rrsig returns the signature of a set that stands in lines, by a key.
func (v *victim) rrsig(l []string, owner string, typ zone.Type, k Key) string {
	v.t.Helper()
	name := zone.Name(owner + "." + string(testName))
	if owner == "@" {
		name = testName
	}
	sg, err := newSigning(v.z, v.keys, v.s.policy, testNow)
	must(v.t, err)
	w := sg.writer(nil)
	w.enter(name)
	var wire []byte
	ttl := uint32(0)
	for _, line := range l {
		if f := strings.Split(line, "\t"); f[0] == string(name) && f[3] == typ.String() {
			wire = append(wire, packLine(line)...)
			n, err := strconv.Atoi(f[1])
			must(v.t, err)
			ttl = uint32(n)
		}
	}
	sig, err := w.sign(nil, &k, typ, ttl, wire)
	must(v.t, err)
	return string(appendRRSIG(appendHead(nil, string(name), ttl, zone.TypeRRSIG), sig, string(testName))) + "\n"
}

// signedBy exchanges the first signature of a set for one by another key.
func (v *victim) signedBy(owner string, typ zone.Type, k Key) spoiler {
	return func(l []string) []string {
		l[v.find(l, owner, "RRSIG("+typ.String()+")")] = v.rrsig(l, owner, typ, k)
		return l
	}
}

// alsoBy adds a signature by another key, where canonical order has it.
func (v *victim) alsoBy(owner string, typ zone.Type, k Key) spoiler {
	return func(l []string) []string {
		at, line := v.find(l, owner, "RRSIG("+typ.String()+")"), v.rrsig(l, owner, typ, k)
		if bytes.Compare(packLine(l[at]), packLine(line)) < 0 {
			at++
		}
		return slices.Insert(l, at, line)
	}
}
