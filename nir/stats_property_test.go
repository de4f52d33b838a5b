package nir

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirzone/fixtures/peers"
	"nirzone/nir/inr"
)

// A fileLine is what the model of imports knows of a range of 202.0.0.0/16, in
// /24s.
type fileLine struct {
	first, count               int
	economy, date, typ, holder string
}

func (l fileLine) overlaps(o fileLine) bool {
	return l.first < o.first+o.count && o.first < l.first+l.count
}

func (l fileLine) record() string {
	return fmt.Sprintf("%s|ipv4|202.0.%d.0|%d|%s|%s|%s", l.economy, l.first, l.count*256, l.date, l.typ, l.holder)
}

// bring is an import by the model: a record ends what it overlaps and is not of
// its range; a holder that is not said stays, unless another registry manages it
// now.
func bring(have, file []fileLine) []fileLine {
	for _, w := range file {
		var left []fileLine
		for _, h := range have {
			switch {
			case h.first == w.first && h.count == w.count:
				if w.holder == "" && economies[h.economy] == economies[w.economy] {
					w.holder = h.holder
				}
			case !h.overlaps(w):
				left = append(left, h)
			}
		}
		have = append(left, w)
	}
	slices.SortFunc(have, func(a, b fileLine) int { return cmp.Compare(a.first, b.first) })
	return have
}

// TestImportAgainstModel: after any files, the delegations are those of the model,
// pools are what is free and held (P3), the same file again changes nothing, and
// the audit replays to the live state (P7).
func TestImportAgainstModel(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	unconfirmed(db)
	update(t, db, admin(day), sevenNIRs)
	update(t, db, admin(day), func(x *Tx) error {
		for _, r := range []string{"202.0.0.0/18", "202.0.64.0-202.0.95.255", "202.0.128.0/17"} { // a part is in no pool
			if _, err := x.AddPool(Pool{Range: rng(t, r), Purpose: Regional}); err != nil {
				return err
			}
		}
		return nil
	})
	var model []fileLine
	at := day
	given(t, "rapid.checks", fmt.Sprint(peers.Rounds(100)))
	rapid.Check(t, func(r *rapid.T) {
		file := drawFile(r)
		var lines []string
		for _, l := range file {
			lines = append(lines, l.record())
		}
		f := statisticsOf(t, "apnic", lines...)
		at = at.Add(time.Hour)
		model = bring(model, file)
		doImport(t, db, admin(at), f, ImportOptions{NIRs: economies})
		if again := doImport(t, db, admin(at), f, ImportOptions{NIRs: economies}); again.State != ImportNothing {
			r.Fatalf("the same file again: %+v", again.Counts)
		}
		if got, want := firstStepsOf(t, db), linesOf(model); got != want {
			r.Fatalf("after\n%s\nthe registry has\n%s\nthe model\n%s", strings.Join(lines, "\n"), got, want)
		}
		checkConservation(t, db)
	})
	provenAudit(t, db)
}

// drawFile draws records that do not overlap.
func drawFile(r *rapid.T) []fileLine {
	var file []fileLine
	for at := 0; ; {
		l := fileLine{
			first: at + rapid.SampledFrom([]int{0, 0, 16, 32}).Draw(r, "gap"), count: rapid.SampledFrom([]int{8, 16, 16, 24}).Draw(r, "count"),
			economy: rapid.SampledFrom([]string{"AU", "JP", "KR", "NZ"}).Draw(r, "economy"), date: rapid.SampledFrom([]string{"20010101", "20020202"}).Draw(r, "date"),
			typ: rapid.SampledFrom([]string{"allocated", "assigned"}).Draw(r, "type"), holder: rapid.SampledFrom([]string{"", "A1", "A2"}).Draw(r, "holder"),
		}
		if at = l.first + l.count; at > 256 {
			return file
		}
		file = append(file, l)
	}
}

func linesOf(model []fileLine) string {
	var list []string
	for _, l := range model {
		list = append(list, l.record()+" "+economies[l.economy])
	}
	return strings.Join(list, "\n")
}

// firstStepsOf writes the delegations as the model has them; the second step says
// who holds an NIR's.
func firstStepsOf(t *testing.T, db *DB) string {
	var list []string
	view(t, db, func(v *View) error {
		s, err := v.standingOf(inr.IPv4)
		if err != nil {
			return err
		}
		handles := map[string]string{"": ""}
		if err := members.each(v, "id <> ''", nil, func(m *Member) error { handles[m.ID] = m.Opaque; return nil }); err != nil {
			return err
		}
		for i := range s.top {
			d := &s.top[i]
			holder := d.Member
			for _, m := range meeting(s.sub, d.Range) {
				if m.Range != d.Range || m.Parent != d.ID || m.NIR != d.NIR {
					t.Errorf("the second step %+v is not of %+v", m, d)
				}
				holder = m.Member
			}
			l := fileLine{
				first: int(d.Range.First.Lo >> 8 & 255), count: int(d.Range.Count().Int64() / 256), economy: d.Economy,
				date: v.Rules.day(d).String(), typ: string(statusOf[d.Type]), holder: handles[holder],
			}
			list = append(list, l.record()+" "+d.NIR)
		}
		if n := len(s.sub); n > len(s.top) {
			t.Errorf("%d second steps of %d first", n, len(s.top))
		}
		return nil
	})
	return strings.Join(list, "\n")
}
