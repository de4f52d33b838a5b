package main

import (
	"crypto/md5" // the sum that the policy asks for (APNIC-103, appendix)
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/seal"
)

// A checker is "zone check" with its flags.
type checker struct {
	*app
	zone, source, claims, registry, previous, keyring, rir string
	trailerOptional                                        bool
}

func zoneCheckCommand(a *app) *cobra.Command {
	k := &checker{app: a}
	c := &cobra.Command{
		Use: "check FILE...", Short: "Say what the registry would say of zonelets, before they are published",
		Long: `Check reads zonelets as the registry does and lists what it would refuse,
ignore or hold, with file and line. What it cannot know without --claims,
--registry or --previous is listed as not checked. FILE.md5 and FILE.asc are
checked if they are there. It needs no configuration and no network.`,
		Example: `  nirctl zone check 202.in-addr.arpa-JPNIC
  nirctl zone check --claims claims --previous old/202.in-addr.arpa-JPNIC 202.in-addr.arpa-JPNIC
  nirctl zone check --zone 202.in-addr.arpa --source JPNIC - <delegations`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return k.check(args) },
	}
	f := c.Flags()
	f.StringVar(&k.zone, "zone", "", "parent `ZONE` (default: from the file's name)")
	f.StringVar(&k.source, "source", "", "`NAME` of the source (default: from the file's name)")
	f.StringVar(&k.claims, "claims", "", "`FILE` with SOURCE<TAB>PREFIX lines: what lies outside is found")
	f.StringVar(&k.registry, "registry", "", "the registry's own zonelet, a `FILE` or a folder of them: overrides are found")
	f.StringVar(&k.previous, "previous", "", "the zonelet published before, a `FILE` or a folder: what would be held is found")
	f.StringVar(&k.keyring, "keyring", "", "`FILE` with the OpenPGP keys that FILE.asc is checked by")
	f.StringVar(&k.rir, "rir", "APNIC", "`NAME` of the registry, the source of its zonelets")
	f.BoolVar(&k.trailerOptional, "trailer-optional", false, "take a zonelet without trailer")
	return c
}

// A verdict is what the check found in one file.
type verdict struct {
	File        string        `json:"file"`
	Zone        zone.Name     `json:"zone"`
	Source      string        `json:"source"`
	Accepted    bool          `json:"accepted"` // false: the file would be refused whole
	NS          int           `json:"ns"`
	DS          int           `json:"ds"`
	Owners      int           `json:"owners"`
	Delegations int           `json:"delegations"` // that would be published
	Mistakes    []string      `json:"mistakes,omitempty"`
	Notices     []zone.Notice `json:"notices,omitempty"`
	Holds       []zone.Hold   `json:"holds,omitempty"`
	Unchecked   []string      `json:"not_checked,omitempty"`
}

// findings reports whether somebody has to look: anything but information.
func (v *verdict) findings() bool {
	s, any := worst(v.Notices)
	return !v.Accepted || len(v.Mistakes) > 0 || len(v.Holds) > 0 || any && s > zone.Info
}

func (k *checker) check(files []string) error {
	var verdicts []*verdict
	found := false
	for _, f := range files {
		v, err := k.file(f)
		if err != nil {
			return err
		}
		verdicts = append(verdicts, v)
		found = found || v.findings()
	}
	if k.json {
		if err := k.encode(verdicts); err != nil {
			return err
		}
	} else {
		for _, v := range verdicts {
			v.write(k.Stdout)
		}
	}
	if found {
		return &shell.Exit{Code: 3}
	}
	return nil
}

func (k *checker) file(file string) (*verdict, error) {
	z, source, err := nameAndZone(file, k.zone, k.source)
	if err != nil {
		return nil, err
	}
	data, err := k.read(file)
	if err != nil {
		return nil, err
	}
	v := &verdict{File: filepath.Base(file), Zone: z, Source: source}
	if err := k.seals(v, file, data); err != nil {
		return nil, err
	}
	f, err := zone.ParseFragment(source, z, v.File, data, k.options())
	if err != nil {
		v.Mistakes = append(v.Mistakes, strings.Split(err.Error(), "\n")...)
		return v, nil
	}
	v.Accepted = true
	v.count(f)
	return v, k.merge(v, f)
}

func (k *checker) options() zone.ParseOptions {
	return zone.ParseOptions{Limits: zone.DefaultParseLimits, TrailerOptional: k.trailerOptional}
}

func (k *checker) read(file string) ([]byte, error) {
	if file != "-" {
		return shell.ReadFile(file, maxFile)
	}
	return io.ReadAll(io.LimitReader(os.Stdin, maxFile))
}

func (v *verdict) count(f *zone.Fragment) {
	owners := map[zone.Name]bool{}
	for _, r := range f.Records {
		owners[r.Name] = true
		switch r.Type {
		case zone.TypeNS:
			v.NS++
		case zone.TypeDS:
			v.DS++
		}
	}
	v.Owners = len(owners)
}

