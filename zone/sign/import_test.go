package sign

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// knotFolder writes keys as Knot keeps them.
func knotFolder(t *testing.T, keys []Key) string {
	t.Helper()
	dir := t.TempDir()
	var list []knotKey
	for i, k := range keys {
		der, err := x509.MarshalPKCS8PrivateKey(k.Signer())
		if err != nil {
			t.Fatal(err)
		}
		e := knotKey{
			Zone: string(k.Zone), ID: fmt.Sprintf("%040d", i), KSK: k.Flags == FlagsKSK, ZSK: k.Flags == FlagsZSK, Tag: int(k.Tag), Algorithm: int(k.Algorithm),
			Publish: k.Timing.Publish.Unix(), Active: k.Timing.Active.Unix(),
		}
		if e.KSK { // its DS was seen a day later
			e.Ready, e.Active = e.Active, e.Active+86400
		}
		list = append(list, e)
		writeFile(t, filepath.Join(dir, "keys", e.ID+".pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), 0o640)
	}
	list = append(list, knotKey{Zone: "another.example.", ID: "x"}, knotKey{Zone: string(keys[0].Zone), ID: "y", PublicOnly: true})
	data, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "list.json"), string(data), 0o644)
	return dir
}

// bindFolder writes keys as named keeps them.
func bindFolder(t *testing.T, keys []Key) string {
	t.Helper()
	dir := t.TempDir()
	for _, k := range keys {
		private, err := k.encodePrivate()
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, k.ID+".private"), string(private), 0o640)
		writeFile(t, filepath.Join(dir, k.ID+".key"), string(k.encodePublic()), 0o644)
	}
	writeFile(t, filepath.Join(dir, "Kother.example.+013+00001.private"), "no key", 0o600)
	return dir
}

func writeFile(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

// TestImport: keys of every algorithm, from both, are the same keys here, and so
// are they after another import.
func TestImport(t *testing.T) {
	for _, alg := range []uint8{algRSA, algECDSA, algEd25519} {
		want := testKeys(t, testName, alg)
		for name, dir := range map[string]string{"bind": bindFolder(t, want), "knot": knotFolder(t, want)} {
			got, err := ReadForeign(dir, testName)
			if err != nil || len(got) != len(want) {
				t.Fatalf("%s, algorithm %d: %v, %v", name, alg, got, err)
			}
			ours := t.TempDir()
			for i := range 2 {
				written, err := Import(publish.OS, ours, testName, got)
				if err != nil || len(written) != len(want)*(1-i) {
					t.Fatalf("%s, algorithm %d: %v, %v", name, alg, written, err)
				}
			}
			loaded, err := LoadKeys(ours, testName)
			if err != nil {
				t.Fatal(err)
			}
			for i, k := range loaded {
				w := want[i]
				if k.ID != w.ID || string(k.rdata()) != string(w.rdata()) || !k.Timing.Publish.Equal(w.Timing.Publish) || !k.Timing.Active.Equal(w.Timing.Active) {
					t.Errorf("%s, algorithm %d: %s %+v, not %s %+v", name, alg, k.ID, k.Timing, w.ID, w.Timing)
				}
			}
		}
	}
}

func TestImportRefuses(t *testing.T) {
	keys := testKeys(t, testName, algECDSA)
	private := keys[0].ID + ".private"
	for name, tt := range map[string]struct {
		spoil func(dir string)
		knot  bool
		want  string
	}{
		"readable by all": {func(d string) { _ = os.Chmod(filepath.Join(d, private), 0o644) }, false, "others than its owner"},
		"no .key":         {func(d string) { _ = os.Remove(filepath.Join(d, keys[0].ID+".key")) }, false, "its .key"},
		"another's .key": {func(d string) {
			writeFile(t, filepath.Join(d, keys[0].ID+".key"), string(keys[1].encodePublic()), 0o644)
		}, false, "not the public half"},
		"a bad .state": {func(d string) { writeFile(t, filepath.Join(d, keys[0].ID+".state"), "Retired: soon\n", 0o644) }, false, "Retired is not a time"},
		"a link": {func(d string) {
			_ = os.Remove(filepath.Join(d, private))
			_ = os.Symlink("x", filepath.Join(d, private))
		}, false, "symbolic link"},
		"no list": {func(d string) { writeFile(t, filepath.Join(d, "list.json"), "{}", 0o644) }, true, "keymgr -j"},
		"no pem":  {func(d string) { _ = os.RemoveAll(filepath.Join(d, "keys")) }, true, ".pem"},
		"a spoiled pem": {func(d string) {
			writeFile(t, filepath.Join(d, "keys", fmt.Sprintf("%040d.pem", 0)), "-----BEGIN", 0o600)
		}, true, "PKCS #8"},
		"pem of all": {func(d string) { _ = os.Chmod(filepath.Join(d, "keys", fmt.Sprintf("%040d.pem", 1)), 0o644) }, true, "others than its owner"},
		"another's pem": {func(d string) {
			_ = os.Rename(filepath.Join(d, "keys", fmt.Sprintf("%040d.pem", 0)), filepath.Join(d, "keys", fmt.Sprintf("%040d.pem", 1)))
		}, true, ".pem"},
	} {
		dir := bindFolder(t, keys)
		if tt.knot {
			dir = knotFolder(t, keys)
		}
		tt.spoil(dir)
		got, err := ReadForeign(dir, testName)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// TestTakeState: named's .state says what the other files do not.
func TestTakeState(t *testing.T) {
	k := Key{Flags: FlagsZSK}
	k.Timing.Publish = testNow
	err := k.takeState([]byte("; This is the state of key 5458\nGenerated: 20261101000000 (Sun)\nPublished: 20261102000000\nActive: 20261103000000 (x)\nRetired: 20270101000000\nRemoved: 20270111000000\nGoalState: omnipresent\n"))
	at := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }
	want := Timing{Created: at(2026, 11, 1), Publish: testNow, Ready: at(2026, 11, 3), Active: at(2026, 11, 3), Retire: at(2027, 1, 1), Remove: at(2027, 1, 11)}
	if err != nil || k.Timing != want {
		t.Errorf("%+v, %v", k.Timing, err)
	}
}

// TestImportKeepsTags: a key with the tag of another one is not written.
func TestImportKeepsTags(t *testing.T) {
	keys := testKeys(t, testName, algECDSA)
	dir := t.TempDir()
	if _, err := Import(publish.OS, dir, testName, keys); err != nil {
		t.Fatal(err)
	}
	other := testKeys(t, zone.Name("10."+testName), algECDSA)[0]
	other.Zone, other.Tag = testName, keys[0].Tag
	if written, err := Import(publish.OS, dir, testName, []Key{other}); err == nil || len(written) > 0 {
		t.Errorf("%v, %v", written, err)
	}
}

// FuzzKnot: whatever a list and a PEM file say, there is a key of that tag or an
// error without the private key in it.
func FuzzKnot(f *testing.F) {
	k := testKeys(f, testName, algECDSA)[0]
	der, err := x509.MarshalPKCS8PrivateKey(k.Signer())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), int(k.Tag), 13, true, int64(1))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), 1, 8, false, int64(0))
	f.Fuzz(func(t *testing.T, data []byte, tag, alg int, ksk bool, at int64) {
		e := knotKey{Tag: tag, Algorithm: alg, KSK: ksk, Publish: at, Ready: at, Active: at}
		k, err := e.key(data, testName)
		if err == nil && (int(k.Tag) != tag || k.Signer() == nil) {
			t.Errorf("%+v", k)
		}
	})
}
