package sign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// A Verified is a signed zone that [Verify] found to be right. It is what can be
// published.
type Verified struct {
	facts   Facts
	text    [][]byte
	notices []zone.Notice
	apex    *block // these three for Store
	blocks  []*block
	from    *Store
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
//   - every RRset of the zone's own has one signature of each algorithm, by a ZSK
//     or CSK that became active and was not removed, that verifies and is valid at
//     now; delegations' NS and glue have none. A ZSK outside the DNSKEY set signs
//     only where its algorithm is not in the set ([Timing]), and every algorithm of
//     the set signs. Which of several such keys of an algorithm it is, is not asked:
//     for a validator any zone key of the DNSKEY set will do (RFC 4035, sections 2.2
//     and 5.3.1), and during a roll a zone has signatures by both. That caches have
//     the key is what [CheckSet] and [Prove] look at; a key that is published and not
//     yet active is refused here;
//   - the NSEC or NSEC3 chain is closed, in order and has every name and type it
//     should;
//   - ZONEMD is the digest of the zone (RFC 8976);
//   - without DNSSEC records, the zone is the merged zone with the serial of
//     s.Facts, record for record with TTLs;
//   - the facts are those of the file.
//
// # What a stored verdict stands on
//
// All of that is checked in every run, but for what was found before in the very
// same text. If the zone was signed with a [Store], a part of its text that is,
// byte for byte, that of a block of the store is not parsed and its signatures
// are not verified again. What is taken from the block is that this text parses
// into these records, of this canonical wire form, in canonical order; that every
// set that must be signed is, and no other; that each signature verifies with the
// public key whose DNSKEY data has the recorded digest; that the NSEC chain is
// closed inside the part; and from when until when all its signatures are valid.
// It is taken only if
//
//   - the block came out of a Verify, in this program or through a file that a key
//     of the zone has sealed (see [OpenStore]);
//   - every key recorded is, with flags, algorithm and public key, one that may sign
//     the zone now: in the DNSKEY set that is to be published and was just verified,
//     or, in an algorithm roll, among those that sign before they are in it or after
//     (RFC 6781, section 4.1.4), which come from the key files and not from the store;
//   - the roles and algorithms in that set, the origin, the TTL of NSEC and the
//     version of these checks were the same (verification.scope);
//   - all its signatures are valid at now: times are checked in every run;
//   - its records without RRSIG and NSEC are, one by one, those of the merged zone.
//
// Otherwise it is verified like any other part. Likewise a single signature in a
// new part is not verified again if the store has it, over the same data by a key
// with the same DNSKEY data. Between parts (order, delegations, the chain, the
// number of records), at the apex, for ZONEMD and for the facts, nothing is taken
// from the store. What ZONEMD covers is compared with the bytes that the signer
// digested; only where that is not the same, octet for octet, is the digest computed
// once more (transcript).
func Verify(ctx context.Context, s *Signed, z *zone.Zone, keys []Key, now time.Time) (*Verified, error) {
	v := &verification{facts: s.facts, policy: s.policy, z: z, origin: string(z.Origin), now: now, known: s.known, md: s.md}
	j, err := v.run(ctx, s, keys)
	if err != nil {
		return nil, fmt.Errorf("verifying %s: %w", z.Origin, err)
	}
	return &Verified{facts: s.facts, text: s.text, notices: v.notices(), apex: j.apex.stored, blocks: j.blocks, from: s.store}, nil
}

// A verification is the work on one zone. After prepare it does not change, so
// many goroutines may use it.
type verification struct {
	facts  Facts
	policy zone.SigningConfig
	z      *zone.Zone
	origin string
	now    time.Time
	known  proven            // single signatures that were verified before
	md     *transcript       // what the signer's ZONEMD is a digest of
	keys   map[uint16]keyUse // the DNSKEY set and who else signs, by tag
	scope  digest            // of what every verdict rests on, see setScope

	wantSet, wantCDS, wantZone int      // signatures of a set: see wanted
	apexBitmap                 []uint16 // the types at the apex
	chain                      []link   // what the NSEC3 records must say, in order
}

func (v *verification) run(ctx context.Context, s *Signed, keys []Key) (*join, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return v.digest(s) })
	var j *join
	group.Go(func() (err error) {
		j, err = v.zone(ctx, s, keys)
		return err
	})
	return j, group.Wait()
}

// zone verifies the parts and what holds between them.
func (v *verification) zone(ctx context.Context, s *Signed, keys []Key) (*join, error) {
	apexText, tasks, err := v.split(s)
	if err != nil {
		return nil, err
	}
	apex, err := v.apex(apexText, keys)
	if err != nil {
		return nil, err
	}
	v.setScope()
	if v.nsec3() {
		if v.chain, err = v.expectChain(); err != nil {
			return nil, err
		}
	}
	j := newJoin(v, apex)
	worker := func() func(int) ([]found, error) {
		c := newChecker(v)
		return func(i int) ([]found, error) { return c.task(tasks[i]) }
	}
	err = ordered(ctx, len(tasks), worker, func(list []found) error {
		for _, f := range list {
			if err := j.take(f); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return j, j.finish()
}

// digest holds the facts' size and digest against the bytes, while zone reads them.
func (v *verification) digest(s *Signed) error {
	sum := sumFile(s.text)
	s.sealed()
	if sum != (fileSum{s.facts.Size, s.facts.SHA256}) {
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
