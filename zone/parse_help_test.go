package zone

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sharedData returns the folder of real data beside the repository, and skips
// the test loudly if it is not at hand.
func sharedData(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if data := filepath.Join(dir, "shared", "data"); isDir(data) {
			return data
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Skip("SKIP: no folder shared/data beside the repository: the real zonelets are not tested")
		}
		dir = parent
	}
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// realZonelets calls f with every real zonelet. Their names give the zone:
// 041-AFRINIC or 0.c.2.ip6.arpa-AFRINIC.
func realZonelets(t testing.TB, f func(zone Name, source, file string, data []byte)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(sharedData(t), "zonelets", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no real zonelets found (%v)", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		zone, source := splitFile(t, filepath.Base(name))
		f(zone, source, filepath.Base(name), data)
	}
}

func splitFile(t testing.TB, base string) (Name, string) {
	i := strings.LastIndex(base, "-")
	zone, source := base[:i], base[i+1:]
	if !strings.Contains(zone, ".") {
		zone = strings.TrimLeft(zone, "0") + ".in-addr.arpa"
	}
	n, err := ParseName(zone)
	if err != nil {
		t.Fatal(err)
	}
	return n, source
}

// wantErrors compares the texts of an error, one a line, by their beginnings.
func wantErrors(t *testing.T, err error, want ...string) {
	t.Helper()
	var got []string
	if err != nil {
		got = strings.Split(err.Error(), "\n")
	}
	for i, g := range got {
		if i >= len(want) || !strings.HasPrefix(g, want[i]) {
			t.Errorf("mistake %d is\n  %s", i, g)
		}
	}
	for i, w := range want {
		if i >= len(got) || !strings.HasPrefix(got[i], w) {
			t.Errorf("mistake %d should be\n  %s", i, w)
		}
	}
}
