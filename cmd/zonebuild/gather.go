package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/sign"
)

// A batch is everything one run starts from, and its zones on their way.
type batch struct {
	*app
	gateBatch
	cause     string
	manifest  *zone.Manifest
	claims    claimSet
	oldConfig *zone.Config            // of the current generation, if it differs and can be read
	blind     bool                    // the manifest cannot be read
	parsed    sync.Mutex              // guards oldClaims
	oldClaims map[string]*zone.Claims // by digest, as earlier generations used them
	accepts   []*zone.Accept
	jobs      []*job // sorted by zone
	notices   []zone.Notice
	repeats   map[string]bool          // the codes of the merge's notices
	files     map[string]string        // digest to path of the registry's files
	current   map[zone.Name]zone.Input // the registry's zonelets
	fresh     bool                     // zones without a previous generation may be published
	expect    *int                     // delegations that a first publication has to hold
	storesDir sync.Once                // makes the folder of signature stores
	storesErr error
	saving    sync.WaitGroup // of the stores that are still being written
	made      madeInputs     // of an adoption
}

// A claimSet is registry/claims by its digest; claimsOf has the claims. They are
// missing if neither the file nor the copy of it can be read.
type claimSet struct {
	digest  string
	missing bool
}

// A job is one zone on its way through the pipeline.
type job struct {
	gateJob
	zone    zone.Name
	group   *zone.Group          // nil: published, but no longer configured
	prev    *zone.GenerationZone // nil: never published
	adopted *adoption            // what is to be taken over; nil: nothing
	base    *zone.GenerationZone // what a frozen or pinned zone is made of again
	held    map[string]bool      // sources taken from their accepted input
	frozen  bool                 // all inputs and claims as published
	pinned  uint64               // generation whose content stands
	inputs  []zone.Input
	next    *zone.Zone
	delta   zone.Delta
	changes []zone.SourceChange
	notices []zone.Notice
	holds   []zone.Hold
	refused int    // inputs that were not used because they do not parse
	skip    bool   // not published yet, and this run may not
	carried string // why the published file is taken over
	result  zone.GenerationZone
	life    keyJob               // of its keys
	same    bool                 // the published file is linked: it would become the same
	signed  int                  // signatures made; the others are from the store
	unread  error                // why the signature store that was there is not used
	unsaved error                // why the new one could not be written
	mended  bool                 // the published file was not the one that was written, and is written again
	signers []sign.Key           // that it was signed with
	files   map[wanted]*parsed   // while it is merged
	asked   bool                 // the merge had to know what is published
	moved   bool                 // … and that was another zone: the next merge may say something else
	basis   string               // of a still zone whose claims have another digest, and decide the same
	still   bool                 // nothing to do: it stands as published
	wrote   bool                 // the file in the draft is this run's
	later   *lastSerial          // that it was published with once, later than that of prev; nil: none
	few     bool                 // one of at most as many zones to be built as are signed at a time
	ahead   chan *sign.StoreFile // of the store that is being read already; nil: none is
}

const (
	maxManifest = 256 << 20
	maxClaims   = 64 << 20
	maxZonelet  = 1 << 30
)

// gather reads the manifests, the claims and people's decisions. What cannot be
// read is replaced by what the current generation used, with an alarm: signing
// goes on whatever happens to ingest.
func (a *app) gather(cause string) (*batch, error) {
	b := &batch{
		app: a, cause: cause, notices: slices.Clone(a.early), fresh: cause == causeInit,
		oldClaims: map[string]*zone.Claims{}, files: map[string]string{}, current: map[zone.Name]zone.Input{},
	}
	a.sight = openSight(a.fs, filepath.Join(a.cfg.State, "sight.json"), a.full)
	if err := b.readManifest(); err != nil {
		return nil, err
	}
	if err := b.readRegistry(); err != nil {
		return nil, err
	}
	b.readAccepts()
	b.observations()
	b.readOldConfig()
	b.gateClaims()
	b.makeJobs()
	b.recallSerials()
	b.chooseApexes()
	return b, nil
}

