package seal

import (
	"bytes"
	"crypto"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"nirzone/zone"
)

// testKey makes the same key for the same name every time.
func testKey(t testing.TB, name string, made time.Time, lifetime time.Duration) *Key {
	t.Helper()
	var seed [32]byte
	copy(seed[:], name)
	k, err := GenerateKey(name+" <"+name+"@nir.example>", made, lifetime, rand.NewChaCha8(seed))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ringOf(t testing.TB, keys ...*Key) *Keyring {
	t.Helper()
	var file []byte
	for _, k := range keys {
		file = append(file, must(k.Public())(t)...)
	}
	return must(LoadKeyring("keys.asc", file))(t)
}

// signAnyway signs as a program would that looks at no date and no revocation.
func signAnyway(t testing.TB, k *Key, data []byte, at time.Time) []byte {
	t.Helper()
	return must(k.sign(data, at))(t)
}

const year = 365 * 24 * time.Hour

func TestExpiredWhenItSigned(t *testing.T) {
	k := testKey(t, "a", date(2025, 1, 1), year)
	if _, err := k.Sign(zonelet, date(2026, 2, 1)); kindOf(err) != Expired {
		t.Errorf("signing with an expired key: %v", err)
	}
	sig := signAnyway(t, k, zonelet, date(2026, 2, 1))
	ring, p := ringOf(t, k), Policy{Now: date(2026, 2, 2)}
	_, _, err := ring.Verify(zonelet, sig, p)
	if kindOf(err) != Expired {
		t.Fatalf("got %v", err)
	}
	wantDate(2026, 1, 1)(t, err.(*Error))
	for _, c := range []struct {
		fpr   string
		until time.Time
		want  Kind
	}{
		{k.Fingerprint(), date(2026, 3, 1), 0},
		{k.Fingerprint(), date(2026, 2, 2), Expired}, // Until is not in the future
		{strings.Repeat("0", 40), date(2026, 3, 1), Expired},
		{"", date(2026, 3, 1), Expired},
	} {
		p.Legacy = allow("expired", c.until, c.fpr)
		_, notices, err := ring.Verify(zonelet, sig, p)
		if kindOf(err) != c.want {
			t.Errorf("%+v: %v", c, err)
		}
		if err == nil && (len(notices) != 1 || notices[0].Code != "legacy-expired" || !strings.Contains(notices[0].Text, "2026-03-01")) {
			t.Errorf("notices %v", notices)
		}
	}
}

func TestRevokedIsNeverAllowed(t *testing.T) {
	k := testKey(t, "a", date(2025, 1, 1), 0)
	sig := must(k.Sign(zonelet, date(2025, 2, 1)))(t)
	if err := k.Revoke(date(2025, 3, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Sign(zonelet, date(2025, 3, 2)); kindOf(err) != Revoked {
		t.Errorf("signing with a revoked key: %v", err)
	}
	p := Policy{Now: date(2025, 2, 2), Legacy: allow("expired", date(2030, 1, 1), k.Fingerprint())}
	_, _, err := ringOf(t, k).Verify(zonelet, sig, p) // even before the day
	if kindOf(err) != Revoked {
		t.Fatalf("got %v", err)
	}
	wantDate(2025, 3, 1)(t, err.(*Error))
}

func TestSignedBeforeKeyWasMade(t *testing.T) {
	k := testKey(t, "a", date(2025, 1, 2), 0)
	sig := signAnyway(t, k, zonelet, date(2025, 1, 1))
	if _, _, err := ringOf(t, k).Verify(zonelet, sig, Policy{Now: date(2025, 2, 1)}); kindOf(err) != NotYetValid {
		t.Errorf("got %v", err)
	}
}

// A key made a few minutes ahead of our clock may sign at once.
func TestNewKeyWithinSkew(t *testing.T) {
	at := date(2025, 1, 1)
	k := testKey(t, "a", at, 0)
	sig := must(k.Sign(zonelet, at))(t)
	if _, _, err := ringOf(t, k).Verify(zonelet, sig, Policy{Now: at.Add(-Skew)}); err != nil {
		t.Error(err)
	}
}

func TestWindows(t *testing.T) {
	old, next := testKey(t, "old", date(2025, 1, 1), 0), testKey(t, "new", date(2025, 1, 1), 0)
	other := testKey(t, "other", date(2025, 1, 1), 0)
	ring := ringOf(t, old, next, other)
	windows := []zone.KeyWindow{
		{Fingerprint: old.Fingerprint(), Until: date(2025, 7, 1)},
		{Fingerprint: next.Fingerprint(), From: date(2025, 6, 1), Until: date(2025, 8, 1)},
		{Fingerprint: next.Fingerprint(), From: date(2025, 10, 1)},
	}
	for _, c := range []struct {
		key  *Key
		now  time.Time
		want Kind
		day  time.Time
	}{
		{old, date(2025, 5, 31), 0, time.Time{}},
		{next, date(2025, 5, 31), OutsideWindow, date(2025, 6, 1)},
		{old, date(2025, 6, 15), 0, time.Time{}}, // the overlap
		{next, date(2025, 6, 15), 0, time.Time{}},
		{next, date(2025, 6, 1), 0, time.Time{}},
		{old, date(2025, 7, 1), OutsideWindow, date(2025, 7, 1)},
		{next, date(2025, 7, 2), 0, time.Time{}},
		{next, date(2025, 9, 1), OutsideWindow, date(2025, 10, 1)}, // between two windows
		{next, date(2025, 11, 1), 0, time.Time{}},
		{other, date(2025, 6, 15), 0, time.Time{}}, // has none
	} {
		sig := must(c.key.Sign(zonelet, date(2025, 3, 1)))(t)
		_, _, err := ring.Verify(zonelet, sig, Policy{Now: c.now, Windows: windows})
		if kindOf(err) != c.want {
			t.Errorf("%s at %s: %v", c.key, day(c.now), err)
		} else if err != nil {
			wantDate(c.day.Year(), int(c.day.Month()), c.day.Day())(t, err.(*Error))
		}
	}
}

func TestSignatureInOtherArmour(t *testing.T) {
	k := testKey(t, "a", date(2025, 1, 1), 0)
	sig := armourOf(t, "PGP MESSAGE", binaryOf(t, must(k.Sign(zonelet, date(2025, 2, 1)))(t)))
	if _, _, err := ringOf(t, k).Verify(zonelet, sig, Policy{Now: date(2025, 3, 1)}); kindOf(err) != Malformed || !strings.Contains(err.Error(), "MESSAGE") {
		t.Errorf("got %v", err)
	}
}

// A key may say when it ends in a signature on the key itself.
func TestDirectKeySignature(t *testing.T) {
	at := date(2025, 1, 1)
	k := testKey(t, "a", at, 2*year)
	secs := uint32(year / time.Second)
	direct := &packet.Signature{
		Version: 4, SigType: packet.SigTypeDirectSignature, PubKeyAlgo: k.signer.PubKeyAlgo, Hash: hashOfKeys,
		CreationTime: at, IssuerKeyId: &k.signer.KeyId, KeyLifetimeSecs: &secs,
	}
	if err := direct.SignDirectKeyBinding(k.entity.PrimaryKey, k.signer, makeConfig(at, nil)); err != nil {
		t.Fatal(err)
	}
	k.entity.DirectSignatures = append(k.entity.DirectSignatures, packet.NewVerifiableSig(direct))
	sig := signAnyway(t, k, zonelet, at)
	for now, want := range map[time.Time]Kind{date(2025, 12, 31): 0, date(2026, 1, 2): Expired} {
		if _, _, err := ringOf(t, k).Verify(zonelet, sig, Policy{Now: now}); kindOf(err) != want {
			t.Errorf("at %s: %v", day(now), err)
		}
	}
}

func TestSeveralSignatures(t *testing.T) {
	at := date(2025, 1, 1)
	a, b, foreign := testKey(t, "a", at, 0), testKey(t, "b", at, year), testKey(t, "foreign", at, 0)
	ring := ringOf(t, a, b)
	good1, good2 := signAnyway(t, a, zonelet, date(2025, 2, 1)), signAnyway(t, a, zonelet, date(2025, 3, 1))
	expired := signAnyway(t, b, zonelet, date(2025, 4, 1))
	bad, unknown := signAnyway(t, a, zonelet[1:], date(2025, 4, 1)), signAnyway(t, foreign, zonelet, date(2025, 4, 1))
	for _, c := range []struct {
		name  string
		parts [][]byte
		want  Kind
		made  time.Time
	}{
		{"newest good one first", [][]byte{good2, good1}, 0, date(2025, 3, 1)},
		{"newest good one last", [][]byte{good1, good2}, 0, date(2025, 3, 1)},
		{"one good one", [][]byte{unknown, bad, expired, good1}, 0, date(2025, 2, 1)},
		{"good one first", [][]byte{good1, expired, bad, unknown}, 0, date(2025, 2, 1)},
		{"known before unknown", [][]byte{unknown, bad}, BadSignature, time.Time{}},
		{"proved before bad", [][]byte{bad, expired, unknown}, Expired, time.Time{}},
		{"too many", [][]byte{bytes.Repeat(good1, maxSignatures+1)}, Malformed, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _, err := ring.Verify(zonelet, bytes.Join(c.parts, nil), Policy{Now: date(2026, 2, 1)})
			if kindOf(err) != c.want || err == nil && !s.Created.Equal(c.made) {
				t.Errorf("got %v, %v", s, err)
			}
		})
	}
}

// clearSign makes a clear-signed text by hand, so that it may be wrong.
func clearSign(t *testing.T, k *Key, text string, sigType packet.SignatureType) []byte {
	t.Helper()
	canonical := strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\r\n")
	sig := &packet.Signature{
		Version: 4, SigType: sigType, PubKeyAlgo: k.signer.PubKeyAlgo, Hash: hashOfKeys,
		CreationTime: date(2025, 2, 1), IssuerKeyId: &k.signer.KeyId,
	}
	h := hashOfKeys.New()
	h.Write([]byte(canonical))
	if err := sig.Sign(h, k.signer, makeConfig(date(2025, 2, 1), nil)); err != nil {
		t.Fatal(err)
	}
	return fmt.Appendf(nil, "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n%s\n%s", strings.TrimSuffix(text, "\n"), must(armoured(blockSig, sig.Serialize))(t))
}

func TestClearSigned(t *testing.T) {
	k := testKey(t, "a", date(2025, 1, 1), 0)
	ring, text := ringOf(t, k), "a NS b\nc NS d\n"
	for _, c := range []struct {
		name, file string
		sig        []byte
		want       Kind
	}{
		{"good", text, clearSign(t, k, text, packet.SigTypeText), 0},
		{"binary type", text, clearSign(t, k, text, packet.SigTypeBinary), Malformed},
		{"no last line end", strings.TrimSuffix(text, "\n"), clearSign(t, k, text, packet.SigTypeText), 0},
		{"other line ends", strings.ReplaceAll(text, "\n", "\r\n"), clearSign(t, k, text, packet.SigTypeText), 0},
		{"blank at a line end of the file", "a NS b \nc NS d\n", clearSign(t, k, text, packet.SigTypeText), Malformed},
		{"tab at a line end of the file", "a NS b\nc NS d\t\n", clearSign(t, k, text, packet.SigTypeText), Malformed},
		{"a line more", text + "\n", clearSign(t, k, text, packet.SigTypeText), BadSignature},
		{"a line less", "a NS b\n", clearSign(t, k, text, packet.SigTypeText), BadSignature},
		{"empty file", "", clearSign(t, k, text, packet.SigTypeText), BadSignature},
		{"comment header", text, bytes.Replace(clearSign(t, k, text, packet.SigTypeText), []byte("Hash:"), []byte("Comment: x\nHash:"), 1), Malformed},
		{"cut before the signature", text, bytes.SplitAfter(clearSign(t, k, text, packet.SigTypeText), []byte("c NS d\n"))[0], Malformed},
		{"blank line before", text, append([]byte("\n"), clearSign(t, k, text, packet.SigTypeText)...), Malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := ring.Verify([]byte(c.file), c.sig, Policy{Now: date(2025, 3, 1)})
			if kindOf(err) != c.want {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	k := testKey(t, "a", date(2025, 1, 1), 0)
	ring, p := ringOf(t, k), Policy{Now: date(2025, 3, 1)}
	sig := must(k.Sign(zonelet, date(2025, 2, 1)))(t)
	pad := func(n int) []byte { return append(bytes.Clone(sig), bytes.Repeat([]byte("\n"), n-len(sig))...) }
	if _, _, err := ring.Verify(zonelet, pad(MaxSignature), p); err != nil {
		t.Error(err)
	}
	if _, _, err := ring.Verify(zonelet, pad(MaxSignature+1), p); kindOf(err) != Malformed {
		t.Errorf("got %v", err)
	}
	big := bytes.Repeat([]byte("a NS b\n"), MaxSignature/4)
	if _, _, err := ring.Verify(big, clearSign(t, k, string(big), packet.SigTypeText), p); err != nil {
		t.Error(err)
	}
}

// The library notes verdicts in keys; two verifications at different times, or
// at the same time, must not see each other.
func TestKeyringKeepsNoVerdict(t *testing.T) {
	k := testKey(t, "a", date(2025, 1, 1), year)
	ring := ringOf(t, k)
	sig := must(k.Sign(zonelet, date(2025, 6, 1)))(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			now, want := date(2025, 7, 1), Kind(0)
			if i%2 == 0 {
				now, want = date(2026, 7, 1), Expired
			}
			if _, _, err := ring.Verify(zonelet, sig, Policy{Now: now}); kindOf(err) != want {
				t.Errorf("at %s: %v", day(now), err)
			}
			ring.Alarms(Policy{Now: now})
		})
	}
	wg.Wait()
}

func TestReplay(t *testing.T) {
	s := Signature{Created: date(2025, 2, 1), Fingerprint: "AB"}
	for _, c := range []struct {
		accepted time.Time
		same     bool
		want     Kind
	}{
		{time.Time{}, false, 0},
		{date(2025, 1, 31), false, 0},
		{date(2025, 2, 1), false, 0},
		{date(2025, 2, 1).Add(time.Second), false, Replayed},
		{date(2025, 2, 2), true, 0},
	} {
		if err := Replay(c.accepted, c.same, s); kindOf(err) != c.want {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestKindNames(t *testing.T) {
	seen := map[string]bool{}
	for k := Revoked; k <= GNUForm; k++ {
		if n := k.String(); n == "" || strings.HasPrefix(n, "kind") || seen[n] {
			t.Errorf("kind %d is called %q", uint8(k), n)
		}
		seen[k.String()] = true
	}
	if got := Kind(len(kindNames)).String(); got != fmt.Sprintf("kind(%d)", len(kindNames)) {
		t.Errorf("beyond the last: %q", got)
	}
}

// Signature packets as the library would skip or misjudge them.
func TestOddPackets(t *testing.T) {
	at := date(2025, 1, 1)
	k := testKey(t, "a", at, 0)
	made := func(change func(*packet.Signature), file []byte) []byte {
		sig := &packet.Signature{
			Version: 4, SigType: packet.SigTypeBinary, PubKeyAlgo: k.signer.PubKeyAlgo, Hash: hashOfKeys,
			CreationTime: at, IssuerKeyId: &k.signer.KeyId,
		}
		change(sig)
		h := sig.Hash.New()
		h.Write(file)
		if err := sig.Sign(h, k.signer, makeConfig(at, nil)); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := sig.Serialize(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	good := made(func(*packet.Signature) {}, zonelet)
	edit := func(off int, b byte) []byte { c := bytes.Clone(good); c[off] = b; return c }
	raw := func(body ...byte) []byte { return append([]byte{0xc2, byte(len(body))}, body...) }
	created := []byte{5, 2, 0x67, 0x75, 0x2d, 0x40} // a hashed area with the time only
	anonymous := append(append([]byte{4, 0, 22, 10, 0, 6}, created...), 0, 0, 0, 0, 0, 8, 1, 0, 8, 1)
	for _, c := range []struct {
		name string
		sig  []byte
		want Kind
		text string
	}{
		{"good", good, 0, ""},
		{"sha3", made(func(s *packet.Signature) { s.Hash = crypto.SHA3_256 }, zonelet), 0, ""},
		{"marker before", append([]byte{0xca, 3, 'P', 'G', 'P'}, good...), 0, ""},
		{"old packet format", append([]byte{0x88, good[1]}, good[2:]...), 0, ""},
		{"three octets", raw(4, 0, 22), Malformed, "3 octets"},
		{"nothing but a marker", []byte{0xca, 3, 'P', 'G', 'P'}, Malformed, "no signature"},
		{"version 3", raw(3, 5, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 8), Unsupported, "version 3"},
		{"version 5", edit(2, 5), Unsupported, "version 5"},
		{"unknown algorithm", edit(4, 99), Unsupported, "99"},
		{"unknown hash", edit(5, 99), Unsupported, "99"},
		{"MD5", edit(5, 1), Weak, "MD5"},
		{"RIPEMD", edit(5, 3), Weak, "RIPEMD"},
		{"another hash", edit(5, 8), BadSignature, ""},
		{"another type", edit(3, 1), BadSignature, ""},
		{"a certification", made(func(s *packet.Signature) { s.SigType = packet.SigTypePositiveCert }, zonelet), Malformed, "0x13"},
		{"a revocation", made(func(s *packet.Signature) { s.SigType = packet.SigTypeKeyRevocation }, zonelet), Malformed, "0x20"},
		{"no key named", raw(anonymous...), Malformed, "names no key"},
		{"cut inside", raw(good[2 : len(good)-9]...), Malformed, "reading signature"},
		{"longer than the file", append([]byte{0xc2, 0xff, 0xff, 0xff, 0xff, 0xff}, good[2:]...), Malformed, "whole"},
		{"a literal after", append(bytes.Clone(good), 0xcb, 1, 'b'), Malformed, "type 11"},
		{"a compressed packet", append([]byte{0xc8, 1, 0}, good...), Malformed, "type 8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _, err := ringOf(t, k).Verify(zonelet, c.sig, Policy{Now: at})
			if kindOf(err) != c.want || err != nil && !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %+v, %v", s, err)
			}
			if c.name == "sha3" && s.Hash != "SHA3-256" || c.name == "good" && s.Hash != "SHA512" {
				t.Errorf("hash %q", s.Hash)
			}
		})
	}
}

func TestSignatureString(t *testing.T) {
	if got := (Signature{Fingerprint: "AB", UserID: "a <a@nir.example>"}).String(); got != "AB a <a@nir.example>" {
		t.Errorf("got %q", got)
	}
	if got := (Signature{Fingerprint: "AB"}).String(); got != "AB" {
		t.Errorf("got %q", got)
	}
}
