package sign

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
)

const testName = zone.Name("202.in-addr.arpa.")

func initKeys(t *testing.T, alg uint8) (dir string, keys []Key) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "keys")
	if _, err := makeKeys(publish.OS, dir, testName, testPolicy(alg), testNow, testRandom("keys")); err != nil {
		t.Fatal(err)
	}
	keys, err := LoadKeys(dir, testName)
	if err != nil {
		t.Fatal(err)
	}
	return dir, keys
}

func TestInitAndLoad(t *testing.T) {
	for alg, label := range algorithmNames {
		t.Run(label, func(t *testing.T) {
			dir, keys := initKeys(t, alg)
			if len(keys) != 2 || keys[0].Flags != FlagsKSK || keys[1].Flags != FlagsZSK {
				t.Fatalf("keys are %v, a KSK and a ZSK were to be made", keys)
			}
			for _, k := range keys {
				if k.Timing != (Timing{Created: testNow, Publish: testNow, Ready: testNow, Active: testNow}) || k.State(testNow) != StateActive {
					t.Errorf("%s: times %+v", k.ID, k.Timing)
				}
				if k.Algorithm != alg || k.Zone != testName || k.ID != fmt.Sprintf("K202.in-addr.arpa.+%03d+%05d", alg, k.Tag) {
					t.Errorf("%s: algorithm %d, zone %s", k.ID, k.Algorithm, k.Zone)
				}
			}
			checkModes(t, dir)
			steps, err := makeKeys(publish.OS, dir, testName, testPolicy(alg), testNow, testRandom("keys"))
			if err != nil || len(steps) != 0 {
				t.Errorf("a second Init did %v, %v", steps, err)
			}
		})
	}
}

func checkModes(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if err == nil && info.Mode().Perm() != want {
			t.Errorf("%s has mode %o instead of %o", path, info.Mode().Perm(), want)
		}
		return err
	})
	if err != nil || files != 4 {
		t.Errorf("%d files instead of 4, %v", files, err)
	}
}

