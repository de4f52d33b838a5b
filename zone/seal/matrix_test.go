package seal

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
)

func date(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 12, 0, 0, 0, time.UTC) }

var zonelet = []byte("$ORIGIN .\n28.12.202.in-addr.arpa.\tNS\tns1.nir.example.\n- a line that has to be escaped\n")

// A trial is one signature that GnuPG made, judged by both.
type trial struct {
	name   string
	key    string // name of a key of the world
	args   []string
	signed time.Time                         // by default 2025-06-01
	now    time.Time                         // by default 2025-07-01
	mangle func(w *world, sig []byte) []byte // of the signature
	data   []byte                            // by default zonelet
	gpg    string                            // what GnuPG says
	want   Kind                              // what we say, 0 is good
	why    string                            // must be there if the two differ
	legacy []zone.Legacy                     // what else to try
	then   Kind                              // … and what comes of it
	codes  []string                          // … with these notices
	check  func(t *testing.T, s Signature)   // of a good one
	errs   func(t *testing.T, e *Error)      // of a bad one
}

// A world is a GnuPG with keys.
type world struct {
	*gpg
	fpr map[string]string
}

func newWorld(t *testing.T) *world {
	w := &world{gpg: newGPG(t), fpr: map[string]string{}}
	at := date(2025, 1, 1)
	for _, a := range []string{"rsa4096", "rsa2048", "rsa1024", "ed25519", "nistp256", "nistp384", "brainpoolP256r1", "secp256k1", "dsa2048", "dsa1024"} {
		w.fpr[a] = w.key(a, a, "sign,cert", at, "20270101T000000")
	}
	w.fpr["prolonged"] = w.key("prolonged", "ed25519", "sign,cert", at, "20260101T000000")
	w.fpr["revoked"] = w.key("revoked", "rsa2048", "sign,cert", at, "never")
	for _, s := range []string{"subkey", "subexpired", "subrevoked"} {
		w.fpr[s] = w.key(s, "rsa2048", "cert", at, "never")
		end := "never"
		if s == "subexpired" {
			end = "20260101T000000"
		}
		w.run(at, nil, "--quick-add-key", w.fpr[s], "ed25519", "sign", end)
	}
	w.fpr["dsasub"] = w.key("dsasub", "dsa1024", "cert", at, "never")
	w.run(at, nil, "--quick-add-key", w.fpr["dsasub"], "ed25519", "sign", "never")
	w.fpr["foreign"] = w.key("foreign", "ed25519", "sign,cert", at, "never")
	return w
}

// age does what happens to keys after they have signed.
func (w *world) age() {
	w.run(date(2025, 12, 1), nil, "--quick-set-expire", w.fpr["prolonged"], "20280101T000000")
	w.revoke(date(2025, 1, 1), w.fpr["revoked"])
	w.run(date(2025, 6, 15), []byte("key 1\nrevkey\ny\n3\n\ny\nsave\n"), "--no-batch", "--command-fd", "0", "--edit-key", w.fpr["subrevoked"])
}

func (w *world) sign(c *trial) []byte {
	w.t.Helper()
	args := append([]string{"--allow-weak-digest-algos", "--local-user", w.fpr[c.key]}, c.args...)
	if !slices.ContainsFunc(c.args, func(a string) bool { return strings.Contains(a, "sign") }) {
		args = append(args, "--armor", "--detach-sign")
	}
	at := c.signed
	if at.IsZero() {
		at = date(2025, 6, 1)
	}
	return w.run(at, zonelet, args...)
}

func allow(what string, until time.Time, fpr ...string) []zone.Legacy {
	return []zone.Legacy{{Allow: what, Until: until, Fingerprint: strings.Join(fpr, "")}}
}

func digest(name string) []string { return []string{"--digest-algo", name} }

