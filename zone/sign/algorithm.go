package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// The algorithms (RFC 8624, section 3.1).
const (
	algRSA     uint8 = 8  // RSASHA256, RFC 5702
	algECDSA   uint8 = 13 // ECDSAP256SHA256, RFC 6605
	algEd25519 uint8 = 15 // ED25519, RFC 8080
)

var algorithmNames = map[uint8]string{algRSA: "RSASHA256", algECDSA: "ECDSAP256SHA256", algEd25519: "ED25519"}

const rsaBits = 2048 // RFC 5702, section 2; NIST SP 800-57

// checkAlgorithm refuses what may not sign.
func checkAlgorithm(alg uint8) error {
	switch {
	case algorithmNames[alg] != "":
		return nil
	case alg == 1 || alg == 3 || alg == 5 || alg == 6 || alg == 7:
		return fmt.Errorf("algorithm %d rests on MD5 or SHA-1 and must not sign (RFC 8624, section 3.1; RFC 9905); make keys of algorithm 13", alg)
	}
	return fmt.Errorf("algorithm %d is not supported: 8, 13 and 15 are (RFC 8624, section 3.1)", alg)
}

// generate makes a private key. The standard library takes no outside
// randomness for EC and RSA keys any more; where a key is just bytes, those of
// random are used, so that worlds made from a seed are the same every time.
func generate(alg uint8, random io.Reader) (crypto.Signer, error) {
	if err := checkAlgorithm(alg); err != nil {
		return nil, err
	}
	if alg == algRSA {
		return rsa.GenerateKey(random, rsaBits)
	}
	seed := make([]byte, 32)
	for {
		if _, err := io.ReadFull(random, seed); err != nil {
			return nil, fmt.Errorf("drawing a key: %w", err)
		}
		if alg == algEd25519 {
			return ed25519.NewKeyFromSeed(seed), nil
		}
		// All but 2^-32 of the values are below the group order; the others
		// are drawn again (FIPS 186-5, appendix A.2.2).
		if k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed); err == nil {
			return k, nil
		}
	}
}

// publicBytes returns a public key as a DNSKEY record holds it.
func publicBytes(pub crypto.PublicKey) ([]byte, error) {
	switch pub := pub.(type) {
	case *ecdsa.PublicKey: // RFC 6605, section 4
		b, err := pub.Bytes()
		if err != nil || len(b) != 65 {
			return nil, errors.New("the key is not on P-256 (RFC 6605, section 4)")
		}
		return b[1:], nil
	case ed25519.PublicKey: // RFC 8080, section 3
		return pub, nil
	case *rsa.PublicKey: // RFC 3110, section 2
		e := big.NewInt(int64(pub.E)).Bytes()
		return append(append([]byte{byte(len(e))}, e...), pub.N.Bytes()...), nil
	}
	return nil, fmt.Errorf("no algorithm for a key of type %T", pub)
}

// A wireSigner makes signatures as an RRSIG record holds them. It is for one
// goroutine: it reuses its buffers.
type wireSigner struct {
	alg    uint8
	signer crypto.Signer
	length int // of a signature
	key    digest
}

func newWireSigner(k Key) (*wireSigner, error) {
	s := k.Signer()
	if s == nil {
		return nil, fmt.Errorf("key %s: it has no private half", k.ID)
	}
	w := &wireSigner{alg: k.Algorithm, signer: s, length: 64, key: sha256.Sum256(k.rdata())}
	if pub, ok := s.Public().(*rsa.PublicKey); ok {
		w.length = pub.Size()
	}
	return w, nil
}

// sign appends the signature of data to b. Its random source is nil, which makes
// ECDSA deterministic (RFC 6979) and does nothing to the others.
func (w *wireSigner) sign(b, data []byte) ([]byte, error) {
	if w.alg == algEd25519 {
		sig, err := w.signer.Sign(nil, data, crypto.Hash(0))
		return append(b, sig...), err
	}
	h := crypto.SHA256.New()
	h.Write(data)
	var sum [32]byte
	sig, err := w.signer.Sign(nil, h.Sum(sum[:0]), crypto.SHA256)
	if err != nil || w.alg == algRSA {
		return append(b, sig...), err
	}
	return appendECDSA(b, sig)
}

// appendECDSA turns the DER form of an ECDSA signature into r | s of 32 octets
// each (RFC 6605, section 4).
func appendECDSA(b, der []byte) ([]byte, error) {
	rest, ok := der, len(der) > 2 && der[0] == 0x30 && int(der[1]) == len(der)-2
	if ok {
		rest = der[2:]
	}
	for range 2 {
		if !ok || len(rest) < 2 || rest[0] != 2 || len(rest) < 2+int(rest[1]) {
			return nil, errors.New("the signer's ECDSA signature is no DER sequence of two integers (RFC 3279, section 2.2.3)")
		}
		v := rest[2 : 2+int(rest[1])]
		rest = rest[2+len(v):]
		for len(v) > 32 && v[0] == 0 {
			v = v[1:]
		}
		if ok = len(v) <= 32; ok {
			var zero [32]byte
			b = append(append(b, zero[:32-len(v)]...), v...)
		}
	}
	if !ok || len(rest) != 0 {
		return nil, errors.New("the signer's ECDSA signature does not fit P-256 (RFC 6605, section 4)")
	}
	return b, nil
}
