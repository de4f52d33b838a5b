package nir

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/nir/alloc"
	"nirzone/nir/inr"
)

// TestRegisteredIsTold: what an NIR got is in its outbox, once, in the event of the
// allocation; a direct member's is in nobody's.
func TestRegisteredIsTold(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		var r Request
		for range 2 { // the second time it is the same request
			update(t, db, staff(day), func(x *Tx) (err error) {
				r, err = x.Submit(ask("r1", "m1", inr.IPv4, "/22"))
				return err
			})
		}
		direct := ask("r2", "d1", inr.IPv4, "/24")
		direct.NIR = ""
		update(t, db, admin(day), func(x *Tx) error { _, err := x.Submit(direct); return err })
		view(t, db, func(v *View) error {
			list, err := v.Outbox("JPNIC")
			if err != nil || len(list) != 1 {
				t.Fatalf("%d messages, %v", len(list), err)
			}
			m := list[0]
			var data struct {
				Ref    string
				Ranges []inr.Range
			}
			if err := json.Unmarshal(m.Data, &data); err != nil || data.Ref != "r1" || !slices.Equal(data.Ranges, r.Ranges) {
				t.Errorf("data %s, %v", m.Data, err)
			}
			if m.Kind != RequestRegistered || m.Subject != "JPNIC/r1" || m.Event != r.Since || !strings.Contains(m.Text, r.Ranges[0].String()) {
				t.Errorf("%+v", m)
			}
			own, err := v.Outbox("")
			if len(own) > 0 {
				t.Errorf("the registry is told %+v", own)
			}
			return err
		})
		provenAudit(t, db)
	})
}

// TestRememberedIsOfTheHead: a writer remembers nothing that another process
// changed, nor what was only tried.
func TestRememberedIsOfTheHead(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		other, err := Open(context.Background(), db.sql, db.dialect, Options{Random: rand.NewChaCha8([32]byte{2})})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		window := func(size Size) func(*Tx) error {
			return func(x *Tx) error { _, err := x.SetWindow("JPNIC", inr.IPv4, size, "test"); return err }
		}
		submit := func(ref string, want Code) {
			t.Helper()
			err := db.Update(context.Background(), staff(day), func(x *Tx) error { _, err := x.Submit(ask(ref, "m1", inr.IPv4, "/20")); return err })
			if CodeOf(err) != want {
				t.Errorf("%s: %v, want %q", ref, err, want)
			}
		}
		submit("r1", "")
		update(t, other, admin(day), window("/22"))
		submit("r2", SecondOpinion)
		if _, err := db.Try(context.Background(), admin(day), func(x *Tx) error {
			if err := window("/16")(x); err != nil {
				return err
			}
			_, err := x.Window("JPNIC", inr.IPv4)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		submit("r3", SecondOpinion)
		update(t, other, admin(day), window("/20"))
		submit("r4", "")
		update(t, db, admin(day), func(x *Tx) error { // and nothing that it changed itself
			if _, err := x.Window("JPNIC", inr.IPv4); err != nil {
				return err
			}
			if err := window("/24")(x); err != nil {
				return err
			}
			w, err := x.Window("JPNIC", inr.IPv4)
			if w.Size != "/24" {
				t.Errorf("the window is %s", w.Size)
			}
			return err
		})
	})
}

const someRole = `role: Example Hostmaster
address: 1 Example Street
e-mail: hm@example.net
admin-c: AE1-AP
tech-c: AE1-AP
nic-hdl: HM1-AP
mnt-by: APNIC-HM
source: APNIC
`

const somePerson = `person: Anna Example
address: 1 Example Street
phone: +61 7 5550 0000
e-mail: anna@example.net
nic-hdl: AE1-AP
mnt-by: APNIC-HM
source: APNIC
`

