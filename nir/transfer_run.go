package nir

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nirzone/nir/inr"
)

// A Ran says what became of what was due.
type Ran struct {
	Lines   []TransferLine `json:"lines"`   // carried out
	Blocked []TransferLine `json:"blocked"` // refused: a notice says why, and the next run tries again
	Freed   []inr.Range    `json:"freed"`   // whose quarantine ended
	Expired int            `json:"expired"` // proposals that nobody approved in time
}

// RunDue carries out every line of a transfer that is due, in the order in which
// they are due, and ends every quarantine that is over and every proposal that
// nobody approved in time. All of it is one event;
// [DB.RunDue] makes one of each.
//
// Nothing is carried out before its time: now is at most the actor's. What will be
// due is shown by a dry run whose actor acts then.
func (x *Tx) RunDue(now time.Time) (Ran, error) {
	var r Ran
	if err := x.Actor.need("carry out what is due", RegistryStaff, Admin); err != nil {
		return r, err
	}
	if now.After(x.Actor.At) {
		return r, invalid("now", "%s is later than the event, %s", now.Format(time.RFC3339), x.Actor.At.Format(time.RFC3339)).by("APNIC-103, section 4")
	}
	list, ends, err := x.due(now)
	if err != nil {
		return r, err
	}
	for _, id := range list {
		if err := x.runLine(id, &r); err != nil {
			return r, err
		}
	}
	for _, id := range ends {
		if err := x.endQuarantine(id, &r); err != nil {
			return r, err
		}
	}
	r.Expired, err = x.expireProposals()
	return r, err
}

// RunDue carries out what is due as of the actor's time, each line and each end of
// a quarantine in an event of its own. After a crash what was not carried out is
// still due; two processes that run at once carry nothing out twice. A line that
// the registry's state forbids stays due and keeps no other waiting.
func (n *DB) RunDue(ctx context.Context, a Actor) (Ran, error) {
	var r Ran
	var lines, ends []string
	err := n.View(ctx, func(v *View) (err error) {
		lines, ends, err = v.due(a.At)
		return err
	})
	each := func(ids []string, run func(x *Tx, id string, r *Ran) error) {
		for _, id := range ids {
			var one Ran
			if failed := n.Update(ctx, a, func(x *Tx) error { return run(x, id, &one) }); failed != nil {
				err = errors.Join(err, failed)
				continue
			}
			r.Lines, r.Blocked, r.Freed = append(r.Lines, one.Lines...), append(r.Blocked, one.Blocked...), append(r.Freed, one.Freed...)
		}
	}
	each(lines, (*Tx).runLine)
	each(ends, (*Tx).endQuarantine)
	err = errors.Join(err, n.Update(ctx, a, func(x *Tx) (err error) {
		if err := x.Actor.need("carry out what is due", RegistryStaff, Admin); err != nil {
			return err
		}
		r.Expired, err = x.expireProposals()
		return err
	}))
	if err != nil {
		return r, fmt.Errorf("carrying out what is due: %w", err)
	}
	return r, nil
}

