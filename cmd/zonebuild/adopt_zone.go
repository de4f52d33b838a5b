package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/sign"
)

// An adoption is a zone that another signer serves, on its way to be ours.
type adoption struct {
	file      string
	serial    zone.Serial
	inputs    []zone.Input // made of what is served, one a source
	published *zone.Zone   // what is served, as those inputs have it
	keys      []sign.Key   // to be imported
	ttls      zone.TTLPeriods
	plan      adoptZone
}

// adoptPlan reads what is served and computes what taking it over would change.
// It makes the batch build exactly the adopted zones and those that are
// published already.
func (b *batch) adoptPlan(ctx context.Context, call *adoptCall) (*adoptReport, error) {
	if b.cfg.Source(adoptedSource) != nil || b.cfg.RIR == adoptedSource {
		return nil, shell.Usage(fmt.Errorf("%s is what an adoption calls delegations that no source asserts: no source may have this name", adoptedSource), "")
	}
	files, err := b.servedFiles(call.paths)
	if err != nil {
		return nil, err
	}
	b.fresh = true
	var jobs []*job
	for _, j := range b.jobs {
		if file := files[j.zone]; file != "" {
			j.adopted = &adoption{file: file}
			jobs = append(jobs, j)
		} else if j.prev == nil {
			j.skip = true
		}
	}
	err = forEach(ctx, jobs, func(ctx context.Context, j *job) error {
		if err := b.adoptZone(ctx, j, call); err != nil {
			return fmt.Errorf("adopting %s: %w", j.zone.File(), err)
		}
		return nil
	})
	if err != nil {
		return nil, interrupted(err)
	}
	return newAdoptReport(jobs), nil
}

// servedSuffixes are what names of zone files end with beside the zone.
var servedSuffixes = []string{"", ".zone", ".signed", ".axfr", ".db", ".txt"}

// servedFiles finds out which file is of which zone.
func (b *batch) servedFiles(paths []string) (map[zone.Name]string, error) {
	files := map[zone.Name]string{}
	add := func(z zone.Name, file string) error {
		j := b.job(z)
		switch {
		case j == nil || j.group == nil:
			return shell.Usage(fmt.Errorf("%s holds %s, which is in no [[zones]] group of the configuration", file, z.File()), b.zonesHint())
		case j.prev != nil:
			return &shell.Exit{Code: 1, Err: fmt.Errorf("%s is published already: generation %d", z.File(), b.prev.Number), Hint: "zonebuild plan"}
		case files[z] != "":
			return shell.Usage(fmt.Errorf("%s and %s both hold %s", files[z], file, z.File()), "")
		}
		files[z] = file
		return nil
	}
	for _, p := range paths {
		found, err := findServed(b.cfg, p)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if err := add(f.zone, f.file); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

type servedFile struct {
	zone zone.Name
	file string
}

// findServed returns the zone files that a path names: itself, or those in it
// that have the name of a zone of the configuration.
func findServed(cfg *zone.Config, path string) ([]servedFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		z, err := servedZone(cfg, path)
		return []servedFile{{z, path}}, err
	}
	var found []servedFile
	for _, z := range cfg.Zones() {
		for _, suffix := range servedSuffixes {
			file := filepath.Join(path, z.File()+suffix)
			if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
				continue
			}
			found = append(found, servedFile{z, file})
			break
		}
	}
	if len(found) == 0 {
		return nil, &shell.Exit{Code: 1, Err: fmt.Errorf("no file in %s has the name of a zone of the configuration", path), Hint: "name them as 202.in-addr.arpa or 202.in-addr.arpa.axfr"}
	}
	return found, nil
}

// servedZone returns the zone of a file: what its name says, if that is one of
// ours, else what its SOA says.
func servedZone(cfg *zone.Config, file string) (zone.Name, error) {
	for _, suffix := range servedSuffixes {
		base, ok := strings.CutSuffix(filepath.Base(file), suffix)
		if z, err := zone.ParseName(base); ok && err == nil && cfg.Group(z) != nil {
			return z, nil
		}
	}
	data, err := shell.ReadFile(file, maxZonefile)
	if err != nil {
		return "", err
	}
	return zone.ServedOrigin(filepath.Base(file), data)
}

func readServed(z zone.Name, file string) (*zone.Served, error) {
	data, err := shell.ReadFile(file, maxZonefile)
	if err != nil {
		return nil, err
	}
	return zone.ParseServed(z, filepath.Base(file), data)
}

