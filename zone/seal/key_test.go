package seal

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

func Example() {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var seed [32]byte // of the example only; use crypto/rand.Reader
	key, err := GenerateKey("Zones <zones@nir.example>", now, 0, rand.NewChaCha8(seed))
	if err != nil {
		fmt.Println(err)
		return
	}
	zonelet := []byte("$ORIGIN .\n28.12.202.in-addr.arpa. NS ns1.nir.example.\n")
	sum := FormatMD5("202.in-addr.arpa-JPNIC", zonelet)
	sig, _ := key.Sign(zonelet, now)
	public, _ := key.Public()

	s, err := ParseMD5("202.in-addr.arpa-JPNIC.md5", sum, false)
	fmt.Println(err, s.Check("202.in-addr.arpa-JPNIC", md5.Sum(zonelet)))
	ring, _ := LoadKeyring("jpnic.asc", public)
	by, _, err := ring.Verify(zonelet, sig, Policy{File: "202.in-addr.arpa-JPNIC.asc", Now: now})
	fmt.Println(by.UserID, by.Algorithm, by.Hash, by.Form, err)
	_, _, err = ring.Verify(zonelet[1:], sig, Policy{File: "202.in-addr.arpa-JPNIC.asc", Now: now})
	fmt.Println(err.(*Error).Kind, err.(*Error).Mismatch())
	// Output:
	// <nil> <nil>
	// Zones <zones@nir.example> Ed25519 SHA512 detached <nil>
	// bad-signature true
}

func TestMadeTheSameEachTime(t *testing.T) {
	at := date(2025, 1, 1)
	a, b := testKey(t, "a", at, year), testKey(t, "a", at, year)
	for _, f := range []func(*Key) ([]byte, error){
		(*Key).Public, (*Key).Private,
		func(k *Key) ([]byte, error) { return k.Sign(zonelet, at.Add(time.Millisecond)) },
		func(k *Key) ([]byte, error) { err := k.Revoke(at); return must(k.Public())(t), err },
	} {
		if one, two := must(f(a))(t), must(f(b))(t); !bytes.Equal(one, two) {
			t.Errorf("made twice:\n%s\n%s", one, two)
		}
	}
	if testKey(t, "b", at, year).Fingerprint() == a.Fingerprint() {
		t.Error("two seeds, one key")
	}
}

func TestGenerateKeyRefuses(t *testing.T) {
	at := date(2025, 1, 1)
	for _, c := range []struct {
		user     string
		lifetime time.Duration
		rand     io.Reader
	}{
		{"", 0, rand.NewChaCha8([32]byte{})},
		{"a\x00b", 0, rand.NewChaCha8([32]byte{})},
		{"a", time.Millisecond, rand.NewChaCha8([32]byte{})},
		{"a", -time.Hour, rand.NewChaCha8([32]byte{})},
		{"a", 200 * year, rand.NewChaCha8([32]byte{})},
		{"a", 0, bytes.NewReader(make([]byte, 16))},
	} {
		if k, err := GenerateKey(c.user, at, c.lifetime, c.rand); err == nil || !strings.HasPrefix(err.Error(), "making key") {
			t.Errorf("%+v: %v, %v", c, k, err)
		}
	}
}

func TestPrivateThereAndBack(t *testing.T) {
	k := testKey(t, "a", date(2025, 1, 1), year)
	secret := must(k.Private())(t)
	again := must(ParseKey("key.asc", secret, nil))(t)
	if !bytes.Equal(must(again.Private())(t), secret) || !bytes.Equal(must(again.Public())(t), must(k.Public())(t)) {
		t.Error("read and written, the key is another")
	}
	at := date(2025, 2, 1)
	if !bytes.Equal(must(again.Sign(zonelet, at))(t), must(k.Sign(zonelet, at))(t)) {
		t.Error("read, the key signs differently")
	}
	if !bytes.Equal(must(must(ParseKey("key.gpg", binaryOf(t, secret), nil))(t).Private())(t), secret) {
		t.Error("read from binary, the key is another")
	}
}