func trials() []trial {
	later := date(2025, 12, 31)
	all := []trial{
		{name: "foreign key", key: "foreign", gpg: "GOODSIG", want: UnknownKey, why: "GnuPG has the key, our ring has not", errs: wantKey},
		{name: "md5", key: "rsa2048", args: digest("MD5"), gpg: "ERRSIG", want: Weak, legacy: allow("sha1", later), then: Weak, errs: wantText("unsupported hash")},
		{name: "ripemd", key: "rsa2048", args: digest("RIPEMD160"), gpg: "GOODSIG", want: Weak, why: "the policy wants SHA-256 or better", legacy: allow("sha1", later), then: Weak},
		{name: "sha1", key: "rsa2048", args: digest("SHA1"), gpg: "GOODSIG", want: Weak, why: "the policy wants SHA-256 or better", legacy: allow("sha1", later), codes: []string{"legacy-sha1"}},
		{name: "sha1, allowance over", key: "rsa2048", args: digest("SHA1"), gpg: "GOODSIG", want: Weak, why: "as above", legacy: allow("sha1", date(2025, 7, 1)), then: Weak},
		{name: "sha224", key: "rsa2048", args: digest("SHA224"), gpg: "GOODSIG", want: Weak, why: "the policy wants SHA-256 or better", legacy: allow("sha1", later), then: Weak},
		{name: "rsa1024", key: "rsa1024", gpg: "GOODSIG", want: Weak, why: "the policy wants 2048 bits", legacy: allow("dsa", later), then: Weak},
		{name: "secp256k1", key: "secp256k1", gpg: "GOODSIG", want: Weak, why: "no curve of RFC 9580"},
		{name: "dsa2048", key: "dsa2048", gpg: "GOODSIG", want: Weak, why: "the policy refuses DSA", legacy: allow("dsa", later), codes: []string{"legacy-dsa"}},
		{name: "dsa1024 sha1", key: "dsa1024", args: digest("SHA1"), gpg: "GOODSIG", want: Weak, why: "the policy refuses DSA", legacy: allow("dsa", later), then: Weak},
		{name: "dsa1024 sha1, both allowed", key: "dsa1024", args: digest("SHA1"), gpg: "GOODSIG", want: Weak, why: "the policy refuses DSA", legacy: append(allow("dsa", later), allow("sha1", later)...), codes: []string{"legacy-dsa", "legacy-sha1"}},
		{name: "subkey of a weak key", key: "dsasub", gpg: "GOODSIG", want: Weak, why: "the policy refuses DSA, and the subkey is bound by it", legacy: allow("dsa", later), codes: []string{"legacy-dsa"}},
		{name: "binary", key: "ed25519", args: []string{"--detach-sign"}, gpg: "GOODSIG", check: wantForm(Binary)},
		{name: "clear-signed", key: "ed25519", args: []string{"--clear-sign"}, gpg: "GOODSIG", check: wantForm(ClearSign)},
		{name: "clear-signed rsa sha512", key: "rsa4096", args: append(digest("SHA512"), "--clear-sign"), gpg: "GOODSIG", check: wantForm(ClearSign)},
		{name: "text mode", key: "ed25519", args: []string{"--textmode", "--armor", "--detach-sign"}, gpg: "GOODSIG", check: wantForm(Detached)},
		{name: "text mode, other line ends", key: "ed25519", args: []string{"--textmode", "--armor", "--detach-sign"}, data: bytes.ReplaceAll(zonelet, []byte("\n"), []byte("\r\n")), gpg: "GOODSIG"},
		{name: "binary mode, other line ends", key: "ed25519", data: bytes.ReplaceAll(zonelet, []byte("\n"), []byte("\r\n")), gpg: "BADSIG", want: BadSignature},
		{name: "inline message", key: "ed25519", args: []string{"--armor", "--sign"}, gpg: "NODATA", want: Malformed},
		{name: "wrong data", key: "ed25519", data: append([]byte("; "), zonelet...), gpg: "BADSIG", want: BadSignature},
		{name: "wrong data, rsa", key: "rsa4096", data: zonelet[1:], gpg: "BADSIG", want: BadSignature},
		{name: "wrong data by an expired key", key: "ed25519", data: zonelet[1:], now: date(2027, 6, 1), gpg: "BADSIG", want: BadSignature},
		{name: "subkey", key: "subkey", gpg: "GOODSIG", check: func(t *testing.T, s Signature) {
			if s.Algorithm != "Ed25519" || strings.HasSuffix(s.Fingerprint, s.KeyID) {
				t.Errorf("not by the subkey: %+v", s)
			}
		}},
		{name: "subkey expired", key: "subexpired", now: date(2026, 6, 1), gpg: "EXPKEYSIG", want: Expired, errs: wantDate(2026, 1, 1)},
		{name: "subkey not yet expired", key: "subexpired", gpg: "GOODSIG"},
		{name: "subkey revoked", key: "subrevoked", gpg: "REVKEYSIG", want: Revoked, errs: wantDate(2025, 6, 15)},
		{name: "key expired since", key: "ed25519", now: date(2027, 6, 1), gpg: "EXPKEYSIG", want: Expired, errs: wantDate(2027, 1, 1)},
		{name: "key on its last day", key: "ed25519", now: date(2026, 12, 31), gpg: "GOODSIG"},
		{name: "key prolonged after signing", key: "prolonged", now: date(2027, 6, 1), gpg: "GOODSIG"},
		{name: "key prolonged and over", key: "prolonged", now: date(2028, 6, 1), gpg: "EXPKEYSIG", want: Expired, errs: wantDate(2028, 1, 1)},
		{name: "key revoked", key: "revoked", gpg: "REVKEYSIG", want: Revoked, legacy: allow("expired", later), then: Revoked, errs: wantDate(2025, 1, 1)},
		{name: "signature expired", key: "ed25519", args: []string{"--default-sig-expire", "2025-06-15", "--armor", "--detach-sign"}, gpg: "EXPSIG", want: Expired},
		{name: "signature not yet expired", key: "ed25519", args: []string{"--default-sig-expire", "2025-07-15", "--armor", "--detach-sign"}, gpg: "GOODSIG"},
		{name: "from the future", key: "ed25519", signed: date(2025, 7, 2), gpg: "GOODSIG", want: NotYetValid, why: "GnuPG warns only"},
		{name: "from within the skew", key: "ed25519", signed: date(2025, 7, 1).Add(Skew), gpg: "GOODSIG"},
		{name: "from beyond the skew", key: "ed25519", signed: date(2025, 7, 1).Add(Skew + time.Second), gpg: "GOODSIG", want: NotYetValid, why: "GnuPG warns only"},
		{name: "critical notation", key: "ed25519", args: []string{"--sig-notation", "!x@nir.example=1"}, gpg: "BADSIG", want: Unsupported, why: "GnuPG says bad, we say why"},
		{name: "notation", key: "ed25519", args: []string{"--sig-notation", "x@nir.example=1"}, gpg: "GOODSIG"},
		{name: "two signers", key: "ed25519", args: []string{"--local-user", "rsa2048", "--armor", "--detach-sign"}, gpg: "GOODSIG GOODSIG"},
		{name: "two signers, one foreign", key: "ed25519", args: []string{"--local-user", "foreign", "--armor", "--detach-sign"}, gpg: "GOODSIG GOODSIG"},
		{name: "wrong armour checksum", key: "ed25519", mangle: func(_ *world, s []byte) []byte {
			i := bytes.LastIndex(s, []byte("\n=")) + 2
			return slices.Concat(s[:i], []byte("AAAA"), s[i+4:])
		}, gpg: "NODATA", why: "RFC 9580, section 6.1: the checksum is not looked at"},
		{name: "truncated armour", key: "rsa2048", mangle: cut(200), gpg: "NODATA", want: Malformed},
		{name: "armour without its end", key: "rsa2048", mangle: cut(-20), gpg: "GOODSIG", want: Malformed, why: "GnuPG takes what is there"},
		{name: "truncated binary", key: "rsa2048", args: []string{"--detach-sign"}, mangle: cut(100), gpg: "NODATA", want: Malformed},
		{name: "trailing garbage", key: "ed25519", mangle: wrap("", "garbage\n"), gpg: "GOODSIG", want: Malformed, why: "nothing may stand around a signature"},
		{name: "leading text", key: "ed25519", mangle: wrap("Our zones:\n", ""), gpg: "GOODSIG", want: Malformed, why: "nothing may stand around a signature"},
		{name: "blank lines around", key: "ed25519", mangle: wrap("\r\n\n", "\n \n"), gpg: "GOODSIG"},
		{name: "carriage returns", key: "ed25519", mangle: func(_ *world, s []byte) []byte { return bytes.ReplaceAll(s, []byte("\n"), []byte("\r\n")) }, gpg: "GOODSIG"},
		{name: "binary with trailing garbage", key: "ed25519", args: []string{"--detach-sign"}, mangle: wrap("", "garbage\n"), gpg: "GOODSIG", want: Malformed, why: "nothing may stand around a signature"},
		{name: "empty", key: "ed25519", mangle: cut(0), gpg: "NODATA", want: Malformed},
		{name: "a key instead", key: "ed25519", mangle: func(w *world, _ []byte) []byte { return w.export(w.fpr["ed25519"]) }, gpg: "NODATA", want: Malformed},
		{name: "text before a clear-signed one", key: "ed25519", args: []string{"--clear-sign"}, mangle: wrap("unsigned\n", ""), gpg: "GOODSIG", want: Malformed, why: "nothing may stand around a signature"},
		{name: "text after a clear-signed one", key: "ed25519", args: []string{"--clear-sign"}, mangle: wrap("", "unsigned\n"), gpg: "GOODSIG", want: Malformed, why: "nothing may stand around a signature"},
		{name: "clear-signed twice over", key: "ed25519", args: []string{"--clear-sign"}, mangle: func(_ *world, s []byte) []byte { return slices.Concat(s, s) }, gpg: "GOODSIG", want: Malformed, why: "nothing may stand around a signature"},
		{name: "clear-signed text changed", key: "ed25519", args: []string{"--clear-sign"}, mangle: replace("ns1", "ns2"), gpg: "BADSIG", want: BadSignature},
		{name: "clear-signed text and file changed", key: "ed25519", args: []string{"--clear-sign"}, mangle: replace("ns1", "ns2"), data: bytes.Replace(zonelet, []byte("ns1"), []byte("ns2"), 1), gpg: "BADSIG", want: BadSignature},
		{name: "clear-signed, another file", key: "ed25519", args: []string{"--clear-sign"}, data: zonelet[1:], gpg: "GOODSIG", want: BadSignature, why: "GnuPG does not compare with the file"},
	}
	for _, k := range []string{"rsa4096", "rsa2048", "ed25519", "nistp256", "nistp384", "brainpoolP256r1"} {
		for _, h := range []string{"SHA256", "SHA384", "SHA512"} {
			if k == "nistp384" && h == "SHA256" {
				continue // GnuPG itself takes a longer one
			}
			all = append(all, trial{name: k + " " + h, key: k, args: digest(h), gpg: "GOODSIG", check: func(t *testing.T, s Signature) {
				if s.Hash != h || s.UserID != k+" <"+k+"@nir.example>" || !s.Created.Equal(date(2025, 6, 1)) || s.Form != Detached {
					t.Errorf("got %+v", s)
				}
			}})
		}
	}
	return all
}

