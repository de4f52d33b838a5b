package seal

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const digestA = "0cc175b9c0f1b6a831c399e269772661" // of "a", RFC 1321, appendix A.5

func kindOf(err error) Kind {
	if err == nil {
		return 0
	}
	var e *Error
	if !errors.As(err, &e) {
		return 255
	}
	return e.Kind
}

func TestParseMD5(t *testing.T) {
	upper := strings.ToUpper(digestA)
	for _, c := range []struct {
		name, data string
		gnu        bool
		want       Kind
		file       string
	}{
		{"lf", "MD5 (202-JPNIC) = " + digestA + "\n", false, 0, "202-JPNIC"},
		{"no line end", "MD5 (202-JPNIC) = " + digestA, false, 0, "202-JPNIC"},
		{"crlf", "MD5 (202-JPNIC) = " + digestA + "\r\n", false, 0, "202-JPNIC"},
		{"upper case", "MD5 (202-JPNIC) = " + upper + "\n", false, 0, "202-JPNIC"},
		{"parentheses in the name", "MD5 (a) = (b) = " + digestA + "\n", false, 0, "a) = (b"},
		{"escaped name", `\MD5 (a\\b\nc\rd) = ` + digestA + "\n", false, 0, "a\\b\nc\rd"},
		{"backslash without mark", `MD5 (a\nb) = ` + digestA + "\n", false, 0, `a\nb`},
		{"unknown escape", `\MD5 (a\tb) = ` + digestA + "\n", false, Malformed, ""},
		{"open escape", `\MD5 (a\) = ` + digestA + "\n", false, Malformed, ""},
		{"gnu refused", digestA + "  202-JPNIC\n", false, GNUForm, ""},
		{"gnu allowed", digestA + "  202-JPNIC\n", true, 0, "202-JPNIC"},
		{"gnu binary allowed", digestA + " *202-JPNIC\r\n", true, 0, "202-JPNIC"},
		{"gnu escaped", `\` + digestA + `  a\\b` + "\n", true, 0, `a\b`},
		{"bsd where gnu is allowed", "MD5 (202-JPNIC) = " + digestA + "\n", true, 0, "202-JPNIC"},
		{"empty", "", false, Malformed, ""},
		{"white space", " \r\n", false, Malformed, ""},
		{"two lines", "MD5 (a) = " + digestA + "\nMD5 (b) = " + digestA + "\n", false, Malformed, ""},
		{"two gnu lines", digestA + "  a\n" + digestA + "  b\n", true, Malformed, ""},
		{"blank line after", "MD5 (a) = " + digestA + "\n\n", false, Malformed, ""},
		{"no name", "MD5 () = " + digestA + "\n", false, Malformed, ""},
		{"bare digest", digestA + "\n", true, Malformed, ""},
		{"short digest", "MD5 (a) = " + digestA[1:] + "\n", false, Malformed, ""},
		{"long digest", "MD5 (a) = 0" + digestA + "\n", false, Malformed, ""},
		{"not hex", "MD5 (a) = g" + digestA[1:] + "\n", false, Malformed, ""},
		{"sha256", "SHA256 (a) = " + digestA + digestA + "\n", false, Malformed, ""},
		{"leading blank", " MD5 (a) = " + digestA + "\n", false, Malformed, ""},
		{"trailing text", "MD5 (a) = " + digestA + " x\n", false, Malformed, ""},
		{"nul", "MD5 (a\x00b) = " + digestA + "\n", false, Malformed, ""},
		{"html", "<html><body>404</body></html>\n", false, Malformed, ""},
		{"too large", "MD5 (" + strings.Repeat("a", MaxMD5) + ") = " + digestA + "\n", false, Malformed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := ParseMD5("f.md5", []byte(c.data), c.gnu)
			if kindOf(err) != c.want {
				t.Fatalf("kind %v, want %v: %v", kindOf(err), c.want, err)
			}
			if err != nil {
				if !strings.HasPrefix(err.Error(), "f.md5: ") {
					t.Errorf("%q does not name the file", err)
				}
				return
			}
			if s.Name != c.file || hex.EncodeToString(s.Digest[:]) != digestA {
				t.Errorf("got %q %x", s.Name, s.Digest)
			}
			if want := !strings.Contains(c.data, "MD5"); s.GNU != want {
				t.Errorf("GNU = %v", s.GNU)
			}
		})
	}
}

func TestGNUFormSaysHowToAllowIt(t *testing.T) {
	_, err := ParseMD5("f.md5", []byte(digestA+"  x\n"), false)
	for _, want := range []string{"GNU", "allow_gnu_md5 = true", "BSD"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
}

func TestSumCheck(t *testing.T) {
	s, err := ParseMD5("f.md5", []byte("MD5 (f) = "+digestA+"\n"), false)
	if err != nil {
		t.Fatal(err)
	}
	sum := md5.Sum([]byte("a"))
	if err := s.Check("f", sum); err != nil {
		t.Error(err)
	}
	err = s.Check("g", sum)
	if kindOf(err) != WrongName || err.(*Error).Mismatch() {
		t.Errorf("sum of another name: %v", err)
	}
	err = s.Check("f", md5.Sum([]byte("b")))
	if kindOf(err) != WrongSum || !err.(*Error).Mismatch() {
		t.Errorf("other octets: %v", err)
	}
	if err := s.Check("dir/f", sum); kindOf(err) != WrongName {
		t.Errorf("a folder is no part of the name: %v", err)
	}
}

func TestFormatMD5(t *testing.T) {
	if got, want := string(FormatMD5("202-JPNIC", []byte("a"))), "MD5 (202-JPNIC) = "+digestA+"\n"; got != want {
		t.Errorf("got %q", got)
	}
	for _, name := range []string{"plain", `back\slash`, "line\nfeed", "cr\r", "both\\\n", "(x) = y", "ünïcode"} {
		s, err := ParseMD5("f", FormatMD5(name, []byte("a")), false)
		if err != nil {
			t.Errorf("%q: %v", name, err)
		} else if err := s.Check(name, md5.Sum([]byte("a"))); err != nil {
			t.Error(err)
		}
	}
}

// samples returns the published .md5 files that were collected, nil if they are
// not there.
func samples(t testing.TB) map[string][]byte {
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		at := filepath.Join(filepath.Dir(dir), "shared", "data", "md5-samples")
		if _, err := os.Stat(at); err != nil {
			continue
		}
		names, err := filepath.Glob(filepath.Join(at, "*.md5"))
		if err != nil || len(names) == 0 {
			t.Fatalf("no sample in %s: %v", at, err)
		}
		all := map[string][]byte{}
		for _, n := range names {
			if all[filepath.Base(n)], err = os.ReadFile(n); err != nil {
				t.Fatal(err)
			}
		}
		return all
	}
	return nil
}

func TestPublishedSamples(t *testing.T) {
	all := samples(t)
	if all == nil {
		t.Skip("SKIPPED: no shared/data/md5-samples beside the repository; nothing real was read")
	}
	for name, data := range all {
		base := strings.TrimSuffix(name, ".md5")
		s, err := ParseMD5(name, data, false)
		if strings.Contains(name, "-arin-") {
			if kindOf(err) != GNUForm {
				t.Errorf("%s: %v", name, err)
			}
			if s, err = ParseMD5(name, data, true); err != nil {
				t.Error(err)
			} else if err := s.Check(base, s.Digest); kindOf(err) != WrongName {
				t.Errorf("%s: a dated name passed for %s", name, base)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if err := s.Check(base, s.Digest); err != nil {
			t.Error(err)
		}
		if again := formatSum(s.Name, s.Digest); !bytes.Equal(bytes.TrimSpace(again), bytes.TrimSpace(data)) {
			t.Errorf("%s: written again as %q", name, again)
		}
	}
}

func FuzzParseMD5(f *testing.F) {
	for _, data := range samples(f) {
		f.Add(data, true)
	}
	f.Add([]byte("MD5 (202-JPNIC) = "+digestA+"\r\n"), false)
	f.Add([]byte(`\MD5 (a\\b) = `+digestA), false)
	f.Add([]byte(digestA+" *202-JPNIC\n"), true)
	f.Fuzz(func(t *testing.T, data []byte, gnu bool) {
		s, err := ParseMD5("f", data, gnu)
		if err != nil {
			if kindOf(err) != Malformed && (gnu || kindOf(err) != GNUForm) {
				t.Fatalf("%v: %v", kindOf(err), err)
			}
			return
		}
		again, err := ParseMD5("f", formatSum(s.Name, s.Digest), false)
		if err != nil || again.Name != s.Name || again.Digest != s.Digest {
			t.Fatalf("%q read as %+v, written and read again as %+v: %v", data, s, again, err)
		}
	})
}
