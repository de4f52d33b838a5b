package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"nirzone/zone"
	"nirzone/zone/publish"
)

func TestLocked(t *testing.T) {
	_, f, s := served(t, "")
	release, err := publish.Lock(filepath.Join(s.config.Spool, lockName))
	if err != nil {
		t.Fatal(err)
	}
	asked := len(f.commands(""))
	if _, err := s.try(t.Context()); !errors.Is(err, publish.ErrLocked) || len(f.commands("")) != asked {
		t.Errorf("%v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	wantZones(t, s.run(), "202=unchanged")
}

// TestPrune: what nothing names goes, what anything names stays, and all stays while
// zonebuild runs.
func TestPrune(t *testing.T) {
	site, _, s := served(t, "")
	name := func(i int) string { return strings.Repeat(fmt.Sprintf("%x", i), 64) }
	keepers := map[string]string{ // by what names it
		filepath.Join(s.config.Public, "generations/7/generation.json"):        name(1),
		filepath.Join(s.config.Public, "generations/.draft-8/generation.json"): name(2),
		filepath.Join(s.config.State, "held/abc.json"):                         name(3),
		filepath.Join(s.config.State, "accepts/abc.json"):                      name(4),
		filepath.Join(s.config.State, "pins/x.json"):                           name(5),
	}
	for file, digest := range keepers {
		write(t, file, fmt.Sprintf(`{"version": 99, "sha256": %q}`, digest))
	}
	write(t, filepath.Join(s.config.Spool, evidenceName, name(6)), "")
	for i := 1; i <= 8; i++ {
		write(t, s.object(name(i)), "x")
	}
	write(t, s.object("README"), "not ours")
	release, err := publish.Lock(filepath.Join(s.config.State, lockName))
	if err != nil {
		t.Fatal(err)
	}
	old := s.entry(zone202).Accepted.SHA256
	site.put(file202, zonelet(202, 6))
	r := s.run()
	if r.Pruned != 0 || r.PruneSkipped != "zonebuild is running" || !r.Recorded {
		t.Fatalf("%s", r.Encode())
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if r := s.run(); r.Pruned != 5 || r.PruneSkipped != "" { // 7, 8, and the three of the old version
		t.Errorf("pruned %d, skipped %q", r.Pruned, r.PruneSkipped)
	}
	for i := 1; i <= 8; i++ {
		if _, err := os.Stat(s.object(name(i))); (err == nil) != (i <= 6) {
			t.Errorf("object %d: %v", i, err)
		}
	}
	if _, err := os.Stat(s.object(old)); err == nil {
		t.Errorf("the old version is still there")
	}
	if _, err := os.Stat(s.object("README")); err != nil {
		t.Error(err)
	}
	if _, err := s.check(); err != nil {
		t.Error(err)
	}
}

func (s *setup) object(digest string) string {
	return filepath.Join(s.config.Spool, filepath.FromSlash(zone.ObjectPath(digest)))
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPruneNeedsToRead: a note that cannot be read may name anything.
func TestPruneNeedsToRead(t *testing.T) {
	_, _, s := served(t, "")
	stray := strings.Repeat("a", 64)
	write(t, s.object(stray), "x")
	if err := os.MkdirAll(filepath.Join(s.config.State, "held", "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := s.run()
	if r.Pruned != 0 || r.PruneSkipped == "" || !r.Recorded {
		t.Errorf("%s", r.Encode())
	}
	if _, err := os.Stat(s.object(stray)); err != nil {
		t.Error(err)
	}
}

func TestDryRun(t *testing.T) {
	site := newSite(t)
	s := configure(t, newFakeFTP(site.dir).start(t), one, "")
	site.put(file202, zonelet(202, 5))
	s.dry = true
	r := s.run()
	wantZones(t, r, "202=new")
	if _, err := os.Stat(s.config.Spool); !errors.Is(err, os.ErrNotExist) || r.Recorded || !r.DryRun {
		t.Errorf("a spool was made: %v", err)
	}
}

// TestCancelled: what is finished is recorded, the rest is as it was before.
func TestCancelled(t *testing.T) {
	site := newSite(t)
	f := newFakeFTP(site.dir)
	s := configure(t, f.start(t), "", "")
	site.put(file202, zonelet(202, 5))
	site.put("203.in-addr.arpa-JPNIC", zonelet(203, 5))
	wantZones(t, s.run(), "202=new 203=new")
	before := *s.entry(zone203)
	site.put(file202, zonelet(202, 6))
	site.put("203.in-addr.arpa-JPNIC", zonelet(203, 6))
	ctx, cancel := context.WithCancel(context.Background())
	f.arm(func() {
		f.data = func(c net.Conn, name string) {
			if name == "RETR 203.in-addr.arpa-JPNIC" {
				cancel()
				hang(c, "")
				return
			}
			if name == "NLST" {
				fmt.Fprint(c, file202+"\r\n203.in-addr.arpa-JPNIC\r\n")
				return
			}
			b, _ := os.ReadFile(filepath.Join(site.dir, strings.TrimPrefix(name, "RETR ")))
			_, _ = c.Write(b)
		}
	})
	r, err := s.try(ctx)
	if err != nil || !r.Cancelled || !r.Recorded || !r.Failed() {
		t.Fatalf("%v\n%s", err, r.Encode())
	}
	wantZones(t, r, "202=new")
	if got := r.Sources[0]; got.Outcome != "cancelled" || !strings.Contains(got.Reason, "interrupted") {
		t.Errorf("the source is said to be %q: %s", got.Outcome, got.Reason)
	}
	if got := *s.entry(zone203); got.Last != before.Last || *got.Accepted != *before.Accepted {
		t.Errorf("203 was %+v, is %+v", before, got)
	}
	f.arm(func() { f.data = nil })
	wantZones(t, s.run(), "202=unchanged 203=new")
}

// TestManySources: sources run side by side, but one host is asked by per_host at a
// time; --source leaves the others' entries alone; what is no longer configured goes.
func TestManySources(t *testing.T) {
	site := newSite(t)
	var names []string
	for i := range 6 {
		names = append(names, fmt.Sprintf("NIR%d", i))
		site.put("202.in-addr.arpa-"+names[i], zonelet(202, 5+i))
	}
	var now, most atomic.Int64
	f := newFakeFTP(site.dir)
	addr := listen(t, func(c net.Conn) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		f.serve(t, c)
	})
	s := configure(t, "ftp://"+addr+"/{zone}-{name}", one, "per_host = 2\nparallel = 6")
	template := s.config.Sources[0]
	s.config.Sources = nil
	for _, n := range names {
		src := template
		src.Name = n
		s.config.Sources = append(s.config.Sources, src)
	}
	r := s.run()
	if r.Failed() || len(r.Sources) != 6 || !slices.IsSortedFunc(r.Sources, func(a, b SourceReport) int { return strings.Compare(a.Name, b.Name) }) {
		t.Fatalf("%s", r.Encode())
	}
	// A connection that is closed at one end may still be counted at the other.
	if m := most.Load(); m > 4 {
		t.Errorf("%d connections at a time", m)
	}
	start := s.now
	only, err := Run(t.Context(), Options{Config: s.config, Now: start, Sources: []string{"NIR3"}})
	if err != nil || len(only.Sources) != 1 || len(s.manifest().Sources) != 6 {
		t.Fatalf("%v\n%s", err, only.Encode())
	}
	for _, e := range s.manifest().Sources {
		if checked := e.Zones[0].Accepted.LastChecked; checked.Equal(start) != (e.Name == "NIR3") {
			t.Errorf("%s was checked at %v", e.Name, checked)
		}
	}
	if _, err := Run(t.Context(), Options{Config: s.config, Sources: []string{"nobody"}}); !errors.Is(err, ErrUnknownSource) {
		t.Errorf("unknown source: %v", err)
	}
	s.config.Sources = s.config.Sources[:5]
	if s.run(); s.manifest().Source("NIR5") != nil {
		t.Errorf("NIR5 is still in the manifest")
	}
}

// TestProgress: events of a source come in order, and bytes are told while they come.
func TestProgress(t *testing.T) {
	site := newSite(t)
	site.put(file202, zonelet(202, 5))
	f := newFakeFTP(site.dir)
	s := configure(t, f.start(t), one, "")
	told := make(chan struct{})
	f.data = func(c net.Conn, name string) {
		b, _ := os.ReadFile(filepath.Join(site.dir, strings.TrimPrefix(name, "RETR ")))
		if name == "RETR "+file202 {
			_, _ = c.Write(b[:10])
			b = b[10:]
			<-told // the rest comes when the first part was told
		}
		_, _ = c.Write(b)
	}
	var stages []string
	var before, waiting int64
	_, err := Run(t.Context(), Options{Config: s.config, Now: s.now, FS: s.fs, Progress: func(e Event) {
		stages = append(stages, string(e.Stage))
		if e.Stage == StageTransfer && e.Bytes > before && waiting == 0 && len(f.commands("RETR")) == 2 {
			waiting = e.Bytes
			close(told)
		}
		before = e.Bytes
	}})
	if err != nil || waiting == 0 {
		t.Fatalf("%v, %d bytes told", err, waiting)
	}
	if got := strings.Join(slices.Compact(stages), " "); got != "connecting fetching done" {
		t.Errorf("stages %q", got)
	}
}