func cut(n int) func(*world, []byte) []byte {
	return func(_ *world, s []byte) []byte {
		if n < 0 {
			return s[:len(s)+n]
		}
		return s[:n]
	}
}

func wrap(before, after string) func(*world, []byte) []byte {
	return func(_ *world, s []byte) []byte { return slices.Concat([]byte(before), s, []byte(after)) }
}

func replace(old, with string) func(*world, []byte) []byte {
	return func(_ *world, s []byte) []byte { return bytes.Replace(s, []byte(old), []byte(with), 1) }
}

func wantForm(f Form) func(*testing.T, Signature) {
	return func(t *testing.T, s Signature) {
		if s.Form != f {
			t.Errorf("form %q, want %q", s.Form, f)
		}
	}
}

func wantDate(y, m, d int) func(*testing.T, *Error) {
	return func(t *testing.T, e *Error) {
		if want := date(y, m, d); day(e.Date) != day(want) || !strings.Contains(e.Msg, day(want)) || e.Key == "" || !strings.Contains(e.Msg, e.Key) {
			t.Errorf("want key and %s named in %+v", day(want), e)
		}
	}
}

func wantText(s string) func(*testing.T, *Error) {
	return func(t *testing.T, e *Error) {
		if !strings.Contains(e.Msg, s) {
			t.Errorf("want %q in %q", s, e.Msg)
		}
	}
}

