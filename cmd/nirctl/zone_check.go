package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// A checker is "zone check" with its flags and what they were read into.
type checker struct {
	*app
	zone, source, claimsFile, registry, previous, keyring, rir string
	trailerOptional                                            bool

	cfg    *zone.Config // nil unless --config is given
	now    time.Time
	limits zone.Limits
	claims *zone.Claims // nil: not known
}

func zoneCheckCommand(a *app) *cobra.Command {
	k := &checker{app: a}
	c := &cobra.Command{
		Use: "check FILE...", Short: "Say what the registry would say of zonelets, before they are published",
		Long: `Check reads zonelets as the registry does and lists what it would refuse,
ignore or hold, with file and line. FILE.md5 and FILE.asc are checked if they are
there. What it cannot know without --claims, --registry, --previous or --keyring
is listed as not checked. It needs no configuration and no network.

Zone and source are told by the name of the file (202.in-addr.arpa-JPNIC,
202-JPNIC, 041-AFRINIC, 0.4.2.ip6.arpa-JPNIC) or by --zone and --source; FILE may
be "-". With --config the registry's own rules count: limits, keys, sums it asks
for, and its claims and zonelets where they are at hand. No configuration is
looked for without it.

Findings, and so exit code 3, are: a file that would be refused (syntax, trailer,
sum, signature), a notice of severity warning or above, and a loss that would be
held. Information alone, such as a duplicate line, is none, and neither is what
was not checked. docs/notices.md explains the codes.`,
		Example: `  nirctl zone check 202.in-addr.arpa-JPNIC
  nirctl zone check --claims claims --previous old/ 202.in-addr.arpa-JPNIC 203.in-addr.arpa-JPNIC
  nirctl zone check --zone 202.in-addr.arpa --source JPNIC - <zonelet
  nirctl zone check --config /etc/nirzone/nirzone.toml incoming/202.in-addr.arpa-JPNIC`,
		Args: arguments(cobra.MinimumNArgs(1), "nirctl zone check 202.in-addr.arpa-JPNIC"),
		RunE: func(c *cobra.Command, args []string) error { return k.check(c.Context(), args) },
	}
	f := c.Flags()
	f.StringVar(&k.zone, "zone", "", "parent `ZONE` (default: from the file's name)")
	f.StringVar(&k.source, "source", "", "`NAME` of the source (default: from the file's name)")
	f.StringVar(&k.claimsFile, "claims", "", "`FILE` with SOURCE<TAB>PREFIX lines: what lies outside is found")
	f.StringVar(&k.registry, "registry", "", "the registry's own zonelet, a `FILE` or a folder of them: overrides are found")
	f.StringVar(&k.previous, "previous", "", "the zonelet published before, a `FILE` or a folder: what would be held is found")
	f.StringVar(&k.keyring, "keyring", "", "`FILE` with the OpenPGP keys that FILE.asc is checked by")
	f.StringVar(&k.rir, "rir", "APNIC", "`NAME` of the registry, the source of its zonelets")
	f.BoolVar(&k.trailerOptional, "trailer-optional", false, "take a zonelet without trailer")
	return c
}

