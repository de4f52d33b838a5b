package sign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"
	"math/rand/v2"
	"testing"

	"filippo.io/nistec"
)

type p256Case struct {
	name     string
	pub      *ecdsa.PublicKey
	sum, sig []byte
	valid    bool
}

func fill32(v *big.Int) []byte { return v.FillBytes(make([]byte, 32)) }

func modOrder(v *big.Int) *big.Int { return new(big.Int).Mod(v, p256Order) }

// p256Made makes a key and a digest for which point is u1 G + u2 Q of FIPS 186-5,
// section 6.4.2, with the u1 and u2 given.
func p256Made(t testing.TB, name string, point *nistec.P256Point, u1, u2 int64) p256Case {
	t.Helper()
	inverse := new(big.Int).ModInverse(big.NewInt(u2), p256Order)
	q, err := nistec.NewP256Point().ScalarBaseMult(fill32(modOrder(big.NewInt(-u1))))
	must(t, err)
	q, err = q.ScalarMult(q.Add(q, point), fill32(inverse))
	must(t, err)
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), q.Bytes())
	must(t, err)
	x, err := point.BytesX()
	must(t, err)
	r := modOrder(new(big.Int).SetBytes(x))
	s := modOrder(new(big.Int).Mul(r, inverse))
	e := modOrder(new(big.Int).Mul(s, big.NewInt(u1)))
	return p256Case{name, pub, fill32(e), append(fill32(r), fill32(s)...), true}
}

// p256Wrapped returns a point whose x is above the order, so that r is not x: one
// in 2^32 points is.
func p256Wrapped(t testing.TB) *nistec.P256Point {
	t.Helper()
	x := new(big.Int).Set(p256Order)
	for range 100 {
		x.Add(x, big.NewInt(1))
		if p, err := nistec.NewP256Point().SetBytes(append([]byte{2}, fill32(x)...)); err == nil {
			return p
		}
	}
	t.Fatal("no point with an x just above the order")
	return nil
}

func plusOrder(b []byte) []byte {
	return fill32(new(big.Int).Add(new(big.Int).SetBytes(b), p256Order))
}

// p256Small makes a key and a signature whose s is 5, so that s plus the order
// still fits: R is 2 G, and with u1 = 7 and e = 35, Q is (s/r) (R - 7 G).
func p256Small(t testing.TB) p256Case {
	t.Helper()
	point := nistec.NewP256Point().SetGenerator()
	point.Double(point)
	x, err := point.BytesX()
	must(t, err)
	r := modOrder(new(big.Int).SetBytes(x))
	q, err := nistec.NewP256Point().ScalarBaseMult(fill32(modOrder(big.NewInt(-7))))
	must(t, err)
	factor := new(big.Int).ModInverse(r, p256Order)
	q, err = q.ScalarMult(q.Add(q, point), fill32(modOrder(factor.Mul(factor, big.NewInt(5)))))
	must(t, err)
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), q.Bytes())
	must(t, err)
	return p256Case{"s is small", pub, fill32(big.NewInt(35)), append(fill32(r), fill32(big.NewInt(5))...), true}
}

