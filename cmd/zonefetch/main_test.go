package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/zone"
	"nirzone/zone/fetch"
	"nirzone/zone/publish"
	"nirzone/zone/seal"
)

func TestMain(m *testing.M) {
	fetch.Child()
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

var testNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// A folder is where nirzone.toml is.
type folder struct {
	t   *testing.T
	dir string
}

// A world is a configuration with one source behind a real web server.
type world struct {
	folder
	root   string // what the source publishes
	key    *seal.Key
	server *peers.WebServer
	now    time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	key, err := seal.GenerateKey("JPNIC <zones@nic.example>", testNow.AddDate(0, 0, -30), 50*24*time.Hour, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{folder: folder{t, t.TempDir()}, root: t.TempDir(), key: key, now: testNow}
	w.put("202.in-addr.arpa-JPNIC", "1.202.in-addr.arpa. NS ns.nic.example.\n")
	w.server = peers.StartNginx(t, peers.NginxConfig{Root: w.root})
	public, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	w.write("jpnic.asc", string(public))
	w.configure(w.server.URL)
	return w
}

func (w *world) configure(url string) {
	w.write("nirzone.toml", fmt.Sprintf(`version = 1
rir = "APNIC"
metrics = "metrics"
[fetch]
backoff = "1ms"
retries = 1
[[source]]
name = "JPNIC"
url = "%s/{zone}-{name}"
zones = "listed"
keyring = "jpnic.asc"
ca_file = %q
[[zones]]
names = ["202.in-addr.arpa"]
ns = ["ns1.registry.example."]
soa = { mname = "ns1.registry.example.", rname = "hostmaster.registry.example." }
`, url, w.server.CAFile))
}

func (w folder) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w folder) read(name string) string {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

// put publishes a zonelet with its seals.
func (w *world) put(name, text string) {
	w.t.Helper()
	sig, err := w.key.Sign([]byte(text), testNow.Add(-time.Hour))
	if err != nil {
		w.t.Fatal(err)
	}
	for suffix, b := range map[string][]byte{"": []byte(text), ".md5": seal.FormatMD5(name, []byte(text)), ".asc": sig} {
		if err := os.WriteFile(filepath.Join(w.root, name+suffix), b, 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
}

// run runs the command and moves the time on by a cycle.
func (w *world) run(args ...string) (code int, stdout, stderr string) {
	w.t.Helper()
	return w.runIn(context.Background(), args...)
}

func (w *world) runIn(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	clock := func() time.Time { return w.now }
	code = run(ctx, append([]string{"--config", filepath.Join(w.dir, "nirzone.toml")}, args...), &out, &err, clock)
	w.now = w.now.Add(2 * time.Hour)
	return code, out.String(), err.String()
}

func want(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s: no %q in\n%s", what, p, text)
		}
	}
}

func TestRun(t *testing.T) {
	w := newWorld(t)
	code, out, log := w.run()
	if code != 0 || strings.Contains(out, "\x1b") {
		t.Fatalf("exit %d\n%s%s", code, out, log)
	}
	want(t, "stdout", out, "source", "JPNIC", "202.in-addr.arpa-JPNIC  new", "signed by "+w.key.Fingerprint()[24:], "run 1, ", "key until", "2026-12-11")
	want(t, "stderr", log, `msg="source done" source=JPNIC`)
	want(t, "report.txt", w.read("spool/report.txt"), "202.in-addr.arpa-JPNIC  new")
	want(t, "metrics", w.read("metrics/zonefetch.prom"), "nirzone_zonefetch_exit_code 0", "nirzone_zonefetch_success 1",
		`nirzone_zonefetch_source_age_seconds{source="JPNIC"} 0`, `nirzone_zonefetch_source_key_expiry_days{source="JPNIC"} 20`,
		`nirzone_zonefetch_source_zonelets{outcome="new",source="JPNIC"} 1`, "nirzone_zonefetch_last_run_timestamp_seconds 1.7952624e+09")

	code, out, log = w.run("--quiet")
	// The key ends in less than thirty days: somebody has to look.
	if code != 0 || log != "" {
		t.Errorf("exit %d\n%s%s", code, out, log)
	}
	want(t, "stdout", out, "keyring-ends-30")

	code, out, _ = w.run("--json", "--now", "2026-11-22")
	var r fetch.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
		t.Fatalf("exit %d: %v\n%s", code, err, out)
	}
	if r.Run != 3 || r.Time != time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) || r.Sources[0].Zones[0].Transferred != 0 {
		t.Errorf("%s", out)
	}
	if got := w.read("spool/report.json"); got != out {
		t.Errorf("report.json differs from standard output")
	}
}

