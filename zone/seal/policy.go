package seal

import (
	"fmt"
	"slices"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"nirzone/zone"
)

// Skew is how far in the future of Now a signature may be: clocks differ.
const Skew = 15 * time.Minute

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

// allows returns when an allowance of a weakness of a key ends, zero if there
// is none now. An allowance of "sha1" or "dsa" without a fingerprint is for all
// keys; one of "expired" always names one.
func (p *Policy) allows(what string, fprs ...string) time.Time {
	var until time.Time
	for _, l := range p.Legacy {
		if l.Allow == what && p.Now.Before(l.Until) && (l.Fingerprint == "" && what != "expired" || slices.Contains(fprs, l.Fingerprint)) && l.Until.After(until) {
			until = l.Until
		}
	}
	return until
}

// A made is a signature that was proved to be by key pk of entity e.
type made struct {
	e   *openpgp.Entity
	pk  *packet.PublicKey
	sig *packet.Signature
}

func (m *made) fingerprints() []string {
	return []string{fingerprint(m.e.PrimaryKey), fingerprint(m.pk)}
}

// both returns the key and its primary key: neither may be weak.
func (m *made) both() []*packet.PublicKey { return []*packet.PublicKey{m.pk, m.e.PrimaryKey} }

// name is how messages name the key.
func (m *made) name() string {
	if m.pk != m.e.PrimaryKey {
		return fmt.Sprintf("key %s (subkey %s)", fingerprint(m.e.PrimaryKey), fingerprint(m.pk))
	}
	return "key " + fingerprint(m.pk)
}

// refuse makes an error about the key.
func (m *made) refuse(k Kind, date time.Time, format string, args ...any) *Error {
	return &Error{Kind: k, Key: fingerprint(m.e.PrimaryKey), Date: date, Msg: m.name() + " " + fmt.Sprintf(format, args...)}
}

// accept judges a proved signature. It returns the notices of all weaknesses
// that were let pass.
func (p *Policy) accept(m *made) (Signature, []zone.Notice, *Error) {
	created := m.sig.CreationTime
	if err := p.checkTimes(m); err != nil {
		return Signature{}, nil, err
	}
	st := judge(m.e, m.pk, p.Now.Add(Skew)) // its self-signature may be a moment old, by a clock ahead of ours
	var notices []zone.Notice
	for _, check := range []func(*made, standing) (*zone.Notice, *Error){p.checkKey, p.checkExpiry, p.checkAlgorithm, p.checkHash} {
		n, err := check(m, st)
		if err != nil {
			return Signature{}, nil, err
		}
		if n != nil {
			notices = append(notices, *n)
		}
	}
	if err := p.checkWindow(m); err != nil {
		return Signature{}, nil, err
	}
	alg, _ := algorithm(m.pk)
	return Signature{
		Fingerprint: fingerprint(m.e.PrimaryKey), KeyID: m.pk.KeyIdString(), UserID: st.userID,
		Created: created.UTC(), Hash: hashName(m.sig.Hash), Algorithm: alg,
	}, notices, nil
}

func (p *Policy) checkTimes(m *made) *Error {
	created := m.sig.CreationTime
	if created.After(p.Now.Add(Skew)) {
		return m.refuse(NotYetValid, created, "signed at %s, which is in the future of %s by more than %v; is a clock wrong?", instant(created), instant(p.Now), Skew)
	}
	if created.Before(m.pk.CreationTime) {
		return m.refuse(NotYetValid, created, "signed at %s, before it was made at %s", instant(created), instant(m.pk.CreationTime))
	}
	if l := m.sig.SigLifetimeSecs; l != nil && *l != 0 {
		if end := created.Add(time.Duration(*l) * time.Second); !p.Now.Before(end) {
			return m.refuse(Expired, end, "made a signature that expired on %s; it has to be made anew", day(end))
		}
	}
	for _, n := range m.sig.Notations {
		if n.IsCritical {
			return m.refuse(Unsupported, time.Time{}, "made a signature that depends on the notation %.60q, which means nothing here (RFC 9580, section 5.2.3.24)", n.Name)
		}
	}
	return nil
}

func (p *Policy) checkKey(m *made, st standing) (*zone.Notice, *Error) {
	if !st.revoked.IsZero() {
		return nil, m.refuse(Revoked, st.revoked, "was revoked on %s; the source has to sign with another key", day(st.revoked))
	}
	if st.fault != "" {
		return nil, m.refuse(Unsupported, time.Time{}, "%s", st.fault)
	}
	return nil, nil
}

func (p *Policy) checkExpiry(m *made, st standing) (*zone.Notice, *Error) {
	if st.expires.IsZero() || p.Now.Before(st.expires) {
		return nil, nil
	}
	until := p.allows("expired", m.fingerprints()...)
	if until.IsZero() {
		return nil, m.refuse(Expired, st.expires, `expired on %s; the source has to prolong or replace it and send the new public key; to take it for a time, add { allow = "expired", fingerprint, until } to legacy`, day(st.expires))
	}
	return p.notice("legacy-expired", m, until, "expired on %s", day(st.expires)), nil
}

func (p *Policy) checkAlgorithm(m *made, _ standing) (*zone.Notice, *Error) {
	for _, pk := range m.both() {
		name, weakness := algorithm(pk)
		if weakness == "" {
			continue
		}
		until := p.allows(weakness, m.fingerprints()...)
		switch {
		case !until.IsZero():
			return p.notice("legacy-dsa", m, until, "is %s", name), nil
		case weakness == "dsa":
			return nil, m.refuse(Weak, time.Time{}, `is %s, which is refused; the source has to change to RSA, ECDSA or EdDSA; to take it for a time, add { allow = "dsa", until } to legacy`, name)
		}
		return nil, m.refuse(Weak, time.Time{}, "is %s; accepted are RSA of 2048 bits or more, ECDSA and EdDSA", name)
	}
	return nil, nil
}

func (p *Policy) checkHash(m *made, _ standing) (*zone.Notice, *Error) {
	name := hashName(m.sig.Hash)
	switch name {
	case "SHA256", "SHA384", "SHA512", "SHA3-256", "SHA3-512":
		return nil, nil
	case "SHA1":
		if until := p.allows("sha1", m.fingerprints()...); !until.IsZero() {
			return p.notice("legacy-sha1", m, until, "signs under SHA-1"), nil
		}
		return nil, m.refuse(Weak, time.Time{}, `signs under SHA-1, which is refused; the source has to sign under SHA-256 or better (gpg --digest-algo SHA256); to take it for a time, add { allow = "sha1", until } to legacy`)
	}
	return nil, m.refuse(Weak, time.Time{}, "signs under %s; accepted are SHA-256 and better", name)
}

// notice reports a weakness that was let pass.
func (p *Policy) notice(code string, m *made, until time.Time, format string, args ...any) *zone.Notice {
	return &zone.Notice{
		Code: code, Severity: zone.Warning, Source: p.Source, Zone: p.Zone, Pos: zone.Pos{File: p.File},
		Text: fmt.Sprintf("%s %s; the configuration allows it until %s", m.name(), fmt.Sprintf(format, args...), day(until)),
	}
}
