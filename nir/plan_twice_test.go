package nir

import (
	"context"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// planned is the plan of an act that is taken back.
func planned(t *testing.T, db *DB, a Actor, act func(*Tx) error) (p *Plan) {
	t.Helper()
	e, err := db.Try(context.Background(), a, act)
	if err != nil {
		t.Fatal(err)
	}
	view(t, db, func(v *View) error {
		p, err = v.Plan(e)
		return err
	})
	return p
}

// TestPlanTwice: the plan of an act is the same each time that it is made, though
// identifiers are drawn anew: a person who agreed to one is not shown another.
func TestPlanTwice(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/registry.db")
	world(t, db)
	at := admin(day.Add(time.Hour))
	r := sendIn(t, db, at, ask("R-1", "M1", inr.IPv4, "/20"))
	var plans []*Plan
	for _, act := range []func(*Tx) error{
		func(x *Tx) error { _, err := x.Submit(ask("R-2", "M2", inr.IPv4, "/22")); return err },
		func(x *Tx) error { _, err := x.Submit(ask("R-3", "M1", inr.IPv4, "/20")); return err }, // with a notice: two make more than the window
		func(x *Tx) error { _, err := x.Submit(opinion("R-4", "M1", "/16")); return err },
		func(x *Tx) error {
			_, err := x.AddReturn(Return{NIR: "JPNIC", Member: r.Member, Ranges: r.Ranges})
			return err
		},
		func(x *Tx) error {
			_, _, err := x.AddTransfer(TransferAsk{
				Transfer: Transfer{Source: "JPNIC", Destination: "", Member: r.Member, UID: "M1"}, Lines: []TransferLine{{Range: r.Ranges[0]}},
			})
			return err
		},
		func(x *Tx) error {
			_, err := x.Import(statisticsOf(t, "apnic", "AU|ipv4|210.0.0.0|256|20010101|assigned|h1"), ImportOptions{})
			return err
		},
	} {
		first, again := planned(t, db, at, act), planned(t, db, at, act)
		if len(first.Effects) == 0 || !first.Same(again) {
			t.Errorf("%+v\nand then\n%+v", first.Effects, again.Effects)
		}
		for _, other := range plans {
			if first.Same(other) {
				t.Errorf("two acts have one plan: %+v", first.Effects)
			}
		}
		plans = append(plans, first)
	}
}
