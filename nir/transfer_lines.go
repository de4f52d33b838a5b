package nir

import (
	"fmt"
	"time"
)

// openLine returns a line that is still scheduled, and its transfer, if the actor may
// change it.
func (x *Tx) openLine(id string) (Transfer, TransferLine, error) {
	l, err := transferLines.get(x.View, id)
	if err != nil {
		return Transfer{}, l, err
	}
	t, err := transfers.get(x.View, l.Transfer)
	if err != nil {
		return t, l, err
	}
	if err := x.mayTransfer(&t); err != nil {
		return t, l, citing(err, x.Rules.rule(&t))
	}
	if l.State != TransferScheduled {
		return t, l, refuse(Conflict, "the transfer of %s is %s", l.Range, l.State).by(x.Rules.rule(&t))
	}
	return t, l, nil
}

// AddLine adds a line to a gradual transfer of which others are still scheduled.
func (x *Tx) AddLine(transfer string, l TransferLine) (TransferLine, error) {
	t, err := transfers.get(x.View, transfer)
	if err != nil {
		return l, err
	}
	if err := x.mayTransfer(&t); err != nil {
		return l, citing(err, x.Rules.rule(&t))
	}
	if t.State != TransferScheduled {
		return l, refuse(Conflict, "the transfer is %s", t.State).by(x.Rules.rule(&t)).remedy("nirctl transfer create")
	}
	if err := x.checkLine(&t, &l, nil); err != nil {
		return l, citing(err, x.Rules.rule(&t))
	}
	x.act("transfer.add")
	return l, transferLines.put(x, &l)
}

// Reschedule gives a line another time; zero is now.
func (x *Tx) Reschedule(line string, due time.Time) (TransferLine, error) {
	t, l, err := x.openLine(line)
	if err != nil {
		return l, err
	}
	was := l.Due
	if err := x.setDue(&t, &l, due); err != nil || l.Due.Equal(was) {
		return l, err
	}
	x.act("transfer.schedule")
	return l, transferLines.put(x, &l)
}

// setDue refuses what is past: it was as it was.
func (x *Tx) setDue(t *Transfer, l *TransferLine, due time.Time) error {
	if due.IsZero() {
		due = x.Actor.At
	}
	l.Due = due.UTC().Truncate(time.Microsecond)
	if l.Due.Before(x.Actor.At) {
		return invalid("due", "%s: %s is past, and who managed it then cannot be changed", l.Range, l.Due.Format(time.RFC3339)).by(x.Rules.rule(t))
	}
	return nil
}

// CompleteLine carries a line out now, whenever it is due.
func (x *Tx) CompleteLine(line string) (TransferLine, error) {
	t, l, err := x.openLine(line)
	if err != nil {
		return l, err
	}
	if err := x.Actor.need("carry out a transfer", RegistryStaff, Admin); err != nil {
		return l, citing(err, x.Rules.rule(&t))
	}
	p, err := x.planLine(&t, &l)
	if err != nil {
		return l, citing(err, x.Rules.rule(&t))
	}
	if l.Due.After(x.Actor.At) {
		l.Due = x.Actor.At
	}
	return l, x.carryLine(&t, &l, p)
}

// CancelLine takes a line back that was not carried out.
func (x *Tx) CancelLine(line string) (TransferLine, error) {
	t, l, err := x.openLine(line)
	if err != nil {
		return l, err
	}
	l.State = TransferCancelled
	x.act("transfer.cancel")
	if err := transferLines.put(x, &l); err != nil {
		return l, err
	}
	if err := x.settle(t.Source, "transfer-blocked", l.ID); err != nil {
		return l, err
	}
	return l, x.settleTransfer(&t)
}

// CancelTransfer takes all lines of a transfer back that were not carried out.
func (x *Tx) CancelTransfer(id string) (Transfer, error) {
	lines, err := x.linesOf(id)
	if err != nil {
		return Transfer{}, err
	}
	n := 0
	for _, l := range lines {
		if l.State != TransferScheduled {
			continue
		}
		if _, err := x.CancelLine(l.ID); err != nil {
			return Transfer{}, err
		}
		n++
	}
	t, err := transfers.get(x.View, id)
	if err == nil && n == 0 {
		err = refuse(Conflict, "the transfer is %s", t.State).by(x.Rules.rule(&t))
	}
	return t, err
}

// settleTransfer gives a transfer the state that follows from its lines, and ends
// it when none is scheduled any more.
func (x *Tx) settleTransfer(t *Transfer) error {
	lines, err := x.linesOf(t.ID)
	if err != nil {
		return err
	}
	state := TransferCancelled
	for _, l := range lines {
		if l.State == TransferScheduled {
			state = TransferScheduled
			break
		}
		if l.State == TransferDone {
			state = TransferDone
		}
	}
	t.State = state
	if err := transfers.put(x, t); err != nil || state == TransferScheduled {
		return err
	}
	return x.untellParties(t)
}

// tellParties opens a notice at either NIR; it is closed when nothing of the
// transfer is scheduled any more.
func (x *Tx) tellParties(t *Transfer) error {
	return x.eachParty(t, func(code string) error {
		return x.notify(Notice{
			NIR: code, Code: "transfer-scheduled", Subject: t.ID, Severity: "info",
			Text: fmt.Sprintf("a %s transfer from %s to %s is scheduled", t.Type, x.registryName(t.Source), x.registryName(t.Destination)),
		})
	})
}

func (x *Tx) untellParties(t *Transfer) error {
	return x.eachParty(t, func(code string) error { return x.settle(code, "transfer-scheduled", t.ID) })
}

func (x *Tx) eachParty(t *Transfer, fn func(code string) error) error {
	if !x.Rules.peer(t.Source) {
		if err := fn(t.Source); err != nil {
			return err
		}
	}
	if x.Rules.peer(t.Destination) || t.Destination == t.Source {
		return nil
	}
	return fn(t.Destination)
}
