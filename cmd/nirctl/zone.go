package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

func zoneCommand(a *app) *cobra.Command {
	noun := nounCommand("zone", "Check and make zonelets")
	noun.AddCommand(zoneCheckCommand(a), zoneMakeCommand(a))
	return noun
}

// A target is a file with the zone and source it is for.
type target struct {
	path, base string
	zone       zone.Name
	source     string
}

// sourceName is what a source may be called: the name becomes part of file
// names and of trailers.
var sourceName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?$`)

// newTarget decides which zone and source a file is for: by the flags, else by
// its name.
func newTarget(file, zoneFlag, sourceFlag string) (target, error) {
	t := target{path: file, base: filepath.Base(file)}
	t.zone, t.source, _ = splitName(t.base)
	if zoneFlag != "" {
		var err error
		if t.zone, err = parentZone(zoneFlag); err != nil {
			return t, shell.Usage(fmt.Errorf("--zone %s: %w", zoneFlag, err), "--zone 202.in-addr.arpa")
		}
	}
	if sourceFlag != "" {
		t.source = sourceFlag
	}
	if info, err := os.Stat(file); file != "-" && err == nil && info.IsDir() {
		return t, shell.Usage(fmt.Errorf("%s is a folder", file), "name its zonelets: "+filepath.Join(file, "202.in-addr.arpa-JPNIC"))
	}
	if t.zone == "" || t.source == "" {
		return t, shell.Usage(fmt.Errorf("%s: the name does not tell zone and source, as 202.in-addr.arpa-JPNIC or 041-AFRINIC does", t.base), "--zone 202.in-addr.arpa --source JPNIC")
	}
	if !sourceName.MatchString(t.source) {
		return t, shell.Usage(fmt.Errorf("source %q: a name has 1 to 32 letters, digits and inner hyphens", t.source), "--source JPNIC")
	}
	if file == "-" {
		t.base = t.zone.File() + "-" + t.source // what messages call it
	}
	return t, nil
}

// wholeZone is the claim of a source to all of a zone, for a check without
// claims.
func wholeZone(source string, z zone.Name) *zone.Claims {
	p, _ := z.Prefix()
	return zone.NewClaims([]zone.Claim{{Source: source, Prefix: p}})
}

// bare is an apex that is good enough to merge into, for a check.
func bare(z zone.Name) zone.Apex {
	return zone.Apex{Origin: z, NS: []zone.Name{"ns.invalid."}, TTL: zone.TTL{Fixed: zone.DefaultTTL}}
}

// mistakes takes an error apart into its lines: one for each mistake of a file.
func mistakes(err error) []string {
	var list *zone.SyntaxErrors
	if !errors.As(err, &list) {
		return []string{err.Error()}
	}
	var out []string
	for _, e := range list.Errors {
		out = append(out, e.Error())
	}
	if list.More > 0 {
		out = append(out, fmt.Sprintf("%d more mistakes are not shown", list.More))
	}
	return out
}
