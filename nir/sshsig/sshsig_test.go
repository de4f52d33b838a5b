package sshsig

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// TestKeygenReads: the real ssh-keygen verifies what this package signs, by the
// list that this package reads.
func TestKeygenReads(t *testing.T) {
	for name, k := range keys() {
		t.Run(name, func(t *testing.T) {
			armored, err := Sign(rand.NewChaCha8([32]byte{2}), k, role, text)
			if err != nil {
				t.Fatal(err)
			}
			keygenAgrees(t, publicOf(t, k), armored)
		})
	}
	for _, kind := range []string{ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256} {
		t.Run(kind, func(t *testing.T) {
			h := newHardware(kind)
			armored, err := Armor(h.public, role, h.sign(t, Blob(role, text), 1))
			if err != nil {
				t.Fatal(err)
			}
			keygenAgrees(t, wireLine(kind, h.public), armored)
		})
	}
}

func keygenAgrees(t *testing.T, public, armored string) {
	t.Helper()
	list := `anna,anna@registry.example namespaces="` + role + `",valid-after="20260101Z",valid-before="20261231235959Z" ` + public + " comment\n"
	s, err := ParseSigners("signers", []byte(list))
	if err != nil {
		t.Fatal(err)
	}
	if signer, key, err := s.Verify(role, text, armored, now); err != nil || signer != "anna" || !strings.HasPrefix(key, "SHA256:") {
		t.Errorf("%q, %q, %v", signer, key, err)
	}
	file, sig := write(t, "signers", list, 0o600), write(t, "sig", armored, 0o600)
	at := "verify-time=" + now.Format("20060102150405Z")
	for _, who := range []string{"anna", "anna@registry.example"} {
		if out, err := sshKeygen(t, text, "-Y", "verify", "-O", at, "-f", file, "-I", who, "-n", role, "-s", sig); err != nil {
			t.Errorf("ssh-keygen: %v: %s", err, out)
		}
	}
	if out, err := sshKeygen(t, append(text, 'x'), "-Y", "verify", "-O", at, "-f", file, "-I", "anna", "-n", role, "-s", sig); err == nil {
		t.Errorf("ssh-keygen takes it over another text: %s", out)
	}
}

// TestReadsKeygen: what the real ssh-keygen signs, with keys that it made,
// verifies here.
func TestReadsKeygen(t *testing.T) {
	for _, args := range [][]string{{"ed25519"}, {"ecdsa"}, {"ecdsa", "-b", "384"}, {"ecdsa", "-b", "521"}, {"rsa", "-b", "2048"}} {
		t.Run(strings.Join(args, ""), func(t *testing.T) {
			dir := t.TempDir()
			key := filepath.Join(dir, "key")
			if out, err := sshKeygen(t, nil, append([]string{"-q", "-N", "", "-C", "a test", "-f", key, "-t"}, args...)...); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			public, err := os.ReadFile(key + ".pub")
			if err != nil {
				t.Fatal(err)
			}
			s, err := ParseSigners("signers", append([]byte(`anna namespaces="`+role+`" `), public...))
			if err != nil {
				t.Fatal(err)
			}
			for _, hash := range []string{"sha256", "sha512"} {
				file := filepath.Join(dir, hash)
				if err := os.WriteFile(file, text, 0o600); err != nil {
					t.Fatal(err)
				}
				if out, err := sshKeygen(t, nil, "-Y", "sign", "-O", "hashalg="+hash, "-f", key, "-n", role, file); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				armored, err := os.ReadFile(file + ".sig")
				if err != nil {
					t.Fatal(err)
				}
				signer, fingerprint, err := s.Verify(role, text, string(armored), now)
				if out, _ := sshKeygen(t, nil, "-l", "-f", key); err != nil || signer != "anna" || !strings.Contains(out, " "+fingerprint+" ") {
					t.Errorf("%q, %q, %v; ssh-keygen -l: %s", signer, fingerprint, err, out)
				}
				if _, _, err := s.Verify(role, append(text, ' '), string(armored), now); err == nil {
					t.Error("it verifies over another text")
				}
			}
		})
	}
}

// TestHardwareNeedsTouch: without the flag that a person was there, a signature
// of a hardware key does not count; ssh-keygen agrees.
func TestHardwareNeedsTouch(t *testing.T) {
	for _, kind := range []string{ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256} {
		for flags, good := range map[byte]bool{0: false, 1: true, 4: false, 5: true} {
			h := newHardware(kind)
			armored, err := Armor(h.public, role, h.sign(t, Blob(role, text), flags))
			if err != nil {
				t.Fatal(err)
			}
			list := `anna namespaces="` + role + `" ` + wireLine(kind, h.public) + "\n"
			s, err := ParseSigners("signers", []byte(list))
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.Verify(role, text, armored, now); (err == nil) != good {
				t.Errorf("%s with flags %d: %v", kind, flags, err)
			}
		}
	}
}

