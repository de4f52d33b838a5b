package sign

import (
	"crypto/sha256"
	"slices"

	"nirzone/zone"
)

// A Store is what is kept of a zone that was signed and verified, so that the
// next run signs and verifies only what changed. It is a cache: without it, or
// with part of it, the same bytes come out, later.
//
// It is made by [OpenStore] from a file, or of a [Verified] zone, so nothing gets
// in that was not verified. It holds
//
//   - blocks: runs of names (spans) with their text, their canonical wire form
//     and what the verifier found in them. A block is found by a digest of all that
//     its text follows from: zone, names, types, TTLs and data, the slot of each
//     name and the public key that signs it, the times of signatures relative to a
//     slot, the TTL of NSEC, the name that follows, and the form of the text;
//   - the apex, in wire form;
//   - with these, every single signature. One that is not in a block that is used
//     whole is found by the DNSKEY data of its key and its input, which has slot
//     and set in it.
//
// What a stored verdict stands on is said at [Verify]. Names that left the zone
// leave the store with the next one: what is opened or made is never more than its
// zone. In its file their blocks stay, of no use, until that is written whole again:
// an eighth of its data at most, see [Store.Save].
type Store struct {
	zone   zone.Name
	apex   *block // wire and keys only
	blocks []*block
	byKey  map[digest]*block
	from   *Store  // that it followed; nil if nothing of it is in a file
	disk   *onDisk // what it was opened with
	torn   bool    // the file of its changes was not good, and is to be replaced
}

// A block is a span that was verified. Nothing in it changes once it is made.
type block struct {
	key  digest // of the span
	sum  digest // of text and wire together; zero if it was not computed yet
	text []byte
	data []byte // text and wire where they stand together in a file that was read; nil else
	piece
}

// find returns the block with a key, nil if there is none.
func (st *Store) find(key digest) *block {
	if st == nil {
		return nil
	}
	return st.byKey[key]
}

// all returns every block, the apex too.
func (st *Store) all() []*block {
	if st.apex == nil {
		return st.blocks
	}
	return append([]*block{st.apex}, st.blocks...)
}

// index fills in byKey.
func (st *Store) index() {
	st.byKey = make(map[digest]*block, len(st.blocks))
	for _, b := range st.blocks {
		st.byKey[b.key] = b
	}
}

// sums computes the digests of blocks that have none.
func (st *Store) sums() {
	list := st.all()
	shares(len(list), func(from, to int) {
		for _, b := range list[from:to] {
			if b.sum == (digest{}) {
				b.sum = b.digest()
			}
		}
	})
}

// size is what its data takes, in octets.
func (b *block) size() int { return len(b.text) + len(b.wire) }

func (b *block) digest() (d digest) {
	h := sha256.New()
	h.Write(b.text)
	h.Write(b.wire)
	h.Sum(d[:0])
	return d
}

// Store returns what is to be kept of the zone.
func (v *Verified) Store() *Store {
	st := &Store{zone: v.facts.Zone, apex: v.apex, blocks: v.blocks, from: v.from}
	st.index()
	return st
}

// unchanged reports whether a store has what the one it followed has.
func (st *Store) unchanged() bool {
	return st.from != nil && st.from.apex != nil && !st.from.torn && slices.Equal(st.apex.wire, st.from.apex.wire) &&
		slices.Equal(st.apex.keys, st.from.apex.keys) && slices.Equal(st.blocks, st.from.blocks)
}
