package sign

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// forge writes a store whose digests are all right, sealed as seal does it.
func (s *shelf) forge(st *Store, seal func(sum digest) (uint16, []byte)) {
	s.t.Helper()
	st.sums()
	index := st.encodeIndex()
	b := binary.BigEndian.AppendUint32([]byte(storeMagic), storeVersion)
	b = append(binary.BigEndian.AppendUint64(b, uint64(len(index))), index...)
	sum := sha256.Sum256(b)
	tag, sig := seal(sum)
	b = append(b, sum[:]...)
	b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, tag), uint16(len(sig)))
	b = append(b, sig...)
	var out bytes.Buffer
	must(s.t, writeSealed(&out, b, st.all()))
	must(s.t, os.WriteFile(s.file, out.Bytes(), 0o600))
}

// TestForgedStore: a store that says what its maker likes, with every digest
// right, is refused unless a key of this zone has sealed it.
func TestForgedStore(t *testing.T) {
	s := newShelf(t, algECDSA, 60)
	v := s.build()
	zsk := s.keys[1]
	sealed := func(k Key) func(digest) (uint16, []byte) {
		return func(sum digest) (uint16, []byte) {
			_, sig, err := makeSeal(sum, []Key{k}, testNow)
			must(t, err)
			return zsk.Tag, sig
		}
	}
	other := testKeys(t, "203.in-addr.arpa.", algECDSA)[1]
	other.Zone = testName
	for _, c := range []struct {
		what string
		seal func(digest) (uint16, []byte)
	}{
		{"without a seal", func(digest) (uint16, []byte) { return 0, nil }},
		{"with an empty seal", func(digest) (uint16, []byte) { return zsk.Tag, nil }},
		{"with an old seal", func(digest) (uint16, []byte) {
			_, sig, err := makeSeal(digest{}, s.keys, testNow)
			must(t, err)
			return zsk.Tag, sig
		}},
		{"sealed by another key", sealed(other)},
	} {
		s.forge(v.Store(), c.seal)
		if st, err := OpenStore(publish.OS, s.file, testName, s.keys); err == nil || !strings.Contains(err.Error(), "not sealed by a key of the zone") || len(st.blocks) > 0 {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	s.forge(v.Store(), sealed(zsk)) // so it is the seal that mattered
	if st, err := OpenStore(publish.OS, s.file, testName, s.keys); err != nil || len(st.blocks) != len(v.blocks) {
		t.Errorf("a good seal: %v", err)
	}
}

// TestForeignStore: the stores of two zones, exchanged, and those of other
// versions are refused; with the keys of both zones, too.
func TestForeignStore(t *testing.T) {
	const otherName = zone.Name("203.in-addr.arpa.")
	s := newShelf(t, algECDSA, 60)
	s.z, s.keys = testZone(t, otherName, 60), testKeys(t, otherName, algECDSA)
	s.build()
	both := append(testKeys(t, testName, algECDSA), s.keys...)
	if _, err := OpenStore(publish.OS, s.file, testName, both); err == nil || !strings.Contains(err.Error(), "of the zone 203") {
		t.Errorf("the store of another zone: %v", err)
	}
	if _, err := OpenStore(publish.OS, s.file, testName, both[:2]); err == nil || !strings.Contains(err.Error(), "not sealed") {
		t.Errorf("the store of another zone: %v", err)
	}
	data := read(t, s.file)
	for _, version := range []uint32{0, storeVersion + 1} {
		binary.BigEndian.PutUint32(data[len(storeMagic):], version)
		must(t, os.WriteFile(s.file, data, 0o600))
		if _, err := OpenStore(publish.OS, s.file, otherName, s.keys); err == nil || !strings.Contains(err.Error(), "of version") {
			t.Errorf("version %d: %v", version, err)
		}
	}
	must(t, os.Remove(s.file))
	must(t, os.Mkdir(s.file, 0o700))
	if _, err := OpenStore(publish.OS, s.file, otherName, s.keys); err == nil {
		t.Error("a folder is a store")
	}
}

// TestVerdictStands: a stored verdict is not taken when anything that it stands on
// is not there. The store is spoiled in memory, behind the seal: what Verify does
// not check again would come through.
func TestVerdictStands(t *testing.T) {
	for _, c := range []struct {
		what, want string
		spoil      func(s *shelf, b *block)
	}{
		{"nothing", "", func(*shelf, *block) {}},
		{"a signature in the text", "does not verify", func(_ *shelf, b *block) {
			i := bytes.Index(b.text, []byte("NSEC 15 ")) // another text than the verdict is about
			b.text = bytes.Clone(b.text)
			j := i + bytes.IndexByte(b.text[i:], '\n') - 20
			b.text[j] ^= 1
			b.scope = digest{}
		}},
		{"the records", "merged zone has", func(s *shelf, b *block) {
			i := (&verification{z: s.z}).find(zone.Name(b.firstName))
			s.z.Entries[i].Data = zone.NSData("aaa.example.")
		}},
		{"a TTL", "merged zone has", func(s *shelf, b *block) {
			i := (&verification{z: s.z}).find(zone.Name(b.firstName))
			s.z.Entries[i].TTL--
		}},
		{"a record too many", "merged zone", func(s *shelf, b *block) {
			i := (&verification{z: s.z}).find(zone.Name(b.firstName))
			s.z.Entries = append(s.z.Entries[:i:i], s.z.Entries[i+1:]...)
		}},
		{"a record too few", "missing", func(s *shelf, b *block) {
			i := (&verification{z: s.z}).find(zone.Name(b.firstName))
			e := s.z.Entries[i]
			e.Data = zone.NSData("zzzzzzzzzz.example.")
			for s.z.Entries[i].Name == e.Name && s.z.Entries[i].Type == zone.TypeNS {
				i++
			}
			s.z.Entries = append(s.z.Entries[:i:i], append([]zone.Entry{e}, s.z.Entries[i:]...)...)
		}},
		{"the times", "", func(s *shelf, b *block) { b.expires = s.now.Unix() }}, // looked at again
		{"the beginning", "", func(s *shelf, b *block) { b.begins = s.now.Unix() + 1 }},
		{"the keys", "", func(_ *shelf, b *block) { b.keys = []usedKey{{1, digest{}}} }},
	} {
		t.Run(c.what, func(t *testing.T) {
			s := newShelf(t, algEd25519, 200)
			st := s.build().Store()
			w, err := Prepare(s.z, s.keys, s.policy(), s.now)
			must(t, err)
			victim := st.blocks[len(st.blocks)/2]
			spoiled := *victim
			before := spoiled
			c.spoil(s, &spoiled)
			*victim = spoiled
			signed, err := w.Sign(context.Background(), s.prior(), st)
			must(t, err)
			if signed.facts.Made > 2 {
				t.Fatalf("%d signatures were made: the block was not used", signed.facts.Made)
			}
			v, err := Verify(context.Background(), signed, s.z, s.keys, s.now)
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Fatalf("the error %v does not say %q", err, c.want)
			case c.want == "":
				mended := v.blocks[len(st.blocks)/2]
				if mended.expires != before.expires || mended.begins != before.begins || mended.keys[0] != before.keys[0] {
					t.Error("the next store has the spoiled verdict")
				}
			}
		})
	}
}

// TestVerdictTime: a zone whose blocks are all in the store is refused once a
// signature has ended, and before it begins.
func TestVerdictTime(t *testing.T) {
	s := newShelf(t, algEd25519, 100)
	st := s.build().Store()
	w, err := Prepare(s.z, s.keys, s.policy(), s.now)
	must(t, err)
	signed, err := w.Sign(context.Background(), s.prior(), st)
	must(t, err)
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{
		{0, true},
		{w.facts.Expires.Sub(s.now) - time.Second, true},
		{w.facts.Expires.Sub(s.now), false},
		{-30 * 24 * time.Hour, false},
	} {
		if _, err := Verify(context.Background(), signed, s.z, s.keys, s.now.Add(c.after)); (err == nil) != c.want || err != nil && !strings.Contains(err.Error(), "is valid from") {
			t.Errorf("%v later: %v", c.after, err)
		}
	}
}

// TestVerdictKeys: a verdict is worth nothing under another key with the same tag.
func TestVerdictKeys(t *testing.T) {
	s := newShelf(t, algEd25519, 100)
	st := s.build().Store()
	p := &verification{keys: map[uint16]keyUse{}, now: s.now, z: s.z, origin: string(s.z.Origin), scope: st.blocks[0].scope}
	key := st.blocks[0].keys[0]
	c := claim{st.blocks[0].text, &part{key: st.blocks[0].key, stored: st.blocks[0]}}
	p.keys[key.tag] = keyUse{publicKey: &publicKey{data: key.key}, zone: true}
	if _, ok := p.stands(c); !ok {
		t.Error("it does not stand as it is")
	}
	p.keys[key.tag] = keyUse{publicKey: &publicKey{data: digest{1}}, zone: true}
	if _, ok := p.stands(c); ok {
		t.Error("it stands with another key of the tag")
	}
	delete(p.keys, key.tag)
	if _, ok := p.stands(c); ok {
		t.Error("it stands without its key")
	}
	p.keys[key.tag], p.scope = keyUse{publicKey: &publicKey{data: key.key}, zone: true}, digest{}
	if _, ok := p.stands(c); ok {
		t.Error("it stands in another scope")
	}
	p.scope, c.text = st.blocks[0].scope, append(bytes.Clone(c.text), '\n')
	if _, ok := p.stands(c); ok {
		t.Error("it stands for another text")
	}
}

// TestProven: a single signature is known for its key and its data only.
func TestProven(t *testing.T) {
	s := newShelf(t, algEd25519, 60)
	st := s.build().Store()
	k := st.known(nil)
	if want := len(signaturesIn(st)); len(k) != want {
		t.Fatalf("%d signatures are known of %d", len(k), want)
	}
	made := proven{knownKey(digest{1}, []byte("data")): {1, 2}}
	for _, c := range []struct {
		key       digest
		data, sig string
		want      bool
	}{{digest{1}, "data", "\x01\x02", true}, {digest{2}, "data", "\x01\x02", false}, {digest{1}, "datA", "\x01\x02", false}, {digest{1}, "data", "\x01\x03", false}, {digest{1}, "data", "", false}} {
		if got := made.has(c.key, []byte(c.data), []byte(c.sig)); got != c.want {
			t.Errorf("%x, %q, %q: %v", c.key[:1], c.data, c.sig, got)
		}
	}
	v := &verification{}
	if v.known.has(digest{}, nil, nil) || k.has(digest{}, nil, nil) || (proven{knownKey(digest{}, nil): {1}}).has(digest{}, nil, nil) {
		t.Error("no signature is known to be good")
	}
	for _, b := range st.all() { // a wire form that ends anywhere does no harm
		for i := range b.wire {
			proven{}.add(&block{piece: piece{wire: b.wire[:i], keys: b.keys}})
		}
	}
}

func signaturesIn(st *Store) []wireRecord {
	var list []wireRecord
	for _, b := range st.all() {
		for wire := b.wire; len(wire) > 0; {
			r, rest, _ := nextRecord(wire)
			if wire = rest; r.typ == zone.TypeRRSIG {
				list = append(list, r)
			}
		}
	}
	return list
}