func wantKey(t *testing.T, e *Error) {
	if len(e.Key) != 40 || !strings.Contains(e.Msg, e.Key) {
		t.Errorf("want a key named in %+v", e)
	}
}

func TestMatrixAgainstGPG(t *testing.T) {
	w := newWorld(t)
	all := trials()
	sigs := make([][]byte, len(all))
	for i := range all {
		sigs[i] = w.sign(&all[i])
	}
	w.age()
	var known []string
	for name, fpr := range w.fpr {
		if name != "foreign" {
			known = append(known, fpr)
		}
	}
	ring, err := LoadKeyring("keys.asc", w.export(known...))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		writeSeeds(t, w, all, sigs, w.export(known...))
	}
	for i := range all {
		t.Run(all[i].name, func(t *testing.T) {
			c, sig := &all[i], sigs[i]
			if c.mangle != nil {
				sig = c.mangle(w, sig)
			}
			if got := w.verify(c.at(), c.over(), sig); got != c.gpg {
				t.Errorf("gpg says %s, want %s", got, c.gpg)
			}
			c.run(t, ring, sig)
		})
	}
}

// seed reads what an earlier run with -update kept.
func seed(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "seeds", name))
	if err != nil {
		t.Fatalf("%v; write them with go test -run Matrix -update", err)
	}
	return b
}

