package sign

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"nirzone/zone"
)

// TestTamperSignatures and the tests after it spoil a good zone in every way that
// a signer, an HSM, a disk or a person might.
func TestTamperSignatures(t *testing.T) {
	v := newVictim(t, algECDSA, 420)
	v.refuses([]spoiling{
		{"signature over NSEC", "does not verify", v.flip("3.0", "RRSIG(NSEC)")},
		{"signature over DS", "does not verify", v.flip("3.0", "RRSIG(DS)")},
		{"signature over SOA", "does not verify", v.flip("@", "RRSIG(SOA)")},
		{"signature over DNSKEY", "does not verify", v.flip("@", "RRSIG(DNSKEY)")},
		{"signature over ZONEMD", "does not verify", v.flip("@", "RRSIG(ZONEMD)")},
		{"signature over CNAME", "does not verify", v.flip("1.254.254", "RRSIG(CNAME)")},
		{"signature cut short", "does not verify", v.edit("3.0", "RRSIG(DS)", func(s string) string { return s[:len(s)-9] + "AAA=\n" })},
		{"missing RRSIG over NSEC", "0 signatures instead of 1", v.drop("3.0", "RRSIG(NSEC)")},
		{"missing RRSIG over DS", "0 signatures instead of 1", v.drop("3.0", "RRSIG(DS)")},
		{"missing RRSIG over SOA", "0 signatures instead of 1", v.drop("@", "RRSIG(SOA)")},
		{"missing RRSIG over DNSKEY", "0 signatures instead of 1", v.drop("@", "RRSIG(DNSKEY)")},
		{"RRSIG twice", "there twice", v.twice("3.0", "RRSIG(DS)")},
		{"RRSIG over delegation NS", "RRSIG over NS", v.extraSignature("4.0", zone.TypeNS)},
		{"RRSIG over glue", "below a delegation", v.extraSignature("ns.5.0", zone.TypeA)},
		{"RRSIG over address at a cut", "RRSIG over A", v.extraSignature("7.0", zone.TypeA)},
		{"DNSKEY signed by the ZSK too", "not to sign it now", v.extraSignature("@", zone.TypeDNSKEY)},
		{"RRSIG of another key", "not in the DNSKEY set", v.edit("3.0", "RRSIG(DS)", func(s string) string {
			return strings.Replace(s, " "+zoneTag(v.keys[1])+" ", " 1 ", 1)
		})},
		{"RRSIG by the KSK", "not to sign it now", v.edit("3.0", "RRSIG(DS)", func(s string) string {
			return strings.Replace(s, " "+zoneTag(v.keys[1])+" ", " "+zoneTag(v.keys[0])+" ", 1)
		})},
		{"RRSIG of another signer", "instead of the zone", v.replace("3.0", "RRSIG(DS)", " 202.in-addr.arpa. ", " 203.in-addr.arpa. ")},
		{"RRSIG labels", "labels", v.replace("3.0", "RRSIG(DS)", "DS 13 5 ", "DS 13 4 ")},
		{"RRSIG original TTL", "not the TTL of its set", v.replace("3.0", "RRSIG(DS)", "DS 13 5 86400", "DS 13 5 86401")},
		{"RRSIG TTL", "not the TTL of its set", v.replace("3.0", "RRSIG(DS)", "\t86400\t", "\t3600\t")},
		{"RRSIG algorithm", "not in the DNSKEY set", v.replace("3.0", "RRSIG(DS)", "DS 13 ", "DS 8 ")},
	})
}

