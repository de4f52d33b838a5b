package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/zone/sign"
)

func keysImportCommand(a *app) *cobra.Command {
	var csk bool
	c := &cobra.Command{
		Use: "import ZONE FOLDER", Short: "Take keys from a folder in BIND's format",
		Long: `Import copies the zone's keys (K<zone>.+<alg>+<tag>.key and .private, with .state)
from a folder, which may hold those of other zones too. Private files that others
than their owner may read are refused; keys that are here already stay as they are.

Keys of a zone that was never published, and keys that it is published with, keep
their times. Others become spare keys, which sign nothing: the next roll of their
role takes them instead of new ones.`,
		Example: `  zonebuild keys import 202.in-addr.arpa /var/lib/bind/keys --dry-run
  zonebuild keys import 202.in-addr.arpa /var/lib/bind/keys
  zonebuild keys import 202.in-addr.arpa /root/csk --csk`,
		Args: usageArgs(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.keysImport(args[0], args[1], csk)
		},
	}
	c.Flags().BoolVar(&csk, "csk", false, "keys with the flags 257 sign the zone too, if no .state says so")
	return c
}

// actionImport is what the steps of an import are called where they are shown: no
// key is made.
const actionImport sign.Action = "import"

func (a *app) keysImport(zone, from string, csk bool) error {
	return a.changeKeys([]string{zone}, func(w *keyWork, _ []sign.Key, ev sign.Evidence) ([]sign.Step, error) {
		w.Note = func(k sign.Key) error { return a.noteKey(w, k, "imported") }
		w.Prove = nil // a spare key changes nothing
		steps, err := w.Import(from, csk, ev, a.dryRun)
		for i := range steps {
			steps[i].Action = actionImport
		}
		if len(steps) > 0 {
			w.next = nextAfterImport(w.Zone.File(), steps, ev.Published != nil)
		}
		return steps, err
	}, "every key of the zone in "+from+" is here already")
}

// nextAfterImport is what a person may type after an import: keys that are not
// complete for a first publication are made up for, spare keys are for a roll.
func nextAfterImport(file string, steps []sign.Step, published bool) string {
	if !published {
		return "to make what is missing: zonebuild keys init " + file
	}
	for _, s := range steps {
		if s.Timing.Publish.IsZero() {
			return "to use a spare key: zonebuild keys roll " + file + " --" + strings.ToLower(s.Role())
		}
	}
	return "zonebuild keys " + file
}

func keysExportCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "export ZONE FOLDER", Short: "Write the keys into a folder, as BIND takes them",
		Long: `Export writes the zone's keys that are not removed, private halves included, with
their times and state files. It replaces nothing. Guard the folder as you guard
keys/.`,
		Example: "  zonebuild keys export 202.in-addr.arpa /root/backup --dry-run\n  zonebuild keys export 202.in-addr.arpa /root/backup",
		Args:    usageArgs(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := a.open(); err != nil {
				return err
			}
			z, group, g, err := a.zoneNamed(args[0])
			if err != nil {
				return err
			}
			keys, err := sign.LoadKeys(a.cfg.Keys, z)
			if err != nil {
				return err
			}
			w, _ := a.keyWork(z, group, g)
			return a.keysExport(w, args[1], keys)
		},
	}
}

// An exportAnswer is what "keys export --json" shows.
type exportAnswer struct {
	Version int      `json:"version"`
	DryRun  bool     `json:"dry_run"`
	Zone    string   `json:"zone"`
	Folder  string   `json:"folder"`
	Keys    []string `json:"keys"` // IDs
}

func (a *app) keysExport(w *keyWork, to string, keys []sign.Key) error {
	keys = slices.DeleteFunc(keys, func(k sign.Key) bool { return !k.Timing.Remove.IsZero() })
	var err error
	if !a.dryRun {
		keys, err = w.Export(to, keys)
	}
	answer := exportAnswer{Version: 1, DryRun: a.dryRun, Zone: w.Zone.File(), Folder: to, Keys: []string{}}
	for _, k := range keys {
		answer.Keys = append(answer.Keys, k.ID)
	}
	if a.json && err == nil {
		return a.answer(answer)
	}
	for _, id := range answer.Keys {
		fmt.Fprintln(a.Stdout, id)
	}
	words := "written to %s, with private halves: %d keys"
	if a.dryRun {
		words = "would be written to %s, with private halves: %d keys"
	}
	a.Errorf(words, to, len(keys))
	return err
}
