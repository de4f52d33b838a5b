package sign

import (
	"encoding/binary"
	"errors"
	"math"

	"nirzone/zone"
)

// The index, in which a number is an unsigned varint, a string its length as a
// number and its octets, and a digest 32 octets. No number is longer than it
// need be: what decodes has one encoding.
//
//	zone      string, in text
//	count     of blocks; the first is the apex
//	blocks    each: key, sum and scope, digests; length of text and of wire;
//	          first and last name and last delegation, strings, in wire form;
//	          first name and first and next name of the chain, strings, in text;
//	          number of signatures and of delegations, latest beginning and earliest
//	          end of a signature, seconds since 1970, numbers; number of keys; for
//	          each its tag, a number, and the digest of its DNSKEY data
//
// Of the apex only wire and keys are there, the rest is empty.

// encodeIndex needs the sums of all blocks.
func (st *Store) encodeIndex() []byte {
	b := appendString(nil, string(st.zone))
	list := st.all()
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, k := range list {
		b = k.appendIndex(b)
	}
	return b
}

func appendString[S ~string | ~[]byte](b []byte, s S) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func (k *block) appendIndex(b []byte) []byte {
	b = append(append(append(b, k.key[:]...), k.sum[:]...), k.scope[:]...)
	b = binary.AppendUvarint(b, uint64(len(k.text)))
	b = binary.AppendUvarint(b, uint64(len(k.wire)))
	b = appendString(appendString(appendString(b, k.first), k.last), k.cut)
	b = appendString(appendString(appendString(b, k.firstName), k.chained), k.next)
	for _, n := range [...]int64{int64(k.sigs), int64(k.delegations), k.begins, k.expires, int64(len(k.keys))} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	for _, u := range k.keys {
		b = append(binary.AppendUvarint(b, uint64(u.tag)), u.key[:]...)
	}
	return b
}

// maxNumber bounds every number: nothing in a store is larger, and no sum of a
// few overflows.
const maxNumber = 1 << 40

var errIndex = errors.New("it does not decode")

// An indexReader decodes an index. After the first mistake it returns zeros.
type indexReader struct {
	b   []byte
	bad bool
}

// number reads a number in its one form: a store has one encoding.
func (r *indexReader) number() int64 { return r.upTo(maxNumber) }

func (r *indexReader) upTo(most uint64) int64 {
	n, l := binary.Uvarint(r.b)
	if l <= 0 || n > most || l > 1 && r.b[l-1] == 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[l:]
	return int64(n)
}

func (r *indexReader) take(n int64) []byte {
	if n < 0 || n > int64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *indexReader) bytes() []byte { return r.take(r.number()) }

func (r *indexReader) digest() (d digest) {
	copy(d[:], r.take(int64(len(d))))
	return d
}

// decodeIndex returns the store of an index and its data.
func decodeIndex(index, data []byte) (*Store, error) {
	r := &indexReader{b: index}
	st := &Store{zone: zone.Name(r.bytes())}
	count := r.number()
	if count < 1 || count > int64(len(r.b))/100 { // three digests each
		return nil, errIndex
	}
	arena := make([]block, count)
	for i := range arena {
		if data = arena[i].decode(r, data); r.bad {
			return nil, errIndex
		}
		st.blocks = append(st.blocks, &arena[i])
	}
	if len(r.b) > 0 || len(data) > 0 {
		return nil, errors.New("something follows its end")
	}
	st.apex, st.blocks = st.blocks[0], st.blocks[1:]
	st.index()
	return st, nil
}

// decode reads one block and returns the data after its own.
func (k *block) decode(r *indexReader, data []byte) []byte {
	k.key, k.sum, k.scope = r.digest(), r.digest(), r.digest()
	text, wire := r.number(), r.number()
	k.first, k.last, k.cut = r.bytes(), r.bytes(), r.bytes()
	k.firstName, k.chained, k.next = string(r.bytes()), string(r.bytes()), string(r.bytes())
	k.sigs, k.delegations = int(r.number()), int(r.number())
	k.begins, k.expires = r.number(), r.number()
	keys := r.number()
	if keys > int64(len(r.b)) || text+wire > int64(len(data)) {
		r.bad = true
		return nil
	}
	for range keys {
		k.keys = append(k.keys, usedKey{uint16(r.upTo(math.MaxUint16)), r.digest()})
	}
	k.data = data[:text+wire]
	k.text, k.wire = k.data[:text:text], k.data[text:text+wire:text+wire]
	return data[text+wire:]
}
