package sign

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
)

func mustSign(t testing.TB, z *zone.Zone, keys []Key, prior Prior, now time.Time) *Signed {
	t.Helper()
	alg := algECDSA
	if len(keys) > 0 {
		alg = keys[0].Algorithm
	}
	s, err := Sign(context.Background(), z, keys, testPolicy(alg), prior, now)
	if err != nil {
		t.Fatal(err)
	}
	s.sealed() // tests change what it has, and copy it
	return s
}

func fileOf(s *Signed) []byte { return bytes.Join(s.text, nil) }

// TestDeterministic: the same inputs give the same bytes, with any number of
// processors.
func TestDeterministic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for alg := range algorithmNames {
		count := 1200 // several blocks
		if alg == algRSA {
			count = 300 // slow
		}
		z, keys := testZone(t, testName, count), testKeys(t, testName, alg)
		var first *Signed
		for _, procs := range []int{1, 2, 1, 4} {
			runtime.GOMAXPROCS(procs)
			s := mustSign(t, z, keys, Prior{Serial: 7, Known: true}, testNow)
			if first == nil {
				first = s
			}
			if !bytes.Equal(fileOf(first), fileOf(s)) || first.facts.SHA256 != s.facts.SHA256 || first.facts.Body != s.facts.Body {
				t.Errorf("algorithm %d: %d processors make another file", alg, procs)
			}
		}
	}
}

// TestSerial: an equal body keeps the serial and with it every byte; anything
// else, down to a signature that comes due, raises it.
func TestSerial(t *testing.T) {
	z, keys := testZone(t, testName, 50), testKeys(t, testName, algECDSA)
	first := mustSign(t, z, keys, Prior{}, testNow)
	if first.facts.Serial != 2026112100 {
		t.Errorf("first serial %d", first.facts.Serial)
	}
	prior := Prior{Serial: first.facts.Serial, Body: first.facts.Body, Known: true}
	again := mustSign(t, z, keys, prior, testNow)
	if !bytes.Equal(fileOf(first), fileOf(again)) {
		t.Error("an unchanged zone is not the same file")
	}
	if f, err := Preview(z, keys, testPolicy(algECDSA), testNow); err != nil || f.Body != first.facts.Body || f.Due != first.facts.Due || f.Signatures != first.facts.Signatures {
		t.Errorf("the preview is %+v, %v", f, err)
	}
	later := first.facts.Due.Add(-time.Second)
	if s := mustSign(t, z, keys, prior, later); !bytes.Equal(fileOf(first), fileOf(s)) {
		t.Error("the file changes before a signature is due")
	}
	if s := mustSign(t, z, keys, prior, first.facts.Due); s.facts.Serial == prior.Serial || !s.facts.Due.After(first.facts.Due) {
		t.Errorf("no signature is replaced when it is due: serial %d, due %v", s.facts.Serial, s.facts.Due)
	}
	for what, change := range map[string]func(z *zone.Zone, keys []Key) []Key{
		"TTL":     func(z *zone.Zone, k []Key) []Key { z.Entries[0].TTL++; z.Entries[1].TTL++; return k },
		"data":    func(z *zone.Zone, k []Key) []Key { z.Entries[0].Data = zone.NSData("a.example."); return k },
		"dropped": func(z *zone.Zone, k []Key) []Key { z.Entries = z.Entries[2:]; return k },
		"minimum": func(z *zone.Zone, k []Key) []Key { z.SOA.Minimum++; return k },
		"rname":   func(z *zone.Zone, k []Key) []Key { z.SOA.RName = "x.example."; return k },
		"ns":      func(z *zone.Zone, k []Key) []Key { z.NS = z.NS[:1]; return k },
		"ns ttl":  func(z *zone.Zone, k []Key) []Key { z.TTL.Fixed++; return k },
		"key":     func(_ *zone.Zone, k []Key) []Key { return append(testKeys(t, testName, algECDSA)[:1:1], otherZSK(t)) },
	} {
		changed := testZone(t, testName, 50)
		s := mustSign(t, changed, change(changed, keys), prior, testNow)
		if s.facts.Serial != prior.Serial+1 {
			t.Errorf("after a change of %s the serial is %d", what, s.facts.Serial)
		}
	}
}

