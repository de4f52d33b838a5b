package shell

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nirzone/zone"
)

const smallConfig = `version = 1
rir = "RIR"
[[zones]]
names = ["202.in-addr.arpa"]
ns = ["ns1.registry.example"]
soa = { mname = "ns1.registry.example", rname = "hostmaster.registry.example" }
`

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// config writes a small configuration into an empty folder and loads it.
func config(t *testing.T) (*zone.Config, string) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "nirzone.toml"), smallConfig)
	c, err := LoadConfig(filepath.Join(dir, "nirzone.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return c, dir
}

func TestLoadConfig(t *testing.T) {
	c, dir := config(t)
	if c.RIR != "RIR" || c.Spool != filepath.Join(dir, "spool") {
		t.Errorf("rir %q, spool %q", c.RIR, c.Spool)
	}
	write(t, filepath.Join(dir, "broken.toml"), "version = 1\nnonsense = 1\n")
	write(t, filepath.Join(dir, "large.toml"), strings.Repeat("#", maxConfig+1))
	for name, want := range map[string]string{
		"broken.toml": "broken.toml:2", "large.toml": "over 4194304 octets", "absent.toml": "reading configuration: open", ".": "is a directory",
	} {
		_, err := LoadConfig(filepath.Join(dir, name))
		var e *Exit
		if !errors.As(err, &e) || e.Code != 2 || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat("/etc/nirzone/nirzone.toml"); err == nil {
		t.Skip("this machine has a configuration")
	}
	t.Chdir(t.TempDir())
	t.Setenv("NIRZONE_CONFIG", "")
	var e *Exit
	if _, err := LoadConfig(""); !errors.As(err, &e) || e.Code != 2 || !strings.Contains(e.Hint, "NIRZONE_CONFIG") {
		t.Errorf("without any: %v", err)
	}
}

func TestArchive(t *testing.T) {
	c, _ := config(t)
	read := Archive(c)
	sum := func(s string) string {
		d := sha256.Sum256([]byte(s))
		return hex.EncodeToString(d[:])
	}
	write(t, filepath.Join(c.Spool, "objects", sum("spool")), "spool")
	write(t, filepath.Join(c.State, "inputs", sum("state")), "state")
	write(t, filepath.Join(c.Spool, "objects", sum("both")), "bo")
	write(t, filepath.Join(c.State, "inputs", sum("both")), "both")
	for _, want := range []string{"spool", "state", "both"} {
		if got, err := read(sum(want)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", want, got, err)
		}
	}
	if _, err := read(sum("absent")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "restore") {
		t.Errorf("absent: %v", err)
	}
	write(t, filepath.Join(c.Spool, "objects", sum("false")), "true")
	if got, err := read(sum("false")); got != nil || err == nil || !strings.Contains(err.Error(), "does not have the digest") {
		t.Errorf("bytes of another digest: %q, %v", got, err)
	}
}

func TestCurrentGeneration(t *testing.T) {
	c, _ := config(t)
	if g, err := CurrentGeneration(c); g != nil || err != nil {
		t.Errorf("nothing published: %v, %v", g, err)
	}
	digest := strings.Repeat("0", 64)
	want := zone.Generation{Version: 1, Number: 7, Config: digest, Claims: digest}
	file := filepath.Join(c.Public, "generations", "7", "generation.json")
	write(t, file, string(want.Encode()))
	if err := os.Symlink("generations/7", filepath.Join(c.Public, "current")); err != nil {
		t.Fatal(err)
	}
	if g, err := CurrentGeneration(c); err != nil || g.Number != 7 {
		t.Fatalf("%v, %v", g, err)
	}
	write(t, file, strings.Replace(string(want.Encode()), `"version": 1`, `"version": 3`, 1))
	if _, err := CurrentGeneration(c); err == nil || !strings.Contains(err.Error(), "generations/7/generation.json: version 3") {
		t.Errorf("a newer version: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if g, err := CurrentGeneration(c); g != nil || err == nil {
		t.Errorf("without its note: %v, %v", g, err)
	}
	if err := os.RemoveAll(filepath.Join(c.Public, "generations")); err != nil {
		t.Fatal(err)
	}
	if g, err := CurrentGeneration(c); g != nil || err == nil {
		t.Errorf("a dangling link: %v, %v", g, err)
	}
}

func TestNowRefuses(t *testing.T) {
	var s Shell
	for _, in := range []string{"@12x", "@", "@-1", "@99999999999999999", "1969-12-31", "@253402300800", "12:00", "2026-13-01"} {
		if got, err := s.Now(in); err == nil {
			t.Errorf("Now(%q) = %v", in, got)
		}
	}
}

func TestWriteJSON(t *testing.T) {
	var out bytes.Buffer
	if err := WriteJSON(&out, map[string]string{"url": "<a&b>"}); err != nil || out.String() != "{\n  \"url\": \"<a&b>\"\n}\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// What is no terminal gets no colours, and neither does anybody who asks for
// none.
func TestPaint(t *testing.T) {
	var out bytes.Buffer
	if got := Paint(&out, Bad, "x"); got != "x" {
		t.Errorf("%q", got)
	}
	t.Setenv("NO_COLOR", "1")
	if Colours(os.Stdout) {
		t.Error("colours with NO_COLOR")
	}
}
