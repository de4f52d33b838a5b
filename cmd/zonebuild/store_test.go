package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"nirzone/zone"
)

// made returns the signatures that the last run says it made in a zone.
func (tr *tree) made(z zone.Name) int {
	tr.t.Helper()
	var r report
	data, err := os.ReadFile(tr.path("state/report.json"))
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		tr.t.Fatal(err)
	}
	for _, zr := range r.Zones {
		if zr.Zone == z {
			return zr.Signatures
		}
	}
	tr.t.Fatalf("%s is not in the report", z)
	return 0
}

func (tr *tree) storeOf(z zone.Name) string { return tr.path("state/signatures/" + z.File()) }

// TestStoreInRuns: one delegation changed takes a handful of signatures, nothing
// changed takes none, and without the store the same bytes are published.
func TestStoreInRuns(t *testing.T) {
	tr := published(t)
	if n := tr.made(zoneA); n != tr.signatures(zoneA) {
		t.Errorf("the first run made %d signatures of %d", n, tr.signatures(zoneA))
	}
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	cold := tr.copy()
	if err := os.RemoveAll(cold.path("state/signatures")); err != nil {
		t.Fatal(err)
	}
	tr.must(0)
	if n := tr.made(zoneA); n < 4 || n > 8 { // what is due is one in 66 more
		t.Errorf("%d signatures for one delegation", n)
	}
	if n := tr.made(zoneB); n != 0 {
		t.Errorf("%d signatures for nothing", n)
	}
	cold.must(0)
	if n := cold.made(zoneA); n != cold.signatures(zoneA) {
		t.Errorf("without a store %d signatures were made", n)
	}
	if a, b := tr.current(), cold.current(); a.Zone(zoneA).SHA256 != b.Zone(zoneA).SHA256 {
		t.Error("without a store other bytes are published")
	}
	one, err1 := os.ReadFile(tr.storeOf(zoneA))
	two, err2 := os.ReadFile(cold.storeOf(zoneA))
	if err1 != nil || err2 != nil || string(one) != string(two) {
		t.Errorf("a warm run leaves another store than a cold one: %v, %v", err1, err2)
	}
}

// signatures is how many signatures the published zone has.
func (tr *tree) signatures(z zone.Name) int {
	tr.t.Helper()
	data, err := os.ReadFile(tr.path("public/current/" + z.File()))
	if err != nil {
		tr.t.Fatal(err)
	}
	return bytes.Count(data, []byte("\tIN\tRRSIG\t"))
}

// copy is the same tree in another place.
func (tr *tree) copy() *tree {
	tr.t.Helper()
	c := *tr
	c.dir = tr.t.TempDir()
	err := filepath.WalkDir(tr.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(tr.dir, path)
		to := filepath.Join(c.dir, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(to, 0o700)
		case d.Type()&os.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, to)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, info.Mode())
	})
	if err != nil {
		tr.t.Fatal(err)
	}
	return &c
}

// TestStoreTampered: a damaged store is told, costs time and nothing else, and is
// good again after the run.
func TestStoreTampered(t *testing.T) {
	tr := published(t)
	for i, spoil := range []func(data []byte) []byte{
		func(data []byte) []byte { data[len(data)/2] ^= 1; return data },
		func(data []byte) []byte { return data[:len(data)-1] },
		func([]byte) []byte { return nil },
		func([]byte) []byte { // of the other zone
			other, err := os.ReadFile(tr.storeOf(zoneB))
			if err != nil {
				t.Fatal(err)
			}
			return other
		},
	} {
		data, err := os.ReadFile(tr.storeOf(zoneA))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(tr.storeOf(zoneA), spoil(data), 0o600); err != nil {
			t.Fatal(err)
		}
		tr.later(cycle)
		tr.seen()
		tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41+2*i))
		tr.must(0)
		tr.says("warning: reading signature store", zoneA.File(), "made anew")
		if n := tr.made(zoneA); n != tr.signatures(zoneA) {
			t.Errorf("%d signatures made of %d", n, tr.signatures(zoneA))
		}
		tr.later(cycle)
		tr.seen()
		tr.feed("JPNIC", zoneA, owners(zoneA, 10, 42+2*i))
		tr.must(0)
		if n := tr.made(zoneA); n > 12 {
			t.Errorf("%d signatures made with the store that was rebuilt", n)
		}
	}
}

// TestStoreUnwritable: a store that cannot be written is a note; the zone is
// published.
func TestStoreUnwritable(t *testing.T) {
	tr := published(t)
	if err := os.Remove(tr.storeOf(zoneA)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(tr.storeOf(zoneA)+"/in the way", 0o700); err != nil {
		t.Fatal(err)
	}
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	tr.must(3)
	tr.says("warning: reading signature store", "writing signature store", "the next run makes these signatures again")
	tr.count(zoneA, 66)
}

// TestStorePruned: a zone that is published no more has no store.
func TestStorePruned(t *testing.T) {
	tr := published(t)
	if err := os.WriteFile(tr.storeOf("99.in-addr.arpa."), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tr.path("state/signatures/.tmp-1-1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tr.later(cycle)
	tr.must(0)
	entries, err := os.ReadDir(tr.path("state/signatures"))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 || entries[0].Name() != zoneA.File() || entries[1].Name() != zoneB.File() {
		t.Errorf("%v are in state/signatures", entries)
	}
}
