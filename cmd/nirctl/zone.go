package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

func zoneCommand(a *app) *cobra.Command {
	noun := &cobra.Command{Use: "zone", Short: "Check and make zonelets"}
	noun.AddCommand(zoneCheckCommand(a), zoneMakeCommand(a))
	return noun
}

// maxFile bounds the files that nirctl reads.
const maxFile = 1 << 30

// splitName takes "202.in-addr.arpa-JPNIC", "202-JPNIC" or "041-AFRINIC" apart.
func splitName(base string) (z zone.Name, source string, ok bool) {
	i := strings.LastIndexByte(base, '-')
	if i <= 0 || i == len(base)-1 {
		return "", "", false
	}
	left, source := base[:i], base[i+1:]
	if octet := strings.TrimLeft(left, "0"); octet != "" && len(left) <= 3 && strings.Trim(octet, "0123456789") == "" {
		left = octet + ".in-addr.arpa"
	}
	z, err := zone.ParseName(strings.ToLower(left))
	if err != nil {
		return "", "", false
	}
	_, ok = z.Prefix()
	return z, source, ok
}

// nameAndZone decides which zone and source a file is for: by the flags, else
// by its name.
func nameAndZone(file, zoneFlag, sourceFlag string) (zone.Name, string, error) {
	base := filepath.Base(file)
	z, source, ok := splitName(base)
	if zoneFlag != "" {
		n, err := zone.ParseName(strings.ToLower(zoneFlag))
		if err != nil {
			return "", "", shell.Usage(err, "--zone 202.in-addr.arpa")
		}
		if _, reverse := n.Prefix(); !reverse {
			return "", "", shell.Usage(fmt.Errorf("--zone %s is not in the reverse tree", n), "--zone 202.in-addr.arpa")
		}
		z = n
	}
	if sourceFlag != "" {
		source = sourceFlag
	}
	if z == "" || source == "" || !ok && (zoneFlag == "" || sourceFlag == "") {
		return "", "", shell.Usage(fmt.Errorf("%s does not tell zone and source by its name", base), "--zone 202.in-addr.arpa --source JPNIC")
	}
	return z, source, nil
}

// readBeside reads a file that may be missing: then data is nil.
func readBeside(name string) ([]byte, error) {
	data, err := shell.ReadFile(name, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// wholeZone is the claim of a source to all of a zone, for a check without
// claims.
func wholeZone(source string, z zone.Name) *zone.Claims {
	p, _ := z.Prefix()
	return zone.NewClaims([]zone.Claim{{Source: source, Prefix: p}})
}

// bare is an apex that is good enough to merge into, for a check.
func bare(z zone.Name) zone.Apex {
	return zone.Apex{Origin: z, NS: []zone.Name{"ns.invalid."}, TTL: zone.TTL{Fixed: 86400}}
}

// worst returns the highest severity, and false without notices.
func worst(list []zone.Notice) (zone.Severity, bool) {
	if len(list) == 0 {
		return zone.Info, false
	}
	return slices.MaxFunc(list, func(a, b zone.Notice) int { return int(a.Severity) - int(b.Severity) }).Severity, true
}
