package nir

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"nirzone/zone"
)

// A NoticeFeed is the last file of notices that was imported for a source.
type NoticeFeed struct {
	Row
	Source string    `json:"source"`
	NIR    string    `json:"nir"`  // that it is told to; "" for the registry
	Made   time.Time `json:"made"` // the run of zonebuild
	SHA256 string    `json:"sha256"`
}

var noticeFeeds = newTable[NoticeFeed]("notice_feed", "nfd")

// NoticeFeeds returns the last import of every source, by source.
func (v *View) NoticeFeeds() ([]NoticeFeed, error) {
	return noticeFeeds.find(v, "id <> '' ORDER BY source")
}

// A NoticeImport is what an import of zonebuild's notices did.
type NoticeImport struct {
	Opened    []Notice `json:"opened"`
	Raised    []Notice `json:"raised"` // their severity rose
	Changed   int      `json:"changed"`
	Closed    []Notice `json:"closed"`
	Same      int      `json:"same"`      // open before and as they were
	Older     []string `json:"older"`     // sources whose file is older than the one that was imported: ignored
	Unmatched []string `json:"unmatched"` // sources that are no NIR: the registry is told of them
}

const (
	maxImported = 200_000 // notices in one import
	maxTold     = 500     // messages to one NIR in one import; the rest is counted
	zonebuild   = "zonebuild"
)

// ImportNotices takes what zonebuild told its sources: its files
// state/notices/<source>.json, read with [zone.ParseNoticeFile]. A source is an NIR
// by its code, or the registry itself; what is neither, the registry is told.
//
// What a file has as new or open is open, once each (policy APNIC-103, section
// 3.4.1: the NIR is notified of overrides and of what lies outside its ranges);
// what was open of its source and is not in it any more is closed. A conflict that
// went away and came back is another one, also if no import saw it away. The same
// file again changes nothing, and an older one is ignored. If the files are
// complete, all that zonebuild has, a source without one has nothing open.
func (x *Tx) ImportNotices(files []*zone.NoticeFile, complete bool) (NoticeImport, error) {
	var out NoticeImport
	if err := x.Actor.need("import notices", RegistryStaff, Admin); err != nil {
		return out, err
	}
	files, err := sortFiles(files)
	if err != nil {
		return out, err
	}
	m := &noticeImport{Tx: x, out: &out, told: map[string]int{}, more: map[string]int{}}
	var last time.Time
	for _, f := range files {
		if err := m.file(f); err != nil {
			return out, fmt.Errorf("notices of %s: %w", f.Source, err)
		}
		if f.Time.After(last) {
			last = f.Time
		}
	}
	if complete {
		if err := m.absent(files, last); err != nil {
			return out, err
		}
	}
	return out, m.tellMore()
}

// sortFiles puts the files into the order of their sources and refuses two of one.
func sortFiles(files []*zone.NoticeFile) ([]*zone.NoticeFile, error) {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b *zone.NoticeFile) int {
		if a.Source < b.Source {
			return -1
		}
		return 1
	})
	var bad mistakes
	n := 0
	for i, f := range files {
		n += len(f.New) + len(f.Open)
		if f.Source == "" || f.Time.IsZero() {
			bad.add(invalid("file", "a file of notices without source or time"))
		}
		if i > 0 && files[i-1].Source == f.Source {
			bad.add(invalid("file", "two files of notices for %.40q", f.Source))
		}
		for _, o := range append(slices.Clone(f.New), f.Open...) {
			if o.Source != f.Source || o.Code == "" {
				bad.add(invalid("file", "the file of %.40q has a notice of %.40q with code %.40q", f.Source, o.Source, o.Code))
				break
			}
		}
	}
	if n > maxImported {
		bad.add(invalid("file", "%d notices: an import takes %d", n, maxImported))
	}
	return files, bad.err()
}

// A noticeImport is one import under way.
type noticeImport struct {
	*Tx
	out  *NoticeImport
	told map[string]int // messages put into the outbox, by NIR
	more map[string]int // and not put
}

func (m *noticeImport) file(f *zone.NoticeFile) error {
	sum := sha256.Sum256(f.Encode())
	digest := hex.EncodeToString(sum[:])
	feed, found, err := noticeFeeds.one(m.View, "source = $1", f.Source)
	if err != nil {
		return err
	}
	to, matched, err := m.recipient(f.Source)
	if err != nil {
		return err
	}
	if !matched {
		m.out.Unmatched = append(m.out.Unmatched, f.Source)
	}
	if found && feed.NIR == to {
		switch {
		case feed.Made.After(f.Time):
			m.out.Older = append(m.out.Older, f.Source)
			return nil
		case feed.SHA256 == digest:
			m.out.Same += len(f.New) + len(f.Open)
			return nil
		}
	}
	m.act("notice.import")
	if err := m.compare(f, to, matched); err != nil {
		return err
	}
	feed.Source, feed.NIR, feed.Made, feed.SHA256 = f.Source, to, f.Time.UTC(), digest
	return noticeFeeds.put(m.Tx, &feed)
}

