package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// probationFile is the registry's list of sources of which nothing is published
// yet. A folder without it, or with an empty one, has none; once it named one, it
// has to be there: only an empty list ends a probation.
const probationFile = "probation"

// readProbation reads the list. An export that promises it and has another one, or
// none, is half done; one that does not promise it may not have it either. A list
// that was lost would let everything of its sources in, and no gate counts that.
func (b *batch) readProbation(want map[string]string) error {
	data, err := shell.ReadFile(filepath.Join(b.cfg.Registry, probationFile), maxClaims)
	if errors.Is(err, fs.ErrNotExist) {
		b.probation = nil
		if want[probationFile] != "" {
			return fmt.Errorf("registry/%s is missing, and registry/manifest.json names it: the export is half done", probationFile)
		}
		if b.prev != nil && len(b.prev.Probation) > 0 {
			return fmt.Errorf("registry/%s is missing, and %s was in probation; write an empty list to end it, with \"nirctl export\"", probationFile, strings.Join(b.prev.Probation, ", "))
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", probationFile, err)
	}
	if err := promised(want, probationFile, digest(data)); err != nil {
		return err
	}
	list, err := zone.ParseProbation(probationFile, b.cfg.RIR, data)
	if err != nil {
		return err
	}
	for i, name := range list {
		for _, s := range b.cfg.Sources {
			if strings.EqualFold(s.Name, name) {
				list[i] = s.Name
			}
		}
	}
	if err := b.mistypedProbation(list, want != nil); err != nil {
		return err
	}
	slices.Sort(list)
	b.probation = slices.Compact(list)
	return nil
}

// mistypedProbation refuses a list that a person wrote if it has a name that is no
// source where a source was that is missing now: the name may be that source's,
// mistyped, and everything of it would be let in before anybody reads the alarm.
func (b *batch) mistypedProbation(list []string, exported bool) error {
	if exported || b.prev == nil {
		return nil
	}
	unknown := b.noSources(list)
	gone := slices.DeleteFunc(slices.Clone(b.prev.Probation), func(name string) bool {
		return slices.Contains(list, name) || b.cfg.Source(name) == nil
	})
	if len(unknown) == 0 || len(gone) == 0 {
		return nil
	}
	return fmt.Errorf("registry/%s names %s, which is no [[source]], and not %s any more, which was in probation; correct the name, or take it out to end that probation",
		probationFile, strings.Join(unknown, ", "), strings.Join(gone, ", "))
}

// noSources returns those of some names that are no source in the configuration.
func (b *batch) noSources(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(name string) bool { return b.cfg.Source(name) != nil })
}

// unknownProbation tells of names in the list that are no source: a mistyped one
// lets the source that was meant in. In a list that a person wrote that is an alarm;
// one of an export may name an NIR that nobody has configured yet.
func (b *batch) unknownProbation(exported bool) {
	unknown := b.noSources(b.probation)
	if len(unknown) == 0 {
		return
	}
	n := zone.Notice{Code: "probation-unknown", Severity: zone.Alarm, Source: b.cfg.RIR, Pos: zone.Pos{File: probationFile}}
	if exported {
		n.Severity = zone.Warning
	}
	n.Text = fmt.Sprintf("%s: no [[source]] of that name in the configuration; correct the name, or add the source", strings.Join(unknown, ", "))
	b.notices = append(b.notices, n)
}

func (b *batch) inProbation(source string) bool { return slices.Contains(b.probation, source) }

// onProbation returns the sources of a zone of which nothing is published yet.
func (b *batch) onProbation(j *job) []string {
	if len(b.probation) == 0 || j.fixed() {
		return nil
	}
	names := b.sourcesOf(j)
	if j.prev != nil {
		for _, c := range j.prev.Counts {
			names = append(names, c.Source)
		}
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(s string) bool { return !b.inProbation(s) })
}

// without reports whether a zone is merged without a file of a source, which stands
// as it is published: in probation; and when it is held after one, because a source
// that was in probation has no accepted file to go back to.
func (b *batch) without(j *job, source string) bool {
	return j.tried != source && (b.inProbation(source) || j.held[source] && publishedInput(j.prev, source) == nil)
}

