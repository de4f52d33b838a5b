package nir

import (
	"testing"

	"nirzone/nir/inr"
)

// TestSizeWithoutSlash: a prefix length that lost its slash is no number of
// addresses, and nobody has a window for everything.
func TestSizeWithoutSlash(t *testing.T) {
	for _, c := range []struct {
		kind       inr.Kind
		text, want string
	}{
		{inr.IPv4, "22", `"22" is 22 addresses, or a prefix length without its slash: write /22, or /27 for a block of that many`},
		{inr.IPv4, "32", "write /32, or /27"},
		{inr.IPv4, "1", "write /1, or /32"},
		{inr.IPv4, "024", "write /24, or /27"},
		{inr.IPv4, "/0", "is not a prefix length from /1 to /32"},
		{inr.IPv6, "/0", "is not a prefix length from /1 to /128"},
		{inr.IPv6, "32", "write /32"},
	} {
		_, err := ParseSize(c.kind, c.text)
		wantCode(t, err, Invalid, c.want)
	}
	for text, want := range map[string]Size{"33": "33", "5120": "5120", "1024": "/22", "/22": "/22", "64": "/26"} {
		if got, err := ParseSize(inr.IPv4, text); err != nil || got != want {
			t.Errorf("%s is %q, %v", text, got, err)
		}
	}
	if got, err := ParseSize(inr.ASN, "22"); err != nil || got != "22" {
		t.Errorf("%q, %v", got, err)
	}
}
