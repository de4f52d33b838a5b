package sshsig

import (
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/ssh"
)

// signHash is the hash of what this package signs, as ssh-keygen has it.
const signHash = "sha512"

// Sign signs a message for a namespace with a key that is at hand: ed25519, ecdsa
// or rsa (with rsa-sha2-512).
func Sign(random io.Reader, key crypto.Signer, namespace string, message []byte) (string, error) {
	s, err := ssh.NewSignerFromSigner(key)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	public := s.PublicKey().Marshal()
	if _, err := parseKey(public); err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	a, ok := s.(ssh.AlgorithmSigner)
	if !ok {
		return "", errors.New("signing: the key cannot say how it signs")
	}
	sig, err := a.SignWithAlgorithm(random, Blob(namespace, message), algorithms[s.PublicKey().Type()][0])
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return Armor(public, namespace, ssh.Marshal(sig))
}

// Blob returns what a key elsewhere has to sign for a message, such as one that
// an agent holds: for RSA with rsa-sha2-512. [Armor] makes the signature of the
// answer.
func Blob(namespace string, message []byte) []byte { return toSign(namespace, signHash, message) }

// Armor returns the signature in the form of ssh-keygen: of a public key and of
// its signature over [Blob], both as SSH has them on the wire. It refuses what
// [Parse] would.
func Armor(public []byte, namespace string, signature []byte) (string, error) {
	wire := append([]byte(magic), ssh.Marshal(body{Version: 1, Key: public, Namespace: namespace, Hash: signHash, Signature: signature})...)
	text := armor(wire)
	if _, err := Parse(text); err != nil {
		return "", err
	}
	return text, nil
}

func armor(wire []byte) string {
	var b strings.Builder
	b.WriteString(begin + "\n")
	text := base64.StdEncoding.EncodeToString(wire)
	for len(text) > lineLength {
		b.WriteString(text[:lineLength] + "\n")
		text = text[lineLength:]
	}
	b.WriteString(text + "\n" + end + "\n")
	return b.String()
}
