package zone

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func testNotice(source, code, name string, line int) Notice {
	return Notice{Code: code, Severity: Warning, Source: source, Zone: testApex.Origin, Name: testName(name), Pos: Pos{File: "202-" + source, Line: line}, Text: "text " + name}
}

func TestReopen(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 11, n, 12, 0, 0, 0, time.UTC) }
	overridden, outside, kr := testNotice("JPNIC", "overridden", "28.12", 3), testNotice("JPNIC", "outside-claims", "1.13", 9), testNotice("KRNIC", "overridden", "28.12", 1)
	moved := overridden
	moved.Pos.Line, moved.Text = 77, "text that changed"

	open1, opened1, closed1 := Reopen(nil, []Notice{kr, outside, overridden, overridden}, day(1))
	open2, opened2, closed2 := Reopen(open1, []Notice{moved, kr}, day(2))
	open3, opened3, closed3 := Reopen(open2, []Notice{moved, kr}, day(3))
	open4, opened4, closed4 := Reopen(open3, []Notice{kr, outside}, day(4))
	for i, tt := range []struct{ got, want []OpenNotice }{
		{open1, []OpenNotice{{overridden, day(1)}, {outside, day(1)}, {kr, day(1)}}},
		{opened1, open1},
		{closed1, nil},
		{open2, []OpenNotice{{moved, day(1)}, {kr, day(1)}}},
		{opened2, nil},
		{closed2, []OpenNotice{{outside, day(1)}}},
		{open3, open2},
		{opened3, nil},
		{closed3, nil},
		{open4, []OpenNotice{{outside, day(4)}, {kr, day(1)}}},
		{opened4, []OpenNotice{{outside, day(4)}}},
		{closed4, []OpenNotice{{moved, day(1)}}},
	} {
		if d := cmp.Diff(tt.want, tt.got); d != "" {
			t.Errorf("%d (-want +got):\n%s", i, d)
		}
	}

	files := NoticeFiles(open4, opened4, closed4, day(4))
	if len(files) != 2 || files[0].Source != "JPNIC" || files[1].Source != "KRNIC" {
		t.Fatalf("files %+v", files)
	}
	want := `Notices for JPNIC, 2026-11-04T12:00:00Z: 1 new, 1 closed, 0 still open.

New
  202-JPNIC:9: warning: outside-claims: text 1.13

Closed
  202-JPNIC:77: warning: overridden: text that changed
    was open since 2026-11-01T12:00:00Z
`
	if d := cmp.Diff(want, string(files[0].Text())); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if got := string(files[1].Text()); !strings.Contains(got, "Still open\n  202-KRNIC:1: warning: overridden: text 28.12\n    open since 2026-11-01T12:00:00Z\n") {
		t.Error(got)
	}
	again, err := ParseNoticeFile("JPNIC.json", files[0].Encode())
	if err != nil || !cmp.Equal(*again, files[0]) {
		t.Errorf("read back %+v, %v", again, err)
	}
	if _, err := ParseNoticeFile("JPNIC.json", []byte(`{"version": 2}`)); err == nil {
		t.Error("a newer version was read")
	}
}

// A notice that becomes an alarm is told again; one that calms down is not.
func TestReopenSeverity(t *testing.T) {
	n := testNotice("JPNIC", "stale", "202.in-addr.arpa.", 0)
	open, _, _ := Reopen(nil, []Notice{n}, time.Unix(1, 0))
	n.Severity = Alarm
	open, opened, closed := Reopen(open, []Notice{n}, time.Unix(2, 0))
	want := []OpenNotice{{n, time.Unix(1, 0).UTC()}}
	if d := cmp.Diff([][]OpenNotice{want, want, nil}, [][]OpenNotice{open, opened, closed}); d != "" {
		t.Errorf("after the rise (-want +got):\n%s", d)
	}
	n.Severity = Warning
	if _, opened, closed = Reopen(open, []Notice{n}, time.Unix(3, 0)); opened != nil || closed != nil {
		t.Errorf("after the fall: opened %v, closed %v", opened, closed)
	}
}

// Over any series of runs every notice opens and closes in turn, and what is
// open is what the last run said.
func TestReopenProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var open []OpenNotice
		balance := map[string]int{}
		for run := range rapid.IntRange(1, 6).Draw(t, "runs") {
			now := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Notice {
				return testNotice(drawSource.Draw(t, "source"), rapid.SampledFrom([]string{"a", "b"}).Draw(t, "code"), drawOwner.Draw(t, "name"), rapid.IntRange(1, 3).Draw(t, "line"))
			}), 0, 6).Draw(t, "notices")
			var opened, closed []OpenNotice
			open, opened, closed = Reopen(open, now, time.Unix(int64(run), 0))
			for _, o := range opened {
				balance[o.Key()]++
			}
			for _, o := range closed {
				balance[o.Key()]--
			}
			for _, n := range now {
				if balance[n.Key()] != 1 {
					t.Fatalf("%s opened %d times", n.Key(), balance[n.Key()])
				}
			}
			total := 0
			for _, b := range balance {
				total += b
			}
			if total != len(open) || !slices.IsSortedFunc(open, func(a, b OpenNotice) int { return compareNotices(a.Notice, b.Notice) }) {
				t.Fatalf("%d open, want %d, sorted: %v", len(open), total, open)
			}
			count := 0
			for _, f := range NoticeFiles(open, opened, closed, time.Unix(int64(run), 0)) {
				count += len(f.New) + len(f.Open)
			}
			if count != len(open) {
				t.Fatalf("files hold %d open notices, want %d", count, len(open))
			}
		}
	})
}
