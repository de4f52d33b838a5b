package sign

import (
	"context"
	"slices"
	"strings"
	"testing"

	"nirzone/zone"
)

// TestDeleteForm: the words of RFC 8078, section 4.
func TestDeleteForm(t *testing.T) {
	p := testPolicy(algECDSA)
	p.DeleteDS = true
	z, keys := testZone(t, testName, 1), named(algECDSA)(t, testName)
	s, err := Sign(context.Background(), z, keys, p, Prior{}, testNow)
	must(t, err)
	for _, want := range []string{"\t3600\tIN\tCDS\t0 0 0 00\n", "\t3600\tIN\tCDNSKEY\t0 3 0 AA==\n", " RRSIG NSEC DNSKEY CDS CDNSKEY ZONEMD\n"} {
		if n := strings.Count(string(fileOf(s)), want); n != 1 {
			t.Errorf("%q stands %d times", want, n)
		}
	}
}

// TestCDSChangesSerial: what the parent is asked for is content.
func TestCDSChangesSerial(t *testing.T) {
	z, keys := testZone(t, testName, 1), pairs(algECDSA)(t, testName)
	seen := map[string]string{}
	add := func(what string, p zone.SigningConfig, keys []Key) {
		f, err := Preview(z, keys, p, testNow)
		must(t, err)
		if seen[f.Body] != "" {
			t.Errorf("%s is as %s", what, seen[f.Body])
		}
		seen[f.Body] = what
	}
	p := testPolicy(algECDSA)
	add("without", p, keys)
	add("CDS", p, named(algECDSA)(t, testName))
	p.DeleteDS = true
	add("delete", p, keys)
}

// TestRefusesCDS: the parent must not be led to break the delegation (RFC 7344,
// section 4.1).
func TestRefusesCDS(t *testing.T) {
	z := testZone(t, testName, 1)
	future := aKey(t, testName, FlagsKSK, algECDSA, Timing{Publish: testNow.AddDate(0, 0, 1), Active: testNow.AddDate(0, 0, 1)})
	future.CDS = true
	keys := pairs(algECDSA)(t, testName)
	zsk := slices.Clone(keys)
	zsk[1].CDS = true
	for _, c := range []struct {
		keys []Key
		want string
	}{
		{append(slices.Clone(keys), future), "no key of the CDS set signs the DNSKEY set"},
		{zsk, "does not sign the DNSKEY set"},
	} {
		_, err := Sign(context.Background(), z, c.keys, testPolicy(algECDSA), Prior{}, testNow)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("the error %v does not say %q", err, c.want)
		}
	}
}

// TestSpoiledCDS: CDS and CDNSKEY must say what they should, signed by KSKs.
func TestSpoiledCDS(t *testing.T) {
	for _, c := range []struct {
		name, want string
		spoil      func(v *victim) spoiler
	}{
		{"CDS digest", "instead of", func(v *victim) spoiler { return v.edit("@", "CDS", flipHex) }},
		{"CDS dropped", "CDS set is []|RRSIG over CDS", func(v *victim) spoiler { return v.drop("@", "CDS") }},
		{"CDNSKEY dropped", "CDNSKEY set is []|RRSIG over CDNSKEY", func(v *victim) spoiler { return v.drop("@", "CDNSKEY") }},
		{"CDNSKEY of another key", "CDNSKEY set is", func(v *victim) spoiler {
			return v.edit("@", "CDNSKEY", func(s string) string { return strings.Replace(s, "\t257 ", "\t256 ", 1) })
		}},
		{"CDNSKEY in another case", "CDNSKEY set is", func(v *victim) spoiler {
			return v.edit("@", "CDNSKEY", func(s string) string {
				i := strings.LastIndexByte(s, ' ')
				return s[:i] + strings.ToUpper(s[i:])
			})
		}},
		{"second CDS", "CDS set is", func(v *victim) spoiler {
			return v.edit("@", "CDS", func(s string) string { return s + flipHex(s) })
		}},
		{"delete form", "CDS set is", func(v *victim) spoiler {
			return v.edit("@", "CDS", func(string) string { return string(testName) + "\t3600\tIN\tCDS\t0 0 0 00\n" })
		}},
		{"TTL", "two TTLs|TTL 3601", func(v *victim) spoiler { return v.replace("@", "CDS", "\t3600\t", "\t3601\t") }},
		{"signature", "does not verify", func(v *victim) spoiler { return v.flip("@", "RRSIG(CDS)") }},
		{"signature missing", "0 signatures instead of 1", func(v *victim) spoiler { return v.drop("@", "RRSIG(CDNSKEY)") }},
		{"signed by the ZSK", "not to sign it now", func(v *victim) spoiler { return v.signedBy("@", zone.TypeCDS, v.keys[1]) }},
		{"signed by the ZSK too", "not to sign it now|2 signatures instead of 1", func(v *victim) spoiler { return v.alsoBy("@", zone.TypeCDS, v.keys[1]) }},
		{"bitmap", "lists the types", func(v *victim) spoiler { return v.resigned("@", "NSEC", v.replace("@", "NSEC", " CDS CDNSKEY", "")) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := &victim{t: t, z: testZone(t, testName, 3), keys: named(algECDSA)(t, testName)}
			v.s = variant{}.sign(t, v.z, v.keys, testNow)
			must(t, v.verify())
			v.refuse(t, c.spoil(v), c.want)
		})
	}
	v := &victim{t: t, z: testZone(t, testName, 3), keys: named(algECDSA)(t, testName)}
	v.s = variant{}.sign(t, v.z, v.keys, testNow)
	v.keys[0].CDS = false
	if err := v.verify(); err == nil || !strings.Contains(err.Error(), "the apex has CDS") {
		t.Error("CDS that nobody asked for:", err)
	}
}
