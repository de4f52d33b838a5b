package nir

import (
	"fmt"

	"nirzone/nir/inr"
)

// carryLine does what was planned. First the source's rows go, then the
// destination's come: no two of a level overlap at any moment. The order does not
// matter to anybody else, since all of it is one event.
func (x *Tx) carryLine(t *Transfer, l *TransferLine, p linePlan) error {
	x.act("transfer.carry-out")
	if err := x.enrol(t); err != nil {
		return err
	}
	rest, err := x.giveUp(p)
	if err != nil {
		return err
	}
	if err := x.movePools(t, l, p); err != nil {
		return err
	}
	if err := x.moveForeign(t, l.Range); err != nil {
		return err
	}
	if x.Rules.peer(t.Source) {
		p.members = []section{{in: l.Range, was: Delegation{Range: l.Range, Type: l.Type, Economy: l.Economy, Date: l.Date}}}
		rest = [][]Delegation{nil}
	}
	if err := x.takeOver(t, l, p, rest); err != nil {
		return err
	}
	l.State, l.Done = TransferDone, x.Actor.At
	if err := transferLines.put(x, l); err != nil {
		return err
	}
	if err := x.settle(t.noticed(x.Rules), "transfer-blocked", l.ID); err != nil {
		return err
	}
	if err := x.settleTransfer(t); err != nil {
		return err
	}
	return x.part(t)
}

// giveUp takes the range out of the source's delegations: the member's, then those
// that they are part of. It returns what stays of each of the member's.
func (x *Tx) giveUp(p linePlan) ([][]Delegation, error) {
	rest := make([][]Delegation, len(p.members))
	for i, c := range p.members {
		var err error
		if rest[i], err = x.takeOut(c); err != nil {
			return nil, err
		}
	}
	for _, c := range p.parents {
		if _, err := x.takeOutParent(c); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// movePools: what leaves an NIR's existing pool is the regional registry's to
// allocate when it is returned one day (APNIC-103, section 3.5); what leaves the
// region leaves the pools; what comes from another region is in a pool of its own.
func (x *Tx) movePools(t *Transfer, l *TransferLine, p linePlan) error {
	if x.Rules.peer(t.Source) {
		own := Pool{Range: l.Range, Purpose: Regional, Description: "transferred from " + t.Source}
		return pools.put(x, &own)
	}
	for _, pool := range p.pools {
		in := inr.Of(pool.Range).Intersect(inr.Of(l.Range)).Ranges()[0]
		switch {
		case x.Rules.peer(t.Destination):
			if err := x.cutPool(pool, in, nil); err != nil {
				return err
			}
		case pool.Purpose == NIRExisting && pool.NIR != t.Destination:
			own := Pool{Range: in, Purpose: Regional, Description: "transferred out of the existing pool of " + pool.NIR}
			if err := x.cutPool(pool, in, &own); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeOver delegates what was cut out as the destination manages it. Dates are
// kept; the evidence is the transfer. What was taken whole keeps its identifier.
func (x *Tx) takeOver(t *Transfer, l *TransferLine, p linePlan, rest [][]Delegation) error {
	if t.Destination != "" && t.Destination != t.Source && !x.Rules.peer(t.Destination) {
		above := p.parents
		if t.Source == "" || x.Rules.peer(t.Source) {
			above = p.members
		}
		if err := x.takeOverParents(t, above); err != nil {
			return err
		}
	}
	moves := make([]Move, len(p.members))
	for i, c := range p.members {
		moves[i] = Move{Was: c.was, Rest: rest[i], Whois: t.Whois}
		if x.Rules.peer(t.Destination) {
			continue
		}
		d := c.transferred(t)
		d.Member, d.Level = t.Receiver, RIRToMember
		if t.Destination != "" {
			d.Level = NIRToMember
		}
		if err := x.addMoved(&d); err != nil {
			return err
		}
		moves[i].Now = d
	}
	for i, m := range moves {
		c := p.members[i]
		l.Parts = append(l.Parts, MovedRange{c.in, c.was.ID, m.Now.ID})
		if err := x.redescribe(m); err != nil {
			return fmt.Errorf("whois objects of %s: %w", c.in, err)
		}
	}
	return nil
}

func (x *Tx) takeOverParents(t *Transfer, list []section) error {
	for _, c := range list {
		d := c.transferred(t)
		if c.was.Level != RIRToNIR { // made beside the member's own, which keeps the identifier
			d.Row = Row{}
		}
		d.Level, d.Member = RIRToNIR, ""
		if err := x.addMoved(&d); err != nil {
			return err
		}
	}
	return nil
}

// addMoved records a delegation with the pool that its range is in now.
func (x *Tx) addMoved(d *Delegation) error {
	over, err := x.poolsOver(d.Range)
	if err != nil {
		return err
	}
	if d.Pool = ""; len(over) == 1 {
		d.Pool = over[0].ID
	}
	return x.addDelegation(d)
}

// transferred is what was cut out of a delegation, managed by the destination.
func (c section) transferred(t *Transfer) Delegation {
	d := c.was
	if len(c.rest) > 0 {
		d.Row = Row{}
	}
	d.Range, d.NIR, d.Evidence, d.Request, d.Parent = c.in, t.Destination, ByTransfer, t.ID, ""
	return d
}

// A Move is what a transfer or a return made of one delegation to a member. Now
// has no range if nobody holds it here any more; Was has no identifier if it came
// from another regional registry.
type Move struct {
	Was, Now Delegation
	Rest     []Delegation // what stays of it with the source
	Whois    WhoisAction  // for the objects below it
}

// redescribe makes the whois objects follow a move: source and maintainer are the
// new manager's. It is called when all delegations are as they will be.
func (x *Tx) redescribe(m Move) error {
	return x.moveWhois(m.Was, m.Now, m.Rest, m.Whois == DeleteWhois)
}
