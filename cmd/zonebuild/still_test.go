package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/sign"
)

// TestWhy: each reason not to leave a zone alone is enough by itself.
func TestWhy(t *testing.T) {
	now := time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)
	yes, no := func() bool { return true }, func() bool { return false }
	still := func() stillness {
		return stillness{
			Now: now, Since: now.Add(-time.Hour), Prev: &zone.GenerationZone{Basis: "b"}, Configured: true,
			Basis: "b", Until: now.Add(time.Second), Inputs: yes, Intact: yes,
		}
	}
	if why := still().why(); why != "" {
		t.Fatalf("it does not stand: %s", why)
	}
	for want, change := range map[string]func(*stillness){
		"not configured":                                func(s *stillness) { s.Configured = false },
		"never published":                               func(s *stillness) { s.Prev = nil },
		"was carried forward":                           func(s *stillness) { s.Prev.Carried = "no keys" },
		"decided by the command":                        func(s *stillness) { s.Decided = true },
		"something is held":                             func(s *stillness) { s.Held = true },
		"a decision waits":                              func(s *stillness) { s.Accept = true },
		"was not settled":                               func(s *stillness) { s.Prev.Basis, s.Basis = "", "" },
		"inputs, claims, keys or policy are others":     func(s *stillness) { s.Basis = "c" },
		"the time is before the published generation's": func(s *stillness) { s.Since = now.Add(time.Second) },
		"due":              func(s *stillness) { s.Until = now },
		"an input is lost": func(s *stillness) { s.Inputs = no },
		"the published file is not as it was written": func(s *stillness) { s.Intact = no },
		"inputs, claims, keys or policy are others ":  func(s *stillness) { s.Basis = "" },
		"due ": func(s *stillness) { s.Until = time.Time{} },
	} {
		s := still()
		change(&s)
		if why := s.why(); why != strings.TrimSpace(want) {
			t.Errorf("%q, want %q", why, want)
		}
	}
}

func TestUntil(t *testing.T) {
	since := time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)
	at := func(h int) time.Time { return since.Add(time.Duration(h) * time.Hour) }
	due := &zone.GenerationZone{Due: at(10), Ledger: zone.Ledger{{Time: at(-9 * 24)}, {Time: at(9 - 7*24)}}}
	for name, tc := range map[string]struct {
		timing sign.Timing
		want   time.Time
	}{
		"a loss leaves its week": {sign.Timing{}, at(9)},
		"no longer in CDS":       {sign.Timing{Unsync: at(3)}, at(3)},
		"no key step":            {sign.Timing{Publish: at(-9), Active: at(-9)}, at(9)},
		"at the same time":       {sign.Timing{Active: since}, at(9)},
		"published":              {sign.Timing{Publish: at(3)}, at(3)},
		"ready":                  {sign.Timing{Ready: at(3)}, at(3)},
		"active":                 {sign.Timing{Active: at(3), Retire: at(4)}, at(3)},
		"retired":                {sign.Timing{Retire: at(3), Remove: at(4)}, at(3)},
		"removed":                {sign.Timing{Remove: at(3)}, at(3)},
		"after it is due":        {sign.Timing{Remove: at(11)}, at(9)},
	} {
		keys := []sign.Key{{}, {Timing: tc.timing}}
		if got := until(due, keys, since); !got.Equal(tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// left returns the zones that the last run, which was verbose, left alone.
func (tr *tree) left() int {
	tr.t.Helper()
	n := -1
	for line := range strings.SplitSeq(tr.err.String(), "\n") {
		if i := strings.Index(line, `nothing to do for" zones=`); i >= 0 {
			if _, err := fmt.Sscanf(line[i:], `nothing to do for" zones=%d`, &n); err != nil {
				tr.t.Error(err)
			}
		}
	}
	if n < 0 {
		tr.t.Errorf("the log does not say which zones were left alone:\n%s", tr.err.String())
	}
	return n
}

// rest makes a generation whose signatures are fresh for both zones, in the run
// after the first.
func (tr *tree) rest() {
	tr.t.Helper()
	tr.must(0, "--verbose")
	if n := tr.left(); n != 2 {
		tr.t.Fatalf("%d zones were left alone, not both\n%s", n, tr.err.String())
	}
}

// TestLeftAlone: what makes a zone be built again in a real tree, and what does
// not.
func TestLeftAlone(t *testing.T) {
	edit := func(old, new string) func(*tree) {
		return func(tr *tree) {
			text := strings.Replace(treeConfig, old, new, 1)
			if text == treeConfig {
				tr.t.Fatalf("%q is not in the configuration", old)
			}
			tr.write("nirzone.toml", text)
		}
	}
	source := `url = "https://127.0.0.1/{zone}-{name}"
zones = "listed"
`
	for name, tc := range map[string]struct {
		change func(*tree)
		left   int
	}{
		"nothing":                     {func(*tree) {}, 2},
		"a comment":                   {edit("version = 1", "version = 1 # first"), 2},
		"how many to keep":            {edit("keep = 5", "keep = 6"), 2},
		"seen again":                  {(*tree).seen, 2},
		"one feed":                    {func(tr *tree) { tr.feed("JPNIC", zoneB, owners(zoneB, 10, 41)) }, 1},
		"one feed that is refused":    {func(tr *tree) { tr.accept("JPNIC", zoneB, []byte("nonsense\n")) }, 1},
		"a registry's zonelet":        {func(tr *tree) { tr.registry(zoneB, owners(zoneB, 250, 6)) }, 1},
		"a registry's zonelet lost":   {func(tr *tree) { tr.remove("registry/" + zoneB.File() + "-APNIC") }, 2},
		"claims elsewhere":            {func(tr *tree) { tr.claims("JPNIC\t43.0.0.0/9\n") }, 2},
		"claims in a zone":            {func(tr *tree) { tr.claims("JPNIC\t42.128.0.0/10\n") }, 1},
		"claims above a zone":         {func(tr *tree) { tr.claims("JPNIC\t42.0.0.0/7\n") }, 1},
		"a name server":               {edit(`"ns2.registry.example"]`, `"ns3.registry.example"]`), 0},
		"the SOA":                     {edit(`rname = "hostmaster.`, `rname = "dns.`), 0},
		"a TTL":                       {edit("\nsoa", "\nttl = 172800\nsoa"), 0},
		"the registry's name":         {edit(`rir = "APNIC"`, `rir = "APNIC2"`), 0},
		"the signing policy":          {edit("[publish]", "[signing]\nvalidity = \"22d\"\n[publish]"), 0},
		"the runway's alarm":          {edit("[publish]", "[signing]\nalarm = \"8d\"\n[publish]"), 0},
		"a gate":                      {edit("[publish]", "[gates]\npercent = 4\n[publish]"), 0},
		"a source's limit":            {edit(source, source+"max_bytes = 100000\n"), 0},
		"a source less":               {edit(withoutKRNIC, ""), 1},
		"an input lost":               {func(tr *tree) { tr.loseInput(zoneB) }, 1},
		"an input corrupted":          {func(tr *tree) { tr.spoilInput(zoneB) }, 1},
		"a key's time":                {func(tr *tree) { tr.editKey(zoneB, "Created: ", "Delete: 20991231000000\nCreated: ") }, 1},
		"a key that others can read":  {func(tr *tree) { tr.openKey(zoneB) }, 1},
		"a file of another generator": {func(tr *tree) { tr.spoilPublished(zoneB, true) }, 1},
		"a published file lost":       {func(tr *tree) { tr.remove("public/current/" + zoneB.File()) }, 1},
		"time before a slot's end":    {func(tr *tree) { tr.now = tr.firstDue().Add(-time.Second) }, 2},
		"a slot's end":                {func(tr *tree) { tr.now = tr.firstDue() }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := published(t)
			tr.rest()
			tc.change(tr)
			tr.run("--verbose")
			if n := tr.left(); n != tc.left {
				t.Errorf("%d zones were left alone, not %d\n%s%s", n, tc.left, tr.err.String(), tr.out.String())
			}
		})
	}
}

func (tr *tree) remove(name string) {
	tr.t.Helper()
	if err := os.Remove(tr.path(name)); err != nil {
		tr.t.Fatal(err)
	}
}

// claims adds lines to the claims.
func (tr *tree) claims(more string) {
	tr.t.Helper()
	data, err := os.ReadFile(tr.path("registry/claims"))
	if err != nil {
		tr.t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data)+more, "\n")
	slices.Sort(lines)
	tr.write("registry/claims", strings.Join(lines, ""))
}

