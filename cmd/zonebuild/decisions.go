package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// A decision is one of state/accepts: a person has given it, and it is neither
// used up nor over. Owners is what it is about: those that may go, or, with
// AdditionsOnly, those that stand.
type decision struct {
	Hash          string    `json:"hash"`
	Source        string    `json:"source"`
	Zone          zone.Name `json:"zone,omitempty"`
	Kind          string    `json:"kind"`
	Owners        int       `json:"owners"`
	AdditionsOnly bool      `json:"additions_only,omitempty"`
	Held          bool      `json:"held"` // the current generation lists the change
	By            string    `json:"by"`
	Message       string    `json:"message"`
	Time          time.Time `json:"time"`
	Expires       time.Time `json:"expires"`
	Unreadable    string    `json:"unreadable,omitempty"` // why it does not count
	Unsigned      string    `json:"unsigned,omitempty"`   // what it lacks before it counts
	Withdraw      string    `json:"withdraw"`             // the command that takes it back
}

// decisions reads what people have decided of held changes, sorted by hash.
func (a *app) decisions() ([]decision, error) {
	list := []decision{}
	dir := filepath.Join(a.cfg.State, "accepts")
	entries, err := a.fs.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return list, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the decisions: %w", err)
	}
	for _, e := range entries {
		hash, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok {
			continue
		}
		data, err := shell.ReadFile(filepath.Join(dir, e.Name()), maxAccept)
		if errors.Is(err, fs.ErrNotExist) {
			continue // used up at this moment
		}
		var acc *zone.Accept
		if err == nil {
			acc, err = zone.ParseAccept("accepts/"+e.Name(), data)
		}
		if d := a.decidedAs(hash, acc, err); err != nil || a.now.Before(d.Expires) {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(x, y decision) int { return strings.Compare(x.Hash, y.Hash) })
	return list, nil
}

func (a *app) decidedAs(hash string, acc *zone.Accept, err error) decision {
	d := decision{Hash: hash, Withdraw: "zonebuild accept --withdraw " + hash[:min(12, len(hash))]}
	if err != nil {
		d.Unreadable = err.Error()
		return d
	}
	d.Source, d.Zone, d.Kind, d.Owners, d.AdditionsOnly = acc.Source, acc.Zone, acc.Kind, acc.Removes, acc.AdditionsOnly
	d.By, d.Message, d.Time, d.Expires, d.Unsigned = acc.By, acc.Message, acc.Time, acc.Expires, a.unsigned(acc)
	if acc.AdditionsOnly {
		d.Owners = len(acc.Losses)
	}
	d.Held = a.prev != nil && slices.ContainsFunc(a.prev.Holds, func(h zone.Hold) bool { return h.Hash == hash })
	return d
}

// says is the decision in words.
func (d decision) says() string {
	switch {
	case d.Unreadable != "":
		return "does not count: " + d.Unreadable
	case d.Unsigned != "":
		return "waits: " + d.Unsigned
	case d.AdditionsOnly:
		return "additions only"
	case !d.Held:
		return "accepted, and not held now"
	}
	return "accepted, for the next run"
}

func writeDecisions(w io.Writer, list []decision) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", shell.Paint(w, shell.Care, "decided: take back with zonebuild accept --withdraw HASH"))
	t := shell.Table{Header: []string{"hash", "source", "zone", "kind", ">owners", "decision", "until", "by", "reason"}}
	for _, d := range list {
		until := ""
		if d.Unreadable == "" {
			until = stamp(d.Expires)
		}
		t.Add(d.Hash[:min(12, len(d.Hash))], d.Source, d.Zone.File(), d.Kind, strconv.Itoa(d.Owners), d.says(), until, d.By, d.Message)
	}
	t.Render(w)
}

// withdrawn is the result of "accept --withdraw".
type withdrawn struct {
	Version   int        `json:"version"`
	Withdrawn []decision `json:"withdrawn"`
	DryRun    bool       `json:"dry_run,omitempty"`
}

// withdraw takes decisions back: what they were about is held again, whole, from
// the next run on. A crash in here leaves some of them; withdrawing them again
// does no harm.
func (a *app) withdraw(hashes []string) error {
	if err := a.configure(); err != nil {
		return err
	}
	release, err := a.lockCurrent()
	defer release()
	if err != nil {
		return err
	}
	done := withdrawn{Version: 1, DryRun: a.dryRun}
	if done.Withdrawn, err = a.decidedOn(hashes); err != nil {
		return err
	}
	if err := a.removeDecisions(done.Withdrawn); err != nil {
		return fmt.Errorf("withdrawing the decision: %w", err)
	}
	if a.json {
		return a.answer(done)
	}
	for _, d := range done.Withdrawn {
		what, verb := "the acceptance", "withdrew"
		if d.AdditionsOnly {
			what = "additions only"
		}
		if a.dryRun {
			verb = "would have withdrawn"
		}
		a.Errorf("%s %s of %s; what it was about is held whole from the next run on", verb, what, d.Hash[:min(12, len(d.Hash))])
	}
	return nil
}

// decidedOn returns the decisions that the hashes name, each once.
func (a *app) decidedOn(prefixes []string) ([]decision, error) {
	list, err := a.decisions()
	if err != nil {
		return nil, err
	}
	var all []string
	for _, d := range list {
		all = append(all, d.Hash)
	}
	var chosen []decision
	for _, p := range prefixes {
		i, err := pick(p, all, "decision", "decisions")
		if err != nil {
			return nil, err
		}
		if !slices.Contains(chosen, list[i]) {
			chosen = append(chosen, list[i])
		}
	}
	return chosen, nil
}

func (a *app) removeDecisions(list []decision) error {
	if a.dryRun {
		return nil
	}
	dir := filepath.Join(a.cfg.State, "accepts")
	for _, d := range list {
		if err := a.fs.Remove(filepath.Join(dir, d.Hash+".json")); err != nil {
			return err
		}
	}
	return a.fs.SyncDir(dir)
}