// seals checks FILE.md5 and FILE.asc as far as they are there.
func (k *checker) seals(v *verdict, file string, data []byte) error {
	sum, err := readBeside(file + ".md5")
	if err != nil {
		return err
	}
	if sum == nil {
		v.Unchecked = append(v.Unchecked, "the sum: there is no "+v.File+".md5")
	} else if s, err := seal.ParseMD5(v.File+".md5", sum, false); err != nil {
		v.Mistakes = append(v.Mistakes, err.Error())
	} else if err := s.Check(v.File, md5.Sum(data)); err != nil {
		v.Mistakes = append(v.Mistakes, err.Error())
	}
	sig, err := readBeside(file + ".asc")
	switch {
	case err != nil:
		return err
	case sig == nil:
		v.Unchecked = append(v.Unchecked, "the signature: there is no "+v.File+".asc")
	case k.keyring == "":
		v.Unchecked = append(v.Unchecked, "the signature: give the keys with --keyring")
	default:
		return k.signature(v, data, sig)
	}
	return nil
}

func (k *checker) signature(v *verdict, data, sig []byte) error {
	raw, err := shell.ReadFile(k.keyring, maxFile)
	if err != nil {
		return err
	}
	ring, err := seal.LoadKeyring(filepath.Base(k.keyring), raw)
	if err != nil {
		return err
	}
	now, err := k.Now(k.nowFlag)
	if err != nil {
		return err
	}
	_, notices, err := ring.Verify(data, sig, seal.Policy{Source: v.Source, Zone: v.Zone, File: v.File, Now: now})
	if err != nil {
		v.Mistakes = append(v.Mistakes, err.Error())
	}
	v.Notices = append(v.Notices, notices...)
	return nil
}

// merge says what would become of the zonelet's delegations.
func (k *checker) merge(v *verdict, f *zone.Fragment) error {
	claims := wholeZone(v.Source, v.Zone)
	if k.claims == "" {
		v.Unchecked = append(v.Unchecked, "whether every name is in the source's ranges: give them with --claims")
	} else {
		data, err := shell.ReadFile(k.claims, maxFile)
		if err != nil {
			return err
		}
		if claims, err = zone.ParseClaims(filepath.Base(k.claims), data); err != nil {
			return err
		}
	}
	own, err := k.beside(k.registry, v, k.rir, "whether the registry's own delegations win: give its zonelet with --registry")
	if err != nil {
		return err
	}
	before, err := k.beside(k.previous, v, v.Source, "what would be held as too large a loss: give the last zonelet with --previous")
	if err != nil {
		return err
	}
	old := k.zoneOf(v, claims, own, before, nil)
	next, notices := zone.Merge(k.input(v, claims, own, f, old))
	v.Notices = append(v.Notices, notices...)
	zone.SortNotices(v.Notices)
	for _, c := range zone.SourceChanges(nil, next) {
		if c.Source == v.Source {
			v.Delegations = c.After
		}
	}
	if before != nil {
		limits := zone.DefaultLimits()
		v.Holds = zone.Gate(zone.SourceChanges(old, next), limits, nil)
	}
	return nil
}

func (k *checker) input(v *verdict, claims *zone.Claims, own, f *zone.Fragment, published *zone.Zone) zone.MergeInput {
	in := zone.MergeInput{Apex: bare(v.Zone), Registry: k.rir, Claims: claims, Published: published}
	for _, x := range []*zone.Fragment{own, f} {
		if x != nil {
			in.Fragments = append(in.Fragments, x)
		}
	}
	return in
}

func (k *checker) zoneOf(v *verdict, claims *zone.Claims, own, f *zone.Fragment, published *zone.Zone) *zone.Zone {
	z, _ := zone.Merge(k.input(v, claims, own, f, published))
	return z
}

// beside parses another zonelet of the same zone: the file given, or the one of
// the right name in the folder given.
func (k *checker) beside(where string, v *verdict, source, unchecked string) (*zone.Fragment, error) {
	if where == "" {
		v.Unchecked = append(v.Unchecked, unchecked)
		return nil, nil
	}
	if info, err := os.Stat(where); err == nil && info.IsDir() {
		where = filepath.Join(where, v.Zone.File()+"-"+source)
	}
	data, err := shell.ReadFile(where, maxFile)
	if err != nil {
		return nil, err
	}
	f, err := zone.ParseFragment(source, v.Zone, filepath.Base(where), data, k.options())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s cannot be compared with", where), err)
	}
	return f, nil
}

func (v *verdict) write(w io.Writer) {
	state := shell.Paint(w, shell.Good, "would be accepted")
	if !v.Accepted {
		state = shell.Paint(w, shell.Bad, "would be refused whole")
	} else if v.findings() {
		state = shell.Paint(w, shell.Care, "would be accepted, with findings")
	}
	fmt.Fprintf(w, "%s: %s\n", v.File, state)
	if v.Accepted {
		fmt.Fprintf(w, "  %d NS and %d DS records of %d owners; %d delegations would be published in %s\n", v.NS, v.DS, v.Owners, v.Delegations, v.Zone.File())
	}
	for _, m := range v.Mistakes {
		fmt.Fprintln(w, " ", shell.Paint(w, shell.Bad, m))
	}
	for _, n := range v.Notices {
		fmt.Fprintln(w, " ", n)
	}
	for _, h := range v.Holds {
		fmt.Fprintf(w, "  %s %d delegations would be held: %s\n", shell.Paint(w, shell.Bad, "held:"), len(h.Losses), h.Rule)
	}
	for _, u := range v.Unchecked {
		fmt.Fprintln(w, " ", shell.Paint(w, shell.Quiet, "not checked: "+u))
	}
}
