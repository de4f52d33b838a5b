package nir

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
)

// A feeds is what a zone is made of, as zonebuild goes on: each run merges what the
// sources say and gives the files of notices that are new, closed and still open.
type feeds struct {
	t    testing.TB
	open []zone.OpenNotice
	zone *zone.Zone
}

const theZone = "202.in-addr.arpa."

// build merges what the registry and JPNIC say: owners as "28.12", each with two
// name servers, or "28.12!" with the dummy. JPNIC may speak for 202.12.0.0/16.
func (f *feeds) build(at time.Time, registry, jpnic string) []*zone.NoticeFile {
	f.t.Helper()
	claims, err := zone.ParseClaims("claims", []byte("JPNIC\t202.12.0.0/16\n"))
	if err != nil {
		f.t.Fatal(err)
	}
	var frags []*zone.Fragment
	for _, s := range [][2]string{{"APNIC", registry}, {"JPNIC", jpnic}} {
		var b strings.Builder
		b.WriteString("$TTL 86400\n")
		for o := range strings.FieldsSeq(s[1]) {
			if owner, dummy := strings.CutSuffix(o, "!"); dummy {
				fmt.Fprintf(&b, "%s.%s NS remove.this.nserver.to.enable.zone.at.apnic.net.\n", owner, theZone)
				continue
			}
			fmt.Fprintf(&b, "%[1]s.%[2]s NS ns1.%[3]s.example.\n%[1]s.%[2]s NS ns2.%[3]s.example.\n", o, theZone, strings.ToLower(s[0]))
		}
		frag, err := zone.ParseFragment(s[0], theZone, "202-"+s[0], []byte(b.String()), zone.ParseOptions{TrailerOptional: true})
		if err != nil {
			f.t.Fatal(err)
		}
		frags = append(frags, frag)
	}
	var notices []zone.Notice
	f.zone, notices = zone.Merge(zone.MergeInput{
		Apex: zone.Apex{Origin: theZone, NS: []zone.Name{"ns1.registry.example."}, TTL: zone.TTL{Fixed: 86400}}, Registry: "APNIC",
		Claims: claims, Fragments: frags, Published: f.zone,
	})
	var opened, closed []zone.OpenNotice
	f.open, opened, closed = zone.Reopen(f.open, notices, at)
	var files []*zone.NoticeFile
	for _, file := range zone.NoticeFiles(f.open, opened, closed, at) {
		read, err := zone.ParseNoticeFile("notices.json", file.Encode()) // as it was written and read
		if err != nil {
			f.t.Fatal(err)
		}
		files = append(files, read)
	}
	return files
}

func take(t testing.TB, db *DB, at time.Time, files []*zone.NoticeFile, complete bool) NoticeImport {
	t.Helper()
	var out NoticeImport
	update(t, db, admin(at), func(x *Tx) (err error) { out, err = x.ImportNotices(files, complete); return err })
	return out
}

func codes(list []Notice) string {
	var s []string
	for _, n := range list {
		s = append(s, n.Code+" "+n.Subject)
	}
	return strings.Join(s, ", ")
}

