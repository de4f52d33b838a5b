package sign

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"nirzone/zone"
)

// Sightings are what the servers of a zone's parent are believed to say of its DS
// set: what zonefetch observe wrote down, judged by trust anchors.
type Sightings struct {
	Zone, Parent zone.Name
	Rows         []Sighting // one an address, sorted by server and address; only believed ones
	// Complete says that every address of every server of the parent is among
	// the rows: of every server that the configuration names, or else that the
	// parent's own NS set names or has named of late ([zone.ParentHold]). Missing
	// are those that are not, or that could not be found, each with the reason.
	Complete bool
	Missing  []string
	Refused  []string // those of Missing that answered, and are not believed
}

// A Sighting is what one address is believed to say. DS is empty if it proved
// that there is none.
type Sighting struct {
	Server  zone.Name
	Address netip.AddrPort
	Time    time.Time     // of its last answer
	TTL     time.Duration // of the set, or of the proof that there is none, as signed
	DS      []SeenDS
}

// A SeenDS is a DS record that an address has. Since is the first answer from
// which on every answer that was kept held the record and validated at its time,
// none further apart than observations stay fresh.
type SeenDS struct {
	Data  zone.Data
	Since time.Time
}

// skew is how far in the future an observation may be: the clock of the host that
// observes.
const skew = 5 * time.Minute

// A Judge judges what was observed of zones' delegations (RFC 4035, section 5). An
// address is believed if its last good answer is younger than fresh and validates
// at now to one of the anchors, by the DNSKEY and DS sets that were observed with
// it. It asks nobody and reads no clock: the same arguments give the same answers.
// The zones share the chain above them; a Judge is for one goroutine.
type Judge struct {
	o       *zone.Observations
	chain   *chain
	anchors int
	now     time.Time
	fresh   time.Duration
	lists   map[zone.Name]parentList
}

// NewJudge returns a judge of observations; o may be nil.
func NewJudge(o *zone.Observations, anchors []zone.Record, now time.Time, fresh time.Duration) *Judge {
	if o == nil {
		o = &zone.Observations{}
	}
	return &Judge{o: o, chain: newChain(o, anchors), anchors: len(anchors), now: now, fresh: fresh, lists: map[zone.Name]parentList{}}
}

// Zone returns what the parent of a zone is believed to say.
func (j *Judge) Zone(name zone.Name) *Sightings {
	s := &Sightings{Zone: name}
	miss := func(format string, args ...any) { s.Missing = append(s.Missing, fmt.Sprintf(format, args...)) }
	z := j.o.Zone(name)
	switch {
	case j.anchors == 0:
		miss("no trust anchor is configured: set observe.anchors")
		return s
	case z == nil || len(z.Delegation)+len(z.Unknown) == 0:
		miss("the parent of %s was never observed: run zonefetch observe", name.File())
		return s
	}
	s.Parent = z.Parent
	for _, u := range z.Unknown {
		if u.Parent {
			miss("%s: %s", u.Server, u.Reason)
		}
	}
	for i := range z.Delegation {
		row, err := j.row(z, &z.Delegation[i])
		if err != nil {
			miss("%s at %s: %v", z.Delegation[i].Server, z.Delegation[i].Address, err)
			if z.Delegation[i].Fault == "" {
				s.Refused = append(s.Refused, s.Missing[len(s.Missing)-1])
			}
			continue
		}
		s.Rows = append(s.Rows, *row)
	}
	unasked, refused := j.unasked(z)
	s.Missing = append(s.Missing, unasked...)
	if refused {
		s.Refused = append(s.Refused, unasked...)
	}
	s.Complete = len(s.Missing) == 0 && len(s.Rows) > 0
	return s
}