func (k *checker) check(ctx context.Context, files []string) error {
	targets, err := k.targets(files)
	if err != nil {
		return err
	}
	if err := k.prepare(ctx); err != nil {
		return err
	}
	verdicts := []*verdict{}
	var failed []error
	for _, t := range targets {
		v, err := k.file(ctx, t)
		if ctx.Err() != nil {
			return errCancelled
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		verdicts = append(verdicts, v)
	}
	k.gate(verdicts)
	found := false
	for _, v := range verdicts {
		found = v.findings() || found
	}
	if err := k.show(verdicts); err != nil {
		return err
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	if found {
		return &shell.Exit{Code: 3}
	}
	return nil
}

// targets reads the arguments: a mistake there is found before any file is
// read.
func (k *checker) targets(files []string) ([]target, error) {
	var list []target
	seen := map[string]string{}
	for _, f := range files {
		t, err := newTarget(f, k.zone, k.source)
		if err != nil {
			return nil, err
		}
		key := strings.ToLower(t.source) + " " + t.zone.String()
		if other, twice := seen[key]; twice {
			return nil, shell.Usage(fmt.Errorf("%s and %s are both the zonelet of %s for %s", other, f, t.source, t.zone.File()), "nirctl zone check "+f)
		}
		seen[key] = f
		list = append(list, t)
	}
	for flag, where := range map[string]string{"--previous": k.previous, "--registry": k.registry} {
		if where != "" && len(list) > 1 && !isFolder(where) {
			return nil, shell.Usage(fmt.Errorf("%s %s is one file, but there are %d zonelets to compare", flag, where, len(list)), flag+" FOLDER")
		}
	}
	return list, nil
}

// prepare reads what is the same for every file.
func (k *checker) prepare(ctx context.Context) error {
	var err error
	if k.now, err = k.Now(k.nowFlag); err != nil {
		return err
	}
	k.limits = zone.DefaultLimits()
	if k.config != "" {
		if k.cfg, err = shell.LoadConfig(k.config); err != nil {
			return err
		}
		k.fromConfig()
	}
	if k.claimsFile == "" {
		return nil
	}
	data, err := k.read(ctx, k.claimsFile, maxClaims)
	if err != nil {
		return fmt.Errorf("reading claims: %w", err)
	}
	k.claims, err = zone.ParseClaims(filepath.Base(k.claimsFile), data)
	return err
}

// fromConfig takes from the configuration what no flag says.
func (k *checker) fromConfig() {
	k.rir, k.limits = k.cfg.RIR, k.cfg.Gates
	if claims := filepath.Join(k.cfg.Registry, "claims"); k.claimsFile == "" && isFile(claims) {
		k.claimsFile = claims
	}
	if k.registry == "" && isFolder(k.cfg.Registry) {
		k.registry = k.cfg.Registry
	}
}

// configured returns the source's configuration, nil if there is none.
func (k *checker) configured(source string) *zone.Source {
	if k.cfg == nil {
		return nil
	}
	return k.cfg.Source(source)
}

func (k *checker) options(source string) zone.ParseOptions {
	opt := zone.ParseOptions{Limits: zone.DefaultParseLimits}
	if k.cfg != nil {
		opt = k.cfg.ParseOptions(source)
	}
	opt.TrailerOptional = opt.TrailerOptional || k.trailerOptional
	return opt
}

// file checks one zonelet. An error means that it could not be checked.
func (k *checker) file(ctx context.Context, t target) (*verdict, error) {
	t.source = k.canonical(t.source)
	data, err := k.read(ctx, t.path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", t.base, err)
	}
	v := &verdict{File: t.base, Zone: t.zone, Source: t.source}
	k.wanted(v)
	if err := k.seals(ctx, v, t, data); err != nil {
		return nil, err
	}
	f, err := zone.ParseFragment(t.source, t.zone, t.base, data, k.options(t.source))
	if err != nil {
		v.Mistakes = append(v.Mistakes, mistakes(err)...)
		v.Unchecked = append(v.Unchecked, "what would become of its delegations: the file cannot be read as a whole")
		return v, nil
	}
	v.Accepted = len(v.Mistakes) == 0
	v.count(f)
	return v, k.merge(ctx, v, f)
}

// canonical gives a source the case that the configuration has it in.
func (k *checker) canonical(source string) string {
	if k.cfg == nil {
		return source
	}
	for _, s := range k.cfg.Sources {
		if strings.EqualFold(s.Name, source) {
			return s.Name
		}
	}
	if strings.EqualFold(k.cfg.RIR, source) {
		return k.cfg.RIR
	}
	return source
}

// wanted says whether the registry takes zonelets of this source for this zone
// at all.
func (k *checker) wanted(v *verdict) {
	if k.cfg == nil {
		return
	}
	name := filepath.Base(k.cfg.File)
	s := k.configured(v.Source)
	switch {
	case k.cfg.Group(v.Zone) == nil:
		v.Mistakes = append(v.Mistakes, fmt.Sprintf("%s: %s is in no [[zones]] group: the registry does not serve it", name, v.Zone.File()))
	case v.Source == k.rir:
	case s == nil:
		v.Mistakes = append(v.Mistakes, fmt.Sprintf("%s: %s is no [[source]]: the registry does not fetch from it", name, v.Source))
	case !containsName(s.Zones, v.Zone):
		v.Mistakes = append(v.Mistakes, fmt.Sprintf("%s: %s is not among the zones of %s: the registry does not fetch it", name, v.Zone.File(), v.Source))
	}
}

func (k *checker) show(verdicts []*verdict) error {
	if k.json {
		return k.encode(struct {
			Version int        `json:"version"`
			Files   []*verdict `json:"files"`
		}{1, verdicts})
	}
	for _, v := range verdicts {
		v.write(shell.Folded(k.Stdout, maxWidth))
	}
	return nil
}

// beside parses another zonelet of the same zone: the file given, or the one of
// the right name in the folder given; nil if there is none.
func (k *checker) beside(ctx context.Context, where string, v *verdict, source, unchecked string) (*zone.Fragment, error) {
	if where == "" {
		v.Unchecked = append(v.Unchecked, unchecked)
		return nil, nil
	}
	if isFolder(where) {
		file := inFolder(where, v.Zone, source)
		if file == "" {
			v.Unchecked = append(v.Unchecked, fmt.Sprintf("%s (there is no %s-%s in %s)", unchecked, v.Zone.File(), source, where))
			return nil, nil
		}
		where = file
	}
	data, err := k.read(ctx, where, maxFile)
	if err != nil {
		return nil, fmt.Errorf("comparing %s: %w", v.File, err)
	}
	f, err := zone.ParseFragment(source, v.Zone, filepath.Base(where), data, k.options(source))
	if err != nil {
		return nil, fmt.Errorf("comparing %s with %s, which is no zonelet of %s for %s: %w", v.File, where, source, v.Zone.File(), err)
	}
	return f, nil
}

// gate finds what would be held, over all files together: one limit is on a
// source's total. Where not all of the source's zonelets are at hand that limit
// cannot be checked.
func (k *checker) gate(verdicts []*verdict) {
	bySource := map[string][]*verdict{}
	var sources []string
	for _, v := range verdicts {
		if v.compared {
			if bySource[v.Source] == nil {
				sources = append(sources, v.Source)
			}
			bySource[v.Source] = append(bySource[v.Source], v)
		}
	}
	for _, s := range sources {
		list, limits := bySource[s], k.limits
		if !k.wholeSource(s, list) {
			limits.TotalPercent = 100
			for _, v := range list {
				v.Unchecked = append(v.Unchecked, fmt.Sprintf("whether the source's total over all its zones falls by more than %g %%: check all its zonelets at once, with --previous FOLDER", k.limits.TotalPercent))
			}
		}
		k.gateSource(list, limits)
	}
}

func (k *checker) gateSource(list []*verdict, limits zone.Limits) {
	var changes []zone.SourceChange
	for _, v := range list {
		changes = append(changes, v.changes...)
	}
	for _, h := range zone.Gate(changes, limits, nil, k.now) {
		for _, v := range list {
			if v.Zone == h.Zone {
				v.Holds = append(v.Holds, h)
			}
		}
	}
}

// wholeSource reports whether the files that were compared are all that the
// source published before.
func (k *checker) wholeSource(source string, list []*verdict) bool {
	entries, err := os.ReadDir(k.previous)
	if err != nil {
		return false // one file, not a folder
	}
	for _, e := range entries {
		z, s, ok := splitName(e.Name())
		if !ok || s != source {
			continue
		}
		found := false
		for _, v := range list {
			found = found || v.Zone == z
		}
		if !found {
			return false
		}
	}
	return true
}