// TestTamperChain spoils the NSEC chain (RFC 4035, section 2.3).
func TestTamperChain(t *testing.T) {
	v := newVictim(t, algECDSA, 420)
	v.refuses([]spoiling{
		{"wrong NSEC next", "points at 3.0", v.resigned("1.0", "NSEC", v.edit("1.0", "NSEC", func(s string) string { return strings.Replace(s, "\t10.0.", "\t3.0.", 1) }))},
		{"NSEC next is itself", "points at 1.0", v.resigned("1.0", "NSEC", v.replace("1.0", "NSEC", "\t10.0.", "\t1.0."))},
		{"NSEC chain through glue", "points at ns.5.0", v.resigned("5.0", "NSEC", v.edit("5.0", "NSEC", func(s string) string {
			return strings.Replace(s, "NSEC\t", "NSEC\tns.5.0.202.in-addr.arpa. NS RRSIG NSEC ;", 1)
		}))},
		{"apex NSEC next", "points at x.0.0.", v.resigned("@", "NSEC", v.replace("@", "NSEC", "NSEC\t", "NSEC\tx."))},
		{"last NSEC not closed", "not at the apex", v.resigned("ns.own", "NSEC", v.replace("ns.own", "NSEC", "NSEC\t", "NSEC\tzz."))},
		{"NSEC bitmap misses DS", "lists the types NS RRSIG NSEC instead of NS DS", v.replace("3.0", "NSEC", " NS DS RRSIG", " NS RRSIG")},
		{"NSEC bitmap claims DS", "instead of NS RRSIG NSEC", v.replace("4.0", "NSEC", " NS RRSIG", " NS DS RRSIG")},
		{"NSEC bitmap without RRSIG", "lists the types", v.replace("4.0", "NSEC", " RRSIG NSEC", " NSEC")},
		{"NSEC bitmap claims A at a cut", "lists the types", v.replace("7.0", "NSEC", " NS RRSIG", " A NS RRSIG")},
		{"apex NSEC bitmap", "lists the types", v.resigned("@", "NSEC", v.replace("@", "NSEC", " ZONEMD", ""))},
		{"NSEC bitmap claims A", "lists the types", v.resigned("4.0", "NSEC", v.replace("4.0", "NSEC", " NS RRSIG", " A NS RRSIG"))},
		{"NSEC bitmap of a CNAME", "lists the types", v.resigned("1.254.254", "NSEC", v.replace("1.254.254", "NSEC", " CNAME RRSIG", " RRSIG"))},
		{"missing NSEC", "0 NSEC records", v.drop("4.0", "NSEC")},
		{"NSEC twice", "there twice", v.twice("4.0", "NSEC")},
		{"NSEC TTL", "RFC 9077", v.replace("4.0", "NSEC", "\t3600\t", "\t86400\t")},
		{"NSEC at glue", "below a delegation", v.insert("ns.5.0", "AAAA", "ns.5.0.202.in-addr.arpa.\t3600\tIN\tNSEC\t202.in-addr.arpa. A RRSIG NSEC\n")},
	})
}

// TestTamperRecords changes what was merged.
func TestTamperRecords(t *testing.T) {
	v := newVictim(t, algECDSA, 420)
	v.refuses([]spoiling{
		{"changed DS, signed", "merged zone has", v.resigned("3.0", "DS", v.replace("3.0", "DS", "\t3 13 2 ", "\t3 12 2 "))},
		{"changed CNAME, signed", "merged zone has", v.resigned("1.254.254", "CNAME", v.replace("1.254.254", "CNAME", "\t1.0-3.", "\t2.0-3."))},
		{"extra name", "not in the merged zone|merged zone has", v.insert("4.0", "NSEC", "40.0.202.in-addr.arpa.\t86400\tIN\tNS\tns.evil.example.\n")},
		{"extra NS", "merged zone has|order", v.insert("4.0", "NS", "4.0.202.in-addr.arpa.\t86400\tIN\tNS\tzz.evil.example.\n")},
		{"extra DS", "merged zone has|order", v.insert("4.0", "NS", "4.0.202.in-addr.arpa.\t86400\tIN\tDS\t1 13 2 "+strings.Repeat("AB", 32)+"\n")},
		{"extra TXT", "merged zone has|order", v.insert("4.0", "NS", "4.0.202.in-addr.arpa.\t86400\tIN\tTXT\tx\n")},
		{"extra glue", "merged zone has", v.insert("ns.5.0", "A", "ns.5.0.202.in-addr.arpa.\t86400\tIN\tA\t192.0.2.99\n")},
		{"dropped DS", "merged zone has", v.drop("3.0", "DS")},
		{"dropped NS", "merged zone has|is missing", v.drop("4.0", "NS")},
		{"dropped glue", "merged zone has", v.drop("ns.5.0", "A")},
		{"changed NS", "merged zone has|order", v.replace("4.0", "NS", "\tns0.", "\tns00.")},
		{"changed DS", "merged zone has|order", v.replace("3.0", "DS", " 13 2 ", " 14 2 ")},
		{"changed glue", "merged zone has", v.replace("ns.5.0", "A", "192.0.2.1", "192.0.2.2")},
		{"TTL of a delegation", "two TTLs|merged zone has", v.replace("4.0", "NS", "\t86400\t", "\t86399\t")},
		{"TTL of a DS set", "two TTLs|merged zone has", v.replace("3.0", "DS", "\t86400\t", "\t5\t")},
		{"upper case", "merged zone has|order", v.replace("4.0", "NS", "4.0.202.in", "4.0.202.IN")},
		{"class", "class", v.replace("4.0", "NS", "\tIN\t", "\tCH\t")},
	})
}

