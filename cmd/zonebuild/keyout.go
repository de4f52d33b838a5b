package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/sign"
)

// A keyChange is what a command did to keys or, with --dry-run, would do.
type keyChange struct {
	Version int         `json:"version"`
	DryRun  bool        `json:"dry_run"`
	Steps   []sign.Step `json:"steps"`
	Decided []string    `json:"decided"` // what a person decided besides, in words
}

func (c *keyChange) empty() bool { return len(c.Steps)+len(c.Decided) == 0 }

// showChange shows a change with what is at stake. idle is what to say if there is
// none.
func (a *app) showChange(c keyChange, idle string) error {
	c.Version, c.DryRun = 1, a.dryRun
	c.Steps, c.Decided = append([]sign.Step{}, c.Steps...), append([]string{}, c.Decided...)
	if a.json {
		return a.answer(c)
	}
	would, decided := "", "decided: "
	if a.dryRun {
		would, decided = "would: ", "would decide: "
	}
	for _, s := range c.Steps {
		fmt.Fprintln(a.Stdout, would+s.String())
		if s.Stake != "" {
			writeWrapped(a.Stdout, "  ", "at stake: "+s.Stake)
		}
	}
	for _, d := range c.Decided {
		fmt.Fprintln(a.Stdout, decided+d)
	}
	if c.empty() {
		a.Errorf("%s", idle)
	}
	return nil
}

// hintNext says what comes after a change that was made: what next says, or a run.
func (a *app) hintNext(next string) {
	if a.json || a.dryRun {
		return
	}
	if next == "" {
		a.Errorf("the next run publishes it")
		next = "zonebuild"
	}
	a.Errorf("hint: %s", next)
}

// A keyProblem is a zone whose keys cannot be read, or are not all there.
type keyProblem struct {
	Zone    string `json:"zone"`
	Problem string `json:"problem"`
	Hint    string `json:"hint"`
}

// keyProblem says what is wrong with the keys of a zone as they were read, nil if
// nothing is.
func (a *app) keyProblem(z zone.Name, keys []sign.Key, err error) *keyProblem {
	folder := shell.Quote(a.cfg.Keys + "/" + z.File())
	if err != nil {
		hint := "mend it, or restore " + folder + " from a backup"
		if errors.Is(err, fs.ErrPermission) {
			hint = "run it as the user that owns it: ls -ld " + folder
		}
		return &keyProblem{z.File(), err.Error(), hint}
	}
	gone := a.missingTags(z, keys)
	if len(gone) == 0 {
		return nil
	}
	p := &keyProblem{Zone: z.File(), Problem: fmt.Sprintf("it is published with key %s, which is not in %s", join(gone), folder)}
	if len(keys) == 0 {
		p.Problem = fmt.Sprintf("it is published, and %s holds no key", folder)
	}
	p.Hint = "restore " + folder + " from a backup; if there is none: zonebuild keys init --lost -m REASON " + z.File()
	return p
}

// missingTags are the tags of the keys that a zone is published with and that are
// not among those that were read.
func (a *app) missingTags(z zone.Name, keys []sign.Key) []int {
	g := a.entryOf(z)
	if g == nil {
		return nil
	}
	var gone []int
	for _, p := range g.Keys {
		if !slices.ContainsFunc(keys, func(k sign.Key) bool { return k.Tag == p.Tag && k.Algorithm == p.Algorithm }) {
			gone = append(gone, int(p.Tag))
		}
	}
	return gone
}

// tellProblems is the end of a command that shows keys: what it could show is
// shown, and the exit code says that it is not all.
func (a *app) tellProblems(list []keyProblem) error {
	for _, p := range list {
		a.Errorf("%s: %s", p.Zone, strings.ReplaceAll(p.Problem, "\n", "; "))
		a.Errorf("hint: %s", p.Hint)
	}
	if len(list) > 0 {
		return &shell.Exit{Code: 3}
	}
	return nil
}