// adoptZone computes one zone's adoption and its plan. What is large is let go
// at the end of it.
func (b *batch) adoptZone(ctx context.Context, j *job, call *adoptCall) error {
	served, err := readServed(j.zone, j.adopted.file)
	if err != nil {
		return err
	}
	ad := j.adopted
	ad.serial = served.Serial
	known, unread := b.readSerials() // the way back from a lost state must not end at it
	keys, data := sign.ServedTTLs(served)
	ad.ttls = zone.TTLPeriods{{Keys: keys, Data: data}}
	if err := b.attribute(j, served); err != nil {
		return err
	}
	first, _, err := b.mergeAdopted(j)
	if err != nil {
		return err
	}
	p := adoptZone{Zone: j.zone, File: filepath.Base(ad.file), Serial: served.Serial, Delegations: total(counts(first)), Standing: standing(first)}
	if err := b.adoptNext(j, first, &p); err != nil {
		return err
	}
	fit, err := b.adoptKeys(j, served, call)
	if err != nil {
		return err
	}
	p.Remarks, p.Blocks = fit.Remarks, fit.Blocks
	if unread != nil {
		p.Remarks = append(p.Remarks, fmt.Sprintf("whether serial %d is the last that was published here is not known: %v", served.Serial, unread))
	} else if last := known.of(j.zone); last != nil && served.Serial.Before(last.Serial) {
		ad.serial = last.Serial
		p.Remarks = append(p.Remarks, fmt.Sprintf("serial %d was published here on %s: the file is older, and the serial goes on from there; is there a secondary that has it?", last.Serial, stamp(last.Time)))
	}
	for _, k := range fit.Keys {
		p.Keys = append(p.Keys, k.ID)
	}
	slices.Sort(p.Keys) // whether some are imported already is no difference
	b.adoptSigned(ctx, j, first, served, fit.Keys, &p)
	ad.plan = p
	return nil
}

// mergeOver merges what the inputs of today say, with a published zone that is no
// generation's.
func (b *batch) mergeOver(j *job, published *zone.Zone) (*zone.Zone, []zone.Notice, error) {
	j.files = b.parseAll(j)
	defer func() { j.files = nil }()
	return b.mergeNew(j, func() *zone.Zone { return published })
}

// attribute divides what is served among the sources: an owner is of the source
// that the merge of today's inputs takes it from; an alias and what is longer
// than a /24 can be the registry's alone; of the rest nobody knows.
func (b *batch) attribute(j *job, served *zone.Served) error {
	apex := j.group.Apex(j.zone)
	unknown := served.Delegations(apex, func(zone.Name) zone.Input { return zone.Input{Source: adoptedSource} })
	expected, _, err := b.mergeOver(j, unknown)
	if err != nil {
		return err
	}
	j.inputs, j.notices, j.refused = nil, nil, 0
	from := map[zone.Name]string{}
	for _, e := range expected.Entries {
		if e.Kept == "" && (e.Type == zone.TypeNS || e.Type == zone.TypeCNAME) {
			from[e.Name] = expected.Source(e)
		}
	}
	records := map[string][]zone.Record{}
	source := ""
	var owner zone.Name
	for _, e := range unknown.Entries {
		if owner == "" || e.Name != owner && !(e.Name.Within(owner) && isAddress(e.Type)) {
			owner, source = e.Name, cmp.Or(from[e.Name], b.likely(e.Name))
		}
		records[source] = append(records[source], e.Record)
	}
	return b.makeInputs(j, records)
}

func isAddress(t zone.Type) bool { return t == zone.TypeA || t == zone.TypeAAAA }

// likely returns the source of an owner that no input asserts.
func (b *batch) likely(n zone.Name) string {
	if p, ok := n.Prefix(); !ok || p.Addr().Is4() && p.Bits() > 24 {
		return b.cfg.RIR
	}
	return adoptedSource
}

// makeInputs writes what is served as one zonelet a source, and as the zone that
// they stand for.
func (b *batch) makeInputs(j *job, records map[string][]zone.Record) error {
	for source, rs := range records {
		data := zone.FormatZonelet(source, j.zone, b.now, zone.DefaultTTL, rs)
		in := zone.Input{Source: source, File: j.zone.File() + "-" + source + ".adopted", Size: int64(len(data))}
		in.SHA256 = b.made.add(data)
		j.adopted.inputs = append(j.adopted.inputs, in)
	}
	slices.SortFunc(j.adopted.inputs, func(x, y zone.Input) int { return strings.Compare(x.Source, y.Source) })
	frags, err := b.adoptedFragments(j)
	if err != nil {
		return err
	}
	z := &zone.Zone{Apex: j.group.Apex(j.zone), Inputs: j.adopted.inputs}
	for i, f := range frags {
		for _, r := range f.Records {
			z.Entries = append(z.Entries, zone.Entry{Record: r.Record, Input: uint16(i), Line: r.Line})
		}
	}
	slices.SortStableFunc(z.Entries, func(x, y zone.Entry) int { return x.Compare(y.Record) })
	j.adopted.published = z
	return nil
}

// adoptedLeft reports whether the zone was made of an adoption's fragment of which
// nothing stands any more: the next run leaves it out.
func (j *job) adoptedLeft() bool {
	if j.still || publishedInput(&j.result, adoptedSource) == nil {
		return false
	}
	return !slices.ContainsFunc(j.result.Kept, func(k zone.KeptRecord) bool { return k.Input.Source == adoptedSource })
}

// stillStanding returns what is left of an adoption's fragment: the owners that
// are published from it. The others are somebody's by now, or were released. It is
// nil if none is left.
func stillStanding(f *zone.Fragment, prev *zone.GenerationZone) *zone.Fragment {
	stands := map[zone.Name]bool{}
	for _, k := range prev.Kept {
		if k.Input.Source == adoptedSource {
			stands[k.Name] = true
		}
	}
	left := *f
	left.Records = slices.DeleteFunc(slices.Clone(f.Records), func(r zone.Located) bool { return !stands[r.Name] })
	if len(left.Records) == 0 {
		return nil
	}
	return &left
}

