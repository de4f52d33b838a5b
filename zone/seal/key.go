package seal

import (
	"fmt"
	"io"
	"time"
)

// A Key is a secret OpenPGP key that makes signatures.
type Key struct{}

// GenerateKey makes an Ed25519 key (version 4, so that every OpenPGP program
// reads it). The same 32 octets from rand make the same key. A lifetime of 0
// never expires.
func GenerateKey(userID string, now time.Time, lifetime time.Duration, rand io.Reader) (*Key, error) {
	return nil, fmt.Errorf("todo")
}

// ParseKey reads an armoured or binary secret key; passphrase may be nil if it has none.
func ParseKey(file string, data, passphrase []byte) (*Key, error) { return nil, fmt.Errorf("todo") }

// Sign returns an armoured detached signature over data.
func (k *Key) Sign(data []byte, now time.Time) ([]byte, error) { return nil, fmt.Errorf("todo") }

// Public returns the armoured public key.
func (k *Key) Public() ([]byte, error) { return nil, fmt.Errorf("todo") }

// Private returns the armoured secret key without a passphrase: write it with
// mode 0600.
func (k *Key) Private() ([]byte, error) { return nil, fmt.Errorf("todo") }

// Fingerprint returns the primary key's fingerprint in upper-case hex.
func (k *Key) Fingerprint() string { return "" }

// Revoke marks the key as compromised; Public then carries the revocation.
func (k *Key) Revoke(now time.Time) error { return fmt.Errorf("todo") }
