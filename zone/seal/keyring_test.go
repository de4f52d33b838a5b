package seal

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"nirzone/zone"
)

func binaryOf(t testing.TB, armoured []byte) []byte {
	t.Helper()
	blocks, _, err := armourBlocks(armoured)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, b := range blocks {
		all = append(all, b.octets...)
	}
	return all
}

func armourOf(t testing.TB, kind string, octets []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := must(armor.Encode(&b, kind, nil))(t)
	if _, err := w.Write(octets); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes(), '\n')
}

func TestLoadKeyring(t *testing.T) {
	at := date(2025, 1, 1)
	a, b := testKey(t, "a", at, 0), testKey(t, "b", at, 0)
	pa, pb := must(a.Public())(t), must(b.Public())(t)
	both := slices.Concat(binaryOf(t, pa), binaryOf(t, pb))
	v3 := []byte{0x99, 0, 8, 3, 0, 0, 0, 1, 0, 30, 1} // public key of version 3
	var many []byte
	for i := range MaxKeys + 1 {
		many = append(many, must(testKey(t, fmt.Sprint("k", i), at, 0).Public())(t)...)
	}
	for _, c := range []struct {
		name string
		file []byte
		keys int
		want string // part of the error
	}{
		{"armoured", pa, 1, ""},
		{"two blocks with text between", slices.Concat([]byte("the old key\n"), pa, []byte("\nthe new key\n\n"), pb), 2, ""},
		{"two keys in one block", armourOf(t, "PGP PUBLIC KEY BLOCK", both), 2, ""},
		{"binary", both, 2, ""},
		{"as many as may be", many[:len(many)-len(must(testKey(t, "k100", at, 0).Public())(t))], MaxKeys, ""},
		{"too many", many, 0, "more than 100 keys"},
		{"too large", append(bytes.Clone(pa), make([]byte, MaxKeyring)...), 0, "at most 1048576"},
		{"empty", nil, 0, "no OpenPGP key"},
		{"text", []byte("hello\n"), 0, "no OpenPGP key"},
		{"twice the same", slices.Concat(pa, pb, pa), 0, "stands twice"},
		{"secret key", must(a.Private())(t), 0, "secret key"},
		{"signature", must(a.Sign(zonelet, at))(t), 0, "packet of type 2 stands before"},
		{"keybox", []byte("\x00\x00\x00\x20\x01\x01\x00\x02KBXf\x00\x00\x00\x00"), 0, "keybox"},
		{"no end line", pa[:bytes.Index(pa, []byte("-----END"))], 0, "no end line"},
		{"end line cut", pa[:len(pa)-20], 0, "inside of a PGP"},
		{"cut inside of a block", slices.Concat(pa[:bytes.Index(pa, []byte("-----END"))], pb), 0, "inside of a PGP"},
		{"binary cut", both[:len(both)-3], 0, "whole"},
		{"only an unreadable key", v3, 0, "no usable key"},
		{"an unreadable key among others", append(bytes.Clone(v3), both...), 2, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ring, err := LoadKeyring("keys.asc", c.file)
			if c.want != "" {
				if kindOf(err) != Malformed || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "keys.asc: ") {
					t.Errorf("got %v, want %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := ring.Fingerprints(); len(got) != c.keys || !slices.IsSorted(got) {
				t.Errorf("got %v", got)
			}
			left := ring.Alarms(Policy{Now: date(2025, 2, 1), Source: "JPNIC"})
			if unreadable := bytes.HasPrefix(c.file, v3); unreadable != (len(left) == 1 && left[0].Code == "keyring-unreadable" && left[0].Pos.File == "keys.asc") {
				t.Errorf("alarms %v", left)
			}
		})
	}
}

