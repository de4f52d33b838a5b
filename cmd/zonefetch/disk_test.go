package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/zone"
	"nirzone/zone/publish"
)

// TestRealDiskTooSmall has a source publish a zonelet that is larger than the disk,
// over each transport: that one is kept as it was, what the others publish is
// recorded, and when the source has mended its file the next run takes it.
func TestRealDiskTooSmall(t *testing.T) {
	for _, source := range crashSources {
		t.Run(source, func(t *testing.T) {
			disk := peers.SmallDisk(t, "size=512k")
			c := newCrash(t)
			c.fs = publish.OS
			c.configure("spool = \""+filepath.Join(disk, "spool")+"\"", disk)
			c.must(0)
			run := c.check()

			let := c.world.Find(source, "202.in-addr.arpa.")
			var good []zone.Record
			c.now = c.now.Add(time.Hour)
			c.ok(c.world.Change(source, let.Zone, c.now.Add(-time.Minute), func(records []zone.Record) []zone.Record {
				good = records
				return bloated(records)
			}))
			c.must(exitPartial)
			if !strings.Contains(c.out.String(), "no space left on device") || !strings.Contains(c.out.String(), let.File+"  kept") {
				t.Errorf("it does not say what happened:\n%s", c.out.String())
			}
			if got := c.check(); got != run+1 {
				t.Errorf("run %d is recorded, not %d", got, run+1)
			}

			c.now = c.now.Add(time.Hour)
			c.ok(c.world.Change(source, let.Zone, c.now.Add(-time.Minute), func([]zone.Record) []zone.Record { return good[:len(good)-1] }))
			c.recover()
		})
	}
}

// configure puts a line before all others of the configuration, and has the crash
// look for the spool in another folder.
func (c *crash) configure(line, dir string) {
	c.t.Helper()
	text, err := os.ReadFile(c.path("nirzone.toml"))
	c.ok(err)
	text = bytes.ReplaceAll(text, []byte(`= "keyrings/`), []byte(`= "`+c.path("keyrings")+`/`))
	c.ok(os.WriteFile(filepath.Join(dir, "nirzone.toml"), append([]byte(line+"\n"), text...), 0o644))
	c.dir = dir
}

// bloated says so much of the first owner that a disk of half a mebibyte is full.
func bloated(records []zone.Record) []zone.Record {
	r := records[0]
	for i := range 20_000 {
		r.Data = zone.NSData(zone.Name(fmt.Sprintf("ns%d.bloated.example.", i)))
		records = append(records, r)
	}
	return records
}
