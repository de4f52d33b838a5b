package nir

import (
	"time"

	"nirzone/zone"
)

// A Feed is how a zonelet of an NIR stands (APNIC-103, section 3.4.1): which
// version of it was accepted last, and how the last attempt to fetch it ended. Its
// versions are the runs of zonefetch in which that changed; a run that finds the
// same makes none.
type Feed struct {
	Row
	NIR      string    `json:"nir"`
	Zone     zone.Name `json:"zone"`
	Run      int64     `json:"run"`    // of zonefetch
	SHA256   string    `json:"sha256"` // of the accepted version, "" if there never was one
	Size     int64     `json:"size"`
	File     string    `json:"file"`
	URL      string    `json:"url"`
	Signer   string    `json:"signer"`
	Accepted time.Time `json:"accepted"` // when the version was first seen
	Verdict  string    `json:"verdict"`
	Reason   string    `json:"reason" text:"lines"` // of a verdict that is not accepted
	Tried    time.Time `json:"tried"`
}

// FeedAccepted is the verdict on a run that found a good version, new or not; the
// others are outcomes of [nirzone/zone].
const FeedAccepted = "accepted"

var feedTable = newTable[Feed]("feed", "fed")

// Feeds returns the feeds of an NIR, or of all if the code is empty, by NIR and
// zone.
func (v *View) Feeds(code string) ([]Feed, error) {
	return feedTable.find(v, "($1 = '' OR nir = $1) ORDER BY nir, zone", code)
}

// FeedVersions returns every version of a feed, the oldest first: what was accepted
// and refused when.
func (v *View) FeedVersions(id string) ([]Feed, error) { return feedTable.versions(v, id) }

// RecordFeeds records what zonefetch left in its manifest about the sources that
// are NIRs, and returns how many feeds changed. The manifest of a run before one
// that was recorded is refused.
func (x *Tx) RecordFeeds(m *zone.Manifest) (int, error) {
	if err := x.Actor.need("record feeds", RegistryStaff, Admin); err != nil {
		return 0, err
	}
	list, err := x.NIRs()
	if err != nil {
		return 0, err
	}
	known := map[string]bool{}
	for _, n := range list {
		known[n.Code] = true
	}
	have, err := x.Feeds("")
	if err != nil {
		return 0, err
	}
	old := map[[2]string]*Feed{}
	for i := range have {
		old[[2]string{have[i].NIR, string(have[i].Zone)}] = &have[i]
		if have[i].Run > int64(m.Run) {
			return 0, refuse(Conflict, "run %d of zonefetch comes before run %d, which was recorded", m.Run, have[i].Run).remedy("record the manifest that is in the spool now")
		}
	}
	changed := 0
	x.act("feed.record")
	for i := range m.Sources {
		s := &m.Sources[i]
		if !known[s.Name] {
			continue
		}
		for j := range s.Zones {
			key := [2]string{s.Name, string(s.Zones[j].Zone)}
			wrote, err := x.recordFeed(s.Name, &s.Zones[j], int64(m.Run), old[key])
			if err != nil {
				return changed, err
			}
			if wrote {
				changed++
			}
			delete(old, key)
		}
	}
	for i := range have { // zones that are fetched no more
		if old[[2]string{have[i].NIR, string(have[i].Zone)}] == nil {
			continue
		}
		if err := feedTable.end(x, have[i].ID); err != nil {
			return changed, err
		}
		changed++
	}
	return changed, nil
}

func (x *Tx) recordFeed(code string, z *zone.ZoneEntry, run int64, old *Feed) (bool, error) {
	f := Feed{NIR: code, Zone: z.Zone, Run: run, Verdict: string(z.Last.Outcome), Reason: printable(z.Last.Reason), Tried: z.Last.Time.UTC().Truncate(time.Microsecond)}
	if z.Last.Outcome == zone.OutcomeNew || z.Last.Outcome == zone.OutcomeUnchanged {
		f.Verdict, f.Reason = FeedAccepted, ""
	}
	if a := z.Accepted; a != nil {
		f.SHA256, f.Size, f.File, f.URL, f.Signer, f.Accepted = a.SHA256, a.Size, a.File, a.URL, a.Signer, a.FirstSeen.UTC().Truncate(time.Microsecond)
	}
	if old != nil {
		same := *old
		same.Run, same.Tried, same.Row = f.Run, f.Tried, Row{}
		if same == f {
			return false, nil
		}
		f.Row = old.Row
	}
	return true, feedTable.put(x, &f)
}
