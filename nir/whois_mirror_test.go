package nir

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
	"nirzone/nir/rpsl"
)

// assigned writes the i-th /32 of a range as an NIR's own whois has it.
func assigned(r inr.Range, i uint64, netname string) string {
	at := r.First.Add(inr.N(i))
	one := inr.Range{Kind: inr.IPv4, First: at, Last: at}
	return fmt.Sprintf("inetnum: %s\nnetname: %s\nsource: JPNIC\n\n", one.RPSL(), netname)
}

func dumpOf(at time.Time, text string) Dump {
	sum := sha256.Sum256([]byte(text))
	return Dump{NIR: "JPNIC", File: "jpnic.db", Data: []byte(text), Digest: hex.EncodeToString(sum[:]), Signer: "0xAB", Serial: "7", Time: at}
}

func mirror(t testing.TB, db *DB, d Dump, at time.Time) (m WhoisMirror) {
	t.Helper()
	update(t, db, admin(at), func(x *Tx) (err error) {
		m, err = x.MirrorWhois(d)
		return err
	})
	return m
}

// TestR_NIR_13_Mirror: an NIR's own whois follows its dump: a cycle is one event,
// additions and changes are taken, other sources and other space are not, and
// nobody else's objects are touched.
func TestR_NIR_13_Mirror(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		secondOption(t, db)
		r := submit(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/22")).Ranges[0]
		tw := submit(t, db, twStaff(day), ask("r2", "m2", inr.IPv4, "/22")).Ranges[0]
		at := day.Add(time.Hour)
		text := "% a dump\n\n" + assigned(r, 0, "ONE") + assigned(r, 1, "TWO") + "person: X\nnic-hdl: XX1-JP\nsource: JPNIC\n\nodd-type: 1\nsource: JPNIC\n"
		m := mirror(t, db, dumpOf(at, text), at)
		if m.Added != 4 || m.Objects != 4 || m.Refused != 0 {
			t.Errorf("%+v", m)
		}
		var events int64
		view(t, db, func(v *View) error {
			var one WhoisObject
			w, err := v.WhoisCovering(inr.Range{Kind: inr.IPv4, First: r.First, Last: r.First})
			if err != nil || !strings.Contains(w.Text, "ONE") || w.Origin != Mirrored {
				t.Errorf("%+v, %v", w, err)
			}
			n := 0
			err = whoisObjects.each(v, "origin = 'mirror'", nil, func(w *WhoisObject) error {
				n, one = n+1, *w
				if w.Since != m.Since {
					t.Errorf("%s is of event %d, not %d", w.Key, w.Since, m.Since)
				}
				return nil
			})
			events = one.Since
			if n != 4 {
				t.Errorf("%d mirrored", n)
			}
			return err
		})
		// The same again changes nothing but the time; packed it is the same.
		at = at.Add(2 * time.Hour)
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(text))
		_ = z.Close()
		d := dumpOf(at, b.String())
		if m = mirror(t, db, d, at); m.Added+m.Changed+m.Deleted != 0 || m.Since != events+1 || m.Lag(at.Add(time.Hour)) != time.Hour {
			t.Errorf("%+v", m)
		}
		// A change, a deletion, an addition; another source, other space.
		at = at.Add(2 * time.Hour)
		text = assigned(r, 0, "ONE-NEW") + assigned(r, 2, "THREE") + "person: X\nnic-hdl: XX1-JP\nsource: JPNIC\n\nodd-type: 1\nsource: JPNIC\n\n" +
			assigned(tw, 0, "STOLEN") + strings.ReplaceAll(assigned(r, 5, "OTHER"), "JPNIC", "TWNIC") + "route: 1.0.0.0/8\norigin: AS1\nsource: JPNIC\n"
		m = mirror(t, db, dumpOf(at, text), at)
		if m.Added != 1 || m.Changed != 1 || m.Deleted != 1 || m.Refused != 3 || m.Held != 0 || m.Objects != 4 {
			t.Errorf("%+v", m)
		}
		view(t, db, func(v *View) error {
			w, err := v.WhoisCovering(inr.Range{Kind: inr.IPv4, First: tw.First, Last: tw.First})
			if err != nil || w.Source != "TWNIC" || strings.Contains(w.Text, "STOLEN") {
				t.Errorf("%+v, %v", w, err)
			}
			list, err := v.Notices("JPNIC", false)
			if err != nil || len(list) != 1 || list[0].Code != "mirror-refused" || !strings.Contains(list[0].Text, "jpnic.db:") {
				t.Errorf("%+v, %v", list, err)
			}
			return nil
		})
		verify(t, db)
	})
}

