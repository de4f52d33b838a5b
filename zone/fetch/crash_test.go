package fetch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"nirzone/fixtures/peers"
	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

// moved is the same configuration with the spool and the state elsewhere.
func (s *setup) moved(dir string) *setup {
	c, m := *s.config, *s
	c.Spool, c.State, c.Public = filepath.Join(dir, "spool"), filepath.Join(dir, "state"), filepath.Join(dir, "public")
	m.dir, m.config, m.fs = dir, &c, crashfs.NoSync(publish.OS)
	return &m
}

// check tells what is wrong with a spool that nobody is writing: a manifest that does
// not parse, or an object it names that is not there whole. It returns the run.
func (s *setup) check() (uint64, error) {
	sp := spool{fs: publish.OS, dir: s.config.Spool}
	m, err := sp.manifest()
	if err != nil {
		return 0, err
	}
	for _, src := range m.Sources {
		for _, z := range src.Zones {
			if z.Accepted == nil {
				continue
			}
			for _, d := range []string{z.Accepted.SHA256, z.Accepted.MD5Object, z.Accepted.SignatureObject} {
				if _, err := sp.load(d); err != nil {
					return m.Run, err
				}
			}
		}
	}
	return m.Run, nil
}

// TestCrash loses power after every step of three runs: the manifest always parses and
// every object it names is whole; what a run recorded stays recorded; and the next run
// succeeds.
func TestCrash(t *testing.T) {
	site := newSite(t)
	s := configure(t, newFakeFTP(site.dir).start(t), "", "")
	rec, err := crashfs.Record(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	s.fs = rec
	ends := []int{0}
	for i := range 3 {
		site.put(file202, zonelet(202, 10+i/2)) // new, new seals for the same bytes, new
		site.put("203.in-addr.arpa-JPNIC", zonelet(203, 10))
		s.run()
		ends = append(ends, len(rec.Log()))
	}
	log := rec.Log()
	t.Logf("%d steps", len(log))
	for k := ends[0]; k <= len(log); k++ {
		recorded := uint64(0)
		for run, end := range ends {
			if k >= end {
				recorded = uint64(run)
			}
		}
		others := []crashfs.Mode{crashfs.KeepEntries, crashfs.Killed, crashfs.Mixed(uint64(k))}
		for i, mode := range []crashfs.Mode{crashfs.DropUnsynced, others[k%len(others)]} {
			after := s.moved(filepath.Join(t.TempDir(), "after"))
			if err := crashfs.Replay(log[:k], after.dir, mode); err != nil {
				t.Fatal(err)
			}
			run, err := after.check()
			if err != nil || run < recorded || run > recorded+1 {
				t.Fatalf("%s after step %d: run %d, want %d: %v", mode, k, run, recorded, err)
			}
			if i > 0 || k%5 != 0 {
				continue
			}
			if r := after.run(); r.Failed() || r.Run != run+1 {
				t.Fatalf("%s after step %d: the next run:\n%s", mode, k, r.Encode())
			}
			if _, err := after.check(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestDiskFull fills the disk at every operation that needs space: the old manifest
// stands or the new one is whole, the report says why, and the next run succeeds.
func TestDiskFull(t *testing.T) {
	site := newSite(t)
	f := newFakeFTP(site.dir)
	url := f.start(t)
	hits := map[string]bool{}
	for at := 1; ; at++ {
		site.put(file202, zonelet(202, 5))
		s := configure(t, url, one, "")
		wantZones(t, s.run(), "202=new")
		site.put(file202, zonelet(202, 6))
		full := &crashfs.Fail{FS: s.fs, At: at, Err: syscall.ENOSPC, Only: crashfs.NeedsSpace, Sticky: true, Short: true}
		s.fs = full
		r, err := s.try(t.Context())
		if full.Hit() == "" {
			if err != nil || r.Failed() {
				t.Fatalf("with room: %v\n%s", err, r.Encode())
			}
			break
		}
		hits[strings.Fields(full.Hit())[0]] = true
		if err == nil || !errors.Is(err, syscall.ENOSPC) || r.Recorded || !strings.Contains(r.Error, "no space left") {
			t.Fatalf("full at %d (%s): %v\n%s", at, full.Hit(), err, r.Encode())
		}
		if run, err := s.check(); err != nil || run > 1 {
			t.Fatalf("full at %d (%s): run %d, %v", at, full.Hit(), run, err)
		}
		s.fs = full.FS
		wantZones(t, s.run(), "202=new")
	}
	if len(hits) < 3 {
		t.Errorf("the disk was full in %v only", hits)
	}
}

// TestDiskFullForOne: an object that cannot be written fails its zonelet, not the run.
func TestDiskFullForOne(t *testing.T) {
	site := newSite(t)
	site.put(file202, zonelet(202, 5))
	site.put("203.in-addr.arpa-JPNIC", zonelet(203, 5))
	s := configure(t, newFakeFTP(site.dir).start(t), "", "")
	s.fs = &crashfs.Fail{FS: publish.OS, At: 3, Err: syscall.ENOSPC, Only: func(op crashfs.Op) bool { return op == crashfs.OpSync }}
	r := s.run()
	wantZones(t, r, "202=absent 203=new")
	wantNotice(t, r, "absent", "no space left on device")
}

func TestDamagedSpool(t *testing.T) {
	_, f, s := served(t, "")
	object := filepath.Join(s.config.Spool, filepath.FromSlash(zone.ObjectPath(s.entry(zone202).Accepted.SHA256)))
	if err := os.WriteFile(object, []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	before := len(f.commands("RETR"))
	r := s.run()
	wantZones(t, r, "202=unchanged")
	if n := len(f.commands("RETR")) - before; n != 1 || r.Sources[0].Zones[0].Transferred == 0 {
		t.Errorf("%d transfers, want the damaged object's", n)
	}
	if _, err := s.check(); err != nil {
		t.Error(err)
	}
}

func TestUnreadableManifest(t *testing.T) {
	_, f, s := served(t, "")
	asked := len(f.commands(""))
	for _, text := range []string{"", "{", `{"version": 99}`, `{"version": 1, "wings": 2}`} {
		file := filepath.Join(s.config.Spool, manifestName)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := s.try(t.Context())
		if err == nil || r.Error == "" || !strings.Contains(err.Error(), "restore it, or move it away") {
			t.Errorf("%q: %v", text, err)
		}
		if got, _ := os.ReadFile(file); string(got) != text {
			t.Errorf("the manifest was changed to %q", got)
		}
	}
	if n := len(f.commands("")); n != asked {
		t.Errorf("the source was asked %d times", n-asked)
	}
}

// TestTinyDisk is TestDiskFull on a real full disk, where mounting is allowed: rsync's
// child, the objects and the manifest share 200 kB.
func TestTinyDisk(t *testing.T) {
	site := newSite(t)
	site.put(file202, zonelet(202, 5))
	d := peers.StartRsyncd(t, peers.RsyncdConfig{Module: "zones", Root: site.dir})
	s := configure(t, d.URL+"/{zone}-{name}", "", "retries = 0")
	s.config.Spool = peers.SmallDisk(t, "size=200k")
	wantZones(t, s.run(), "202=new")
	site.put(file202, zonelet(202, 20000))
	r := s.run()
	wantZones(t, r, "202=kept")
	if reason := r.Sources[0].Reason + r.Sources[0].Zones[0].Reason; !strings.Contains(reason, "no space left") {
		t.Errorf("the reason is %q", reason)
	}
	if run, err := s.check(); err != nil || run != 2 {
		t.Errorf("run %d, %v", run, err)
	}
	site.put(file202, zonelet(202, 6))
	wantZones(t, s.run(), "202=new")
}
