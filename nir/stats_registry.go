package nir

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"nirzone/nir/inr"
	"nirzone/zone"
)

// A Domain is what a domain object has put into its parent zone: records of its
// own name, and of its name servers' if they are inside it. One that is inactive
// or has ended has none: it is handed over all the same, because its end changed
// the zone. Changed is when its records last became different.
type Domain struct {
	Name    zone.Name
	Records []zone.Record
	Changed time.Time
	NIR     string // code of the NIR whose object it is or was; "" if of none, or not known
}

// Domains calls fn for every domain object of the view's state, each name once, in
// any order, and for those that ended. fn does not read the registry.
type Domains func(v *View, fn func(*Domain) error) error

// ExportOptions say what an export is for.
type ExportOptions struct {
	Zones   []zone.Name // the parent zones that the registry serves
	TTL     uint32      // that the zonelets state; 0 for [zone.DefaultTTL]
	Others  []OwedZones // zones of other registries in which this one has space
	Domains Domains     // nil for the domain objects that are kept here
	Signer  Signer      // of the .asc beside zonelets for others; nil for none
	Signed  time.Time   // of the signatures; zero for when the content changed
}

// OwedZones are the zones of another registry, in which this registry has space:
// it takes a zonelet for each.
type OwedZones struct {
	Registry string // its name in claims
	Zones    []zone.Name
	File     func(zone.Name) string // how it names the files; nil for ZONE-RIR
}

// An Export is what the registry gives to whoever builds zones. It depends on the
// state of the view and on the options alone: what did not change has the same
// bytes, because the time in a zonelet is that of its content's last change.
type Export struct {
	Event int64
	Time  time.Time // of the event

	// Registry is the folder that zonebuild reads, in the order in which it is to
	// be written: claims, the NIRs in probation, ZONE-RIR for every zone, and
	// manifest.json at last.
	Registry []ExportFile
	// NIRs has by code the zonelets ZONE-CODE of what the registry publishes inside
	// the NIR's space, for the NIR to compare, with seals.
	NIRs map[string][]ExportFile
	// Owed has by registry the zonelets that this one owes it, with seals.
	Owed map[string][]ExportFile
	// Stray are names of domains in none of the zones: nobody publishes them.
	Stray []zone.Name
}

// Export returns what the builders of zones read of the registry.
func (v *View) Export(o ExportOptions) (*Export, error) {
	e := exporter{v: v, o: o, Export: Export{NIRs: map[string][]ExportFile{}, Owed: map[string][]ExportFile{}}}
	if e.o.TTL == 0 {
		e.o.TTL = zone.DefaultTTL
	}
	if e.o.Domains == nil {
		e.o.Domains = whoisDomains
	}
	for _, step := range []func() error{e.event, e.layOut, e.gather, e.onProbation, e.write} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("exporting: %w", err)
		}
	}
	return &e.Export, nil
}

// A sheet is a zonelet on its way.
type sheet struct {
	zone    zone.Name
	source  string
	file    string
	list    *[]ExportFile // where it goes
	sealed  bool
	records []zone.Record
	changed time.Time
	out     ExportFile
}

func (s *sheet) add(d *Domain) {
	s.records = append(s.records, d.Records...)
	if d.Changed.After(s.changed) {
		s.changed = d.Changed
	}
}

type exporter struct {
	Export
	v      *View
	o      ExportOptions
	claims []zone.Claim
	began  time.Time // of the registry, or when an NIR was admitted last

	probation []string // codes of NIRs of which nothing new is published
	trials    []string // of those the ones of which nothing was ever
	sheets    []*sheet // in the order in which they are written
	own       map[zone.Name]*sheet
	parts     map[zone.Name]map[string]*sheet // of NIRs, by zone and code
	owed      map[zone.Name]*sheet
	space     map[string]inr.Set // of NIRs
	files     map[string]*[]ExportFile
}

// event finds of when the state is.
func (e *exporter) event() (err error) {
	if e.Event, err = e.v.Event(); err != nil {
		return err
	}
	if e.Event == 0 {
		return refuse(Conflict, "the registry is empty")
	}
	if e.Time, err = e.v.eventTime(e.Event); err == nil {
		e.began, err = e.v.eventTime(1)
	}
	if err != nil {
		return err
	}
	var admitted time.Time
	e.trials, admitted, err = e.v.trials()
	if admitted.After(e.began) {
		e.began = admitted
	}
	return err
}

// onProbation finds the NIRs of which nothing new is published: who leaves before it
// was admitted has not come out of probation by that. Who has left has no space.
func (e *exporter) onProbation() error {
	list, err := e.v.NIRs()
	for _, n := range list {
		if n.State == Probation || n.State == Leaving && slices.Contains(e.trials, n.Code) {
			e.probation = append(e.probation, n.Code)
		}
	}
	return err
}

func (v *View) eventTime(seq int64) (time.Time, error) {
	var at int64
	if err := v.queryRow("SELECT at FROM audit WHERE seq = $1", seq).Scan(&at); err != nil {
		return time.Time{}, fmt.Errorf("reading event %d: %w", seq, err)
	}
	return fromMicros(at), nil
}

// layOut makes the claims and an empty sheet for every zonelet.
func (e *exporter) layOut() error {
	by, err := e.v.managers()
	if err != nil {
		return err
	}
	if e.claims, err = e.v.claimsOf(by, e.o.Zones); err != nil {
		return err
	}
	e.space = by
	delete(e.space, e.v.Rules.RIR)
	e.own, e.owed, e.parts = map[zone.Name]*sheet{}, map[zone.Name]*sheet{}, map[zone.Name]map[string]*sheet{}
	e.files = map[string]*[]ExportFile{}
	rir := e.v.Rules.RIR
	zones := slices.Clone(e.o.Zones)
	slices.Sort(zones)
	for _, z := range slices.Compact(zones) {
		e.own[z] = e.sheet(z, rir, z.File()+"-"+rir, &e.Registry, false)
		e.parts[z] = map[string]*sheet{}
		here := spaceOf([]zone.Name{z})
		for _, code := range sortedKeys(e.space) {
			if !e.space[code].Intersect(here).IsEmpty() {
				e.parts[z][code] = e.sheet(z, code, z.File()+"-"+code, e.list(code), true)
			}
		}
	}
	for _, o := range e.o.Others {
		for _, z := range o.Zones {
			if e.own[z] != nil || e.owed[z] != nil {
				return invalid("zones", "%s is a zone of %s and of another registry", z, o.Registry)
			}
			file := z.File() + "-" + rir
			if o.File != nil {
				file = o.File(z)
			}
			e.owed[z] = e.sheet(z, rir, file, e.list("to "+o.Registry), true)
		}
	}
	return nil
}

func (e *exporter) list(key string) *[]ExportFile {
	if e.files[key] == nil {
		e.files[key] = new([]ExportFile)
	}
	return e.files[key]
}

func (e *exporter) sheet(z zone.Name, source, file string, list *[]ExportFile, sealed bool) *sheet {
	s := &sheet{zone: z, source: source, file: file, list: list, sealed: sealed, changed: e.began}
	e.sheets = append(e.sheets, s)
	return s
}

// gather puts every domain on the sheets that it belongs to.
func (e *exporter) gather() error {
	return e.o.Domains(e.v, func(d *Domain) error {
		if e.onTrial(d) {
			return nil
		}
		for z := d.Name.Parent(); z != zone.Root; z = z.Parent() {
			if s := e.own[z]; s != nil {
				s.add(d)
				e.share(z, d)
				return nil
			}
			if s := e.owed[z]; s != nil {
				s.add(d)
				return nil
			}
		}
		if len(d.Records) > 0 {
			e.Stray = append(e.Stray, d.Name)
		}
		return nil
	})
}

// share puts a domain on the sheet of the NIR that has its space.
func (e *exporter) share(z zone.Name, d *Domain) {
	r, _, ok := spaceUnder(d.Name)
	if !ok {
		return
	}
	for code, s := range e.parts[z] {
		if e.space[code].Overlaps(r) {
			s.add(d)
		}
	}
}

// write formats the sheets, on all cores: they share nothing.
func (e *exporter) write() error {
	slices.Sort(e.Stray)
	var wg sync.WaitGroup
	next := make(chan *sheet)
	for range 4 {
		wg.Go(func() {
			for s := range next {
				s.out = ExportFile{s.file, zone.FormatZonelet(s.source, s.zone, s.changed, e.o.TTL, s.records)}
			}
		})
	}
	for _, s := range e.sheets {
		next <- s
	}
	close(next)
	wg.Wait()
	e.Registry = []ExportFile{{"claims", zone.FormatClaims(e.claims)}, {"probation", zone.FormatProbation(e.probation)}}
	for _, s := range e.sheets {
		*s.list = append(*s.list, s.out)
		if !s.sealed {
			continue
		}
		at := s.changed
		if !e.o.Signed.IsZero() {
			at = e.o.Signed
		}
		more, err := seals(s.out, e.o.Signer, at)
		if err != nil {
			return err
		}
		*s.list = append(*s.list, more...)
	}
	for code := range e.space {
		if l := e.files[code]; l != nil {
			e.NIRs[code] = *l
		}
	}
	for _, o := range e.o.Others {
		e.Owed[o.Registry] = *e.list("to " + o.Registry)
	}
	e.Registry = append(e.Registry, e.manifest())
	return nil
}

// manifest names what is in the folder: a reader notices an export that is half
// done. It is of the event, not of the day on which it was made.
func (e *exporter) manifest() ExportFile {
	m := zone.RegistryManifest{Version: zone.RegistryManifestVersion, Time: e.Time, Event: uint64(e.Event)}
	for _, f := range e.Registry {
		sum := sha256.Sum256(f.Data)
		m.Files = append(m.Files, zone.RegistryFile{File: f.Name, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(f.Data))})
	}
	slices.SortFunc(m.Files, func(a, b zone.RegistryFile) int { return strings.Compare(a.File, b.File) })
	return ExportFile{"manifest.json", m.Encode()}
}
