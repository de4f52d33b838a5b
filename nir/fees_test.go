package nir

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

func TestRate(t *testing.T) {
	r := Rate{Unit: 32, Brackets: []Bracket{{0, 2000}, {1000, 500}, {5000, 0}}}
	for count, want := range map[int64]string{0: "0", 1: "2", 1000: "2000", 1001: "2000.5", 5000: "4000", 9999: "4000"} {
		if got := units(r.milli(count)); got != want {
			t.Errorf("%d: %s, want %s", count, got, want)
		}
	}
	if got := units((Rate{Unit: 56}).milli(7)); got != "7" {
		t.Errorf("without brackets %s", got)
	}
	six := Rate{Unit: 56}
	for text, want := range map[string]int64{"2400::/32": 1 << 24, "2400::/56": 1, "2400::/64": 1, "2400::1": 1} {
		if got := six.count(inr.Of(aRange(t, text)), inr.IPv6); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

func TestTiers(t *testing.T) {
	f := DefaultFees()
	for text, want := range map[string]string{
		"": "very small", "202.0.0.0/22": "very small", "202.0.0.0-202.0.4.0": "small", "202.0.0.0/16": "medium",
		"202.0.0.0/22, 2400::/32": "small", "2400::/12": "extra large", "202.0.0.0/8": "extra large", "AS1": "very small",
	} {
		s, err := inr.ParseSet(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.tier(s); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestFeesCheck(t *testing.T) {
	if err := DefaultFees().Check(); err != nil {
		t.Error(err)
	}
	bad := Fees{
		Renewal: "02-29", Renewals: map[string]string{"JPNIC": "13-01"},
		IPv4:  Rate{Unit: 33, Brackets: nil},
		IPv6:  Rate{Unit: 48, Brackets: []Bracket{{0, 1}, {0, 1}}},
		Tiers: []Tier{{"a", "/16", "/32"}, {"b", "/20", "/32"}, {"c", "/8", ""}},
	}
	err := fmt.Sprint(bad.Check())
	for _, says := range []string{"02-29", "13-01", "/33", "bracket 2", "b is smaller", "without bounds"} {
		if !strings.Contains(err, says) {
			t.Errorf("%q is not in %s", says, err)
		}
	}
}

func TestFeeYear(t *testing.T) {
	r := DefaultRules()
	r.Fees = DefaultFees()
	r.Fees.Renewals = map[string]string{"JPNIC": "07-01"}
	at := time.Date(2026, 6, 30, 23, 0, 0, 0, time.UTC)
	for nir, want := range map[string]int{"": 2026, "JPNIC": 2025, "KRNIC": 2026} {
		if got := r.FeeYear(nir, at); got != want {
			t.Errorf("%q: %d, want %d", nir, got, want)
		}
	}
	if got := r.FeeYear("JPNIC", at.Add(time.Hour)); got != 2026 {
		t.Errorf("at the renewal %d", got)
	}
}

// TestFeeOfWhatLeft: what was charged and leaves stays charged, and is not free of
// a fee when it comes back in the same year.
func TestFeeOfWhatLeft(t *testing.T) {
	s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
	step := func(after time.Duration, source, destination, uid string) {
		s.transfer(after, TransferAsk{
			Transfer: Transfer{Source: source, Destination: destination, Member: s.member, UID: uid}, Lines: []TransferLine{{Range: s.theirs}},
		})
		s.run(after)
	}
	for i, c := range []struct{ source, destination, uid, want string }{
		{"JPNIC", "KRNIC", "kr-1", "4096 0 0"},
		{"KRNIC", "JPNIC", "jp-lir", "4096 0 4096"},
	} {
		step(time.Duration(i+5)*time.Hour, c.source, c.destination, c.uid)
		view(t, s.db, func(v *View) error {
			f, err := v.Fee("JPNIC", 2026)
			if got := fmt.Sprint(f.Kinds[0].Charged, f.Kinds[0].Exempt, f.Kinds[0].Next); got != c.want {
				t.Errorf("after %s to %s: %s, want %s", c.source, c.destination, got, c.want)
			}
			k, err2 := v.Fee("KRNIC", 2026)
			if k.Kinds[0].Charged != 0 {
				t.Errorf("KRNIC pays for a transfer: %+v", k)
			}
			return errorsOf(err, err2)
		})
	}
}

// TestFeeInAPlan: a dry run shows what the next renewal will count.
func TestFeeInAPlan(t *testing.T) {
	s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
	_, err := s.db.Try(t.Context(), admin(day.Add(3*time.Hour)), func(x *Tx) error {
		_, lines, err := x.AddTransfer(TransferAsk{
			Transfer: Transfer{Destination: "JPNIC", Member: s.direct, UID: "jp-7"}, Lines: []TransferLine{{Range: s.mine}},
		})
		if err == nil {
			_, err = x.CompleteLine(lines[0].ID)
		}
		f, err2 := x.Fee("JPNIC", 2026)
		if f.Kinds[0].Next != 8192 || f.Kinds[0].Exempt != 4096 {
			t.Errorf("%+v", f)
		}
		return errorsOf(err, err2)
	})
	if err != nil {
		t.Error(err)
	}
}

// TestAggregates: two blocks that touch, on two days: one aggregate, two
// delegations (the property R-API-AGG-1); another type or manager is another.
func TestAggregates(t *testing.T) {
	s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
	s.update(24*time.Hour, func(x *Tx) error { _, err := x.Submit(ask("b2", "jp-lir", inr.IPv4, "/20")); return err })
	list := s.aggregates(s.member)
	if len(list) != 1 || len(list[0].Delegations) != 2 || list[0].Range.String() != "202.0.32.0/19" {
		t.Errorf("%+v", list)
	}
	a := ask("b3", "jp-lir", inr.IPv4, "/24")
	a.Type = "assignment"
	s.update(25*time.Hour, func(x *Tx) error { _, err := x.Submit(a); return err })
	for i := range 3 {
		s.update(26*time.Hour, func(x *Tx) error { _, err := x.Submit(ask(fmt.Sprint("as", i), "jp-lir", inr.ASN, "1")); return err })
	}
	list = s.aggregates(s.member)
	if len(list) != 3 || list[1].Type != "assignment" || list[2].Range.String() != "AS131072-AS131074" || len(list[2].Delegations) != 3 {
		t.Errorf("%+v", list)
	}
	half, _, _ := inr.BlockAt(inr.IPv4, s.theirs.First, 20).Halves()
	s.transfer(30*time.Hour, TransferAsk{
		Transfer: Transfer{Source: "JPNIC", Destination: "KRNIC", Member: s.member, UID: "kr-1"}, Lines: []TransferLine{{Range: half.Range()}},
	})
	s.run(30 * time.Hour)
	if list = s.aggregates(s.member); len(list) != 5 || list[3].NIR != "KRNIC" || list[3].Range != half.Range() {
		var got []string
		for _, a := range list {
			got = append(got, a.NIR+" "+a.Type+" "+a.Range.String())
		}
		t.Errorf("%v", got)
	}
}

func (s *scene) aggregates(member string) (list []Aggregate) {
	s.t.Helper()
	view(s.t, s.db, func(v *View) (err error) { list, err = v.Aggregates(member); return err })
	return list
}
