package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish"
)

// A serialBook is state/serials.json: the serial that every zone was published
// with last, also those that are published no more. Without public/ it is all that
// this host knows of what secondaries hold: a first publication would begin the
// serials anew, and whoever has a later one would not follow (RFC 1982), until the
// signatures it has end.
type serialBook struct {
	Version int          `json:"version"`
	Zones   []lastSerial `json:"zones"` // sorted by zone
}

// A lastSerial is one zone of it, with the generation that brought the serial.
type lastSerial struct {
	Zone       zone.Name   `json:"zone"`
	Serial     zone.Serial `json:"serial"`
	Generation uint64      `json:"generation"`
	Time       time.Time   `json:"time"`
}

const (
	serialsVersion = 1
	maxSerials     = 16 << 20
)

var errNewer = errors.New("is newer than this program's")

func (a *app) serialsFile() string { return filepath.Join(a.cfg.State, "serials.json") }

// readSerials reads the book; it is empty if there is none.
func (a *app) readSerials() (*serialBook, error) {
	s := &serialBook{Version: serialsVersion}
	data, err := shell.ReadFile(a.serialsFile(), maxSerials)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(data, s)
	}
	if err == nil && s.Version > serialsVersion {
		err = fmt.Errorf("version %d %w, %d", s.Version, errNewer, serialsVersion)
	}
	if err != nil {
		return nil, fmt.Errorf("reading serials.json: %w", err)
	}
	return s, nil
}

func (s *serialBook) of(z zone.Name) *lastSerial {
	for i := range s.Zones {
		if s.Zones[i].Zone == z {
			return &s.Zones[i]
		}
	}
	return nil
}

// enter notes what a generation publishes, and reports whether that is new. It never
// goes back: what was published once, secondaries have.
func (s *serialBook) enter(g *zone.Generation) bool {
	changed := false
	for _, z := range g.Zones {
		old := s.of(z.Zone)
		if old != nil && !old.Serial.Before(z.Serial) {
			continue
		}
		if old == nil {
			s.Zones = append(s.Zones, lastSerial{Zone: z.Zone})
			old = &s.Zones[len(s.Zones)-1]
		}
		old.Serial, old.Generation, old.Time, changed = z.Serial, g.Number, g.Time, true
	}
	slices.SortFunc(s.Zones, func(x, y lastSerial) int { return strings.Compare(string(x.Zone), string(y.Zone)) })
	return changed
}

// keepSerials notes the serials of what is published. A book that cannot be read
// begins anew, but not one of a newer program. A crash before it leaves the book one
// generation behind, and the next run catches up.
func (a *app) keepSerials(g *zone.Generation) error {
	s, err := a.readSerials()
	if errors.Is(err, errNewer) {
		return err
	}
	if err != nil {
		s = &serialBook{Version: serialsVersion}
	}
	if !s.enter(g) && err == nil {
		return nil
	}
	return publish.WriteFile(a.fs, a.serialsFile(), encode(s), 0o600)
}

// recallSerials finds the published zones whose serials were later once: a backup of
// public/ was put back, or a power loss took the last generation along. Their serials
// go on from the later ones, or secondaries would keep what they have (RFC 1982).
func (b *batch) recallSerials() {
	s, err := b.readSerials()
	if err != nil {
		return // then nobody knows
	}
	for _, j := range b.jobs {
		if j.prev == nil {
			continue
		}
		if last := s.of(j.zone); last != nil && j.prev.Serial.Before(last.Serial) {
			j.later = last
			b.Errorf("warning: %s is published with the serial %d, and was with %d on %s: it goes on from there", j.zone.File(), j.prev.Serial, last.Serial, stamp(last.Time))
		}
	}
}

// checkNew refuses to publish zones for the first time, all or those named, that
// this host has published before: nobody but a server that has them knows how they
// stand.
func (b *batch) checkNew(zones []zone.Name) error {
	s, err := b.readSerials()
	if err != nil {
		return &shell.Exit{Code: 1, Err: fmt.Errorf("whether the zones were published before is not known: %w", err), Hint: recoveryHint}
	}
	for _, j := range b.jobs {
		if last := s.of(j.zone); last != nil && j.prev == nil && j.group != nil && (len(zones) == 0 || slices.Contains(zones, j.zone)) {
			return &shell.Exit{
				Code: 1, Hint: recoveryHint,
				Err: fmt.Errorf("%s is not new: its last serial is %d, of generation %d of %s, which is not below %s any more; a serial that begins anew may stay behind it, and secondaries would not follow",
					j.zone.File(), last.Serial, last.Generation, stamp(last.Time), b.cfg.Public),
			}
		}
	}
	return nil
}

// nothingPublished says that there is no generation, and whether there was one.
func (a *app) nothingPublished() error {
	if s, err := a.readSerials(); err != nil || len(s.Zones) > 0 {
		return &shell.Exit{Code: 1, Err: fmt.Errorf("what was published is not below %s any more", a.cfg.Public), Hint: recoveryHint}
	}
	return &shell.Exit{Code: 1, Err: errors.New("nothing is published yet"), Hint: "zonebuild init --accept COUNT"}
}

// unpublished says of a zone that is not published how it is to be.
func (b *batch) unpublished(z zone.Name) string {
	if s, err := b.readSerials(); err != nil || s.of(z) != nil {
		return "is not below " + b.cfg.Public + " any more; " + recoveryHint
	}
	return "was never published; look at \"zonebuild plan\", then: zonebuild init --accept COUNT " + z.File()
}

// recoveryHint is what to do about a published state that is lost or broken.
const recoveryHint = `take the zones over from a secondary: zonebuild adopt FOLDER, as docs/recovery.md says ("Without public/")`
