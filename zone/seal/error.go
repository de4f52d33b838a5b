package seal

import (
	"fmt"
	"time"
)

// A Kind says why a seal was refused.
type Kind uint8

// The kinds. If a file has several signatures and none is good, the error is
// about the one whose kind comes first here.
const (
	Revoked       Kind = iota + 1 // the key was revoked at Date; never allowed
	Expired                       // the key, or the signature itself, has expired at Date
	Weak                          // a hash, algorithm or key size below the policy
	OutsideWindow                 // the configuration lets the key count from or until Date only
	NotYetValid                   // made at Date, which is in the future or before the key was made
	Replayed                      // older than the signature accepted at Date
	BadSignature                  // by a key of the ring, but not over these octets
	UnknownKey                    // by no key of the ring
	Unsupported                   // a hash, algorithm, version or key that cannot be read or judged
	Malformed                     // no seal at all: empty, incomplete, too large, or with something around it
	WrongSum                      // the sum is of other octets
	WrongName                     // the sum is of another file
	GNUForm                       // the sum is in GNU form, which the source may not use
)

var kindNames = [...]string{
	"", "revoked", "expired", "weak", "outside-window", "not-yet-valid", "replayed", "bad-signature",
	"unknown-key", "unsupported", "malformed", "wrong-sum", "wrong-name", "gnu-form",
}

// String returns a stable lower-case word for the kind.
func (k Kind) String() string {
	if k > 0 && int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// An Error is a seal, or a file of keys, that was refused. Key is the
// upper-case hex fingerprint of the primary key that it is about, or a key id
// if no more is known, or empty. Date is the instant in question, zero if there
// is none. Msg says what is wrong and what to do, with key and date in it.
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

// day is how messages write an instant: to the day, in UTC; the Date field has
// it exactly.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// instant is how messages write an instant that is hours away at most.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }
