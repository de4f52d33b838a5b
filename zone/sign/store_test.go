package sign

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// A shelf builds a zone again and again with the store that the last build left.
type shelf struct {
	t      testing.TB
	z      *zone.Zone
	keys   []Key
	now    time.Time
	serial zone.Serial
	file   string
	tweak  func(*zone.SigningConfig) // of the policy, if not nil
}

func newShelf(t testing.TB, alg uint8, count int) *shelf {
	return &shelf{
		t: t, z: testZone(t, testName, count), keys: testKeys(t, testName, alg), now: testNow, serial: 7,
		file: filepath.Join(t.TempDir(), testName.File()),
	}
}

func (s *shelf) prior() Prior { return Prior{Serial: s.serial, Known: true} }

func (s *shelf) policy() zone.SigningConfig {
	p := testPolicy(s.keys[0].Algorithm)
	if s.tweak != nil {
		s.tweak(&p)
	}
	return p
}

// open reads the store, which has to be good.
func (s *shelf) open() *Store {
	s.t.Helper()
	st, err := OpenStore(publish.OS, s.file, s.z.Origin, s.keys)
	must(s.t, err)
	return st
}

// with signs and verifies with a store.
func (s *shelf) with(st *Store) *Verified {
	s.t.Helper()
	w, err := Prepare(s.z, s.keys, s.policy(), s.now)
	must(s.t, err)
	signed, err := w.Sign(context.Background(), s.prior(), st)
	must(s.t, err)
	v, err := Verify(context.Background(), signed, s.z, s.keys, s.now)
	must(s.t, err)
	return v
}

func (s *shelf) save(v *Verified) {
	s.t.Helper()
	_, err := v.Store().Save(publish.OS, s.file, s.keys, s.now)
	must(s.t, err)
	s.serial = v.facts.Serial
}

// build is a run: from the file, and into it. What comes out is what comes out
// without a store, and it leaves the store that an empty one would.
func (s *shelf) build() *Verified {
	s.t.Helper()
	v, full := s.with(s.open()), s.with(nil)
	if !bytes.Equal(bytesOf(v), bytesOf(full)) {
		s.t.Fatal("with a store other bytes come out")
	}
	if full.facts.Made != full.facts.Signatures {
		s.t.Fatalf("%d of %d signatures were made without a store", full.facts.Made, full.facts.Signatures)
	}
	a, b := v.facts, full.facts
	a.Made, b.Made = 0, 0
	if a.SHA256 != b.SHA256 || a.Signatures != b.Signatures || a.Due != b.Due || a.Expires != b.Expires || a.Delegations != b.Delegations || a.Body != b.Body {
		s.t.Fatalf("the facts are %+v with a store and %+v without", a, b)
	}
	s.sameStore(v.Store(), full.Store())
	s.save(v)
	return v
}

// sameStore holds two stores against each other, by their index: it has a digest
// of everything.
func (s *shelf) sameStore(a, b *Store) {
	s.t.Helper()
	a.sums()
	b.sums()
	if !bytes.Equal(a.encodeIndex(), b.encodeIndex()) {
		s.t.Fatal("a warm run leaves another store than a cold one")
	}
}

func bytesOf(v *Verified) []byte { return bytes.Join(v.text, nil) }

// TestWarmIsCold: a run from an empty store gives the bytes of one from a warm
// store, with every algorithm, and one that changes nothing signs nothing but what
// has the serial in it.
func TestWarmIsCold(t *testing.T) {
	for alg := range algorithmNames {
		count := 600
		if alg == algRSA {
			count = 60 // slow
		}
		s := newShelf(t, alg, count)
		first := s.build()
		if first.facts.Made != first.facts.Signatures {
			t.Errorf("algorithm %d: the first run made %d of %d signatures", alg, first.facts.Made, first.facts.Signatures)
		}
		if v := s.build(); v.facts.Made != 2 { // SOA, ZONEMD
			t.Errorf("algorithm %d: %d signatures for a new serial", alg, v.facts.Made)
		}
		s.serial-- // the very same zone
		if v := s.build(); v.facts.Made != 0 {
			t.Errorf("algorithm %d: %d signatures for nothing", alg, v.facts.Made)
		}
	}
}

