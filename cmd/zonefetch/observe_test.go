package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/zone"
	"nirzone/zone/observe"
	"nirzone/zone/publish"
)

// An observedWorld is a parent and a child zone behind one real server, and a
// configuration that asks it. Nothing is published.
type observedWorld struct{ folder }

func newObservedWorld(t *testing.T) *observedWorld {
	t.Helper()
	w := &observedWorld{folder{t, t.TempDir()}}
	zones := t.TempDir()
	key, up := peers.NewZoneKey(t, "202.in-addr.arpa", 257), peers.NewZoneKey(t, "in-addr.arpa", 257)
	sign := func(name string, key *peers.ZoneKey, records ...string) {
		peers.SignedZone{
			Name: name, Keys: []*peers.ZoneKey{key}, From: testNow.Add(-time.Hour), Until: testNow.AddDate(0, 0, 20),
			Records: append([]string{name + ". 60 IN SOA ns1.registry.example. h.registry.example. 7 1 1 1 1", name + ". 60 IN NS ns1.registry.example."}, records...),
		}.Write(t, zones)
	}
	sign("202.in-addr.arpa", key)
	sign("in-addr.arpa", up, "202.in-addr.arpa. 60 IN NS ns1.registry.example.", key.DS())
	server := peers.StartNamed(t, peers.DNSConfig{Zones: []string{"202.in-addr.arpa", "in-addr.arpa"}, Dir: zones})
	w.write("anchors", up.DS()+"\n")
	w.write("nirzone.toml", fmt.Sprintf(`version = 1
rir = "APNIC"
metrics = "metrics"
[[zones]]
names = ["202.in-addr.arpa"]
ns = ["ns1.registry.example."]
soa = { mname = "ns1.registry.example.", rname = "hostmaster.registry.example." }
[observe]
anchors = "anchors"
timeout = "500ms"
resolvers = [%[1]q]
[[observe.server]]
host = "ns1.registry.example"
addresses = [%[1]q]
[[observe.parent]]
zone = "in-addr.arpa"
host = "a.arpa.example"
addresses = [%[1]q]
`, server.Addr()))
	return w
}

func (w *observedWorld) run(args ...string) (int, string, string) {
	var out, log bytes.Buffer
	args = append([]string{"observe", "--config", filepath.Join(w.dir, "nirzone.toml"), "--now", testNow.Format(time.RFC3339)}, args...)
	code := run(w.t.Context(), args, &out, &log, time.Now)
	return code, out.String(), log.String()
}

func TestObserve(t *testing.T) {
	w := newObservedWorld(t)
	code, out, log := w.run()
	if code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, log)
	}
	want(t, "stdout", out, "ns1.registry.example  127.0.0.1:", "parent's server", "a.arpa.example", "2026-12-11 12:00", "run 1, ")
	want(t, "report", w.read("spool/observe.txt"), "run 1, ")
	want(t, "metrics", w.read("metrics/zonefetch_observe.prom"), "nirzone_zonefetch_observe_exit_code 0", "nirzone_zonefetch_observe_server_up{", "nirzone_zonefetch_observe_parent_ds{", "nirzone_zonefetch_observe_server_serial{")
	o, err := zone.ParseObservations("o", []byte(w.read("spool/observations.json")))
	if err != nil || len(o.Chain) != 1 || len(o.Zones) != 1 {
		t.Fatalf("%v, %+v", err, o)
	}
	code, out, log = w.run("--quiet")
	if code != 0 || out+log != "" {
		t.Errorf("quiet: exit %d, %q", code, out+log)
	}
	code, out, _ = w.run("--json", "--dry-run", "--zone", "202.in-addr.arpa")
	var r observe.Report
	if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil || !r.DryRun || r.Recorded || r.Run != 3 || len(r.Zones) != 1 {
		t.Errorf("exit %d, %v, %+v", code, err, r)
	}
}

func TestObserveDiffers(t *testing.T) {
	w := newObservedWorld(t)
	w.write("nirzone.toml", strings.Replace(w.read("nirzone.toml"), `ns = ["ns1.registry.example."]`, `ns = ["ns1.registry.example.", "ns2.registry.example."]`, 1))
	code, out, _ := w.run("--quiet")
	if code != exitPartial {
		t.Errorf("exit %d", code)
	}
	want(t, "stdout", out, "error: server-unknown: ns2.registry.example for 202.in-addr.arpa: looking up its addresses", "write its addresses into [[observe.server]])")
	code, out, _ = w.run("--now", testNow.AddDate(0, 0, 12).Format(time.RFC3339))
	if code != exitPartial {
		t.Errorf("exit %d", code)
	}
	want(t, "stdout", out, "server-expiry", "within signing.alarm = 216h0m0s")
}

