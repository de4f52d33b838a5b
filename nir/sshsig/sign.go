package sshsig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"strings"
)

// signHash is the hash of what this package signs, as ssh-keygen has it.
const signHash = "sha512"

// Sign signs a message for a namespace with a key that is at hand: ed25519, ecdsa
// or rsa (with rsa-sha2-512).
func Sign(random io.Reader, key crypto.Signer, namespace string, message []byte) (string, error) {
	public, err := publicOfSigner(key.Public())
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	k, err := parseKey(public)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	blob, err := k.sign(random, key, Blob(namespace, message))
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return Armor(public, namespace, appendStrings(nil, []byte(algorithms[k.kind][0]), blob))
}

// publicOfSigner returns the wire form of a public key.
func publicOfSigner(public crypto.PublicKey) ([]byte, error) {
	switch p := public.(type) {
	case ed25519.PublicKey:
		return appendStrings(nil, []byte(kindED25519), p), nil
	case *rsa.PublicKey:
		return appendMpint(appendMpint(appendString(nil, []byte(kindRSA)), big.NewInt(int64(p.E))), p.N), nil
	case *ecdsa.PublicKey:
		for _, kind := range []string{kindECDSA256, kindECDSA384, kindECDSA521} {
			if c := curves[kind]; c.curve == p.Curve {
				point, err := p.Bytes()
				return appendStrings(nil, []byte(kind), []byte(c.name), point), err
			}
		}
	}
	return nil, fmt.Errorf("a key of type %T: use ed25519, ecdsa or rsa", public)
}

// sign has the key sign data, and returns the signature as SSH has it on the wire.
func (k *publicKey) sign(random io.Reader, key crypto.Signer, data []byte) ([]byte, error) {
	hash := crypto.Hash(0)
	switch {
	case k.rsa != nil:
		hash = crypto.SHA512
	case k.ecdsa != nil:
		hash = curves[k.kind].hash
	}
	if hash != 0 {
		h := hash.New()
		h.Write(data)
		data = h.Sum(nil)
	}
	sig, err := key.Sign(random, data, hash)
	if err != nil || k.ecdsa == nil {
		return sig, err
	}
	var n struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(sig, &n); err != nil {
		return nil, fmt.Errorf("the key's answer: %w", err)
	}
	return appendMpint(appendMpint(nil, n.R), n.S), nil
}

// Blob returns what a key elsewhere has to sign for a message, such as one that
// an agent holds: for RSA with rsa-sha2-512. [Armor] makes the signature of the
// answer.
func Blob(namespace string, message []byte) []byte { return toSign(namespace, signHash, message) }

// Armor returns the signature in the form of ssh-keygen: of a public key and of
// its signature over [Blob], both as SSH has them on the wire. It refuses what
// [Parse] would.
func Armor(public []byte, namespace string, signature []byte) (string, error) {
	b := body{Version: 1, Key: public, Namespace: namespace, Hash: signHash, Signature: signature}
	text := armor(b.marshal())
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