// TestOneChange counts the signatures of the smallest changes.
func TestOneChange(t *testing.T) {
	s := newShelf(t, algEd25519, 700)
	s.build()
	last := func(typ zone.Type) int {
		for i := len(s.z.Entries) / 2; ; i++ {
			if s.z.Entries[i].Type == typ && s.z.Entries[i].Name != s.z.Entries[i+1].Name {
				return i
			}
		}
	}
	remove := func(i, n int) { s.z.Entries = append(s.z.Entries[:i:i], s.z.Entries[i+n:]...) }
	for _, c := range []struct {
		what   string
		made   int
		change func()
	}{
		{"a name server", 2, func() { s.z.Entries[last(zone.TypeNS)].Data = zone.NSData("zzzzzz.example.") }},
		{"the TTL of a delegation", 2, func() {
			for i, e := last(zone.TypeNS), s.z.Entries[last(zone.TypeNS)]; s.z.Entries[i].Name == e.Name; i-- {
				s.z.Entries[i].TTL = 300
			}
		}},
		{"a DS", 3, func() { s.z.Entries[last(zone.TypeDS)].Data = testDS(60000, 4) }},
		{"a delegation added", 4, func() {
			s.z.Entries = append(s.z.Entries, entry("77.77."+testName, zone.TypeNS, zone.NSData("ns.example.")))
			sortEntries(s.z)
		}},
		{"a delegation added with DS", 5, func() {
			s.z.Entries = append(s.z.Entries, entry("78.77."+testName, zone.TypeNS, zone.NSData("ns.example.")), entry("78.77."+testName, zone.TypeDS, testDS(1, 2)))
			sortEntries(s.z)
		}},
		{"a delegation removed", 3, func() {
			remove((&verification{z: s.z}).find("77.77."+testName), 1)
		}},
		{"the SOA's name", 2, func() { s.z.SOA.RName = "other.registry.example." }},
		{"the apex NS", 3, func() { s.z.NS = s.z.NS[:1] }},
	} {
		c.change()
		if v := s.build(); v.facts.Made != c.made {
			t.Errorf("%s: %d signatures, not %d", c.what, v.facts.Made, c.made)
		}
	}
	// What every name depends on.
	s.z.SOA.Minimum--
	if v := s.build(); v.facts.Made < s.names() {
		t.Errorf("the TTL of NSEC: %d signatures", v.facts.Made)
	}
}

func (s *shelf) names() int {
	n, err := newSigning(s.z, s.keys, s.policy(), s.now)
	must(s.t, err)
	count := 0
	for i := range n.nodes {
		if n.nodes[i].kind != glue {
			count++
		}
	}
	return count
}

// TestSpanKeys: everything that the text of a span follows from is in its key.
func TestSpanKeys(t *testing.T) {
	z, keys := testZone(t, testName, 3), testKeys(t, testName, algEd25519)
	keyOf := func(change func(s *signing)) digest {
		t.Helper()
		s, err := newSigning(z, keys, testPolicy(algEd25519), testNow)
		must(t, err)
		change(s)
		s.spans = nil
		s.cutSpans()
		return s.spans[0].key
	}
	want := keyOf(func(*signing) {})
	for what, change := range map[string]func(s *signing){
		"another key with the tag": func(s *signing) {
			s.clock.signers[0][0].Public = testKeys(t, "203.in-addr.arpa.", algEd25519)[1].Public
		},
		"another tag":        func(s *signing) { s.clock.signers[0][0].Tag++ },
		"the validity":       func(s *signing) { s.clock.validity++ },
		"the inception":      func(s *signing) { s.clock.inception++ },
		"the time":           func(s *signing) { s.clock.now += s.clock.slot },
		"the kind of a name": func(s *signing) { s.nodes[0].kind = authoritative },
		"the name after it":  func(s *signing) { s.nodes[len(s.nodes)-1].name = "zz." + testName },
	} {
		if keyOf(change) == want {
			t.Errorf("%s changes, the key stays", what)
		}
	}
	if keyOf(func(*signing) {}) != want {
		t.Error("the key changes by itself")
	}
}

