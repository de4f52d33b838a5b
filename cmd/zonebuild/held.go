package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

func heldCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "held", Short: "List the changes that wait for a person", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.held() },
	}
	c.AddCommand(&cobra.Command{
		Use: "show HASH", Short: "Show what a held change would lose", Args: usageArgs(cobra.ExactArgs(1)),
		Long: `Show writes what a held change would do to every owner concerned: what goes with
a minus, what comes with a plus, and how to accept exactly this.`,
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
	writeHolds(a.Stdout, holds, a.now)
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
