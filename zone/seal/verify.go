package seal

import (
	"crypto"
	"errors"
	"fmt"
	"hash"
	"strings"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"nirzone/zone"
)

// A Signature is a signature that was accepted.
type Signature struct {
	Fingerprint string    // of the primary key, upper-case hex
	KeyID       string    // of the key or subkey that signed, 16 hex digits
	UserID      string    // primary user id of the key
	Created     time.Time // when it was made, by its own word, UTC
	Hash        string    // as in "SHA256", "SHA3-512"
	Algorithm   string    // as in "RSA-4096", "Ed25519", "ECDSA-P256", "DSA-2048"
	Form        Form
}

// String returns fingerprint and user id.
func (s Signature) String() string { return strings.TrimSpace(s.Fingerprint + " " + s.UserID) }

// Verify checks that sig is a signature over data by a key of the ring that
// counts under p; the package comment has the rules. Notices name every
// weakness that p.Legacy let pass. Errors are of type [*Error].
func (k *Keyring) Verify(data, sig []byte, p Policy) (Signature, []zone.Notice, error) {
	env, err := openEnvelope(sig, data)
	if err != nil {
		err.File = p.File
		return Signature{}, nil, err
	}
	var good Signature
	var notices []zone.Notice
	var worst *Error
	for _, raw := range env.packets {
		s, ns, err := k.verifyOne(raw, env, &p)
		switch {
		case err == nil && (good.Fingerprint == "" || s.Created.After(good.Created)):
			good, notices = s, ns
		case err != nil && (worst == nil || err.Kind < worst.Kind):
			worst = err
		}
	}
	if good.Fingerprint == "" {
		worst.File = p.File
		return Signature{}, nil, worst
	}
	good.Form = env.form
	return good, notices, nil
}

// verifyOne checks one signature packet against every key that it may be by.
func (k *Keyring) verifyOne(raw *packet.OpaquePacket, env *envelope, p *Policy) (Signature, []zone.Notice, *Error) {
	sig, err := parseSignature(raw, env.form)
	if err != nil {
		return Signature{}, nil, err
	}
	err = &Error{Kind: UnknownKey, Key: issuer(sig), Msg: fmt.Sprintf("signed by key %s, which is not in the keyring; if the source announced it, add it there, else the source has to sign with a key that it announced", issuer(sig))}
	for i := range k.keys {
		m := k.keys[i].match(sig)
		if m == nil {
			continue
		}
		if verr := m.verify(env.signed); verr != nil {
			err = m.refuse(BadSignature, time.Time{}, "did not make this signature over this file; one of them was damaged or published without the other: sign the file as it is published")
			continue
		}
		return p.accept(m)
	}
	return Signature{}, nil, err
}

// match returns the key that a signature says it is by, nil if the ring's key
// has none such.
func (rk *ringKey) match(sig *packet.Signature) *made {
	for i, id := range rk.ids {
		if sig.CheckKeyIdOrFingerprint(id) {
			e := rk.entity()
			return &made{e, publicKeys(e)[i], sig}
		}
	}
	return nil
}

// verify proves the signature over data, and nothing else.
func (m *made) verify(data []byte) error {
	direct, err := m.sig.PrepareVerify()
	if err != nil {
		return err
	}
	var h hash.Hash = direct
	if m.sig.SigType == packet.SigTypeText {
		h = openpgp.NewCanonicalTextHash(direct)
	}
	h.Write(data)
	return m.pk.VerifySignature(direct, m.sig)
}

// Hash algorithms that the library does not read at all (RFC 9580, section 9.5).
var deadHashes = map[byte]string{1: "MD5", 3: "RIPEMD160"}

// parseSignature decodes a signature packet over data. The library skips what
// it does not know, which would look like an unknown key, so that is found out
// here.
func parseSignature(raw *packet.OpaquePacket, form Form) (*packet.Signature, *Error) {
	c := raw.Contents
	if len(c) < 4 {
		return nil, malformed("a signature of %d octets", len(c))
	}
	if c[0] != 4 && c[0] != 6 {
		return nil, &Error{Kind: Unsupported, Msg: fmt.Sprintf("a signature of version %d, which is not read; the source has to make one of version 4 or 6 (RFC 9580, section 5.2.3)", c[0])}
	}
	if h := deadHashes[c[3]]; h != "" {
		return nil, &Error{Kind: Weak, Msg: fmt.Sprintf("unsupported hash: signed under %s, which is broken and cannot be allowed; the source has to sign under SHA-256 or better", h)}
	}
	p, err := raw.Parse()
	sig, ok := p.(*packet.Signature)
	if err != nil || !ok {
		kind := Malformed
		if errors.As(err, new(pgperrors.UnsupportedError)) {
			kind = Unsupported
		}
		return nil, &Error{Kind: kind, Msg: fmt.Sprintf("reading signature: %v", err)}
	}
	switch {
	case sig.SigType == packet.SigTypeBinary && form != ClearSign, sig.SigType == packet.SigTypeText:
	default:
		return nil, malformed("a signature of type 0x%02x, which is not over the file (RFC 9580, section 5.2.1)", uint8(sig.SigType))
	}
	if sig.IssuerKeyId == nil && sig.IssuerFingerprint == nil {
		return nil, malformed("a signature that names no key (RFC 9580, section 5.2.3.35)")
	}
	return sig, nil
}

// issuer returns the key that a signature says it is by, as exactly as it says.
func issuer(sig *packet.Signature) string {
	if len(sig.IssuerFingerprint) > 0 {
		return fmt.Sprintf("%X", sig.IssuerFingerprint)
	}
	return fmt.Sprintf("%016X", *sig.IssuerKeyId)
}

// hashName returns a hash's name as OpenPGP writes it (RFC 9580, section 9.5).
func hashName(h crypto.Hash) string {
	if h == crypto.SHA3_256 || h == crypto.SHA3_512 {
		return h.String()
	}
	return strings.ReplaceAll(h.String(), "-", "")
}

// Replay refuses a signature that is older than the one accepted before, unless
// it is over the same octets: somebody may be serving yesterday's file again. A
// zero acceptedSignedAt refuses nothing. Errors are of type [*Error] and Kind
// Replayed.
func Replay(acceptedSignedAt time.Time, sameBytes bool, s Signature) error {
	if sameBytes || !s.Created.Before(acceptedSignedAt) {
		return nil
	}
	return &Error{
		Kind: Replayed, Key: s.Fingerprint, Date: acceptedSignedAt,
		Msg: fmt.Sprintf("signed at %s, but a version signed at %s was accepted before; an older one is not taken back, the source has to sign anew", instant(s.Created), instant(acceptedSignedAt)),
	}
}