// TestSpanKeyCovers: so is the key of a span with what stands in it, to the last
// bit, and with the name that its last NSEC points at.
func TestSpanKeyCovers(t *testing.T) {
	keyOf := func(change func(s *signing, first, next *node)) digest {
		t.Helper()
		z, keys := testZone(t, testName, 200), testKeys(t, testName, algEd25519)
		s, err := newSigning(z, keys, testPolicy(algEd25519), testNow)
		must(t, err)
		p := s.spans[0]
		change(s, &s.nodes[p.first], &s.nodes[p.last])
		p.sigs, p.cuts = 0, 0
		p.measure(s, newBodyHash())
		return p.key
	}
	same := keyOf(func(*signing, *node, *node) {})
	for what, change := range map[string]func(s *signing, first, next *node){
		"a TTL":             func(s *signing, first, _ *node) { s.z.Entries[first.first].TTL++ },
		"a type":            func(s *signing, first, _ *node) { s.z.Entries[first.first].Type++ },
		"data":              func(s *signing, first, _ *node) { s.z.Entries[first.first].Data += "x" },
		"the name after it": func(_ *signing, _, next *node) { next.name = "zz." + next.name },
		"the SOA's minimum": func(s *signing, _, _ *node) { s.z.SOA.Minimum /= 2 },
	} {
		if keyOf(change) == same {
			t.Errorf("%s changes, the key stays", what)
		}
	}
	if keyOf(func(*signing, *node, *node) {}) != same {
		t.Error("the key changes by itself")
	}
}

// TestStoreDue runs twelve times over a day: each signature that comes due is
// made once, and no other.
func TestStoreDue(t *testing.T) {
	s := newShelf(t, algEd25519, 700)
	total, made := s.build().facts.Signatures, 0
	for range 12 {
		s.now = s.now.Add(2 * time.Hour)
		made += s.build().facts.Made - 2 // SOA and ZONEMD, for the serial
	}
	if made < total/11*8/10 || made > total/11*12/10 {
		t.Errorf("%d of %d signatures were made in a day, %d are due", made, total, total/11)
	}
}

// TestStoreKeyRoll follows a ZSK roll: no more signatures are made than come due,
// a day in which only the DNSKEY set changes makes one for it, and the store can
// be read whatever key has sealed it.
func TestStoreKeyRoll(t *testing.T) {
	s := newShelf(t, algEd25519, 300)
	s.keys = append([]Key{}, s.keys...)
	total := s.build().facts.Signatures
	next, err := makeKey(Step{Zone: testName, Flags: FlagsZSK, Algorithm: algEd25519}, s.keys, s.now, testRandom("next"))
	must(t, err)
	next.Timing = Timing{Created: s.now, Publish: s.now.Add(time.Minute), Ready: s.now.AddDate(0, 0, 1), Active: s.now.AddDate(0, 0, 2)}
	s.keys[1].Timing.Retire, s.keys[1].Timing.Remove = next.Timing.Active, s.now.AddDate(0, 0, 15)
	s.keys = append(s.keys, next)
	s.now = s.now.Add(time.Minute)
	if v := s.build(); v.facts.Made > 3+total/100 { // DNSKEY, SOA, ZONEMD, and what is due in that minute
		t.Errorf("%d signatures when a key is published", v.facts.Made)
	}
	made := 0
	for range 18 {
		s.now = s.now.AddDate(0, 0, 1)
		made += s.build().facts.Made
	}
	if most := total*18/11 + total/5; made > most {
		t.Errorf("%d signatures in 18 days, at most %d come due", made, most)
	}
}

