package sign

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"nirzone/zone"
)

// TestHostile lets a national registry write what hurts most inside its own
// claims: whatever the parser takes and the merge lets through, the zone is signed,
// verified, and taken by the checkers of other makers. One source must never be able
// to keep a whole zone from being built or loaded.
func TestHostile(t *testing.T) {
	for seed := range uint64(1) {
		for _, name := range []zone.Name{"202.in-addr.arpa.", "0.4.2.ip6.arpa."} {
			for _, denial := range []zone.Denial{zone.DenialNSEC, zone.DenialNSEC3} {
				t.Run(fmt.Sprintf("%s/%s/%d", name.File(), denial, seed), func(t *testing.T) {
					p := testPolicy(algECDSA)
					p.Denial = denial
					file := writeBy(t, hostileZone(t, name, seed), testKeys(t, name, algECDSA), p)
					for _, argv := range [][]string{
						{"named-checkzone", "-D", "-o", "/dev/null", name.File(), file},
						{"dnssec-verify", "-o", name.File(), file},
						{"ldns-verify-zone", "-ZZ", file},
						{"nsd-checkzone", name.File(), file},
					} {
						t.Run(argv[0], func(t *testing.T) { runTool(t, argv) })
					}
					t.Run("kzonecheck", func(t *testing.T) { onlyLost(t, name, file) })
				})
			}
		}
	}
}

// onlyLost runs kzonecheck, which is stricter than any server: it fails for a name
// server inside the zone that has no address. The merge warns of those and takes
// them; Knot DNS itself loads such a zone.
func onlyLost(t *testing.T, name zone.Name, file string) {
	path, err := exec.LookPath("kzonecheck")
	if err != nil {
		skipPeer(t, err)
	}
	out, err := exec.Command(path, "-d", "on", "-o", name.File(), file).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" && line != "Error summary:" && !strings.HasSuffix(line, "missing glue record") {
			t.Errorf("kzonecheck: %s", line)
		}
	}
}

// hostileZone merges the worst that two sources and the registry can say.
func hostileZone(t *testing.T, name zone.Name, seed uint64) *zone.Zone {
	t.Helper()
	apex, _ := name.Prefix()
	in := zone.MergeInput{Apex: testApex(name), Registry: "APNIC"}
	in.Apex.TTL = zone.TTL{FromSource: true, Min: 0, Max: 1<<31 - 1}
	in.Claims = zone.NewClaims([]zone.Claim{{Source: "JPNIC", Prefix: apex}})
	for i, source := range []string{"APNIC", "JPNIC", "KRNIC"} {
		text := hostileText(rand.New(rand.NewPCG(seed, uint64(i))), name, source)
		f, err := zone.ParseFragment(source, name, "x-"+source, []byte(text), zone.ParseOptions{TrailerOptional: true})
		if err != nil {
			t.Fatal(err)
		}
		in.Fragments = append(in.Fragments, f)
	}
	z, notices := zone.Merge(in)
	codes := map[string]int{}
	for _, n := range notices {
		codes[n.Code]++
	}
	t.Logf("%d records, notices %v", len(z.Entries), codes)
	return z
}

