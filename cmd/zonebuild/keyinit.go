package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/sign"
)

func keysInitCommand(a *app) *cobra.Command {
	var lost bool
	var message string
	c := &cobra.Command{
		Use: "init [ZONE...] [--lost -m REASON]", Short: "Make the first keys of every zone that has none",
		Long: `Init makes the keys that are missing, 0600, in BIND's format: a KSK and a ZSK for
a zone that has none, or a CSK where signing.profile is "csk". It replaces nothing,
and leaves alone the keys of zones that are published.

A published zone whose keys are gone is refused: with a new KSK the zone is bogus
for every validating resolver until the parent has the new DS. Restore the keys
from a backup. If there is none, --lost gives them up: new keys are made, the next
run publishes them, and the notice key-lost stays open until the new DS is seen at
the parent. Have the parent remove the old DS first: see docs/recovery.md.`,
		Example: `  zonebuild keys init --dry-run
  zonebuild keys init
  zonebuild keys init 202.in-addr.arpa --lost -m "disk died, no backup, ticket 4711"`,
		RunE: func(_ *cobra.Command, args []string) error { return a.keysInit(args, lost, message) },
	}
	c.Flags().BoolVar(&lost, "lost", false, "make new keys although the zone is published with others")
	c.Flags().StringVarP(&message, "message", "m", "", "`REASON` kept with the decision; needed with --lost")
	return c
}

func (a *app) keysInit(args []string, lost bool, message string) error {
	if lost {
		if err := reasoned(message, "keys init --lost"); err != nil {
			return err
		}
	} else if message != "" {
		return shell.Usage(errors.New("keys init takes -m REASON with --lost only: nothing else in it is a decision"), "zonebuild keys init --help")
	}
	zones, release, err := a.heldZones(args)
	defer release()
	if err != nil {
		return err
	}
	if !lost {
		if err := a.keysThere(zones); err != nil {
			return err
		}
	}
	change, err := a.initKeys(zones, lost, message)
	if err != nil && change.empty() {
		return err
	}
	return errors.Join(a.showChange(change, "every zone has its keys"), err) // what was done is shown also if it went wrong then
}

// initKeys makes the missing keys of the zones, or plans to.
func (a *app) initKeys(zones []zone.Name, lost bool, message string) (keyChange, error) {
	var all keyChange
	for _, z := range zones {
		w, _ := a.keyWork(z, a.cfg.Group(z), nil)
		steps, err := a.initZone(w, lost, message)
		all.Steps, all.Decided = append(all.Steps, steps...), append(all.Decided, w.decided...)
		if err != nil {
			err = fmt.Errorf("making keys of %s: %w", z.File(), err)
			if _, unread := sign.LoadKeys(a.cfg.Keys, z); unread != nil {
				err = &shell.Exit{Code: 1, Err: err, Hint: a.keyProblem(z, nil, unread).Hint}
			}
			return all, err
		}
	}
	return all, nil
}

// initZone makes the missing keys of a zone as if it was never published. Of a
// published zone that has its keys it only finishes what a crash left. With lost,
// the new set is one that a person named; a crash before that is written down
// leaves keys that no run publishes, and the same command goes on from there.
func (a *app) initZone(w *keyWork, lost bool, message string) (done []sign.Step, err error) {
	if !a.dryRun {
		if done, err = w.Recover(); err != nil {
			return done, err
		}
	}
	keys, err := sign.LoadKeys(a.cfg.Keys, w.Zone)
	if err != nil {
		return done, err
	}
	gone := a.missingTags(w.Zone, keys)
	switch {
	case a.entryOf(w.Zone) != nil && len(gone) == 0:
		return done, nil
	case len(gone) > 0 && !lost:
		return done, a.goneError(w.Zone, gone)
	case a.dryRun:
		done = sign.Plan(keys, w.Policy, sign.Evidence{}, w.Zone, a.now)
	default:
		if len(gone) > 0 {
			w.Prove = nil // with the old DS at the parent it is bogus: that was decided
		}
		var steps []sign.Step
		keys, steps, err = w.Init(sign.Evidence{}, a.now)
		done = append(done, steps...)
	}
	if err == nil && len(gone) > 0 {
		err = a.giveUp(w, keys, gone, message)
	}
	return done, err
}

// giveUp writes down that a person gives keys up, and that the set is now what
// there is.
func (a *app) giveUp(w *keyWork, keys []sign.Key, gone []int, message string) error {
	if !a.dryRun {
		d := a.decision(message)
		w.book.Lost = &d
		if err := errors.Join(w.bookErr, a.trust(w.book, keys, "keys init --lost: "+message)); err != nil {
			return err
		}
	}
	w.decided = append(w.decided, fmt.Sprintf("%s: key %s is given up; the next run publishes the new set, and the zone is bogus until the parent has its DS: zonebuild keys ds %s", w.Zone.File(), join(gone), w.Zone.File()))
	return nil
}

// keysThere refuses to go on if a zone is published with a key that is no longer
// in the keys folder.
func (a *app) keysThere(zones []zone.Name) error {
	for _, z := range zones {
		keys, err := sign.LoadKeys(a.cfg.Keys, z)
		if err != nil {
			continue // initZone completes or refuses it
		}
		if gone := a.missingTags(z, keys); len(gone) > 0 {
			return a.goneError(z, gone)
		}
	}
	return nil
}

func (a *app) goneError(z zone.Name, gone []int) error {
	return &shell.Exit{
		Code: 1, Err: fmt.Errorf("%s is published with key %s, which is not in the keys folder: a new key makes the zone bogus until the parent has its DS", z.File(), join(gone)),
		Hint: "restore the keys folder from a backup; if there is none: zonebuild keys init --lost -m REASON " + z.File(),
	}
}