// TestInitIsSeeded: worlds made from a seed have the same keys every time.
func TestInitIsSeeded(t *testing.T) {
	for _, alg := range []uint8{algECDSA, algEd25519} {
		_, a := initKeys(t, alg)
		_, b := initKeys(t, alg)
		if !bytes.Equal(a[0].Public, b[0].Public) || !bytes.Equal(a[1].Public, b[1].Public) {
			t.Errorf("algorithm %d: the same random stream made other keys", alg)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, c := range []struct {
		name, want string
		spoil      func(t *testing.T, dir, base string)
	}{
		{"readable by group", "chmod 600", func(t *testing.T, _, base string) { must(t, os.Chmod(base+".private", 0o640)) }},
		{"writable by others", "chmod 600", func(t *testing.T, _, base string) { must(t, os.Chmod(base+".private", 0o602)) }},
		{"folder writable by group", "chmod 700", func(t *testing.T, dir, _ string) { must(t, os.Chmod(dir, 0o770)) }},
		{"root writable by others", "chmod 700", func(t *testing.T, dir, _ string) { must(t, os.Chmod(filepath.Dir(dir), 0o777)) }},
		{"private is a link", "symbolic link", func(t *testing.T, _, base string) { relink(t, base+".private") }},
		{"public is a link", "symbolic link", func(t *testing.T, _, base string) { relink(t, base+".key") }},
		{"folder is a link", "is not a folder", func(t *testing.T, dir, _ string) { relink(t, dir) }},
		{"no public half", "keys init completes", func(t *testing.T, _, base string) { must(t, os.Remove(base+".key")) }},
		{"no private half", "no such file", func(t *testing.T, _, base string) { must(t, os.Remove(base+".private")) }},
		{"too large", "at most 65536 bytes", func(t *testing.T, _, base string) { must(t, os.Truncate(base+".private", 1<<20)) }},
		{"empty", "Private-key-format", func(t *testing.T, _, base string) { must(t, os.Truncate(base+".private", 0)) }},
		{"another public half", "not the public half", func(t *testing.T, _, base string) {
			edit(t, base+".key", func(s string) string { return strings.Replace(s, " 3 13 ", " 3 13 AAAA", 1) })
		}},
		{"other flags", "not the public half", func(t *testing.T, _, base string) { swap(t, base+".key", "DNSKEY 257", "DNSKEY 256") }},
		{"revoked", "not the public half", func(t *testing.T, _, base string) { swap(t, base+".key", "DNSKEY 257", "DNSKEY 385") }},
		{"another zone's", "is of 203.", func(t *testing.T, _, base string) {
			edit(t, base+".key", func(s string) string { return strings.ReplaceAll(s, "202.in", "203.in") })
		}},
		{"two records", "something follows", func(t *testing.T, _, base string) {
			edit(t, base+".key", func(s string) string { return s + s })
		}},
		{"include", "does not hold a DNSKEY", func(t *testing.T, _, base string) {
			edit(t, base+".key", func(string) string { return "$INCLUDE /etc/passwd\n" })
		}},
		{"SHA-1", "RFC 8624", func(t *testing.T, _, base string) {
			swap(t, base+".private", "13 (ECDSAP256SHA256)", "7 (NSEC3RSASHA1)")
		}},
		{"unknown algorithm", "RFC 8624", func(t *testing.T, _, base string) {
			swap(t, base+".private", "13 (ECDSAP256SHA256)", "16 (ED448)")
		}},
		{"another algorithm", "its name is not", func(t *testing.T, _, base string) {
			swap(t, base+".private", "13 (ECDSAP256SHA256)", "15 (ED25519)")
		}},
		{"another tag", "has not the tag", func(t *testing.T, dir, base string) {
			for _, s := range []string{".key", ".private"} {
				must(t, os.Rename(base+s, filepath.Join(dir, "K202.in-addr.arpa.+013+00001"+s)))
			}
		}},
		{"another name", "its name is not", func(t *testing.T, dir, base string) {
			for _, s := range []string{".key", ".private"} {
				must(t, os.Rename(base+s, filepath.Join(dir, "Kexample.+013+00001"+s)))
			}
		}},
		{"broken time", "Activate", func(t *testing.T, _, base string) { swap(t, base+".private", "Activate: 2", "Activate: X") }},
		{"broken scalar", "PrivateKey", func(t *testing.T, _, base string) { swap(t, base+".private", "PrivateKey: ", "PrivateKey: !") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, keys := initKeys(t, algECDSA)
			folder := filepath.Join(dir, testName.File())
			secret := secretOf(t, keys[0])
			c.spoil(t, folder, filepath.Join(folder, keys[0].ID))
			_, err := LoadKeys(dir, testName)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("the error %v does not say %q", err, c.want)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error shows the private key: %v", err)
			}
		})
	}
}

func TestLoadRefusesDuplicateTags(t *testing.T) {
	_, keys := initKeys(t, algECDSA)
	other := keys[1]
	other.ID, other.Tag = "another", keys[0].Tag
	if err := uniqueTags([]Key{keys[0], other}); err == nil || !strings.Contains(err.Error(), "one key tag") {
		t.Error(err)
	}
}

func TestLoadMissingFolder(t *testing.T) {
	keys, err := LoadKeys(t.TempDir(), testName)
	if err != nil || keys != nil {
		t.Error(keys, err)
	}
}

// TestHalfPair: what a crash between the two files leaves is completed, to the
// same pair.
func TestHalfPair(t *testing.T) {
	dir, keys := initKeys(t, algECDSA)
	path := filepath.Join(dir, testName.File(), keys[0].ID+".key")
	before, err := os.ReadFile(path)
	must(t, err)
	must(t, os.Remove(path))
	steps, err := makeKeys(publish.OS, dir, testName, testPolicy(algECDSA), testNow, testRandom("other"))
	if err != nil || len(steps) != 1 || steps[0].Action != ActionComplete || steps[0].Key != keys[0].ID {
		t.Fatalf("steps %v, %v", steps, err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the .key is now\n%s, not\n%s, %v", after, before, err)
	}
}

// failFS stops the world after a number of operations, as a crash does.
type failFS struct {
	publish.FS
	left *int
}

var errCrash = errors.New("crash")

func (f failFS) step() error {
	if *f.left--; *f.left < 0 {
		return errCrash
	}
	return nil
}

func (f failFS) Mkdir(dir string, perm fs.FileMode) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.FS.Mkdir(dir, perm)
}

func (f failFS) Create(name string, perm fs.FileMode) (publish.Handle, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	return f.FS.Create(name, perm)
}

func (f failFS) Rename(a, b string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.FS.Rename(a, b)
}

func (f failFS) SyncDir(dir string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.FS.SyncDir(dir)
}

func (f failFS) Remove(name string) error {
	if *f.left < 0 {
		return errCrash // the dead do not tidy up
	}
	return f.FS.Remove(name)
}

// TestInitCrash stops Init before each of its operations; the next run ends with
// one KSK and one ZSK, and what was made before is what is there.
func TestInitCrash(t *testing.T) {
	for n := 0; ; n++ {
		dir, left := filepath.Join(t.TempDir(), "keys"), n
		_, crash := makeKeys(failFS{publish.OS, &left}, dir, testName, testPolicy(algECDSA), testNow, testRandom("a"))
		before, _ := filepath.Glob(filepath.Join(dir, "*", "K*.private"))
		if _, err := makeKeys(publish.OS, dir, testName, testPolicy(algECDSA), testNow, testRandom("b")); err != nil {
			t.Fatalf("after a crash at operation %d: %v", n, err)
		}
		keys, err := LoadKeys(dir, testName)
		if err != nil || len(keys) != 2 {
			t.Fatalf("after a crash at operation %d: %v, %v", n, keys, err)
		}
		checkModes(t, dir)
		for _, path := range before {
			if id := strings.TrimSuffix(filepath.Base(path), ".private"); id != keys[0].ID && id != keys[1].ID {
				t.Errorf("after a crash at operation %d: %s is lost", n, id)
			}
		}
		if crash == nil {
			if n < 10 {
				t.Errorf("Init took only %d operations: it is not durable", n)
			}
			return
		}
	}
}

// TestTagsUnique draws keys until the random source repeats: the taken tag is
// not given again, and the search ends.
func TestTagsUnique(t *testing.T) {
	same := bytes.Repeat(bytes.Repeat([]byte{7}, 32), makeAttempts)
	s := Step{Zone: testName, Flags: FlagsZSK, Algorithm: algECDSA}
	a, err := Draw(s, nil, bytes.NewReader(same))
	must(t, err)
	if _, err := Draw(s, []Key{a}, bytes.NewReader(same)); err == nil || !strings.Contains(err.Error(), "taken") {
		t.Errorf("a tag was given twice: %v", err)
	}
	b, err := Draw(s, []Key{a}, bytes.NewReader(append(same[:32:32], bytes.Repeat([]byte{9}, 32)...)))
	if err != nil || b.Tag == a.Tag {
		t.Errorf("tags %d and %d, %v", a.Tag, b.Tag, err)
	}
	revoked := a
	revoked.Tag = a.revokedTag()
	if tagFree(a, []Key{{Tag: a.revokedTag(), Flags: FlagsZSK, Algorithm: algECDSA, Public: b.Public}}) {
		t.Error("a tag that the key would have once revoked counts as free")
	}
	if d := int(a.revokedTag()) - int(a.Tag); d != 128 && d != 129-65536 && d != 128-65536 {
		t.Errorf("the revoked tag is %d off (RFC 5011, section 2.1)", d)
	}
}

// TestNeverOverwrites: a name that is taken is left as it is, whichever half.
func TestNeverOverwrites(t *testing.T) {
	dir, keys := initKeys(t, algECDSA)
	folder := filepath.Join(dir, testName.File())
	base := filepath.Join(folder, keys[0].ID)
	for _, there := range []string{".private", ".key"} {
		other := map[string]string{".private": ".key", ".key": ".private"}[there]
		must(t, os.Rename(base+other, base+".away"))
		must(t, os.WriteFile(base+there, []byte("precious"), 0o600))
		if err := writePair(publish.OS, folder, &keys[0]); !errors.Is(err, fs.ErrExist) {
			t.Errorf("writing over a %s: %v", there, err)
		}
		if data, err := os.ReadFile(base + there); err != nil || string(data) != "precious" {
			t.Errorf("the %s is now %q, %v", there, data, err)
		}
		must(t, os.Rename(base+".away", base+other))
	}
}

func TestPlanAndState(t *testing.T) {
	at := func(d int) time.Time { return testNow.AddDate(0, 0, d) }
	k := Key{Flags: FlagsZSK, Timing: Timing{Created: at(0), Publish: at(1), Ready: at(2), Active: at(3), Retire: at(4), Remove: at(5)}}
	for d, want := range []State{StateGenerated, StatePublished, StateReady, StateActive, StateRetired, StateRemoved} {
		if got := k.State(at(d)); got != want {
			t.Errorf("day %d: %s instead of %s", d, got, want)
		}
	}
	p := Policy{SigningConfig: testPolicy(algECDSA)}
	used, ksk := k, Key{ID: "ksk", Flags: FlagsKSK, Timing: Timing{Publish: at(0), Active: at(0)}}
	used.Timing.Retire, used.Timing.Remove = time.Time{}, time.Time{}
	csk := p
	csk.CSK = true
	for _, c := range []struct {
		p    Policy
		keys []Key
		day  int
		want string
	}{
		{p, nil, 0, "make KSK, make ZSK"},
		{csk, nil, 0, "make CSK"},
		{p, []Key{k}, 0, "unplan ZSK"},
		{p, []Key{k}, 3, "unplan ZSK"},
		{p, []Key{k}, 5, "make KSK, make ZSK"},
		{p, []Key{used}, 3, "make KSK"},
		{p, []Key{used, ksk}, 3, ""},
		{csk, []Key{used, ksk}, 3, ""},
		{csk, []Key{ksk}, 3, "make ZSK"},
	} {
		var got []string
		for _, s := range Plan(c.keys, c.p, Evidence{}, testName, at(c.day)) {
			got = append(got, fmt.Sprintf("%s %s", s.Action, s.Role()))
			if !s.Due() || s.Zone != testName || s.Action == ActionMake && s.Algorithm != algECDSA || s.Why == "" {
				t.Errorf("step %+v", s)
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("day %d: the plan is %v instead of %q", c.day, got, c.want)
		}
	}
}

func secretOf(t *testing.T, k Key) string {
	t.Helper()
	switch s := k.Signer().(type) {
	case *ecdsa.PrivateKey:
		d, err := s.Bytes()
		must(t, err)
		return base64.StdEncoding.EncodeToString(d)
	case ed25519.PrivateKey:
		return base64.StdEncoding.EncodeToString(s.Seed())
	case *rsa.PrivateKey:
		return base64.StdEncoding.EncodeToString(s.D.Bytes())
	}
	t.Fatalf("%s has no private half", k.ID)
	return ""
}

// TestNoLeak prints a key in every way there is and looks for the private half
// in every form it could have.
func TestNoLeak(t *testing.T) {
	type wrapper struct {
		keys []Key
		key  *Key
		Any  any
	}
	for alg := range algorithmNames {
		_, keys := initKeys(t, alg)
		k := keys[0]
		raw, err := base64.StdEncoding.DecodeString(secretOf(t, k))
		must(t, err)
		forms := []string{
			string(raw), base64.StdEncoding.EncodeToString(raw), hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)),
			new(big.Int).SetBytes(raw).String(), strings.Trim(fmt.Sprint(raw), "[]"), strings.Trim(fmt.Sprint(raw[:8]), "[]"),
		}
		var out bytes.Buffer
		for _, v := range []any{k, &k, keys, map[string]Key{"k": k}, wrapper{keys, &k, k}, &wrapper{keys, &k, k}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%X", "%q", "%t", "%p", "%o", "%w"} {
				fmt.Fprintf(&out, verb+"\n", v)
			}
			slog.New(slog.NewTextHandler(&out, nil)).Info("key", "key", v)
			slog.New(slog.NewJSONHandler(&out, nil)).Info("key", "key", v)
			if b, err := json.Marshal(v); err == nil {
				out.Write(b)
			}
		}
		for _, f := range forms {
			if strings.Contains(out.String(), f) {
				t.Errorf("algorithm %d: output shows the private key as %.20q", alg, f)
			}
		}
		if !strings.Contains(out.String(), k.ID) {
			t.Error("output does not name the key")
		}
	}
}