// TestTamperApex spoils what the signer adds at the apex, and what stands there.
func TestTamperApex(t *testing.T) {
	v := newVictim(t, algECDSA, 420)
	v.refuses([]spoiling{
		{"wrong serial", "serial 2026112101", v.replace("@", "SOA", "2026112100", "2026112101")},
		{"SOA timer", "not that of the merged zone", v.replace("@", "SOA", " 604800 ", " 604801 ")},
		{"SOA TTL", "not that of the merged zone", v.replace("@", "SOA", "\t86400\t", "\t86401\t")},
		{"no SOA", "does not begin with the zone's SOA", v.drop("@", "SOA")},
		{"second SOA", "2 SOA", v.edit("@", "SOA", func(s string) string { return s + strings.Replace(s, " 604800 ", " 604801 ", 1) })},
		{"SOA below the apex", "order|merged zone has", v.insert("4.0", "NS", "4.0.202.in-addr.arpa.\t86400\tIN\tSOA\ta. b. 1 2 3 4 5\n")},
		{"apex NS changed", "name servers", v.replace("@", "NS", "ns1.", "ns9.")},
		{"apex NS dropped", "name servers", v.drop("@", "NS")},
		{"apex has DS", "the apex has DS", v.insert("@", "NS", "202.in-addr.arpa.\t86400\tIN\tDS\t1 13 2 "+strings.Repeat("AB", 32)+"\n")},
		{"foreign DNSKEY", "none of the zone's keys", v.foreignKey(otherZSK(t))},
		{"DNSKEY with a taken tag", "two keys of the DNSKEY set have the tag", v.foreignKey(sameTag(v.keys[1]))},
		{"DNSKEY flags", "none of the zone's keys", v.replace("@", "DNSKEY", "\t25", "\t38")},
		{"DNSKEY TTL", "two TTLs|TTL", v.replace("@", "DNSKEY", "\t3600\t", "\t3601\t")},
		{"DNSKEY missing", "missing from the DNSKEY set", v.drop("@", "DNSKEY")},
		{"no ZONEMD", "RRSIG over ZONEMD", v.drop("@", "ZONEMD")},
		{"ZONEMD serial", "ZONEMD", v.replace("@", "ZONEMD", "2026112100 1 1", "2026112099 1 1")},
		{"ZONEMD scheme", "ZONEMD", v.replace("@", "ZONEMD", "2026112100 1 1", "2026112100 2 1")},
		{"ZONEMD digest", "RRSIG over ZONEMD", v.edit("@", "ZONEMD", func(s string) string { return flipHex(s) })},
	})
}

