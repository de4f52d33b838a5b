package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/sshsig"
)

var proposalColumns = shown[nir.Proposal]{
	one: "proposal", many: "proposals",
	id:    func(p nir.Proposal) string { return p.Hash },
	lines: map[string]func(nir.Proposal) []string{"effects": func(p nir.Proposal) []string { return slices.Clone(p.Effects) }},
	cols: []col[nir.Proposal]{
		{"hash", false, func(p nir.Proposal) string { return p.Hash[:12] }},
		{"state", false, func(p nir.Proposal) string { return p.State }},
		{"op", false, func(p nir.Proposal) string { return p.Op }},
		{"proposer", false, func(p nir.Proposal) string { return p.Proposer }},
		{"made", false, func(p nir.Proposal) string { return stamp(p.Made) }},
		{"effects", false, func(p nir.Proposal) string { return strings.Join(p.Effects, "; ") }},
		{"reason", true, func(p nir.Proposal) string { return p.Reason }},
		{"expires", true, func(p nir.Proposal) string { return stamp(p.Expires) }},
		{"result", true, func(p nir.Proposal) string { return p.Result }},
	},
}

// propose makes a proposal, and says who has to sign it and how.
func (a *app) propose(c *cobra.Command, fn func(*opened, *nir.Tx) (nir.Proposal, error)) error {
	var p nir.Proposal
	err := a.changeWith(c, func(o *opened) change {
		return change{
			fn: func(x *nir.Tx) (err error) {
				p, err = fn(o, x)
				return err
			},
			show: func(*nir.View) error { return showOne(a, &proposalColumns, p, nil) },
		}
	})
	if err == nil && !a.dryRun {
		a.Errorf("another person signs it: nirctl approve %.12s", p.Hash)
	}
	return err
}

func approveCommand(a *app) *cobra.Command {
	var list, text, withdraw bool
	var state, signature, key string
	c := &cobra.Command{
		Use: "approve [HASH]", Short: "Sign what another person proposed",
		Long: `Approve shows a proposal with its effects and signs it as you: with --key, or with
the command that it prints, which ssh-keygen runs with your agent or hardware
key. --signature takes the file that ssh-keygen wrote. Whose key may approve what
is in the list of signers that nirzone.toml names. With the last signature that
it needs, a proposal is carried out in the same event.

With your key in a file or an agent:

  nirctl approve HASH --key ~/.ssh/id_ed25519

With ssh-keygen yourself, on this host or another:

  nirctl approve HASH --text > HASH.json
  ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n approver@nirzone HASH.json
  nirctl approve HASH --signature HASH.json.sig

A return is signed by registry-staff@nirzone; "nirctl approve HASH" prints which.`,
		Example: `  nirctl approve --list
  nirctl approve --list --state done -o wide`,
		Args: arguments(cobra.MaximumNArgs(1), "nirctl approve --list"),
	}
	f := c.Flags()
	f.BoolVar(&list, "list", false, "list the proposals that wait")
	f.StringVar(&state, "state", nir.ProposalOpen, "with --list: those in `STATE` open, done, withdrawn, expired")
	f.BoolVar(&text, "text", false, "print exactly what is signed")
	f.BoolVar(&withdraw, "withdraw", false, "take back what you proposed")
	f.StringVar(&signature, "signature", "", "`FILE` with your signature, - for standard input")
	f.StringVar(&key, "key", "", "sign with the key `FILE`, or its .pub if your agent has the key")
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case list:
			return a.look(c, func(o *opened, v *nir.View) error {
				all, err := v.Proposals(state)
				if err != nil {
					return err
				}
				for i := range all {
					all[i].State = all[i].StateAt(o.actor.At)
				}
				return showList(a, &proposalColumns, all)
			})
		case len(args) == 0:
			return shell.Usage(errors.New("which proposal?"), "nirctl approve --list")
		case withdraw:
			return a.change(c, change{fn: func(x *nir.Tx) error {
				_, err := x.WithdrawProposal(args[0])
				return err
			}})
		}
		return a.approve(c, args[0], text, signature, key)
	}
	a.writing(c)
	a.selecting(c)
	return c
}

func (a *app) approve(c *cobra.Command, hash string, text bool, signature, key string) error {
	var p nir.Proposal
	err := a.look(c, func(_ *opened, v *nir.View) (err error) {
		p, err = v.Proposal(hash)
		return err
	})
	if err != nil {
		return err
	}
	if text {
		_, err := a.Stdout.Write(p.Text())
		return err
	}
	if signature == "" && key == "" {
		return a.howToSign(&p)
	}
	armored, err := a.signed(c.Context(), &p, signature, key)
	if err != nil {
		return err
	}
	return a.change(c, change{
		fn: func(x *nir.Tx) error {
			_, err := x.Approve(p.Hash, armored)
			return badSignature(err, signature, p.Hash)
		},
		show: func(v *nir.View) error {
			now, err := v.Proposal(p.Hash)
			if err != nil {
				return err
			}
			return showOne(a, &proposalColumns, now, nil)
		},
	})
}

// badSignature says which file holds a signature that does not count, and how to
// make another.
func badSignature(err error, file, hash string) error {
	var e *nir.Error
	if !errors.As(err, &e) || file == "" {
		return err
	}
	named := *e
	named.Text = file + ": " + e.Text
	if e.Remedy == "" {
		named.Remedy = fmt.Sprintf("nirctl approve %.12s prints the commands to sign it with", hash)
	}
	return &named
}

// howToSign shows a proposal and prints the commands to type.
func (a *app) howToSign(p *nir.Proposal) error {
	err := showOne(a, &proposalColumns, *p, nil)
	if err != nil || p.State != nir.ProposalOpen {
		return err
	}
	short := p.Hash[:12]
	a.Errorf("to sign it, type:\n  nirctl approve %s --text > %s.json\n  ssh-keygen -Y sign -f KEY -n %s %s.json\n  nirctl approve %s --signature %s.json.sig", short, short, sshsig.Namespace(string(p.Signs())), short, short, short)
	return nil
}

// signed returns the signature over a proposal: of a file, or made by ssh-keygen.
func (a *app) signed(ctx context.Context, p *nir.Proposal, file, key string) (string, error) {
	if file != "" {
		data, err := a.read(ctx, file, maxSecret)
		if err != nil {
			return "", fmt.Errorf("reading the signature: %w", err)
		}
		return string(data), nil
	}
	return a.sshSign(ctx, p, key)
}
