package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/cmd/shell"
	"nirzone/fixtures"
	"nirzone/zone"
)

// testCases asks why for each deliberate case of the world and compares the
// answer with the files themselves: the line that is named must say the record,
// the digest must be the file's.
func testCases(t *testing.T, reg *registry) {
	c := reg.world.Cases
	tests := map[string]struct {
		c         fixtures.Case
		exit      int
		status    string
		published string   // source of what is published at or above the name
		fates     []string // of what the case's source says
		notice    string   // code of the open notice to the case's source
	}{
		"plain":     {c.Plain, 0, isDelegated, "JPNIC", []string{fatePublished}, ""},
		"override":  {c.Override, 0, isDelegated, "APNIC", []string{fateOverridden}, "overridden"},
		"shadowed":  {c.Shadowed, 0, isBelow, "APNIC", []string{fateOverridden}, "overridden"},
		"outside":   {c.Outside, 5, isAbsent, "", []string{"outside-claims"}, "outside-claims"},
		"duplicate": {c.Duplicate, 0, isDelegated, "JPNIC", []string{fateDuplicate, fatePublished}, "duplicate"},
		"single-ns": {c.SingleNS, 0, isDelegated, "JPNIC", []string{fatePublished}, "single-ns"},
		"ds":        {c.DS, 0, isDelegated, "JPNIC", []string{fatePublished}, ""},
		"apex":      {c.Apex, 0, isApex, "", []string{"apex"}, "apex"},
		"empty":     {c.Empty, 0, isApex, "", nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := ask(t, reg, tt.exit, tt.c.Name.File())
			if a.Status != tt.status || a.Zone != tt.c.Zone {
				t.Errorf("%s in %s, want %s in %s", a.Status, a.Zone, tt.status, tt.c.Zone)
			}
			for _, s := range slices.Concat(a.Published, a.Above) {
				inFile(t, reg, s)
				if s.Source != tt.published {
					t.Errorf("published from %s: %s", s.Source, s.Record)
				}
			}
			if (len(a.Published)+len(a.Above) > 0) != (tt.published != "") {
				t.Errorf("%d records published", len(a.Published)+len(a.Above))
			}
			checkSaid(t, reg, a, tt.c.Source, tt.fates)
			told(t, a, tt.c.Source, tt.notice)
		})
	}
}

// ask calls why in process, on the first publication.
func ask(t *testing.T, reg *registry, exit int, name string) *answer {
	t.Helper()
	var out, errs bytes.Buffer
	sh := shell.Shell{Name: "nirctl", Stdout: &out, Stderr: &errs, Clock: time.Now}
	code := run(context.Background(), []string{"why", "--json", "--config", filepath.Join(reg.vars["FIRST"], "nirzone.toml"), name}, &sh)
	var a answer
	if err := json.Unmarshal(out.Bytes(), &a); err != nil || code != exit {
		t.Fatalf("exit %d, want %d; %v\n%s%s", code, exit, err, out.String(), errs.String())
	}
	return &a
}

// inFile checks a statement against the file that its source published first.
func inFile(t *testing.T, reg *registry, s statement) {
	t.Helper()
	dir := filepath.Join("nirs", s.Source)
	if s.Source == fixtures.RIR {
		dir = "registry"
	}
	data, err := os.ReadFile(filepath.Join(reg.vars["FIRST"], dir, s.File))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != s.SHA256 {
		t.Errorf("%s of %s has another digest than %s", s.File, s.Source, s.SHA256)
	}
	line := strings.Fields(strings.ToLower(strings.Split(string(data), "\n")[s.Line-1]))
	want := strings.Fields(strings.ToLower(s.Record)) // name TTL IN type data...
	if line[0] != want[0] || strings.Join(line[len(line)-len(want)+3:], " ") != strings.Join(want[3:], " ") {
		t.Errorf("%s:%d is %q, not %q", s.File, s.Line, line, want)
	}
	if nir := s.Source != fixtures.RIR; nir != (s.Signer != "") || nir != s.Seen.Equal(firstCycle.Add(10*time.Minute)) {
		t.Errorf("%s: signer %q, fetched %v", s.Source, s.Signer, s.Seen)
	}
}