func otherZSK(t *testing.T) Key {
	t.Helper()
	now := testNow.Add(-24 * time.Hour)
	k, err := makeKey(Step{Zone: testName, Flags: FlagsZSK, Algorithm: algECDSA}, nil, now, testRandom("other"))
	must(t, err)
	return k
}

// TestSignRefuses: what must not be signed is not.
func TestSignRefuses(t *testing.T) {
	keys := testKeys(t, testName, algECDSA)
	ns := func(owner string) zone.Entry {
		return entry(zone.Name(owner), zone.TypeNS, zone.NSData("ns.example."))
	}
	for _, c := range []struct {
		name, want string
		entries    []zone.Entry
	}{
		{"the apex", "apex", []zone.Entry{ns("202.in-addr.arpa.")}},
		{"outside", "outside the zone", []zone.Entry{ns("1.203.in-addr.arpa.")}},
		{"out of order", "order", []zone.Entry{ns("2.202.in-addr.arpa."), ns("1.202.in-addr.arpa.")}},
		{"twice", "twice", []zone.Entry{ns("1.202.in-addr.arpa."), ns("1.202.in-addr.arpa.")}},
		{"torn apart", "order", []zone.Entry{ns("1.202.in-addr.arpa."), ns("2.202.in-addr.arpa."), ns("1.202.in-addr.arpa.")}},
		{"wildcard", "wildcard", []zone.Entry{ns("*.202.in-addr.arpa.")}},
		{"below a wildcard", "wildcard", []zone.Entry{ns("1.*.202.in-addr.arpa.")}},
		{"below a cut", "below the delegation", []zone.Entry{ns("1.202.in-addr.arpa."), ns("1.1.202.in-addr.arpa.")}},
		{"DS without NS", "DS without NS", []zone.Entry{entry("1.202.in-addr.arpa.", zone.TypeDS, testDS(1, 2))}},
		{"CNAME and A", "stands alone", []zone.Entry{entry("1.202.in-addr.arpa.", zone.TypeA, "abcd"), entry("1.202.in-addr.arpa.", zone.TypeCNAME, zone.NSData("a."))}},
		{"TXT", "NS, DS", []zone.Entry{entry("1.202.in-addr.arpa.", zone.TypeTXT, "\x01a")}},
		{"two TTLs", "two TTLs", []zone.Entry{ns("1.202.in-addr.arpa."), {Record: zone.Record{Name: "1.202.in-addr.arpa.", Type: zone.TypeNS, TTL: 5, Data: zone.NSData("oo.example.")}}}},
		{"no name", "not of that type", []zone.Entry{entry("1.202.in-addr.arpa.", zone.TypeNS, "\x03ns")}},
		{"upper case", "not of that type", []zone.Entry{entry("1.202.in-addr.arpa.", zone.TypeNS, "\x02NS\x00")}},
		{"compressed", "not of that type", []zone.Entry{entry("1.202.in-addr.arpa.", zone.TypeNS, "\xc0\x0c")}},
		{"short A", "not of that type", []zone.Entry{entry("1.202.in-addr.arpa.", zone.TypeA, "abc")}},
		{"short DS", "not of that type", []zone.Entry{ns("1.202.in-addr.arpa."), entry("1.202.in-addr.arpa.", zone.TypeDS, "abcd")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := &zone.Zone{Apex: testApex(testName), Entries: c.entries}
			_, err := Sign(context.Background(), z, keys, testPolicy(algECDSA), Prior{}, testNow)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error %v does not say %q", err, c.want)
			}
		})
	}
}

func TestSignRefusesKeys(t *testing.T) {
	z, keys := testZone(t, testName, 3), testKeys(t, testName, algECDSA)
	retired, future, foreign, tag := keys[1], keys[1], keys[1], keys[1]
	retired.Timing.Remove = testNow
	future.Timing.Active = testNow.Add(time.Second)
	foreign.Zone = "203.in-addr.arpa."
	tag.Tag = keys[0].Tag
	for _, c := range []struct {
		want string
		keys []Key
	}{
		{"no KSK", nil},
		{"no KSK", keys[1:]},
		{"no ZSK", keys[:1]},
		{"no ZSK", []Key{keys[0], retired}},
		{"no ZSK", []Key{keys[0], future}},
		{"is of zone", []Key{keys[0], foreign}},
		{"one key tag", []Key{keys[0], tag}},
		{"no active ZSK of algorithm 13", append(testKeys(t, testName, algEd25519), keys[0])},
		{"no active KSK of algorithm 13", append(testKeys(t, testName, algEd25519), keys[1])},
	} {
		_, err := Sign(context.Background(), z, c.keys, testPolicy(algECDSA), Prior{}, testNow)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("the error %v does not say %q", err, c.want)
		}
	}
}

