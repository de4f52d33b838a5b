package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nirzone/zone"
	"nirzone/zone/sign"
)

// A keyJob is what a run knows of a zone's keys, and does to them.
type keyJob struct {
	read    bool
	ring    []sign.Key // as they are after the steps
	err     error      // why they cannot be read or written
	book    *zone.KeyBook
	bookErr error
	steps   []sign.Step // taken
	plan    []sign.Step // still to come
	failed  error       // why a step was not taken
}

// proveKeys is asked before every key step; an error refuses it.
var proveKeys = sign.Prove

// planKeys takes the key steps of the published zones that are due, before
// anything is signed, or only plans them for "plan". Keys of a zone that was never
// published are made by a person: keys init. What goes wrong here stops no other
// zone; keysToSign says it again where the zone is signed.
func (b *batch) planKeys() {
	for _, j := range b.jobs {
		if j.group == nil || j.prev == nil {
			continue
		}
		w, ev := b.keyWork(j.zone, j.group, j.prev)
		k := &j.life
		k.book, k.bookErr = w.book, w.bookErr
		if b.planning {
			k.ring, k.err = sign.LoadKeys(b.cfg.Keys, j.zone)
		} else {
			k.ring, k.steps, k.err = w.Advance(ev, b.now)
		}
		for _, s := range k.steps {
			b.log.Info("key step", "step", s.String())
		}
		k.read = true
		if k.ring != nil { // the zone is signed with the keys as they are
			k.failed, k.err = k.err, nil
			k.plan = sign.Plan(k.ring, w.Policy, ev, j.zone, b.now)
		}
	}
}

// A keyWork is the hand that takes the steps of one zone, with the book in which
// it notes them.
type keyWork struct {
	sign.Work
	decided []string // by a person, in words
	next    string   // what the person may type next; "": the next run publishes it
	book    *zone.KeyBook
	bookErr error
}

// keyWork gets everything together that a zone's keys are planned by. g is what
// is published of the zone, nil if nothing.
func (a *app) keyWork(z zone.Name, group *zone.Group, g *zone.GenerationZone) (*keyWork, sign.Evidence) {
	w := &keyWork{}
	w.book, w.bookErr = a.readBook(z)
	ev := sign.Evidence{Published: a.publishedKeys(z, g), Parent: askParent(a, z), Approved: w.book.Approved()}
	w.Work = sign.Work{
		FS: a.fs, Dir: a.cfg.Keys, Zone: z, Policy: a.policy(a.cfg.Signing, group, g), Random: rand.Reader,
		Prove: func(keys []sign.Key, s sign.Step) error { return proveKeys(keys, s, w.Policy, ev, a.now) },
		Note:  func(k sign.Key) error { return a.noteKey(w, k, "made") },
		Known: func(k sign.Key) bool { return w.book.Knows(k.Digest()) },
	}
	return w, ev
}

// policy is what decides over the keys of a zone, of which g is published. What is
// published and servers were not told of has not come into any cache.
func (a *app) policy(c zone.SigningConfig, group *zone.Group, g *zone.GenerationZone) sign.Policy {
	p := sign.NewPolicy(c, group, g)
	if g != nil && slices.Contains(a.prev.Reload, g.Zone) {
		p.Past = p.Past.Untold(a.prev.Time)
	}
	return p
}

// publishedKeys is what the current generation says of a zone's keys.
func (a *app) publishedKeys(z zone.Name, g *zone.GenerationZone) *sign.Published {
	if g == nil {
		return nil
	}
	return &sign.Published{Time: a.prev.Time, Keys: recordsOf(g, a.prev.Time), Untold: slices.Contains(a.prev.Reload, z)}
}

// recordsOf returns the key records of a published zone. A generation of an older
// program has none: its keys count as published since then, and their signatures
// too.
func recordsOf(g *zone.GenerationZone, at time.Time) []zone.KeyRecord {
	if g == nil || len(g.KeyRecords) > 0 {
		if g == nil {
			return nil
		}
		return g.KeyRecords
	}
	var list []zone.KeyRecord
	for _, k := range g.Keys {
		r := zone.KeyRecord{Tag: k.Tag, Algorithm: k.Algorithm, Flags: k.Flags, Since: at}
		if k.Flags == sign.FlagsZSK {
			r.Signs = at
		}
		list = append(list, r)
	}
	return list
}

