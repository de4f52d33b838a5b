package main

import (
	"github.com/spf13/cobra"

	"nirzone/zone"
)

func heldCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "held", Short: "List the changes that wait for a person", Args: noArgs,
		Long: `Held lists the changes that wait for a person, and what people have decided that
the runs still go by: losses that are accepted and have not happened yet, and
additions only. "accept --withdraw HASH" takes a decision back.`,
		Example: "  zonebuild held\n  zonebuild held show 3fa94c01",
		RunE:    func(*cobra.Command, []string) error { return a.held() },
	}
	c.AddCommand(&cobra.Command{
		Use: "show HASH", Short: "Show what a held change would lose", Args: usageArgs(cobra.ExactArgs(1)),
		Long: `Show writes what a held change would do to every owner concerned: what goes with
a minus, what comes with a plus, and how to accept exactly this. Of owners that
would go, and of all owners of a zone that would, it shows what is published.`,
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
	decided, err := a.decisions()
	if err != nil {
		return err
	}
	if a.json {
		return a.answer(struct {
			Version   int         `json:"version"`
			Holds     []zone.Hold `json:"holds"`
			Decisions []decision  `json:"decisions"`
		}{1, holds, decided})
	}
	if len(holds) == 0 {
		a.Errorf("nothing is held")
	} else {
		showHolds(a.Stdout, holds, a.now)
	}
	writeDecisions(a.Stdout, decided)
	return nil
}

// hold finds a held change by the beginning of its hash.
func (a *app) hold(prefix string) (*zone.Hold, error) {
	var holds []zone.Hold
	if a.prev != nil {
		holds = a.prev.Holds
	}
	var hashes []string
	for _, h := range holds {
		hashes = append(hashes, h.Hash)
	}
	i, err := pick(prefix, hashes, "held change", "held changes")
	if err != nil {
		return nil, err
	}
	return &holds[i], nil
}

func (a *app) heldShow(prefix string) error {
	if err := a.open(); err != nil {
		return err
	}
	h, err := a.hold(prefix)
	if err != nil {
		return err
	}
	lost, err := a.lost(h)
	if err != nil {
		a.Errorf("warning: the records of what would be lost are not shown: %v", err)
	}
	if a.json {
		return a.answer(struct {
			Version int `json:"version"`
			zone.Hold
			Lost []lostOwner `json:"lost,omitempty"`
		}{1, *h, lost})
	}
	a.showHold(a.Stdout, h, lost)
	return nil
}
