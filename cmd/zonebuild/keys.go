package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

func keysCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "keys [ZONE...]", Short: "Show the zones' keys, and change them",
		Long: `Keys shows each key, its state, its next step, when that is, and what it waits
for. With ZONE it shows the whole plan for that zone. docs/keys.md has the life
of a key as time lines. It changes nothing.

Exit code 3 says that the keys of some zone cannot be read or are not all there;
those of the others are shown.`,
		Example: `  zonebuild keys
  zonebuild keys 202.in-addr.arpa
  zonebuild keys --json`,
		RunE: func(_ *cobra.Command, args []string) error { return a.keys(args) },
	}
	c.AddCommand(keysInitCommand(a), keysRollCommand(a), keysApproveCommand(a), keysStepCommand(a), keysTrustCommand(a),
		keysDSCommand(a), keysCDSCommand(a), keysImportCommand(a), keysExportCommand(a))
	return c
}

// keyZones returns the zones that are named, or all.
func (a *app) keyZones(args []string) ([]zone.Name, error) {
	zones, err := zoneArgs(args)
	if err != nil || len(zones) == 0 {
		return a.cfg.Zones(), err
	}
	for _, z := range zones {
		if a.cfg.Group(z) == nil {
			return nil, shell.Usage(fmt.Errorf("%s is in no [[zones]] group of the configuration", z.File()), a.zonesHint())
		}
	}
	return zones, nil
}

// zonesHint names the zones of the configuration, or the first of many.
func (a *app) zonesHint() string {
	var names []string
	for i, z := range a.cfg.Zones() {
		if i == maxLines {
			names = append(names, "…")
			break
		}
		names = append(names, z.File())
	}
	return "the zones are " + strings.Join(names, ", ")
}
