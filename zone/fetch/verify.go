package fetch

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"nirzone/zone"
	"nirzone/zone/seal"
)

// A bundle is a zonelet with its seals, as they came or as the spool had them.
// Parts that the source does not require are nil.
type bundle struct {
	data, md5, asc []byte
	validators     url.Values // of the parts, by part
}

// The parts of a bundle, as keys of validators, and what stands behind the file's
// name.
const (
	partFile = "file"
	partMD5  = "md5"
	partASC  = "asc"
)

var suffixes = map[string]string{partFile: "", partMD5: ".md5", partASC: ".asc"}

// A verifier judges the bundles of one source. It is pure but for the keyring,
// which is read once.
type verifier struct {
	source *zone.Source
	ring   *seal.Keyring
	now    time.Time
}

const maxKeyring = 4 << 20

// newVerifier reads the keyring, if the source requires signatures.
func newVerifier(s *zone.Source, now time.Time) (*verifier, error) {
	v := &verifier{source: s, now: now}
	if !s.RequirePGP {
		return v, nil
	}
	info, err := os.Stat(s.Keyring)
	if err != nil {
		return nil, finalError{fmt.Errorf("reading the keyring: %w", err)}
	}
	if info.Size() > maxKeyring {
		return nil, final("keyring %s has %d bytes, at most %d are read", s.Keyring, info.Size(), maxKeyring)
	}
	data, err := os.ReadFile(s.Keyring)
	if err != nil {
		return nil, finalError{fmt.Errorf("reading the keyring: %w", err)}
	}
	v.ring, err = seal.LoadKeyring(s.Keyring, data)
	if err != nil {
		return nil, finalError{fmt.Errorf("reading the keyring: %w", err)}
	}
	return v, nil
}

func (v *verifier) policy(z zone.Name, file string) seal.Policy {
	return seal.Policy{Source: v.source.Name, Zone: z, File: file, Now: v.now, Windows: v.source.KeyWindows, Legacy: v.source.Legacy}
}

// alarms says what will soon be wrong with the source's keys.
func (v *verifier) alarms() []zone.Notice {
	if v.ring == nil {
		return nil
	}
	return v.ring.Alarms(v.policy("", ""))
}

// keyEnd is when the last usable key of the source stops to count; never is true
// without such a time.
func (v *verifier) keyEnd() (end time.Time, never bool) {
	if v.ring == nil {
		return time.Time{}, true
	}
	return v.ring.Ends(v.policy("", ""))
}

// errEmpty: an empty zonelet has a trailer, so no zonelet has zero bytes.
var errEmpty = errors.New("the file has zero bytes; a zonelet without delegations still has its trailer (policy APNIC-103, appendix)")

// verify checks what the source requires. prev is the version accepted before.
func (v *verifier) verify(j job, origin string, b bundle) (*zone.Accepted, []zone.Notice, error) {
	if len(b.data) == 0 && j.zone == "" {
		return nil, nil, fmt.Errorf("%s: the file has zero bytes", j.file)
	}
	if len(b.data) == 0 {
		return nil, nil, fmt.Errorf("%s: %w", j.file, errEmpty)
	}
	a := &zone.Accepted{
		SHA256: digest(b.data), Size: int64(len(b.data)), File: j.file, URL: origin, Validators: b.validators.Encode(),
	}
	var notices []zone.Notice
	if v.source.RequireMD5 {
		n, err := v.sum(j, b)
		if err != nil {
			return nil, nil, err
		}
		notices = append(notices, n...)
		a.MD5Object = digest(b.md5)
	}
	if v.source.RequirePGP {
		n, err := v.signature(j, b, a)
		if err != nil {
			return nil, n, err
		}
		notices = append(notices, n...)
	}
	if err := v.misdirected(j, a, b.data); err != nil {
		return nil, notices, err
	}
	return a, notices, nil
}

// misdirected refuses a zonelet of another zone of the source under this one's name.
// A signature covers the bytes and not the file's name, and sums can be made by
// anybody on the way: whoever swaps two files with their signatures would have the
// wrong one accepted, and if it is the younger the right one refused as a replay from
// then on. What is wrong with a file that is no zonelet of any zone is not judged
// here.
func (v *verifier) misdirected(j job, a *zone.Accepted, data []byte) error {
	if p := j.prev.Accepted; j.zone == "" || p != nil && p.SHA256 == a.SHA256 {
		return nil // a whois database is the source's only one
	}
	fits := func(z zone.Name) bool {
		limits := zone.DefaultParseLimits
		limits.MaxBytes = v.source.MaxBytes
		_, err := zone.ParseFragment(v.source.Name, z, j.file, data, zone.ParseOptions{Limits: limits, TrailerOptional: v.source.TrailerOptional, SHA256: a.SHA256})
		return err == nil
	}
	if fits(j.zone) {
		return nil
	}
	text := bytes.ToLower(data)
	for _, z := range v.source.Zones {
		if z != j.zone && bytes.Contains(text, []byte(z.File())) && fits(z) {
			return fmt.Errorf("%s: it is the source's zonelet of %s, published under another's name; were two files swapped?", j.file, z)
		}
	}
	return nil
}

func (v *verifier) sum(j job, b bundle) ([]zone.Notice, error) {
	name := j.file + suffixes[partMD5]
	sum, err := seal.ParseMD5(name, b.md5, v.source.AllowGNU)
	if err != nil {
		return nil, err
	}
	if err := sum.Check(j.file, md5.Sum(b.data)); err != nil {
		return nil, err
	}
	if !sum.GNU {
		return nil, nil
	}
	return []zone.Notice{{
		Code: "gnu-md5", Severity: zone.Info, Source: v.source.Name, Zone: j.zone, Pos: zone.Pos{File: name},
		Text: "the sum is in GNU form, which the configuration allows; the policy wants BSD form (md5sum --tag)",
	}}, nil
}

func (v *verifier) signature(j job, b bundle, a *zone.Accepted) ([]zone.Notice, error) {
	name := j.file + suffixes[partASC]
	sig, notices, err := v.ring.Verify(b.data, b.asc, v.policy(j.zone, name))
	if err != nil {
		return notices, err
	}
	if p := j.prev.Accepted; p != nil {
		if err := seal.Replay(p.SignedAt, p.SHA256 == a.SHA256, sig); err != nil {
			return notices, fmt.Errorf("%s: %w", name, err)
		}
	}
	a.SignatureObject, a.Signer, a.SignedAt = digest(b.asc), sig.String(), sig.Created
	if p := j.prev.Accepted; p != nil && p.SignedAt.After(a.SignedAt) {
		// An older signature over the same bytes is taken, but it must not lower the
		// mark below which others are replays.
		a.SignedAt = p.SignedAt
	}
	return notices, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
