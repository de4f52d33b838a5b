package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/big"

	"github.com/miekg/dns"
)

// A publicKey is what verifies the signatures of a key.
type publicKey struct {
	alg    uint8
	verify func(data, sig []byte) bool
}

// newPublicKey decodes a DNSKEY (RFC 3110, section 2; RFC 6605, section 4; RFC
// 8080, section 3).
func newPublicKey(d *dns.DNSKEY) (*publicKey, error) {
	raw, err := base64.StdEncoding.DecodeString(d.PublicKey)
	if err != nil {
		return nil, err
	}
	k := &publicKey{alg: d.Algorithm}
	switch d.Algorithm {
	case dns.ECDSAP256SHA256:
		pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, raw...))
		if err != nil {
			return nil, err
		}
		p := &p256Verifier{pub: pub}
		k.verify = func(data, sig []byte) bool {
			sum := sha256.Sum256(data)
			return p.verify(sum[:], sig)
		}
	case dns.ED25519:
		if len(raw) != ed25519.PublicKeySize {
			return nil, errors.New("an Ed25519 key has 32 octets (RFC 8080, section 3)")
		}
		k.verify = func(data, sig []byte) bool { return ed25519.Verify(raw, data, sig) }
	case dns.RSASHA256:
		if len(raw) < 4 || raw[0] == 0 || raw[0] > 4 || int(raw[0]) > len(raw)-2 {
			return nil, errors.New("an RSA exponent of 1 to 4 octets is expected (RFC 3110, section 2)")
		}
		n := 1 + int(raw[0])
		pub := &rsa.PublicKey{E: int(new(big.Int).SetBytes(raw[1:n]).Int64()), N: new(big.Int).SetBytes(raw[n:])}
		k.verify = func(data, sig []byte) bool {
			sum := sha256.Sum256(data)
			return rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum[:], sig) == nil
		}
	default:
		return nil, errors.New("its algorithm is not one of 8, 13 and 15 (RFC 8624, section 3.1)")
	}
	return k, nil
}

// derSignature turns r | s into the form that crypto/ecdsa reads.
func derSignature(b, sig []byte) []byte {
	b = append(b, 0x30, 0)
	for _, v := range [...][]byte{sig[:32], sig[32:]} {
		for len(v) > 1 && v[0] == 0 {
			v = v[1:]
		}
		if v[0] >= 0x80 {
			b = append(append(b, 2, byte(len(v)+1), 0), v...)
		} else {
			b = append(append(b, 2, byte(len(v))), v...)
		}
	}
	b[1] = byte(len(b) - 2)
	return b
}
