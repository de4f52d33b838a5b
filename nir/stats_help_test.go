package nir

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nirzone/nir/inr"
)

// economies maps economies to NIRs: by economy, which is an approximation.
var economies = map[string]string{
	"CN": "CNNIC", "JP": "JPNIC", "KR": "KRNIC", "TW": "TWNIC", "VN": "VNNIC", "ID": "IDNIC", "IN": "IRINN",
}

// sevenNIRs records the seven NIRs.
func sevenNIRs(x *Tx) error {
	for _, economy := range sortedKeys(economies) {
		code := economies[economy]
		if _, err := x.PutNIR(NIR{Code: code, Name: code, Economy: economy, Source: code, Mntner: "MAINT-" + code, Option: 1}); err != nil {
			return err
		}
	}
	return nil
}

// realStatistics returns the statistics of one real day, or skips the test.
func realStatistics(t testing.TB) []byte {
	t.Helper()
	for dir := ".."; ; dir = filepath.Join("..", dir) {
		if data, err := os.ReadFile(filepath.Join(dir, "shared", "data", "delegated-apnic-latest-20260618.txt")); err == nil {
			return data
		}
		if abs, err := filepath.Abs(dir); err != nil || filepath.Dir(abs) == abs {
			t.Skip("SKIPPED: no ../shared/data with a real statistics file")
		}
	}
}

// statisticsOf makes a file of records without header, summaries and registry.
func statisticsOf(t testing.TB, registry string, lines ...string) *Statistics {
	t.Helper()
	var b bytes.Buffer
	count := map[string]int{}
	for _, l := range lines {
		count[strings.Split(l, "|")[1]]++
	}
	fmt.Fprintf(&b, "2|%s|20260618|%d|||+1000\n", registry, len(lines))
	for _, k := range inr.Kinds {
		fmt.Fprintf(&b, "%s|*|%s|*|%d|summary\n", registry, k, count[k.String()])
	}
	for _, l := range lines {
		fmt.Fprintf(&b, "%s|%s\n", registry, l)
	}
	f, err := ParseStatistics("file", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// unconfirmed lets imports go without a second person.
func unconfirmed(db *DB) { db.o.Rules.ConfirmImports = false }

// doImport imports a file and returns what it did.
func doImport(t testing.TB, db *DB, a Actor, f *Statistics, o ImportOptions) Import {
	t.Helper()
	var im Import
	update(t, db, a, func(x *Tx) (err error) {
		im, err = x.Import(f, o)
		return err
	})
	return im
}

// sum adds the counts of an import up.
func (im *Import) sum() (n ImportCount) {
	for _, c := range im.Counts {
		n.Created += c.Created
		n.Updated += c.Updated
		n.Moved += c.Moved
		n.Ended += c.Ended
		n.Unchanged += c.Unchanged
		n.Missing += c.Missing
		n.Members += c.Members
	}
	return n
}

// checkConservation proves P3: a pool is what is free of it and what is held, and
// nothing is both.
func checkConservation(t testing.TB, db *DB) {
	t.Helper()
	view(t, db, func(v *View) error {
		list, err := v.Pools()
		if err != nil {
			return err
		}
		for i := range list {
			p := &list[i]
			held, err := v.heldOf(p)
			if err != nil {
				return err
			}
			rows, err := v.FreeBlocks(p.ID)
			if err != nil {
				return err
			}
			var free inr.Builder
			var last inr.Range
			for _, f := range rows { // by address
				if held.Overlaps(f.Range) || last.Overlaps(f.Range) {
					t.Errorf("pool %s: %s is free and held, or free twice", p.Range, f.Range)
				}
				last = f.Range
				free.Add(f.Range)
			}
			if got := free.Set().Union(held.Intersect(inr.Of(p.Range))); !got.Equal(inr.Of(p.Range)) {
				t.Errorf("pool %s: free and held are %s", p.Range, got)
			}
		}
		return nil
	})
}

// provenAudit proves the audit: chain and replay (P7).
func provenAudit(t testing.TB, db *DB) {
	t.Helper()
	if _, err := db.VerifyAudit(context.Background()); err != nil {
		t.Error(err)
	}
}

// peak returns the greatest size of the process in memory so far, in MB.
func peak() float64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), "VmHWM:")
	kb := 0
	_, _ = fmt.Sscan(rest, &kb)
	return float64(kb) / 1024
}
