package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/sign"
)

func keysApproveCommand(a *app) *cobra.Command {
	var message string
	c := &cobra.Command{
		Use: "approve HASH... -m REASON", Short: "Agree to a key step that needs a person",
		Long: `The removal of a KSK or CSK needs a person besides all else that it waits for:
"zonebuild keys" shows the hash. An approval given early counts when the rest is
there. It is of exactly that key and that successor.`,
		Example: "  zonebuild keys approve 3fa94c01 -m \"DS exchanged, ticket 4711\"",
		Args:    usageArgs(cobra.MinimumNArgs(1)),
		RunE:    func(_ *cobra.Command, args []string) error { return a.keysApprove(args, message) },
	}
	c.Flags().StringVarP(&message, "message", "m", "", "`REASON` kept with the decision")
	return c
}

func (a *app) keysApprove(hashes []string, message string) error {
	if err := reasoned(message, "keys approve"); err != nil {
		return err
	}
	if err := a.configure(); err != nil {
		return err
	}
	release, err := a.lock()
	defer release()
	if err := errors.Join(err, a.readCurrent()); err != nil {
		return err
	}
	found := []sign.Step{}
	for _, prefix := range hashes {
		s, err := a.stepNamed(prefix)
		if err != nil {
			return err
		}
		found = append(found, *s)
	}
	for _, s := range found {
		book, err := a.readBook(s.Zone)
		if err == nil && !a.dryRun && !slices.Contains(book.Approved(), s.Hash) {
			book.Approvals = append(book.Approvals, zone.BookApproval{Hash: s.Hash, Step: s.String(), BookDecision: a.decision(message)})
			err = a.writeBook(book)
		}
		if err != nil {
			return err
		}
	}
	return a.showApproved(found)
}

// stepNamed finds a planned step by the beginning of its hash.
func (a *app) stepNamed(prefix string) (*sign.Step, error) {
	var found []sign.Step
	for _, z := range a.cfg.Zones() {
		v, err := a.viewKeys(z)
		if err != nil {
			return nil, err
		}
		for _, s := range v.plan {
			if len(prefix) >= 8 && strings.HasPrefix(s.Hash, prefix) {
				found = append(found, s)
			}
		}
	}
	if len(found) != 1 {
		return nil, &shell.Exit{Code: 1, Err: fmt.Errorf("%d key steps begin with %q; at least 8 digits of one hash are needed", len(found), prefix), Hint: "zonebuild keys"}
	}
	return &found[0], nil
}

func (a *app) showApproved(steps []sign.Step) error {
	if a.json {
		return a.answer(steps)
	}
	word := "approved"
	if a.dryRun {
		word = "would approve"
	}
	for _, s := range steps {
		s.Waits = slices.DeleteFunc(slices.Clone(s.Waits), func(w string) bool { return strings.HasPrefix(w, "approval: ") })
		a.Errorf("%s: %s", word, s)
		writeWrapped(a.Stderr, "  ", "at stake: "+s.Stake)
	}
	return nil
}

func keysDSCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "ds [ZONE...]", Short: "Show the DS records that the parents should have",
		Long: `DS shows, for every zone or those named, the DS set that the parent should have
now: it is what CDS and CDNSKEY in the zone say, too. A new KSK is in it once
every cache has it.`,
		Example: "  zonebuild keys ds 202.in-addr.arpa",
		RunE:    func(_ *cobra.Command, args []string) error { return a.keysDS(args) },
	}
}

// dsRow is a zone as "keys ds --json" shows it.
type dsRow struct {
	Zone string   `json:"zone"`
	DS   []string `json:"ds"`
}

func (a *app) keysDS(args []string) error {
	if err := a.open(); err != nil {
		return err
	}
	zones, err := a.keyZones(args)
	if err != nil {
		return err
	}
	rows := []dsRow{}
	for _, z := range zones {
		keys, err := sign.LoadKeys(a.cfg.Keys, z)
		if err != nil {
			return err
		}
		r := dsRow{Zone: z.File(), DS: []string{}}
		for _, k := range sign.MarkCDS(keys, a.now) {
			if k.CDS {
				r.DS = append(r.DS, k.DS().Text())
				if !a.json {
					fmt.Fprintln(a.Stdout, k.DS())
				}
			}
		}
		rows = append(rows, r)
	}
	if a.json {
		return a.answer(rows)
	}
	return nil
}

