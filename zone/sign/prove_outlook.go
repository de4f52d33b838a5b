package sign

import (
	"fmt"
	"slices"
	"time"

	"nirzone/zone"
	"nirzone/zone/resolver"
)

// An outlook is what a proof rests on beside the keys.
type outlook struct {
	origin    zone.Name
	p         Policy
	published *Published     // nil: nothing is in any cache
	ds        []resolver.Set // of the parent: what was, is and may be
	now       time.Time
}

// late is how much later than planned the run may come that does what is due.
// Steps do not depend on it, because they are taken by runs; times in the future
// do, which other programs set.
func (o *outlook) late() time.Duration { return o.p.Propagation }

// An unsignable is the time from which a zone cannot be signed.
type unsignable struct {
	from time.Time
	err  error
}

func (u unsignable) Error() string {
	return fmt.Sprintf("from %s on the zone cannot be signed: %v", u.from.UTC().Format(time.DateTime), u.err)
}

func (u unsignable) Unwrap() error { return u.err }

// A period is a time in which the same keys do the same.
type period struct{ from, until time.Time } // until zero is for ever

// timeline is what the zone was published with, and what it is published with
// from now on if runs do what the times of the keys say and nothing else
// happens: before and after are its keys until now and from now on.
func (o *outlook) timeline(before, after []Key) (*resolver.Timeline, error) {
	t := &resolver.Timeline{DS: o.ds, Delay: o.p.Propagation, ParentDelay: o.p.Propagation}
	o.past(t, before)
	for _, p := range o.periods(after) {
		set, err := newKeySet(o.origin, after, p.from)
		if err != nil {
			return t, unsignable{p.from, err}
		}
		t.DNSKEY = append(t.DNSKEY, o.dnskey(set, p))
		t.Data = append(t.Data, o.data(set, p)...)
	}
	return t, nil
}

// periods cuts the future at every instant at which a key changes.
func (o *outlook) periods(keys []Key) []period {
	cuts := []time.Time{o.now}
	for _, k := range keys {
		t := k.Timing
		for _, c := range [...]time.Time{t.Publish, t.Active, t.Retire, t.Remove, t.Ready, t.Unsync} {
			if c.After(o.now) {
				cuts = append(cuts, c)
			}
		}
	}
	slices.SortFunc(cuts, time.Time.Compare)
	cuts = slices.CompactFunc(cuts, time.Time.Equal)
	var list []period
	for i, from := range cuts {
		p := period{from: from}
		if i+1 < len(cuts) {
			p.until = cuts[i+1]
		}
		list = append(list, p)
	}
	return list
}

func seconds32(n uint32) time.Duration { return time.Duration(n) * time.Second }

// end returns until when a set may be published that is withdrawn at t: until
// the next run.
func (o *outlook) end(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(o.late())
}

// dnskey is the DNSKEY set of a period. It is signed again slot by slot, each as
// long before its expiry as the next, so the first one stands for all.
func (o *outlook) dnskey(set *keySet, p period) resolver.Set {
	s := resolver.Set{
		From: p.from, Until: o.end(p.until), TTL: seconds32(o.p.DNSKEYTTL),
		Keys: modelKeys(set.dnskey), Signers: modelKeys(set.ksks),
	}
	c := clock{now: p.from.Unix(), slot: seconds(o.p.Slot), origin: o.origin.AppendWire(nil)}
	o.valid(&s, time.Unix(c.start(c.origin), 0).UTC(), p)
	return s
}

// valid fills in the validity of signatures of which the first to expire is of
// the slot that began at start.
func (o *outlook) valid(s *resolver.Set, start time.Time, p period) {
	s.Inception, s.Expires = start.Add(-o.p.Inception), start.Add(o.p.Validity)
	s.Leaves = start.Add(o.p.Slot)
	if !p.until.IsZero() && p.until.Before(s.Leaves) {
		s.Leaves = p.until
	}
	s.Leaves = o.end(s.Leaves)
}

// data is all that is signed in a period. Names are spread over all starts of
// slots, so the model has a name for each: those between two changes of the
// signing keys are signed alike and make one set.
func (o *outlook) data(set *keySet, p period) []resolver.Set {
	starts := o.starts(set, p)
	var list []resolver.Set
	for i, first := range starts {
		s := resolver.Set{From: first, TTL: o.futureTTL(), Until: p.until}
		if first.Before(p.from) {
			s.From = p.from
		}
		if i+1 < len(starts) {
			if last := starts[i+1].Add(o.p.Slot); p.until.IsZero() || last.Before(p.until) {
				s.Until = last
			}
		}
		s.Until = o.end(s.Until)
		for _, keys := range set.zone {
			s.Signers = append(s.Signers, modelKey(slotKey(keys, first.Unix(), p.from.Unix())))
		}
		o.valid(&s, first, p)
		list = append(list, s)
	}
	if len(set.named) > 0 { // CDS and CDNSKEY (RFC 7344, section 4.1)
		list = append(list, resolver.Set{From: p.from, Until: o.end(p.until), TTL: seconds32(o.p.DNSKEYTTL), Signers: modelKeys(set.cds)})
	}
	return list
}

// futureTTL is the longest TTL of data from now on: what stands as it was
// published keeps the one it has.
func (o *outlook) futureTTL() time.Duration {
	now, _ := o.p.Past.Now()
	return max(o.p.MaxTTL, seconds32(now.Data))
}

// starts returns the first start of a slot of each set of a period.
func (o *outlook) starts(set *keySet, p period) []time.Time {
	from := p.from.Add(-o.p.Slot + time.Second)
	list := []time.Time{from}
	for _, keys := range set.zone {
		for _, k := range keys {
			for _, t := range [...]time.Time{k.Timing.Active, k.Timing.Retire} {
				if t.After(from) && (p.until.IsZero() || t.Before(p.until)) {
					list = append(list, t)
				}
			}
		}
	}
	slices.SortFunc(list, time.Time.Compare)
	return slices.CompactFunc(list, time.Time.Equal)
}