// TestTamperForm spoils the file: its order, its end, its lines.
func TestTamperForm(t *testing.T) {
	v := newVictim(t, algECDSA, 420)
	v.refuses([]spoiling{
		{"owners out of order", "order|merged zone has|is missing", func(l []string) []string {
			a, b := v.find(l, "3.0", "NS"), v.find(l, "4.0", "NS")
			return slices.Concat(l[:a], l[b:], l[a:b])
		}},
		{"records out of order", "order", func(l []string) []string {
			a := v.find(l, "3.0", "RRSIG(DS)")
			l[a], l[a+1] = l[a+1], l[a]
			return l
		}},
		{"delegation dropped whole", "missing|merged zone has", func(l []string) []string {
			return slices.DeleteFunc(l, func(s string) bool { return strings.HasPrefix(s, "4.0.202.") })
		}},
		{"last name dropped", "is missing", func(l []string) []string {
			last := l[len(l)-1][:strings.IndexByte(l[len(l)-1], '\t')]
			return slices.DeleteFunc(l, func(s string) bool { return strings.HasPrefix(s, last+"\t") })
		}},
		{"cut off", "is missing", func(l []string) []string { return l[:v.find(l, "2.1", "NS")] }},
		{"half a line", "", func(l []string) []string { return append(l[:len(l)-1], l[len(l)-1][:30]) }},
		{"directive", "directive", v.insert("4.0", "NS", "$TTL 5\n")},
		{"include", "directive", v.insert("4.0", "NS", "$INCLUDE /etc/passwd\n")},
		{"generate", "directive", v.insert("4.0", "NS", "$GENERATE 1-9 $ NS a.\n")},
		{"line without owner", "without an owner", v.insert("4.0", "NS", "\t86400\tIN\tNS\tzz.example.\n")},
		{"relative owner", "parsing", v.insert("4.0", "NS", "x\t86400\tIN\tNS\tzz.example.\n")},
		{"garbage", "parsing", v.insert("4.0", "NS", "4.0.202.in-addr.arpa.\t86400\tIN\tGARBAGE\tx\n")},
		{"name outside", "merged zone|order", func(l []string) []string {
			return append(l, "1.203.in-addr.arpa.\t86400\tIN\tNS\ta.example.\n")
		}},
	})
}

// TestWrongDigestWellSigned: ZONEMD off by one bit, with a good signature.
func TestWrongDigestWellSigned(t *testing.T) {
	v := newVictim(t, algECDSA, 20)
	sg, err := newSigning(v.z, v.keys, v.s.policy, testNow)
	must(t, err)
	a, err := sg.startApex(v.s.facts.Serial, nil)
	must(t, err)
	a.md.write([]byte{0})
	apex, err := a.finish(v.s.facts.Serial)
	must(t, err)
	err = v.file(append([][]byte{apex}, v.s.text[1:]...)...).verify()
	if err == nil || !strings.Contains(err.Error(), "RFC 8976, section 4") {
		t.Error(err)
	}
}

// TestOtherZone: a zone that is right in itself, but not what was merged.
func TestOtherZone(t *testing.T) {
	for what, change := range map[string]func(z *zone.Zone){
		"delegation dropped": func(z *zone.Zone) { z.Entries = z.Entries[2:] },
		"last dropped":       func(z *zone.Zone) { z.Entries = z.Entries[:len(z.Entries)-1] },
		"everything dropped": func(z *zone.Zone) { z.Entries = nil },
		"delegation added": func(z *zone.Zone) {
			z.Entries = append(z.Entries, entry("9.9.202.in-addr.arpa.", zone.TypeNS, zone.NSData("a.")))
			sortEntries(z)
		},
		"DS dropped": func(z *zone.Zone) {
			z.Entries = slices.DeleteFunc(z.Entries, func(e zone.Entry) bool { return e.Type == zone.TypeDS })
		},
		"glue dropped": func(z *zone.Zone) {
			z.Entries = slices.DeleteFunc(z.Entries, func(e zone.Entry) bool { return e.Type == zone.TypeAAAA })
		},
		"TTL": func(z *zone.Zone) {
			for i := range z.Entries {
				z.Entries[i].TTL = 7200
			}
		},
		"SOA":     func(z *zone.Zone) { z.SOA.Refresh++ },
		"minimum": func(z *zone.Zone) { z.SOA.Minimum++ },
		"apex NS": func(z *zone.Zone) { z.NS = z.NS[1:] },
		"NS TTL":  func(z *zone.Zone) { z.TTL.Fixed = 3600 },
	} {
		t.Run(what, func(t *testing.T) {
			v := newVictim(t, algEd25519, 30)
			other := testZone(t, testName, 30)
			change(other)
			v.s = mustSign(t, other, v.keys, Prior{}, testNow)
			if err := v.verify(); err == nil {
				t.Error("it was accepted")
			}
		})
	}
}