func TestAlarms(t *testing.T) {
	at := date(2025, 1, 1)
	a, b, forever := testKey(t, "a", at, year), testKey(t, "b", at, 2*year), testKey(t, "c", at, 0)
	late := testKey(t, "d", date(2026, 2, 1), year)
	revoked := testKey(t, "e", at, 0)
	if err := revoked.Revoke(date(2025, 2, 1)); err != nil {
		t.Fatal(err)
	}
	end := date(2026, 1, 1) // of a
	before := func(d time.Duration) time.Time { return end.Add(-d) }
	const days = 24 * time.Hour
	until := func(k *Key, t time.Time) zone.KeyWindow {
		return zone.KeyWindow{Fingerprint: k.Fingerprint(), Until: t}
	}
	from := func(k *Key, t time.Time) zone.KeyWindow { return zone.KeyWindow{Fingerprint: k.Fingerprint(), From: t} }
	for _, c := range []struct {
		name    string
		keys    []*Key
		now     time.Time
		windows []zone.KeyWindow
		legacy  []zone.Legacy
		want    string
	}{
		{"long to go", []*Key{a}, before(60*days + time.Second), nil, nil, ""},
		{"60 days", []*Key{a}, before(60 * days), nil, nil, "info keyring-ends-60"},
		{"31 days", []*Key{a}, before(30*days + time.Second), nil, nil, "info keyring-ends-60"},
		{"30 days", []*Key{a}, before(30 * days), nil, nil, "warning keyring-ends-30"},
		{"8 days", []*Key{a}, before(7*days + time.Second), nil, nil, "warning keyring-ends-30"},
		{"7 days", []*Key{a}, before(7 * days), nil, nil, "alarm keyring-ends-7"},
		{"the last second", []*Key{a}, before(time.Second), nil, nil, "alarm keyring-ends-7"},
		{"over", []*Key{a}, end, nil, nil, "alarm keyring-no-usable-key"},
		{"another goes on", []*Key{a, b}, before(days), nil, nil, ""},
		{"another without end", []*Key{a, forever}, before(days), nil, nil, ""},
		{"revoked is no key", []*Key{a, revoked}, before(days), nil, nil, "alarm keyring-ends-7"},
		{"only a revoked one", []*Key{revoked}, before(days), nil, nil, "alarm keyring-no-usable-key"},
		{"one that follows after a gap", []*Key{a, late}, before(days), nil, nil, "alarm keyring-ends-7"},
		{"not yet", []*Key{late}, before(days), nil, nil, "alarm keyring-no-usable-key"},
		{"window ends sooner", []*Key{forever}, before(days), []zone.KeyWindow{until(forever, end)}, nil, "alarm keyring-ends-7"},
		{"windows overlap", []*Key{forever, b}, before(days), []zone.KeyWindow{until(forever, end), from(b, before(time.Hour))}, nil, ""},
		{"windows meet", []*Key{forever, b}, before(days), []zone.KeyWindow{until(forever, end), from(b, end)}, nil, ""},
		{"windows do not meet", []*Key{forever, b}, before(days), []zone.KeyWindow{until(forever, end), from(b, end.Add(time.Second))}, nil, "alarm keyring-ends-7"},
		{"window after the key's end", []*Key{a}, before(days), []zone.KeyWindow{from(a, end)}, nil, "alarm keyring-no-usable-key"},
		{"expiry allowed", []*Key{a}, before(days), nil, allow("expired", end.Add(100*days), a.Fingerprint()), ""},
		{"expiry allowed for a while", []*Key{a}, end.Add(days), nil, allow("expired", end.Add(9*days), a.Fingerprint()), "warning keyring-ends-30"},
		{"window of a key not there", []*Key{forever}, at, []zone.KeyWindow{from(b, end)}, nil, "warning keyring-key-absent"},
		{"window of a key no longer there", []*Key{forever}, end, []zone.KeyWindow{until(a, end)}, nil, ""},
		{"allowance for a key not there", []*Key{forever}, at, nil, allow("expired", end, a.Fingerprint()), "warning keyring-key-absent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Policy{Source: "JPNIC", Now: c.now, Windows: c.windows, Legacy: c.legacy}
			notices := ringOf(t, c.keys...).Alarms(p)
			var got []string
			for _, n := range notices {
				got = append(got, n.Severity.String()+" "+n.Code)
				if n.Source != "JPNIC" || n.Pos.File != "keys.asc" {
					t.Errorf("%+v", n)
				}
				if strings.HasPrefix(n.Code, "keyring-ends") && !strings.Contains(n.Text, "2026-01-0") && !strings.Contains(n.Text, "2026-01-10") {
					t.Errorf("%q names no day", n.Text)
				}
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A gap is named with its end.
func TestAlarmsAboutGaps(t *testing.T) {
	a, late := testKey(t, "a", date(2025, 1, 1), year), testKey(t, "d", date(2026, 2, 1), year)
	ring := ringOf(t, a, late)
	for now, code := range map[time.Time]string{date(2025, 12, 30): "keyring-ends-7", date(2026, 1, 15): "keyring-no-usable-key"} {
		if got := ring.Alarms(Policy{Now: now}); len(got) != 1 || got[0].Code != code || !strings.Contains(got[0].Text, "the next counts from 2026-02-01") {
			t.Errorf("got %v, want %s", got, code)
		}
	}
}

// A key that no policy takes does not keep the ring alive.
func TestAlarmsAboutWeakKeys(t *testing.T) {
	all := binaryOf(t, seed(t, "keyring"))
	ring := must(LoadKeyring("k", all))(t)
	var dsa Keyring
	for _, rk := range ring.keys {
		if name, _ := algorithm(rk.ids[0]); strings.HasPrefix(name, "DSA") || name == "RSA-1024" {
			dsa.keys = append(dsa.keys, rk)
		}
	}
	if len(dsa.keys) != 4 {
		t.Fatalf("%d weak keys among the seeds", len(dsa.keys))
	}
	p := Policy{Now: date(2025, 7, 1)}
	if got := dsa.Alarms(p); len(got) != 1 || got[0].Code != "keyring-no-usable-key" {
		t.Errorf("got %v", got)
	}
	p.Legacy = allow("dsa", date(2025, 7, 20))
	if got := dsa.Alarms(p); len(got) != 1 || got[0].Code != "keyring-ends-30" {
		t.Errorf("got %v", got)
	}
}
