package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone/publish"
	"nirzone/zone/sign"
)

// causeAdopt is the cause of a generation that takes over what another signer
// served.
const causeAdopt = "adopt"

// adoptedSource is what delegations are said to be from that were served before
// an adoption and that no source asserts. It has no claims, so the merge lets
// them stand as it does those of a source that lost its claims: until somebody
// with the right to them asserts them, or a person releases them.
const adoptedSource = "ADOPTED"

// An adoptCall is what a person says on the command line.
type adoptCall struct {
	paths  []string
	keys   string
	accept string
	drop   []string
	tags   []uint16
}

func adoptCommand(a *app) *cobra.Command {
	var call adoptCall
	c := &cobra.Command{
		Use: "adopt FILE|FOLDER... [--keys FOLDER] [--accept HASH]", Short: "Take over zones that another signer serves",
		Long: `Adopt takes over signed zones that are live. FILE is a zone file as BIND, Knot
or ldns write it, or what dig wrote of a transfer; a FOLDER holds one file a
zone, named as the zone (202.in-addr.arpa, also with .zone, .signed, .axfr or
.db). --keys names the folder with the other signer's keys: BIND's K*.key,
.private and .state, or Knot's *.pem with the output of "keymgr -j ZONE list" in
a file *.json. Without it the keys are those in the keys folder: that is also the
way back from a disaster.

It shows everything in which the first generation would differ from what is
served, and what the run after it would change, and changes nothing. --accept
with the hash that it shows imports the keys and publishes: the delegations that
are served, signed by the same keys, with a serial that goes forward. From then
on that is what the gates compare with. Delegations that no source asserts
stand, are listed by "zonebuild held", and go when a person accepts it.`,
		Example: "  dig +noall +answer @127.0.0.1 202.in-addr.arpa AXFR > 202.in-addr.arpa.axfr\n" +
			"  zonebuild adopt 202.in-addr.arpa.axfr --keys /var/lib/bind/keys\n" +
			"  zonebuild adopt 202.in-addr.arpa.axfr --keys /var/lib/bind/keys --accept 3fa94c01",
		Args: usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			call.paths = args
			if err := call.parse(); err != nil {
				return err
			}
			return a.adopt(c.Context(), &call)
		},
	}
	c.Flags().StringVar(&call.keys, "keys", "", "`FOLDER` with the other signer's keys")
	c.Flags().StringVar(&call.accept, "accept", "", "publish, if the plan has this `HASH`")
	c.Flags().StringArrayVar(&call.drop, "drop-key", nil, "let the served key with this `TAG` go, which signs nothing; may be repeated")
	return c
}

func (call *adoptCall) parse() error {
	for _, s := range call.drop {
		n, err := strconv.ParseUint(s, 10, 16)
		if err != nil {
			return shell.Usage(fmt.Errorf("--drop-key %q is no key tag", s), "zonebuild adopt --help")
		}
		call.tags = append(call.tags, uint16(n))
	}
	if call.accept != "" && len(call.accept) < 8 {
		return shell.Usage(fmt.Errorf("--accept needs at least 8 digits of the hash"), "")
	}
	return nil
}

// adopt shows the plan, or does what was accepted.
func (a *app) adopt(ctx context.Context, call *adoptCall) error {
	if call.accept != "" && !a.dryRun {
		return a.build(ctx, causeAdopt, func(b *batch) error { return b.adopt(ctx, call) })
	}
	if err := a.open(); err != nil {
		return err
	}
	b, err := a.gather(causeAdopt)
	if err != nil {
		return err
	}
	p, err := b.adoptPlan(ctx, call)
	if err != nil {
		return err
	}
	if a.json {
		err = a.answer(p)
	} else {
		p.write(a.Stdout, call)
	}
	return errors.Join(err, p.blocked())
}

// adopt prepares the batch to publish what was accepted: it imports the keys and
// keeps the served delegations as inputs. A crash here leaves keys and inputs
// that no generation names: the next adopt finds the keys and goes on, and a
// prune removes the inputs. Nothing of it is served.
func (b *batch) adopt(ctx context.Context, call *adoptCall) error {
	p, err := b.adoptPlan(ctx, call)
	if err != nil {
		return err
	}
	if err := p.blocked(); err != nil {
		p.write(b.Stderr, call)
		return err
	}
	if len(p.Hash) < len(call.accept) || p.Hash[:len(call.accept)] != call.accept {
		return &shell.Exit{
			Code: 1, Err: fmt.Errorf("the plan has the hash %s, not %s: it has changed; nothing was published", p.Hash[:12], call.accept),
			Hint: "look at it again: " + call.command(""),
		}
	}
	for _, j := range b.jobs {
		if j.adopted == nil {
			continue
		}
		if _, err := sign.Import(b.fs, b.cfg.Keys, j.zone, j.adopted.keys); err != nil {
			return err
		}
	}
	return b.keepMade()
}

// keepMade writes the inputs that were made from what is served to
// state/inputs, where a generation finds them.
func (b *batch) keepMade() error {
	dir := filepath.Join(b.cfg.State, "inputs")
	if err := publish.MkdirAll(b.fs, dir, 0o700); err != nil {
		return fmt.Errorf("keeping what is served: %w", err)
	}
	for _, j := range b.jobs {
		if j.adopted == nil {
			continue
		}
		for _, in := range j.adopted.inputs {
			if err := publish.WriteFile(b.fs, filepath.Join(dir, in.SHA256), b.made.bytes[in.SHA256], 0o600); err != nil {
				return fmt.Errorf("keeping what is served: %w", err)
			}
		}
	}
	return nil
}

// madeInputs are inputs that this run made and has not written anywhere yet.
type madeInputs struct {
	mu    sync.Mutex
	bytes map[string][]byte
}

func (m *madeInputs) add(data []byte) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bytes == nil {
		m.bytes = map[string][]byte{}
	}
	sum := digest(data)
	m.bytes[sum] = data
	return sum
}

func (m *madeInputs) get(sum string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes[sum]
}