// mergeAdopted merges the zone from what is served alone.
func (b *batch) mergeAdopted(j *job) (*zone.Zone, []zone.Notice, error) {
	frags, err := b.adoptedFragments(j)
	if err != nil {
		return nil, nil, err
	}
	claims, err := b.claimsOf(b.claims.digest)
	if err != nil {
		return nil, nil, err
	}
	z, notices := zone.Merge(zone.MergeInput{
		Apex: j.group.Apex(j.zone), Registry: b.cfg.RIR, Claims: claims, Fragments: frags, Published: j.adopted.published,
	})
	z.Describe(j.adopted.inputs)
	return z, notices, nil
}

func (b *batch) adoptedFragments(j *job) ([]*zone.Fragment, error) {
	var frags []*zone.Fragment
	for _, in := range j.adopted.inputs {
		f, err := b.parse(j.zone, in, true)
		if err != nil {
			return nil, fmt.Errorf("reading back what is served: %w", err)
		}
		frags = append(frags, f)
	}
	return frags, nil
}

// adoptNext computes what the run after the adoption would change by itself.
func (b *batch) adoptNext(j *job, first *zone.Zone, p *adoptZone) error {
	j.files = b.parseAll(j)
	frags, err := b.fragments(j)
	j.files = nil
	if err != nil {
		return err
	}
	claims, err := b.claimsOf(b.claims.digest)
	if err != nil {
		return err
	}
	j.inputs, j.notices, j.refused = nil, nil, 0
	adopted, err := b.adoptedFragments(j)
	if err != nil {
		return err
	}
	for _, f := range adopted {
		if !slices.ContainsFunc(frags, func(g *zone.Fragment) bool { return g.Source == f.Source }) {
			frags = append(frags, f)
		}
	}
	next, _ := zone.Merge(zone.MergeInput{
		Apex: j.group.Apex(j.zone), Registry: b.cfg.RIR, Claims: claims, Fragments: frags, Published: first,
	})
	p.Next = zone.Diff(first, next)
	return nil
}

// standing returns the owners that stand although no source asserts them.
func standing(z *zone.Zone) []zone.Name {
	var names []zone.Name
	for _, e := range z.Entries {
		if z.Source(e) == adoptedSource && e.Type == zone.TypeNS && (len(names) == 0 || names[len(names)-1] != e.Name) {
			names = append(names, e.Name)
		}
	}
	return names
}

// adoptKeys reads the keys and fits those of the other signer to what is served.
// The times of keys that are in the keys folder stand: they are ours.
func (b *batch) adoptKeys(j *job, served *zone.Served, call *adoptCall) (sign.Fitting, error) {
	ours, err := sign.LoadInterrupted(b.cfg.Keys, j.zone)
	if err != nil {
		return sign.Fitting{}, err
	}
	var theirs []sign.Key
	if call.keys != "" {
		if theirs, err = sign.ReadForeign(call.keys, j.zone); err != nil {
			return sign.Fitting{}, err
		}
	}
	known := func(k sign.Key) bool {
		return slices.ContainsFunc(ours, func(o sign.Key) bool { return o.ID == k.ID && bytes.Equal(o.Public, k.Public) })
	}
	theirs = slices.DeleteFunc(theirs, known)
	fit := sign.Fit(slices.Concat(ours, theirs), served, call.tags, b.cfg.Signing, b.now)
	for _, k := range fit.Keys {
		if !known(k) {
			j.adopted.keys = append(j.adopted.keys, k)
		}
	}
	all := slices.Clone(ours)
	fit.Keys = append(all, j.adopted.keys...)
	return fit, nil
}

// adoptSigned signs and verifies the zone as the first generation would be, and
// compares every record of it with what is served.
func (b *batch) adoptSigned(ctx context.Context, j *job, first *zone.Zone, served *zone.Served, keys []sign.Key, p *adoptZone) {
	keys = sign.MarkCDS(keys, b.now)
	prior := sign.Prior{Serial: j.adopted.serial, Known: true}
	signed, err := sign.Sign(ctx, first, keys, b.cfg.Signing, prior, b.now)
	if err != nil {
		p.Blocks = append(p.Blocks, err.Error())
		return
	}
	verified, err := sign.Verify(ctx, signed, first, keys, b.now)
	if err != nil {
		p.Blocks = append(p.Blocks, err.Error())
		return
	}
	var text bytes.Buffer
	if _, err := verified.WriteVerified(&text); err != nil {
		p.Blocks = append(p.Blocks, err.Error())
		return
	}
	ours, err := zone.ParseServed(j.zone, j.zone.File(), text.Bytes())
	if err != nil {
		p.Blocks = append(p.Blocks, "reading back the signed zone: "+err.Error())
		return
	}
	p.NextSerial = ours.Serial
	p.compare(served, ours, j.group, b.now)
}
