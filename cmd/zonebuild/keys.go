package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/sign"
)

func keysCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "keys [ZONE...]", Short: "Show the zones' keys, and change them",
		Long: `Keys shows each key, its state, its next step, when that is, and what it waits
for. With ZONE it shows the whole plan for that zone. docs/keys.md has the life
of a key as time lines.`,
		Example: "  zonebuild keys\n  zonebuild keys 202.in-addr.arpa",
		RunE:    func(_ *cobra.Command, args []string) error { return a.keys(args) },
	}
	var lost bool
	make := &cobra.Command{
		Use: "init [ZONE...]", Short: "Make the first keys of every zone that has none",
		Long: `Init makes the keys that are missing, 0600, in BIND's format. It replaces
nothing. A published zone whose keys are gone is refused: with a new KSK the zone
is bogus for every validating resolver until the parent has the new DS. Restore
the keys from a backup, or say --lost if there is none.`,
		Example: "  zonebuild keys init\n  zonebuild keys init 202.in-addr.arpa --dry-run",
		RunE:    func(_ *cobra.Command, args []string) error { return a.keysInit(args, lost) },
	}
	make.Flags().BoolVar(&lost, "lost", false, "make new keys although the zone is published with others")
	c.AddCommand(make, keysRollCommand(a), keysApproveCommand(a), keysStepCommand(a), keysTrustCommand(a),
		keysDSCommand(a), keysCDSCommand(a), keysImportCommand(a), keysExportCommand(a))
	return c
}

func (a *app) keysInit(args []string, lost bool) error {
	if err := a.configure(); err != nil {
		return err
	}
	release, err := a.lock()
	defer release()
	if err := errors.Join(err, a.readCurrent()); err != nil { // only now no run replaces it
		return err
	}
	zones, err := a.keyZones(args)
	if err != nil {
		return err
	}
	if a.dryRun {
		steps, err := a.keysPlan(zones)
		if err != nil {
			return err
		}
		return a.showSteps(steps)
	}
	if !lost {
		if err := a.keysThere(zones); err != nil {
			return err
		}
	}
	steps, err := a.initKeys(zones, lost)
	return errors.Join(a.showSteps(steps), err) // what was done is shown also if it went wrong then
}

// initKeys makes the missing keys of the zones as if they were never published.
// With lost, the new set is one that a person named.
func (a *app) initKeys(zones []zone.Name, lost bool) ([]sign.Step, error) {
	var done []sign.Step
	for _, z := range zones {
		w, ev := a.keyWork(z, a.cfg.Group(z), nil)
		ring, steps, err := w.Init(ev, a.now)
		if err == nil && lost && a.entryOf(z) != nil && len(steps) > 0 {
			err = a.trust(w.book, ring, "keys init --lost")
		}
		done = append(done, steps...)
		if err != nil {
			return done, fmt.Errorf("making keys of %s: %w", z, err)
		}
	}
	return done, nil
}

// keysThere refuses to go on if a zone is published with a key that is no longer
// in the keys folder.
func (a *app) keysThere(zones []zone.Name) error {
	for _, z := range zones {
		if a.prev == nil || a.prev.Zone(z) == nil {
			continue
		}
		keys, err := sign.LoadKeys(a.cfg.Keys, z)
		if err != nil {
			continue // sign.Init completes or refuses it
		}
		for _, p := range a.prev.Zone(z).Keys {
			if !slices.ContainsFunc(keys, func(k sign.Key) bool { return k.Tag == p.Tag && k.Algorithm == p.Algorithm }) {
				return &shell.Exit{
					Code: 1, Err: fmt.Errorf("%s is published with key %d, which is not in the keys folder: a new key makes the zone bogus until the parent has its DS", z.File(), p.Tag),
					Hint: "restore the keys folder from a backup; if there is none: zonebuild keys init --lost " + z.File(),
				}
			}
		}
	}
	return nil
}

// keyZones returns the zones that are named, or all.
func (a *app) keyZones(args []string) ([]zone.Name, error) {
	zones, err := zoneArgs(args)
	if err != nil || len(zones) == 0 {
		return a.cfg.Zones(), err
	}
	for _, z := range zones {
		if a.cfg.Group(z) == nil {
			return nil, shell.Usage(fmt.Errorf("%s is in no [[zones]] group of the configuration", z.File()), "")
		}
	}
	return zones, nil
}

// keysPlan returns the steps that keys init would take.
func (a *app) keysPlan(zones []zone.Name) ([]sign.Step, error) {
	var steps []sign.Step
	for _, z := range zones {
		keys, err := sign.LoadKeys(a.cfg.Keys, z)
		if err != nil {
			return nil, err
		}
		steps = append(steps, sign.Plan(keys, sign.NewPolicy(a.cfg.Signing, a.cfg.Group(z), nil), sign.Evidence{}, z, a.now)...)
	}
	return steps, nil
}

func (a *app) showSteps(steps []sign.Step) error {
	if a.json {
		return a.answer(append([]sign.Step{}, steps...))
	}
	word := ""
	if a.dryRun {
		word = "would: "
	}
	for _, s := range steps {
		fmt.Fprintln(a.Stdout, word+s.String())
	}
	if len(steps) == 0 {
		a.Errorf("every zone has its keys")
	}
	return nil
}
