package fetch

import (
	"fmt"
	"slices"

	"nirzone/zone"
)

// A sourcePlan is what a run will do for one source. err, if set, is why it cannot
// do anything.
type sourcePlan struct {
	source *zone.Source
	place  *place
	prev   zone.SourceEntry
	jobs   []job // one a zone, by name; with a listed source, those that may turn up
	err    error
	dump   bool // the source's whois database; its one job has no zone
}

// A job is one zonelet to fetch.
type job struct {
	zone zone.Name
	file string         // base name, ours
	prev zone.ZoneEntry // Zone is set
	// whole says to transfer every part whatever its size and time say: file and
	// seals do not match, and a seal that was replaced twice within the second
	// that servers show would look unchanged for ever.
	whole bool
}

// plan says what to fetch: every zone of every source, or of the named ones.
func plan(c *zone.Config, prev *zone.Manifest, only []string) []sourcePlan {
	var plans []sourcePlan
	for i := range c.Sources {
		s := &c.Sources[i]
		if only != nil && !slices.Contains(only, s.Name) {
			continue
		}
		if s.Whois != "" {
			plans = append(plans, planDump(c, s, prev))
		}
		if s.URL == "" {
			continue // it has nothing else
		}
		p := sourcePlan{source: s, prev: zone.SourceEntry{Name: s.Name}}
		if e := prev.Source(s.Name); e != nil {
			p.prev = *e
		}
		p.place, p.err = newPlace(s, c.Fetch)
		for _, z := range s.Zones {
			p.jobs = append(p.jobs, newJob(s, z, p.prev))
		}
		plans = append(plans, p)
	}
	return plans
}

// planDump says how to fetch a source's whois database: as a source with one file.
func planDump(c *zone.Config, s *zone.Source, prev *zone.Manifest) sourcePlan {
	w := s.WhoisSource()
	p := sourcePlan{source: w, prev: zone.SourceEntry{Name: w.Name}, dump: true}
	if d := prev.Dump(s.Name); d != nil {
		p.prev.Last, p.prev.Zones = d.Last, []zone.ZoneEntry{{Accepted: d.Accepted, Last: d.Last}}
	}
	p.place, p.err = newPlace(w, c.Fetch)
	p.jobs = []job{newJob(w, "", p.prev)}
	return p
}

func newJob(s *zone.Source, z zone.Name, prev zone.SourceEntry) job {
	j := job{zone: z, file: s.FileName(z), prev: zone.ZoneEntry{Zone: z}}
	if e := prev.Zone(z); e != nil {
		j.prev = *e
		j.whole = !e.Last.MismatchSince.IsZero()
	}
	return j
}

// choose splits the jobs of a listed source by what its directory holds: those to
// fetch, and those that were accepted once and are gone. What was never there is in
// neither.
func choose(s *zone.Source, jobs []job, listed map[string]bool) (there, gone []job, err error) {
	for _, j := range jobs {
		switch {
		case listed[j.file]:
			there = append(there, j)
		case j.prev.Accepted != nil:
			gone = append(gone, j)
		}
	}
	switch {
	case len(there) > s.MaxFiles:
		return nil, nil, final("the listing holds %d of this source's files, more than max_files = %d", len(there), s.MaxFiles)
	case len(there) == 0 && len(jobs) > 0:
		return nil, nil, final("the listing holds none of the %d names this source may publish, such as %s; is the url right?", len(jobs), jobs[0].file)
	}
	return there, gone, nil
}

// names is the files of the jobs.
func names(jobs []job) []string {
	out := make([]string, len(jobs))
	for i, j := range jobs {
		out[i] = j.file
	}
	return out
}

// errUnlisted is why a zonelet that was there once is not fetched.
func errUnlisted(j job) error {
	return fmt.Errorf("%s is no longer in the source's listing: %w", j.file, errMissing)
}