// TestMirrorRefused: a dump with a mistake is refused wholly, with all of them and
// where they are.
func TestMirrorRefused(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	r := submit(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/22")).Ranges[0]
	good := assigned(r, 0, "ONE")
	at := day.Add(time.Hour)
	mirror(t, db, dumpOf(at, good), at)
	for name, c := range map[string]struct {
		d    Dump
		want []string
	}{
		"syntax":    {dumpOf(at, good+"what is this\n\n\x01: y\n"), []string{"jpnic.db:5:", "jpnic.db:7:"}},
		"key":       {dumpOf(at, good+"inetnum: nonsense\nsource: JPNIC\n\ninet6num: 1.2.3.4\nsource: JPNIC\n"), []string{"jpnic.db:5:", "jpnic.db:8:"}},
		"twice":     {dumpOf(at, good+good), []string{"jpnic.db:5:", "twice"}},
		"empty":     {dumpOf(at, ""), []string{"empty"}},
		"not ASCII": {dumpOf(at, good+"person: \xe9\n"), []string{"UTF-8"}},
	} {
		err := db.Update(context.Background(), admin(at), func(x *Tx) error { _, err := x.MirrorWhois(c.d); return err })
		if CodeOf(err) != Invalid {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: no %q in %v", name, want, err)
			}
		}
	}
	d := dumpOf(at, good)
	d.Digest = strings.Repeat("0", 64)
	fails(t, db, admin(at), Invalid, func(x *Tx) error { _, err := x.MirrorWhois(d); return err })
	fails(t, db, admin(at), Conflict, func(x *Tx) error { _, err := x.MirrorWhois(dumpOf(day, good)); return err })
	fails(t, db, staff(at), Forbidden, func(x *Tx) error { _, err := x.MirrorWhois(dumpOf(at, good)); return err })
	d = dumpOf(at, good+"person: \xe9\nnic-hdl: X\nsource: JPNIC\n")
	d.Latin1 = true
	if m := mirror(t, db, d, at); m.Added != 1 {
		t.Errorf("ISO 8859-1: %+v", m)
	}
	verify(t, db)
}

// TestMirrorGate: losses above the limits are held, the rest of the dump is taken,
// and they are made when somebody names exactly them.
func TestMirrorGate(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		r := submit(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/22")).Ranges[0]
		text := func(from, to uint64) (s string) {
			for i := from; i < to; i++ {
				s += assigned(r, i, "N")
			}
			return s
		}
		at := day
		cycle := func(s string) WhoisMirror {
			at = at.Add(2 * time.Hour)
			return mirror(t, db, dumpOf(at, s), at)
		}
		cycle(text(0, 150))
		if m := cycle(text(9, 150)); m.Deleted != 9 || m.Held != 0 {
			t.Errorf("9 of 150: %+v", m)
		}
		m := cycle(text(20, 152)) // 11 of 141, and 2 more
		if m.Deleted != 0 || m.Held != 11 || m.Added != 2 || len(m.Hash) != 64 {
			t.Errorf("11 of 141: %+v", m)
		}
		release := func(hash string, n int) func(*Tx) error {
			return func(x *Tx) error { return x.ReleaseMirror("JPNIC", hash, n) }
		}
		fails(t, db, admin(at), Held, release(m.Hash, 12))
		fails(t, db, admin(at), NotFound, release("00000000", 11))
		fails(t, db, staff(at), Forbidden, release(m.Hash, 11))
		update(t, db, admin(at), release(m.Hash[:12], 11))
		// More is missing now: that is another loss.
		if m = cycle(text(21, 152)); m.Deleted != 0 || m.Held != 12 {
			t.Errorf("12 of 143: %+v", m)
		}
		update(t, db, admin(at), release(m.Hash, 12))
		if m = cycle(text(21, 160)); m.Deleted != 12 || m.Held != 0 || m.Added != 8 {
			t.Errorf("after the release: %+v", m)
		}
		view(t, db, func(v *View) error {
			list, err := v.Notices("JPNIC", false)
			if len(list) != 0 {
				t.Errorf("still open: %+v", list)
			}
			return err
		})
		// A release is for the next cycle: not for a loss of the same name later.
		m = cycle(text(40, 160))
		hash := m.Hash
		update(t, db, admin(at), release(hash, 19))
		if m = cycle(text(21, 160)); m.Held != 0 || m.Deleted != 0 || m.Released != "" {
			t.Errorf("all are back: %+v", m)
		}
		if m = cycle(text(40, 160)); m.Hash != hash || m.Held != 19 || m.Deleted != 0 {
			t.Errorf("the loss of before: %+v", m)
		}
		cycle(text(21, 160))
		if m = cycle("person: X\nnic-hdl: X1\nsource: JPNIC\n"); m.Held != 139 || m.Deleted != 0 || m.Added != 1 {
			t.Errorf("all: %+v", m)
		}
		verify(t, db)
	})
}

