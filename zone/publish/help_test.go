package publish_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

// verified stands in for package sign's Verified.
type verified struct{ name, body string }

func (v verified) PublishName() string { return v.name }

func (v verified) WriteVerified(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, v.body)
	return int64(n), err
}

// note is the generation.json of these tests: enough to prove a generation whole.
type note struct {
	Number  uint64
	Version int               // rises with every publication that was tried
	Digests map[string]string // of every zone
}

var testZones = []string{"1.in-addr.arpa", "202.in-addr.arpa", "0.4.2.ip6.arpa"}

// cycle is one run of a build: it changes one zone, carries the others, commits
// and prunes. It reports the outcome of everything up to the commit as committed.
func cycle(t publish.Tree, version int) (committed, pruned error) {
	if err := publishOnce(t, version); err != nil {
		return err, nil
	}
	_, err := t.Prune(context.Background(), nil)
	return nil, err
}

func publishOnce(t publish.Tree, version int) error {
	d, err := t.Begin()
	if err != nil {
		return err
	}
	defer d.Discard()
	n := note{Number: d.Number(), Version: version, Digests: map[string]string{}}
	old, err := previousNote(d)
	if err != nil {
		return err
	}
	for i, name := range testZones {
		file := publish.Link(name)
		n.Digests[name] = old.Digests[name]
		if i == version%len(testZones) || old.Digests[name] == "" {
			body := fmt.Sprintf("; %s version %d\n%s", name, version, strings.Repeat("filler\n", 40))
			file, n.Digests[name] = publish.Zone(verified{name, body}), digest([]byte(body))
		}
		if err := d.Add(file); err != nil {
			return err
		}
	}
	data, _ := json.Marshal(n)
	_, err = d.Commit(context.Background(), publish.Note("generation.json", data))
	return err
}

func previousNote(d *publish.Draft) (note, error) {
	if d.Previous().Number == 0 {
		return note{}, nil
	}
	return readNote(d.Previous().Dir)
}

func readNote(dir string) (n note, err error) {
	data, err := os.ReadFile(filepath.Join(dir, "generation.json"))
	if err != nil {
		return n, err
	}
	return n, json.Unmarshal(data, &n)
}

func digest(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

// verifyGeneration proves that the folder holds exactly what its note says.
func verifyGeneration(g publish.Generation) (note, error) {
	n, err := readNote(g.Dir)
	if err != nil {
		return n, err
	}
	if n.Number != g.Number || filepath.Base(g.Dir) != strconv.FormatUint(n.Number, 10) {
		return n, fmt.Errorf("%s holds generation %d", g.Dir, n.Number)
	}
	entries, err := os.ReadDir(g.Dir)
	if err != nil {
		return n, err
	}
	if len(entries) != len(testZones)+1 || len(n.Digests) != len(testZones) {
		return n, fmt.Errorf("%s has %d files: %v", g.Dir, len(entries), entries)
	}
	for name, want := range n.Digests {
		data, err := os.ReadFile(filepath.Join(g.Dir, name))
		if err != nil {
			return n, err
		}
		if digest(data) != want {
			return n, fmt.Errorf("%s/%s is not what the note says: %.80q", g.Dir, name, data)
		}
	}
	return n, nil
}

// verifyTree proves every published generation whole and returns the version of
// the current one, 0 when there is none.
func verifyTree(root string) (version int, err error) {
	tree := publish.Tree{Root: root}
	cur, err := tree.Current()
	if errors.Is(err, publish.ErrNone) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	list, err := tree.List()
	if err != nil {
		return 0, err
	}
	if len(list) == 0 || list[len(list)-1] != cur.Number {
		return 0, fmt.Errorf("current is %d, the list %v", cur.Number, list)
	}
	for _, number := range list {
		g, err := tree.Open(number)
		if err != nil {
			return 0, err
		}
		n, err := verifyGeneration(g)
		if err != nil {
			return 0, err
		}
		version = n.Version
	}
	return version, nil
}

// recovered proves that the next run succeeds on what a crash left and cleans up.
func recovered(root string, version int) error {
	tree := publish.Tree{Root: root, Keep: 2, FS: crashfs.NoSync(publish.OS)}
	if committed, pruned := cycle(tree, version); committed != nil || pruned != nil {
		return fmt.Errorf("the next run: %w", errors.Join(committed, pruned))
	}
	got, err := verifyTree(root)
	if err != nil || got != version {
		return fmt.Errorf("after the next run: version %d, want %d: %w", got, version, err)
	}
	return noLeftovers(root)
}

func noLeftovers(root string) error {
	return filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err == nil && name != root && strings.HasPrefix(e.Name(), ".") {
			err = fmt.Errorf("%s was left", name)
		}
		return err
	})
}

// newTree is a tree of n generations that nobody synced.
func newTree(t *testing.T, n int) publish.Tree {
	t.Helper()
	tree := publish.Tree{Root: filepath.Join(t.TempDir(), "public"), Keep: 2, FS: crashfs.NoSync(publish.OS)}
	for v := 1; v <= n; v++ {
		committed, pruned := cycle(tree, v)
		ok(t, committed)
		ok(t, pruned)
	}
	return tree
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
