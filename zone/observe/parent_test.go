package observe

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/zone"
	"nirzone/zone/publish"
)

// A parent is in-addr.arpa, signed, with or without a DS set of the zone.
type parent struct {
	t    *testing.T
	zone peers.SignedZone
}

func newParent(t *testing.T, w *world, ds ...string) *parent {
	t.Helper()
	p := &parent{t, peers.SignedZone{Name: "in-addr.arpa", Keys: []*peers.ZoneKey{peers.NewZoneKey(t, "in-addr.arpa", 257)}, From: w.now.Add(-time.Hour), Until: w.now.AddDate(0, 0, 14)}}
	p.zone.Records = append([]string{
		"in-addr.arpa. 3600 IN SOA a.arpa.example. nstld.arpa.example. 2026112100 1800 900 604800 3600", "in-addr.arpa. 86400 IN NS a.arpa.example.",
		fmt.Sprintf("%s. 86400 IN NS ns1.registry.example.", testZone),
	}, ds...)
	return p
}

func (p *parent) start() *peers.DNSServer {
	p.t.Helper()
	dir := p.t.TempDir()
	p.zone.Write(p.t, dir)
	return peers.StartNamed(p.t, peers.DNSConfig{Zones: []string{"in-addr.arpa"}, Dir: dir})
}

func (w *world) record(o *zone.Observations) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Join(w.dir, "spool"), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := publish.WriteFile(publish.OS, filepath.Join(w.dir, "spool", "observations.json"), o.Encode(), 0o644); err != nil {
		w.t.Fatal(err)
	}
}