// readOldConfig reads the configuration of the current generation, for the plan.
func (b *batch) readOldConfig() {
	if b.prev == nil || b.prev.Config == b.cfg.SHA256 {
		return
	}
	if data, err := b.object(b.prev.Config); err == nil {
		b.oldConfig, _ = zone.ParseConfig(b.cfg.File, data)
	}
}

func (b *batch) alarm(code string, file, format string, args ...any) {
	b.notices = append(b.notices, zone.Notice{
		Code: code, Severity: zone.Alarm, Source: b.cfg.RIR, Pos: zone.Pos{File: file}, Text: fmt.Sprintf(format, args...),
	})
}

func (b *batch) readManifest() error {
	b.manifest = &zone.Manifest{}
	file := filepath.Join(b.cfg.Spool, "manifest.json")
	data, err := shell.ReadFile(file, maxManifest)
	if err == nil {
		var m *zone.Manifest
		if m, err = zone.ParseManifest("spool/manifest.json", data); err == nil {
			b.manifest = m
			return nil
		}
	}
	if b.prev == nil {
		return &shell.Exit{Code: 1, Err: fmt.Errorf("reading what was fetched: %w", err), Hint: "zonefetch"}
	}
	b.blind = true
	b.alarm("manifest-unreadable", "manifest.json", "every source keeps its last accepted version: %v; restore the file, or move it away and run zonefetch, which then cannot tell a replay", err)
	return nil
}

// readRegistry reads the claims and takes the digests of the registry's own
// zonelets.
func (b *batch) readRegistry() error {
	want, err := b.registryManifest()
	if err == nil {
		err = errors.Join(b.readClaims(want), b.readProbation(want))
	}
	if err != nil {
		if b.prev == nil {
			return &shell.Exit{Code: 1, Err: err, Hint: "write registry/claims: SOURCE<TAB>PREFIX, sorted"}
		}
		b.alarm("registry-unreadable", "claims", "the claims and zonelets of the current generation are used: %s; export the registry again", strings.ReplaceAll(err.Error(), "\n", "; "))
		_, cerr := b.claimsOf(b.prev.Claims)
		if cerr != nil && b.cause != causeBuild {
			return fmt.Errorf("reading the claims of generation %d: %w", b.prev.Number, cerr)
		}
		b.claims, b.probation = claimSet{b.prev.Claims, cerr != nil}, b.prev.Probation
		return nil
	}
	b.unknownProbation(want != nil)
	for _, z := range b.cfg.Zones() {
		b.registryZonelet(z, want)
	}
	return nil
}

// registryManifest returns the digests that the export promised, nil if it has
// no manifest.
func (b *batch) registryManifest() (map[string]string, error) {
	data, err := shell.ReadFile(filepath.Join(b.cfg.Registry, "manifest.json"), maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading registry/manifest.json: %w", err)
	}
	m, err := zone.ParseRegistryManifest("registry/manifest.json", data)
	if err != nil {
		return nil, err
	}
	want := map[string]string{}
	for _, f := range m.Files {
		want[f.File] = f.SHA256
	}
	return want, nil
}

// readClaims reads the claims. Those that the current generation was made by are
// known to parse, and are read again only where a zone is merged.
func (b *batch) readClaims(want map[string]string) error {
	file := filepath.Join(b.cfg.Registry, "claims")
	sum, _, err := b.sight.digest(file, file, maxClaims)
	if err != nil {
		return fmt.Errorf("reading claims: %w", err)
	}
	if err := promised(want, "claims", sum); err != nil {
		return err
	}
	b.files[sum] = file
	if b.prev == nil || b.prev.Claims != sum {
		if _, err := b.claimsOf(sum); err != nil {
			delete(b.files, sum)
			return err
		}
	}
	b.claims = claimSet{digest: sum}
	return nil
}

// promised checks a file's digest against the export's manifest.
func promised(want map[string]string, file, sum string) error {
	if want != nil && want[file] != sum {
		return fmt.Errorf("registry/%s is not the file that registry/manifest.json names: the export is half done", file)
	}
	return nil
}

