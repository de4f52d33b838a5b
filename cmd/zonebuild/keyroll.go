package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/sign"
)

func keysRollCommand(a *app) *cobra.Command {
	var r sign.Request
	var algorithm string
	var again bool
	c := &cobra.Command{
		Use: "roll ZONE... [--ksk] [--zsk] [--csk] [--algorithm A] [--emergency]", Short: "Begin to roll keys",
		Long: `Roll makes the successors of the keys that are named. The runs that follow do
the rest; "zonebuild keys ZONE" shows it. A KSK or CSK needs two things of a
person: its DS handed to the parent ("zonebuild keys ds"), and the removal of its
predecessor approved ("zonebuild keys approve"). "zonebuild plan" shows what the
next run publishes of it.

--ksk --zsk on a zone with a CSK, and --csk on one with a KSK and a ZSK, change
the profile. --algorithm rolls all keys to another algorithm.

--emergency is for keys that others know: it begins at once, in a freeze and in
the middle of another roll, replaces every signature as soon as the new key is in
every cache, and removes the old key as soon as no cache needs it. Until then
whoever has the old key can sign answers that validate. It approves the removal of
the old KSK or CSK; the DS is still for the parent. Given again before the old key
is gone, the command finishes what a crash left undone of it, and makes no second
key; --again begins once more, because the new keys are known as well.

Exit code 2 says that the flags make no roll, 1 that it cannot begin now.`,
		Example: `  zonebuild keys roll 202.in-addr.arpa --ksk --dry-run
  zonebuild keys roll 202.in-addr.arpa --ksk
  zonebuild keys roll 202.in-addr.arpa --algorithm ed25519
  zonebuild keys roll 202.in-addr.arpa --zsk --emergency`,
		Args: usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if algorithm != "" {
				n, err := zone.ParseAlgorithm(algorithm)
				if err != nil {
					return shell.Usage(err, "")
				}
				r.Algorithm = n
			}
			if err := whichKeys(r); err != nil {
				return err
			}
			if again && !r.Emergency {
				return shell.Usage(errors.New("--again goes with --emergency"), "")
			}
			return a.keysRoll(args, r, again)
		},
	}
	f := c.Flags()
	f.BoolVar(&r.KSK, "ksk", false, "a new KSK")
	f.BoolVar(&r.ZSK, "zsk", false, "a new ZSK")
	f.BoolVar(&r.CSK, "csk", false, "a new CSK")
	f.StringVar(&algorithm, "algorithm", "", "new keys of the algorithm `A`: rsasha256, ecdsap256sha256 or ed25519")
	f.BoolVar(&r.Emergency, "emergency", false, "the present keys are known to others")
	f.BoolVar(&again, "again", false, "the keys of an emergency roll that is going on are known to others too")
	return c
}

// whichKeys refuses a request that no zone could follow.
func whichKeys(r sign.Request) error {
	const hint = "zonebuild keys roll --help"
	switch {
	case r.CSK && (r.KSK || r.ZSK):
		return shell.Usage(errors.New("--csk excludes --ksk and --zsk: a CSK is both"), hint)
	case !r.CSK && !r.KSK && !r.ZSK && r.Algorithm == 0:
		return shell.Usage(errors.New("which keys? say --ksk, --zsk, both, --csk, or --algorithm A for all"), hint)
	}
	return nil
}

// keysRoll begins the rolls. A crash in it leaves a key that is published, or not
// even that: the same command says that a roll is going on, or begins again. Of an
// emergency the key book says which keys are known to others, before there is a new
// one: the same command goes on with it.
func (a *app) keysRoll(args []string, asked sign.Request, again bool) error {
	return a.changeKeys(args, func(w *keyWork, keys []sign.Key, ev sign.Evidence) ([]sign.Step, error) {
		r := asked
		if r.Emergency {
			r.Begun = a.emergency(w, keys, r, again)
		}
		steps, err := sign.Roll(keys, w.Policy, ev, w.Zone, a.now, r)
		if err != nil {
			return nil, &shell.Exit{Code: 1, Err: err, Hint: "zonebuild keys " + w.Zone.File()}
		}
		for _, s := range steps {
			if !s.Due() {
				return nil, &shell.Exit{Code: 1, Err: fmt.Errorf("the roll cannot begin: %s", s), Hint: "zonebuild keys " + w.Zone.File()}
			}
		}
		if a.dryRun {
			return steps, nil
		}
		done, after, err := w.take(keys, steps)
		if err == nil && r.Emergency && (r.KSK || r.CSK) {
			err = a.approveAll(w, after, ev, "keys roll --emergency")
		}
		return done, err
	}, "there is nothing to roll")
}

