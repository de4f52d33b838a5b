package sign

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
)

var testNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func testPolicy(alg uint8) zone.SigningConfig {
	const day = 24 * time.Hour
	return zone.SigningConfig{Algorithm: alg, Validity: 21 * day, Slot: 11 * day, Inception: time.Hour, Alarm: 9 * day, DNSKEYTTL: 3600}
}

// testRandom is a stream of bytes that is the same for the same seed.
func testRandom(seed string) io.Reader { return rand.NewChaCha8(sha256.Sum256([]byte(seed))) }

// makeKeys makes the keys of a zone that was never published.
func makeKeys(fsys publish.FS, dir string, name zone.Name, p zone.SigningConfig, now time.Time, random io.Reader) ([]Step, error) {
	w := Work{FS: fsys, Dir: dir, Zone: name, Policy: Policy{SigningConfig: p}, Random: random}
	_, steps, err := w.Init(Evidence{}, now)
	return steps, err
}

// testKeys returns a KSK and a ZSK, 90 days old, the same for the whole process:
// RSA keys take their time.
func testKeys(t testing.TB, name zone.Name, alg uint8) []Key {
	t.Helper()
	keysMade.Lock()
	defer keysMade.Unlock()
	id := fmt.Sprint(name, alg)
	if keysMade.keys[id] == nil {
		dir := t.TempDir()
		_, err := makeKeys(publish.OS, dir, name, testPolicy(alg), testNow.Add(-90*24*time.Hour), testRandom(string(name)))
		if err == nil {
			keysMade.keys[id], err = LoadKeys(dir, name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return slices.Clone(keysMade.keys[id])
}

var keysMade = struct {
	sync.Mutex
	keys map[string][]Key
}{keys: map[string][]Key{}}

func testApex(name zone.Name) zone.Apex {
	return zone.Apex{
		Origin: name, NS: []zone.Name{"ns1.registry.example.", "ns2.registry.example."},
		SOA: zone.SOA{MName: "ns1.registry.example.", RName: "hostmaster.registry.example.", Refresh: 7200, Retry: 1800, Expire: 604800, Minimum: 3600, TTL: 86400},
		TTL: zone.TTL{Fixed: 86400},
	}
}

// testZone makes a zone with count delegations: two or three name servers each,
// DS for some, and some with glue; in the IPv4 tree also the CNAMEs of RFC 2317
// and an address of the registry's own.
func testZone(t testing.TB, name zone.Name, count int) *zone.Zone {
	t.Helper()
	z := &zone.Zone{Apex: testApex(name), Inputs: []zone.Input{{Source: "TEST", File: "test"}}}
	parent, ok := name.Prefix()
	if !ok {
		t.Fatalf("%s is no reverse zone", name)
	}
	for i := range count {
		owner := delegation(t, parent, i)
		for j := range 2 + i%2 {
			z.Entries = append(z.Entries, entry(owner, zone.TypeNS, zone.NSData(zone.Name(fmt.Sprintf("ns%d.isp%d.example.", j, i%997)))))
		}
		if i%100 == 3 {
			z.Entries = append(z.Entries, entry(owner, zone.TypeDS, testDS(i, 2)), entry(owner, zone.TypeDS, testDS(i, 4)))
		}
		if i%200 == 5 {
			ns := "ns." + owner
			z.Entries = append(z.Entries, entry(owner, zone.TypeNS, zone.NSData(ns)), entry(ns, zone.TypeA, "\xc0\x00\x02\x01"),
				entry(ns, zone.TypeAAAA, zone.Data(netip.MustParseAddr("2001:db8::1").AsSlice())))
		}
		if i%200 == 7 { // the name server is the delegated name itself
			z.Entries = append(z.Entries, entry(owner, zone.TypeNS, zone.NSData(owner)), entry(owner, zone.TypeA, "\xc0\x00\x02\x02"))
		}
	}
	if parent.Addr().Is4() && count > 0 {
		classless(z, zone.Name("254.254."+name))
	}
	sortEntries(z)
	return z
}

func classless(z *zone.Zone, net zone.Name) {
	sub := "0-3." + net
	z.Entries = append(z.Entries, entry(sub, zone.TypeNS, zone.NSData("ns.customer.example.")), entry(sub, zone.TypeNS, zone.NSData("ns.own."+z.Origin)))
	for i := range 4 {
		host := zone.Name(fmt.Sprintf("%d.", i))
		z.Entries = append(z.Entries, entry(host+net, zone.TypeCNAME, zone.NSData(host+sub)))
	}
	z.Entries = append(z.Entries, entry("ns.own."+z.Origin, zone.TypeA, "\xc0\x00\x02\x35"))
}

func sortEntries(z *zone.Zone) {
	slices.SortFunc(z.Entries, func(a, b zone.Entry) int { return a.Compare(b.Record) })
}

func entry(owner zone.Name, t zone.Type, data zone.Data) zone.Entry {
	return zone.Entry{Record: zone.Record{Name: owner, Type: t, TTL: 86400, Data: data}, Line: 1}
}

func testDS(i int, digest byte) zone.Data {
	b := binary.BigEndian.AppendUint16(nil, uint16(i))
	sum := sha256.Sum256(b)
	b = append(append(b, 13, digest), sum[:]...)
	if digest == 4 {
		b = append(b, sum[:16]...)
	}
	return zone.Data(b)
}

// delegation returns the i-th /24, or nibble below a /32, of a zone.
func delegation(t testing.TB, parent netip.Prefix, i int) zone.Name {
	t.Helper()
	var p netip.Prefix
	if a := parent.Addr(); a.Is4() {
		o := a.As4()
		o[1], o[2] = byte(i>>8), byte(i)
		p = netip.PrefixFrom(netip.AddrFrom4(o), 24)
	} else {
		o := a.As16()
		o[3], o[4], o[5] = byte(i>>16), byte(i>>8), byte(i)
		p = netip.PrefixFrom(netip.AddrFrom16(o), 48)
	}
	n, err := zone.ReverseName(p)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
