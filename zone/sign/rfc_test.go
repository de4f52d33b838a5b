package sign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"nirzone/zone"
)

// RFC 4034, section 6.1: the example of canonical order, for the signer's way
// and the verifier's.
func TestRFC4034Order(t *testing.T) {
	texts := []string{
		"example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.", "z.example.",
		`\001.z.example.`, "*.z.example.", `\200.z.example.`,
	}
	var want []zone.Name
	for _, s := range texts {
		n, err := zone.ParseName(s)
		must(t, err)
		want = append(want, n)
	}
	got := slices.Clone(want)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
	slices.SortFunc(got, zone.Name.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("sorted by name: %v", got)
	}
	for i := range want {
		for j := range want {
			c := canonicalCompare(want[i].AppendWire(nil), want[j].AppendWire(nil))
			if (c < 0) != (i < j) || (c == 0) != (i == j) {
				t.Errorf("canonicalCompare(%s, %s) = %d", want[i], want[j], c)
			}
		}
	}
}

// RFC 6979, appendix A.2.5: P-256 with SHA-256.
func TestRFC6979(t *testing.T) {
	d, _ := hex.DecodeString("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
	for message, want := range map[string]string{
		"sample": "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
		"test":   "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
	} {
		k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
		must(t, err)
		w := &wireSigner{alg: algECDSA, signer: k}
		sig, err := w.sign(nil, []byte(message))
		must(t, err)
		if got := string(appendHex(nil, string(sig))); got != want {
			t.Errorf("signature of %q is\n%s, not\n%s", message, got, want)
		}
	}
}

// An rfcSignature is a published example of key, DS and signature.
type rfcSignature struct {
	name                  string
	zone                  zone.Name
	private               privateFile
	dnskey, ds            string
	record, rrsig         string
	start, end            string
	owner                 zone.Name
	typ                   zone.Type
	data                  zone.Data
	deterministicLikeOurs bool
}

// RFC 6605, section 6.1, and RFC 8080, section 6.1. The signature of RFC 6605
// was made with a random nonce: ours differs, and both must verify.
var rfcSignatures = []rfcSignature{
	{
		name: "RFC 6605 6.1", zone: "example.net.",
		private: privateFile{"PrivateKey": "GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ="},
		dnskey:  "example.net. 3600 IN DNSKEY 257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==",
		ds:      "example.net. 86400 IN DS 55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17",
		record:  "www.example.net. 3600 IN A 192.0.2.1",
		rrsig:   "www.example.net. 3600 IN RRSIG A 13 3 3600 20100909100439 20100812100439 55648 example.net. qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==",
		start:   "20100812100439", end: "20100909100439",
		owner: "www.example.net.", typ: zone.TypeA, data: "\xc0\x00\x02\x01",
	},
	{
		name: "RFC 8080 6.1, first", zone: "example.com.",
		private: privateFile{"PrivateKey": "ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI="},
		dnskey:  "example.com. 3600 IN DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
		ds:      "example.com. 86400 IN DS 3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b",
		record:  "example.com. 3600 IN MX 10 mail.example.com.",
		rrsig:   "example.com. 3600 IN RRSIG MX 15 2 3600 20150819220000 20150729220000 3613 example.com. oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==",
		start:   "20150729220000", end: "20150819220000",
		owner: "example.com.", typ: zone.Type(dns.TypeMX), data: "\x00\x0a\x04mail\x07example\x03com\x00", deterministicLikeOurs: true,
	},
	{
		name: "RFC 8080 6.1, second", zone: "example.com.",
		private: privateFile{"PrivateKey": "DSSF3o0s0f+ElWzj9E/Osxw8hLpk55chkmx0LYN5WiY="},
		dnskey:  "example.com. 3600 IN DNSKEY 257 3 15 zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs=",
		ds:      "example.com. 86400 IN DS 35217 15 2 401781b934e392de492ec77ae2e15d70f6575a1c0bc59c5275c04ebe80c6614c",
		record:  "example.com. 3600 IN MX 10 mail.example.com.",
		rrsig:   "example.com. 3600 IN RRSIG MX 15 2 3600 20150819220000 20150729220000 35217 example.com. zXQ0bkYgQTEFyfLyi9QoiY6D8ZdYo4wyUhVioYZXFdT410QPRITQSqJSnzQoSm5poJ7gD7AQR0O7KuI5k2pcBg==",
		start:   "20150729220000", end: "20150819220000",
		owner: "example.com.", typ: zone.Type(dns.TypeMX), data: "\x00\x0a\x04mail\x07example\x03com\x00", deterministicLikeOurs: true,
	},
}

func TestRFCSignatures(t *testing.T) {
	for _, c := range rfcSignatures {
		t.Run(c.name, func(t *testing.T) {
			k := c.key(t)
			rr, err := dns.NewRR(c.ds)
			must(t, err)
			buf := make([]byte, 512)
			n, err := dns.PackRR(rr, buf, 0, nil, false)
			must(t, err)
			ds := k.DS()
			if got := appendRecord(nil, k.Zone.AppendWire(nil), ds.Type, ds.TTL, ds.Data); !bytes.Equal(got, buf[:n]) {
				t.Errorf("DS is %s, not %s", ds, c.ds)
			}
			c.signature(t, k)
		})
	}
}

func (c *rfcSignature) key(t *testing.T) Key {
	t.Helper()
	rr, err := dns.NewRR(c.dnskey)
	must(t, err)
	d := rr.(*dns.DNSKEY)
	s, err := c.private.signer(d.Algorithm)
	must(t, err)
	public, err := publicBytes(s.Public())
	must(t, err)
	if base64.StdEncoding.EncodeToString(public) != d.PublicKey {
		t.Fatal("the public key derived from the private one is not that of the DNSKEY")
	}
	k := Key{Zone: c.zone, Algorithm: d.Algorithm, Flags: d.Flags, Public: public, signer: func() crypto.Signer { return s }}
	k.Tag = keyTag(k.rdata())
	if k.Tag != d.KeyTag() {
		t.Fatalf("tag %d instead of %d", k.Tag, d.KeyTag())
	}
	return k
}

// signature makes the RRSIG of the example and checks the published one by the
// verifier's code.
func (c *rfcSignature) signature(t *testing.T, k Key) {
	t.Helper()
	start, err := time.Parse(timeForm, c.start)
	must(t, err)
	end, err := time.Parse(timeForm, c.end)
	must(t, err)
	s := &signing{z: &zone.Zone{Apex: zone.Apex{Origin: c.zone}}, clock: &clock{origin: c.zone.AppendWire(nil), validity: int64(end.Sub(start).Seconds())}}
	w := s.writer()
	w.name, w.owner, w.start = c.owner, c.owner.AppendWire(nil), start.Unix()
	sig, err := w.sign(nil, &k, c.typ, 3600, appendRecord(nil, w.owner, c.typ, 3600, c.data))
	must(t, err)
	ours := string(appendRRSIG(appendHead(nil, string(c.owner), 3600, zone.TypeRRSIG), sig, string(c.zone)))
	a, err := dns.NewRR(ours)
	must(t, err)
	b, err := dns.NewRR(c.rrsig)
	must(t, err)
	if same := a.(*dns.RRSIG).Signature == b.(*dns.RRSIG).Signature; same != c.deterministicLikeOurs {
		t.Errorf("our signature %s, the example's %s", a, b)
	}
	a.(*dns.RRSIG).Signature = b.(*dns.RRSIG).Signature
	if a.String() != b.String() {
		t.Errorf("our RRSIG\n%s is not\n%s", a, b)
	}
	for _, text := range []string{ours, c.rrsig} {
		if err := c.verify(t, text, start); err != nil {
			t.Error(err)
		}
		if err := c.verify(t, text, start.Add(-time.Second)); err == nil {
			t.Error("a signature verifies before its time")
		}
	}
}

func (c *rfcSignature) verify(t *testing.T, rrsig string, now time.Time) error {
	t.Helper()
	rr, err := dns.NewRR(c.dnskey)
	must(t, err)
	public, err := newPublicKey(rr.(*dns.DNSKEY))
	must(t, err)
	v := &verification{origin: string(c.zone), now: now, keys: map[uint16]keyUse{rr.(*dns.DNSKEY).KeyTag(): {publicKey: public, zone: true}}, wantZone: 1}
	r := newReader()
	sc := sigCheck{v: v, r: r}
	return r.read([]byte(c.record+"\n"+rrsig+"\n"), func(owner string, group []parsed) error {
		return sc.sets(owner, group, func(uint16) bool { return true })
	})
}

// RFC 8976, appendix A.1: the digest by the verifier's code and by the
// signer's.
func TestRFC8976(t *testing.T) {
	const want = "c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c"
	const apex = "example. 86400 IN SOA ns1.example. admin.example. 2018031900 1800 900 604800 86400\n" +
		"example. 86400 IN NS ns1.example.\nexample. 86400 IN NS ns2.example.\n" +
		"example. 86400 IN ZONEMD 2018031900 1 1 " + want + "\n"
	const rest = "ns1.example. 3600 IN A 203.0.113.63\nns2.example. 3600 IN AAAA 2001:db8::63\n"
	soa := zone.SOA{MName: "ns1.example.", RName: "admin.example.", Refresh: 1800, Retry: 900, Expire: 604800, Minimum: 86400, TTL: 86400}
	z := &zone.Zone{Apex: zone.Apex{Origin: "example.", SOA: soa, NS: []zone.Name{"ns1.example.", "ns2.example."}}}

	v := &verification{origin: "example.", z: z, facts: Facts{Serial: 2018031900}}
	r, h := newReader(), sha512.New384()
	must(t, r.read([]byte(apex), func(_ string, group []parsed) error {
		r.sort(group)
		stated, err := v.zonemd(r, group, h)
		if stated != want {
			t.Errorf("ZONEMD states %s", stated)
		}
		return err
	}))
	r = newReader()
	must(t, r.read([]byte(rest), func(string, []parsed) error { return nil }))
	h.Write(r.wire)
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("the verifier's digest is %s", got)
	}

	apexWire := z.Origin.AppendWire(nil)
	var wire []byte
	for _, host := range z.NS {
		wire = appendRecord(wire, apexWire, zone.TypeNS, 86400, host.AppendWire(nil))
	}
	wire = appendRecord(wire, apexWire, zone.TypeSOA, 86400, appendSOA(nil, soa, 2018031900))
	wire = appendRecord(wire, z.NS[0].AppendWire(nil), zone.TypeA, 3600, "\xcb\x00\x71\x3f")
	wire = appendRecord(wire, z.NS[1].AppendWire(nil), zone.TypeAAAA, 3600, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x63")
	if sum := sha512.Sum384(wire); hex.EncodeToString(sum[:]) != want {
		t.Errorf("the signer's digest is %x", sum)
	}
}