func keysCDSCommand(a *app) *cobra.Command {
	var remove, restore bool
	var message string
	c := &cobra.Command{
		Use: "cds ZONE [--delete -m REASON | --restore]", Short: "Show what CDS and CDNSKEY say, or ask for no DS at all",
		Long: `CDS shows which keys the zone's CDS and CDNSKEY sets name (RFC 7344). With
--delete they ask the parent to take every DS away (RFC 8078, section 4): the zone
then is not validated by anybody any more. --restore takes that back.`,
		Example: "  zonebuild keys cds 202.in-addr.arpa\n  zonebuild keys cds 202.in-addr.arpa --delete -m \"signing ends, ticket 4711\"",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if remove && restore {
				return shell.Usage(errors.New("--delete and --restore exclude each other"), "")
			}
			if remove || restore {
				return a.keysCDS(args, remove, message)
			}
			return a.showCDS(args[0])
		},
	}
	c.Flags().BoolVar(&remove, "delete", false, "ask the parent to remove every DS")
	c.Flags().BoolVar(&restore, "restore", false, "name the keys again")
	c.Flags().StringVarP(&message, "message", "m", "", "`REASON` kept with the decision")
	return c
}

func (a *app) keysCDS(args []string, remove bool, message string) error {
	if remove {
		if err := reasoned(message, "keys cds --delete"); err != nil {
			return err
		}
	}
	return a.changeKeys(args, func(w *keyWork, _ []sign.Key, _ sign.Evidence) ([]sign.Step, error) {
		w.book.DeleteDS = nil
		text := "CDS and CDNSKEY name the keys again"
		if remove {
			d := a.decision(message)
			w.book.DeleteDS = &d
			text = "CDS and CDNSKEY ask for no DS: once the parent follows, nobody validates the zone"
		}
		a.Errorf("%s from the next run on: %s", w.Zone.File(), text)
		if a.dryRun {
			return nil, nil
		}
		return nil, a.writeBook(w.book)
	})
}

// cdsView is what "keys cds --json" shows.
type cdsView struct {
	Version int      `json:"version"`
	Zone    string   `json:"zone"`
	Delete  bool     `json:"delete"`
	Keys    []string `json:"keys"`
	CDS     []string `json:"cds"`
}

func (a *app) showCDS(arg string) error {
	if err := a.open(); err != nil {
		return err
	}
	z, _, _, err := a.zoneNamed(arg)
	if err != nil {
		return err
	}
	keys, err := sign.LoadKeys(a.cfg.Keys, z)
	if err != nil {
		return err
	}
	book, err := a.readBook(z)
	if err != nil {
		return err
	}
	v := cdsView{Version: 1, Zone: z.File(), Delete: book.DeleteDS != nil, Keys: []string{}, CDS: []string{}}
	for _, k := range sign.MarkCDS(keys, a.now) {
		if k.CDS && !v.Delete {
			v.Keys, v.CDS = append(v.Keys, k.ID), append(v.CDS, k.DS().Text())
		}
	}
	if a.json {
		return a.answer(v)
	}
	if v.Delete {
		fmt.Fprintf(a.Stdout, "%s CDS 0 0 0 00\n", z)
		a.Errorf("%s decided on %s: %s", book.DeleteDS.By, stamp(book.DeleteDS.Time), book.DeleteDS.Message)
	}
	for i := range v.CDS {
		fmt.Fprintf(a.Stdout, "%s CDS %s\n", z, v.CDS[i])
	}
	return nil
}

func keysImportCommand(a *app) *cobra.Command {
	var csk bool
	c := &cobra.Command{
		Use: "import ZONE FOLDER", Short: "Take keys from a folder in BIND's format",
		Long: `Import copies the zone's keys (K<zone>.+<alg>+<tag>.key and .private, with .state)
from a folder. Keys of a zone that was never published, and keys that it is
published with, keep their times. Others become spare keys: the next roll
publishes them, in the place of new ones.`,
		Example: "  zonebuild keys import 202.in-addr.arpa /var/lib/bind/keys --dry-run",
		Args:    usageArgs(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.changeKeys(args[:1], func(w *keyWork, _ []sign.Key, ev sign.Evidence) ([]sign.Step, error) {
				w.Note = func(k sign.Key) error { return a.noteKey(w, k, "imported") }
				w.Prove = nil // a spare key changes nothing
				return w.Import(args[1], csk, ev, a.dryRun)
			})
		},
	}
	c.Flags().BoolVar(&csk, "csk", false, "keys with the flags 257 sign the zone too, if no .state says so")
	return c
}

func keysExportCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "export ZONE FOLDER", Short: "Write the keys into a folder, as BIND takes them",
		Long: `Export writes the zone's keys that are not removed, private halves included, with
their times and state files. It replaces nothing. Guard the folder as you guard
keys/.`,
		Example: "  zonebuild keys export 202.in-addr.arpa /root/backup",
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

func (a *app) keysExport(w *keyWork, to string, keys []sign.Key) error {
	keys = slices.DeleteFunc(keys, func(k sign.Key) bool { return !k.Timing.Remove.IsZero() })
	var err error
	if !a.dryRun {
		keys, err = w.Export(to, keys)
	}
	ids := []string{}
	for _, k := range keys {
		ids = append(ids, k.ID)
	}
	if a.json && err == nil {
		return a.answer(ids)
	}
	for _, id := range ids {
		fmt.Fprintln(a.Stdout, id)
	}
	return err
}
