package main

import (
	"fmt"
	"io"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish"
)

func heldCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "held", Short: "List the changes that wait for a person", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.held() },
	}
	c.AddCommand(&cobra.Command{
		Use: "show HASH", Short: "Show what a held change would lose", Args: usageArgs(cobra.ExactArgs(1)),
		Example: "  zonebuild held show 3fa94c01",
		RunE:    func(_ *cobra.Command, args []string) error { return a.heldShow(args[0]) },
	})
	return c
}

func (a *app) held() error {
	if err := a.open(); err != nil {
		return err
	}
	holds := []zone.Hold{}
	if a.prev != nil {
		holds = append(holds, a.prev.Holds...)
	}
	if a.json {
		return a.answer(struct {
			Version int         `json:"version"`
			Holds   []zone.Hold `json:"holds"`
		}{1, holds})
	}
	if len(holds) == 0 {
		a.Errorf("nothing is held")
		return nil
	}
	writeHolds(a.Stdout, holds)
	return nil
}

// hold finds a held change by the beginning of its hash.
func (a *app) hold(prefix string) (*zone.Hold, error) {
	var found []*zone.Hold
	if a.prev != nil {
		for i := range a.prev.Holds {
			if h := &a.prev.Holds[i]; len(prefix) >= 8 && strings.HasPrefix(h.Hash, prefix) {
				found = append(found, h)
			}
		}
	}
	if len(found) != 1 {
		return nil, &shell.Exit{Code: 1, Err: fmt.Errorf("%d held changes begin with %q; at least 8 digits of one hash are needed", len(found), prefix), Hint: "zonebuild held"}
	}
	return found[0], nil
}

func (a *app) heldShow(prefix string) error {
	if err := a.open(); err != nil {
		return err
	}
	h, err := a.hold(prefix)
	if err != nil {
		return err
	}
	if a.json {
		return a.answer(h)
	}
	a.showHold(a.Stdout, h)
	return nil
}

func (a *app) showHold(w io.Writer, h *zone.Hold) {
	fmt.Fprintf(w, "%s would lose %d delegations in %s (%d now): %s\n\n", h.Source, len(h.Losses), h.Zone.File(), h.Before, h.Rule)
	for _, n := range h.Losses {
		what := ""
		if p, ok := n.Prefix(); ok {
			what = p.String()
		}
		fmt.Fprintln(w, shell.Paint(w, shell.Bad, "- "+n.String()), what)
	}
	fmt.Fprintf(w, "\nto accept this loss: zonebuild accept %s --removes %d -m \"why\"\n", h.Hash[:12], len(h.Losses))
}

func acceptCommand(a *app) *cobra.Command {
	var removes int
	var message string
	c := &cobra.Command{
		Use: "accept HASH... --removes N -m REASON", Short: "Accept the loss that a held change names",
		Long: `Accept lets the named losses through in the next run. N has to be the exact
number of delegations that all the named changes would lose, and REASON is kept
with the decision in state/accepts. Other losses stay held.`,
		Example: "  zonebuild accept 3fa94c01 --removes 120 -m \"JPNIC confirmed, ticket 4711\"",
		Args:    usageArgs(cobra.MinimumNArgs(1)),
		RunE:    func(_ *cobra.Command, args []string) error { return a.accept(args, removes, message) },
	}
	c.Flags().IntVar(&removes, "removes", -1, "exact number `N` of delegations that are lost")
	c.Flags().StringVarP(&message, "message", "m", "", "`REASON` kept with the decision")
	return c
}

// accept records the decision. The next run acts on it.
func (a *app) accept(hashes []string, removes int, message string) error {
	if strings.TrimSpace(message) == "" || removes < 0 {
		return shell.Usage(fmt.Errorf("accept needs --removes N and -m REASON"), "zonebuild held")
	}
	if err := a.configure(); err != nil {
		return err
	}
	release, err := a.lock()
	defer release()
	if err != nil {
		return err
	}
	if err := a.readCurrent(); err != nil {
		return err
	}
	done := accepted{Version: 1, Hashes: []string{}, Expires: a.now.Add(a.cfg.Gates.Expires), DryRun: a.dryRun}
	holds, err := a.named(hashes)
	if err != nil {
		return err
	}
	for _, h := range holds {
		done.Hashes, done.Removes = append(done.Hashes, h.Hash), done.Removes+len(h.Losses)
	}
	if done.Removes != removes {
		return &shell.Exit{Code: 1, Err: fmt.Errorf("%d delegations would be lost, not %d; nothing was accepted", done.Removes, removes), Hint: "zonebuild held show " + hashes[0]}
	}
	for _, h := range holds {
		if err := a.writeAccept(h, message); err != nil {
			return err
		}
	}
	return a.showAccepted(done)
}

// accepted is the result of "accept".
type accepted struct {
	Version int       `json:"version"`
	Hashes  []string  `json:"hashes"`
	Removes int       `json:"removes"`
	Expires time.Time `json:"expires"`
	DryRun  bool      `json:"dry_run,omitempty"`
}

func (a *app) showAccepted(done accepted) error {
	if a.json {
		return a.answer(done)
	}
	if a.dryRun {
		a.Errorf("would accept the loss of %d delegations until %s", done.Removes, stamp(done.Expires))
		return nil
	}
	a.Errorf("accepted the loss of %d delegations until %s; it happens in the next run", done.Removes, stamp(done.Expires))
	return nil
}

// named returns the held changes that the hashes name, each once: one named
// twice must not count twice.
func (a *app) named(hashes []string) ([]*zone.Hold, error) {
	var holds []*zone.Hold
	for _, p := range hashes {
		h, err := a.hold(p)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(holds, h) {
			holds = append(holds, h)
		}
	}
	return holds, nil
}

func (a *app) writeAccept(h *zone.Hold, message string) error {
	if a.dryRun {
		return nil
	}
	by := "unknown"
	if u, err := user.Current(); err == nil {
		by = u.Username
	}
	acc := zone.NewAccept(*h, a.cfg.Gates, message, by, a.now)
	dir := filepath.Join(a.cfg.State, "accepts")
	if err := publish.MkdirAll(a.fs, dir, 0o700); err != nil {
		return fmt.Errorf("writing the decision: %w", err)
	}
	if err := publish.WriteFile(a.fs, filepath.Join(dir, h.Hash+".json"), acc.Encode(), 0o600); err != nil {
		return fmt.Errorf("writing the decision: %w", err)
	}
	return nil
}
