package seal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzVerify mutates signature files. Whatever they are, Verify ends with an
// *Error or with a signature by a key of the ring.
func FuzzVerify(f *testing.F) {
	names, err := filepath.Glob(filepath.Join("testdata", "seeds", "*.sig"))
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		if blocks, _, err := armourBlocks(b); err == nil && len(blocks) > 0 {
			f.Add(blocks[0].octets)
		}
	}
	ring := must(LoadKeyring("keys.asc", seed(f, "keyring")))(f)
	p := Policy{File: "f.asc", Now: date(2025, 7, 1), Legacy: append(allow("sha1", date(2026, 1, 1)), allow("dsa", date(2026, 1, 1))...)}
	f.Fuzz(func(t *testing.T, sig []byte) {
		s, _, err := ring.Verify(zonelet, sig, p)
		if err == nil {
			if len(s.Fingerprint) != 40 || s.Form == "" || s.Created.IsZero() {
				t.Fatalf("accepted as %+v", s)
			}
			return
		}
		if e := new(Error); !errors.As(err, &e) || e.Kind == 0 || e.Msg == "" || e.File != "f.asc" {
			t.Fatalf("%#v", err)
		}
		// What is refused for this file is refused for another.
		if _, _, err := ring.Verify(append([]byte("x"), zonelet...), sig, p); err == nil {
			t.Fatal("accepted over another file")
		}
	})
}

// FuzzLoadKeyring mutates files of keys, which people write.
func FuzzLoadKeyring(f *testing.F) {
	all := seed(f, "keyring")
	f.Add(all)
	f.Add(must(testKey(f, "a", date(2025, 1, 1), year).Public())(f))
	ring := must(LoadKeyring("keys.asc", all))(f)
	for _, rk := range ring.keys {
		f.Add(rk.stream)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		ring, err := LoadKeyring("keys.asc", file)
		if err != nil {
			return
		}
		if n := len(ring.Fingerprints()); n == 0 || n > MaxKeys {
			t.Fatalf("%d keys", n)
		}
		p := Policy{Now: date(2025, 7, 1)}
		ring.Alarms(p)
		if _, _, err := ring.Verify(zonelet, bytes.Repeat([]byte{0xc2}, 10), p); err == nil {
			t.Fatal("accepted nothing")
		}
	})
}