// emergency returns, by role, the keys that others know, and notes them in the book:
// those that it has already if such a roll was begun and the old keys are not gone,
// else all that there are. Then a new key is made, and noteKey writes both notes in
// one before it: a crash leaves neither, or a roll that can be gone on with.
func (a *app) emergency(w *keyWork, keys []sign.Key, r sign.Request, again bool) map[string][]string {
	begun := map[string][]string{}
	for _, role := range r.Roles() {
		if e := w.book.Emergency(role); e != nil && !again && sign.Exposed(keys, role, e.Digests, a.now) {
			a.Errorf("the emergency roll of %s from %s goes on; if its new keys are known to others too, add --again", w.Zone.File(), stamp(e.Time))
			begun[role] = e.Digests
			continue
		}
		e := zone.BookEmergency{Role: role, Digests: []string{}, BookDecision: a.decision("keys roll --emergency")}
		for _, k := range keys {
			e.Digests = append(e.Digests, k.Digest())
		}
		slices.Sort(e.Digests)
		w.book.Begin(e)
		begun[role] = e.Digests
	}
	return begun
}

// take performs steps one after the other.
func (w *keyWork) take(keys []sign.Key, steps []sign.Step) (done []sign.Step, after []sign.Key, err error) {
	for _, s := range steps {
		if s, keys, err = w.Perform(keys, s); err != nil {
			return done, keys, err
		}
		done = append(done, s)
	}
	return done, keys, nil
}

// approveAll agrees to every removal that is planned now: whoever rolls in an
// emergency has agreed.
func (a *app) approveAll(w *keyWork, keys []sign.Key, ev sign.Evidence, message string) error {
	for _, s := range sign.Plan(keys, w.Policy, ev, w.Zone, a.now) {
		if s.Hash != "" && !slices.Contains(w.book.Approved(), s.Hash) {
			w.book.Approvals = append(w.book.Approvals, zone.BookApproval{Hash: s.Hash, Step: s.String(), BookDecision: a.decision(message)})
		}
	}
	return a.writeBook(w.book)
}

// heldZones returns the zones that are named, with the lock held and the clock
// found good: what changes keys begins with it, and releases it in any case.
func (a *app) heldZones(args []string) (zones []zone.Name, release func() error, err error) {
	if err := a.configure(); err != nil {
		return nil, func() error { return nil }, err
	}
	if release, err = a.lockCurrent(); err == nil {
		err = a.checkKeyClock()
	}
	if err == nil {
		zones, err = a.keyZones(args)
	}
	return zones, release, err
}

// changeKeys calls change for every zone named, with the lock held and the keys
// as they are, and shows the steps it took or, with --dry-run, would take.
// idle is what to say if there are none.
func (a *app) changeKeys(args []string, change func(*keyWork, []sign.Key, sign.Evidence) ([]sign.Step, error), idle string) error {
	zones, release, err := a.heldZones(args)
	defer release()
	if err != nil {
		return err
	}
	var all keyChange
	var next string
	for _, z := range zones {
		w, ev := a.keyWork(z, a.cfg.Group(z), a.entryOf(z))
		var keys []sign.Key
		if !a.dryRun {
			_, err = w.Recover()
		}
		if err == nil {
			keys, err = sign.LoadKeys(a.cfg.Keys, z)
		}
		if err == nil {
			err = w.bookErr
		}
		if err == nil {
			var steps []sign.Step
			steps, err = change(w, keys, ev)
			all.Steps = append(all.Steps, steps...)
		}
		if err != nil {
			break
		}
		all.Decided, next = append(all.Decided, w.decided...), w.next
	}
	if err != nil && all.empty() {
		return err
	}
	err = errors.Join(a.showChange(all, idle), err) // what was done is shown also if it went wrong then
	if err == nil && !all.empty() {
		a.hintNext(next)
	}
	return err
}

func keysStepCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "step ZONE...", Short: "Take the key steps that are due, where signing.keys is \"manual\"",
		Long: `Step takes the steps that a run takes by itself when signing.keys is
"automatic". Steps that wait for anything else go on waiting.`,
		Example: "  zonebuild keys step 202.in-addr.arpa --dry-run\n  zonebuild keys step 202.in-addr.arpa",
		Args:    usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.changeKeys(args, func(w *keyWork, keys []sign.Key, ev sign.Evidence) ([]sign.Step, error) {
				w.Policy.ManualKeys = false
				if a.dryRun {
					steps := sign.Plan(keys, w.Policy, ev, w.Zone, a.now)
					return slices.DeleteFunc(steps, func(s sign.Step) bool { return !s.Due() }), nil
				}
				_, done, err := w.Advance(ev, a.now)
				return done, err
			}, "no key step is due")
		},
	}
}

func keysTrustCommand(a *app) *cobra.Command {
	var tags, message string
	c := &cobra.Command{
		Use: "trust ZONE --keys TAG,TAG -m REASON", Short: "Name a DNSKEY set that nobody planned",
		Long: `A zone whose DNSKEY set would change in a way that no step led to (another key
folder, a key that was never published before) is carried forward as it is. Trust
names the whole set that is meant, by the tags of all its keys. The next run
publishes it, whatever caches hold: resolvers that know the old keys only may find
the zone bogus until their copies expire. The set counts for gates.accept_expires.`,
		Example: "  zonebuild keys trust 202.in-addr.arpa --keys 12345,54321 -m \"standby signer takes over\" --dry-run\n  zonebuild keys trust 202.in-addr.arpa --keys 12345,54321 -m \"standby signer takes over, ticket 4711\"",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE:    func(_ *cobra.Command, args []string) error { return a.keysTrust(args, tags, message) },
	}
	c.Flags().StringVar(&tags, "keys", "", "the `TAGS` of all keys of the set, with commas")
	c.Flags().StringVarP(&message, "message", "m", "", "`REASON` kept with the decision")
	return c
}

func (a *app) keysTrust(args []string, tags, message string) error {
	if err := reasoned(message, "keys trust"); err != nil {
		return err
	}
	var named []int
	for s := range strings.SplitSeq(tags, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return shell.Usage(fmt.Errorf("--keys %q is no list of key tags such as 12345,54321", tags), "zonebuild keys "+args[0])
		}
		named = append(named, n)
	}
	slices.Sort(named)
	return a.changeKeys(args, func(w *keyWork, keys []sign.Key, _ sign.Evidence) ([]sign.Step, error) {
		var have []int
		for _, k := range keys {
			if k.InUse(a.now) {
				have = append(have, int(k.Tag))
			}
		}
		slices.Sort(have)
		if !slices.Equal(have, named) {
			return nil, &shell.Exit{Code: 1, Err: fmt.Errorf("the DNSKEY set of %s would be %s, not %s; nothing was decided", w.Zone.File(), join(have), join(named)), Hint: "zonebuild keys " + w.Zone.File()}
		}
		w.decided = append(w.decided, fmt.Sprintf("%s: the DNSKEY set of %s is trusted until %s", w.Zone.File(), join(have), stamp(a.now.Add(a.cfg.Gates.Expires))))
		if a.dryRun {
			return nil, nil
		}
		return nil, a.trust(w.book, keys, message)
	}, "")
}

func join(tags []int) string {
	if len(tags) == 0 {
		return "empty"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(tags), " ", ","), "[]")
}
