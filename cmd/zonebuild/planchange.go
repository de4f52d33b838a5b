package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/sign"
)

// What the next run does to a zone's file.
const (
	changeNew     = "new"     // published for the first time
	changeContent = "changed" // its delegations change
	changeSigned  = "signed"  // keys, signatures, the apex or glue do
	changeCarried = "carried" // it cannot be built
	changeNone    = "none"
)

var changeTone = map[string]shell.Tone{changeNew: shell.Good, changeContent: shell.Good, changeSigned: shell.Plain, changeCarried: shell.Bad, changeNone: shell.Quiet}

// A begunStep is what the next run publishes of keys that were changed already,
// since the generation that is published now: by "keys roll", for one.
type begunStep struct {
	Zone zone.Name `json:"zone"`
	Role string    `json:"role,omitempty"`
	Key  string    `json:"key,omitempty"` // ID
	What string    `json:"what"`
}

// String returns it as a sentence without a full stop.
func (s begunStep) String() string {
	if s.Key == "" {
		return fmt.Sprintf("%s: %s", s.Zone.File(), s.What)
	}
	return fmt.Sprintf("%s: %s %s %s", s.Zone.File(), s.Role, s.Key, s.What)
}

// foresee finds out what the next run makes of the zones' files: all that signing
// them would do, but for the signatures.
func (b *batch) foresee(ctx context.Context) error {
	return forEach(ctx, b.jobs, func(_ context.Context, j *job) error {
		if j.still || j.prev == nil || j.next == nil {
			return nil
		}
		if err := b.foreseeZone(j); err != nil && j.carried == "" {
			j.carried = err.Error()
		}
		return nil
	})
}

// foreseeZone is signZone up to the first signature.
func (b *batch) foreseeZone(j *job) error {
	keys, policy, err := b.keysToSign(j)
	if err != nil {
		return err
	}
	facts, err := sign.Preview(j.next, keys, policy, b.now)
	if err != nil {
		return fmt.Errorf("signing: %w", err)
	}
	if j.later == nil && facts.Body == j.prev.Body && b.intact(j) {
		facts.Serial, facts.SHA256, facts.Size = j.prev.Serial, j.prev.SHA256, j.prev.Size
		j.signers, j.result, j.same = keys, b.entry(j, facts), true
		if j.carried != "" {
			j.result = j.standingEntry(j.result)
		}
	}
	return nil
}

// change says what the next run does to the zone's file, after foresee.
func (j *job) change() string {
	switch {
	case j.carried != "":
		return changeCarried
	case j.skip:
		return changeNone // not this command's
	case j.prev == nil:
		return changeNew
	case len(j.delta.Changes) > 0:
		return changeContent
	case (j.still || j.same) && !j.stepsDue():
		return changeNone
	}
	return changeSigned
}

// stepsDue reports whether the next run takes a key step that is seen in the zone.
func (j *job) stepsDue() bool {
	for _, s := range j.life.plan {
		if s.Due() && s.Action != sign.ActionDSSeen {
			return true
		}
	}
	return false
}

// nothingToDo reports whether the next run publishes no generation at all.
func (b *batch) nothingToDo() bool {
	for _, j := range b.jobs {
		due := slices.ContainsFunc(j.life.plan, sign.Step.Due) // one that no zone shows is noted in a key's file
		if due || j.change() != changeNone {
			return false
		}
	}
	return b.prev != nil && b.nothingNew(b.decide(b.prev.Number))
}

// begun returns what was done to a zone's keys since it was published: the DNSKEY
// set is another one, or a step has a time after that of the generation.
func (b *batch) begun(j *job) []begunStep {
	if j.prev == nil || j.life.ring == nil {
		return nil
	}
	var list []begunStep
	add := func(k sign.Key, what string) {
		list = append(list, begunStep{Zone: j.zone, Role: k.Role(), Key: k.ID, What: what})
	}
	for _, k := range j.life.ring {
		was := j.prevHas(k)
		switch in := k.InUse(b.now); {
		case in && !was:
			add(k, "comes into the DNSKEY set")
		case !in && was:
			add(k, "goes out of the DNSKEY set")
		}
		for _, s := range stepTimes(k) {
			if s.at.After(b.prev.Time) && !s.at.After(b.now) {
				add(k, s.what)
			}
		}
	}
	if book := j.life.book; book != nil && book.DeleteDS != nil && book.DeleteDS.Time.After(b.prev.Time) {
		list = append(list, begunStep{Zone: j.zone, What: "CDS and CDNSKEY ask for no DS"})
	}
	return list
}

// prevHas reports whether the key is in the DNSKEY set that is published.
func (j *job) prevHas(k sign.Key) bool {
	for _, p := range j.prev.KeyRecords {
		if p.Tag == k.Tag && p.Algorithm == k.Algorithm {
			return !p.Since.IsZero() && p.Gone.IsZero()
		}
	}
	for _, p := range j.prev.Keys { // of an older program
		if p.Tag == k.Tag && p.Algorithm == k.Algorithm {
			return len(j.prev.KeyRecords) == 0
		}
	}
	return false
}

type stepTime struct {
	at   time.Time
	what string
}

// stepTimes are the times of a key that show in the zone, but for the DNSKEY set.
func stepTimes(k sign.Key) []stepTime {
	var list []stepTime
	if k.SignsZone() {
		list = append(list, stepTime{k.Timing.Active, "signs from now on"}, stepTime{k.Timing.Retire, "signs nothing new"})
	}
	if k.SignsKeys() {
		list = append(list, stepTime{k.Timing.Ready, "comes into CDS and CDNSKEY"}, stepTime{k.Timing.Unsync, "goes out of CDS and CDNSKEY"})
	}
	return list
}

// writeBegun lists what the next run publishes of keys that were changed already.
func writeBegun(w io.Writer, list []begunStep) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", shell.Paint(w, shell.Care, "keys changed since, which the next run publishes"))
	for i, s := range list {
		if i == maxLines {
			fmt.Fprintf(w, "  and %d more\n", len(list)-i)
			break
		}
		fmt.Fprintln(w, " ", s)
	}
}

// verdict is the plan in a sentence.
func (p planReport) verdict() string {
	n := map[string]int{}
	for _, z := range p.Zones {
		n[z.Change]++
	}
	changing := n[changeNew] + n[changeContent] + n[changeSigned]
	switch {
	case p.Nothing:
		return fmt.Sprintf("nothing would change: generation %d stands", p.Current)
	case changing == 0 && n[changeCarried] == 0:
		return "no zone would change; the next run notes what else is new"
	}
	text := fmt.Sprintf("%d of %d zones would change", changing, len(p.Zones))
	sep := ": "
	for _, c := range []struct{ change, what string }{
		{changeNew, "new"}, {changeContent, "in their delegations"}, {changeSigned, "in keys, signatures or the apex only"},
	} {
		if n[c.change] > 0 {
			text += fmt.Sprintf("%s%d %s", sep, n[c.change], c.what)
			sep = ", "
		}
	}
	if n[changeCarried] > 0 {
		text += fmt.Sprintf("; %d cannot be built", n[changeCarried])
	}
	return text
}
