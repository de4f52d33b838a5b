package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/zone"
)

// owner checks that those who have roles can open the database: an SQLite file is
// one account's alone.
func (d *doctor) owner(cfg *zone.Config) {
	file := cfg.Nirctl.Database
	info, err := os.Stat(file)
	if isPostgres(file) || err != nil {
		return
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	name := strconv.FormatUint(uint64(st.Uid), 10)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	var others []string
	for _, u := range cfg.Nirctl.Users {
		if u.Account != name {
			others = append(others, u.Account)
		}
	}
	if len(others) > 0 {
		d.add(isLook, "accounts", "to move it to PostgreSQL (docs/records.md has how to create the database):\nnirctl audit export > audit.jsonl\nwrite into section [nirctl] of "+cfg.File+":\ndatabase = \"postgres://HOST/DATABASE\"\nnirctl init; nirctl restore audit.jsonl", "the database is a file of %s alone: %s can use it only in PostgreSQL, or by an admin with --as", name, strings.Join(others, ", "))
	}
}

// folders checks those that cron's programs use.
func (d *doctor) folders(cfg *zone.Config) {
	good := 0
	list := []struct{ key, dir, remedy string }{
		{"registry", cfg.Registry, "nirctl export"},
		{"spool", cfg.Spool, "zonefetch"},
		{"keys", cfg.Keys, "zonebuild keys init"},
		{"state", cfg.State, "zonebuild plan"},
		{"public", cfg.Public, "zonebuild plan"},
	}
	for _, f := range list {
		info, err := os.Stat(f.dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			d.add(isLook, "folders", f.remedy, "%s: %s is not there yet", f.key, f.dir)
		case err != nil:
			d.add(isBad, "folders", "", "%s: %v", f.key, err)
		case !info.IsDir():
			d.add(isBad, "folders", "set "+f.key+" in "+cfg.File, "%s: %s is no folder", f.key, f.dir)
		case info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0:
			d.add(isBad, "folders", "chmod go-w "+shell.Quote(f.dir), "%s: others may write in %s (mode %04o)", f.key, f.dir, info.Mode().Perm())
		default:
			good++
		}
	}
	if good == len(list) {
		d.add(isGood, "folders", "", "%s are there, and their owner's alone to write", count(good, "folder"))
	}
}

// exported checks that registry/ is what the registry says now.
func (d *doctor) exported(v *nir.View, cfg *zone.Config) error {
	data, err := shell.ReadFile(filepath.Join(cfg.Registry, "manifest.json"), maxFile)
	if err != nil {
		d.add(isLook, "export", "nirctl export", "the registry was not exported: zones are built without it")
		return nil
	}
	m, err := zone.ParseRegistryManifest("registry/manifest.json", data)
	if err != nil {
		d.add(isBad, "export", "nirctl export", "%v", err)
		return nil
	}
	x, err := v.Export(nir.ExportOptions{Zones: cfg.Zones()})
	if nir.CodeOf(err) == nir.Conflict {
		d.add(isBad, "export", "", "the export is of event %d, and this registry is empty: is it another one?", m.Event)
		return nil
	}
	if err != nil {
		return err
	}
	var differ []string
	for _, f := range x.Registry[:len(x.Registry)-1] { // the manifest is last
		on, err := os.ReadFile(filepath.Join(cfg.Registry, f.Name))
		if err != nil || sha256Of(on) != sha256Of(f.Data) {
			differ = append(differ, f.Name)
		}
	}
	switch {
	case int64(m.Event) > x.Event:
		d.add(isBad, "export", "", "the export is of event %d, this registry has %d: is it another one, or an old copy?", m.Event, x.Event)
	case len(differ) > 0:
		d.add(isLook, "export", "nirctl export", "the export of event %d, %s, is not what the registry says now: %s differ", m.Event, stamp(m.Time), strings.Join(differ, ", "))
	default:
		d.add(isGood, "export", "", "registry/ is what the registry says; exported at event %d, %s", m.Event, stamp(m.Time))
	}
	return nil
}

func sha256Of(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// fetched checks the last run of zonefetch, and returns when it was.
func (d *doctor) fetched(cfg *zone.Config) time.Time {
	if len(cfg.Sources) == 0 {
		d.add(isLook, "fetch", "", "no [[source]] is fetched")
		return time.Time{}
	}
	var m *zone.Manifest
	data, err := shell.ReadFile(filepath.Join(cfg.Spool, "manifest.json"), maxFile)
	if err == nil {
		m, err = zone.ParseManifest("spool/manifest.json", data)
	}
	if err != nil {
		state := isBad
		if errors.Is(err, fs.ErrNotExist) {
			state, err = isLook, errors.New("nothing was fetched yet")
		}
		d.add(state, "fetch", "zonefetch", "%v", err)
		return time.Time{}
	}
	before := len(d.list)
	for i := range cfg.Sources {
		d.source(&cfg.Sources[i], m)
		d.dump(&cfg.Sources[i], m)
	}
	d.behind("fetch", m.Time)
	if len(d.list) == before {
		d.add(isGood, "fetch", "", "%s, last at %s", count(len(cfg.Sources), "source"), stamp(m.Time))
	}
	return m.Time
}

// source checks how the zonelets of a source fared in the last run; one with a
// whois database alone has none.
func (d *doctor) source(s *zone.Source, m *zone.Manifest) {
	if s.URL == "" {
		return
	}
	i := slices.IndexFunc(m.Sources, func(e zone.SourceEntry) bool { return e.Name == s.Name })
	what, again := "fetch of "+s.Name, "zonefetch --source "+s.Name
	if i < 0 {
		d.add(isLook, what, again, "it was never tried")
		return
	}
	e := m.Sources[i]
	if d.untried(s, what, again, e.Last) {
		return
	}
	d.failed(what, again, "", e.Last)
	for _, z := range e.Zones {
		if z.Last.Reason != e.Last.Reason {
			d.failed(what, again, z.Zone.File()+": ", z.Last)
		}
	}
}

// dump checks how the whois database of a source fared, if it has one.
func (d *doctor) dump(s *zone.Source, m *zone.Manifest) {
	if s.Whois == "" {
		return
	}
	what, again := "fetch of "+s.Name+"/whois", "zonefetch --source "+s.Name
	if e := m.Dump(s.Name); e == nil {
		d.add(isLook, what, again, "it was never tried")
	} else if !d.untried(s, what, again, e.Last) {
		d.failed(what, again, "", e.Last)
	}
}

// untried tells of what zonefetch has not tried for too long.
func (d *doctor) untried(s *zone.Source, what, again string, last zone.Attempt) bool {
	age := d.at.Sub(last.Time)
	late := s.StaleAfter > 0 && age > s.StaleAfter
	if late {
		d.add(isBad, what, again, "it was last tried at %s, %s ago: does cron run zonefetch?", stamp(last.Time), age.Round(time.Minute))
	}
	return late
}

func (d *doctor) failed(what, again, name string, last zone.Attempt) {
	if last.Reason != "" && last.Outcome.Failed() {
		d.add(isBad, what, again, "%s%s", name, last.Reason)
	}
}

// lateBuild is how long after a fetch a build may come: cron runs one after the
// other.
const lateBuild = 4 * time.Hour

// lastRun returns when zonebuild last built, also if there was nothing to publish; the
// zero time if that is not known here, as its folder is its owner's alone.
func lastRun(cfg *zone.Config) time.Time {
	data, err := shell.ReadFile(filepath.Join(cfg.State, "report.json"), maxFile)
	var r struct {
		ClockGood time.Time `json:"clock_good"` // other runs carry it on
	}
	if err != nil || json.Unmarshal(data, &r) != nil {
		return time.Time{}
	}
	return r.ClockGood
}

// built checks the last generation, and that a build followed the last fetch.
func (d *doctor) built(cfg *zone.Config, fetched time.Time) {
	g, err := shell.CurrentGeneration(cfg)
	switch {
	case err != nil:
		d.add(isBad, "build", "zonebuild plan", "%v", err)
		return
	case g == nil:
		d.add(isLook, "build", "zonebuild plan", "nothing is published yet")
		return
	}
	before := len(d.list)
	d.behind("build", g.Time)
	d.ran(lastRun(cfg), fetched)
	d.held(g.Holds)
	d.zones(g.Zones)
	if len(g.Reload) > 0 {
		d.add(isBad, "build", "zonebuild reload", "servers were not told of %s", count(len(g.Reload), "zone"))
	}
	if len(d.list) == before {
		d.add(isGood, "build", "", "generation %d of %s, %s", g.Number, stamp(g.Time), count(len(g.Zones), "zone"))
	}
}

// zones checks that each zone was built, is not kept back, and is signed for long
// enough.
func (d *doctor) zones(list []zone.GenerationZone) {
	for _, z := range list {
		switch {
		case z.Carried != "":
			d.add(isBad, "build", "zonebuild plan", "%s was not built: %s", z.Zone.File(), z.Carried)
		case z.Pinned != 0:
			d.add(isLook, "build", "zonebuild rollback --release", "%s is pinned to generation %d", z.Zone.File(), z.Pinned)
		case z.Expires.Before(d.at):
			d.add(isBad, "build", "zonebuild", "the signatures of %s ended at %s", z.Zone.File(), stamp(z.Expires))
		case z.Due.Before(d.at.Add(-lateBuild)):
			d.add(isBad, "build", "zonebuild", "the signatures of %s were to be renewed at %s: does cron run zonebuild?", z.Zone.File(), stamp(z.Due))
		}
	}
}

// ran checks that a build follows each fetch.
func (d *doctor) ran(built, fetched time.Time) {
	if !built.IsZero() && fetched.Sub(built) > lateBuild {
		d.add(isBad, "build", "zonebuild", "zonefetch ran at %s, and zonebuild last at %s: does cron run it?", stamp(fetched), stamp(built))
	}
}

// held tells of changes that wait for a person to look at them. What is in probation
// waits for nirctl nir activate: of that the NIR's state tells.
func (d *doctor) held(holds []zone.Hold) {
	for _, h := range holds {
		if h.Kind != zone.KindProbation {
			d.add(isLook, "build", "zonebuild held show "+h.Hash[:min(12, len(h.Hash))], "a change of %s in %s is held", h.Source, h.Zone.File())
		}
	}
}

// behind tells of a clock that goes wrong: what was done is not to come.
func (d *doctor) behind(what string, done time.Time) {
	if done.After(d.at.Add(time.Minute)) {
		d.add(isBad, "clock", "date", "this host says %s, and the last %s is of %s", stamp(d.at), what, stamp(done))
	}
}

// clock checks the time against the newest event: no event is older than the one
// before, so a clock that is behind stops every change.
func (d *doctor) clock(v *nir.View) error {
	n, err := v.Event()
	if err != nil || n == 0 {
		return err
	}
	e, err := v.EventOf(n)
	if err != nil {
		return err
	}
	if e.At.After(d.at) {
		d.add(isBad, "clock", "date", "this host says %s, and the last event is of %s: nothing can be changed before", stamp(d.at), stamp(e.At))
	}
	return nil
}

// lateMail is how long a message may wait to be sent.
const lateMail = 24 * time.Hour

// mail checks that somebody sends what is in the outbox.
func (d *doctor) mail(v *nir.View, cfg *zone.Config) error {
	n, oldest := 0, d.at
	codes := []string{""}
	nirs, err := v.NIRs()
	for _, n := range nirs {
		codes = append(codes, n.Code)
	}
	for _, code := range codes {
		list, err := v.Outbox(code)
		if err != nil {
			return err
		}
		if n += len(list); len(list) > 0 && list[0].Created.Before(oldest) {
			oldest = list[0].Created
		}
	}
	switch m := &cfg.Nirctl.Mail; {
	case n > 0 && m.Server == "":
		d.add(isLook, "mail", "write into section [nirctl.mail] of "+cfg.File+" (docs/mail.md):\nserver = \"HOST\"\nfrom   = \"ADDRESS\"", "messages to be sent: %d, and no mail server is configured", n)
	case d.at.Sub(oldest) > lateMail:
		d.add(isLook, "mail", "", "messages to be sent: %d, the oldest since %s: does cron deliver mail?", n, stamp(oldest))
	default:
		d.add(isGood, "mail", "", "messages to be sent: %d, none for longer than a day", n)
	}
	return err
}