// TestOtherKeys: the DNSKEY set must be exactly the keys that should be in use.
func TestOtherKeys(t *testing.T) {
	v := newVictim(t, algECDSA, 3)
	good := v.keys
	extra := otherZSK(t)
	wrong := slices.Clone(good)
	wrong[1].Public = extra.Public
	for what, keys := range map[string][]Key{
		"none": nil, "no ZSK": good[:1], "no KSK": good[1:], "one more": append(slices.Clone(good), extra), "another": wrong,
		"one twice": append(slices.Clone(good), good[1]),
	} {
		if v.keys = keys; v.verify() == nil {
			t.Errorf("%s: it was accepted", what)
		}
	}
}

// TestOtherTimes: signatures count from their inception to before their end.
func TestOtherTimes(t *testing.T) {
	v := newVictim(t, algECDSA, 100)
	check := func(now time.Time) (*Verified, error) {
		return Verify(context.Background(), v.s, v.z, v.keys, now)
	}
	if _, err := check(v.s.facts.Expires); err == nil || !strings.Contains(err.Error(), "is valid from") {
		t.Errorf("at the end of the first signature: %v", err)
	}
	if _, err := check(testNow.Add(-15 * 24 * time.Hour)); err == nil || !strings.Contains(err.Error(), "is valid from") {
		t.Errorf("before the first signature: %v", err)
	}
	ok, err := check(v.s.facts.Expires.Add(-time.Second))
	if err != nil || len(ok.Notices()) != 1 || ok.Notices()[0].Severity != zone.Alarm {
		t.Errorf("a second before the end: %v, %v", ok, err)
	}
	if ok, err = check(testNow); err != nil || len(ok.Notices()) != 0 {
		t.Errorf("now: %v, %v", ok, err)
	}
}

// TestWrongFacts: what will be recorded must be true of the file.
func TestWrongFacts(t *testing.T) {
	for i, change := range []func(f *Facts){
		func(f *Facts) { f.Serial++ },
		func(f *Facts) { f.Delegations++ },
		func(f *Facts) { f.Signatures-- },
		func(f *Facts) { f.Expires = f.Expires.Add(time.Second) },
		func(f *Facts) { f.Due = f.Due.Add(time.Second) },
		func(f *Facts) { f.Size++ },
		func(f *Facts) { f.SHA256 = strings.Repeat("0", 64) },
	} {
		v := newVictim(t, algECDSA, 3)
		change(&v.s.facts)
		if v.verify() == nil {
			t.Errorf("change %d was accepted", i)
		}
	}
}

// TestEveryLine drops and doubles every single line.
func TestEveryLine(t *testing.T) {
	v := newVictim(t, algEd25519, 12)
	n := len(v.lines())
	for i := range n {
		for what, count := range map[string]int{"dropped": 0, "doubled": 2} {
			l := v.lines()
			line := l[i]
			l[i] = strings.Repeat(line, count)
			if v.with(l).verify() == nil {
				t.Errorf("%s and accepted: %s", what, line)
			}
		}
	}
}

// TestAnyByte changes bytes at random. A file that is accepted says the same as
// before: white space, say, or unused bits of base64.
func TestAnyByte(t *testing.T) {
	v := newVictim(t, algEd25519, 8)
	file := fileOf(v.s)
	want := records(file)
	random := rand.New(rand.NewPCG(3, 4))
	accepted := 0
	for range 1000 {
		text := bytes.Clone(file)
		i := random.IntN(len(text))
		was := text[i]
		if text[i] = byte(random.IntN(128)); random.IntN(2) == 0 {
			text[i] = was ^ 1<<random.IntN(8)
		}
		if text[i] == was || v.file(text).verify() != nil {
			continue
		}
		accepted++
		if got := records(text); got != want {
			t.Fatalf("accepted with byte %d changed from %q to %q:\n%s", i, was, text[i], text)
		}
	}
	t.Logf("%d harmless changes were accepted", accepted)
}

