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
		Example: "  zonebuild keys approve 3fa94c01 -m \"DS exchanged, ticket 4711\" --dry-run\n  zonebuild keys approve 3fa94c01 -m \"DS exchanged, ticket 4711\"",
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
	release, err := a.lockCurrent()
	defer release()
	if err != nil {
		return err
	}
	var found []sign.Step
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

// stepNamed finds a planned step by the beginning of its hash. Zones whose keys
// cannot be read have none, and are said if it is not found.
func (a *app) stepNamed(prefix string) (*sign.Step, error) {
	var found []sign.Step
	var unread error
	for _, z := range a.cfg.Zones() {
		v, err := a.viewKeys(z)
		unread = errors.Join(unread, err)
		for _, s := range v.plan {
			if len(prefix) >= 8 && strings.HasPrefix(s.Hash, prefix) {
				found = append(found, s)
			}
		}
	}
	if len(found) != 1 {
		err := fmt.Errorf("%d key steps begin with %q; at least 8 digits of one hash are needed", len(found), prefix)
		return nil, &shell.Exit{Code: 1, Err: errors.Join(err, unread), Hint: "zonebuild keys"}
	}
	return &found[0], nil
}

func (a *app) showApproved(steps []sign.Step) error {
	if a.json {
		return a.showChange(keyChange{Steps: steps}, "")
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
every cache has it. A zone whose keys are not all there is left out, with exit code
3; of one for which "keys cds --delete" asks for no DS that is said instead.`,
		Example: "  zonebuild keys ds\n  zonebuild keys ds 202.in-addr.arpa",
		RunE:    func(_ *cobra.Command, args []string) error { return a.keysDS(args) },
	}
}

// A dsAnswer is what "keys ds --json" shows.
type dsAnswer struct {
	Version  int          `json:"version"`
	Zones    []dsRow      `json:"zones"`
	Problems []keyProblem `json:"problems"`
}

type dsRow struct {
	Zone   string   `json:"zone"`
	Delete bool     `json:"delete"` // a person wants the parent to have none
	DS     []string `json:"ds"`
}

func (a *app) keysDS(args []string) error {
	if err := a.open(); err != nil {
		return err
	}
	zones, err := a.keyZones(args)
	if err != nil {
		return err
	}
	answer, without := dsAnswer{Version: 1, Zones: []dsRow{}, Problems: []keyProblem{}}, 0
	for _, z := range zones {
		keys, err := sign.LoadKeys(a.cfg.Keys, z)
		if p := a.keyProblem(z, keys, err); p != nil {
			answer.Problems = append(answer.Problems, *p)
			continue // the parent must not get half a set
		}
		answer.Zones = append(answer.Zones, a.dsRow(z, keys))
		if len(keys) == 0 {
			without++
		}
	}
	if without > 0 && !a.json {
		a.Errorf("zones that have no keys yet: %d", without)
		a.Errorf("hint: zonebuild keys init")
	}
	if a.json {
		err = a.answer(answer)
	}
	return errors.Join(err, a.tellProblems(answer.Problems))
}

// dsRow returns the DS set of a zone, and prints it as records if that is wanted.
func (a *app) dsRow(z zone.Name, keys []sign.Key) dsRow {
	r := dsRow{Zone: z.File(), DS: []string{}}
	if book, _ := a.readBook(z); book.DeleteDS != nil { // one that cannot be read has what is published
		r.Delete = true
		a.Errorf("%s: the parent should have no DS, %s decided on %s: %s", z.File(), book.DeleteDS.By, stamp(book.DeleteDS.Time), book.DeleteDS.Message)
		return r
	}
	for _, k := range sign.MarkCDS(keys, a.now) {
		if !k.CDS {
			continue
		}
		r.DS = append(r.DS, k.DS().Text())
		if !a.json {
			fmt.Fprintln(a.Stdout, k.DS())
		}
	}
	return r
}

func keysCDSCommand(a *app) *cobra.Command {
	var remove, restore bool
	var message string
	c := &cobra.Command{
		Use: "cds ZONE [--delete -m REASON | --restore]", Short: "Show what CDS and CDNSKEY say, or ask for no DS at all",
		Long: `CDS shows which keys the zone's CDS and CDNSKEY sets name (RFC 7344). With
--delete they ask the parent to take every DS away (RFC 8078, section 4): the zone
then is not validated by anybody any more. --restore takes that back.`,
		Example: `  zonebuild keys cds 202.in-addr.arpa
  zonebuild keys cds 202.in-addr.arpa --delete -m "signing ends, ticket 4711"
  zonebuild keys cds 202.in-addr.arpa --restore`,
		Args: usageArgs(cobra.ExactArgs(1)),
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
		if !remove && w.book.DeleteDS == nil {
			return nil, nil
		}
		w.book.DeleteDS = nil
		text := "CDS and CDNSKEY name the keys again, from the next run on"
		if remove {
			d := a.decision(message)
			w.book.DeleteDS = &d
			text = "CDS and CDNSKEY ask for no DS, from the next run on: once the parent follows, nobody validates the zone"
		}
		w.decided = append(w.decided, w.Zone.File()+": "+text)
		if a.dryRun {
			return nil, nil
		}
		return nil, a.writeBook(w.book)
	}, "CDS and CDNSKEY name the keys already")
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
