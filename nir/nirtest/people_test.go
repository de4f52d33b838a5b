package nirtest

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"nirzone/nir"
	"nirzone/nir/sshsig"
)

// people are those who sign, each with a key of their own.
var people = []string{"admin", "hostmaster", "anna", "ben"}

func keyOf(name string) ed25519.PrivateKey {
	seed := [32]byte{}
	copy(seed[:], name)
	_, k, err := ed25519.GenerateKey(rand.NewChaCha8(seed))
	if err != nil {
		panic(err) // the source of randomness has no end
	}
	return k
}

// signers are the people, as the list of signers has them: for every role.
func signers(t testing.TB) nir.Verifier {
	t.Helper()
	var b strings.Builder
	for _, name := range people {
		p, err := ssh.NewPublicKey(keyOf(name).Public())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s namespaces=\"%s,%s\" %s %s\n", name, sshsig.Namespace(string(nir.Approver)), sshsig.Namespace(string(nir.RegistryStaff)),
			p.Type(), base64.StdEncoding.EncodeToString(p.Marshal()))
	}
	s, err := sshsig.ParseSigners("signers", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return sshsig.Roles[nir.Role]{Signers: s}
}

// signature is somebody's over a proposal, made away from the registry.
func (k *machine) signature(who, hash string, role nir.Role) string {
	var p nir.Proposal
	err := k.db.View(context.Background(), func(v *nir.View) (err error) {
		p, err = v.Proposal(hash)
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
	s, err := sshsig.Sign(nil, keyOf(who), sshsig.Namespace(string(role)), p.Text())
	if err != nil {
		k.t.Fatal(err)
	}
	return s
}

func hostmaster(at time.Time) nir.Actor {
	return nir.Actor{Name: "hostmaster", Roles: []nir.Role{nir.RegistryStaff}, At: at, Reason: "test"}
}

// machineOptions are those of a registry in which people sign, and quarantine is
// short.
func machineOptions(t testing.TB) nir.Options {
	o := options()
	o.Rules, o.Signers = nir.DefaultRules(), signers(t)
	o.Rules.QuarantineDays = quarantineDays
	return o
}