// keysToSign returns the keys of a zone and the policy to sign it by. It refuses
// a DNSKEY set that nobody planned.
func (b *batch) keysToSign(j *job) ([]sign.Key, zone.SigningConfig, error) {
	p := b.cfg.Signing
	k := &j.life
	if !k.read {
		k.book, k.bookErr = b.readBook(j.zone)
		k.ring, k.err = sign.LoadKeys(b.cfg.Keys, j.zone)
		k.read = true
	}
	if k.err != nil {
		return nil, p, fmt.Errorf("loading keys: %w", k.err)
	}
	p.DeleteDS = k.deletesDS()
	if j.prev != nil {
		known := func(key sign.Key) bool { return k.book.Knows(key.Digest()) }
		err := sign.CheckSet(k.ring, b.policy(p, j.group, j.prev), recordsOf(j.prev, b.prev.Time), known, k.book.Trusted(b.now), j.zone, b.now)
		if err != nil {
			return nil, p, fmt.Errorf("%w; %s", err, b.trustHint(err))
		}
	}
	return sign.MarkCDS(k.ring, b.now), p, nil
}

// deletesDS reports whether a person wants the zone's DS sets taken away.
func (k *keyJob) deletesDS() bool { return k.book != nil && k.book.DeleteDS != nil }

// trustHint is what a person can type about a set that is refused.
func (b *batch) trustHint(err error) string {
	var c *sign.SetChange
	if !errors.As(err, &c) {
		return "zonebuild keys"
	}
	if b.now.Before(b.prev.Time) { // keys that do not count yet are not lost
		return fmt.Sprintf("the run is of %s, before generation %d was built by these keys: set the clock right, or name a later time", stamp(b.now), b.prev.Number)
	}
	if len(c.Tags) == 0 {
		return "restore the keys folder from a backup; if there is none: zonebuild keys init --lost -m REASON " + c.Zone.File()
	}
	var tags []string
	for _, t := range c.Tags {
		tags = append(tags, fmt.Sprint(t))
	}
	return fmt.Sprintf("restore the keys folder, or, if this set is meant: zonebuild keys trust %s --keys %s -m REASON", c.Zone.File(), strings.Join(tags, ","))
}

// keyRecords is what generation.json says of the keys of a zone that was signed.
func (b *batch) keyRecords(j *job, due time.Time) []zone.KeyRecord {
	var before []zone.KeyRecord
	if j.prev != nil {
		before = recordsOf(j.prev, b.prev.Time)
	}
	return sign.Records(before, j.life.ring, b.cfg.Signing, due, b.now)
}

// recallTTLs fills in with which TTLs a zone is published by a generation of an
// earlier release, which does not say it: as the configuration has it by which that
// was built.
func (b *batch) recallTTLs(p *zone.GenerationZone) {
	c := b.oldConfig
	if b.prev.Config == b.cfg.SHA256 {
		c = b.cfg
	}
	if len(p.TTLs) > 0 || c == nil || c.Group(p.Zone) == nil {
		return
	}
	old := sign.NewPolicy(c.Signing, c.Group(p.Zone), p)
	p.TTLs = zone.TTLPeriods{{Keys: c.Signing.DNSKEYTTL, Data: uint32(old.MaxTTL / time.Second)}}
}

// ttls is what generation.json says of the TTLs of a zone that was signed. Those of
// a zone that is taken over are of what is served until now.
func (b *batch) ttls(j *job) zone.TTLPeriods {
	var before zone.TTLPeriods
	switch {
	case j.adopted != nil:
		before = j.adopted.ttls
	case j.prev != nil:
		before = j.prev.TTLs
	}
	keys, data := sign.PublishedTTLs(j.next, b.cfg.Signing)
	return before.Next(keys, data, b.cfg.Signing.Propagation, b.now)
}

func (j *job) told() time.Time {
	if j.prev == nil {
		return time.Time{}
	}
	return j.prev.Told
}

// told notes that the servers load a zone as it is published now: what they did
// not know before counts from now on. Times are to the second, and none is too early.
func told(z *zone.GenerationZone, now time.Time) {
	if z == nil {
		return
	}
	now = now.UTC().Add(time.Second - time.Nanosecond).Truncate(time.Second)
	z.KeyRecords = slices.Clone(z.KeyRecords)
	for i := range z.KeyRecords {
		r := &z.KeyRecords[i]
		for _, t := range []*time.Time{&r.Since, &r.Gone, &r.Signs, &r.Idle} {
			if t.After(z.Told) && t.Before(now) {
				*t = now
			}
		}
	}
	z.TTLs = z.TTLs.Told(z.Told, now)
	z.Told = now
}