func (b *batch) registryZonelet(z zone.Name, want map[string]string) {
	name := z.File() + "-" + b.cfg.RIR
	file := filepath.Join(b.cfg.Registry, name)
	sum, size, err := b.sight.digest(file, file, maxZonelet)
	if err == nil {
		err = promised(want, name, sum)
	}
	if err != nil {
		b.registryMissing(z, name, err)
		return
	}
	in := zone.Input{Source: b.cfg.RIR, File: name, SHA256: sum, Size: size}
	b.current[z] = in
	b.files[in.SHA256] = file
}

// registryMissing tells of a registry's zonelet that is not used. What was
// accepted before stands, and a person has to see to it; a zone in which the
// registry never had one may be meant so.
func (b *batch) registryMissing(z zone.Name, name string, err error) {
	n := zone.Notice{Code: "registry-missing", Severity: zone.Warning, Source: b.cfg.RIR, Zone: z, Pos: zone.Pos{File: name}}
	why := err.Error()
	if errors.Is(err, fs.ErrNotExist) {
		why = "there is no such file"
	} else {
		n.Severity = zone.Alarm
	}
	n.Text = fmt.Sprintf("the registry's own zonelet is not used, and there is no earlier version: %s; export the registry again, or, if it has no delegations there: nirctl zone make --zone %s --source %s --out %s --empty /dev/null", why, z.File(), b.cfg.RIR, b.cfg.Registry)
	if b.prev != nil && publishedInput(b.prev.Zone(z), b.cfg.RIR) != nil {
		n.Severity = zone.Alarm
		n.Text = fmt.Sprintf("the registry's own zonelet is not used, its last accepted version stands: %s; export the registry again", why)
	}
	b.notices = append(b.notices, n)
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// object returns the bytes of an input: from the spool, from the copies in
// state/inputs, or, for what is new in this run, from the registry folder.
func (b *batch) object(sum string) ([]byte, error) {
	if data := b.made.get(sum); data != nil {
		return data, nil
	}
	data, err := shell.Archive(b.cfg)(sum)
	if path := b.files[sum]; err != nil && path != "" {
		data, err = shell.ReadFile(path, maxZonelet)
		if err == nil && digest(data) != sum {
			err = fmt.Errorf("%s changed during the run; run zonebuild again", filepath.Base(path))
		}
	}
	return data, err
}

// claimsOf returns the claims with a digest, as this or an earlier generation
// was made by.
func (b *batch) claimsOf(sum string) (*zone.Claims, error) {
	b.parsed.Lock()
	defer b.parsed.Unlock()
	if c := b.oldClaims[sum]; c != nil {
		return c, nil
	}
	data, err := b.object(sum)
	if err != nil {
		return nil, err
	}
	c, err := zone.ParseClaims("claims", data)
	if err != nil {
		return nil, err
	}
	b.oldClaims[sum] = c
	return c, nil
}

// makeJobs lists the zones: those configured, and those published that are
// configured no more.
func (b *batch) makeJobs() {
	for _, z := range b.cfg.Zones() {
		b.jobs = append(b.jobs, &job{zone: z, group: b.cfg.Group(z)})
	}
	if b.prev != nil {
		for i := range b.prev.Zones {
			p := &b.prev.Zones[i]
			b.recallTTLs(p)
			j := b.job(p.Zone)
			if j == nil {
				j = &job{zone: p.Zone}
				b.jobs = append(b.jobs, j)
			}
			j.prev, j.base, j.pinned = p, p, p.Pinned
			if err := b.checkClaims(p.Claims); err != nil {
				j.carried = fmt.Sprintf("the claims cannot be read: %v; restore state/inputs", err)
			}
		}
	}
	slices.SortFunc(b.jobs, func(x, y *job) int { return strings.Compare(string(x.zone), string(y.zone)) })
}

// checkClaims reads the claims that a zone was made by, and those of today,
// unless they are the same file, whose digest is the one it is named by.
func (b *batch) checkClaims(sum string) error {
	if sum == b.claims.digest && !b.claims.missing {
		return nil
	}
	_, err := b.claimsOf(sum)
	if err == nil && b.claims.missing {
		_, err = b.claimsOf(b.claims.digest)
	}
	return err
}

// job returns the job of a zone, nil if there is none.
func (b *batch) job(z zone.Name) *job {
	for _, j := range b.jobs {
		if j.zone == z {
			return j
		}
	}
	return nil
}