// due returns the identifiers of the lines and quarantines whose time has come.
func (v *View) due(now time.Time) (lines, ends []string, err error) {
	err = transferLines.each(v, "state = 'scheduled' AND due <= $1 ORDER BY due, kind, first, id", []any{micros(now)}, func(l *TransferLine) error {
		lines = append(lines, l.ID)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	err = quarantines.each(v, "free_from <= $1 ORDER BY free_from, kind, first", []any{micros(now)}, func(q *Quarantined) error {
		ends = append(ends, q.ID)
		return nil
	})
	return lines, ends, err
}

// runLine carries a line out, unless another process has. If the plan is refused a
// notice is opened, and nothing else happens.
func (x *Tx) runLine(id string, r *Ran) error {
	if err := x.Actor.need("carry out transfers", RegistryStaff, Admin); err != nil {
		return err
	}
	l, err := transferLines.get(x.View, id)
	if err != nil || l.State != TransferScheduled {
		return err
	}
	t, err := transfers.get(x.View, l.Transfer)
	if err != nil {
		return err
	}
	p, err := x.planLine(&t, &l)
	if CodeOf(err) != "" {
		r.Blocked = append(r.Blocked, l)
		return x.notify(Notice{NIR: t.noticed(x.Rules), Code: "transfer-blocked", Subject: l.ID, Severity: "error", Text: fmt.Sprintf("%s: %v", l.Range, err)})
	}
	if err != nil {
		return err
	}
	if err := x.carryLine(&t, &l, p); err != nil {
		return fmt.Errorf("transferring %s: %w", l.Range, err)
	}
	r.Lines = append(r.Lines, l)
	return nil
}

// noticed is who is told that a line is blocked: the source, or this registry.
func (t *Transfer) noticed(r Rules) string {
	if r.peer(t.Source) {
		return ""
	}
	return t.Source
}

// A linePlan is all that a line changes, found before anything is written.
type linePlan struct {
	members []section // delegations to the member; none from another regional registry
	parents []section // the NIR's, of which those are part; none if it is not an NIR's, or stays with it
	pools   []Pool
}

// planLine refuses what cannot be carried out in the present state: what the
// member does not hold under the source, a receiver that cannot be registered,
// and from another regional registry what is here already.
func (x *Tx) planLine(t *Transfer, l *TransferLine) (linePlan, error) {
	var p linePlan
	var m mistakes
	m.add(x.checkParty("destination", t.Destination, true))
	if !x.Rules.peer(t.Destination) {
		_, err := x.enrolment(t)
		m.add(err)
	}
	if x.Rules.peer(t.Source) {
		m.add(x.notHere(l.Range, x.Rules.rule(t)))
		return p, m.err()
	}
	var err error
	p.members, err = x.heldRange(t.Member, t.Source, l.Range, x.Rules.rule(t))
	m.add(err)
	if err == nil && t.Source != "" && t.Source != t.Destination {
		above, err := x.Within(RIRToNIR, l.Range)
		m.add(err)
		if p.parents = carve(above, l.Range); !covers(p.parents, l.Range) {
			m.add(refuse(Conflict, "%s is not all delegated to %s", l.Range, t.Source).in("range").by("APNIC-103, section 3.2"))
		}
	}
	p.pools, err = x.poolsOver(l.Range)
	m.add(err)
	return p, m.err()
}

// heldRange returns how a range is cut out of what a member holds under a
// registry, and refuses one that it does not hold wholly.
func (x *Tx) heldRange(member, nir string, r inr.Range, rule string) ([]section, error) {
	level := RIRToMember
	if nir != "" {
		level = NIRToMember
	}
	list, err := x.Within(level, r)
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		if d.Member != member || d.NIR != nir {
			return nil, refuse(Conflict, "%s of %s is held by %s under %s", d.Range, r, x.holder(&d), x.registryName(d.NIR)).in("range").by(rule)
		}
	}
	cuts := carve(list, r)
	if !covers(cuts, r) {
		return nil, refuse(Conflict, "%s is not all delegated to the member under %s", r, x.registryName(nir)).in("range").by(rule).
			remedy("nirctl delegation list")
	}
	return cuts, nil
}

// notHere refuses a range of which this registry has a part.
func (x *Tx) notHere(r inr.Range, rule string) error {
	for _, l := range []Level{RIRToNIR, NIRToMember, RIRToMember} {
		list, err := x.Within(l, r)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			return refuse(Conflict, "%s of it is managed by %s already", list[0].Range, x.registryName(list[0].NIR)).in("range").by(rule)
		}
	}
	over, err := x.poolsOver(r)
	if err == nil && len(over) > 0 {
		return refuse(Conflict, "%s overlaps our pool %s", r, over[0].Range).in("range").by(rule)
	}
	in, err := x.quarantinedIn(r)
	if err == nil && len(in) > 0 {
		return refuse(Conflict, "%s of it is in quarantine here", in[0].Range).in("range").by(rule)
	}
	return err
}
