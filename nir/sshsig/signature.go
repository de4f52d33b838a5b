package sshsig

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Namespace returns the namespace of signatures that are given in a role:
// approver@nirzone for approver.
func Namespace(role string) string { return role + "@nirzone" }

const (
	magic = "SSHSIG"
	begin = "-----BEGIN SSH SIGNATURE-----"
	end   = "-----END SSH SIGNATURE-----"

	maxArmored = 16 << 10 // an RSA key and signature of 8192 bits need 3 KiB
	minRSA     = 2048
	lineLength = 70 // as ssh-keygen breaks them
)

// A Signature is one that was read; nothing is known yet of what it signs.
type Signature struct {
	Namespace string // that it says it was made for
	hash      string
	key       ssh.PublicKey
	sig       *ssh.Signature
}

// preamble and body are the wire form after the six octets of magic.
type body struct {
	Version   uint32
	Key       []byte
	Namespace string
	Reserved  string
	Hash      string
	Signature []byte
}

// signed is what the key signs, after the six octets of magic.
type signed struct {
	Namespace string
	Reserved  string
	Hash      string
	Digest    []byte
}

// algorithms are those of signatures by the type of key.
var algorithms = map[string][]string{
	ssh.KeyAlgoED25519:   {ssh.KeyAlgoED25519},
	ssh.KeyAlgoECDSA256:  {ssh.KeyAlgoECDSA256},
	ssh.KeyAlgoECDSA384:  {ssh.KeyAlgoECDSA384},
	ssh.KeyAlgoECDSA521:  {ssh.KeyAlgoECDSA521},
	ssh.KeyAlgoRSA:       {ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256},
	ssh.KeyAlgoSKED25519: {ssh.KeyAlgoSKED25519},
	ssh.KeyAlgoSKECDSA256: {
		ssh.KeyAlgoSKECDSA256,
	},
}

// Parse reads an armoured signature. White space around it and within the base64
// is ignored, anything else is an error.
func Parse(armored string) (*Signature, error) {
	s, err := parse(armored)
	if err != nil {
		return nil, fmt.Errorf("reading an SSH signature: %w", err)
	}
	return s, nil
}

func parse(armored string) (*Signature, error) {
	wire, err := unarmor(armored)
	if err != nil {
		return nil, err
	}
	rest, ok := strings.CutPrefix(string(wire), magic)
	if !ok {
		return nil, errors.New("it does not begin with SSHSIG")
	}
	var b body
	if err := ssh.Unmarshal([]byte(rest), &b); err != nil {
		return nil, errors.New("it is cut short or too long")
	}
	switch {
	case b.Version != 1:
		return nil, fmt.Errorf("it is of version %d, version 1 is known", b.Version)
	case b.Reserved != "":
		return nil, errors.New("its reserved field is not empty, and nothing signs that")
	case b.Namespace == "":
		return nil, errors.New("it has no namespace")
	case newHash(b.Hash) == nil:
		return nil, fmt.Errorf("its hash is %.20q: not one of sha256, sha512", b.Hash)
	}
	s := &Signature{Namespace: b.Namespace, hash: b.Hash, sig: new(ssh.Signature)}
	if s.key, err = parseKey(b.Key); err != nil {
		return nil, err
	}
	if err := ssh.Unmarshal(b.Signature, s.sig); err != nil {
		return nil, errors.New("the signature in it is cut short or too long")
	}
	if allowed := algorithms[s.key.Type()]; !slices.Contains(allowed, s.sig.Format) {
		return nil, fmt.Errorf("its algorithm is %.40q: a key of type %s has to use %s", s.sig.Format, s.key.Type(), strings.Join(allowed, " or "))
	}
	if hardware := strings.HasPrefix(s.key.Type(), "sk-"); !hardware && len(s.sig.Rest) > 0 {
		return nil, errors.New("something follows the signature in it")
	}
	return s, nil
}

func unarmor(armored string) ([]byte, error) {
	if len(armored) > maxArmored {
		return nil, fmt.Errorf("it is longer than %d octets", maxArmored)
	}
	text, ok := strings.CutPrefix(strings.TrimSpace(armored), begin)
	if !ok {
		return nil, fmt.Errorf("it does not begin with %q", begin)
	}
	if text, ok = strings.CutSuffix(text, end); !ok {
		return nil, fmt.Errorf("it does not end with %q", end)
	}
	wire, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, fmt.Errorf("its base64: %w", err)
	}
	return wire, nil
}

// parseKey reads a public key and refuses what should sign nothing today.
func parseKey(wire []byte) (ssh.PublicKey, error) {
	k, err := ssh.ParsePublicKey(wire)
	if err != nil {
		return nil, errors.New("its key cannot be read")
	}
	if _, ok := algorithms[k.Type()]; !ok {
		return nil, fmt.Errorf("keys of type %.60q are not taken: use ed25519, ecdsa, rsa, or one of hardware (sk-)", k.Type())
	}
	if c, ok := k.(ssh.CryptoPublicKey); ok {
		if r, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && r.N.BitLen() < minRSA {
			return nil, fmt.Errorf("an RSA key of %d bits is too short: %d at least", r.N.BitLen(), minRSA)
		}
	}
	return k, nil
}

func newHash(name string) hash.Hash {
	switch name {
	case "sha256":
		return sha256.New()
	case "sha512":
		return sha512.New()
	}
	return nil
}

// toSign is what a key signs for a message.
func toSign(namespace, hash string, message []byte) []byte {
	h := newHash(hash)
	h.Write(message)
	return append([]byte(magic), ssh.Marshal(signed{Namespace: namespace, Hash: hash, Digest: h.Sum(nil)})...)
}

// Fingerprint returns the key's fingerprint as "ssh-keygen -l" shows it:
// SHA256:… .
func (s *Signature) Fingerprint() string { return ssh.FingerprintSHA256(s.key) }

// Verify checks that the signature was made for a namespace over a message by the
// key in it. Whose key that is says the list of signers.
func (s *Signature) Verify(namespace string, message []byte) error {
	if s.Namespace != namespace {
		return fmt.Errorf("the signature was made for %.60q, not for %q: sign with ssh-keygen -Y sign -n %s", s.Namespace, namespace, namespace)
	}
	if err := s.key.Verify(toSign(namespace, s.hash, message), s.sig); err != nil {
		return fmt.Errorf("the signature by %s does not fit the text: %w", s.Fingerprint(), err)
	}
	return nil
}