func events(t testing.TB, db *DB) int64 {
	t.Helper()
	s, err := db.VerifyAudit(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s.Events
}

// TestR_NIR_18_OverrideIsToldOnce: an object of the registry that yields a zone
// entry wins over the NIR's, and the NIR is told exactly once of each new conflict,
// however many runs and imports there are.
func TestR_NIR_18_OverrideIsToldOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		mailWorld(t, db, "a@jpnic.test")
		f, p, at := &feeds{t: t}, &post{}, day
		told := 0
		step := func(registry, jpnic, opened, closed string) {
			t.Helper()
			at = at.Add(2 * time.Hour)
			files := f.build(at, registry, jpnic)
			out := take(t, db, at, files, true)
			if codes(out.Opened) != opened || codes(out.Closed) != closed {
				t.Errorf("registry %q, JPNIC %q: opened %q, closed %q; want %q, %q", registry, jpnic, codes(out.Opened), codes(out.Closed), opened, closed)
			}
			before := events(t, db)
			if again := take(t, db, at, files, true); len(again.Opened)+len(again.Closed)+again.Changed != 0 || events(t, db) != before {
				t.Errorf("the same files again: %+v", again)
			}
			run(t, db, at, p)
			if (opened != "" || closed != "") && !strings.HasPrefix(opened, "inactive") { // which may wait for others
				told++
			}
			if len(p.letters) != told {
				t.Errorf("registry %q, JPNIC %q: %d letters, want %d", registry, jpnic, len(p.letters), told)
			}
		}
		const one, two = "overridden 28.12.202.in-addr.arpa. in " + theZone, "overridden 29.12.202.in-addr.arpa. in " + theZone
		step("", "28.12 29.12", "", "")
		step("28.12", "28.12 29.12", one, "") // the conflict
		for _, e := range f.zone.Entries {
			if e.Name == "28.12.202.in-addr.arpa." && e.Type == zone.TypeNS && strings.Contains(fmt.Sprint(e.Record), "jpnic") {
				t.Errorf("JPNIC's record is in the zone: %v", e)
			}
		}
		step("28.12", "28.12 29.12", "", "") // the next run
		step("28.12 29.12", "28.12 29.12", two, "")
		step("28.12 29.12", "29.12", "", one) // JPNIC leaves it out
		step("28.12 29.12", "28.12 29.12", one, "")
		step("", "28.12 29.12", "", one+", "+two)
		step("30.12!", "30.12", "inactive 30.12.202.in-addr.arpa. in "+theZone, "") // the registry's dummy overrides nothing: told to the registry
		if !strings.Contains(p.letters[0].Text, "overridden: 28.12.202.in-addr.arpa.") || !strings.Contains(p.letters[0].Text, "202-JPNIC:2") {
			t.Errorf("the letter says\n%s", p.letters[0].Text)
		}
	})
}

// TestR_NIR_19_OutsideIsToldOnce: what lies outside the ranges of an NIR, or partly
// outside, is not in the zone and is told once.
func TestR_NIR_19_OutsideIsToldOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		mailWorld(t, db, "a@jpnic.test")
		f, p := &feeds{t: t}, &post{}
		for i := range 3 {
			at := day.Add(time.Duration(i+1) * 2 * time.Hour)
			out := take(t, db, at, f.build(at, "", "28.12 1.13 14"), true)
			want := "outside-claims 1.13.202.in-addr.arpa. in " + theZone + ", outside-claims 14.202.in-addr.arpa. in " + theZone
			if i > 0 {
				want = ""
			}
			if codes(out.Opened) != want {
				t.Errorf("run %d opened %q, want %q", i, codes(out.Opened), want)
			}
			run(t, db, at, p)
		}
		for _, e := range f.zone.Entries {
			if e.Name == "1.13.202.in-addr.arpa." || e.Name == "14.202.in-addr.arpa." {
				t.Errorf("%v is in the zone", e.Name)
			}
		}
		if len(p.letters) != 1 || !strings.Contains(p.letters[0].Subject, "JPNIC: 2 messages (2 new)") {
			t.Fatalf("%d letters: %+v", len(p.letters), p.letters)
		}
		if got := openOf(t, db, "JPNIC"); len(got) != 2 || got[0].Place == "" || !got[0].Opened.Equal(day.Add(2*time.Hour)) {
			t.Errorf("%+v", got)
		}
		if out := take(t, db, day.Add(9*time.Hour), f.build(day.Add(8*time.Hour), "", "28.12"), true); len(out.Closed) != 2 {
			t.Errorf("%+v", out)
		}
		verify(t, db)
	})
}