func (tr *tree) firstDue() time.Time {
	g := tr.current()
	first := g.Zones[0].Due
	for _, z := range g.Zones {
		if z.Due.Before(first) {
			first = z.Due
		}
	}
	return first
}

// inputOf returns the spool's file of JPNIC's zonelet.
func (tr *tree) inputOf(z zone.Name) string {
	return tr.path("spool/" + zone.ObjectPath(tr.manifest.Source("JPNIC").Zone(z).Accepted.SHA256))
}

func (tr *tree) loseInput(z zone.Name) {
	if err := os.Remove(tr.inputOf(z)); err != nil {
		tr.t.Fatal(err)
	}
}

func (tr *tree) spoilInput(z zone.Name) { spoil(tr.t, tr.inputOf(z), true) }

func (tr *tree) spoilPublished(z zone.Name, hidden bool) {
	spoil(tr.t, tr.path("public/current/"+z.File()), hidden)
}

// spoil changes one octet of a file and keeps its length; hidden, its time of
// modification too.
func spoil(t *testing.T, path string, hidden bool) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0); err != nil {
		t.Fatal(err)
	}
	if hidden {
		if err := os.Chtimes(path, time.Time{}, info.ModTime()); err != nil {
			t.Fatal(err)
		}
	}
}

func (tr *tree) keyFile(z zone.Name) string {
	tr.t.Helper()
	list, err := filepath.Glob(tr.path("keys/" + z.File() + "/*.private"))
	if err != nil || len(list) == 0 {
		tr.t.Fatalf("no keys: %v", err)
	}
	return list[0]
}

func (tr *tree) editKey(z zone.Name, old, new string) {
	tr.t.Helper()
	file := tr.keyFile(z)
	data, err := os.ReadFile(file)
	if err != nil {
		tr.t.Fatal(err)
	}
	text := strings.Replace(string(data), old, new, 1)
	if text == string(data) {
		tr.t.Fatalf("%q is not in\n%s", old, strings.SplitAfter(text, "PrivateKey")[0])
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		tr.t.Fatal(err)
	}
}

func (tr *tree) openKey(z zone.Name) {
	if err := os.Chmod(tr.keyFile(z), 0o644); err != nil {
		tr.t.Fatal(err)
	}
}
