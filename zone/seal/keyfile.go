package seal

import (
	"bytes"
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

// ParseKey reads a file with one secret key, armoured or binary, and unlocks it
// by its passphrase, which may be nil if it has none. Of several keys that sign
// it takes the subkey listed last, else the primary key, which may then be
// absent as gpg --export-secret-subkeys leaves it. The algorithm must be one
// that [Keyring.Verify] accepts.
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
		return nil, errors.New(strings.Replace(serr.Error(), "--export ", "--export-secret-keys ", 1)) // it tells of keyrings
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

// Public returns the public key in armour.
func (k *Key) Public() ([]byte, error) { return armoured("PUBLIC KEY BLOCK", k.writePublic) }

// Private returns the secret key in armour, without a passphrase: it belongs
// into a file of mode 0600.
func (k *Key) Private() ([]byte, error) { return armoured("PRIVATE KEY BLOCK", k.writePrivate) }

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
