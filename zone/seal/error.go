package seal

import (
	"fmt"
	"time"
)

// A Kind says why a seal was refused.
type Kind uint8

// The kinds. BadSignature and WrongSum mean that seal and file do not belong
// together, which is also what a publication half way looks like.
const (
	Malformed     Kind = iota + 1 // not a seal, incomplete, too large, or with something around it
	WrongSum                      // the digest is of other bytes
	WrongName                     // the sum is of another file
	GNUForm                       // the sum is in GNU form, which is not allowed here
	BadSignature                  // the signature is not over these bytes
	UnknownKey                    // no key of the keyring made it
	Expired                       // the key, or the signature itself, has expired at Date
	Revoked                       // the key was revoked at Date; never allowed
	Weak                          // a hash, algorithm or key size below the policy
	Unsupported                   // a hash, algorithm or version that is not read at all
	OutsideWindow                 // the configuration lets the key count from or until Date only
	NotYetValid                   // made after Now, at Date, or before its key was
	Replayed                      // older than the signature accepted at Date
	NoUsableKey                   // the keyring file is unusable
)

var kindNames = [...]string{
	"", "malformed", "wrong-sum", "wrong-name", "gnu-form", "bad-signature", "unknown-key", "expired",
	"revoked", "weak", "unsupported", "outside-window", "not-yet-valid", "replayed", "no-usable-key",
}

// String returns a stable lower-case word for the kind.
func (k Kind) String() string {
	if k > 0 && int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// An Error is a seal that was refused. Key is the upper-case hex fingerprint of
// the primary key that it is about, or the key id if only that is known, or
// empty. Date is the day in question, zero if there is none. Msg says what is
// wrong and what to do, with key and date in it.
type Error struct {
	File string // base name of the seal
	Kind Kind
	Key  string
	Date time.Time
	Msg  string
}

// Error returns "file: message".
func (e *Error) Error() string {
	if e.File == "" {
		return e.Msg
	}
	return e.File + ": " + e.Msg
}

// Mismatch reports whether seal and file are each in order but do not belong
// together. A source that publishes the file minutes before its seals looks so
// in between; every other kind is a failure at once.
func (e *Error) Mismatch() bool { return e.Kind == BadSignature || e.Kind == WrongSum }