func p256Cases(t testing.TB) []p256Case {
	t.Helper()
	signer := testKeys(t, "103.in-addr.arpa.", algECDSA)[0].Signer().(*ecdsa.PrivateKey)
	secret, err := signer.Bytes()
	must(t, err)
	sum := bytes.Repeat([]byte{0xa5}, 32)
	der, err := signer.Sign(nil, sum, crypto.SHA256)
	must(t, err)
	sig, err := appendECDSA(nil, der)
	must(t, err)
	pub, r, s := &signer.PublicKey, sig[:32], sig[32:]
	join := func(a, b []byte) []byte { return append(bytes.Clone(a), b...) }
	zero, order, ones := make([]byte, 32), fill32(p256Order), bytes.Repeat([]byte{0xff}, 32)
	rd := new(big.Int).Mul(new(big.Int).SetBytes(r), new(big.Int).SetBytes(secret))
	two := nistec.NewP256Point().SetGenerator()
	two.Double(two)
	wrapped := p256Made(t, "x is above the order", p256Wrapped(t), 7, 11)
	small := p256Small(t)
	return []p256Case{
		{"good", pub, sum, sig, true},
		{"r is 0", pub, sum, join(zero, s), false},
		{"s is 0", pub, sum, join(r, zero), false},
		{"r is the order", pub, sum, join(order, s), false},
		{"s is the order", pub, sum, join(r, order), false},
		{"r is above the order", pub, sum, join(ones, s), false},
		{"s is above the order", pub, sum, join(r, ones), false},
		{"r and s exchanged", pub, sum, join(s, r), false},
		{"cut", pub, sum, sig[:63], false},
		{"digest cut", pub, sum[:31], sig, false},
		{"digest 0", pub, zero, sig, false},
		{"the sum is infinity", pub, fill32(modOrder(new(big.Int).Neg(rd))), sig, false},
		wrapped,
		// The same numbers modulo the order: only the range forbids them (FIPS
		// 186-5, section 6.4.2, step 1).
		{"r with the order added", wrapped.pub, wrapped.sum, join(plusOrder(wrapped.sig[:32]), wrapped.sig[32:]), false},
		small,
		{"s with the order added", small.pub, small.sum, join(small.sig[:32], plusOrder(small.sig[32:])), false},
		p256Made(t, "the two halves are one point", two, 1, 11),
		p256Made(t, "u1 is 0", two, 0, 1<<40+1),
	}
}

// The table gives the verdict of crypto/ecdsa, and never verifies less than it.
func checkP256(t *testing.T, c p256Case) {
	t.Helper()
	v := &p256Verifier{pub: c.pub}
	slow := v.verify(c.sum, c.sig)
	v.used.Store(p256TableFrom)
	fast := v.verify(c.sum, c.sig)
	if v.table == nil && len(c.sum) == 32 && len(c.sig) == 64 {
		t.Error("the table was not used")
	}
	if slow != c.valid || fast != c.valid {
		t.Errorf("valid by crypto/ecdsa: %v, by the table: %v, want %v", slow, fast, c.valid)
	}
}

func TestP256Verifier(t *testing.T) {
	for _, c := range p256Cases(t) {
		t.Run(c.name, func(t *testing.T) { checkP256(t, c) })
	}
	// Every bit of a good signature and its digest counts.
	good := p256Cases(t)[0]
	v := &p256Verifier{pub: good.pub}
	v.used.Store(p256TableFrom)
	for i := range 8 * 96 {
		both := append(bytes.Clone(good.sum), good.sig...)
		both[i/8] ^= 1 << (i % 8)
		if v.verify(both[:32], both[32:]) {
			t.Errorf("it verifies with bit %d changed", i)
		}
	}
}

// Many signatures: nearly every entry of a table is used.
func TestP256VerifierRandom(t *testing.T) {
	random := rand.NewChaCha8([32]byte{13})
	for range 4 {
		secret := make([]byte, 32)
		_, _ = random.Read(secret)
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
		must(t, err)
		v := &p256Verifier{pub: &key.PublicKey}
		v.used.Store(p256TableFrom)
		for range 500 {
			sum := make([]byte, 32)
			_, _ = random.Read(sum)
			der, err := key.Sign(nil, sum, crypto.SHA256)
			must(t, err)
			sig, err := appendECDSA(nil, der)
			must(t, err)
			if !v.verify(sum, sig) {
				t.Fatalf("the table refuses %x over %x", sig, sum)
			}
		}
	}
}

func FuzzP256Verifier(f *testing.F) {
	cases := p256Cases(f)
	for _, c := range cases {
		f.Add(c.sum, c.sig)
	}
	pub := cases[0].pub
	fast := &p256Verifier{pub: pub}
	fast.used.Store(p256TableFrom)
	f.Fuzz(func(t *testing.T, sum, sig []byte) {
		slow := &p256Verifier{pub: pub}
		if a, b := slow.verify(sum, sig), fast.verify(sum, sig); a != b {
			t.Errorf("crypto/ecdsa says %v, the table %v", a, b)
		}
	})
}
