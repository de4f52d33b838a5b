package nir

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"nirzone/nir/inr"
	"nirzone/nir/sshsig"
)

// keyOf is the key of a person of the tests.
func keyOf(t testing.TB, name string) crypto.Signer {
	t.Helper()
	h := fnv.New64()
	h.Write([]byte(name))
	_, k, err := ed25519.GenerateKey(rand.NewChaCha8([32]byte(fmt.Appendf(nil, "%032x", h.Sum64())[:32])))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// signers are people who approve, in the list's own form.
func signers(t testing.TB, names ...string) Verifier {
	t.Helper()
	var b strings.Builder
	for _, n := range names {
		p, err := ssh.NewPublicKey(keyOf(t, n).Public())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s namespaces=%q %s %s\n", n, sshsig.Namespace(string(Approver)), p.Type(), base64.StdEncoding.EncodeToString(p.Marshal()))
	}
	s, err := sshsig.ParseSigners("signers", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return sshsig.Roles[Role]{Signers: s}
}

func signed(t testing.TB, name string, p Proposal) string {
	t.Helper()
	s, err := sshsig.Sign(nil, keyOf(t, name), sshsig.Namespace(string(Approver)), p.Text())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hostmaster is staff of the regional registry.
func hostmaster(at time.Time) Actor {
	return Actor{Name: "hostmaster", Roles: []Role{RegistryStaff}, At: at, Reason: "test"}
}

// approving is a registry with a world in which anna and ben approve.
func approving(t testing.TB) *DB {
	t.Helper()
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	return approvingIn(t, db)
}

func approvingIn(t testing.TB, db *DB) *DB {
	t.Helper()
	db.o.Signers = signers(t, "anna", "ben", "hostmaster", "staff")
	world(t, db)
	return db
}

// opinion asks for a second opinion.
func opinion(ref, uid string, size Size) Ask {
	a := ask(ref, uid, inr.IPv4, size)
	a.Act, a.Attested, a.Justification, a.Assessment = SecondOpinionAct, false, "two new cities", "we agree"
	return a
}

func sendIn(t testing.TB, db *DB, a Actor, q Ask) Request {
	t.Helper()
	var r Request
	update(t, db, a, func(x *Tx) (err error) { r, err = x.Submit(q); return err })
	return r
}

func do(db *DB, a Actor, fn func(*Tx) error) error { return db.Update(context.Background(), a, fn) }

func wantCode(t testing.TB, err error, c Code, part string) {
	t.Helper()
	if CodeOf(err) != c || !strings.Contains(fmt.Sprint(err), part) {
		t.Errorf("%q: %v; want %q with %q", CodeOf(err), err, c, part)
	}
}
