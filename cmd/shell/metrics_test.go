package shell

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMetrics(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "textfiles")
	m := NewMetrics("zonebuild")
	m.Set("zone_serial", "Serial.", 7, "zone", "1.in-addr.arpa")
	m.Set("zone_serial", "Serial.", 8, "zone", "2.in-addr.arpa")
	m.Finish(3, time.Unix(100, 0), 2*time.Second)
	if err := m.Write(dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "zonebuild.prom"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`nirzone_zonebuild_zone_serial{zone="2.in-addr.arpa"} 8`,
		"nirzone_zonebuild_exit_code 3", "nirzone_zonebuild_duration_seconds 2",
	} {
		if !strings.Contains(string(b), want+"\n") {
			t.Errorf("%q is not in\n%s", want, b)
		}
	}
	if err := m.Write(""); err != nil {
		t.Errorf("without a folder: %v", err)
	}
}
