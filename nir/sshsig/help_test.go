package sshsig

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"nirzone/fixtures/peers"
)

var (
	text = []byte("{\n  \"op\": \"second-opinion.approve\"\n}\n")
	now  = time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)
	role = Namespace("approver")
)

// keys are one of each kind that signs without hardware.
var keys = sync.OnceValue(func() map[string]crypto.Signer {
	random := rand.NewChaCha8([32]byte{1})
	list := map[string]crypto.Signer{}
	_, ed, err := ed25519.GenerateKey(random)
	if err != nil {
		panic(err)
	}
	list["ed25519"] = ed
	for name, c := range map[string]elliptic.Curve{"p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521()} {
		if list[name], err = ecdsa.GenerateKey(c, random); err != nil {
			panic(err)
		}
	}
	if list["rsa"], err = rsa.GenerateKey(random, 2048); err != nil {
		panic(err)
	}
	return list
})

// a hardware key is one that signs as a FIDO token does (PROTOCOL.u2f).
type hardware struct {
	kind   string
	key    crypto.Signer
	public []byte
}

func newHardware(kind string) hardware {
	if kind == ssh.KeyAlgoSKED25519 {
		k := keys()["ed25519"]
		pub := k.Public().(ed25519.PublicKey)
		return hardware{kind, k, ssh.Marshal(struct {
			Kind        string
			Key         []byte
			Application string
		}{kind, pub, "ssh:"})}
	}
	k := keys()["p256"].(*ecdsa.PrivateKey)
	point, err := k.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return hardware{kind, k, ssh.Marshal(struct {
		Kind, Curve string
		Key         []byte
		Application string
	}{kind, "nistp256", point, "ssh:"})}
}

func (h hardware) sign(t testing.TB, message []byte, flags byte) []byte {
	t.Helper()
	app, digest := sha256.Sum256([]byte("ssh:")), sha256.Sum256(message)
	signed := append(append(app[:], flags, 0, 0, 0, 7), digest[:]...)
	var blob []byte
	if h.kind == ssh.KeyAlgoSKED25519 {
		blob = ed25519.Sign(h.key.(ed25519.PrivateKey), signed)
	} else {
		sum := sha256.Sum256(signed)
		r, s, err := ecdsa.Sign(rand.NewChaCha8([32]byte{3}), h.key.(*ecdsa.PrivateKey), sum[:])
		if err != nil {
			t.Fatal(err)
		}
		blob = ssh.Marshal(struct{ R, S *big.Int }{r, s})
	}
	return ssh.Marshal(ssh.Signature{Format: h.kind, Blob: blob, Rest: []byte{flags, 0, 0, 0, 7}})
}

func publicOf(t testing.TB, k crypto.Signer) string {
	t.Helper()
	p, err := ssh.NewPublicKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(p)))
}

func wireLine(kind string, wire []byte) string {
	return kind + " " + base64.StdEncoding.EncodeToString(wire)
}

// sshKeygen runs the real program, or skips.
func sshKeygen(t testing.TB, stdin []byte, args ...string) (string, error) {
	t.Helper()
	peers.Need(t, "ssh-keygen")
	cmd := exec.Command(peers.Path("ssh-keygen"), args...)
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "TZ=Australia/Brisbane", "SSH_AUTH_SOCK=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func write(t testing.TB, name string, data string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(data), mode); err != nil {
		t.Fatal(err)
	}
	return file
}