// TestCancel: an ended context stops signing and verifying.
func TestCancel(t *testing.T) {
	z, keys := testZone(t, testName, 3000), testKeys(t, testName, algECDSA)
	s := mustSign(t, z, keys, Prior{}, testNow)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Sign(ctx, z, keys, testPolicy(algECDSA), Prior{}, testNow); !errors.Is(err, context.Canceled) {
		t.Errorf("signing ends with %v", err)
	}
	if _, err := Verify(ctx, s, z, keys, testNow); !errors.Is(err, context.Canceled) {
		t.Errorf("verifying ends with %v", err)
	}
}

// TestOrderedError: the first error in order wins, whatever is quicker.
func TestOrderedError(t *testing.T) {
	slow := make(chan struct{})
	early, late := errors.New("early"), errors.New("late")
	worker := func() func(int) (int, error) {
		return func(i int) (int, error) {
			switch i {
			case 3:
				<-slow
				return 0, early
			case 4:
				close(slow)
				return 0, late
			}
			return i, nil
		}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	sum := 0
	err := ordered(context.Background(), 100, worker, func(i int) error { sum += i; return nil })
	if !errors.Is(err, early) || sum != 3 {
		t.Errorf("%v after the sum %d", err, sum)
	}
}

// TestOddNames: names with octets that need escapes, or look like syntax, go the
// whole way.
func TestOddNames(t *testing.T) {
	keys := testKeys(t, testName, algEd25519)
	z := &zone.Zone{Apex: testApex(testName)}
	for i, s := range []string{
		`a\.b.example`, `sp\032ace.example`, `nul\000.example`, `\255\254.example`, `q\"uote.example`, `semi\;colon.example`,
		`par\(en\).example`, `back\\slash.example`, `\@.example`, `$ORIGIN.example`, `0/25.example`, `_under.example`, `!#%&'*+,.example`, ".",
	} {
		target, err := zone.ParseName(s)
		must(t, err)
		parent, _ := testName.Prefix()
		owner := delegation(t, parent, i)
		z.Entries = append(z.Entries, entry(owner, zone.TypeNS, zone.NSData(target)))
		odd, err := zone.ParseName(strings.Split(strings.ReplaceAll(s, "*", "x"), ".example")[0] + "." + string(testName))
		if err == nil && s != "." {
			z.Entries = append(z.Entries, entry(odd, zone.TypeNS, zone.NSData(target)))
		}
	}
	z.SOA.RName = `dot\.ted.registry.example.`
	sortEntries(z)
	for _, policy := range []func(*zone.SigningConfig){nil, nsec3} {
		s := variant{policy: policy}.sign(t, z, keys, testNow)
		if _, err := Verify(context.Background(), s, z, keys, testNow); err != nil {
			t.Error(err)
		}
	}
}

// TestLayout: one record a line with its absolute owner, the SOA first.
func TestLayout(t *testing.T) {
	z, keys := testZone(t, testName, 20), testKeys(t, testName, algECDSA)
	lines := strings.Split(strings.TrimSuffix(string(fileOf(mustSign(t, z, keys, Prior{}, testNow))), "\n"), "\n")
	if want := "202.in-addr.arpa.\t86400\tIN\tSOA\tns1.registry.example. hostmaster.registry.example. 2026112100 7200 1800 604800 3600"; lines[0] != want {
		t.Errorf("the first line is %q", lines[0])
	}
	seen := map[string]bool{}
	for _, l := range lines {
		fields := strings.Split(l, "\t")
		if len(fields) != 5 || !strings.HasSuffix(fields[0], "202.in-addr.arpa.") || fields[2] != "IN" {
			t.Fatalf("line %q", l)
		}
		seen[l] = true
	}
	for _, e := range z.Entries {
		if !seen[e.String()] {
			t.Errorf("the line %q is missing", e.String())
		}
	}
}