// TestMirrorDrift: a few objects a cycle pass the limits over 24 hours, or over 7
// days, though no cycle does; what a person released is a new beginning.
func TestMirrorDrift(t *testing.T) {
	for _, pace := range []time.Duration{2 * time.Hour, 30 * time.Hour} {
		db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
		world(t, db)
		r := submit(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/22")).Ranges[0]
		at := day
		cycle := func(from uint64) WhoisMirror {
			s := ""
			for i := from; i < 100; i++ {
				s += assigned(r, i, "N")
			}
			at = at.Add(pace)
			return mirror(t, db, dumpOf(at, s), at)
		}
		cycle(0)
		for i := range uint64(3) {
			if m := cycle(3 * (i + 1)); m.Deleted != 3 || m.Held != 0 {
				t.Errorf("every %s, cycle %d: %+v", pace, i, m)
			}
		}
		m := cycle(12) // 12 of 100
		if m.Deleted != 0 || m.Held != 3 {
			t.Errorf("every %s, the fourth: %+v", pace, m)
		}
		update(t, db, admin(at), func(x *Tx) error { return x.ReleaseMirror("JPNIC", m.Hash, 3) })
		if m := cycle(12); m.Deleted != 3 || m.Held != 0 {
			t.Errorf("every %s, after the release: %+v", pace, m)
		}
		if m := cycle(15); m.Deleted != 3 || m.Held != 0 {
			t.Errorf("every %s, three more: %+v", pace, m)
		}
		at = at.Add(8 * 24 * time.Hour)
		if m := cycle(20); m.Deleted != 5 || m.Held != 0 {
			t.Errorf("every %s, a week later: %+v", pace, m)
		}
		verify(t, db)
	}
}

// TestR_NIR_30_MirrorBehindATransfer: what an NIR's mirror still says of space that
// it gave up is no answer, and ends with the next cycle without being held.
func TestR_NIR_30_MirrorBehindATransfer(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	q := submit(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/24"))
	r := q.Ranges[0]
	at := day.Add(time.Hour)
	text := assigned(r, 0, "ONE") + "person: X\nnic-hdl: XX1-JP\nsource: JPNIC\n"
	mirror(t, db, dumpOf(at, text), at)
	moveAll(t, db, r, "", at)
	one := inr.Range{Kind: inr.IPv4, First: r.First, Last: r.First}
	view(t, db, func(v *View) error {
		w, err := v.WhoisCovering(one)
		if err != nil || w.Source != "APNIC" {
			t.Errorf("%s, %v", w.Text, err)
		}
		if _, err := v.Whois("inetnum", one.RPSL()); CodeOf(err) != NotFound {
			t.Errorf("by key: %v", err)
		}
		return nil
	})
	at = at.Add(time.Hour)
	if m := mirror(t, db, dumpOf(at, text), at); m.Deleted != 1 || m.Refused != 1 || m.Held != 0 {
		t.Errorf("%+v", m)
	}
	verify(t, db)
}

// moveAll hands the delegations of a range to another manager, as a transfer does.
func moveAll(t testing.TB, db *DB, r inr.Range, to string, at time.Time) {
	t.Helper()
	update(t, db, admin(at), func(x *Tx) error {
		x.act("test.move")
		var moved []Delegation
		for _, l := range []Level{NIRToMember, RIRToMember, RIRToNIR} {
			list, err := x.Within(l, r)
			if err != nil {
				return err
			}
			for _, d := range list {
				if l != RIRToNIR {
					moved = append(moved, d)
				}
				if err := delegations.end(x, d.ID); err != nil {
					return err
				}
			}
		}
		for _, was := range moved {
			now := was
			now.Row, now.NIR, now.Parent, now.Level, now.Evidence, now.Request = Row{}, to, "", RIRToMember, ByTransfer, "trf_1"
			if to != "" {
				above := now
				above.Level, above.Member = RIRToNIR, ""
				if err := x.addDelegation(&above); err != nil {
					return err
				}
				now.Level = NIRToMember
			}
			if err := x.addDelegation(&now); err != nil {
				return err
			}
			if err := x.moveWhois(was, now, nil, false); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestMirrorLag: a mirror that is late is told once, and no more when it is not.
func TestMirrorLag(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	mirror(t, db, dumpOf(day, "person: X\nnic-hdl: XX1-JP\nsource: JPNIC\n"), day)
	late := func(hours int) bool {
		update(t, db, admin(day.Add(time.Duration(hours)*time.Hour)), func(x *Tx) error { return x.CheckMirrors() })
		var n []Notice
		view(t, db, func(v *View) (err error) {
			n, err = v.Notices("JPNIC", false)
			return err
		})
		return len(n) == 1 && n[0].Code == "mirror-late"
	}
	if late(24) || !late(25) || !late(26) {
		t.Error("late at the wrong time")
	}
	at := day.Add(27 * time.Hour)
	mirror(t, db, dumpOf(at, "person: X\nnic-hdl: XX1-JP\nsource: JPNIC\n"), at)
	if late(28) {
		t.Error("late although it was mirrored")
	}
}

// TestMirrorGateLast: the last objects are held, however few they are.
func TestMirrorGateLast(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	r := submit(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/22")).Ranges[0]
	mirror(t, db, dumpOf(day, assigned(r, 0, "A")+assigned(r, 1, "B")), day)
	if m := mirror(t, db, dumpOf(day, assigned(r, 2, "C")), day); m.Held != 2 || m.Added != 1 || m.Deleted != 0 || m.Objects != 3 {
		t.Errorf("%+v", m)
	}
	if m := mirror(t, db, dumpOf(day, assigned(r, 1, "B")+assigned(r, 2, "C")), day); m.Held != 0 || m.Deleted != 1 {
		t.Errorf("%+v", m)
	}
}

// TestMostSpecific: of what begins at one address the smallest that covers, of the
// same numbers what is kept here, and of two that do not nest the one that begins
// nearest.
func TestMostSpecific(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	r := submit(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/22")).Ranges[0]
	part := func(from, to uint64) inr.Range {
		return inr.Range{Kind: inr.IPv4, First: r.First.Add(inr.N(from)), Last: r.First.Add(inr.N(to))}
	}
	var text string
	for _, p := range []inr.Range{r, part(0, 3), part(0, 63), part(0, 255), part(100, 900), part(200, 300), part(400, 500)} {
		text += "inetnum: " + p.RPSL() + "\nnetname: M\nsource: JPNIC\n\n"
	}
	both := submit(t, db, staff(day), ask("r2", "m2", inr.IPv4, "/24")).Ranges[0]
	text += "inetnum: " + both.RPSL() + "\nnetname: M\nsource: JPNIC\n\n"
	mirror(t, db, dumpOf(day, text), day)
	view(t, db, func(v *View) error {
		for _, c := range []struct {
			ask, want inr.Range
			origin    string
		}{
			{part(0, 0), part(0, 3), Mirrored},
			{part(4, 4), part(0, 63), Mirrored},
			{part(0, 4), part(0, 63), Mirrored},
			{part(64, 64), part(0, 255), Mirrored},
			{part(120, 130), part(100, 900), Mirrored}, // two that overlap and do not nest
			{part(250, 250), part(200, 300), Mirrored},
			{part(350, 350), part(100, 900), Mirrored},
			{part(901, 901), r, KeptHere},
			{part(0, 901), r, KeptHere},
			{r, r, KeptHere},
			{both, both, KeptHere},
		} {
			w, err := v.WhoisCovering(c.ask)
			if err != nil || w.Range != c.want || w.Origin != c.origin {
				t.Errorf("%s: %s %s (%v), want %s %s", c.ask, w.Origin, w.Key, err, c.origin, c.want)
			}
		}
		return nil
	})
}

// TestMirrorBounds: what a dump may cost is bounded, and so is what is kept of
// objects that are left out.
func TestMirrorBounds(t *testing.T) {
	if l, d := dumpLimits(true), rpsl.DefaultLimits(); !l.Latin1 || l.Bytes <= 0 || l.Bytes >= d.Bytes || l.Objects <= 0 || l.Objects >= d.Objects {
		t.Errorf("%+v", l)
	}
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	text := "person: X\nnic-hdl: XX1-JP\nsource: JPNIC\n\n"
	for i := range 9 {
		text += fmt.Sprintf("person: X\nnic-hdl: XX%d-TW\nsource: TWNIC\n\n", i)
	}
	if m := mirror(t, db, dumpOf(day, text), day); m.Refused != 9 || m.Objects != 1 {
		t.Errorf("%+v", m)
	}
	view(t, db, func(v *View) error {
		list, err := v.Notices("JPNIC", false)
		if err != nil || len(list) != 1 || !strings.Contains(list[0].Text, "9 objects are left out: jpnic.db:5:") || !strings.HasSuffix(list[0].Text, "; and 4 more") {
			t.Errorf("%+v, %v", list, err)
		}
		return nil
	})
	var c cycle
	for range 1000 {
		c.leaveOut("why")
	}
	if c.refused != 1000 || len(c.why) != maxWhy {
		t.Errorf("%d, %d kept", c.refused, len(c.why))
	}
}