// TestMatrixFromSeeds judges what GnuPG made once, where there is none now.
func TestMatrixFromSeeds(t *testing.T) {
	ring, err := LoadKeyring("keys.asc", seed(t, "keyring"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range trials() {
		t.Run(c.name, func(t *testing.T) { c.run(t, ring, seed(t, c.file())) })
	}
}

func (c *trial) at() time.Time {
	if c.now.IsZero() {
		return date(2025, 7, 1)
	}
	return c.now
}

func (c *trial) over() []byte {
	if c.data == nil {
		return zonelet
	}
	return c.data
}

// file is the name under which a seed is kept.
func (c *trial) file() string {
	return strings.NewReplacer(" ", "-", ",", "").Replace(c.name) + ".sig"
}

var update = flag.Bool("update", false, "write testdata/seeds anew from what GnuPG makes")

// writeSeeds keeps what GnuPG made for the fuzz target and for machines without
// it.
func writeSeeds(t *testing.T, w *world, all []trial, sigs [][]byte, ring []byte) {
	files := map[string][]byte{"keyring": ring}
	for i, c := range all {
		sig := sigs[i]
		if c.mangle != nil {
			sig = c.mangle(w, bytes.Clone(sig))
		}
		files[c.file()] = sig
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join("testdata", "seeds", name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// run compares our verdict with what the trial wants.
func (c *trial) run(t *testing.T, ring *Keyring, sig []byte) {
	data := c.over()
	p := Policy{Source: "JPNIC", Zone: "202.in-addr.arpa.", File: "202-JPNIC.asc", Now: c.at()}
	s, notices, err := ring.Verify(data, sig, p)
	if kindOf(err) != c.want {
		t.Fatalf("we say %v (%v), want %v", kindOf(err), err, c.want)
	}
	if agree := strings.HasPrefix(c.gpg, "GOODSIG") == (c.want == 0); !agree && c.why == "" {
		t.Errorf("gpg says %s, we say %v, and nobody says why", c.gpg, c.want)
	}
	if len(notices) != 0 {
		t.Errorf("unwanted notices %v", notices)
	}
	if c.check != nil {
		c.check(t, s)
	}
	if c.errs != nil {
		c.errs(t, err.(*Error))
	}
	if err != nil && !strings.HasPrefix(err.Error(), "202-JPNIC.asc: ") {
		t.Errorf("%q does not begin with the file", err)
	}
	if c.legacy == nil {
		return
	}
	p.Legacy = c.legacy
	_, notices, err = ring.Verify(data, sig, p)
	if kindOf(err) != c.then {
		t.Fatalf("with %+v we say %v (%v), want %v", c.legacy, kindOf(err), err, c.then)
	}
	var codes []string
	for _, n := range notices {
		codes = append(codes, n.Code)
		if n.Source != "JPNIC" || n.Zone != p.Zone || n.Pos.File != p.File || n.Severity != zone.Warning {
			t.Errorf("notice %+v", n)
		}
	}
	if !slices.Equal(codes, c.codes) {
		t.Errorf("notices %v, want %v", codes, c.codes)
	}
}
