package sign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// A Verified is a signed zone that [Verify] found to be right. It is what can be
// published.
type Verified struct {
	facts   Facts
	text    [][]byte
	notices []zone.Notice
}

var _ publish.Publishable = (*Verified)(nil)

// Facts returns what is to be recorded of the zone.
func (v *Verified) Facts() Facts { return v.facts }

// Notices returns what is not wrong but should be known: signatures with less
// time left than the policy's alarm.
func (v *Verified) Notices() []zone.Notice { return v.notices }

// PublishName returns the name of the zone's file.
func (v *Verified) PublishName() string { return v.facts.Zone.File() }

// WriteVerified writes the zone file, exactly the bytes that were verified.
func (v *Verified) WriteVerified(w io.Writer) (int64, error) {
	var total int64
	for _, part := range v.text {
		n, err := w.Write(part)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Verify checks a signed zone against the merged zone it was made from and the
// keys that should be in it. It works on the bytes of the zone file alone, by
// other code than the signer's: the DNS library parses and packs every record.
// These must hold, or it is an error that names the owner and the RFC section:
//
//   - the DNSKEY set is exactly the keys in use at now, with unique tags, and
//     signed by every active KSK in it and nothing else;
//   - CDS and CDNSKEY name the keys they should, one of which signs the DNSKEY
//     set, and are signed by every active KSK (RFC 7344, section 4.1);
//   - every RRset of the zone's own has one signature of each algorithm, by an
//     active ZSK, that verifies and is valid at now; delegations' NS and glue have
//     none. A ZSK outside the DNSKEY set signs only where its algorithm is not in
//     the set ([Timing]), and every algorithm of the set signs;
//   - the NSEC or NSEC3 chain is closed, in order and has every name and type it
//     should;
//   - ZONEMD is the digest of the zone (RFC 8976);
//   - without DNSSEC records, the zone is the merged zone with the serial of
//     s.Facts, record for record with TTLs;
//   - the facts are those of the file.
func Verify(ctx context.Context, s *Signed, z *zone.Zone, keys []Key, now time.Time) (*Verified, error) {
	v := &verification{facts: s.facts, policy: s.policy, z: z, origin: string(z.Origin), now: now}
	if err := v.run(ctx, s.text, keys); err != nil {
		return nil, fmt.Errorf("verifying %s: %w", z.Origin, err)
	}
	return &Verified{facts: s.facts, text: s.text, notices: v.notices()}, nil
}

// A verification is the work on one zone. After prepare it does not change, so
// many goroutines may use it.
type verification struct {
	facts  Facts
	policy zone.SigningConfig
	z      *zone.Zone
	origin string
	now    time.Time
	keys   map[uint16]keyUse // the DNSKEY set and who else signs, by tag

	wantSet, wantCDS, wantZone int      // signatures of a set: see wanted
	apexBitmap                 []uint16 // the types at the apex
	chain                      []link   // what the NSEC3 records must say, in order
}

func (v *verification) run(ctx context.Context, text [][]byte, keys []Key) error {
	if err := v.digest(text); err != nil {
		return err
	}
	apexText, pieces, err := v.split(text)
	if err != nil {
		return err
	}
	apex, err := v.apex(apexText, keys)
	if err != nil {
		return err
	}
	if v.nsec3() {
		if v.chain, err = v.expectChain(); err != nil {
			return err
		}
	}
	j := newJoin(v, apex)
	worker := func() func(int) (*piece, error) {
		c := newChecker(v)
		return func(i int) (*piece, error) { return c.piece(pieces[i]) }
	}
	if err := ordered(ctx, len(pieces), worker, j.take); err != nil {
		return err
	}
	return j.finish()
}

// digest holds the facts' size and digest against the bytes.
func (v *verification) digest(text [][]byte) error {
	h, size := sha256.New(), int64(0)
	for _, part := range text {
		h.Write(part)
		size += int64(len(part))
	}
	if size != v.facts.Size || hex.EncodeToString(h.Sum(nil)) != v.facts.SHA256 {
		return errors.New("the zone's bytes are not those that were signed: size or SHA-256 differ")
	}
	return nil
}

// notices are given to a zone that is right.
func (v *verification) notices() []zone.Notice {
	left := v.facts.Expires.Sub(v.now)
	if left >= v.policy.Alarm {
		return nil
	}
	return []zone.Notice{{
		Code: "signature-runway", Severity: zone.Alarm, Zone: v.z.Origin,
		Text: fmt.Sprintf("a signature has %v left, less than the %v of signing.alarm; build the zone more often or lengthen signing.validity", left, v.policy.Alarm),
	}}
}

// fault is how the errors of a verification look.
func fault(owner, format string, args ...any) error {
	return fmt.Errorf("%s: %w", owner, fmt.Errorf(format, args...))
}