// Without trust anchors or a resolver the run tells what does not work, once, and by
// which key of the configuration it does; it is no failure.
func TestObserveOff(t *testing.T) {
	w := newObservedWorld(t)
	text := w.read("nirzone.toml")
	w.write("nirzone.toml", strings.Replace(text, "anchors = \"anchors\"\n", "", 1))
	code, out, _ := w.run()
	if code != 0 || strings.Count(out, "off: ") != 1 {
		t.Errorf("exit %d\n%s", code, out)
	}
	want(t, "stdout", out, "off: no DS is believed, and every KSK, CSK and algorithm roll waits", "in [observe] anchors")
	want(t, "report", w.read("spool/observe.json"), `"off": [`)
	w.write("nirzone.toml", text)
	if err := os.Remove(filepath.Join(w.dir, "anchors")); err != nil {
		t.Fatal(err)
	}
	code, _, log := w.run()
	if code != exitUsage {
		t.Errorf("exit %d", code)
	}
	want(t, "stderr", log, "reading the trust anchors (observe.anchors)", "zonefetch: hint: cp /usr/share/dns/root.ds "+filepath.Join(w.dir, "anchors"))
}

// What is wrong with one server for many zones is one line on the screen, and one a
// zone in the file.
func TestObserveToldOnce(t *testing.T) {
	var list []zone.Notice
	for _, z := range []zone.Name{"1.in-addr.arpa.", "2.in-addr.arpa.", "3.in-addr.arpa."} {
		list = append(list, zone.Notice{Code: "server-silent", Severity: zone.Error, Zone: z, Name: "ns2.example.", Text: "ns2.example for " + z.File() + ": " + z.File() + " SOA: no answer"})
	}
	list = append(list, zone.Notice{Code: "server-silent", Severity: zone.Error, Zone: "2.in-addr.arpa.", Name: "ns3.example.", Text: "ns3.example for 2.in-addr.arpa: 2.in-addr.arpa SOA: no answer"})
	shown, file := page{to: &bytes.Buffer{}}, page{}
	(&observeText{&shown}).notices(&observe.Report{Notices: list})
	(&observeText{&file}).notices(&observe.Report{Notices: list})
	if strings.Count(shown.String(), "server-silent") != 2 || strings.Count(file.String(), "server-silent") != 4 {
		t.Errorf("%s\n%s", &shown, &file)
	}
	want(t, "stdout", shown.String(), "server-silent: ns2.example for 1.in-addr.arpa: 1.in-addr.arpa SOA: no answer; the same for 2 more zones\n")
}

func TestObserveUsage(t *testing.T) {
	w := newObservedWorld(t)
	for args, text := range map[string]string{
		"--wings":                 "unknown flag: --wings",
		"202.in-addr.arpa":        "zonefetch observe --zone 202.in-addr.arpa",
		"--zone a..b":             "--zone: name",
		"--zone 203.in-addr.arpa": "no such zone in the configuration: 203.in-addr.arpa",
		"--now tomorrow":          `--now "tomorrow" is no time`,
		"--source JPNIC":          "unknown flag: --source",
	} {
		code, out, log := w.run(strings.Fields(args)...)
		if code != exitUsage || out != "" {
			t.Errorf("%s: exit %d, stdout %q", args, code, out)
		}
		want(t, args, log, "zonefetch: error: ", text)
	}
	w.write("anchors", "nonsense")
	if code, _, log := w.run(); code != exitUsage || !strings.Contains(log, "anchors") {
		t.Errorf("bad anchors: exit %d, %s", code, log)
	}
	var out, log bytes.Buffer
	if code := run(t.Context(), []string{"observe", "--help"}, &out, &log, time.Now); code != 0 {
		t.Errorf("exit %d", code)
	}
	want(t, "help", out.String(), "zonefetch observe --zone 202.in-addr.arpa", "Exit codes: 0 ", "Without any, only what has")
}

func TestObserveLocked(t *testing.T) {
	w := newObservedWorld(t)
	if code, _, log := w.run(); code != 0 {
		t.Fatal(log)
	}
	release, err := publish.Lock(filepath.Join(w.dir, "spool", "observe.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	code, out, log := w.run()
	if code != exitLocked || out != "" {
		t.Errorf("exit %d, %q", code, out)
	}
	want(t, "stderr", log, "locked by pid", "zonefetch: hint: ")
}

// On a terminal there is a bar; it is gone at the end.
func TestObserveWatch(t *testing.T) {
	var out bytes.Buffer
	w := &observeWatcher{log: slog.New(slog.DiscardHandler), bar: newObserveBar(&out), out: &out}
	w.event(observe.Event{})
	for i := range 3 {
		w.event(observe.Event{Zone: "202.in-addr.arpa.", Done: i + 1, Total: 3})
	}
	w.close()
	if !strings.Contains(out.String(), "asking") || strings.Contains(out.String(), "\n") {
		t.Errorf("%q", out.String())
	}
}