// TestBINDReadsKeys: BIND's tools take our files, agree on the DS, and their
// keys are taken by us.
func TestBINDReadsKeys(t *testing.T) {
	for alg, label := range algorithmNames {
		t.Run(label, func(t *testing.T) {
			dir, keys := initKeys(t, alg)
			folder := filepath.Join(dir, testName.File())
			for _, k := range keys {
				out := tool(t, "dnssec-settime", "-p", "all", filepath.Join(folder, k.ID))
				if !strings.Contains(out, "Activate: Sat Nov 21 12:00:00 2026") {
					t.Errorf("dnssec-settime sees\n%s", out)
				}
				if k.Flags == FlagsKSK {
					ds := strings.Fields(tool(t, "dnssec-dsfromkey", "-2", filepath.Join(folder, k.ID)))
					if got := strings.Fields(k.DS().String()); strings.Join(got[4:], " ") != strings.Join(ds[3:], " ") {
						t.Errorf("DS %v, dnssec-dsfromkey says %v", got, ds)
					}
				}
			}
			must(t, os.RemoveAll(folder))
			must(t, os.Mkdir(folder, 0o700))
			tool(t, "dnssec-keygen", "-q", "-a", label, "-b", "2048", "-K", folder, testName.File())
			tool(t, "dnssec-keygen", "-q", "-a", label, "-b", "2048", "-f", "KSK", "-K", folder, testName.File())
			keys, err := LoadKeys(dir, testName)
			if err != nil || len(keys) != 2 || keys[0].State(time.Now()) != StatePublished || keys[1].State(time.Now()) != StateActive {
				t.Errorf("keys of dnssec-keygen: %v, %v", keys, err)
			}
		})
	}
}

// tool runs a peer and returns what it printed.
func tool(t *testing.T, argv ...string) string {
	t.Helper()
	if _, err := exec.LookPath(argv[0]); err != nil {
		skipPeer(t, err)
	}
	c := exec.Command(argv[0], argv[1:]...)
	c.Env = append(os.Environ(), "TZ=UTC")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return string(out)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func edit(t *testing.T, path string, f func(string) string) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	changed := f(string(data))
	if changed == string(data) {
		t.Fatalf("editing %s changed nothing", path)
	}
	must(t, os.WriteFile(path, []byte(changed), 0o600))
}

func swap(t *testing.T, path, old, text string) {
	t.Helper()
	edit(t, path, func(s string) string { return strings.Replace(s, old, text, 1) })
}

func relink(t *testing.T, path string) {
	t.Helper()
	must(t, os.Rename(path, path+"-real"))
	must(t, os.Symlink(path+"-real", path))
}