// recipient is who is told what concerns a source.
func (m *noticeImport) recipient(source string) (nir string, matched bool, err error) {
	if source == m.Rules.RIR {
		return "", true, nil
	}
	n, found, err := nirs.one(m.View, "code = $1", source)
	return n.Code, found, err
}

// compare makes what is open of a source what its file says.
func (m *noticeImport) compare(f *zone.NoticeFile, to string, matched bool) error {
	open, err := m.openOf(f.Source)
	if err != nil {
		return err
	}
	key := func(n Notice) string { return n.NIR + "|" + n.Code + "|" + n.Subject }
	before := map[string]Notice{}
	for _, n := range open {
		before[key(n)] = n
	}
	now := map[string]bool{}
	var list []Notice
	for _, o := range append(slices.Clone(f.New), f.Open...) {
		n := imported(o, to, matched)
		if now[key(n)] {
			continue // zonebuild gives each once; the first counts
		}
		now[key(n)] = true
		list = append(list, n)
	}
	for _, n := range open {
		if !now[key(n)] {
			if err := m.gone(n, f.Time); err != nil {
				return err
			}
		}
	}
	for _, n := range list {
		if old, was := before[key(n)]; was && n.Opened.After(old.Opened) {
			if err := m.gone(old, f.Time); err != nil { // and back
				return err
			}
		}
		if err := m.see(n); err != nil {
			return err
		}
	}
	return nil
}

// openOf returns what zonebuild said of a source that is open.
func (m *noticeImport) openOf(source string) ([]Notice, error) {
	return notices.find(m.View, "origin = $1 AND source = $2 AND closed = 0 ORDER BY code, subject, id", zonebuild, source)
}

// imported makes a notice of the registry of zonebuild's. Its subject names the
// zone too, so that notices with different keys stay different.
func imported(o zone.OpenNotice, to string, matched bool) Notice {
	subject := string(o.Name)
	switch {
	case subject == "":
		subject = cmp.Or(string(o.Zone), o.Source)
	case o.Zone != "":
		subject += " in " + string(o.Zone)
	}
	if !matched {
		subject = o.Source + ": " + subject
	}
	n := Notice{
		NIR: to, Code: o.Code, Subject: subject, Severity: o.Severity.String(), Text: o.Text, Origin: zonebuild, Source: o.Source,
		Opened: o.Since.UTC().Truncate(time.Microsecond), // as the database keeps it
	}
	if o.Pos.File != "" {
		n.Place = o.Pos.String()
	}
	return n
}

func (m *noticeImport) see(n Notice) error {
	old, found, err := m.openNotice(n.NIR, n.Code, n.Subject)
	if err != nil {
		return err
	}
	if found && old.Origin != zonebuild {
		return refuse(Conflict, "notice %s of %s about %s is open and not of zonebuild", n.Code, m.registryName(n.NIR), n.Subject)
	}
	news, err := m.seeNotice(&n, old, found)
	switch {
	case err != nil:
		return err
	case news == NoticeOpened:
		m.out.Opened = append(m.out.Opened, n)
		return m.say(news, n)
	case news == NoticeRaised:
		m.out.Raised = append(m.out.Raised, n)
		return m.say(news, n)
	case old.Text == n.Text && old.Severity == n.Severity:
		m.out.Same++
	default:
		m.out.Changed++
	}
	return nil
}

func (m *noticeImport) gone(n Notice, at time.Time) error {
	if at.Before(n.Opened) {
		at = n.Opened
	}
	if err := m.closeNotice(n, at.UTC(), false); err != nil {
		return err
	}
	n.Closed = at.UTC()
	m.out.Closed = append(m.out.Closed, n)
	return m.say(NoticeClosed, n)
}

// say tells, or counts what is too much for one mail.
func (m *noticeImport) say(kind string, n Notice) error {
	if m.told[n.NIR]++; m.told[n.NIR] > maxTold {
		m.more[n.NIR]++
		return nil
	}
	return m.tellNotice(kind, n)
}

func (m *noticeImport) tellMore() error {
	var who []string
	for nir := range m.more {
		who = append(who, nir)
	}
	slices.Sort(who)
	for _, nir := range who {
		err := m.tell(Message{
			NIR: nir, Kind: NoticeMore, Code: "more", Subject: m.registryName(nir), Severity: "warning",
			Text: fmt.Sprintf("%d more notices opened or closed in the same import than are told one by one: nirctl notice log", m.more[nir]),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// absent closes what is open of sources that zonebuild has no file for.
func (m *noticeImport) absent(files []*zone.NoticeFile, last time.Time) error {
	feeds, err := m.NoticeFeeds()
	if err != nil {
		return err
	}
	for _, feed := range feeds {
		has := slices.ContainsFunc(files, func(f *zone.NoticeFile) bool { return f.Source == feed.Source })
		if has || last.Before(feed.Made) && len(files) > 0 {
			continue
		}
		open, err := m.openOf(feed.Source)
		if err != nil {
			return err
		}
		at := last
		if at.IsZero() {
			at = m.Actor.At
		}
		for _, n := range open {
			m.act("notice.import")
			if err := m.gone(n, at); err != nil {
				return err
			}
		}
	}
	return nil
}
