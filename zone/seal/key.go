package seal

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
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

// makeConfig is how keys and signatures are made: without the random notation
// that the library adds to version 4 signatures, so that the same data at the
// same time has the same signature.
func makeConfig(now time.Time, rand io.Reader) *packet.Config {
	return &packet.Config{
		Time:      func() time.Time { return now },
		Rand:      rand,
		Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519,
		DefaultHash: crypto.SHA512, DefaultCipher: packet.CipherAES256,
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

// ParseKey reads a file with one secret key, armoured or binary, and unlocks it
// by its passphrase, which may be nil if it has none. Of several keys that sign
// it takes the subkey listed last, else the primary key, which may then be
// absent as gpg --export-secret-subkeys leaves it. The algorithm must be one
// that [Keyring.Verify] accepts; with ECDSA, signatures differ from run to run.
func ParseKey(file string, data, passphrase []byte) (*Key, error) {
	k, err := parseKey(data, passphrase)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return k, nil
}

func parseKey(data, passphrase []byte) (*Key, error) {
	if len(data) > MaxKeyring {
		return nil, fmt.Errorf("%d octets; a key has at most %d", len(data), MaxKeyring)
	}
	stream, serr := keyStream(data)
	if serr != nil {
		return nil, serr
	}
	r := packet.NewReader(bytes.NewReader(stream))
	e, err := openpgp.ReadEntity(r)
	if err != nil {
		return nil, fmt.Errorf("reading key: %w", err)
	}
	if _, err := r.Next(); err != io.EOF {
		return nil, errors.New("holds more than one key; keep the one that signs")
	}
	if e.PrivateKey == nil {
		return nil, errors.New("holds a public key; the secret one is needed (gpg --armor --export-secret-keys FINGERPRINT)")
	}
	k := &Key{entity: e}
	if err := k.unlock(passphrase); err != nil {
		return nil, err
	}
	return k, k.choose()
}

// unlock decrypts the parts of the key that are there.
func (k *Key) unlock(passphrase []byte) error {
	for _, priv := range k.secrets() {
		if !priv.Encrypted {
			continue
		}
		if len(passphrase) == 0 {
			return errors.New("the key has a passphrase; give the file that holds it")
		}
		if err := priv.Decrypt(passphrase); err != nil {
			return errors.New("the passphrase does not fit the key")
		}
	}
	return nil
}

// secrets returns the secret parts of the key that are there, primary first.
func (k *Key) secrets() (all []*packet.PrivateKey) {
	all = append(all, k.entity.PrivateKey)
	for _, s := range k.entity.Subkeys {
		all = append(all, s.PrivateKey)
	}
	return slices.DeleteFunc(all, func(p *packet.PrivateKey) bool { return p == nil || p.Dummy() })
}

// choose finds the part of the key that signs. Whether it still counts is for
// the time of signing.
func (k *Key) choose() error {
	var why []string
	for _, priv := range slices.Backward(k.secrets()) {
		name, weakness := algorithm(&priv.PublicKey)
		if weakness != "" {
			why = append(why, name+" is not accepted")
			continue
		}
		if st := judge(k.entity, k.public(priv), time.Unix(math.MaxUint32, 0)); st.fault != "" {
			why = append(why, name+" "+st.fault)
			continue
		}
		k.signer = priv
		return nil
	}
	return fmt.Errorf("no part of the key can sign: %s", strings.Join(why, "; "))
}

// public returns the public half of a part, as it stands in the entity.
func (k *Key) public(priv *packet.PrivateKey) *packet.PublicKey {
	for _, pk := range publicKeys(k.entity) {
		if bytes.Equal(pk.Fingerprint, priv.Fingerprint) {
			return pk
		}
	}
	panic("seal: a secret key without its public half")
}

// Sign returns an armoured detached signature over data, made at now. For
// Ed25519 and RSA it is the same for the same arguments. It refuses to sign
// with a key that would be refused at now: revoked, expired, not yet made.
func (k *Key) Sign(data []byte, now time.Time) ([]byte, error) {
	if err := k.usable(now); err != nil {
		return nil, err
	}
	sig := &packet.Signature{
		Version: k.signer.Version, SigType: packet.SigTypeBinary, PubKeyAlgo: k.signer.PubKeyAlgo,
		Hash: crypto.SHA512, CreationTime: now.Truncate(time.Second), IssuerKeyId: &k.signer.KeyId,
	}
	conf := makeConfig(now, nil)
	h, err := sig.PrepareSign(conf)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	h.Write(data)
	if err := sig.Sign(h, k.signer, conf); err != nil {
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
		return fmt.Errorf("signing: %w", err)
	}
	e := ring.keys[0].entity()
	for _, pk := range publicKeys(e) {
		if !bytes.Equal(pk.Fingerprint, k.signer.Fingerprint) {
			continue
		}
		m := &made{e: e, pk: pk, sig: &packet.Signature{CreationTime: now.Truncate(time.Second), Hash: crypto.SHA512}}
		p := Policy{Now: now}
		if _, _, err := p.accept(m); err != nil {
			return fmt.Errorf("signing: %w", err)
		}
	}
	return nil
}

// Public returns the public key in armour.
func (k *Key) Public() ([]byte, error) { return armoured("PUBLIC KEY BLOCK", k.writePublic) }

// Private returns the secret key in armour, without a passphrase: it belongs
// into a file of mode 0600.
func (k *Key) Private() ([]byte, error) { return armoured("PRIVATE KEY BLOCK", k.writePrivate) }

// Fingerprint returns the primary key's fingerprint in upper-case hex.
func (k *Key) Fingerprint() string { return fingerprint(k.entity.PrimaryKey) }

// Format prints the fingerprint whatever the verb: a secret has no other form.
func (k *Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.Fingerprint()) }

// Revoke marks the key as compromised at now; Public then carries the
// revocation, and Sign refuses.
func (k *Key) Revoke(now time.Time) error {
	if err := k.entity.Revoke(packet.KeyCompromised, "", makeConfig(now, nil)); err != nil {
		return fmt.Errorf("revoking %s: %w", k.Fingerprint(), err)
	}
	return nil
}

func (k *Key) writePublic(w io.Writer) error {
	if err := k.entity.PrimaryKey.Serialize(w); err != nil {
		return err
	}
	if err := k.writeIdentities(w); err != nil {
		return err
	}
	for i := range k.entity.Subkeys {
		if err := k.entity.Subkeys[i].Serialize(w, false); err != nil {
			return err
		}
	}
	return nil
}

func (k *Key) writePrivate(w io.Writer) error {
	if err := k.entity.PrivateKey.Serialize(w); err != nil {
		return err
	}
	if err := k.writeIdentities(w); err != nil {
		return err
	}
	for i := range k.entity.Subkeys {
		if err := k.entity.Subkeys[i].Serialize(w, true); err != nil {
			return err
		}
	}
	return nil
}

// writeIdentities writes what follows the primary key, user ids by name: the
// library would write them in the order of a map.
func (k *Key) writeIdentities(w io.Writer) error {
	for _, s := range slices.Concat(k.entity.Revocations, k.entity.DirectSignatures) {
		if err := s.Packet.Serialize(w); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(k.entity.Identities)) {
		if err := k.entity.Identities[name].Serialize(w); err != nil {
			return err
		}
	}
	return nil
}

// armoured returns what write writes in armour of a kind, ended by LF. The
// checksum is for readers from before RFC 9580.
func armoured(kind string, write func(io.Writer) error) ([]byte, error) {
	var b bytes.Buffer
	w, err := armor.Encode(&b, "PGP "+kind, nil)
	if err != nil {
		return nil, fmt.Errorf("writing PGP %s: %w", kind, err)
	}
	if err := write(w); err != nil {
		return nil, fmt.Errorf("writing PGP %s: %w", kind, err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("writing PGP %s: %w", kind, err)
	}
	return append(b.Bytes(), '\n'), nil
}
