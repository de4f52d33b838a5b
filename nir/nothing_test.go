package nir

import (
	"path/filepath"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// TestNothingToDo: what the registry says already makes no version and no event.
func TestNothingToDo(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	r := submit(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/24"))
	var line TransferLine
	register := func(name string) func(x *Tx) error {
		return func(x *Tx) error {
			list, err := delegations.find(x.View, "member = $1", r.Member)
			if err != nil {
				return err
			}
			return x.Register(Registration{Delegation: list[0].ID, Netname: name, Economy: "JP", AdminC: "A1", TechC: "T1"})
		}
	}
	update(t, db, admin(day), register("FIRST"))
	update(t, db, admin(day), func(x *Tx) error {
		_, lines, err := x.AddTransfer(TransferAsk{Transfer: Transfer{Source: "JPNIC", Member: r.Member, UID: "d1"}, Lines: []TransferLine{{Range: r.Ranges[0], Due: day.Add(time.Hour)}}})
		if err == nil {
			line = lines[0]
		}
		return err
	})
	for name, c := range map[string]struct{ same, other func(x *Tx) error }{
		"NIR": {
			func(x *Tx) error { return editNIR(x, func(n *NIR) {}) },
			func(x *Tx) error { return editNIR(x, func(n *NIR) { n.Name = "Nippon" }) },
		},
		"window": {
			func(x *Tx) error { _, err := x.SetWindow("JPNIC", inr.IPv4, "4096", "again"); return err },
			func(x *Tx) error { _, err := x.SetWindow("JPNIC", inr.IPv4, "/19", "again"); return err },
		},
		"member": {
			func(x *Tx) error { return editMember(x, r.Member, func(m *Member) {}) },
			func(x *Tx) error { return editMember(x, r.Member, func(m *Member) { m.Address = []string{"Tokyo"} }) },
		},
		"pool": {
			func(x *Tx) error { return editPool(x, func(p *Pool) {}) },
			func(x *Tx) error { return editPool(x, func(p *Pool) { p.Description = "x" }) },
		},
		"registration": {register("FIRST"), register("SECOND")},
		"line": {
			func(x *Tx) error { _, err := x.Reschedule(line.ID, day.Add(time.Hour)); return err },
			func(x *Tx) error { _, err := x.Reschedule(line.ID, day.Add(2*time.Hour)); return err },
		},
	} {
		before := lastEvent(t, db)
		if update(t, db, admin(day), c.same); lastEvent(t, db) != before {
			t.Errorf("%s: the same again is an event", name)
		}
		if update(t, db, admin(day), c.other); lastEvent(t, db) != before+1 {
			t.Errorf("%s: a change is no event", name)
		}
	}
	verify(t, db)
}

func editNIR(x *Tx, fn func(*NIR)) error {
	n, err := x.NIR("JPNIC")
	if err != nil {
		return err
	}
	fn(&n)
	_, err = x.PutNIR(n)
	return err
}

func editMember(x *Tx, id string, fn func(*Member)) error {
	m, err := x.Member(id)
	if err != nil {
		return err
	}
	fn(&m)
	_, err = x.ChangeMember(m)
	return err
}

func editPool(x *Tx, fn func(*Pool)) error {
	list, err := x.Pools()
	if err != nil {
		return err
	}
	fn(&list[0])
	_, err = x.ChangePool(list[0])
	return err
}