// FuzzVerify feeds the verifier with files: it must never accept one that says
// something else, and never crash.
func FuzzVerify(f *testing.F) {
	z, keys := testZone(f, testName, 1), testKeys(f, testName, algEd25519)
	z.Entries = z.Entries[:2]
	s := mustSign(f, z, keys, Prior{}, testNow)
	file := fileOf(s)
	want := records(file)
	f.Add(file)
	f.Add([]byte{})
	f.Add(bytes.ToLower(file))
	f.Add(bytes.ReplaceAll(file, []byte("\t"), []byte(" ")))
	f.Add(bytes.ReplaceAll(file, []byte("NSEC\t"), []byte("TYPE47\t\\# 1 00 ; ")))
	f.Fuzz(func(t *testing.T, text []byte) {
		spoiled := *s
		spoiled.text = [][]byte{text}
		spoiled.seal()
		_, err := Verify(context.Background(), &spoiled, z, keys, testNow)
		if err == nil && records(text) != want {
			t.Errorf("accepted:\n%s", text)
		}
	})
}

// records returns what a zone file says, as the DNS library packs it.
func records(file []byte) string {
	var b strings.Builder
	p := dns.NewZoneParser(bytes.NewReader(file), "", "")
	buf := make([]byte, 4096)
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		n, err := dns.PackRR(rr, buf, 0, nil, false)
		if err != nil {
			return err.Error()
		}
		b.Write(buf[:n])
	}
	return fmt.Sprint(p.Err()) + b.String()
}

// TestTornParts: however the file is cut into parts, a name that is torn from
// its records or its delegation is noticed, and nothing else matters.
func TestTornParts(t *testing.T) {
	v := newVictim(t, algEd25519, 420)
	if err := v.file(fileOf(v.s)).verify(); err != nil {
		t.Errorf("in one part: %v", err)
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(fileOf(v.s), []byte("\n")), []byte("\n"))
	lines[len(lines)-1] = append(lines[len(lines)-1], '\n')
	if err := v.file(lines...).verify(); err == nil {
		t.Error("every line a part: accepted")
	}
	middle := slices.IndexFunc(lines, func(l []byte) bool { return bytes.HasPrefix(l, []byte("4.0.202.")) })
	half := bytes.Join(lines[:middle], nil)
	if err := v.file(half, half[bytes.Index(half, []byte("\n0.0.202"))+1:]).verify(); err == nil || !strings.Contains(err.Error(), "not together") {
		t.Error("names twice:", err)
	}
	glue := slices.IndexFunc(lines, func(l []byte) bool { return bytes.HasPrefix(l, []byte("ns.5.0.202.")) })
	err := v.file(bytes.Join(lines[:glue], nil), bytes.Join(lines[glue:], nil)).verify()
	if err == nil {
		t.Error("glue torn from its delegation: accepted")
	}
	if err := v.file(fileOf(v.s)[:100]).verify(); err == nil {
		t.Error("cut in a line: accepted")
	}
	if err := v.file().verify(); err == nil {
		t.Error("nothing: accepted")
	}
}

// TestJoin: a name below a delegation in the piece before is glue, even if the
// chain runs through it.
func TestJoin(t *testing.T) {
	wire := func(s zone.Name) []byte { return s.AppendWire(nil) }
	apex := &apexFound{owner: wire(testName)}
	for _, c := range []struct{ cut, first, want string }{
		{"5.0.", "ns.5.0.", "parted from the delegation"},
		{"5.0.", "ns.6.0.", ""},
		{"5.0.", "ns.15.0.", ""},
	} {
		j := &join{apex: apex, last: wire(testName), cut: wire(zone.Name(c.cut) + testName)}
		first := zone.Name(c.first) + testName
		err := j.take(found{piece: &piece{first: wire(first), last: wire(first), firstName: string(first)}})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s after %s: %v", c.first, c.cut, err)
		}
	}
}
