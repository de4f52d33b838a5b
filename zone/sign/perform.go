package sign

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// maxSteps bounds the steps of one zone in one run: a roll has fewer than ten.
const maxSteps = 32

// A Work is the hand that takes the steps of one zone: it writes the files. The
// caller holds the lock.
type Work struct {
	FS     publish.FS
	Dir    string // of all zones' keys
	Zone   zone.Name
	Policy Policy
	Random io.Reader
	// Prove refuses a step by an error; nil lets every step pass. keys are as they
	// are before the step.
	Prove func(keys []Key, s Step) error
	// Note is called with a key that is about to be made, before its files are
	// written: whoever refuses unknown keys has to know it first.
	Note func(Key) error
	// Known says which keys came by a step or a person. With any other key in the
	// folder no step is taken: what a stranger's key makes due is not for ours. Nil
	// knows every key.
	Known func(Key) bool
}

// stranger reports whether a key in use is neither known nor published.
func (w *Work) stranger(keys []Key, ev Evidence, now time.Time) bool {
	return w.Known != nil && ev.Published != nil && slices.ContainsFunc(keys, func(k Key) bool {
		return (k.published(now) || k.signing(now)) && !w.Known(k) && findRecord(ev.Published.Keys, &k) == nil
	})
}

// Advance takes the steps that are due, one after the other, and returns the keys
// as they are then and the steps that were taken, also with an error. What a
// crash left half done it finishes first, and a crash in it is no more than that:
// the next call plans again from the files that are there. A step that Prove
// refuses ends the work; it and all that come after are in neither result, and
// the error is a [Refused].
func (w *Work) Advance(ev Evidence, now time.Time) ([]Key, []Step, error) {
	if keys, err := LoadKeys(w.Dir, w.Zone); err == nil && w.quiet(keys, ev, now) {
		return keys, nil, nil
	}
	done, err := w.Recover()
	if err != nil {
		return nil, done, err
	}
	keys, err := LoadKeys(w.Dir, w.Zone)
	if err != nil {
		return nil, done, err
	}
	if w.stranger(keys, ev, now) {
		return keys, done, nil // CheckSet refuses the set, with words
	}
	for range maxSteps {
		steps := Plan(keys, w.Policy, ev, w.Zone, now)
		if len(steps) == 0 || !steps[0].Due() {
			return keys, done, nil
		}
		s, after, err := w.Perform(keys, steps[0])
		if err != nil {
			return keys, done, err
		}
		keys, done = after, append(done, s)
	}
	return keys, done, fmt.Errorf("the plan for the keys of %s does not come to an end: %s", w.Zone, done[len(done)-1])
}

// Init is [Work.Advance] for a zone that counts as never published: it makes the
// keys that are missing and never replaces one. Files are 0600 and folders 0700, and
// tags are unique over all keys of the zone, with and without the revoke bit (RFC
// 5011). Keys come from Random, except RSA keys, which the standard library draws
// from the system.
func (w *Work) Init(ev Evidence, now time.Time) ([]Key, []Step, error) {
	ev.Published = nil
	return w.Advance(ev, now)
}

// quiet reports whether there is nothing to do, no step was taken since the
// published generation, and nothing lies about: then a crash has left nothing, and
// the disk is spared.
func (w *Work) quiet(keys []Key, ev Evidence, now time.Time) bool {
	if ev.Published == nil || len(keys) == 0 || w.littered() {
		return false
	}
	for i := range keys {
		if keys[i].stale || keys[i].changed().After(ev.Published.Time) {
			return false
		}
	}
	steps := Plan(keys, w.Policy, ev, w.Zone, now)
	return len(steps) == 0 || !steps[0].Due()
}

// littered reports whether the key folder may have a temporary file: a crash before
// the first rename of a step leaves part of a private key, and no key.
func (w *Work) littered() bool {
	entries, err := w.FS.ReadDir(filepath.Join(w.Dir, w.Zone.File()))
	return err != nil || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") })
}

// changed is the last of a key's times.
func (k *Key) changed() time.Time {
	t := k.Timing
	return slices.MaxFunc([]time.Time{t.Created, t.Publish, t.Ready, t.Active, t.Retire, t.Remove, t.DSSeen, t.Unsync}, time.Time.Compare)
}

// Refused is the error of a step that was not taken because it is not safe.
type Refused struct {
	Step Step
	Err  error
}

// Error says which step, and why not.
func (r *Refused) Error() string { return fmt.Sprintf("%s: refused: %v", r.Step, r.Err) }

// Unwrap returns the reason.
func (r *Refused) Unwrap() error { return r.Err }

// Perform takes one step and returns it, with the key if it made one, and the
// keys after it. A crash in it leaves some of the keys that it changes as they
// were: Plan finds the rest.
func (w *Work) Perform(keys []Key, s Step) (Step, []Key, error) {
	if s.Action == ActionMake && s.New == nil {
		k, err := Draw(s, keys, w.Random)
		if err != nil {
			return s, keys, err
		}
		s.New, s.Key = &k, k.ID
	}
	if w.Prove != nil {
		if err := w.Prove(keys, s); err != nil {
			return s, keys, &Refused{s, err}
		}
	}
	after := Take(keys, s)
	folder := filepath.Join(w.Dir, w.Zone.File())
	if s.New != nil {
		if w.Note != nil {
			if err := w.Note(*s.New); err != nil {
				return s, keys, err
			}
		}
		if err := publish.MkdirAll(w.FS, folder, keyDirPerm); err != nil {
			return s, keys, err
		}
		return s, after, writePair(w.FS, folder, s.New)
	}
	ids := []string{s.Key}
	for _, c := range s.Also {
		ids = append(ids, c.Key)
	}
	for _, id := range ids {
		i := slices.IndexFunc(after, func(k Key) bool { return k.ID == id })
		if i < 0 {
			return s, keys, fmt.Errorf("%s: there is no such key", id)
		}
		// A crash between two of them leaves half a step, see Step.Also.
		if err := rewrite(w.FS, folder, &after[i]); err != nil {
			return s, keys, err
		}
	}
	return s, after, nil
}

// Recover finishes what a crash left half written in the zone's key folder. It
// returns what it did as steps.
func (w *Work) Recover() ([]Step, error) {
	folder := filepath.Join(w.Dir, w.Zone.File())
	if _, err := w.FS.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err := publish.MkdirAll(w.FS, folder, keyDirPerm); err != nil {
		return nil, err // it may not be synced yet
	}
	// A temporary file of a crashed run holds a key that nobody ever used, or a
	// copy of one that is there.
	if _, err := publish.SweepTemp(w.FS, folder); err != nil {
		return nil, err
	}
	// A pair that is there may be in the page cache only: the run that made it may
	// have been killed before it synced the folder.
	if err := w.FS.SyncDir(folder); err != nil {
		return nil, err
	}
	done, err := completePairs(w.FS, folder, w.Zone)
	if err != nil {
		return done, err
	}
	keys, err := LoadKeys(w.Dir, w.Zone)
	if err != nil {
		return done, err
	}
	for i := range keys {
		if err := refresh(w.FS, folder, &keys[i]); err != nil {
			return done, err
		}
	}
	return done, nil
}
