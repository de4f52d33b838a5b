package zone

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const servedText = `; a zone as BIND writes it
$ORIGIN .
$TTL 86400	; 1 day
27.in-addr.arpa		IN SOA	ns1.Registry.example. hostmaster.registry.example. (
				22000      ; serial
				7200 1800 604800 3600 )
			NS	ns2.registry.example.
			NS	NS1.registry.example.
			RRSIG	SOA 13 3 86400 20261201000000 20261101000000 12345 27.in-addr.arpa. (
				AAAA )
			RRSIG	DNSKEY 13 3 86400 20261211000000 20261111000000 54321 27.in-addr.arpa. AAAA
			3600 DNSKEY	257 3 13 AAAA
			NSEC	0.27.in-addr.arpa. NS SOA RRSIG NSEC DNSKEY
$ORIGIN 27.in-addr.arpa.
0			172800 IN NS	ns.example.
			NSEC	1.27.in-addr.arpa. NS RRSIG NSEC
1			NS	ns.1
			NS	ns.example.
			DS	12345 13 1 0123456789ABCDEF0123456789ABCDEF01234567
			NSEC	27.in-addr.arpa. NS DS RRSIG NSEC
ns.1			A	192.0.2.1
5.0			TXT	"below a cut"
`

func TestParseServed(t *testing.T) {
	s, err := ParseServed("27.in-addr.arpa.", "f", []byte(servedText))
	if err != nil {
		t.Fatal(err)
	}
	if s.Serial != 22000 || s.SOA.MName != "ns1.registry.example." || s.SOA.Minimum != 3600 || s.SOA.TTL != 86400 || s.Denial != "NSEC" || s.ZONEMD {
		t.Errorf("%+v", s)
	}
	var got []string
	for _, r := range s.Records {
		got = append(got, fmt.Sprintf("%s %d %s", r.Name, r.TTL, r.Type))
	}
	want := "27.in-addr.arpa. 86400 NS|27.in-addr.arpa. 86400 NS|27.in-addr.arpa. 3600 DNSKEY|0.27.in-addr.arpa. 172800 NS|5.0.27.in-addr.arpa. 86400 TXT|" +
		"1.27.in-addr.arpa. 86400 NS|1.27.in-addr.arpa. 86400 NS|1.27.in-addr.arpa. 86400 DS|ns.1.27.in-addr.arpa. 86400 A"
	if g := strings.Join(got, "|"); g != want {
		t.Errorf("%s", strings.ReplaceAll(g, "|", "\n"))
	}
	sig := s.Signatures
	if sig.Count != 2 || len(sig.By) != 2 || sig.By[0] != (ServedSigner{12345, 13, 0, 1}) || sig.By[1] != (ServedSigner{54321, 13, 1, 0}) ||
		!sig.Expires.Equal(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) || sig.Longest != 30*24*time.Hour {
		t.Errorf("%+v", sig)
	}
	if o, err := ServedOrigin("f", []byte(servedText)); err != nil || o != "27.in-addr.arpa." {
		t.Errorf("%s, %v", o, err)
	}
	z := s.Delegations(Apex{Origin: s.Origin}, func(n Name) Input { return Input{Source: string(n)} })
	var sources []string
	for _, e := range z.Entries {
		sources = append(sources, fmt.Sprintf("%s %s", e.Type, z.Source(e)))
	}
	if g := strings.Join(sources, "|"); g != "NS 0.27.in-addr.arpa.|NS 1.27.in-addr.arpa.|NS 1.27.in-addr.arpa.|DS 1.27.in-addr.arpa.|A 1.27.in-addr.arpa." {
		t.Errorf("%s", g)
	}
}

func TestParseServedRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ from, to, want string }{
		"NS is gone":          {"0			172800 IN NS	ns.example.\n			NSEC	1", "0			NSEC	1", "does not name the types"},
		"DS is gone":          {"			DS	12345 13 1 0123456789ABCDEF0123456789ABCDEF01234567\n", "", "does not name the types"},
		"a link is gone":      {"			NSEC	1.27.in-addr.arpa. NS RRSIG NSEC\n", "", "names another than the next"},
		"the end is gone":     {"1			NS	ns.1", "; gone\n$INCLUDE x\n", "$INCLUDE"},
		"the apex is another": {"27.in-addr.arpa		IN", "28.in-addr.arpa		IN", "is not in"},
		"a class":             {"ns.1			A", "ns.1			CH A", "class"},
		"two serials":         {"ns.1			A	192.0.2.1\n", "@ SOA a. b. 22001 1 1 1 1\n", "two SOA records"},
		"no SOA":              {servedText, "; <<>> DiG 9.18 <<>> x\n; Transfer failed.\n", "cut short"},
		"not a transfer":      {"; a zone as BIND writes it", "; <<>> DiG 9.18 <<>> x AXFR", "cut short"},
		"an address":          {"192.0.2.1", "192.0.2.256", "192.0.2.256"},
	} {
		text := strings.Replace(servedText, tt.from, tt.to, 1)
		if text == servedText {
			t.Fatal(name)
		}
		if _, err := ParseServed("27.in-addr.arpa.", "f", []byte(text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseServedNSEC3(t *testing.T) {
	const text = "27.in-addr.arpa. 1 IN SOA a. b. 1 1 1 1 1\n27.in-addr.arpa. 1 IN NS a.example.\n27.in-addr.arpa. 0 IN NSEC3PARAM 1 0 5 AABB\n" +
		"0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM.27.in-addr.arpa. 1 IN NSEC3 1 0 5 AABB 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR NS\n" +
		"2t7b4g4vsa5smi47k61mv5bv1a22bojr.27.in-addr.arpa. 1 IN NSEC3 1 0 5 AABB 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NS SOA\n"
	s, err := ParseServed("27.in-addr.arpa.", "f", []byte(text))
	if err != nil || s.Denial != "NSEC3 1 0 5 aabb" || len(s.Records) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := ParseServed("27.in-addr.arpa.", "f", []byte(strings.Replace(text, "0p9m", "0p8m", 1))); err == nil {
		t.Error("an open chain was taken")
	}
}

func TestCompareServed(t *testing.T) {
	parse := func(text string) *Served {
		s, err := ParseServed("27.in-addr.arpa.", "f", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	plain := strings.Join(slices.DeleteFunc(strings.Split(servedText, "\n"), func(l string) bool { return strings.Contains(l, "NSEC") }), "\n")
	for name, tt := range map[string]struct{ from, to, want string }{
		"nothing":     {"22000", "22001", ""},
		"soa":         {"7200", "3600", "soa 1 refresh 7200 → 3600"},
		"apex ns":     {"NS	ns2.reg", "NS	ns3.reg", "apex-ns 1 27.in-addr.arpa. NS - ns2.registry.example., + ns3.registry.example."},
		"case":        {"NS	ns2.reg", "NS	NS2.reg", ""},
		"key":         {"13 AAAA\n$", "13 AAAB\n$", "keys 1 27.in-addr.arpa. DNSKEY - 257 3 13 AAAA, + 257 3 13 AAAB"},
		"missing":     {"0			172800 IN NS	ns.example.\n", "", "missing 1 - 0.27.in-addr.arpa. NS ns.example."},
		"added":       {"ns.1			A", "2	NS x.example.\nns.1			A", "added 1 + 2.27.in-addr.arpa. NS x.example."},
		"ns":          {"IN NS	ns.example.", "IN NS	nt.example.", "ns 1 0.27.in-addr.arpa. NS - ns.example., + nt.example."},
		"ds":          {"DS	12345", "DS	12346", "ds 1 1.27.in-addr.arpa. DS - 12345 13 1 0123456789ABCDEF0123456789ABCDEF01234567, + 12346 13 1 0123456789ABCDEF0123456789ABCDEF01234567"},
		"glue":        {"192.0.2.1", "192.0.2.2", "glue 1 ns.1.27.in-addr.arpa. A - 192.0.2.1, + 192.0.2.2"},
		"other":       {"5.0			TXT	\"below a cut\"\n", "", "other 1 5.0.27.in-addr.arpa. TXT - \"below a cut\""},
		"ttl":         {"172800", "86400", "ttl 1 NS of 0.27.in-addr.arpa. 172800 → 86400"},
		"validity":    {"20261201", "20261211", "signatures 1 valid for 30d → 30d to 40d"},
		"many of ttl": {"$TTL 86400", "$TTL 7200", "ttl 5 NS at the apex 86400 → 7200|A of ns.1.27.in-addr.arpa. 86400 → 7200|NS of 1.27.in-addr.arpa. 86400 → 7200|TXT of 5.0.27.in-addr.arpa. 86400 → 7200|DS of 1.27.in-addr.arpa. 86400 → 7200"},
	} {
		var got []string
		for _, d := range CompareServed(parse(plain), parse(strings.Replace(plain, tt.from, tt.to, 1))) {
			if tt.want != "" && !strings.HasPrefix(tt.want, DiffSOA) && d.Kind == DiffSOA && name == "many of ttl" {
				continue // the SOA's own
			}
			got = append(got, fmt.Sprintf("%s %d %s", d.Kind, d.Count, strings.Join(d.Lines, "|")))
		}
		if g := strings.Join(got, "\n"); g != tt.want {
			t.Errorf("%s: %q, not %q", name, g, tt.want)
		}
	}
	if d := CompareServed(parse(servedText), parse(plain)); len(d) != 1 || d[0].Kind != DiffDenial || d[0].Lines[0] != "NSEC → none" {
		t.Errorf("%+v", d)
	}
}

func TestGuessFamily(t *testing.T) {
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	for s, want := range map[Serial]Family{
		22000: FamilyCounter, 2026112100: FamilyDate, 1998010199: FamilyDate, 2026112300: FamilyCounter, 2026133100: FamilyCounter,
		3006012345: FamilyCounter, Serial(now.Unix() - 99): FamilyUnixtime, 1: FamilyCounter, 4294967295: FamilyCounter,
	} {
		if got := GuessFamily(s, now); got != want {
			t.Errorf("%d: %s, not %s", s, got, want)
		}
	}
}

// FuzzParseServed: whatever is read is read the same from what it was written as.
func FuzzParseServed(f *testing.F) {
	f.Add([]byte(servedText))
	f.Add([]byte("27.in-addr.arpa. SOA . . 1 1 1 1 1\n*.27.in-addr.arpa. \\# 0\n"))
	f.Add([]byte("$ORIGIN x.27.in-addr.arpa.\n@ CNAME \\000.a\n27.in-addr.arpa. 5 SOA a. b. 1 1 1 1 1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<16 {
			return
		}
		s, err := ParseServed("27.in-addr.arpa.", "f", text)
		if err != nil {
			return
		}
		if d := CompareServed(s, s); len(d) > 0 {
			t.Errorf("it differs from itself: %+v", d)
		}
		var b strings.Builder
		fmt.Fprintf(&b, "27.in-addr.arpa. %d IN SOA %s %s %d %d %d %d %d\n", s.SOA.TTL, s.SOA.MName, s.SOA.RName, s.Serial, s.SOA.Refresh, s.SOA.Retry, s.SOA.Expire, s.SOA.Minimum)
		for _, r := range s.Records {
			fmt.Fprintf(&b, "%s\t%d\tIN\tTYPE%d\t\\# %d %x\n", r.Name, r.TTL, r.Type, len(r.Data), string(r.Data))
		}
		again, err := ParseServed("27.in-addr.arpa.", "f", []byte(b.String()))
		if err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
		if !slices.Equal(again.Records, s.Records) {
			t.Errorf("%v, not %v", again.Records, s.Records)
		}
	})
}
