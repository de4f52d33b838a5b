package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish"
)

// An acceptance is what a person says of held changes.
type acceptance struct {
	removes   int // -1: not named
	additions bool
	withdraw  bool // take back what was said
	text      bool // show what is signed
	signature string
	message   string
}

func acceptCommand(a *app) *cobra.Command {
	var say acceptance
	c := &cobra.Command{
		Use:   "accept HASH... (--removes N -m REASON | --additions-only -m REASON | --withdraw | --text | --signature FILE)",
		Short: "Accept the loss that a held change names",
		Long: `Accept lets the named losses through in the next run. N has to be the exact
number that "held show" counts over all the named changes: of the delegations
that would be lost or changed, of those of a dropped zone, of the name servers
that an apex loses, of the ranges that claims lose. REASON is kept with the
decision in state/accepts. Other losses stay held.

With --additions-only it is the contrary: the rest of the feed passes, and the
owners named in the change stay as they are published until the decision
expires. They are still listed as held and can be accepted.

--withdraw takes back what was decided, as long as it has not happened: the
change is held whole again. "held" lists the decisions that can be withdrawn.

Where gates.approvals is set, a decision counts only once as many other people
have signed it with SSH keys that gates.signers lists: --text prints what they
sign with ssh-keygen -Y sign, and --signature adds what that wrote.`,
		Example: "  zonebuild accept 3fa94c01 --removes 120 -m \"JPNIC confirmed, ticket 4711\"\n  zonebuild accept 3fa94c01 --additions-only -m \"JPNIC mends its script\"\n  zonebuild accept 3fa94c01 --withdraw\n  zonebuild accept 3fa94c01 --text > 3fa94c01.txt\n  zonebuild accept 3fa94c01 --signature 3fa94c01.txt.sig",
		Args:    usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if err := say.check(c.Flags().Changed("removes"), len(args)); err != nil {
				return err
			}
			switch {
			case say.withdraw:
				return a.withdraw(args)
			case say.text:
				return a.acceptText(args[0])
			case say.signature != "":
				return a.addSignature(args[0], say.signature)
			}
			return a.accept(args, say)
		},
	}
	c.Flags().IntVar(&say.removes, "removes", -1, "exact number `N` of what is lost or changed")
	c.Flags().Lookup("removes").DefValue = "0" // as none it is not shown
	c.Flags().BoolVar(&say.additions, "additions-only", false, "let the rest pass, keep what would be lost")
	c.Flags().BoolVar(&say.withdraw, "withdraw", false, "take the decision back")
	c.Flags().BoolVar(&say.text, "text", false, "print what those sign who approve the decision")
	c.Flags().StringVar(&say.signature, "signature", "", "add the signature in `FILE` to the decision")
	c.Flags().StringVarP(&say.message, "message", "m", "", "`REASON` kept with the decision")
	return c
}

// check refuses an acceptance that says too little or too much. named is whether
// a number was, and hashes how many changes are named.
func (s acceptance) check(named bool, hashes int) error {
	if s.text || s.signature != "" {
		if named || s.additions || s.withdraw || s.message != "" || s.text && s.signature != "" || hashes != 1 {
			return shell.Usage(fmt.Errorf("accept takes --text or --signature FILE alone, with one hash: a signature is for one decision"), "zonebuild held")
		}
		return nil
	}
	if s.withdraw {
		if named || s.additions || s.message != "" {
			return shell.Usage(fmt.Errorf("accept takes --withdraw alone: it takes back what was decided"), "zonebuild held")
		}
		return nil
	}
	if named && s.removes < 0 {
		return shell.Usage(fmt.Errorf("--removes %d is no number of losses; type the one that is shown", s.removes), "zonebuild held")
	}
	if strings.TrimSpace(s.message) == "" || named == s.additions {
		return shell.Usage(fmt.Errorf("accept needs -m REASON and either --removes N or --additions-only"), "zonebuild held")
	}
	return nil
}

