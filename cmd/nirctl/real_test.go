package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// countScript counts in awk, by the words of the lines and nothing of ours: NS
// and DS lines, owners, repeated lines, owners with one name server, lines of the
// parent zone itself.
const countScript = `
BEGIN { IGNORECASE = 0 }
{ sub(/;.*/, "") ; $0 = tolower($0) }
$1 ~ /^[$]/ || NF < 3 { next }
{ t = ""; for (i = 2; i <= 4 && i <= NF; i++) if ($i == "ns" || $i == "ds") { t = $i; at = i; break } }
t == "" { next }
{
  n[t]++
  owner = $1; sub(/[.]$/, "", owner)
  own[owner] = 1
  data = ""; for (i = at + 1; i <= NF; i++) data = data " " $i
  if (seen[owner t data]++) { dups++; dupowner[owner] = 1 } else if (t == "ns") servers[owner]++
  if (owner == zone) apex++
}
END {
  for (o in own) { owners++; if (o != zone && servers[o] == 1) single++ }
  for (o in dupowner) dupowners++
  printf "%d %d %d %d %d %d", n["ns"], n["ds"], owners, dupowners, single, (apex > 0)
}`

// TestRealZonelets checks all real zonelets that are at hand, and compares the
// counts with those of awk.
func TestRealZonelets(t *testing.T) {
	dir := filepath.Join(sharedData(), "zonelets")
	files, err := filepath.Glob(filepath.Join(dir, "*-*"))
	if err != nil || len(files) == 0 {
		t.Skipf("NOT TESTED: no real zonelets in ../shared/data/zonelets (%v)", err)
	}
	if len(files) != 45 {
		t.Errorf("%d zonelets, want 45", len(files))
	}
	d := newDesk(t)
	d.must(3, append([]string{"zone", "check", "--json"}, files...))
	var got struct{ Files []verdict }
	if err := json.Unmarshal(d.out.Bytes(), &got); err != nil || len(got.Files) != len(files) {
		t.Fatalf("%d verdicts: %v", len(got.Files), err)
	}
	ns := 0
	for i, v := range got.Files {
		codes := map[string]int{}
		for _, n := range v.Notices {
			codes[n.Code]++
		}
		ours := fmt.Sprintf("%d %d %d %d %d %d", v.NS, v.DS, v.Owners, codes["duplicate"], codes["single-ns"], codes["apex"])
		if want := awk(t, v.Zone.File(), files[i]); ours != want || !v.Accepted {
			t.Errorf("%s: accepted %v, counts %s, awk has %s", v.File, v.Accepted, ours, want)
		}
		ns += v.NS
	}
	t.Logf("%d zonelets, %d NS records", len(files), ns)
	checkForms(d, dir)
}

func awk(t *testing.T, zone, file string) string {
	t.Helper()
	cmd := exec.Command("awk", "-v", "zone="+zone, countScript, file)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("awk: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// checkForms reads one real zonelet under each form of name that registries
// use.
func checkForms(d *desk, dir string) {
	for from, to := range map[string]string{
		"045-AFRINIC": "45-AFRINIC", "102-AFRINIC": "102.in-addr.arpa-AFRINIC", "2.4.1.0.0.2.ip6.arpa-AFRINIC": "2.4.1.0.0.2.ip6.arpa-AFRINIC",
	} {
		data, err := os.ReadFile(filepath.Join(dir, from))
		if err != nil {
			d.t.Fatal(err)
		}
		d.write(to, 0o644, string(data))
		d.run([]string{"zone", "check", d.path(to)}, to+": would be accepted")
	}
}

// run is must for whatever verdict there is.
func (d *desk) run(args []string, want string) {
	d.t.Helper()
	out, err := exec.Command("nirctl", args...).CombinedOutput()
	if code := exitCode(err); code != "0" && code != "3" || !strings.Contains(string(out), want) {
		d.t.Errorf("nirctl %q: exit %s\n%.300s", args, code, out)
	}
}

func TestSplitName(t *testing.T) {
	for in, want := range map[string]string{
		"041-AFRINIC":                "41.in-addr.arpa. AFRINIC",
		"41-AFRINIC":                 "41.in-addr.arpa. AFRINIC",
		"193-ARIN":                   "193.in-addr.arpa. ARIN",
		"000-X":                      "0.in-addr.arpa. X",
		"0.c.2.ip6.arpa-AFRINIC":     "0.c.2.ip6.arpa. AFRINIC",
		"102.in-addr.arpa-AFRINIC":   "102.in-addr.arpa. AFRINIC",
		"202.IN-ADDR.ARPA-JPNIC":     "202.in-addr.arpa. JPNIC",
		"256-X":                      "",
		"0041-X":                     "",
		"041-":                       "",
		"-X":                         "",
		"041":                        "",
		"in-addr.arpa-X":             "",
		"example.com-X":              "",
		"0-127.2.1.in-addr.arpa-X":   "",
		"202.in-addr.arpa-JPNIC.md5": "202.in-addr.arpa. JPNIC.md5",
	} {
		z, source, ok := splitName(in)
		if got := strings.TrimSpace(string(z) + " " + source); ok != (want != "") || ok && got != want {
			t.Errorf("splitName(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
}