// keyCodes are the codes of keyNotices.
var keyCodes = []string{"key-approval", "key-book", "key-ds", "key-end", "key-failed", "key-lost", "key-refused", "key-step"}

// keyNotices returns what people should know of a zone's keys.
func (b *batch) keyNotices(j *job) []zone.Notice {
	var list []zone.Notice
	add := func(code string, severity zone.Severity, format string, args ...any) {
		if !slices.ContainsFunc(list, func(n zone.Notice) bool { return n.Code == code }) {
			list = append(list, zone.Notice{Code: code, Severity: severity, Source: b.cfg.RIR, Zone: j.zone, Text: fmt.Sprintf(format, args...)})
		}
	}
	k := &j.life
	if k.bookErr != nil {
		add("key-book", zone.Alarm, "decisions about the keys of %s do not count: %v; restore it from a backup, or move it away and decide again", j.zone.File(), k.bookErr)
	}
	if k.stillLost(b.cfg, b.now) {
		d := k.book.Lost
		add("key-lost", zone.Alarm, "keys of %s were lost and new ones made by %s on %s (%s): for resolvers that validate it is bogus until the parent has the DS of the new keys and caches have forgotten the old ones; show it with: zonebuild keys ds %s", j.zone.File(), d.By, stamp(d.Time), d.Message, j.zone.File())
	}
	var refused *sign.Refused
	switch {
	case errors.As(k.failed, &refused):
		add("key-refused", zone.Alarm, "a key step of %s is not taken, because it would not be safe: %v", j.zone.File(), refused.Err)
	case k.failed != nil:
		add("key-failed", zone.Alarm, "a key step of %s could not be taken: %v", j.zone.File(), k.failed)
	}
	for _, s := range k.plan {
		switch {
		case s.Due():
		case s.Action == sign.ActionDSSeen && rolling(k.plan):
			add("key-ds", zone.Warning, "the parent should get the DS of %s %s of %s; show it with: zonebuild keys ds %s", s.Role(), s.Key, j.zone.File(), j.zone.File())
		case s.Hash != "" && len(s.Waits) == 1 && strings.HasPrefix(s.Waits[0], "approval"):
			add("key-approval", zone.Warning, "%s %s of %s can be removed; look at \"zonebuild keys %s\", then: zonebuild keys approve %s -m REASON", s.Role(), s.Key, j.zone.File(), j.zone.File(), s.Hash[:12])
		case len(s.Waits) == 1 && strings.HasPrefix(s.Waits[0], "a person: zonebuild keys step"):
			add("key-step", zone.Warning, "a key step of %s is due and waits for a person: zonebuild keys step %s", j.zone.File(), j.zone.File())
		}
	}
	if end := sign.Ends(k.ring, j.zone, b.now); k.read && j.carried == "" && !end.IsZero() && end.Sub(b.now) < b.cfg.Signing.Validity {
		add("key-end", zone.Alarm, "by the times of its keys %s cannot be signed any more from %s on; look at \"zonebuild keys %s\"", j.zone.File(), stamp(end), j.zone.File())
	}
	return list
}

// stillLost reports whether resolvers may suffer from keys that a person gave up:
// until the DS of a new key was seen at the parent, or, where no key for the parent
// was lost, until caches have forgotten the old ones. Where nobody observes the
// parent it ends when a decision of a person does.
func (k *keyJob) stillLost(cfg *zone.Config, now time.Time) bool {
	if k.book == nil || k.book.Lost == nil {
		return false
	}
	at := k.book.Lost.Time
	end := at.Add(time.Duration(cfg.Signing.DNSKEYTTL)*time.Second + cfg.Signing.Propagation)
	for _, key := range k.ring {
		if !key.SignsKeys() || !key.InUse(now) || key.Timing.Publish.Before(at) {
			continue
		}
		if !key.Timing.DSSeen.IsZero() {
			return false
		}
		end = at.Add(cfg.Gates.Expires)
	}
	return now.Before(end)
}

// rolling reports whether a key is to be removed for another one's DS.
func rolling(plan []sign.Step) bool {
	return slices.ContainsFunc(plan, func(s sign.Step) bool { return s.Action == sign.ActionRemove && s.Hash != "" })
}