// A secret gets into no log.
func TestKeyPrintsAsFingerprint(t *testing.T) {
	k := testKey(t, "a", date(2025, 1, 1), year)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		for _, v := range []any{k, *k} {
			if got := fmt.Sprintf(verb, v); got != k.Fingerprint() {
				t.Errorf("%s prints %q", verb, got)
			}
		}
	}
}

func TestParseKeyRefuses(t *testing.T) {
	at := date(2025, 1, 1)
	a, b := testKey(t, "a", at, 0), testKey(t, "b", at, 0)
	secret := must(a.Private())(t)
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "no OpenPGP key"},
		{"public", must(a.Public())(t), "holds a public key"},
		{"two keys", append(bytes.Clone(secret), must(b.Private())(t)...), "more than one"},
		{"cut", secret[:len(secret)/2], "no end line"},
		{"cut binary", binaryOf(t, secret)[:30], "reading key"},
		{"a signature", must(a.Sign(zonelet, at))(t), "reading key"},
		{"too large", make([]byte, MaxKeyring+1), "at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := ParseKey("key.asc", c.data, nil); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "key.asc: ") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// What we make, GnuPG takes.
func TestGPGTakesWhatWeMake(t *testing.T) {
	g := newGPG(t)
	at := date(2025, 1, 1)
	k, expired, revoked := testKey(t, "a", at, 0), testKey(t, "b", at, year), testKey(t, "c", at, 0)
	sigs := [][]byte{}
	for _, one := range []*Key{k, expired, revoked} {
		sigs = append(sigs, must(one.Sign(zonelet, at))(t))
	}
	if err := revoked.Revoke(date(2025, 3, 1)); err != nil {
		t.Fatal(err)
	}
	for _, one := range []*Key{k, expired, revoked} {
		g.run(at, must(one.Public())(t), "--import")
	}
	now := date(2026, 6, 1)
	for i, want := range []string{"GOODSIG", "EXPKEYSIG", "REVKEYSIG"} {
		if got := g.verify(now, zonelet, sigs[i]); got != want {
			t.Errorf("gpg says %s, want %s", got, want)
		}
	}
	if got := g.verify(now, zonelet[1:], sigs[0]); got != "BADSIG" {
		t.Errorf("gpg says %s of other octets", got)
	}
	late := signAnyway(t, expired, zonelet, now)
	if got := g.verify(now, zonelet, late); got != "EXPKEYSIG" {
		t.Errorf("gpg says %s of a key that had expired when it signed", got)
	}
	// The secret key, too: GnuPG signs with it and we take that.
	g.run(at, must(k.Private())(t), "--import")
	sig := g.run(at, zonelet, "--local-user", k.Fingerprint(), "--armor", "--detach-sign")
	if _, _, err := ringOf(t, k).Verify(zonelet, sig, Policy{Now: now}); err != nil {
		t.Error(err)
	}
}

// What GnuPG exports, we sign with.
func TestSignWithKeysOfGPG(t *testing.T) {
	g := newGPG(t)
	at, now := date(2025, 1, 1), date(2025, 6, 1)
	for _, alg := range []string{"rsa2048", "ed25519", "nistp256", "nistp384", "nistp521", "brainpoolP256r1"} {
		g.key(alg, alg, "sign,cert", at, "never")
	}
	sub := g.key("sub", "rsa2048", "cert", at, "never")
	g.run(at, nil, "--quick-add-key", sub, "ed25519", "sign", "never")
	g.run(at, nil, "--quick-add-key", sub, "rsa2048", "encr", "never")
	locked := g.key("locked", "ed25519", "sign,cert", at, "never")
	pass := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(pass, []byte("sesame"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, export string
		same         bool
	}{
		{"rsa2048", "--export-secret-keys", true},
		{"ed25519", "--export-secret-keys", true},
		{"nistp256", "--export-secret-keys", true},
		{"nistp384", "--export-secret-keys", true},
		{"nistp521", "--export-secret-keys", true},
		{"brainpoolP256r1", "--export-secret-keys", false},
		{"sub", "--export-secret-keys", true},
		{"sub", "--export-secret-subkeys", true},
	} {
		t.Run(c.name+c.export, func(t *testing.T) {
			k := must(ParseKey("key.asc", g.run(at, nil, "--armor", c.export, c.name), nil))(t)
			sig := must(k.Sign(zonelet, now))(t)
			if got := g.verify(now, zonelet, sig); got != "GOODSIG" {
				t.Errorf("gpg says %s", got)
			}
			if _, _, err := ringOf(t, k).Verify(zonelet, sig, Policy{Now: now}); err != nil {
				t.Error(err)
			}
			if again := must(k.Sign(zonelet, now))(t); c.same && !bytes.Equal(sig, again) {
				t.Error("signed twice, differently")
			}
		})
	}
	t.Run("passphrase", func(t *testing.T) {
		secret := g.run(at, nil, "--armor", "--export-secret-keys", locked)
		e := must(ParseKey("key.asc", secret, nil))(t)
		conf := makeConfig(at, rand.NewChaCha8([32]byte{}))
		if err := e.entity.EncryptPrivateKeys([]byte("sesame"), conf); err != nil {
			t.Fatal(err)
		}
		secret = must(armoured("PRIVATE KEY BLOCK", e.writePrivate))(t)
		if _, err := ParseKey("key.asc", secret, nil); err == nil || !strings.Contains(err.Error(), "passphrase") {
			t.Errorf("without: %v", err)
		}
		if _, err := ParseKey("key.asc", secret, []byte("open")); err == nil || !strings.Contains(err.Error(), "does not fit") {
			t.Errorf("wrong: %v", err)
		}
		k := must(ParseKey("key.asc", secret, []byte("sesame")))(t)
		if got := g.verify(now, zonelet, must(k.Sign(zonelet, now))(t)); got != "GOODSIG" {
			t.Errorf("gpg says %s", got)
		}
		if k := must(ParseKey("key.asc", must(k.Private())(t), nil))(t); k.signer.Encrypted {
			t.Error("Private wrote a locked key")
		}
	})
	t.Run("dsa", func(t *testing.T) {
		fpr := g.key("dsa", "dsa1024", "sign,cert", at, "never")
		if _, err := ParseKey("key.asc", g.run(at, nil, "--armor", "--export-secret-keys", fpr), nil); err == nil || !strings.Contains(err.Error(), "DSA-1024 is not accepted") {
			t.Errorf("got %v", err)
		}
	})
}

// A subkey whose binding says nothing of signing must not sign: anybody's key
// can be bound so.
func TestSubkeyWithoutFlag(t *testing.T) {
	at := date(2025, 1, 1)
	k := testKey(t, "a", at, 0)
	if err := k.entity.AddSigningSubkey(makeConfig(at, rand.NewChaCha8([32]byte{1}))); err != nil {
		t.Fatal(err)
	}
	k = must(ParseKey("key.asc", must(k.Private())(t), nil))(t)
	sub := &k.entity.Subkeys[0]
	if k.signer != sub.PrivateKey {
		t.Fatal("the subkey is not the one to sign")
	}
	sig := must(k.Sign(zonelet, at))(t)
	verify := func() error {
		_, _, err := ringOf(t, k).Verify(zonelet, sig, Policy{Now: at})
		return err
	}
	if err := verify(); err != nil {
		t.Error(err)
	}
	binding := sub.Bindings[0].Packet
	rebind := func(change func(*packet.Signature)) {
		change(binding)
		if err := binding.SignKey(sub.PublicKey, k.entity.PrivateKey, makeConfig(at, nil)); err != nil {
			t.Fatal(err)
		}
	}
	rebind(func(s *packet.Signature) { s.EmbeddedSignature = nil })
	if err := verify(); kindOf(err) != Unsupported || !strings.Contains(err.Error(), "back signature") {
		t.Errorf("without back signature: %v", err)
	}
	rebind(func(s *packet.Signature) { s.FlagSign, s.FlagEncryptStorage = false, true })
	if err := verify(); kindOf(err) != Unsupported || !strings.Contains(err.Error(), "flagged") {
		t.Errorf("for encryption: %v", err)
	}
	rebind(func(s *packet.Signature) { s.FlagsValid = false })
	if err := verify(); kindOf(err) != Unsupported {
		t.Errorf("without flags: %v", err)
	}
}

// The forms that RFC 9580 added, which GnuPG 2.2 does not read.
func TestKeysOfRFC9580(t *testing.T) {
	at := date(2025, 1, 1)
	for _, c := range []struct {
		name   string
		change func(*packet.Config)
		want   string
		kind   Kind
	}{
		{"version 4 Ed25519", func(c *packet.Config) { c.Algorithm = packet.PubKeyAlgoEd25519 }, "Ed25519", 0},
		{"version 4 Ed448", func(c *packet.Config) { c.Algorithm = packet.PubKeyAlgoEd448 }, "Ed448", 0},
		{"version 6 Ed25519", func(c *packet.Config) { c.Algorithm, c.V6Keys = packet.PubKeyAlgoEd25519, true }, "Ed25519", 0},
		{"version 6 ML-DSA", func(c *packet.Config) { c.Algorithm, c.V6Keys = packet.PubKeyAlgoMldsa65Ed25519, true }, "", Weak},
	} {
		t.Run(c.name, func(t *testing.T) {
			conf := makeConfig(at, rand.NewChaCha8([32]byte{}))
			conf.KeyLifetimeSecs = uint32(year / time.Second)
			c.change(conf)
			e := must(openpgp.NewEntity("a", "", "", conf))(t)
			e.Subkeys = nil
			k := &Key{e, e.PrivateKey}
			ring, sig := ringOf(t, k), signAnyway(t, k, zonelet, at)
			s, _, err := ring.Verify(zonelet, sig, Policy{Now: at})
			if kindOf(err) != c.kind || s.Algorithm != c.want {
				t.Fatalf("got %+v, %v", s, err)
			}
			if err != nil {
				return
			}
			if s.UserID != "a" || len(s.Fingerprint) != len(fingerprint(e.PrimaryKey)) {
				t.Errorf("got %+v", s)
			}
			if _, _, err := ring.Verify(zonelet[1:], sig, Policy{Now: at}); kindOf(err) != BadSignature {
				t.Errorf("other octets: %v", err)
			}
			if _, _, err := ring.Verify(zonelet, sig, Policy{Now: date(2026, 2, 1)}); kindOf(err) != Expired {
				t.Errorf("expired: %v", err)
			}
			if err := k.Revoke(at); err != nil {
				t.Fatal(err)
			}
			if _, _, err := ringOf(t, k).Verify(zonelet, sig, Policy{Now: at}); kindOf(err) != Revoked {
				t.Errorf("revoked: %v", err)
			}
		})
	}
}

// An owner's user ids: the one that speaks, on one line.
func TestUserIDs(t *testing.T) {
	at := date(2025, 1, 1)
	k := testKey(t, "b", at, 0)
	name := func(now time.Time) string {
		sig := signAnyway(t, k, zonelet, now)
		s, _, err := ringOf(t, k).Verify(zonelet, sig, Policy{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		return s.UserID
	}
	add := func(id string, at time.Time) {
		if err := k.entity.AddUserId(id, "", "", makeConfig(at, nil)); err != nil {
			t.Fatal(err)
		}
	}
	add("a", at)
	add("c", at.Add(year))
	for _, now := range []time.Time{at, at.Add(year)} {
		if got := name(now); got != "b <b@nir.example>" {
			t.Errorf("the one marked primary is %q", got)
		}
	}
	delete(k.entity.Identities, "b <b@nir.example>")
	if got := name(at); got != "a" {
		t.Errorf("the only one there is yet is %q", got)
	}
	if got := name(at.Add(year)); got != "c" {
		t.Errorf("the newest is %q", got)
	}
	delete(k.entity.Identities, "c")
	delete(k.entity.Identities, "a")
	add("x\n\x1b[31m"+strings.Repeat("é", 200), at)
	if got := name(at); !strings.HasPrefix(got, "x??[31mé") || len(got) > 210 {
		t.Errorf("unprintable: %q", got)
	}
}

func TestTooManySubkeys(t *testing.T) {
	at := date(2025, 1, 1)
	k := testKey(t, "a", at, 0)
	for i := range MaxSubkeys + 1 {
		if i == MaxSubkeys {
			ringOf(t, k)
		}
		if err := k.entity.AddSigningSubkey(makeConfig(at, rand.NewChaCha8([32]byte{byte(i)}))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := LoadKeyring("k", must(k.Public())(t)); err == nil || !strings.Contains(err.Error(), "more than 32 subkeys") {
		t.Errorf("got %v", err)
	}
}

// A primary key signs unless its flags say that it does not.
func TestPrimaryFlags(t *testing.T) {
	at := date(2025, 1, 1)
	k := testKey(t, "a", at, 0)
	id := k.entity.Identities["a <a@nir.example>"]
	self := id.SelfCertifications[0].Packet
	for _, c := range []struct {
		valid, sign bool
		want        Kind
	}{{true, true, 0}, {false, false, 0}, {true, false, Unsupported}} {
		self.FlagsValid, self.FlagSign, self.FlagCertify = c.valid, c.sign, c.valid
		if err := self.SignUserId(id.Name, k.entity.PrimaryKey, k.signer, makeConfig(at, nil)); err != nil {
			t.Fatal(err)
		}
		sig := signAnyway(t, k, zonelet, at)
		if _, _, err := ringOf(t, k).Verify(zonelet, sig, Policy{Now: at}); kindOf(err) != c.want {
			t.Errorf("%+v: %v", c, err)
		}
		if _, err := ParseKey("key.asc", must(k.Private())(t), nil); (err == nil) != (c.want == 0) {
			t.Errorf("%+v: reading it to sign with: %v", c, err)
		}
	}
}

// A self-signature that somebody else made in the key's name counts for
// nothing: neither does it prolong a key nor does it make one.
func TestForgedSelfSignature(t *testing.T) {
	at := date(2025, 1, 1)
	k, other := testKey(t, "a", at, year), testKey(t, "b", at, 0)
	id := k.entity.Identities["a <a@nir.example>"]
	sig := signAnyway(t, k, zonelet, at)
	forged := *id.SelfCertifications[0].Packet
	forged.KeyLifetimeSecs, forged.CreationTime = nil, at.Add(time.Hour)
	forger := *other.signer
	forger.PublicKey.Fingerprint, forger.PublicKey.KeyId = k.signer.Fingerprint, k.signer.KeyId
	if err := forged.SignUserId(id.Name, k.entity.PrimaryKey, &forger, makeConfig(at, nil)); err != nil {
		t.Fatal(err)
	}
	genuine := id.SelfCertifications
	for _, c := range []struct {
		self []*packet.VerifiableSignature
		want Kind
	}{
		{genuine, Expired},
		{append(slices.Clone(genuine), packet.NewVerifiableSig(&forged)), Expired},
		{[]*packet.VerifiableSignature{packet.NewVerifiableSig(&forged)}, Unsupported},
	} {
		id.SelfCertifications = c.self
		if _, _, err := ringOf(t, k).Verify(zonelet, sig, Policy{Now: at.Add(2 * year)}); kindOf(err) != c.want {
			t.Errorf("with %d self-signatures: %v", len(c.self), err)
		}
	}
}
