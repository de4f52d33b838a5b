package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// causeShadow is the cause of a run that compares and publishes nothing.
const causeShadow = "shadow"

// notCompared is what a shadow run leaves out, because it differs between any two
// signers: "adopt" shows it.
var notCompared = []string{"serial", "signatures", "DNSKEY, CDS and CDNSKEY", "NSEC and NSEC3", "ZONEMD"}

// A shadowReport is the result of a run with --shadow.
type shadowReport struct {
	Version     int          `json:"version"`
	Time        string       `json:"time"`
	Zones       []shadowZone `json:"zones"`
	Differences int          `json:"differences"` // in all zones
	Whole       bool         `json:"whole"`       // every zone of the configuration was compared
	CleanDays   int          `json:"clean_days"`  // in a row, this one included if it is clean
	Runs        int          `json:"runs"`        // since the first
	Since       string       `json:"since"`
	NotCompared []string     `json:"not_compared"`
}

// A shadowZone is one zone of it. Failed says why it could not be compared, which
// counts as a difference; Absent that nothing was given to compare it with, which
// does not, and keeps the run from counting for a clean day.
type shadowZone struct {
	Zone        zone.Name         `json:"zone"`
	File        string            `json:"file,omitempty"`
	Serial      zone.Serial       `json:"serial,omitempty"` // served
	Delegations int               `json:"delegations"`      // of ours
	Differences []zone.Difference `json:"differences"`
	Failed      string            `json:"failed,omitempty"`
	Absent      bool              `json:"absent,omitempty"`
}

func (z *shadowZone) count() int {
	n := 0
	for _, d := range z.Differences {
		n += d.Count
	}
	if z.Failed != "" {
		n++
	}
	return n
}

// shadow merges the zones as a run does and compares them with what is served. It
// signs and publishes nothing, and keeps count of clean days in
// state/shadow.json. A crash loses this run's line there.
func (a *app) shadow(ctx context.Context, paths []string) error {
	if err := a.configure(); err != nil {
		return err
	}
	release, err := a.lockCurrent()
	defer release()
	if err != nil {
		return err
	}
	r, err := a.compareAll(ctx, paths)
	if err != nil {
		return err
	}
	log, err := a.readShadowLog()
	if err != nil {
		return err
	}
	log.add(a.now, r.Differences, r.compared(), len(r.Zones))
	r.CleanDays, r.Runs, r.Since = log.CleanDays, log.Runs, stamp(log.Since)
	if !a.dryRun {
		if err := a.keepShadow(log, r); err != nil {
			return err
		}
	}
	return a.answerShadow(r)
}

func (a *app) answerShadow(r *shadowReport) error {
	switch {
	case a.json:
		if err := a.answer(r); err != nil {
			return err
		}
	case !a.quiet || r.Differences > 0:
		r.write(a.Stdout)
	}
	if r.Differences > 0 {
		return &shell.Exit{Code: 3}
	}
	return nil
}

// compareAll merges and compares every zone of the configuration.
func (a *app) compareAll(ctx context.Context, paths []string) (*shadowReport, error) {
	b, err := a.gather(causeShadow)
	if err != nil {
		return nil, err
	}
	files := map[zone.Name]string{}
	for _, p := range paths {
		found, err := findServed(a.cfg, p)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if a.cfg.Group(f.zone) == nil {
				return nil, shell.Usage(fmt.Errorf("%s holds %s, which is in no [[zones]] group of the configuration", f.file, f.zone.File()), a.zonesHint())
			}
			files[f.zone] = f.file
		}
	}
	b.jobs = slices.DeleteFunc(b.jobs, func(j *job) bool { return j.group == nil })
	rows := make([]shadowZone, len(b.jobs))
	err = forEach(ctx, b.jobs, func(_ context.Context, j *job) error {
		i := slices.Index(b.jobs, j)
		rows[i] = b.compare(j, files[j.zone])
		return nil
	})
	if err != nil {
		return nil, interrupted(err)
	}
	r := &shadowReport{Version: 1, Time: stamp(a.now), Zones: rows, NotCompared: notCompared}
	r.Whole = r.compared() == len(rows)
	for i := range rows {
		r.Differences += rows[i].count()
	}
	return r, nil
}

func (r *shadowReport) compared() int {
	n := 0
	for _, z := range r.Zones {
		if !z.Absent {
			n++
		}
	}
	return n
}

// compare merges one zone as the first run after an adoption would, and compares
// it with what is served.
func (b *batch) compare(j *job, file string) shadowZone {
	row := shadowZone{Zone: j.zone, Differences: []zone.Difference{}, Absent: file == ""}
	if row.Absent {
		return row
	}
	row.File = filepath.Base(file)
	served, err := readServed(j.zone, file)
	if err != nil {
		row.Failed = err.Error()
		return row
	}
	row.Serial = served.Serial
	ours, err := b.shadowMerge(j, served)
	if err != nil {
		row.Failed = err.Error()
		return row
	}
	row.Delegations = total(counts(ours))
	served.Records = slices.DeleteFunc(served.Records, func(r zone.Record) bool { return r.Name == j.zone && signingType(r.Type) })
	row.Differences = append(row.Differences, slices.DeleteFunc(zone.CompareServed(served, zone.ServedZone(ours)), func(d zone.Difference) bool {
		return d.Kind == zone.DiffDenial || d.Kind == zone.DiffZONEMD || d.Kind == zone.DiffSignatures
	})...)
	return row
}

// shadowMerge is the zone as it would be once it is ours: what is served stands
// where the merge lets published state stand.
func (b *batch) shadowMerge(j *job, served *zone.Served) (*zone.Zone, error) {
	published := served.Delegations(j.group.Apex(j.zone), func(zone.Name) zone.Input { return zone.Input{Source: adoptedSource} })
	z, _, err := b.mergeOver(j, published)
	return z, err
}

// signingType reports whether records of a type at the apex are a signer's own.
func signingType(t zone.Type) bool {
	const cds, cdnskey, bindState = 59, 60, 65534 // RFC 7344; named's record of how far it has signed
	return t == zone.TypeDNSKEY || t == cds || t == cdnskey || t == bindState
}
