package zone

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParseAccept: what agrees to a loss is written and read back as the same, and
// agrees to no other.
func FuzzParseAccept(f *testing.F) {
	h := Hold{Source: "JPNIC", Zone: testApex.Origin, Kind: KindRemoved, Losses: lostNames(2)}
	f.Add(NewAccept(h, testLimits, "renumbering", "hostmaster", gateNow).Encode())
	f.Add(NewAdditionsOnly(h, testLimits, "m", "b", gateNow).Encode())
	f.Add(NewAccept(Hold{Source: "JPNIC", Kind: KindClaims, Sets: []HeldSet{{Was: []string{"202.12.0.0/16"}}}}, testLimits, "m", "b", gateNow).Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ParseAccept("a", data)
		if err != nil {
			return
		}
		back, err := ParseAccept("a", a.Encode())
		if err != nil || !cmp.Equal(a.Encode(), back.Encode()) {
			t.Errorf("%s, read back %+v, %v", a.Encode(), back, err)
		}
		a.Stands(a.Time)
		h := a.hold()
		h.Losses = append(h.Losses[:len(h.Losses):len(h.Losses)], "another.202.in-addr.arpa.")
		if (Accepts{a}).Agreed(Hold{Hash: h.ComputeHash()}, a.Time) {
			t.Errorf("%s agrees to one more", a.Encode())
		}
	})
}

// FuzzParseAnchors: an anchor is a DS or DNSKEY record, and read back from its text
// the same.
func FuzzParseAnchors(f *testing.F) {
	f.Add([]byte("; the root\n. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n"))
	f.Add([]byte("IN-ADDR.arpa. 3600 IN DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==\n"))
	f.Add([]byte("a (\n DS 1 8 2 \n00 )"))
	f.Add([]byte("$GENERATE 1-9 $ DS 1 8 2 00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		records, err := ParseAnchors("f", data)
		if err != nil {
			return
		}
		if len(records) == 0 || len(records) > maxAnchors {
			t.Fatalf("%d records", len(records))
		}
		for _, r := range records {
			if back, err := ParseRecord(r.String()); r.Type != TypeDS && r.Type != TypeDNSKEY || err != nil || back != r {
				t.Errorf("%s, read back %s, %v", r, back, err)
			}
		}
	})
}

// FuzzParseRegistryManifest: its files stay in their folder, and it is read back
// the same.
func FuzzParseRegistryManifest(f *testing.F) {
	f.Add([]byte(`{"version":1,"time":"2026-11-21T12:00:00Z","event":7,"files":[{"file":"claims","sha256":"` + digestA + `","size":3}]}`))
	f.Add([]byte(`{"version":1,"files":[{"file":"..","sha256":"` + digestA + `"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseRegistryManifest("m", data)
		if err != nil {
			return
		}
		back, err := ParseRegistryManifest("m", m.Encode())
		if err != nil || !cmp.Equal(m.Encode(), back.Encode()) {
			t.Errorf("%s, read back %+v, %v", m.Encode(), back, err)
		}
		for _, file := range m.Files {
			if dir, name := filepath.Split(filepath.Join("registry", file.File)); dir != "registry/" || name != file.File {
				t.Errorf("file %q", file.File)
			}
		}
	})
}
