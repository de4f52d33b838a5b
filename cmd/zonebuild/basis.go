package main

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"nirzone/zone"
	"nirzone/zone/sign"
)

// basisForm is the version of the program that made a zone, as far as it
// matters to what comes out: raise it whenever the same inputs give another
// zone, other notices or other holds than before, so that no zone stands as an
// older program made it.
const basisForm = 1

// A basis is everything that decides what a zone becomes, but for the time and
// the published state: with the digests of the generation before, and no
// signature due, there is nothing to do. What is added to the merge, the gates
// or the signer belongs in here, or into [zone.Config], whose parts are in here
// whole.
type basis struct {
	Form    int
	Zone    zone.Name
	RIR     string
	Group   zone.Group // without its names
	Signing zone.SigningConfig
	Gates   zone.Limits
	Delete  bool   // its DS sets are to be taken away, see keys ds
	Claims  string // digest of the whole file
	Pinned  uint64
	Inputs  []basisInput
	Keys    []basisKey
	Notices []zone.Notice // that the key files give

	Probation []string `json:",omitempty"` // sources of which nothing is published yet
}

// A basisInput is what one source offers for the zone.
type basisInput struct {
	Source string
	SHA256 string
	Parse  zone.ParseOptions
}

// A basisKey is the public half of a key, with its times.
type basisKey struct {
	ID        string
	Algorithm uint8
	Flags     uint16
	Public    []byte
	Timing    sign.Timing
	CSK, CDS  bool
}

// basisOf returns the digest of a job's basis with the keys and the digest of
// the claims given.
func (b *batch) basisOf(j *job, keys []sign.Key, claims string) string {
	group := *j.group
	group.Names = nil
	c := basis{
		Form: basisForm, Zone: j.zone, RIR: b.cfg.RIR, Group: group, Signing: b.cfg.Signing, Gates: b.cfg.Gates,
		Delete: j.life.deletesDS(), Pinned: j.pinned, Claims: claims, Inputs: b.offered(j), Notices: sign.Notices(keys), Probation: b.onProbation(j),
	}
	for _, k := range keys {
		c.Keys = append(c.Keys, basisKey{k.ID, k.Algorithm, k.Flags, k.Public, k.Timing, k.CSK, k.CDS})
	}
	slices.SortFunc(c.Keys, func(x, y basisKey) int { return cmp.Compare(x.ID, y.ID) })
	data, err := json.Marshal(c)
	if err != nil {
		panic("zonebuild: encoding a basis: " + err.Error()) // our own types always encode
	}
	return digest(data)
}

// claimsFor returns the digest of the claims that the zone would be merged by.
func (b *batch) claimsFor(j *job) string {
	if j.fixed() {
		return j.base.Claims
	}
	return b.claims.digest
}

// sameClaims reports whether the claims of today decide everything in the zone
// as those did that it was merged by: most changes of the claims are elsewhere.
func (b *batch) sameClaims(j *job) bool {
	before, err := b.claimsOf(j.prev.Claims)
	if err != nil {
		return false
	}
	now, err := b.claimsOf(b.claimsFor(j))
	p, _ := j.zone.Prefix()
	return err == nil && slices.Equal(before.Touching(p), now.Touching(p))
}

// offered returns what every source of the zone offers: its newest verified
// file, else the one that stands. A rolled back zone has what it was made of.
func (b *batch) offered(j *job) []basisInput {
	var list []basisInput
	if j.fixed() {
		for _, in := range j.base.Inputs {
			list = append(list, basisInput{in.Source, in.SHA256, b.cfg.ParseOptions(in.Source)})
		}
		return list
	}
	for _, source := range b.sourcesOf(j) {
		if !b.configured(source, j.zone) {
			continue
		}
		if next := cmp.Or(b.newest(j, source), publishedInput(j.prev, source)); next != nil {
			list = append(list, basisInput{source, next.SHA256, b.cfg.ParseOptions(source)})
		}
	}
	return list
}

// settled reports whether the job's outcome is final: nothing in it waits for a
// person, another file or a mended disk, and it does not follow from a published
// state that is no more, from a source that will be none, or from a file that was
// accepted before its source came into probation. Only such a zone gets a basis.
func (b *batch) settled(j *job) bool {
	passing := func(in zone.Input) bool {
		return !j.fixed() && !b.configured(in.Source, j.zone)
	}
	before := func(source string) bool { return publishedInput(j.prev, source) != nil }
	waiting, _ := splitHolds(j.holds)
	return j.carried == "" && !j.frozen && !j.moved && j.adopted == nil && !j.adoptedLeft() && len(waiting) == 0 && !slices.ContainsFunc(j.inputs, passing) &&
		!slices.ContainsFunc(b.onProbation(j), before) &&
		!slices.ContainsFunc(j.notices, func(n zone.Notice) bool { return n.Code == "unreadable" })
}

// until returns when the zone's outcome can change without new input, counting
// from since: when its first signature is due, when a key changes state, and when
// a loss of the past no longer counts for the gates.
// Whatever else changes by itself as time goes by (a window of a gate that
// closes, a key step whose time comes) is to be added here: from that time on,
// the zone is looked at.
func until(prev *zone.GenerationZone, keys []sign.Key, since time.Time) time.Time {
	first := prev.Due
	for _, k := range keys {
		t := k.Timing
		for _, at := range [...]time.Time{t.Publish, t.Ready, t.Active, t.Retire, t.Remove, t.DSSeen, t.Unsync} {
			if at.After(since) && at.Before(first) {
				first = at
			}
		}
	}
	for _, l := range prev.Ledger {
		if at := l.Time.Add(zone.Week); at.After(since) && at.Before(first) {
			first = at
		}
	}
	return first
}
