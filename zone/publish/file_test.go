package publish_test

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

// lying reports other than it writes, failing fails in the middle.
type (
	lying   struct{ verified }
	failing struct{ verified }
)

var errZone = errors.New("the zone's own error")

func (l lying) WriteVerified(w io.Writer) (int64, error) {
	n, err := l.verified.WriteVerified(w)
	return n + 1, err
}

func (f failing) WriteVerified(w io.Writer) (int64, error) {
	n, _ := f.verified.WriteVerified(w)
	return n, errZone
}

func TestFileNames(t *testing.T) {
	tree := newTree(t, 1)
	d, err := tree.Begin()
	ok(t, err)
	long := strings.Repeat("1.", 124) + ".arpa"
	for _, name := range []string{
		"", ".", "..", "arpa", ".arpa", "1..arpa", "1.in-addr.arpa.", "1.IN-ADDR.arpa", "../1.in-addr.arpa", "a/b.arpa",
		"1.in-addr.arpa.json", "generation.json", "-rf.arpa", ".tmp-1.arpa", "a\x00.arpa", "a\n.arpa", "1.in-addr.arpa\n", long, "x" + long,
	} {
		if d.Add(publish.Zone(verified{name, "x"})) == nil {
			t.Errorf("a zone was added as %.30q", name)
		}
		if d.Add(publish.Link(name)) == nil {
			t.Errorf("a link was added as %.30q", name)
		}
	}
	for _, name := range []string{
		"", ".json", "1.json", "a/b.json", "../a.json", "A.json", "generation.JSON", "1.in-addr.arpa", "a..json", "a.b.json", "a.json\n",
		strings.Repeat("a", 250) + ".json",
	} {
		if d.Add(publish.Note(name, nil)) == nil {
			t.Errorf("a note was added as %.30q", name)
		}
	}
	for _, f := range []publish.File{{}, publish.Zone(nil)} {
		if d.Add(f) == nil {
			t.Errorf("%+v was added", f)
		}
	}
	ok(t, d.Add(publish.Zone(verified{"0.4.2.ip6.arpa", "x"})))
	ok(t, d.Add(publish.Note("why-not.json", nil)))
	ok(t, d.Discard())
}

func TestAddErrors(t *testing.T) {
	tree := newTree(t, 1)
	d, err := tree.Begin()
	ok(t, err)
	name := testZones[0]
	if err := d.Add(publish.Link("9.in-addr.arpa")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "generation 1") {
		t.Errorf("linking what is not there: %v", err)
	}
	if err := d.Add(publish.Zone(failing{verified{"9.in-addr.arpa", "half"}})); !errors.Is(err, errZone) {
		t.Errorf("a failing zone: %v", err)
	}
	if err := d.Add(publish.Zone(lying{verified{"9.in-addr.arpa", "half"}})); err == nil {
		t.Error("a zone of the wrong length was added")
	}
	ok(t, d.Add(publish.Link(name)))
	if d.Add(publish.Link(name)) == nil || d.Add(publish.Zone(verified{name, "x"})) == nil {
		t.Error("a name was added twice")
	}
	_, err = d.Commit(t.Context(), publish.Note("generation.json", nil))
	if err == nil || !strings.Contains(err.Error(), "9.in-addr.arpa was not written") {
		t.Errorf("committing with a zone missing: %v", err)
	}
	ok(t, d.Add(publish.Zone(verified{"9.in-addr.arpa", "whole"})))
	_, err = d.Commit(t.Context(), publish.Note("other.json", nil))
	ok(t, err)
	if err := d.Add(publish.Zone(verified{"8.in-addr.arpa", "late"})); err == nil || !strings.Contains(err.Error(), "already committed") {
		t.Errorf("adding a file after the commit: %v", err)
	}
	if _, err := d.Commit(t.Context(), publish.Note("third.json", nil)); err == nil {
		t.Error("committed twice")
	}
	ok(t, d.Discard())
	g, err := tree.Current()
	ok(t, err)
	if got := read(t, g.Dir+"/9.in-addr.arpa"); got != "whole" || g.Number != 2 {
		t.Errorf("generation %d holds %q", g.Number, got)
	}
}

// A draft whose commit failed before it had its number can be discarded.
func TestDiscardAfterFailure(t *testing.T) {
	tree := newTree(t, 1)
	draft := filepath.Join(tree.Root, "generations", ".draft-2")
	fail := &crashfs.Fail{FS: tree.FS, Err: syscall.EIO, At: 1}
	armed := false
	fail.Only = func(op crashfs.Op) bool { return armed && op == crashfs.OpSyncDir }
	tree.FS = fail
	d, err := tree.Begin()
	ok(t, err)
	ok(t, d.Add(publish.Link(testZones[0])))
	armed = true
	if _, err := d.Commit(t.Context(), publish.Note("generation.json", nil)); !errors.Is(err, syscall.EIO) || fail.Hit() != "syncdir "+draft {
		t.Fatalf("error %v, failed %q", err, fail.Hit())
	}
	ok(t, d.Discard())
	ok(t, d.Discard())
	ok(t, noLeftovers(tree.Root))
}

func TestCommitRefusesZoneAsNote(t *testing.T) {
	tree := newTree(t, 1)
	for _, f := range []publish.File{{}, publish.Link(testZones[0]), publish.Zone(verified{testZones[0], "x"}), publish.Note("x", nil)} {
		d, err := tree.Begin()
		ok(t, err)
		if _, err := d.Commit(t.Context(), f); err == nil {
			t.Errorf("committed with %+v", f)
		}
		ok(t, d.Discard())
	}
	ok(t, noLeftovers(tree.Root))
}
