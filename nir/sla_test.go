package nir

import (
	"fmt"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// TestR_NIR_28_WorkingDays: one working day for an allocation, two for the rest,
// over weekends and holidays of the registry and of the economy.
func TestR_NIR_28_WorkingDays(t *testing.T) {
	r := DefaultRules()
	r.Holidays = map[string][]string{"APNIC": {"2026-03-09"}, "JP": {"2026-03-10"}}
	at := func(s string) time.Time {
		d, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		from    string
		days    int
		economy string
		want    string
	}{
		{"2026-03-04 09:00", 1, "JP", "2026-03-05 09:00"},
		{"2026-03-04 09:00", 2, "JP", "2026-03-06 09:00"},
		{"2026-03-05 09:00", 2, "KR", "2026-03-10 09:00"}, // weekend and the registry's Monday
		{"2026-03-05 09:00", 2, "JP", "2026-03-11 09:00"}, // and Japan's Tuesday
		{"2026-03-07 15:00", 1, "KR", "2026-03-11 00:00"}, // a Saturday counts from Tuesday's beginning
	} {
		if got := r.due(at(c.from), c.days, c.economy); !got.Equal(at(c.want)) {
			t.Errorf("%s + %d in %s: %s, want %s", c.from, c.days, c.economy, got.Format("2006-01-02 15:04"), c.want)
		}
	}
	for _, c := range []struct {
		from, to, economy string
		want              time.Duration
	}{
		{"2026-03-04 09:00", "2026-03-05 09:00", "JP", 24 * time.Hour},
		{"2026-03-06 18:00", "2026-03-11 06:00", "JP", 12 * time.Hour},
		{"2026-03-06 18:00", "2026-03-11 06:00", "KR", 36 * time.Hour},
		{"2026-03-07 01:00", "2026-03-09 23:00", "KR", 0},
		{"2026-03-05 09:00", "2026-03-04 09:00", "KR", 0},
	} {
		got := r.worked(at(c.from), at(c.to), c.economy)
		if got != c.want {
			t.Errorf("%s to %s in %s: %v, want %v", c.from, c.to, c.economy, got, c.want)
		}
		if to := r.after(at(c.from), c.want, c.economy); r.worked(at(c.from), to, c.economy) != c.want {
			t.Errorf("%v of working time after %s: %v", c.want, c.from, to)
		}
	}
}

// TestR_NIR_28_Zone: a working day is one of the registry's own time zone.
func TestR_NIR_28_Zone(t *testing.T) {
	r := DefaultRules()
	r.Zone = time.FixedZone("AEST", 10*3600)
	from := time.Date(2026, 3, 6, 15, 0, 0, 0, time.UTC) // Saturday 01:00 there
	if got, want := r.due(from, 1, "JP"), time.Date(2026, 3, 9, 14, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestR_NIR_28_Report: answered in time, late, overdue, waiting and withdrawn are
// told apart; time that the NIR took does not count.
func TestR_NIR_28_Report(t *testing.T) {
	db := approving(t)
	hour := func(n int) time.Time { return day.Add(time.Duration(n) * time.Hour) } // day is a Wednesday
	sendIn(t, db, staff(hour(0)), ask("in-window", "m1", inr.IPv4, "/24"))
	var list []Request
	for _, ref := range []string{"asked", "late", "withdrawn", "overdue", "paused"} {
		list = append(list, sendIn(t, db, staff(hour(0)), opinion(ref, "m1", "/19")))
	}
	update(t, db, hostmaster(hour(6)), func(x *Tx) error { _, err := x.AskAbout(list[0].ID, AskNIR, "why?"); return err })
	update(t, db, hostmaster(hour(6)), func(x *Tx) error { _, err := x.AskAbout(list[4].ID, AskNIR, "why?"); return err })
	update(t, db, staff(hour(10)), func(x *Tx) error { _, err := x.Withdraw(list[2].ID, ""); return err })
	update(t, db, hostmaster(hour(49)), func(x *Tx) error { _, err := x.Refuse(list[1].ID, "no"); return err })
	update(t, db, staff(hour(24*12)), func(x *Tx) error { _, err := x.Answer(list[0].ID, "so"); return err })
	update(t, db, hostmaster(hour(24*13)), func(x *Tx) error { _, err := x.Refuse(list[0].ID, "no"); return err })
	sendIn(t, db, staff(hour(24*13)), opinion("waiting", "m1", "/19"))
	view(t, db, func(v *View) error {
		got, err := v.ServiceLevels("", day, hour(24*30), hour(24*13+1))
		want := fmt.Sprint([]ServiceLevel{
			{NIR: "JPNIC", Act: Allocation, Requests: 1, Answered: 1, InTime: 1},
			{
				NIR: "JPNIC", Act: SecondOpinionAct, Requests: 6, Answered: 3, InTime: 2, Breached: 2, Waiting: 1, Withdrawn: 1,
				Median: 6 * time.Hour, Worst: 49 * time.Hour, Late: []string{list[1].ID, list[3].ID},
			},
		})
		if len(got) == 2 && list[1].ID > list[3].ID { // same due and time: by identifier
			got[1].Late[0], got[1].Late[1] = got[1].Late[1], got[1].Late[0]
		}
		if fmt.Sprint(got) != want {
			t.Errorf("\n%+v, want\n%+v", got, want)
		}
		none, err2 := v.ServiceLevels("KRNIC", day, hour(24*30), hour(24*30))
		if len(none) != 0 || err2 != nil {
			t.Errorf("%+v, %v", none, err2)
		}
		return err
	})
}

// TestR_NIR_28_Overdue: what is overdue is a notice, opened once and closed with
// the answer; what waits for the NIR is not overdue.
func TestR_NIR_28_Overdue(t *testing.T) {
	db := approving(t)
	hour := func(n int) time.Time { return day.Add(time.Duration(n) * time.Hour) }
	r := sendIn(t, db, staff(hour(0)), opinion("r1", "m1", "/19"))
	q := sendIn(t, db, staff(hour(0)), opinion("r2", "m1", "/19"))
	update(t, db, hostmaster(hour(1)), func(x *Tx) error { _, err := x.AskAbout(q.ID, AskNIR, "why?"); return err })
	open := func(at time.Time) int {
		n := 0
		update(t, db, hostmaster(at), func(x *Tx) error {
			if err := x.NoticeOverdue(); err != nil {
				return err
			}
			list, err := x.Notices("", false)
			n = len(list)
			return err
		})
		return n
	}
	if n := open(hour(48)); n != 0 {
		t.Errorf("%d notices when it is due", n)
	}
	for range 2 {
		if n := open(hour(49)); n != 1 {
			t.Errorf("%d notices after it was due", n)
		}
	}
	update(t, db, hostmaster(hour(50)), func(x *Tx) error { _, err := x.Refuse(r.ID, "no"); return err })
	if n := open(hour(51)); n != 0 {
		t.Errorf("%d notices after the answer", n)
	}
}

// TestR_NIR_28_Returns: a return is a request that the registry has to answer
// within two working days, too.
func TestR_NIR_28_Returns(t *testing.T) {
	s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
	b, _ := s.theirs.Block()
	var list []Return
	for q := range b.Subblocks(22) { // in time, late, withdrawn, not answered
		list = append(list, s.giveBack(3*time.Hour, Return{NIR: "JPNIC", Member: s.member, Ranges: []inr.Range{q.Range()}}))
	}
	report := func(at time.Duration) (levels string) {
		view(t, s.db, func(v *View) error {
			got, err := v.ServiceLevels("JPNIC", day, day.Add(30*24*time.Hour), day.Add(at))
			for _, l := range got {
				if l.Act == ReturnAct {
					levels = fmt.Sprint(l.Requests, l.Answered, l.InTime, l.Breached, l.Waiting, l.Withdrawn, l.Median, len(l.Late))
				}
			}
			return err
		})
		return levels
	}
	overdue := func(at time.Duration) (subjects []string) {
		s.update(at, func(x *Tx) error {
			if err := x.NoticeOverdue(); err != nil {
				return err
			}
			found, err := x.Notices("", false)
			for _, n := range found {
				if n.Code == "response-overdue" {
					subjects = append(subjects, n.Subject)
				}
			}
			return err
		})
		return subjects
	}
	if err := s.sign(5*time.Hour, list[0].Plan, "ben"); err != nil {
		t.Fatal(err)
	}
	s.update(6*time.Hour, func(x *Tx) error { _, err := x.WithdrawReturn(list[2].ID); return err })
	if got, want := report(7*time.Hour), "4 1 1 0 2 1 2h0m0s 0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := overdue(7 * time.Hour); len(got) != 0 {
		t.Errorf("overdue already: %v", got)
	}
	if err := s.sign(60*time.Hour, list[1].Plan, "ben"); err != nil { // two working days are over
		t.Fatal(err)
	}
	if got, want := report(61*time.Hour), "4 2 1 2 0 1 2h0m0s 2"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := overdue(61 * time.Hour); len(got) != 1 || got[0] != "return "+list[3].ID {
		t.Errorf("overdue are %v, want %s", got, list[3].ID)
	}
	s.update(62*time.Hour, func(x *Tx) error { _, err := x.WithdrawReturn(list[3].ID); return err })
	if got := overdue(63 * time.Hour); len(got) != 0 {
		t.Errorf("still overdue: %v", got)
	}
}
