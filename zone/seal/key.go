package seal

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// A Key is a secret OpenPGP key that makes signatures. It may be used by
// several goroutines, but not while Revoke runs. It has no String method and
// prints as its fingerprint, never as its secret.
type Key struct {
	entity *openpgp.Entity
	signer *packet.PrivateKey // the primary key or a subkey of it
}

// hashOfKeys is the hash that signatures are made under: long enough for any
// curve, and read by every OpenPGP program.
const hashOfKeys = crypto.SHA512

// makeConfig is how keys and signatures are made: without the random notation
// that the library adds to version 4 signatures, so that the same data at the
// same time has the same signature.
func makeConfig(now time.Time, rand io.Reader) *packet.Config {
	return &packet.Config{
		Time:      func() time.Time { return now },
		Rand:      rand,
		Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519,
		DefaultHash: hashOfKeys, DefaultCipher: packet.CipherAES256,
		NonDeterministicSignaturesViaNotation: packet.BoolPointer(false),
	}
}

// GenerateKey makes an Ed25519 key of version 4 and algorithm 22, which every
// OpenPGP program reads, for a user id such as "Zones <zones@nir.example>". The
// same octets from rand (crypto/rand.Reader in earnest), user id, time and
// lifetime make the same key. A lifetime of 0 never ends; otherwise it is cut
// to seconds.
func GenerateKey(userID string, now time.Time, lifetime time.Duration, rand io.Reader) (*Key, error) {
	conf := makeConfig(now, rand)
	secs := lifetime / time.Second
	if lifetime != 0 && (secs < 1 || secs > math.MaxUint32) {
		return nil, fmt.Errorf("making key: lifetime %v is not between a second and 136 years (RFC 9580, section 5.2.3.13)", lifetime)
	}
	conf.KeyLifetimeSecs = uint32(secs)
	name, email, _ := strings.Cut(strings.TrimSuffix(userID, ">"), " <")
	if name == "" {
		return nil, errors.New(`making key: a user id is needed, such as "Zones <zones@nir.example>"`)
	}
	e, err := openpgp.NewEntity(name, "", email, conf)
	if err != nil {
		return nil, fmt.Errorf("making key for %q: %w", userID, err)
	}
	e.Subkeys = nil // one for encryption, of no use here
	return &Key{e, e.PrivateKey}, nil
}

// Sign returns an armoured detached signature over data, made at now. It is the
// same for the same arguments, but for keys over Brainpool curves or of version
// 6, which is random by design (RFC 9580, section 5.2.4). It refuses to sign
// with a key that would be refused at now: revoked, expired, not yet made.
func (k *Key) Sign(data []byte, now time.Time) ([]byte, error) {
	if err := k.usable(now); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return k.sign(data, now)
}

// sign is Sign without its scruples.
func (k *Key) sign(data []byte, now time.Time) ([]byte, error) {
	sig := &packet.Signature{
		Version: k.signer.Version, SigType: packet.SigTypeBinary, PubKeyAlgo: k.signer.PubKeyAlgo,
		Hash: hashOfKeys, CreationTime: now.Truncate(time.Second), IssuerKeyId: &k.signer.KeyId,
	}
	conf := makeConfig(now, nil)
	h, err := sig.PrepareSign(conf)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	h.Write(data)
	signer, err := steady(k.signer)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if err := sig.Sign(h, signer, conf); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return armoured(blockSig, sig.Serialize)
}

// usable judges a fresh copy of the public key, as a reader would.
func (k *Key) usable(now time.Time) error {
	public, err := k.Public()
	if err != nil {
		return err
	}
	ring, err := LoadKeyring("", public)
	if err != nil {
		return err
	}
	e := ring.keys[0].entity()
	for _, pk := range publicKeys(e) {
		if !bytes.Equal(pk.Fingerprint, k.signer.Fingerprint) {
			continue
		}
		m := &made{e: e, pk: pk, sig: &packet.Signature{CreationTime: now.Truncate(time.Second), Hash: hashOfKeys}}
		p := Policy{Now: now}
		if _, _, err := p.accept(m); err != nil {
			return err
		}
	}
	return nil
}

// Fingerprint returns the primary key's fingerprint in upper-case hex.
func (k *Key) Fingerprint() string { return fingerprint(k.entity.PrimaryKey) }

// Format prints the fingerprint whatever the verb: a secret has no other form.
func (k Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.Fingerprint()) }

// Revoke marks the key as compromised at now; Public then carries the
// revocation, and Sign refuses.
func (k *Key) Revoke(now time.Time) error {
	if err := k.entity.Revoke(packet.KeyCompromised, "", makeConfig(now, nil)); err != nil {
		return fmt.Errorf("revoking %s: %w", k.Fingerprint(), err)
	}
	return nil
}