// TestRemovedNames: what left the zone leaves the store.
func TestRemovedNames(t *testing.T) {
	s := newShelf(t, algEd25519, 400)
	v := s.build()
	if !bytes.Contains(read(t, s.file), []byte("\n5.0.202.in-addr.arpa.\t")) {
		t.Fatal("the name is not in the store to begin with")
	}
	size, blocks := len(read(t, s.file)), len(v.blocks)
	s.z = testZone(t, testName, 400)
	var kept []zone.Entry
	for _, e := range s.z.Entries {
		if !e.Name.Within("0." + testName) {
			kept = append(kept, e)
		}
	}
	s.z.Entries = kept
	if v = s.build(); len(v.blocks) >= blocks {
		t.Errorf("%d blocks after %d", len(v.blocks), blocks)
	}
	data := read(t, s.file)
	if bytes.Contains(data, []byte("\n5.0.202.in-addr.arpa.\t")) || len(data) > size/2 {
		t.Errorf("the names are in the store still: %d octets of %d", len(data), size)
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	return data
}

// TestStoreFile: private, written only when something changed.
func TestStoreFile(t *testing.T) {
	s := newShelf(t, algEd25519, 100)
	st, err := OpenStore(publish.OS, s.file, s.z.Origin, s.keys)
	if err != nil || len(st.blocks) != 0 {
		t.Fatal("no file:", err)
	}
	s.build()
	info, err := os.Stat(s.file)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	s.serial--
	v := s.with(s.open())
	written, err := v.Store().Save(publish.OS, s.file, s.keys, s.now)
	if written || err != nil {
		t.Errorf("the same store is written again: %v, %v", written, err)
	}
	if _, err := v.Store().Save(publish.OS, s.file, s.keys[:1], s.now); err != nil {
		t.Error(err)
	}
	v = s.with(nil)
	if _, err = v.Store().Save(publish.OS, s.file, nil, s.now); err == nil || !strings.Contains(err.Error(), "no key is active") {
		t.Errorf("sealed without a key: %v", err)
	}
	entries, err := os.ReadDir(filepath.Dir(s.file))
	must(t, err)
	if len(entries) != 1 {
		t.Errorf("%v are left", entries)
	}
}

// TestTamperedStore changes a bit in every region of the file, and cuts it: all of
// it is noticed, and nothing of it is used.
func TestTamperedStore(t *testing.T) {
	s := newShelf(t, algECDSA, 60)
	s.build()
	good := read(t, s.file)
	index := int(binary.BigEndian.Uint64(good[storeHead-8:]))
	refused := func(what string, data []byte) {
		t.Helper()
		must(t, os.WriteFile(s.file, data, 0o600))
		st, err := OpenStore(publish.OS, s.file, testName, s.keys)
		if err == nil || len(st.blocks) != 0 || st.apex != nil {
			t.Errorf("%s: %v, %d blocks", what, err, len(st.blocks))
			return
		}
		if !strings.Contains(err.Error(), "made anew") {
			t.Errorf("%s: %v", what, err)
		}
	}
	step := 1 + len(good)/1500
	for i := 0; i < len(good); i++ {
		if i > storeHead+300 && i < storeHead+index-100 || i > storeHead+index+200 {
			i += step
		}
		if i < len(good) {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << (i % 8)
			refused(fmt.Sprint("a bit in octet ", i), bad)
		}
	}
	for i := 0; i < len(good); i += 1 + len(good)/200 {
		refused("cut", good[:i])
	}
	for _, i := range []int{storeHead, storeHead + index, storeHead + index + 33, storeHead + index + 36, len(good) - 1} {
		refused("cut", good[:i])
	}
	refused("longer", append(bytes.Clone(good), 0))
	refused("twice", append(bytes.Clone(good), good...))
	huge := bytes.Clone(good)
	binary.BigEndian.PutUint64(huge[storeHead-8:], 1<<63)
	refused("a length that overflows", huge)
	// And the run after it is like any other.
	if v := s.build0(); v.facts.Made != v.facts.Signatures {
		t.Errorf("%d signatures made", v.facts.Made)
	}
	if v := s.build(); v.facts.Made != 2 {
		t.Errorf("%d signatures after the store was rebuilt", v.facts.Made)
	}
}

// build0 is build with a file that is not good.
func (s *shelf) build0() *Verified {
	s.t.Helper()
	st, err := OpenStore(publish.OS, s.file, s.z.Origin, s.keys)
	if err == nil {
		s.t.Fatal("the store is good")
	}
	v := s.with(st)
	s.save(v)
	return v
}