func (a *app) accept(hashes []string, say acceptance) error {
	if err := a.configure(); err != nil {
		return err
	}
	release, err := a.lockCurrent()
	defer release()
	if err != nil {
		return err
	}
	holds, err := a.named(hashes)
	if err != nil {
		return err
	}
	done, err := a.weigh(holds, say)
	if err != nil {
		return err
	}
	if done.Needs, err = a.enoughSigners(); err != nil {
		return err
	}
	for _, h := range holds {
		if err := a.writeAccept(h, say); err != nil {
			return err
		}
	}
	return a.showAccepted(done)
}

// weigh compares what a person says with what the holds are.
func (a *app) weigh(holds []*zone.Hold, say acceptance) (accepted, error) {
	done := accepted{Version: 1, Hashes: []string{}, Expires: a.now.Add(a.cfg.Gates.Expires), AdditionsOnly: say.additions, DryRun: a.dryRun}
	count := 0
	for _, h := range holds {
		done.Hashes, count = append(done.Hashes, h.Hash), count+h.Count()
		if h.Kind == zone.KindProbation {
			return done, &shell.Exit{Code: 1, Err: fmt.Errorf("%s is what %s would change, which is in probation: nobody can accept it; nothing was decided", h.Hash[:12], h.Source), Hint: endProbation(h.Source)}
		}
		if say.additions && !ofFeed(h.Kind) {
			return done, &shell.Exit{Code: 1, Err: fmt.Errorf("%s is %s, of which nothing can pass; nothing was decided", h.Hash[:12], h.Kind), Hint: fmt.Sprintf("zonebuild accept %s --removes %d -m REASON", h.Hash[:12], h.Count())}
		}
	}
	if say.additions {
		done.Keeps = count
		return done, nil
	}
	if done.Removes = count; count != say.removes {
		return done, &shell.Exit{Code: 1, Err: fmt.Errorf("%d would be lost or changed, not %d; nothing was accepted", count, say.removes), Hint: "zonebuild held show " + holds[0].Hash[:12]}
	}
	return done, nil
}

// accepted is the result of "accept".
type accepted struct {
	Version int       `json:"version"`
	Hashes  []string  `json:"hashes"`
	Removes int       `json:"removes"`
	Keeps   int       `json:"keeps,omitempty"` // with AdditionsOnly
	Expires time.Time `json:"expires"`
	DryRun  bool      `json:"dry_run,omitempty"`
	Needs   int       `json:"needs_signatures,omitempty"`

	AdditionsOnly bool `json:"additions_only,omitempty"`
}

func (a *app) showAccepted(done accepted) error {
	if a.json {
		return a.answer(done)
	}
	what, verb := fmt.Sprintf("the loss of %d", done.Removes), "accepted"
	if done.AdditionsOnly {
		what, verb = fmt.Sprintf("that %d stay as published while the rest passes", done.Keeps), "decided"
	}
	if a.dryRun {
		a.Errorf("would have %s %s, until %s", verb, what, stamp(done.Expires))
		return nil
	}
	if done.Needs > 0 {
		a.Errorf("%s %s, until %s; it counts once it has %s of others, who type:", verb, what, stamp(done.Expires), countOf(done.Needs, "1 signature", "%d signatures"))
		for _, h := range done.Hashes {
			fmt.Fprintf(a.Stderr, "  %s\n", toSign(h))
		}
		return nil
	}
	a.Errorf("%s %s, until %s; it happens in the next run", verb, what, stamp(done.Expires))
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

func (a *app) writeAccept(h *zone.Hold, say acceptance) error {
	if a.dryRun {
		return nil
	}
	by := a.person()
	acc := zone.NewAccept(*h, a.cfg.Gates, say.message, by, a.now)
	if say.additions {
		acc = zone.NewAdditionsOnly(*h, a.cfg.Gates, say.message, by, a.now)
	}
	dir := filepath.Join(a.cfg.State, "accepts")
	if err := publish.MkdirAll(a.fs, dir, 0o700); err != nil {
		return fmt.Errorf("writing the decision: %w", err)
	}
	if err := publish.WriteFile(a.fs, filepath.Join(dir, h.Hash+".json"), acc.Encode(), 0o600); err != nil {
		return fmt.Errorf("writing the decision: %w", err)
	}
	return nil
}
