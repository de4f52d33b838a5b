package main

import (
	"context"
	"errors"
	"fmt"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish"
)

// The causes of a generation.
const (
	causeInit     = "init"
	causeBuild    = "build"
	causeRollback = "rollback"
)

// build is the pipeline. It reads what zonefetch and the registry left, merges
// every zone, holds back what passes a limit, signs, verifies, commits one
// generation and reloads the servers. prepare, if not nil, changes what a run
// starts from (init, rollback).
//
// A crash before the commit leaves the old generation in force and nothing
// else but a draft that the next run sweeps. A crash after it loses nothing:
// what remains to be done follows from generation.json, and every run does it.
func (a *app) build(ctx context.Context, cause string, prepare func(*batch) error) (err error) {
	if err := a.open(); err != nil {
		a.failedEarly(err)
		return err
	}
	release, err := a.lock()
	if err != nil {
		a.failedEarly(err)
		return err
	}
	defer release()
	rep := &report{Time: a.now, Cause: cause}
	defer func() { err = a.finish(rep, err) }()
	// The generation may have changed while we waited for nothing: read it
	// again under the lock.
	if a.prev, err = shell.CurrentGeneration(a.cfg); err != nil {
		return fmt.Errorf("reading the current generation: %w", err)
	}

	b, err := a.gather(cause)
	if err != nil {
		return err
	}
	if prepare != nil {
		if err := prepare(b); err != nil {
			return err
		}
	}
	if err := b.mergeAll(ctx); err != nil {
		return err
	}
	if err := b.gateAll(ctx); err != nil {
		return err
	}
	if err := b.checkFirst(); err != nil {
		return err
	}
	if err := b.keepInputs(); err != nil {
		return err
	}
	draft, err := a.tree.Begin()
	if err != nil {
		return fmt.Errorf("beginning a generation: %w", err)
	}
	defer draft.Discard()
	if err := b.signAll(ctx, draft); err != nil {
		return err
	}
	gen := b.decide(draft.Number())
	rep.describe(b, gen)
	if b.nothingNew(gen) {
		return a.settle(ctx, rep, a.prev) // the draft is discarded
	}
	if err := commit(ctx, draft, gen); errors.Is(err, publish.ErrMoved) {
		rep.unsure = err // it is served; a power loss may bring the old one back
	} else if err != nil {
		return err
	}
	rep.Published = gen.Number
	return a.settle(ctx, rep, gen)
}

// settle does what follows from a generation: decisions of people that wait are
// laid out under state/, notices are told, servers are reloaded, old
// generations are pruned. All of it can be done again.
func (a *app) settle(ctx context.Context, rep *report, gen *zone.Generation) error {
	err := errors.Join(rep.unsure, a.layOut(gen), a.prune())
	var untold *shell.Exit
	if !a.noReload {
		// That a reload could not be noted is no reason to say that nothing was published.
		if failed := a.reload(ctx, rep, gen); !errors.As(failed, &untold) {
			err = errors.Join(err, failed)
		}
	}
	if err != nil {
		rep.note("state: %v; the next run does it again", err)
	}
	if untold != nil {
		return untold
	}
	if err != nil || rep.attention() {
		return &shell.Exit{Code: 3}
	}
	return nil
}