func noticeFile(source string, at time.Time, list ...zone.OpenNotice) *zone.NoticeFile {
	for i := range list {
		list[i].Source = source
		if list[i].Since.IsZero() {
			list[i].Since = at
		}
	}
	return &zone.NoticeFile{Version: 1, Source: source, Time: at, Open: list}
}

func stale(text string, severity zone.Severity, since time.Time) zone.OpenNotice {
	return zone.OpenNotice{Notice: zone.Notice{Code: "stale", Severity: severity, Text: text}, Since: since}
}

func TestImportNotices(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "a@jpnic.test")
	h := func(n int) time.Time { return day.Add(time.Duration(n) * time.Hour) }
	check := func(name string, out NoticeImport, opened, raised, changed, closed, same int) {
		t.Helper()
		if len(out.Opened) != opened || len(out.Raised) != raised || out.Changed != changed || len(out.Closed) != closed || out.Same != same {
			t.Errorf("%s: %+v", name, out)
		}
	}
	out := take(t, db, h(1), []*zone.NoticeFile{
		noticeFile("JPNIC", h(1), stale("one", zone.Warning, h(1))), noticeFile("ARIN", h(1), stale("one", zone.Warning, h(1))), noticeFile("APNIC", h(1), stale("one", zone.Warning, h(1))),
	}, true)
	check("first", out, 3, 0, 0, 0, 0)
	if fmt.Sprint(out.Unmatched) != "[ARIN]" || codes(openOf(t, db, "")) != "stale APNIC, stale ARIN: ARIN" && codes(openOf(t, db, "")) != "stale ARIN: ARIN, stale APNIC" {
		t.Errorf("%v; %s", out.Unmatched, codes(openOf(t, db, "")))
	}
	only := func(at, since time.Time, text string, s zone.Severity) NoticeImport {
		t.Helper()
		return take(t, db, h(20), []*zone.NoticeFile{noticeFile("JPNIC", at, stale(text, s, since))}, false)
	}
	check("a new run, nothing new", only(h(3), h(1), "one", zone.Warning), 0, 0, 0, 0, 1)
	check("other words", only(h(4), h(1), "two", zone.Warning), 0, 0, 1, 0, 0)
	check("worse", only(h(5), h(1), "two", zone.Alarm), 0, 1, 0, 0, 0)
	check("better", only(h(6), h(1), "two", zone.Warning), 0, 0, 1, 0, 0)
	older := only(h(2), h(1), "one", zone.Warning)
	check("an older file", older, 0, 0, 0, 0, 0)
	if fmt.Sprint(older.Older) != "[JPNIC]" {
		t.Errorf("%+v", older)
	}
	check("gone and back between two imports", only(h(9), h(8), "two", zone.Warning), 1, 0, 0, 1, 0)
	check("gone with its file", take(t, db, h(21), []*zone.NoticeFile{noticeFile("APNIC", h(10), stale("one", zone.Warning, h(1)))}, true), 0, 0, 0, 2, 1)
	if list := openOf(t, db, "JPNIC"); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	view(t, db, func(v *View) error {
		all, err := v.FindNotices(NoticeFilter{NIRs: []string{"JPNIC"}, State: NoticesClosed})
		if err != nil || len(all) != 2 || !all[0].Closed.Equal(h(10)) || !all[1].Closed.Equal(h(9)) {
			t.Errorf("%+v, %v", all, err)
		}
		return err
	})
	verify(t, db)
}

func TestImportNoticesRefuses(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "a@jpnic.test")
	wrong := noticeFile("JPNIC", day, stale("one", zone.Warning, day))
	wrong.Open[0].Source = "KRNIC"
	for name, files := range map[string][]*zone.NoticeFile{
		"twice": {noticeFile("JPNIC", day), noticeFile("JPNIC", day)}, "no source": {noticeFile("", day)}, "no time": {noticeFile("JPNIC", time.Time{})}, "of another": {wrong},
	} {
		err := db.Update(context.Background(), admin(day), func(x *Tx) error { _, err := x.ImportNotices(files, false); return err })
		if CodeOf(err) != Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := db.Update(context.Background(), staff(day), func(x *Tx) error { _, err := x.ImportNotices(nil, false); return err })
	if CodeOf(err) != Forbidden {
		t.Error(err)
	}
}

