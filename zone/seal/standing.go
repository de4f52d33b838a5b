package seal

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// A standing is what a key's own signatures say of a primary key or subkey at
// an instant.
type standing struct {
	userID  string    // primary user id
	revoked time.Time // zero if it was not
	expires time.Time // zero if never
	fault   string    // why it cannot count at all, "" if it can
}

// judge returns the standing of pk, a key of e, at an instant. e must be a
// fresh copy: the library remembers verdicts across instants.
func judge(e *openpgp.Entity, pk *packet.PublicKey, at time.Time) standing {
	conf := &packet.Config{Time: func() time.Time { return at }}
	s, self := judgePrimary(e, at, conf)
	switch {
	case s.fault != "":
		return s
	case pk == e.PrimaryKey:
		if self.FlagsValid && !self.FlagSign {
			s.fault = notForSigning
		}
		return s
	}
	for i := range e.Subkeys {
		if sub := &e.Subkeys[i]; sub.PublicKey == pk {
			s.judgeSubkey(sub, at, conf)
		}
	}
	return s
}

const notForSigning = "is not flagged for signing (RFC 9580, section 5.2.3.29)"

// judgePrimary judges what is common to all keys of e, and returns the
// self-signature that the primary key's flags are in.
func judgePrimary(e *openpgp.Entity, at time.Time, conf *packet.Config) (s standing, self *packet.Signature) {
	self, name := primaryIdentity(e, at, conf)
	s.userID = printable(name)
	direct, err := e.LatestValidDirectSignature(at, conf)
	if err == nil {
		s.expires = earlier(s.expires, keyEnd(e.PrimaryKey, direct))
	}
	if e.PrimaryKey.Version == 6 { // RFC 9580, section 10.1.1
		self = direct
	}
	for _, r := range e.Revocations {
		if e.PrimaryKey.VerifyRevocationSignature(r.Packet) == nil {
			s.revoked = earlier(s.revoked, r.Packet.CreationTime)
		}
	}
	if self == nil {
		s.fault = "has no valid self-signature (RFC 9580, section 5.2.3)"
		return s, nil
	}
	s.expires = earlier(s.expires, keyEnd(e.PrimaryKey, self))
	return s, self
}

// judgeSubkey narrows the standing of the primary key to one of its subkeys.
func (s *standing) judgeSubkey(sub *openpgp.Subkey, at time.Time, conf *packet.Config) {
	for _, r := range sub.Revocations {
		if sub.Primary.PrimaryKey.VerifySubkeyRevocationSignature(r.Packet, sub.PublicKey) == nil {
			s.revoked = earlier(s.revoked, r.Packet.CreationTime)
		}
	}
	self, err := sub.LatestValidBindingSignature(at, conf)
	switch {
	case err != nil:
		s.fault = "has no valid binding and back signature (RFC 9580, section 5.2.1)"
	case !self.FlagsValid || !self.FlagSign:
		s.fault = notForSigning
	default:
		s.expires = earlier(s.expires, keyEnd(sub.PublicKey, self))
	}
}

// printable makes a user id fit for one line of a log: it is the owner's text.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}

// primaryIdentity returns the user id that speaks for the key and its
// self-signature: one marked primary, else the one signed last, else the first
// by name. (The library's own choice among equals is that of a map.)
func primaryIdentity(e *openpgp.Entity, at time.Time, conf *packet.Config) (best *packet.Signature, name string) {
	for _, n := range slices.Sorted(maps.Keys(e.Identities)) {
		self, err := e.Identities[n].Verify(at, conf)
		if err != nil {
			continue
		}
		if best == nil || isPrimary(self) && !isPrimary(best) ||
			isPrimary(self) == isPrimary(best) && self.CreationTime.After(best.CreationTime) {
			best, name = self, n
		}
	}
	return best, name
}

func isPrimary(s *packet.Signature) bool { return s.IsPrimaryId != nil && *s.IsPrimaryId }

// keyEnd returns when a key expires by one of its self-signatures, zero if
// never (RFC 9580, section 5.2.3.13).
func keyEnd(pk *packet.PublicKey, self *packet.Signature) time.Time {
	if self.KeyLifetimeSecs == nil || *self.KeyLifetimeSecs == 0 {
		return time.Time{}
	}
	return pk.CreationTime.Add(time.Duration(*self.KeyLifetimeSecs) * time.Second)
}

// earlier returns the earlier of two instants, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// algorithm names a key's algorithm and size, as in "RSA-4096" or
// "ECDSA-P256", and says whether the policy takes it: "" if so, "dsa" if a
// Legacy of that name may allow it, "never" if none may.
func algorithm(pk *packet.PublicKey) (name, weakness string) {
	bits, _ := pk.BitLength()
	curve, _ := pk.Curve()
	switch pk.PubKeyAlgo {
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSASignOnly:
		if bits < 2048 {
			weakness = "never"
		}
		return fmt.Sprintf("RSA-%d", bits), weakness
	case packet.PubKeyAlgoDSA:
		if bits < 1024 {
			return fmt.Sprintf("DSA-%d", bits), "never"
		}
		return fmt.Sprintf("DSA-%d", bits), "dsa"
	case packet.PubKeyAlgoECDSA:
		if curve == packet.CurveSecP256k1 { // its support is optional and its use here unheard of
			weakness = "never"
		}
		return "ECDSA-" + string(curve), weakness
	case packet.PubKeyAlgoEdDSA, packet.PubKeyAlgoEd25519, packet.PubKeyAlgoEd448:
		if curve == packet.Curve448 {
			return "Ed448", ""
		}
		return "Ed25519", ""
	}
	return fmt.Sprintf("algorithm %d", pk.PubKeyAlgo), "never"
}
