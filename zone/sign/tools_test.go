package sign

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"nirzone/zone"
)

// TestTools shows generated zones of every algorithm and both trees to the
// checkers of other makers.
func TestTools(t *testing.T) {
	for _, alg := range []uint8{algRSA, algECDSA, algEd25519} {
		for _, name := range []zone.Name{"202.in-addr.arpa.", "0.4.2.ip6.arpa.", "171.in-addr.arpa."} {
			count := 420
			switch {
			case name == "171.in-addr.arpa.":
				count = 0
			case alg == algRSA:
				count = 120 // slow
			}
			t.Run(fmt.Sprintf("%s/%s", algorithmNames[alg], name), func(t *testing.T) {
				file := writeSigned(t, name, alg, count)
				for _, argv := range [][]string{
					{"named-checkzone", "-D", "-o", "/dev/null", name.File(), file},
					{"dnssec-verify", "-o", name.File(), file},
					{"ldns-verify-zone", "-ZZ", file},
					{"kzonecheck", "-d", "on", "-o", name.File(), file},
					{"nsd-checkzone", name.File(), file},
				} {
					t.Run(argv[0], func(t *testing.T) { runTool(t, argv) })
				}
			})
		}
	}
}

func writeSigned(t *testing.T, name zone.Name, alg uint8, count int) string {
	t.Helper()
	return writeZone(t, testZone(t, name, count), alg)
}

// writeZone signs and verifies a zone and returns its file.
func writeZone(t *testing.T, z *zone.Zone, alg uint8) string {
	t.Helper()
	return writeBy(t, z, testKeys(t, z.Origin, alg), testPolicy(alg))
}

// writeBy does it with given keys, now, because dnssec-verify cannot be told
// another time.
func writeBy(t *testing.T, z *zone.Zone, keys []Key, p zone.SigningConfig) string {
	t.Helper()
	now := time.Now()
	s, err := Sign(context.Background(), z, keys, p, Prior{}, now)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Verify(context.Background(), s, z, keys, now)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := v.WriteVerified(&b); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), v.PublishName())
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func runTool(t *testing.T, argv []string) {
	t.Helper()
	path, err := exec.LookPath(argv[0])
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + argv[0])
	}
	if err != nil {
		skipPeer(t, err)
	}
	out, err := exec.Command(path, argv[1:]...).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %v\n%s", argv, err, out)
	}
}

// skipPeer ends a test for want of a peer program.
func skipPeer(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("NIRZONE_PEERS") == "required" {
		t.Fatalf("NIRZONE_PEERS=required, but: %v", err)
	}
	t.Skipf("SKIPPED, a peer is missing: %v (make peers installs it)", err)
}
