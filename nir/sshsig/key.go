package sshsig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// A publicKey is one that [parseKey] takes. Its wire form is the only one that it
// has, so that equal keys have equal octets.
type publicKey struct {
	kind  string
	wire  []byte
	app   []byte // of a key in hardware: what it was made for
	ed    ed25519.PublicKey
	ecdsa *ecdsa.PublicKey
	rsa   *rsa.PublicKey
}

// A keySignature is what a key made, as SSH has it on the wire. rest is what a key
// in hardware adds: a flags octet and a counter.
type keySignature struct {
	format string
	blob   []byte
	rest   []byte
}

// curves are those of ECDSA keys, with the hash that goes with each (RFC 5656,
// section 6.2.1).
var curves = map[string]struct {
	name  string
	curve elliptic.Curve
	hash  crypto.Hash
}{
	kindECDSA256:   {"nistp256", elliptic.P256(), crypto.SHA256},
	kindECDSA384:   {"nistp384", elliptic.P384(), crypto.SHA384},
	kindECDSA521:   {"nistp521", elliptic.P521(), crypto.SHA512},
	kindSKECDSA256: {"nistp256", elliptic.P256(), crypto.SHA256},
}

var errKey = errors.New("its key cannot be read")

// parseKey reads a public key and refuses what should sign nothing today.
func parseKey(wire []byte) (*publicKey, error) {
	r := reader{rest: wire}
	k := &publicKey{kind: string(r.string()), wire: wire}
	if r.bad {
		return nil, errKey
	}
	if _, ok := algorithms[k.kind]; !ok {
		return nil, fmt.Errorf("keys of type %.60q are not taken: use ed25519, ecdsa, rsa, or one of hardware (sk-)", k.kind)
	}
	if err := k.read(&r); err != nil {
		return nil, err
	}
	if k.hardware() {
		k.app = r.string()
	}
	if !r.whole() {
		return nil, errKey
	}
	return k, nil
}

func (k *publicKey) hardware() bool { return strings.HasPrefix(k.kind, "sk-") }

// read reads what follows the type.
func (k *publicKey) read(r *reader) error {
	switch k.kind {
	case kindED25519, kindSKED25519:
		k.ed = r.string()
		if len(k.ed) != ed25519.PublicKeySize {
			return errKey
		}
	case kindRSA:
		return k.readRSA(r)
	default:
		c := curves[k.kind]
		name, point := string(r.string()), r.string()
		var err error
		if k.ecdsa, err = ecdsa.ParseUncompressedPublicKey(c.curve, point); err != nil || name != c.name {
			return errKey
		}
	}
	return nil
}

func (k *publicKey) readRSA(r *reader) error {
	e, n := r.mpint(), r.mpint()
	if r.bad || e.BitLen() > 24 || e.Int64() < 3 || e.Bit(0) == 0 {
		return errKey
	}
	switch bits := n.BitLen(); {
	case bits < minRSA:
		return fmt.Errorf("an RSA key of %d bits is too short: %d at least", bits, minRSA)
	case bits > maxRSA:
		return fmt.Errorf("an RSA key of %d bits is too long: %d at most", bits, maxRSA)
	}
	k.rsa = &rsa.PublicKey{N: n, E: int(e.Int64())}
	return nil
}

// fingerprint is the key's as "ssh-keygen -l" shows it.
func (k *publicKey) fingerprint() string {
	sum := sha256.Sum256(k.wire)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

var errUnfit = errors.New("the signature does not verify")

// verify checks a signature over data. Its algorithm is one of the key's.
func (k *publicKey) verify(data []byte, s *keySignature) error {
	if k.hardware() {
		var err error
		if data, err = k.touched(data, s); err != nil {
			return err
		}
	}
	switch {
	case k.ed != nil:
		if !ed25519.Verify(k.ed, data, s.blob) {
			return errUnfit
		}
		return nil
	case k.rsa != nil:
		return k.verifyRSA(data, s)
	}
	b := reader{rest: s.blob}
	x, y := b.mpint(), b.mpint()
	h := curves[k.kind].hash.New()
	h.Write(data)
	if !b.whole() || !ecdsa.Verify(k.ecdsa, h.Sum(nil), x, y) {
		return errUnfit
	}
	return nil
}

func (k *publicKey) verifyRSA(data []byte, s *keySignature) error {
	hash := crypto.SHA512
	if s.format == algRSA256 {
		hash = crypto.SHA256
	}
	h := hash.New()
	h.Write(data)
	blob := s.blob
	if n := k.rsa.Size() - len(blob); n > 0 { // leading zeros may be left out (RFC 8332, section 3)
		blob = append(make([]byte, n), blob...)
	}
	if rsa.VerifyPKCS1v15(k.rsa, hash, h.Sum(nil), blob) != nil {
		return errUnfit
	}
	return nil
}

// touched returns what a key in hardware signs for data (OpenSSH, PROTOCOL.u2f),
// if it says that a person touched it.
func (k *publicKey) touched(data []byte, s *keySignature) ([]byte, error) {
	if len(s.rest) != 5 {
		return nil, errUnfit
	}
	if s.rest[0]&1 == 0 {
		return nil, errors.New("the key in hardware does not say that a person touched it: user presence is missing")
	}
	app, sum := sha256.Sum256(k.app), sha256.Sum256(data)
	out := append(app[:], s.rest...)
	return append(out, sum[:]...), nil
}
