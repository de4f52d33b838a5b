package seal

import (
	"fmt"
	"time"

	"nirzone/zone"
)

// A Keyring is the set of public keys of one source. It never changes and may
// be used by several goroutines.
type Keyring struct{}

// A Policy is what one source's signatures are judged by. Source, Zone and File
// (the base name of the signature file) go into notices and errors. Windows and
// Legacy are the source's configuration.
type Policy struct {
	Source  string
	Zone    zone.Name
	File    string
	Now     time.Time
	Windows []zone.KeyWindow
	Legacy  []zone.Legacy
}

// A Signature is a signature that was accepted.
type Signature struct {
	Fingerprint string    // of the primary key, upper-case hex
	KeyID       string    // of the key or subkey that signed, 16 hex digits
	UserID      string    // primary user id of the key
	Created     time.Time // when it was made, by its own word
	Hash        string    // "SHA256"
	Algorithm   string    // "RSA-4096", "Ed25519", "ECDSA-P256", "DSA-2048"
	Form        Form
}

// A Form is how a signature file is written.
type Form string

// The forms.
const (
	Detached  Form = "detached"  // ASCII armour
	ClearSign Form = "clearsign" // the text itself, signed (RFC 9580, section 7)
	Binary    Form = "binary"    // bare packets
)

// LoadKeyring reads a file of OpenPGP public keys, armoured (any number of
// blocks) or binary.
func LoadKeyring(file string, data []byte) (*Keyring, error) { return nil, fmt.Errorf("todo") }

// Verify checks that sig is a signature over data by a key of the ring that
// counts under p. Notices name every weakness that p.Legacy let pass.
func (k *Keyring) Verify(data, sig []byte, p Policy) (Signature, []zone.Notice, error) {
	return Signature{}, nil, fmt.Errorf("todo")
}

// Fingerprints returns the primary keys of the ring, upper-case hex, sorted.
func (k *Keyring) Fingerprints() []string { return nil }

// Alarms says how long the ring will go on counting.
func (k *Keyring) Alarms(p Policy) []zone.Notice { return nil }

// Replay refuses a signature that is older than the accepted one, unless it is
// over the same bytes. A zero acceptedSignedAt refuses nothing.
func Replay(acceptedSignedAt time.Time, sameBytes bool, s Signature) error { return nil }
