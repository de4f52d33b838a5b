package sign

import (
	"encoding/hex"
	"time"
)

// A join puts pieces together in the order of the file: what holds between them
// is checked here.
type join struct {
	v           *verification
	apex        *apexFound
	last, cut   []byte // packed: the last name, the last delegation
	next        string // what the last NSEC points at
	links       int    // NSEC3 records, seen so far
	entries     int    // of the merged zone, seen so far
	sigs        int
	delegations int
	expires     int64
}

func newJoin(v *verification, a *apexFound) *join {
	return &join{v: v, apex: a, last: a.owner, next: a.next, sigs: a.sigs, expires: a.expires}
}

func (j *join) take(p *piece) error {
	if p.first == nil {
		return nil
	}
	switch {
	case canonicalCompare(j.last, p.first) >= 0:
		return fault(p.firstName, "it is out of canonical order, or its records are not together (RFC 4034, section 6.1)")
	case isBelow(p.first, j.cut):
		return fault(p.firstName, "it is parted from the delegation above it")
	case !isBelow(p.first, j.apex.owner) || !isBelow(p.last, j.apex.owner):
		// Between two names of a subtree lie only names of it.
		return fault(p.firstName, "it, or a name that follows, is not in the zone (RFC 1034, section 4.2)")
	case p.from != j.entries:
		return j.missing()
	case p.chained != "" && p.chained != j.next:
		return fault(p.chained, "the NSEC before it points at %s (RFC 4035, section 2.3)", j.next)
	}
	if p.chained != "" {
		j.next = p.next
	}
	if err := j.takeChain(p.chain); err != nil {
		return err
	}
	j.last, j.cut, j.entries = p.last, p.cut, p.to
	j.sigs, j.delegations = j.sigs+p.sigs, j.delegations+p.delegations
	if p.expires != 0 {
		j.expires = min(j.expires, p.expires)
	}
	j.apex.hash.Write(p.wire)
	return nil
}

// missing names the first entry of the merged zone that did not come.
func (j *join) missing() error {
	e := j.v.z.Entries[j.entries]
	return fault(string(e.Name), "its %s %s is missing", e.Type, e.Text())
}

func (j *join) finish() error {
	f, v := j.v.facts, j.v
	switch {
	case j.entries != len(v.z.Entries):
		return j.missing()
	case j.links != len(v.chain):
		return fault(v.origin, "its NSEC3 chain lacks %s (RFC 5155, section 7.1)", v.chain[j.links])
	case !v.nsec3() && j.next != v.origin:
		return fault(v.origin, "the last NSEC points at %s and not at the apex (RFC 4034, section 4.1.1)", j.next)
	case hex.EncodeToString(j.apex.hash.Sum(nil)) != j.apex.digest:
		return fault(v.origin, "ZONEMD is not the digest of the zone (RFC 8976, section 4)")
	case j.sigs != f.Signatures || j.delegations != f.Delegations:
		return fault(v.origin, "%d signatures and %d delegations are in the file, %d and %d in its facts", j.sigs, j.delegations, f.Signatures, f.Delegations)
	case !f.Expires.Equal(time.Unix(j.expires, 0)) || !f.Due.Equal(f.Expires.Add(v.policy.Slot-v.policy.Validity)):
		return fault(v.origin, "its first signature ends at %s, in its facts at %s", clockText(j.expires), clockText(f.Expires.Unix()))
	}
	return nil
}