func hostileText(r *rand.Rand, apex zone.Name, source string) string {
	var b strings.Builder
	owners := hostileOwners(apex)
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	long := strings.Repeat("a", 63)
	hosts := func(owner string) []string {
		if r.IntN(12) == 0 {
			return []string{`a\.b.example.`, ".", "*.example.", "_dns.example.", "1.2.3.4.", "0-127." + owner, "nic.", "ns." + owner}
		}
		return []string{
			"ns1.example.net.", "ns2.example.net.", string(apex), "ns." + string(apex), owner, "ns." + owner, "ns." + pick(owners), pick(owners),
			long + "." + long + "." + long + "." + long[:61] + ".", long + "." + long + "." + long + "." + owner, "localhost.", "arpa.", "in-addr.arpa.", "ip6.arpa.",
			"xn--wgv71a.example.", "ns1.registry.example.", "A.B.C.", "a.254.254." + string(apex), "255." + owner, "x.1." + string(apex), "1a.2b.example.",
		}
	}
	addresses := []string{"A 0.0.0.0", "A 127.0.0.1", "A 255.255.255.255", "AAAA ::", "AAAA ::1", "AAAA ::ffff:192.0.2.1", "AAAA fe80::1"}
	ttls := []string{"", "0 ", "1 ", "2147483647 ", "300 "}
	for range 600 {
		owner := pick(owners)
		for range 1 + r.IntN(3) {
			host := pick(hosts(owner))
			if len(host) > 254 || len(host) > 100 && strings.HasPrefix(host, "ns.") {
				continue // no name: the parser refuses the file
			}
			fmt.Fprintf(&b, "%s %sNS %s\n", owner, pick(ttls), host)
			if strings.HasSuffix(host, string(apex)) && r.IntN(8) > 0 {
				fmt.Fprintf(&b, "%s %s%s\n", host, pick(ttls), pick(addresses))
			}
		}
		switch r.IntN(12) {
		case 0:
			sizes := map[int]int{1: 20, 2: 32, 4: 48, 3: 32, 5: 32}
			types := []int{1, 2, 4, 4, 2, 3, 5}
			typ := types[r.IntN(len(types))]
			for range 1 + r.IntN(2) {
				fmt.Fprintf(&b, "%s %sDS %d %d %d %s\n", owner, pick(ttls), r.IntN(65536), []int{0, 1, 5, 8, 13, 252, 253, 254, 255}[r.IntN(9)], typ, strings.Repeat("1f", sizes[typ]))
			}
		case 1:
			fmt.Fprintf(&b, "%s %sCNAME x.%s\n", owner, pick(ttls), pick(owners))
		case 2:
			fmt.Fprintf(&b, "%s TXT \"\\000\" \"%s\"\n", owner, strings.Repeat("x", 255))
		case 3:
			fmt.Fprintf(&b, "%s TYPE65534 \\# 3 000102\n*.%s NS ns.example.\n", owner, owner)
		}
	}
	many := owners[0]
	for i := range 64 {
		fmt.Fprintf(&b, "%s NS n%d.%s.%s.%s.example.\n", many, i, long, long, long[:40])
		fmt.Fprintf(&b, "%s DS %d 13 4 %s\n", many, i, strings.Repeat("ab", 48))
	}
	if source == "APNIC" { // leave something to the others
		all := b.String()
		return all[:strings.IndexByte(all[len(all)/16:], '\n')+len(all)/16+1] + classlessText(apex)
	}
	return b.String()
}

// classlessText has names of RFC 2317 that point at names of every octet.
func classlessText(apex zone.Name) string {
	if apex.Labels() != 3 {
		return ""
	}
	return fmt.Sprintf("0/29.77.77.%[1]s NS ns.0/29.77.77.%[1]s\nns.0/29.77.77.%[1]s A 192.0.2.1\n8-15.77.77.%[1]s NS a.example.\n"+
		`1.77.77.%[1]s CNAME a\.\\b\@\$\;\"\(\)\000\032\255\127\*x.1.0/29.77.77.%[1]s`+"\n9.77.77.%[1]s CNAME *.example.\n", apex)
}

// hostileOwners are names on, beside and below the boundaries.
func hostileOwners(apex zone.Name) []string {
	var out []string
	add := func(labels string) { out = append(out, labels+"."+string(apex)) }
	if apex.Labels() == 3 {
		add("200")
		for i := range 40 {
			add(fmt.Sprintf("%d.%d", i, i%5))
		}
		for i := range 5 {
			add(fmt.Sprintf("%d", i+3))
			add(fmt.Sprintf("%d.1.1", i))
			add(fmt.Sprintf("%d-%d.1.1", i*8, i*8+7))
		}
		add("01")
		add("256")
		add("x")
		return out
	}
	add("f.f")
	for i := range 60 {
		add(fmt.Sprintf("%x.%x.%x", i%16, i/16, i%3))
	}
	full := netip.MustParsePrefix("2400:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128")
	n, _ := zone.ReverseName(full)
	return append(out, string(n), "ff."+string(apex), "0.0.0.0."+string(apex))
}
