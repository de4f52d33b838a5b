package main

import (
	"fmt"

	"nirzone/cmd/shell"
)

// checkKeyClock refuses to change keys by a time that cannot be right, unless a
// person says that it is. A key's state is its times and nothing else: a step of
// the past counts as waited for already, what was done since counts as a plan of
// somebody else's and is forgotten, and a step of the future is forgotten too. So
// naming the time does not help here, as it does where a zone is only built. A
// dry run may look ahead. A run holds its own time to the same (see clockView).
func (a *app) checkKeyClock() error {
	if a.clockRight || a.prev == nil {
		return nil
	}
	name := "the clock says"
	if a.nowFlag != "" {
		name = "--now says"
	}
	switch {
	case a.now.Before(a.prev.Time):
		return &shell.Exit{
			Code: 1, Err: fmt.Errorf("%s %s, but what is published was built at %s: no key is changed by a time before that", name, stamp(a.now), stamp(a.prev.Time)),
			Hint: "leave --now away, or set the clock right; if the time is right as it is: --clock-is-right",
		}
	case a.now.Before(a.lastContent()):
		return &shell.Exit{
			Code: 1, Err: fmt.Errorf("%s %s, but the last run was at %s: no key is changed by a time before that", name, stamp(a.now), stamp(a.lastContent())),
			Hint: "leave --now away, or set the clock right; if the time is right as it is: --clock-is-right",
		}
	case a.nowFlag == "" && !a.dryRun && a.now.Sub(a.newestSeen()) > maxAhead:
		return &shell.Exit{
			Code: 1, Err: fmt.Errorf("the clock says %s, but the newest that was fetched or observed is of %s, over a day before: no key is changed by a time that may not have come", stamp(a.now), stamp(a.newestSeen())),
			Hint: "set the clock right, or run zonefetch; if the time is right as it is: --clock-is-right",
		}
	case a.nowFlag != "" && !a.dryRun && a.now.Sub(a.Clock()) > maxAhead:
		return &shell.Exit{
			Code: 1, Err: fmt.Errorf("--now %s lies over a day ahead of the clock: no key is changed by a time that has not come", stamp(a.now)),
			Hint: "to look without changing anything: --dry-run; to change keys all the same: --clock-is-right",
		}
	}
	return nil
}