// wholeStands returns the published owners of such sources: they stay as they are,
// whatever feeds and claims say, unless somebody else takes them over or a person
// has let them go.
func (b *batch) wholeStands(j *job, old func() *zone.Zone) map[zone.Name]zone.Stand {
	var list []string
	if j.prev != nil {
		for _, c := range j.prev.Counts {
			if b.without(j, c.Source) {
				list = append(list, c.Source)
			}
		}
	}
	if len(list) == 0 {
		return map[zone.Name]zone.Stand{}
	}
	stands, free := zone.StandsOfSources(old(), list), b.released(j)
	maps.DeleteFunc(stands, func(n zone.Name, _ zone.Stand) bool { return free[n] })
	return stands
}

// tryProbation merges the zone once more for each source in probation, with what it
// says, and keeps the difference for people to look at.
func (b *batch) tryProbation(j *job, old func() *zone.Zone) error {
	if j.adopted != nil {
		return nil // made of what is served; the next run shows it
	}
	for _, source := range b.onProbation(j) {
		if b.newest(j, source) == nil {
			continue
		}
		if err := b.tryOne(j, source, old); err != nil {
			return err
		}
	}
	return nil
}

// tryOne does that for one source. What it is told, it is told already; that its
// file is refused keeps nothing from being published, and is nobody's alarm.
func (b *batch) tryOne(j *job, source string, old func() *zone.Zone) error {
	inputs, refused := j.inputs, j.refused
	defer func() { j.inputs, j.refused, j.tried = inputs, refused, "" }()
	j.tried, j.inputs = source, nil
	with, notices, err := b.mergeNew(j, old)
	if err != nil {
		return err
	}
	if h := zone.HoldProbation(source, j.next, with); h != nil {
		j.probation = append(j.probation, *h)
	}
	j.notices = append(j.notices, slices.DeleteFunc(notices, func(n zone.Notice) bool { return n.Source != source })...)
	return nil
}

// holdProbation lists what sources in probation would change.
func (b *batch) holdProbation() {
	for _, j := range b.jobs {
		if j.next != nil && j.carried == "" {
			j.holds = append(j.holds, j.probation...)
		}
	}
}

// shownBefore returns what sources in probation would change in a zone that is left
// alone, as the current generation has it.
func (b *batch) shownBefore(j *job) []zone.Hold {
	var shown []zone.Hold
	for _, h := range b.prev.Holds {
		if h.Kind == zone.KindProbation && h.Zone == j.zone {
			shown = append(shown, h)
		}
	}
	return shown
}

// triedThere reports whether the files of sources in probation can be read: the
// zone is not made of them, and yet what they would change in it is shown.
func (b *batch) triedThere(j *job) bool {
	return !slices.ContainsFunc(b.onProbation(j), func(source string) bool {
		in := b.newest(j, source)
		return in != nil && !b.there(in.SHA256)
	})
}

// splitHolds parts what waits for a person from what is only shown.
func splitHolds(holds []zone.Hold) (waiting, shown []zone.Hold) {
	for _, h := range holds {
		if h.Kind == zone.KindProbation {
			shown = append(shown, h)
		} else {
			waiting = append(waiting, h)
		}
	}
	return waiting, shown
}

// endProbation is what to type so that a source in probation is published.
func endProbation(source string) string {
	return fmt.Sprintf("nirctl nir activate %s, then nirctl export", source)
}

// showProbation lists what sources in probation would change.
func showProbation(w io.Writer, holds []zone.Hold, now time.Time) {
	if len(holds) == 0 {
		return
	}
	fmt.Fprintln(w, shell.Paint(w, shell.Care, "in probation: shown, and not published"))
	t := shell.Table{Header: []string{"hash", "source", "zone", ">changes", "held", "what"}}
	for _, h := range holds {
		t.Add(h.Hash[:12], h.Source, h.Zone.File(), strconv.Itoa(h.Count()), age(h.Since, now), h.Text())
	}
	t.Render(w)
}
