package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/sign"
)

// An observed is what zonefetch observe saw, and by what it is judged. Without
// observations, or with ones that cannot be read, nothing is believed of any parent.
type observed struct {
	answers *zone.Observations // nil: none
	anchors []zone.Record
	err     error
}

// readObserved reads the observations and the trust anchors.
func (a *app) readObserved() observed {
	var o observed
	file := filepath.Join(a.cfg.Spool, "observations.json")
	data, err := shell.ReadFile(file, zone.MaxObservations)
	if errors.Is(err, fs.ErrNotExist) {
		o.anchors, _ = shell.Anchors(a.cfg) // they matter when something was observed
		return o
	}
	if err == nil {
		o.answers, err = zone.ParseObservations("spool/observations.json", data)
	}
	if err == nil {
		o.anchors, err = shell.Anchors(a.cfg)
	}
	o.err = err
	return o
}

// judge returns the judge of what the parents say.
func (o observed) judge(c *zone.Config, now time.Time) *sign.Judge {
	if o.err != nil {
		return sign.NewJudge(nil, nil, now, c.Observe.FreshFor)
	}
	return sign.NewJudge(o.answers, o.anchors, now, c.Observe.FreshFor)
}

// believe takes over what was observed, and why nothing of it counts.
func (a *app) believe(o observed) { a.judge, a.unseen = o.judge(a.cfg, a.now), o.err }

// observations adds the notices of what was observed. They open and close like all
// others: what the servers do is no reason to build or not to build.
func (b *batch) observations() {
	o := b.readObserved()
	if o.err != nil {
		b.alarm("observations-unreadable", "observations.json", "no DS at a parent is believed: %v", o.err)
	}
	b.believe(o)
	if o.answers == nil {
		return
	}
	b.notices = append(b.notices, o.answers.Notices(b.cfg, b.now)...)
	if len(o.anchors) == 0 {
		return
	}
	for _, z := range b.cfg.Zones() {
		if n, ok := unbelieved(o.answers.Zone(z), b.judge); ok {
			n.Source = b.cfg.RIR
			b.notices = append(b.notices, n)
		}
	}
}

// maxReasons bounds the text of a notice.
const maxReasons = 3

// unbelieved is the notice of a zone whose parent answers what does not validate.
// An address that gave no good answer has a notice of its own (parent-unseen).
func unbelieved(z *zone.ObservedZone, judge *sign.Judge) (zone.Notice, bool) {
	if z == nil {
		return zone.Notice{}, false
	}
	s := judge.Zone(z.Zone)
	var why []string
	for _, m := range s.Refused {
		if len(why) < maxReasons {
			why = append(why, m)
		}
	}
	if len(why) == 0 {
		return zone.Notice{}, false
	}
	text := strings.Join(why, "; ")
	if more := len(s.Refused) - len(why); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return zone.Notice{Code: "ds-unbelieved", Severity: zone.Error, Zone: z.Zone, Text: text}, true
}
