package sshsig

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
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
	maxRSA     = 8192
	lineLength = 70 // as ssh-keygen breaks them
)

// A Signature is one that was read; nothing is known yet of what it signs.
type Signature struct {
	Namespace string // that it says it was made for
	hash      string
	key       *publicKey
	sig       *keySignature
}

// body are the wire form after the six octets of magic.
type body struct {
	Version   uint32
	Key       []byte
	Namespace string
	Reserved  string
	Hash      string
	Signature []byte
}

func parseBody(wire []byte) (b body, ok bool) {
	r := reader{rest: wire}
	b = body{Version: r.uint32(), Key: r.string(), Namespace: string(r.string()), Reserved: string(r.string()), Hash: string(r.string()), Signature: r.string()}
	return b, r.whole()
}

func (b *body) marshal() []byte {
	wire := binary.BigEndian.AppendUint32([]byte(magic), b.Version)
	return appendStrings(wire, b.Key, []byte(b.Namespace), []byte(b.Reserved), []byte(b.Hash), b.Signature)
}

// The types of keys, and the algorithms of RSA signatures.
const (
	kindED25519    = "ssh-ed25519"
	kindECDSA256   = "ecdsa-sha2-nistp256"
	kindECDSA384   = "ecdsa-sha2-nistp384"
	kindECDSA521   = "ecdsa-sha2-nistp521"
	kindRSA        = "ssh-rsa"
	kindSKED25519  = "sk-ssh-ed25519@openssh.com"
	kindSKECDSA256 = "sk-ecdsa-sha2-nistp256@openssh.com"

	algRSA512 = "rsa-sha2-512"
	algRSA256 = "rsa-sha2-256"
)

// algorithms are those of signatures by the type of key; the first is what [Sign]
// uses.
var algorithms = map[string][]string{
	kindED25519:    {kindED25519},
	kindECDSA256:   {kindECDSA256},
	kindECDSA384:   {kindECDSA384},
	kindECDSA521:   {kindECDSA521},
	kindRSA:        {algRSA512, algRSA256},
	kindSKED25519:  {kindSKED25519},
	kindSKECDSA256: {kindSKECDSA256},
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
	b, ok := parseBody([]byte(rest))
	if !ok {
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
	s := &Signature{Namespace: b.Namespace, hash: b.Hash}
	if s.key, err = parseKey(b.Key); err != nil {
		return nil, err
	}
	r := reader{rest: b.Signature}
	s.sig = &keySignature{format: string(r.string()), blob: r.string()}
	if s.sig.rest = r.rest; r.bad {
		return nil, errors.New("the signature in it is cut short or too long")
	}
	if allowed := algorithms[s.key.kind]; !slices.Contains(allowed, s.sig.format) {
		return nil, fmt.Errorf("its algorithm is %.40q: a key of type %s has to use %s", s.sig.format, s.key.kind, strings.Join(allowed, " or "))
	}
	if !s.key.hardware() && len(s.sig.rest) > 0 {
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
	return appendStrings([]byte(magic), []byte(namespace), nil, []byte(hash), h.Sum(nil))
}

// Fingerprint returns the key's fingerprint as "ssh-keygen -l" shows it:
// SHA256:… .
func (s *Signature) Fingerprint() string { return s.key.fingerprint() }

// Verify checks that the signature was made for a namespace over a message by the
// key in it. Whose key that is says the list of signers.
func (s *Signature) Verify(namespace string, message []byte) error {
	if s.Namespace != namespace {
		return fmt.Errorf("the signature was made for %.60q, not for %q: sign with ssh-keygen -Y sign -n %s", s.Namespace, namespace, namespace)
	}
	if err := s.key.verify(toSign(namespace, s.hash, message), s.sig); err != nil {
		return fmt.Errorf("the signature by %s does not fit the text: %w", s.Fingerprint(), err)
	}
	return nil
}
