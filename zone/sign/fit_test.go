package sign

import (
	"strings"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// servedBy is what another signer serves with keys, of which some sign.
func servedBy(keys []Key, signs ...Key) *zone.Served {
	s := &zone.Served{Origin: testName, SOA: zone.SOA{TTL: 86400}, Denial: "NSEC", DenialTTL: 3600}
	for _, k := range keys {
		s.Records = append(s.Records, zone.Record{Name: testName, Type: zone.TypeDNSKEY, TTL: 3600, Data: zone.Data(k.rdata())})
	}
	s.Records = append(s.Records, zone.Record{Name: "1." + testName, Type: zone.TypeNS, TTL: 172800, Data: zone.NSData("a.example.")})
	for _, k := range signs {
		by := zone.ServedSigner{Tag: k.Tag, Algorithm: k.Algorithm, Zone: 9}
		if k.Flags == FlagsKSK {
			by.Keys, by.Zone = 1, 0
		}
		s.Signatures.By = append(s.Signatures.By, by)
		s.Signatures.Count++
	}
	return s
}

func TestFit(t *testing.T) {
	two := testKeys(t, testName, algECDSA)
	ksk, zsk := two[0], two[1]
	next := testKeys(t, "42.in-addr.arpa.", algECDSA)[1] // another ZSK
	next.Zone, next.ID = testName, "K"+string(testName)+"+013+next"
	day := func(d int) time.Time { return testNow.AddDate(0, 0, d) }
	times := func(k Key, t Timing) Key { k.Timing = t; return k }
	active := Timing{Created: day(-90), Publish: day(-90), Ready: day(-90), Active: day(-90)}
	const stay = 11 + 2 + 1 // a slot, the longest TTL, propagation
	for name, tt := range map[string]struct {
		keys   []Key
		served *zone.Served
		drop   []uint16
		want   []Timing
		remark string
		block  string
	}{
		"as they should be": {[]Key{times(ksk, active), times(zsk, active)}, servedBy(two, two...), nil, []Timing{active, active}, "", ""},
		"no times at all": {
			[]Key{times(ksk, active), times(zsk, Timing{})},
			servedBy(two, two...), nil,
			[]Timing{active, {Created: day(0), Publish: day(0), Ready: day(0), Active: day(0)}},
			"", "",
		},
		"it signs before its time": {
			[]Key{times(ksk, active), times(zsk, Timing{Created: day(-9), Publish: day(-9), Ready: day(5), Active: day(5)})},
			servedBy(two, two...), nil,
			[]Timing{active, {Created: day(-9), Publish: day(-9), Ready: day(-9), Active: day(-9)}},
			"signs already", "",
		},
		"an end without successor": {
			[]Key{times(ksk, active), times(zsk, Timing{Created: day(-90), Publish: day(-90), Ready: day(-90), Active: day(-90), Retire: day(3), Remove: day(20)})},
			servedBy(two, two...), nil,
			[]Timing{active, active},
			"is dropped", "",
		},
		"not served": {[]Key{times(ksk, active), times(zsk, active), times(next, active)}, servedBy(two, two...), nil, []Timing{active, active}, "is left out", ""},
		"a successor is served": {
			[]Key{times(ksk, active), times(zsk, Timing{Created: day(-90), Publish: day(-90), Ready: day(-90), Active: day(-90), Retire: day(3), Remove: day(4)}), times(next, Timing{Created: day(-3), Publish: day(-3), Ready: day(3), Active: day(3)})},
			servedBy([]Key{ksk, zsk, next}, ksk, zsk), nil,
			[]Timing{active, {Created: day(-90), Publish: day(-90), Ready: day(-90), Active: day(-90), Retire: day(3), Remove: day(3 + stay)}, {Created: day(-3), Publish: day(-3), Ready: day(3), Active: day(3)}},
			"stays in the DNSKEY set until", "",
		},
		"retired and served": {
			[]Key{times(ksk, active), times(zsk, Timing{Created: day(-90), Publish: day(-90), Ready: day(-90), Active: day(-90), Retire: day(-1), Remove: day(1)}), times(next, Timing{Created: day(-3), Publish: day(-3), Ready: day(-1), Active: day(-1)})},
			servedBy([]Key{ksk, zsk, next}, ksk, next), nil,
			[]Timing{active, {Created: day(-90), Publish: day(-90), Ready: day(-90), Active: day(-90), Retire: day(-1), Remove: day(-1 + stay)}, {Created: day(-3), Publish: day(-3), Ready: day(-1), Active: day(-1)}},
			"stays in the DNSKEY set until", "",
		},
		"retired a second before its successor": {
			[]Key{times(ksk, active), times(zsk, Timing{Created: day(-90), Publish: day(-90), Ready: day(-90), Active: day(-90), Retire: day(-1).Add(-time.Second), Remove: day(60)}), times(next, Timing{Created: day(-3), Publish: day(-3), Ready: day(-1), Active: day(-1)})},
			servedBy([]Key{ksk, zsk, next}, ksk, next), nil,
			[]Timing{active, {Created: day(-90), Publish: day(-90), Ready: day(-90), Active: day(-90), Retire: day(-1).Add(-time.Second), Remove: day(60)}, {Created: day(-3), Publish: day(-3), Ready: day(-1), Active: day(-1)}},
			"", "",
		},
		"it signs although removed": {
			[]Key{times(ksk, active), times(zsk, Timing{Created: day(-90), Publish: day(-90), Ready: day(-90), Active: day(-90), Retire: day(-60), Remove: day(-50)}), times(next, Timing{Created: day(-90), Publish: day(-90), Ready: day(-60), Active: day(-60)})},
			servedBy([]Key{ksk, zsk, next}, ksk, zsk, next), nil,
			[]Timing{active, {Created: day(-90), Publish: day(-90), Ready: day(-90), Active: day(-90), Retire: day(-60), Remove: day(stay)}, {Created: day(-90), Publish: day(-90), Ready: day(-60), Active: day(-60)}},
			"signs still", "",
		},
		"a signer is missing":  {[]Key{times(ksk, active)}, servedBy(two, two...), nil, []Timing{active}, "", "made 9 signatures"},
		"a standby is missing": {[]Key{times(ksk, active), times(zsk, active)}, servedBy([]Key{ksk, zsk, next}, ksk, zsk), nil, []Timing{active, active}, "", "--drop-key"},
		"a standby goes":       {[]Key{times(ksk, active), times(zsk, active)}, servedBy([]Key{ksk, zsk, next}, ksk, zsk), []uint16{next.Tag}, []Timing{active, active}, "as was asked for", ""},
		"a signer cannot go":   {[]Key{times(ksk, active)}, servedBy(two, two...), []uint16{zsk.Tag}, []Timing{active}, "", "made 9 signatures"},
		"unsigned":             {[]Key{times(ksk, active), times(zsk, active)}, servedBy(nil), nil, []Timing{active, active}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := Fit(tt.keys, tt.served, tt.drop, testPolicy(algECDSA), testNow)
			var got []Timing
			for _, k := range f.Keys {
				got = append(got, k.Timing)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("%+v", f)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("key %d: %+v, not %+v", i, got[i], tt.want[i])
				}
			}
			for _, c := range []struct {
				got  []string
				want string
			}{{f.Remarks, tt.remark}, {f.Blocks, tt.block}} {
				if all := strings.Join(c.got, "\n"); (c.want == "") != (all == "") || !strings.Contains(all, c.want) {
					t.Errorf("%q, want %q", all, c.want)
				}
			}
		})
	}
}

// TestFitCSK: what a key is for is seen in what it signed, whatever its files say.
func TestFitCSK(t *testing.T) {
	k := testKeys(t, testName, algECDSA)[0]
	served := servedBy([]Key{k})
	served.Signatures.By = []zone.ServedSigner{{Tag: k.Tag, Algorithm: k.Algorithm, Keys: 1, Zone: 9}}
	served.Signatures.Count = 10
	f := Fit([]Key{k}, served, nil, testPolicy(algECDSA), testNow)
	if len(f.Keys) != 1 || !f.Keys[0].CSK || len(f.Blocks) > 0 {
		t.Fatalf("%+v", f)
	}
	dir := t.TempDir()
	if _, err := Import(publish.OS, dir, testName, f.Keys); err != nil {
		t.Fatal(err)
	}
	if keys, err := LoadKeys(dir, testName); err != nil || len(keys) != 1 || !keys[0].CSK {
		t.Errorf("%v, %v", keys, err)
	}
}