// TestImportFlood: of many notices at once a bounded number is told one by one.
func TestImportFlood(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "a@jpnic.test")
	var list []zone.OpenNotice
	for i := range 2000 {
		n := stale("text", zone.Warning, day)
		n.Name = zone.Name(fmt.Sprintf("%d.%d.12.202.in-addr.arpa.", i%256, i/256))
		list = append(list, n)
	}
	if out := take(t, db, day, []*zone.NoticeFile{noticeFile("JPNIC", day, list...)}, false); len(out.Opened) != 2000 {
		t.Fatalf("%d opened", len(out.Opened))
	}
	var p post
	run(t, db, day, &p)
	if len(p.letters) != 1 || !strings.Contains(p.letters[0].Text, "1500 more notices") || strings.Count(p.letters[0].Text, "\n") > 2000 {
		t.Errorf("%d letters", len(p.letters))
	}
}

func TestFindNotices(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		mailWorld(t, db, "a@jpnic.test")
		for i, n := range []Notice{
			{NIR: "JPNIC", Code: "stale", Subject: "100%_A", Severity: "warning"},
			{NIR: "JPNIC", Code: "overdue", Subject: "b", Severity: "alarm"},
			{Code: "own", Subject: "100 A", Severity: "error"},
			{NIR: "JPNIC", Code: "dup", Subject: "c", Severity: "info"},
		} {
			n.Text = "text"
			open1(t, db, day.Add(time.Duration(i)*time.Hour), n)
		}
		close1(t, db, day.Add(9*time.Hour), "JPNIC", "overdue", "b")
		for _, c := range []struct {
			f    NoticeFilter
			want string
		}{
			{NoticeFilter{}, "dup own stale"},
			{NoticeFilter{State: NoticesAll}, "dup own overdue stale"},
			{NoticeFilter{State: NoticesClosed}, "overdue"},
			{NoticeFilter{NIRs: []string{"JPNIC"}}, "dup stale"},
			{NoticeFilter{NIRs: []string{""}}, "own"},
			{NoticeFilter{Severity: "warning"}, "own stale"},
			{NoticeFilter{Codes: []string{"dup", "stale"}}, "dup stale"},
			{NoticeFilter{Subject: "100%_a"}, "stale"},
			{NoticeFilter{Subject: "100"}, "own stale"},
			{NoticeFilter{State: NoticesAll, Since: day.Add(9 * time.Hour)}, "overdue"},
			{NoticeFilter{State: NoticesAll, Limit: 2}, "dup own"},
			{NoticeFilter{Origin: zonebuild}, ""},
		} {
			view(t, db, func(v *View) error {
				list, err := v.FindNotices(c.f)
				var got []string
				for _, n := range list {
					got = append(got, n.Code)
				}
				if strings.Join(got, " ") != c.want {
					t.Errorf("%+v: %v, want %s", c.f, got, c.want)
				}
				return err
			})
		}
		view(t, db, func(v *View) error {
			f, got := NoticeFilter{State: NoticesAll, Limit: 1}, ""
			for {
				page, err := v.FindNotices(f)
				if err != nil || len(page) == 0 {
					if got != "dup own overdue stale " {
						t.Errorf("page by page: %s", got)
					}
					return err
				}
				got, f.After = got+page[0].Code+" ", page[0].ID
			}
		})
		view(t, db, func(v *View) error {
			_, err := v.FindNotices(NoticeFilter{Severity: "bad", State: "odd", Limit: -1})
			if err == nil || strings.Count(err.Error(), "\n") != 2 {
				t.Errorf("all mistakes at once: %v", err)
			}
			return nil
		})
	})
}
