package sshsig

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// FuzzParse: what is accepted has one form on the wire, and what it signs is
// never another text than the one it was made for.
func FuzzParse(f *testing.F) {
	for _, k := range keys() {
		armored, err := Sign(rand.NewChaCha8([32]byte{2}), k, role, text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(armored)
	}
	h := newHardware("sk-ssh-ed25519@openssh.com")
	armored, err := Armor(h.public, role, h.sign(f, Blob(role, text), 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(armored)
	f.Add(begin + "\n" + end)
	f.Fuzz(func(t *testing.T, in string) {
		s, err := Parse(in)
		if err != nil {
			return
		}
		wire, err := unarmor(in)
		if err != nil {
			t.Fatal(err)
		}
		again, err := unarmor(armor(wire))
		if err != nil || !slices.Equal(wire, again) {
			t.Errorf("%x is armoured as %x, %v", wire, again, err)
		}
		if s.Verify(role, []byte("no key signed this")) == nil {
			t.Error("a forgery")
		}
	})
}

// FuzzParseSigners: a list that is accepted names one person for a key, and lets
// nobody sign without a namespace.
func FuzzParseSigners(f *testing.F) {
	public := publicOf(f, keys()["ed25519"])
	for _, line := range []string{
		`anna namespaces="approver@nirzone" ` + public,
		`anna,b@c namespaces="*@nirzone,!admin@nirzone",valid-after="20260101Z",valid-before="202612312359Z" ` + public + " comment",
		"# comment\n\nanna " + public,
		`a cert-authority ` + public,
		`a namespaces="`,
	} {
		f.Add(line)
	}
	armored, err := Sign(nil, keys()["ed25519"], role, text)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := ParseSigners("f", []byte(in))
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				if !strings.HasPrefix(line, "f:") {
					t.Errorf("a mistake without file and line: %q", line)
				}
			}
			return
		}
		who, _, err := s.Verify(role, text, armored, now)
		if err == nil && (!strings.Contains(in, who) || !slices.Contains(s.Names(role, now), who)) {
			t.Errorf("%q signed by %q", in, who)
		}
		for _, l := range s.lines {
			if len(l.namespaces) == 0 || len(l.principals) == 0 || l.key == nil {
				t.Errorf("%q: %+v", in, l)
			}
		}
	})
}

// FuzzAgainstLibrary: a key and a signature that are taken here are the same to
// another implementation, and it says the same of whether they fit.
func FuzzAgainstLibrary(f *testing.F) {
	for _, k := range keys() {
		armored, err := Sign(rand.NewChaCha8([32]byte{2}), k, role, text)
		if err != nil {
			f.Fatal(err)
		}
		seed(f, armored)
	}
	for _, kind := range []string{kindSKED25519, kindSKECDSA256} {
		h := newHardware(kind)
		for _, flags := range []byte{1, 5} {
			armored, err := Armor(h.public, role, h.sign(f, Blob(role, text), flags))
			if err != nil {
				f.Fatal(err)
			}
			seed(f, armored)
		}
	}
	f.Fuzz(func(t *testing.T, key, sig, data []byte) {
		b := body{Version: 1, Key: key, Namespace: role, Hash: signHash, Signature: sig}
		s, err := Parse(armor(b.marshal()))
		if err != nil {
			return
		}
		theirs, err := ssh.ParsePublicKey(key)
		if err != nil || !slices.Equal(theirs.Marshal(), s.key.wire) || ssh.FingerprintSHA256(theirs) != s.Fingerprint() {
			t.Fatalf("the key %x: %v", key, err)
		}
		var other ssh.Signature
		if err := ssh.Unmarshal(sig, &other); err != nil {
			t.Fatalf("the signature %x: %v", sig, err)
		}
		if ours, theirs := s.key.verify(data, s.sig), theirs.Verify(data, &other); (ours == nil) != (theirs == nil) {
			t.Errorf("%x of %x: %v here, %v there", sig, key, ours, theirs)
		}
	})
}

// seed adds a signature that fits, and that it does not fit something else.
func seed(f *testing.F, armored string) {
	s, err := Parse(armored)
	if err != nil {
		f.Fatal(err)
	}
	sig := append(appendStrings(nil, []byte(s.sig.format), s.sig.blob), s.sig.rest...)
	f.Add(s.key.wire, sig, Blob(role, text))
	f.Add(s.key.wire, sig, Blob(role, nil))
}