// TestWrittenIsRead: what a transaction wrote it reads, also what triggers made of
// it, and although inserts wait.
func TestWrittenIsRead(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		err := db.Update(context.Background(), admin(day), func(x *Tx) error {
			if err := x.DeclareExternal("APNIC", "mntner APNIC-HM", "test"); err != nil {
				return err
			}
			for _, text := range []string{somePerson, someRole} {
				if _, err := x.PutWhois(text); err != nil {
					return err
				}
			}
			return x.DeleteWhois("person", "AE1-AP", "APNIC")
		})
		if CodeOf(err) != Conflict || !strings.Contains(fmt.Sprint(err), "HM1-AP") {
			t.Errorf("a person whom a role names was deleted: %v", err)
		}
	})
}

// TestUnreservedOrder: free blocks come in their order, of every length, as many as
// are asked for.
func TestUnreservedOrder(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	var all []alloc.Free
	pool := ""
	update(t, db, admin(day), func(x *Tx) error {
		p := Pool{Range: inr.BlockAt(inr.IPv4, inr.N(202<<24), 8).Range(), Purpose: Regional}
		if err := pools.put(x, &p); err != nil {
			return err
		}
		pool = p.ID
		x.act("test.blocks")
		rng := rand.New(rand.NewPCG(1, 1))
		var list []FreeBlock
		for i := range 60 {
			b := inr.BlockAt(inr.IPv4, inr.N(202<<24+uint64(i)<<16), 16+2*rng.IntN(4))
			all = append(all, alloc.Free{Block: b})
			list = append(list, FreeBlock{Pool: pool, Range: b.Range(), Len: b.Len})
		}
		return freeBlocks.addAll(x, list)
	})
	view(t, db, func(v *View) error {
		for _, o := range []alloc.Order{alloc.BySize, alloc.ByAddress, alloc.ByLargest} {
			for _, lens := range [][2]int{{0, 32}, {17, 20}, {18, 18}, {0, 15}} {
				for _, limit := range []int{1, 7, 20, 100} {
					want := slices.Clone(all)
					want = slices.DeleteFunc(want, func(f alloc.Free) bool { return f.Block.Len < lens[0] || f.Block.Len > lens[1] })
					slices.SortFunc(want, o.Compare)
					got, err := v.space(pool).Unreserved(o, lens[0], lens[1], limit)
					if err != nil {
						return err
					}
					if want = want[:min(limit, len(want))]; !slices.Equal(got, want) {
						t.Errorf("order %d, lengths %v, limit %d: %v, want %v", o, lens, limit, got, want)
					}
				}
			}
		}
		return nil
	})
}

// TestCoveringInOneStatement: the quick answer is the one of the whole lookup.
func TestCoveringInOneStatement(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		unconfirmed(db)
		update(t, db, admin(day), func(x *Tx) error {
			_, err := x.Import(statisticsOf(t, "apnic", "JP|ipv4|202.128.0.0|1024|20100101|allocated"), ImportOptions{NIRs: map[string]string{"JP": "JPNIC"}})
			return err
		})
		for i, size := range []Size{"/24", "/22", "/23"} {
			update(t, db, staff(day.Add(time.Hour)), func(x *Tx) error {
				_, err := x.Submit(ask(fmt.Sprint("r", i), fmt.Sprint("m", i), inr.IPv4, size))
				return err
			})
		}
		for _, text := range []string{"202.0.0.1", "202.0.0.0/22", "202.0.5.9", "202.0.0.0/16", "202.128.3.255", "202.200.0.0", "AS131072", "2400::1"} {
			r, err := inr.ParseRange(text)
			if err != nil {
				t.Fatal(err)
			}
			got, gotErr := db.WhoisCovering(context.Background(), r)
			view(t, db, func(v *View) error {
				want, err := v.WhoisCovering(r)
				if got.Text != want.Text || got.ID != want.ID || fmt.Sprint(gotErr) != fmt.Sprint(err) {
					t.Errorf("%s: %q, %v; want %q, %v", text, got.Text, gotErr, want.Text, err)
				}
				return nil
			})
		}
	})
}