// checkSaid compares what became of the lines of a source, and their number
// with that of the file.
func checkSaid(t *testing.T, reg *registry, a *answer, source string, fates []string) {
	t.Helper()
	var got []string
	lines := 0
	for _, s := range a.Said {
		inFile(t, reg, s)
		if s.Source == source && s.Name == a.Name {
			got = append(got, s.Fate)
			lines++
		}
	}
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, fates) {
		t.Errorf("fates %q, want %q", got, fates)
	}
	z := reg.world.Find(source, a.Zone)
	data, err := os.ReadFile(filepath.Join(reg.vars["FIRST"], "nirs", source, z.File))
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for l := range strings.Lines(strings.ToLower(string(data))) {
		if f := strings.Fields(l); len(f) > 0 && f[0] == string(a.Name) {
			want++
		}
	}
	if lines != want {
		t.Errorf("%d lines of %s, the file has %d", lines, source, want)
	}
}

// told checks that the source has the notice open, since the first build.
func told(t *testing.T, a *answer, source, code string) {
	t.Helper()
	var codes []string
	for _, n := range a.Notices {
		if n.Source == source && n.Name != "" {
			codes = append(codes, n.Code)
			if !n.Since.Equal(firstCycle.Add(20 * time.Minute)) {
				t.Errorf("%s is open since %v", n.Code, n.Since)
			}
		}
	}
	if code == "" && len(codes) > 0 || code != "" && !slices.Contains(codes, code) {
		t.Errorf("notices %q, want %q", codes, code)
	}
}

func TestNameOf(t *testing.T) {
	for in, want := range map[string]zone.Name{
		"28.12.202.in-addr.arpa":           "28.12.202.in-addr.arpa.",
		"28.12.202.IN-ADDR.ARPA.":          "28.12.202.in-addr.arpa.",
		"202.12.28.0/24":                   "28.12.202.in-addr.arpa.",
		"202.12.28.7/24":                   "28.12.202.in-addr.arpa.",
		"202.12.28.7":                      "7.28.12.202.in-addr.arpa.",
		"2400:1::/32":                      "1.0.0.0.0.0.4.2.ip6.arpa.",
		"::ffff:202.12.28.7":               "7.28.12.202.in-addr.arpa.",
		"0-127.28.12.202.in-addr.arpa":     "0-127.28.12.202.in-addr.arpa.",
		"0/25.28.12.202.in-addr.arpa":      "0/25.28.12.202.in-addr.arpa.",
		"202.in-addr.arpa":                 "202.in-addr.arpa.",
		"0.0.0.0/0":                        "in-addr.arpa.",
		"2400::1":                          zone.Name("1." + strings.Repeat("0.", 28) + "0.4.2.ip6.arpa."),
		"8.b.d.0.1.0.0.2.ip6.arpa":         "8.b.d.0.1.0.0.2.ip6.arpa.",
		"ns1.28.12.202.in-addr.arpa":       "ns1.28.12.202.in-addr.arpa.",
		"2.0.0.0.0.0.0.0.0.0.4.2.ip6.arpa": "2.0.0.0.0.0.0.0.0.0.4.2.ip6.arpa.",
	} {
		if got, err := nameOf(in); err != nil || got != want {
			t.Errorf("nameOf(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

// testBelow compares how many delegations are said to be below a name with the
// published file.
func testBelow(t *testing.T, reg *registry) {
	file := filepath.Join(reg.world.Dir, "public", "current", "202.in-addr.arpa")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	owners := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); f[3] == "NS" && strings.HasSuffix(f[0], ".12.202.in-addr.arpa.") {
			owners[f[0]] = true
		}
	}
	a := ask(t, reg, 5, "202.12.0.0/16")
	if a.BelowCount != len(owners) || len(owners) <= shownBelow || len(a.Below) != shownBelow {
		t.Errorf("%d below, %d shown; the file has %d", a.BelowCount, len(a.Below), len(owners))
	}
}
