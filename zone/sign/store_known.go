package sign

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"nirzone/zone"
)

// proven are single signatures that were verified, under the digest of the key's
// DNSKEY data and of the input of the signature (RFC 4034, section 3.1.8.1), which
// has the times of its slot in it. They are those of the blocks that a zone uses
// no more: their names changed, or a neighbour did, or one signature of many came
// due.
type proven map[digest][]byte

func knownKey(key digest, input []byte) digest {
	var buf [1024]byte
	return sha256.Sum256(append(append(buf[:0], key[:]...), input...))
}

// find returns the signature that a key once made of an input; nil if it is not
// known.
func (k proven) find(key digest, input []byte) []byte {
	if len(k) == 0 {
		return nil
	}
	return k[knownKey(key, input)]
}

// has reports whether sig is a signature that is known.
func (k proven) has(key digest, input, sig []byte) bool {
	found := k.find(key, input)
	return found != nil && bytes.Equal(found, sig)
}

// known collects the signatures of the apex and of all blocks that none of the
// spans is.
func (st *Store) known(spans []span) proven {
	if st == nil {
		return nil
	}
	used := make(map[*block]bool, len(spans))
	for i := range spans {
		if b := st.find(spans[i].key); b != nil {
			used[b] = true
		}
	}
	k := proven{}
	for _, b := range st.all() {
		if !used[b] {
			k.add(b)
		}
	}
	return k
}

// A wireRecord is a record in canonical wire form, with its owner.
type wireRecord struct {
	owner, data []byte
	typ         zone.Type
	ttl         uint32
	whole       []byte
}

// nextRecord returns the first record of wire and what follows it. It has read
// all that is checked, so wire may be anything.
func nextRecord(wire []byte) (r wireRecord, rest []byte, ok bool) {
	n := 0
	for n < len(wire) && wire[n] != 0 {
		n += 1 + int(wire[n])
	}
	if n++; n+10 > len(wire) {
		return r, nil, false
	}
	end := n + 10 + int(binary.BigEndian.Uint16(wire[n+8:]))
	if end > len(wire) {
		return r, nil, false
	}
	r = wireRecord{
		owner: wire[:n], typ: zone.Type(binary.BigEndian.Uint16(wire[n:])), ttl: binary.BigEndian.Uint32(wire[n+4:]),
		data: wire[n+10 : end], whole: wire[:end],
	}
	return r, wire[end:], true
}

// add takes every signature of a block with the set that it is over.
func (k proven) add(b *block) {
	var owner []byte
	sets, sigs := map[zone.Type][]byte{}, [][]byte{}
	flush := func() {
		for _, sig := range sigs {
			k.addSignature(b, sig, sets)
		}
		clear(sets)
		sigs = sigs[:0]
	}
	for rest := b.wire; len(rest) > 0; {
		r, after, ok := nextRecord(rest)
		if !ok {
			return
		}
		if !bytes.Equal(owner, r.owner) {
			flush()
			owner = r.owner
		}
		if r.typ == zone.TypeRRSIG {
			sigs = append(sigs, r.data)
		} else if set := sets[r.typ]; set == nil {
			sets[r.typ] = r.whole
		} else { // the records of a set are together
			sets[r.typ] = set[:len(set)+len(r.whole)]
		}
		rest = after
	}
	flush()
}

// addSignature takes one signature, given as RRSIG data.
func (k proven) addSignature(b *block, rdata []byte, sets map[zone.Type][]byte) {
	if len(rdata) < 19 {
		return
	}
	head := 18
	for head < len(rdata) && rdata[head] != 0 {
		head += 1 + int(rdata[head])
	}
	if head++; head >= len(rdata) {
		return
	}
	set := sets[zone.Type(binary.BigEndian.Uint16(rdata))]
	tag := binary.BigEndian.Uint16(rdata[16:])
	for _, u := range b.keys {
		if u.tag == tag && set != nil {
			k[knownKey(u.key, append(bytes.Clone(rdata[:head]), set...))] = rdata[head:]
		}
	}
}