// row judges one address.
func (j *Judge) row(z *zone.ObservedZone, o *zone.Observation) (*Sighting, error) {
	if len(o.Sets) == 0 {
		return nil, fmt.Errorf("it never answered: %s", o.Reason)
	}
	last := o.Sets[len(o.Sets)-1]
	switch {
	case last.Last.After(j.now.Add(skew)):
		return nil, fmt.Errorf("it was seen at %s, which is in the future: one of the clocks is wrong", clockText(last.Last.Unix()))
	case j.now.Sub(last.Last) > j.fresh:
		why := o.Reason
		if why == "" {
			why = "run zonefetch observe"
		}
		return nil, fmt.Errorf("its last answer is of %s, older than observe.fresh_for = %v: %s", clockText(last.Last.Unix()), j.fresh, why)
	case o.Denied != (j.kind(last) == zone.TypeNSEC):
		return nil, fmt.Errorf("its last answer has no proof that there is no DS set: %s", o.Reason)
	}
	// The last answer is used now: it must hold now, and not only when it was seen.
	set, err := j.believe(z, last, j.now)
	if err != nil {
		return nil, err
	}
	row := &Sighting{Server: o.Server, Address: o.Address, Time: last.Last, TTL: time.Duration(set.originalTTL()) * time.Second}
	if set.set.Type == zone.TypeDS {
		for _, d := range set.set.Data {
			row.DS = append(row.DS, SeenDS{Data: zone.Data(d), Since: j.since(z, o.Sets, d)})
		}
	}
	return row, nil
}

func (j *Judge) kind(s zone.SeenSet) zone.Type {
	if set := j.chain.sets[s.Set]; set != nil {
		return set.set.Type
	}
	return 0
}

// believe returns a set if it is about the zone's DS and validates at a time.
func (j *Judge) believe(z *zone.ObservedZone, s zone.SeenSet, at time.Time) (*chainSet, error) {
	set := j.chain.sets[s.Set]
	switch {
	case set == nil:
		return nil, fmt.Errorf("its answer does not decode")
	case set.set.Name != z.Zone || set.set.Type != zone.TypeDS && !set.denies():
		return nil, fmt.Errorf("its answer, a %s set of %s, is neither the DS set nor a proof that there is none", set.set.Type, set.set.Name)
	}
	signer, err := j.chain.signedAbove(set, at)
	switch {
	case err != nil:
		return nil, err
	case signer != z.Parent:
		return nil, fmt.Errorf("its answer is signed by %s, and %q is the parent whose servers were asked", signer, z.Parent.File())
	}
	return set, nil
}

// since walks back through what an address said while it held the record. What
// was seen at a time is judged as of that time.
func (j *Judge) since(z *zone.ObservedZone, seen []zone.SeenSet, data []byte) time.Time {
	since := seen[len(seen)-1].Last
	next := since
	for i := len(seen) - 1; i >= 0; i-- {
		s := seen[i]
		if next.Sub(s.Last) > j.fresh {
			break
		}
		set, err := j.believe(z, s, s.Last)
		if err != nil || set.set.Type != zone.TypeDS || !slices.ContainsFunc(set.set.Data, func(d []byte) bool { return string(d) == string(data) }) {
			break
		}
		// The same signed bytes from First to Last: what verifies at the end cannot
		// have been forged at the beginning.
		since, next = s.First, s.First
	}
	return since
}

// Since returns the time from which on every address of the parent has had a DS
// record, and false if one has it not, or if an address is missing.
func (s *Sightings) Since(ds zone.Data) (time.Time, bool) {
	var since time.Time
	for _, row := range s.Rows {
		i := slices.IndexFunc(row.DS, func(d SeenDS) bool { return d.Data == ds })
		if i < 0 {
			return time.Time{}, false
		}
		if row.DS[i].Since.After(since) {
			since = row.DS[i].Since
		}
	}
	return since, s.Complete
}

// TTL returns the longest time that a cache may keep what the parent says.
func (s *Sightings) TTL() time.Duration {
	var ttl time.Duration
	for _, row := range s.Rows {
		ttl = max(ttl, row.TTL)
	}
	return ttl
}

// String returns what is believed on one line.
func (s *Sightings) String() string {
	switch {
	case s.Complete:
		return fmt.Sprintf("%s: all %d addresses of the servers of %s", s.Zone, len(s.Rows), s.Parent)
	case len(s.Rows) == 0:
		return fmt.Sprintf("%s: nothing is believed of the parent: %s", s.Zone, joined(s.Missing))
	}
	return fmt.Sprintf("%s: %d addresses of the servers of %s; not %s", s.Zone, len(s.Rows), s.Parent, joined(s.Missing))
}
