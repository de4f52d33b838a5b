package seal

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// MaxKeyring is the largest file of keys, in octets; MaxKeys is how many keys
// it may hold, and MaxSubkeys how many subkeys each of them.
const (
	MaxKeyring = 1 << 20
	MaxKeys    = 100
	MaxSubkeys = 32
)

// A Keyring is the set of public keys of one source. It never changes and may
// be used by several goroutines.
type Keyring struct {
	file       string
	keys       []ringKey // in the order of the file
	unreadable []string  // why a key of the file cannot count
}

// A ringKey is a public key as it stands in the file. The library notes in a
// decoded key what it found at one date under one configuration, so each use
// decodes its own copy.
type ringKey struct {
	stream      []byte
	fingerprint string
	ids         []*packet.PublicKey // primary key and subkeys, to be matched only
}

// LoadKeyring reads a file of OpenPGP public keys, armoured (any number of
// blocks, with text between them) or binary. It refuses a file that holds no
// key, a secret key, the same key twice, or more than the limits. A key that
// cannot be read, such as one of version 3, is left out; [Keyring.Alarms] tells
// of it. Errors are of type [*Error].
func LoadKeyring(file string, data []byte) (*Keyring, error) {
	stream, err := keyStream(data)
	if err == nil {
		k := &Keyring{file: file}
		if err = k.read(stream); err == nil {
			return k, nil
		}
	}
	err.File = file
	return nil, err
}

// keyStream returns the packets of a file of keys in one stream.
func keyStream(data []byte) ([]byte, *Error) {
	switch {
	case len(data) > MaxKeyring:
		return nil, malformed("%d octets; a keyring has at most %d", len(data), MaxKeyring)
	case len(data) >= 12 && string(data[8:12]) == "KBXf":
		return nil, malformed("a keybox of GnuPG, which only gpg reads; write gpg --armor --export FINGERPRINT into the file")
	case len(data) > 0 && data[0]&0x80 != 0:
		return data, nil
	}
	blocks, _, err := armourBlocks(data)
	if err != nil {
		return nil, err
	}
	var stream []byte
	for _, b := range blocks {
		stream = append(stream, b.octets...)
	}
	if len(stream) == 0 {
		return nil, malformed("no OpenPGP key in it; write gpg --armor --export FINGERPRINT into the file")
	}
	return stream, nil
}

// read takes a stream apart into keys: each begins with a primary key packet
// (RFC 9580, section 10.1).
func (k *Keyring) read(stream []byte) *Error {
	r := packet.NewOpaqueReader(bytes.NewReader(stream))
	var key bytes.Buffer
	for {
		p, err := r.Next()
		if err != nil && err != io.EOF {
			return malformed("reading keys: %v; is the file whole?", err)
		}
		if (err == io.EOF || p.Tag == tagPublicKey) && key.Len() > 0 {
			if err := k.add(bytes.Clone(key.Bytes())); err != nil {
				return err
			}
			key.Reset()
		}
		if err == io.EOF {
			break
		}
		switch {
		case p.Tag == tagSecretKey || p.Tag == tagSecretSub:
			return malformed("holds a secret key, which has no place here; export the public one (gpg --armor --export)")
		case p.Tag != tagPublicKey && key.Len() == 0:
			return malformed("an OpenPGP packet of type %d stands before the first public key", p.Tag)
		}
		if err := p.Serialize(&key); err != nil {
			return malformed("reading keys: %v", err)
		}
	}
	if len(k.keys) == 0 {
		return malformed("no usable key: %s", strings.Join(k.unreadable, "; "))
	}
	return nil
}

// add decodes one key to see that it can be.
func (k *Keyring) add(stream []byte) *Error {
	if len(k.keys)+len(k.unreadable) == MaxKeys {
		return malformed("more than %d keys", MaxKeys)
	}
	e, err := openpgp.ReadEntity(packet.NewReader(bytes.NewReader(stream)))
	if err == nil && len(e.Subkeys) > MaxSubkeys {
		err = fmt.Errorf("has more than %d subkeys", MaxSubkeys)
	}
	if err != nil {
		k.unreadable = append(k.unreadable, fmt.Sprintf("key %d of the file: %v", len(k.keys)+len(k.unreadable)+1, err))
		return nil
	}
	rk := ringKey{stream: stream, fingerprint: fingerprint(e.PrimaryKey), ids: publicKeys(e)}
	if slices.Contains(k.Fingerprints(), rk.fingerprint) {
		return &Error{Kind: Malformed, Key: rk.fingerprint, Msg: fmt.Sprintf("key %s stands twice; keep the newer copy only", rk.fingerprint)}
	}
	k.keys = append(k.keys, rk)
	return nil
}

// entity decodes a fresh copy of the key.
func (rk *ringKey) entity() *openpgp.Entity {
	e, err := openpgp.ReadEntity(packet.NewReader(bytes.NewReader(rk.stream)))
	if err != nil {
		panic("seal: a key that was read once is unreadable: " + err.Error())
	}
	return e
}

// publicKeys returns the primary key and the subkeys, in order.
func publicKeys(e *openpgp.Entity) []*packet.PublicKey {
	all := []*packet.PublicKey{e.PrimaryKey}
	for _, s := range e.Subkeys {
		all = append(all, s.PublicKey)
	}
	return all
}

func fingerprint(pk *packet.PublicKey) string {
	return strings.ToUpper(hex.EncodeToString(pk.Fingerprint))
}

// Fingerprints returns the primary keys of the ring in upper-case hex, sorted.
func (k *Keyring) Fingerprints() []string {
	var all []string
	for _, rk := range k.keys {
		all = append(all, rk.fingerprint)
	}
	slices.Sort(all)
	return all
}