// TestRunFails: the source is gone. Its version stays, the exit code is 3, and metrics
// tell the age.
func TestRunFails(t *testing.T) {
	w := newWorld(t)
	if code, out, _ := w.run(); code != 0 {
		t.Fatal(out)
	}
	w.server.Stop()
	code, out, log := w.run("--quiet")
	if code != exitPartial || log != "" {
		t.Errorf("exit %d, stderr %q", code, log)
	}
	want(t, "stdout", out, "202.in-addr.arpa-JPNIC  kept", "2h ago", "connection refused")
	want(t, "report", w.read("spool/report.txt"), "JPNIC: error: unreached")
	want(t, "metrics", w.read("metrics/zonefetch.prom"), "nirzone_zonefetch_exit_code 3", "nirzone_zonefetch_success 0", "nirzone_zonefetch_recorded 1",
		`nirzone_zonefetch_source_success{source="JPNIC"} 0`, `nirzone_zonefetch_source_age_seconds{source="JPNIC"} 7200`)
	code, _, log = w.run("--verbose")
	if code != exitPartial {
		t.Errorf("exit %d", code)
	}
	want(t, "stderr", log, "stage=connecting", "msg=retrying", `msg="source failed"`)
}

// A source of two zonelets is gone: a person reads the reason once, on standard error
// and output together, and the files have it of each zonelet and of the source.
func TestFailureToldOnce(t *testing.T) {
	w := newWorld(t)
	w.put("203.in-addr.arpa-JPNIC", "1.203.in-addr.arpa. NS ns.nic.example.\n")
	w.write("nirzone.toml", strings.Replace(w.read("nirzone.toml"), `names = ["202.in-addr.arpa"]`, `names = ["202.in-addr.arpa", "203.in-addr.arpa"]`, 1))
	if code, out, _ := w.run(); code != 0 {
		t.Fatal(out)
	}
	w.server.Stop()
	w.now = w.now.AddDate(0, 0, 4) // and stale by now
	code, out, log := w.run()
	const reason = "connection refused"
	if n := strings.Count(out+log, reason); code != exitPartial || n != 1 {
		t.Errorf("exit %d, the reason is told %d times:\n%s%s", code, n, out, log)
	}
	want(t, "stdout", out, "202.in-addr.arpa-JPNIC, 203.in-addr.arpa-JPNIC  kept", "4d ago", "JPNIC 202.in-addr.arpa and 1 more: warning: stale: last seen")
	want(t, "stderr", log, `msg="source failed" source=JPNIC`)
	several := []fetch.ZoneReport{{File: "a", Outcome: zone.OutcomeKept, Reason: "x"}, {File: "b", Outcome: zone.OutcomeKept, Reason: "x"}, {File: "c", Outcome: zone.OutcomeKept, Reason: "x"}, {File: "d", Outcome: zone.OutcomeNew, Signer: "s"}}
	shown := page{to: &bytes.Buffer{}}
	(&textReport{&shown}).zones(&fetch.Report{Sources: []fetch.SourceReport{{Zones: several}}})
	want(t, "table", shown.String(), "a and 2 more  kept", "d             new")
	text := w.read("spool/report.txt")
	want(t, "report.txt", text, "202.in-addr.arpa-JPNIC  kept", "203.in-addr.arpa-JPNIC  kept", "JPNIC: error: unreached: ", "JPNIC 203.in-addr.arpa: warning: stale")
	if n := strings.Count(text, reason); n != 3 {
		t.Errorf("the file has the reason %d times:\n%s", n, text)
	}
	if n := strings.Count(w.read("spool/report.json"), reason); n != 4 {
		t.Errorf("the JSON has the reason %d times", n)
	}
}

