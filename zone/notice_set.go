package zone

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// Reopen compares the notices of a run with those open before it: open is what
// is open now, opened the part of it that is new, closed what is open no more.
// A notice opens once and closes once: it is the same one from run to run if its
// Key is, with the text and position of now and the time of the run that gave it
// first. One whose severity rose is among opened again, since when it is open
// stays: somebody has to hear of it. Of several with one key the first in the
// order of [SortNotices] counts.
// All three are sorted in that order, and none shares memory with prev or now.
//
// now must hold the notices of every zone, also of those that were not built in
// this run because nothing changed: what is missing closes.
func Reopen(prev []OpenNotice, now []Notice, at time.Time) (open, opened, closed []OpenNotice) {
	sorted := slices.Clone(now)
	SortNotices(sorted)
	if slices.EqualFunc(sorted, prev, func(n Notice, o OpenNotice) bool { return n == o.Notice }) {
		return slices.Clone(prev), nil, nil // as nearly always
	}
	before := make(map[string]OpenNotice, len(prev))
	for _, o := range prev {
		before[o.Key()] = o
	}
	seen := make(map[string]bool, len(now))
	for _, n := range sorted {
		key := n.Key()
		if seen[key] {
			continue
		}
		seen[key] = true
		old, was := before[key]
		o := OpenNotice{n, old.Since}
		if !was {
			o.Since = at.UTC()
		}
		if !was || n.Severity > old.Severity {
			opened = append(opened, o)
		}
		open = append(open, o)
	}
	for _, o := range prev {
		if key := o.Key(); !seen[key] {
			seen[key] = true
			closed = append(closed, o)
		}
	}
	slices.SortStableFunc(closed, func(a, b OpenNotice) int { return compareNotices(a.Notice, b.Notice) })
	return open, opened, closed
}

// NoticeFileVersion is the version of state/notices/<source>.json that this
// program writes. It reads this one and the one before.
const NoticeFileVersion = 1

// A NoticeFile is what one source is told: state/notices/<source>.json, and as
// text .txt. New is what this run opened, Closed what it closed, Open what was
// open before and still is; no notice is in two of them. It is never published:
// it speaks of one source's mistakes.
type NoticeFile struct {
	Version int          `json:"version"`
	Source  string       `json:"source"`
	Time    time.Time    `json:"time"` // of the run
	New     []OpenNotice `json:"new"`
	Closed  []OpenNotice `json:"closed"`
	Open    []OpenNotice `json:"open"`
}

// NoticeFiles splits the result of [Reopen] by source: one file a source that
// has something open or closed, sorted by source. Notices without a source
// belong to the registry's own report and are in no file.
func NoticeFiles(open, opened, closed []OpenNotice, at time.Time) []NoticeFile {
	files := map[string]*NoticeFile{}
	add := func(list []OpenNotice, part func(*NoticeFile) *[]OpenNotice) {
		for _, o := range list {
			f := files[o.Source]
			if f == nil {
				f = &NoticeFile{Version: NoticeFileVersion, Source: o.Source, Time: at.UTC(), New: []OpenNotice{}, Closed: []OpenNotice{}, Open: []OpenNotice{}}
				files[o.Source] = f
			}
			*part(f) = append(*part(f), o)
		}
	}
	isNew := make(map[string]bool, len(opened))
	for _, o := range opened {
		isNew[o.Key()] = true
	}
	still := slices.DeleteFunc(slices.Clone(open), func(o OpenNotice) bool { return isNew[o.Key()] })
	add(opened, func(f *NoticeFile) *[]OpenNotice { return &f.New })
	add(closed, func(f *NoticeFile) *[]OpenNotice { return &f.Closed })
	add(still, func(f *NoticeFile) *[]OpenNotice { return &f.Open })
	var sources []string
	for s := range files {
		if s != "" {
			sources = append(sources, s)
		}
	}
	slices.Sort(sources)
	var out []NoticeFile
	for _, s := range sources {
		out = append(out, *files[s])
	}
	return out
}

// ParseNoticeFile reads state/notices/<source>.json. It refuses unknown keys
// and a newer version.
func ParseNoticeFile(file string, data []byte) (*NoticeFile, error) {
	var f NoticeFile
	if err := decodeVersioned(file, data, NoticeFileVersion, &f); err != nil {
		return nil, err
	}
	return &f, nil
}

// Encode returns the JSON file's bytes.
func (f *NoticeFile) Encode() []byte {
	c := *f
	lists := map[string]*[]OpenNotice{"new": &c.New, "closed": &c.Closed, "open": &c.Open}
	for name, list := range lists {
		if len(*list) == 0 {
			delete(lists, name)
			continue
		}
		*list = marker(name)
	}
	data := encodeJSON(&c)
	for name, list := range map[string][]OpenNotice{"new": f.New, "closed": f.Closed, "open": f.Open} {
		if lists[name] != nil {
			data = putNotices(data, name, list)
		}
	}
	return data
}

// Text returns the file for people: what is new first, one line a notice.
func (f *NoticeFile) Text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Notices for %s, %s: %d new, %d closed, %d still open.\n", f.Source, f.Time.UTC().Format(time.RFC3339), len(f.New), len(f.Closed), len(f.Open))
	part := func(title string, list []OpenNotice, since string) {
		if len(list) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%s\n", title)
		for _, o := range list {
			fmt.Fprintf(&b, "  %s\n", o.Notice)
			if since != "" {
				fmt.Fprintf(&b, "    %s %s\n", since, o.Since.UTC().Format(time.RFC3339))
			}
		}
	}
	part("New", f.New, "")
	part("Closed", f.Closed, "was open since")
	part("Still open", f.Open, "open since")
	return b.Bytes()
}