// rebuild makes the armoured form of altered fields.
func rebuild(t *testing.T, armored string, change func(*body)) string {
	t.Helper()
	wire, err := unarmor(armored)
	if err != nil {
		t.Fatal(err)
	}
	var b body
	if err := ssh.Unmarshal(wire[len(magic):], &b); err != nil {
		t.Fatal(err)
	}
	change(&b)
	return armor(append([]byte(magic), ssh.Marshal(b)...))
}

func TestParseRefuses(t *testing.T) {
	good, err := Sign(rand.NewChaCha8([32]byte{2}), keys()["rsa"], role, text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse("\n" + strings.ReplaceAll(good, "\n", "\r\n")); err != nil {
		t.Errorf("with other ends of lines: %v", err)
	}
	sha1 := func(b *body) {
		var s ssh.Signature
		if err := ssh.Unmarshal(b.Signature, &s); err != nil {
			t.Fatal(err)
		}
		s.Format = "ssh-rsa"
		b.Signature = ssh.Marshal(s)
	}
	wire, _ := unarmor(good)
	for name, c := range map[string]struct{ text, want string }{
		"empty":       {"", "does not begin with"},
		"no end":      {strings.TrimSpace(good)[:len(good)-10], "does not end with"},
		"junk before": {"x" + good, "does not begin with"},
		"base64":      {strings.Replace(good, "\n", "\n*", 1), "base64"},
		"too long":    {good + strings.Repeat(" ", maxArmored), "longer than"},
		"magic":       {armor(append([]byte("SSHSIX"), wire[6:]...)), "does not begin with SSHSIG"},
		"cut":         {armor(wire[:len(wire)-1]), "cut short"},
		"more":        {armor(append(slices.Clone(wire), 0)), "too long"},
		"version":     {rebuild(t, good, func(b *body) { b.Version = 2 }), "version 2"},
		"reserved":    {rebuild(t, good, func(b *body) { b.Reserved = "x" }), "reserved"},
		"namespace":   {rebuild(t, good, func(b *body) { b.Namespace = "" }), "no namespace"},
		"hash":        {rebuild(t, good, func(b *body) { b.Hash = "sha1" }), "not one of sha256, sha512"},
		"key":         {rebuild(t, good, func(b *body) { b.Key = b.Key[1:] }), "key cannot be read"},
		"sha-1":       {rebuild(t, good, sha1), `algorithm is "ssh-rsa": a key of type ssh-rsa has to use rsa-sha2-512 or rsa-sha2-256`},
		"signature":   {rebuild(t, good, func(b *body) { b.Signature = b.Signature[:9] }), "cut short or too long"},
		"after":       {rebuild(t, good, func(b *body) { b.Signature = append(b.Signature, 0) }), "follows the signature"},
		"dsa":         {rebuild(t, good, func(b *body) { b.Key = oldKey(t, "dsa") }), "ssh-dss"},
		"short rsa":   {rebuild(t, good, func(b *body) { b.Key = oldKey(t, "rsa1024") }), "1024 bits"},
		"certificate": {rebuild(t, good, func(b *body) { b.Key = oldKey(t, "cert") }), "cert-v01@openssh.com"},
	} {
		if _, err := Parse(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// oldKey returns a public key that ssh-keygen made once, of a kind that is
// refused.
func oldKey(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	wire, err := base64.StdEncoding.DecodeString(strings.Fields(string(data))[1])
	if err != nil {
		t.Fatal(err)
	}
	return wire
}

// TestVerifyRefuses: another namespace, text, key, role or time.
func TestVerifyRefuses(t *testing.T) {
	public := publicOf(t, keys()["ed25519"])
	s, err := ParseSigners("list", []byte(`# who approves
anna namespaces="`+role+`",valid-after="20260301Z",valid-before="202604010000Z" `+public+`
ben Namespaces="*@nirzone,!approver@nirzone" `+publicOf(t, keys()["p256"])+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	sign := func(key, namespace string) string {
		a, err := Sign(rand.NewChaCha8([32]byte{2}), keys()[key], namespace, text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	date := func(s string) time.Time {
		d, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		armored, namespace string
		at                 time.Time
		text               []byte
		want               string
	}{
		{sign("ed25519", role), role, now, text, ""},
		{sign("ed25519", role), role, date("2026-03-01T00:00:00Z"), text, ""},
		{sign("ed25519", role), role, date("2026-04-01T00:00:00Z"), text, ""},
		{sign("ed25519", role), role, date("2026-02-28T23:59:59Z"), text, "list:2: the key of anna counts from 2026-03-01"},
		{sign("ed25519", role), role, date("2026-04-01T00:00:01Z"), text, "list:2: the key of anna counted until 2026-04-01"},
		{sign("ed25519", role), role, now, []byte("other"), "does not fit the text"},
		{sign("ed25519", "git"), role, now, text, `was made for "git", not for "approver@nirzone"`},
		{sign("ed25519", "admin@nirzone"), "admin@nirzone", now, text, "list:2: the key of anna may not sign for admin@nirzone"},
		{sign("p256", "admin@nirzone"), "admin@nirzone", now, text, ""},
		{sign("p256", role), role, now, text, "list:3: the key of ben may not sign"},
		{sign("p384", role), role, now, text, "is not in list"},
		{"", role, now, text, "does not begin"},
	} {
		_, _, err := s.Verify(c.namespace, c.text, c.armored, c.at)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	if got := s.Names(role, now); !slices.Equal(got, []string{"anna"}) {
		t.Errorf("names %v", got)
	}
	if got := s.Names("auditor@nirzone", now); !slices.Equal(got, []string{"ben"}) {
		t.Errorf("names %v", got)
	}
}

func TestParseSignersRefuses(t *testing.T) {
	ed, p256 := publicOf(t, keys()["ed25519"]), publicOf(t, keys()["p256"])
	ns := `namespaces="approver@nirzone"`
	old := func(name, kind string) string { return "anna " + ns + " " + wireLine(kind, oldKey(t, name)) }
	for _, c := range []struct{ list, want string }{
		{"anna " + ed, "f:1: without namespaces this key would sign for every role"},
		{"* " + ns + " " + ed, `f:1: name "*": write the name of one person`},
		{"anna,!ben " + ns + " " + ed, `f:1: name "!ben"`},
		{"anna, " + ns + " " + ed, `f:1: name ""`},
		{"anna cert-authority," + ns + " " + ed, "f:1: cert-authority: certificates are not taken"},
		{"anna Cert-Authority " + ed, "f:1: cert-authority: certificates are not taken"},
		{"anna " + ns + `,valid-after="20260101" ` + ed, "the Z (UTC) has to be there"},
		{"anna " + ns + `,valid-before="2026010123Z" ` + ed, "f:1: valid-before="},
		{"anna " + ns + `,valid-before="20260230Z" ` + ed, "f:1: valid-before="},
		{"anna " + ns + `,valid-after="20260102Z",valid-before="20260101Z" ` + ed, "the key never counts"},
		{"anna " + ns + `,` + ns + ` ` + ed, "option namespaces stands twice"},
		{"anna namespaces=approver@nirzone " + ed, "f:1: option"},
		{`anna namespaces="a"b" ` + ed, "f:1: "},
		{`anna namespaces="a,,b" ` + ed, "namespaces: an empty one"},
		{`anna namespaces="a\"b" ` + ed, "a backslash"},
		{`anna namespaces="ab ` + ed, "a quote that does not end"},
		{"anna " + ns + ",verify-required " + ed, "f:1: option"},
		{"anna " + ns + `,touch="yes" ` + ed, "is not one of namespaces"},
		{"anna " + ns, "there is no key"},
		{"anna", "there is no key"},
		{"anna " + ns + " ssh-ed25519", "there is no key"},
		{"anna " + ns + " ssh-ed25519 AAA*", "there is no key"},
		{"anna " + ns + " ssh-ed25519 " + strings.Fields(p256)[1], "the key is of type ecdsa-sha2-nistp256"},
		{old("dsa", "ssh-dss"), "ssh-dss"},
		{old("rsa1024", "ssh-rsa"), "1024 bits is too short"},
		{old("cert", "ssh-ed25519-cert-v01@openssh.com"), "cert-v01"},
		{"anna " + ns + " " + ed + "\n\n# two\nben " + ns + " " + ed, "f:4: this key is that of anna in line 1"},
		{"anna " + ns + " " + ed + strings.Repeat("x", maxLine), "more than 8192 octets"},
		{strings.Repeat("#\n", maxList/2+1), "f: a list of signers of more than"},
	} {
		if _, err := ParseSigners("f", []byte(c.list)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.100q: %v, want %q", c.list, err, c.want)
		}
	}
	_, err := ParseSigners("f", []byte("a\nb\nanna "+ns+" "+ed+"\nc\n"))
	if err == nil || len(strings.Split(err.Error(), "\n")) != 3 {
		t.Errorf("not all mistakes at once: %v", err)
	}
	s, err := ParseSigners("f", []byte("anna "+ns+" "+ed+" a comment here\r\nanna\tnamespaces=\"admin@nirzone\"\t"+ed+"\n"))
	if err != nil || len(s.lines) != 2 {
		t.Errorf("one key for two roles of one person: %v", err)
	}
}

// TestMatch compares the patterns with ssh_config(5).
func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"*", "", true},
		{"?", "", false},
		{"a*c", "abbc", true},
		{"a*c", "abcd", false},
		{"*@nirzone", "approver@nirzone", true},
		{"a?c", "abc", true},
		{"**a**", "bab", true},
		{"", "", true},
		{"", "a", false},
		{"ab", "a", false},
	} {
		if got := match(c.pattern, c.s); got != c.want {
			t.Errorf("%q, %q: %v", c.pattern, c.s, got)
		}
	}
	if !match(strings.Repeat("*a", 500)+"*", strings.Repeat("a", 5000)) || match(strings.Repeat("*a", 500)+"b", strings.Repeat("a", 5000)) {
		t.Error("long patterns")
	}
}

// short is a signer with a public key that is not its own.
type short struct {
	crypto.Signer
	public crypto.PublicKey
}

func (s short) Public() crypto.PublicKey { return s.public }

// TestSignRefuses: a key that Parse would refuse makes no signature.
func TestSignRefuses(t *testing.T) {
	old, err := ssh.ParsePublicKey(oldKey(t, "rsa1024"))
	if err != nil {
		t.Fatal(err)
	}
	k := short{keys()["rsa"], old.(ssh.CryptoPublicKey).CryptoPublicKey()}
	if _, err := Sign(rand.NewChaCha8([32]byte{}), k, role, text); err == nil || !strings.Contains(err.Error(), "1024") {
		t.Errorf("%v", err)
	}
	if _, err := Armor([]byte("x"), role, nil); err == nil {
		t.Error("armoured nonsense")
	}
}

// TestRoles: the namespace is made of the role.
func TestRoles(t *testing.T) {
	type own string
	s, err := ParseSigners("f", []byte(`anna namespaces="`+role+`" `+publicOf(t, keys()["ed25519"])))
	if err != nil {
		t.Fatal(err)
	}
	armored, err := Sign(nil, keys()["ed25519"], role, text)
	if err != nil {
		t.Fatal(err)
	}
	r := Roles[own]{s}
	if who, _, err := r.VerifySignature("approver", text, armored, now); err != nil || who != "anna" {
		t.Errorf("%q, %v", who, err)
	}
	if _, _, err := r.VerifySignature("admin", text, armored, now); err == nil {
		t.Error("an approver's signature counts for an admin")
	}
}

// TestKeyForms: a key has one form on the wire; every other is refused.
func TestKeyForms(t *testing.T) {
	wire := map[string][]byte{}
	for name, k := range keys() {
		p, err := publicOfSigner(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseKey(p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wire[name] = p
	}
	k := keys()["rsa"].Public().(*rsa.PublicKey)
	rsaForm := func(e, n []byte) []byte { return appendStrings(nil, []byte(kindRSA), e, n) }
	n := append([]byte{0}, k.N.Bytes()...)
	for name, p := range map[string][]byte{
		"longer":           append(slices.Clone(wire["ed25519"]), 0),
		"cut short":        wire["ed25519"][:len(wire["ed25519"])-1],
		"another curve":    bytes.Replace(wire["p256"], []byte("\x08nistp256"), []byte("\x08nistp384"), 1),
		"not on the curve": append(slices.Clone(wire["p256"][:len(wire["p256"])-1]), wire["p256"][len(wire["p256"])-1]^1),
		"leading zeros":    rsaForm([]byte{1, 0, 1}, append([]byte{0}, n...)),
		"negative":         rsaForm([]byte{1, 0, 1}, n[1:]),
		"even exponent":    rsaForm([]byte{1, 0, 0}, n),
		"exponent 1":       rsaForm([]byte{1}, n),
		"too long":         rsaForm([]byte{1, 0, 1}, append([]byte{0}, bytes.Repeat([]byte{0xff}, 1025)...)),
		"no application":   newHardware(kindSKED25519).public[:len(newHardware(kindSKED25519).public)-8],
	} {
		if _, err := parseKey(p); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}
