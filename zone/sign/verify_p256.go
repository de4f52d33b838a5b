package sign

import (
	"crypto/ecdsa"
	"math/big"
	"sync"
	"sync/atomic"

	"filippo.io/nistec"
)

// A p256Verifier verifies the signatures of one P-256 key. Two thirds of
// what crypto/ecdsa does for a signature is to multiply the key's point, from
// nothing each time. A zone has a hundred thousand signatures by the same key: after the
// first p256TableFrom of them, which crypto/ecdsa verifies, multiples of the
// point are kept, and a multiplication is 32 additions of them.
//
// Nothing here is secret, so nothing needs to take constant time. It may be used
// by many goroutines.
type p256Verifier struct {
	pub  *ecdsa.PublicKey
	used atomic.Int64
	once sync.Once
	// table[256*i+b] is the point times b<<8i. The entries with b = 0 stay
	// unused: adding nothing is left out.
	table []nistec.P256Point
}

// p256TableFrom is how many signatures are verified without a table: making one
// takes as long as crypto/ecdsa takes for about 50 signatures, and pays after about
// 90 more.
const p256TableFrom = 100

var p256Order, _ = new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)

// verify reports whether sig, r | s, is the key's signature of a digest.
func (v *p256Verifier) verify(sum, sig []byte) bool {
	if len(sum) != 32 || len(sig) != 64 {
		return false
	}
	if v.used.Add(1) <= p256TableFrom {
		var buf [80]byte
		return ecdsa.VerifyASN1(v.pub, sum, derSignature(buf[:0], sig))
	}
	v.once.Do(v.fill)
	return v.table != nil && v.verifyByTable(sum, sig)
}

// fill makes the table; it stays nil, and nothing verifies, if the key is no point
// of the curve.
func (v *p256Verifier) fill() {
	raw, err := v.pub.Bytes()
	if err != nil {
		return
	}
	p, err := nistec.NewP256Point().SetBytes(raw)
	if err != nil {
		return
	}
	table := make([]nistec.P256Point, 32*256)
	for row := 0; row < len(table); row += 256 {
		table[row] = *nistec.NewP256Point()
		for b := 1; b < 256; b++ {
			table[row+b] = *nistec.NewP256Point()
			table[row+b].Add(&table[row+b-1], p)
		}
		p.Add(p, &table[row+255])
	}
	v.table = table
}

// verifyByTable is FIPS 186-5, section 6.4.2, with its names.
func (v *p256Verifier) verifyByTable(sum, sig []byte) bool {
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	if r.Sign() == 0 || s.Sign() == 0 || r.Cmp(p256Order) >= 0 || s.Cmp(p256Order) >= 0 {
		return false
	}
	var u1, u2 [32]byte
	w := new(big.Int).ModInverse(s, p256Order)
	e := new(big.Int).SetBytes(sum)
	e.Mod(e.Mul(e, w), p256Order).FillBytes(u1[:])
	w.Mod(w.Mul(w, r), p256Order).FillBytes(u2[:])
	point, err := nistec.NewP256Point().ScalarBaseMult(u1[:])
	if err != nil {
		return false
	}
	for i, b := range u2 {
		if b != 0 {
			point.Add(point, &v.table[256*(31-i)+int(b)])
		}
	}
	x, err := point.BytesX() // fails for the point at infinity
	if err != nil {
		return false
	}
	e.SetBytes(x)
	return e.Mod(e, p256Order).Cmp(r) == 0
}
