package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish"
)

// The causes of a generation.
const (
	causeInit     = "init"
	causeBuild    = "build"
	causeRollback = "rollback"
	causeReload   = "reload" // of a report, not of a generation
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
	if a.dryRun {
		return a.plan(ctx, cause, prepare)
	}
	if err := a.configure(); err != nil {
		a.failedEarly(err)
		return err
	}
	release, err := a.lock()
	defer release()
	if isLocked(err) {
		return err // the report and the metrics are the other run's
	}
	rep := &report{Time: a.now, Cause: cause}
	defer func() { err = a.finish(rep, err) }()
	if err != nil {
		return err
	}
	if err := errors.Join(a.readCurrent(), a.checkClock(rep)); err != nil {
		return err
	}
	rep.ClockGood = a.now
	b, err := a.prepared(ctx, cause, prepare)
	if err != nil {
		return err
	}
	if err := errors.Join(b.checkFirst(), b.keepInputs()); err != nil {
		return err
	}
	return b.publish(ctx, rep)
}

// prepared reads the inputs, merges every zone and holds what passes a limit.
func (a *app) prepared(ctx context.Context, cause string, prepare func(*batch) error) (*batch, error) {
	a.log.Info("reading the manifests, the claims and the decisions")
	b, err := a.gather(cause)
	if err != nil {
		return nil, err
	}
	if prepare != nil {
		if err := prepare(b); err != nil {
			return nil, err
		}
	}
	b.planKeys()
	if err := b.standStill(ctx); err != nil {
		return nil, interrupted(err)
	}
	a.log.Info("merging", "zones", len(b.jobs))
	if err := b.mergeAll(ctx); err != nil {
		return nil, interrupted(err)
	}
	a.log.Info("passing the gates")
	if err := b.gateAll(ctx); err != nil {
		return nil, interrupted(err)
	}
	return b, nil
}

// publish signs, verifies and commits what was merged, if it differs from what
// is published.
func (b *batch) publish(ctx context.Context, rep *report) error {
	if ok, err := b.standsStill(); err != nil {
		return err
	} else if ok {
		rep.describe(b, b.prev)
		return b.settle(ctx, rep, b.prev)
	}
	draft, err := b.tree.Begin()
	if err != nil {
		return fmt.Errorf("beginning a generation: %w", err)
	}
	defer draft.Discard()
	b.log.Info("signing and verifying", "generation", draft.Number())
	b.happens = b.happening()
	defer b.saving.Wait() // whatever happens: the lock is ours only so long
	if err := b.signAll(ctx, draft); err != nil {
		return interrupted(err)
	}
	b.spend(b.happens)
	if err := b.checkSigned(); err != nil {
		return err
	}
	gen := b.decide(draft.Number())
	rep.describe(b, gen)
	if b.nothingNew(gen) {
		b.tellStores(rep)
		return b.settle(ctx, rep, b.noteBases(rep, gen)) // the draft is discarded
	}
	b.log.Info("committing", "generation", gen.Number)
	err = b.commit(ctx, draft, gen)
	b.tellStores(rep)
	if errors.Is(err, publish.ErrMoved) {
		rep.unsure = err // it is served; a power loss may bring the old one back
	} else if err != nil {
		return interrupted(err)
	}
	rep.Published = gen.Number
	return b.settle(ctx, rep, gen)
}

// interrupted says in words that a signal ended the run before the commit.
func interrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted, nothing was published: %w", err)
	}
	return err
}

// settle does what follows from a generation: decisions of people that wait are
// laid out under state/, notices are told, servers are reloaded, old
// generations are pruned. All of it can be done again.
func (a *app) settle(ctx context.Context, rep *report, gen *zone.Generation) error {
	a.log.Info("laying out what waits for people, pruning")
	done := a.readSettled(a.before)
	if a.note != a.before {
		done.Files = nil // of another generation
	}
	var wait sync.WaitGroup
	var laidOut error
	wait.Go(func() { laidOut = errors.Join(a.keepSerials(gen), a.layOut(gen, &done)) }) // needs neither the servers nor their note
	var err error
	var untold *shell.Exit
	if !a.noReload {
		a.log.Info("reloading", "zones", len(gen.Reload))
		// That a reload could not be noted is no reason to say that nothing was published.
		if failed := a.reload(ctx, rep, gen); !errors.As(failed, &untold) {
			err = failed
		}
	}
	wait.Wait()
	err = errors.Join(rep.unsure, laidOut, a.prune(gen, &done), a.pruneStores(gen), err)
	a.seeRelinked(gen)
	if err = errors.Join(err, a.writeSettled(done), a.sight.save()); err != nil {
		rep.note("state: %v; the next run does it again", err)
	}
	if untold != nil {
		return untold
	}
	if len(rep.Notes) > 0 || rep.attention() {
		return &shell.Exit{Code: 3}
	}
	return nil
}