// TestNothingRecorded: exit 1 leaves the old manifest, and metrics.
func TestNothingRecorded(t *testing.T) {
	w := newWorld(t)
	w.run()
	old := w.read("spool/manifest.json")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	code, _, log := w.runIn(ctx)
	if code != exitFailed {
		t.Errorf("interrupted: exit %d", code)
	}
	want(t, "stderr", log, "zonefetch: error: interrupted; what was finished before is recorded")
	w.write("spool/manifest.json", "{")
	code, out, log := w.run()
	if code != exitFailed {
		t.Errorf("unreadable manifest: exit %d", code)
	}
	want(t, "stderr", log, "zonefetch: error: reading the manifest", "move it away")
	want(t, "stdout", out, "nothing recorded, ")
	want(t, "report", w.read("spool/report.txt"), "nothing recorded: reading the manifest")
	want(t, "metrics", w.read("metrics/zonefetch.prom"), "nirzone_zonefetch_exit_code 1", "nirzone_zonefetch_recorded 0")
	w.write("spool/manifest.json", old)
	if code, _, log := w.run(); code != 0 {
		t.Errorf("repaired: exit %d\n%s", code, log)
	}
}

func TestLocked(t *testing.T) {
	w := newWorld(t)
	w.run()
	before := w.read("spool/report.json") + w.read("metrics/zonefetch.prom")
	release, err := publish.Lock(filepath.Join(w.dir, "spool", "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	code, out, log := w.run()
	if code != exitLocked || out != "" {
		t.Errorf("exit %d, stdout %q", code, out)
	}
	want(t, "stderr", log, "zonefetch: error: opening the spool", "locked by pid", "zonefetch: hint: ")
	if w.read("spool/report.json")+w.read("metrics/zonefetch.prom") != before {
		t.Errorf("the report of the run that has the lock was replaced")
	}
}

func TestUsage(t *testing.T) {
	w := newWorld(t)
	for args, text := range map[string]string{
		"--wings":         "unknown flag: --wings",
		"JPNIC":           "zonefetch --source JPNIC",
		"--now tomorrow":  `--now "tomorrow" is no time`,
		"--source KRNIC":  "no such source in the configuration: KRNIC",
		"--config /none":  "reading configuration: open /none",
		"--config broken": "unknown key",
	} {
		fields := strings.Fields(args)
		if fields[len(fields)-1] == "broken" {
			w.write("broken.toml", "version = 1\nwings = 2\n")
			fields[1] = filepath.Join(w.dir, "broken.toml")
		}
		code, out, log := w.run(fields...)
		if code != 2 || out != "" {
			t.Errorf("%s: exit %d, stdout %q", args, code, out)
		}
		want(t, args, log, "zonefetch: error: ", text)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "spool", "manifest.json")); err == nil {
		t.Error("something was recorded")
	}
}

func TestHelp(t *testing.T) {
	var out, log bytes.Buffer
	if code := run(t.Context(), []string{"--help"}, &out, &log, time.Now); code != 0 || log.Len() > 0 {
		t.Errorf("exit %d, %s", code, log.String())
	}
	want(t, "help", out.String(), "Exit codes: 0 done", "--dry-run", "--source NAME")
}

func TestDryRun(t *testing.T) {
	w := newWorld(t)
	t.Setenv("NIRZONE_CONFIG", filepath.Join(w.dir, "nirzone.toml"))
	var out, log bytes.Buffer
	if code := run(t.Context(), []string{"--dry-run", "--now", "2026-11-21T12:00:00Z"}, &out, &log, time.Now); code != 0 {
		t.Fatalf("exit %d\n%s", code, log.String())
	}
	want(t, "stdout", out.String(), "202.in-addr.arpa-JPNIC  new", "dry run: nothing recorded")
	for _, name := range []string{"spool", "metrics"} {
		if _, err := os.Stat(filepath.Join(w.dir, name)); err == nil {
			t.Errorf("%s was made", name)
		}
	}
}
