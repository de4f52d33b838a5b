package nir

import (
	"encoding/json"
	"fmt"
	"time"

	"nirzone/nir/inr"
)

// A Return gives resources back that a member holds. It is always reviewed: a
// proposal that another person of the registry's staff has to sign. Then the
// delegations end, and the ranges are in quarantine for [Rules].QuarantineDays
// before they are free again, in the pool that they came from: what came from an
// NIR's existing pool is the NIR's to allocate further (APNIC-103, section 3.5).
type Return struct {
	Row
	NIR       string      `json:"nir"` // that manages the ranges, "" for this registry
	Member    string      `json:"member"`
	Ranges    []inr.Range `json:"ranges"`
	Whois     WhoisAction `json:"whois"`
	Reason    string      `json:"reason" text:"lines"`
	Ticket    string      `json:"ticket"`
	State     string      `json:"state"`
	Submitter string      `json:"submitter"`
	Made      time.Time   `json:"made"`
	Due       time.Time   `json:"due"`      // when the registry has to answer (APNIC-103, section 3.6)
	Answered  time.Time   `json:"answered"` // zero while it owes that
	Plan      string      `json:"plan"`     // hash of the proposal
}

// The states of a return.
const (
	ReturnReviewed  = "reviewed" // staff look at it: somebody has to sign
	ReturnDone      = "returned"
	ReturnWithdrawn = "withdrawn"
)

var returns = newTable[Return]("resource_return", "ret")

// returnOp is the operation of a proposal that carries a return out.
const returnOp = "return.approve"

const returnRule = "APNIC-103, section 3.5"

type returnArgs struct {
	Return string `json:"return"`
}

func init() {
	operations[returnOp] = operation{role: RegistryStaff, signers: 1, effects: returnEffects, run: runReturn}
}

// Return returns the return of an identifier.
func (v *View) Return(id string) (Return, error) { return returns.get(v, id) }

// Returns returns the returns of an NIR, or of direct members if it is empty, the
// newest first.
func (v *View) Returns(nir string) ([]Return, error) {
	return returns.find(v, "nir = $1 ORDER BY made DESC, id", nir)
}

// OpenReturns returns all returns that wait for the registry, the one that is due
// first at the front.
func (v *View) OpenReturns() ([]Return, error) {
	return returns.find(v, "state = '"+ReturnReviewed+"' ORDER BY due, id")
}

// AddReturn takes a return and proposes to carry it out. Nothing else happens
// until somebody other than the actor has signed the proposal of r.Plan.
func (x *Tx) AddReturn(r Return) (Return, error) {
	if err := x.mayReturn(&r); err != nil {
		return r, err
	}
	if err := x.checkReturn(&r); err != nil {
		return r, citing(err, returnRule)
	}
	economy := ""
	if m, err := x.Member(r.Member); err == nil {
		economy = m.Economy
	}
	r.Row, r.State, r.Submitter, r.Made = Row{}, ReturnReviewed, x.Actor.Name, x.Actor.At
	r.Due, r.Answered = x.Rules.due(r.Made, x.Rules.ResponseDays, economy), time.Time{}
	x.act("return.create")
	if err := returns.put(x, &r); err != nil { // the proposal names it
		return r, err
	}
	p, err := x.propose(returnOp, returnArgs{r.ID})
	if err != nil {
		return r, err
	}
	r.Plan = p.Hash
	return r, returns.put(x, &r)
}

// mayReturn refuses all but the registry's staff and the NIR that manages it.
func (x *Tx) mayReturn(r *Return) error {
	const act = "return resources"
	if r.NIR == "" || r.NIR == x.Rules.RIR {
		return citing(x.Actor.need(act, RegistryStaff, Admin), returnRule)
	}
	return citing(x.Actor.needNIR(act, r.NIR), returnRule)
}

func (x *Tx) checkReturn(r *Return) error {
	if r.NIR == x.Rules.RIR {
		r.NIR = ""
	}
	if r.Whois == "" {
		r.Whois = DeleteWhois
	}
	var m mistakes
	if r.Whois != KeepWhois && r.Whois != DeleteWhois {
		m.add(invalid("whois", "%.20q is not %s or %s", r.Whois, KeepWhois, DeleteWhois))
	}
	m.need("member", r.Member, returnRule)
	if len(r.Ranges) == 0 {
		m.add(invalid("ranges", "there is nothing to return").by(returnRule))
	}
	for i, g := range r.Ranges {
		if !g.Valid() {
			m.add(invalid("ranges", "range %d is none", i+1))
			continue
		}
		for _, o := range r.Ranges[:i] {
			if o.Overlaps(g) {
				m.add(invalid("ranges", "%s and %s overlap", o, g))
			}
		}
		_, err := x.heldRange(r.Member, r.NIR, g, returnRule)
		m.add(err)
		m.add(x.unclaimed(g, r.ID))
	}
	return m.err()
}

// WithdrawReturn takes a return back that waits, and its proposal.
func (x *Tx) WithdrawReturn(id string) (Return, error) {
	r, err := x.Return(id)
	if err != nil {
		return r, err
	}
	if err := x.mayReturn(&r); err != nil {
		return r, err
	}
	if r.State != ReturnReviewed {
		return r, refuse(Conflict, "the return is %s", r.State).by(returnRule)
	}
	x.act("return.withdraw")
	r.State, r.Answered = ReturnWithdrawn, x.Actor.At
	if err := returns.put(x, &r); err != nil {
		return r, err
	}
	p, found, err := proposals.one(x.View, "hash = $1 AND state = 'open'", r.Plan)
	if err != nil || !found {
		return r, err
	}
	p.State = Withdrawn
	return r, proposals.put(x, &p)
}

// ReviewReturn proposes a return again whose proposal expired.
func (x *Tx) ReviewReturn(id string) (Return, error) {
	r, err := x.Return(id)
	if err != nil {
		return r, err
	}
	if err := x.Actor.need("review a return", RegistryStaff, Admin); err != nil {
		return r, citing(err, returnRule)
	}
	if r.State != ReturnReviewed {
		return r, refuse(Conflict, "the return is %s", r.State).by(returnRule)
	}
	p, err := x.propose(returnOp, returnArgs{r.ID})
	if err != nil || p.Hash == r.Plan {
		return r, err
	}
	r.Plan = p.Hash
	x.act("return.review")
	return r, returns.put(x, &r)
}

// returnEffects says what a return will do, for those who sign: of that alone, and
// not what the member keeps, which another return beside it may change.
func returnEffects(x *Tx, args json.RawMessage) ([]string, error) {
	r, err := x.returnOf(args)
	if err != nil {
		return nil, err
	}
	m, err := x.Member(r.Member)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, g := range r.Ranges {
		cuts, err := x.heldRange(r.Member, r.NIR, g, returnRule)
		if err != nil {
			return nil, err
		}
		for _, c := range cuts {
			list = append(list, fmt.Sprintf("end the %s of %s to %s (%s), delegated %s", c.was.Type, c.in, m.Name, x.registryName(r.NIR), c.was.Date.Format(time.DateOnly)))
		}
		list = append(list, fmt.Sprintf("keep %s in quarantine for %s, then free", g, plural(x.Rules.QuarantineDays, "day")))
	}
	return append(list, fmt.Sprintf("%s the whois objects below", r.Whois)), nil
}

func (x *Tx) returnOf(args json.RawMessage) (Return, error) {
	var a returnArgs
	if err := json.Unmarshal(args, &a); err != nil {
		return Return{}, fmt.Errorf("decoding: %w", err)
	}
	return x.Return(a.Return)
}

// runReturn carries a return out: signature, delegations' ends and quarantine are
// one event.
func runReturn(x *Tx, p *Proposal) (string, error) {
	r, err := x.returnOf(p.Args)
	if err != nil {
		return "", err
	}
	if r.State != ReturnReviewed {
		return "", refuse(Conflict, "the return is %s", r.State).by(returnRule)
	}
	if err := x.signedByOthers(&r, p.ID); err != nil {
		return "", citing(err, returnRule)
	}
	x.act("return.carry-out")
	for _, g := range r.Ranges {
		if err := x.giveBack(&r, g); err != nil {
			return "", fmt.Errorf("returning %s: %w", g, err)
		}
	}
	r.State, r.Answered, r.Plan = ReturnDone, x.Actor.At, p.Hash
	return r.ID, returns.put(x, &r)
}

// signedByOthers refuses the signature of who submitted a return: after
// [Tx.ReviewReturn] the proposal is somebody else's.
func (x *Tx) signedByOthers(r *Return, proposal string) error {
	signed, err := x.Approvals(proposal)
	if err != nil {
		return err
	}
	for _, s := range signed {
		if s.Signer == r.Submitter {
			return refuse(Forbidden, "%s submitted the return: another person has to approve it", s.Signer)
		}
		if err := x.apart(s.Signer, returns.name, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// giveBack ends what a member holds of a range. What is not of the NIR's existing
// pool ends at the NIR too.
func (x *Tx) giveBack(r *Return, g inr.Range) error {
	p := linePlan{}
	var err error
	if p.members, err = x.heldRange(r.Member, r.NIR, g, returnRule); err != nil {
		return err
	}
	out, err := x.ownSpace(r.NIR, g)
	if err != nil {
		return err
	}
	for part := range out.All() {
		above, err := x.Within(RIRToNIR, part)
		if err != nil {
			return err
		}
		p.parents = append(p.parents, carve(above, part)...)
	}
	rest, err := x.giveUp(p)
	if err != nil {
		return err
	}
	for i, c := range p.members {
		if err := x.redescribe(Move{Was: c.was, Rest: rest[i], Whois: r.Whois}); err != nil {
			return err
		}
	}
	return x.isolate(g, r.ID)
}

// ownSpace returns what of a range goes back to the regional registry: all that is
// not in the NIR's existing pools.
func (x *Tx) ownSpace(nir string, g inr.Range) (inr.Set, error) {
	out := inr.Of(g)
	if nir == "" {
		return inr.Set{}, nil // there is no level above
	}
	over, err := x.poolsOver(g)
	for _, p := range over {
		if p.Purpose == NIRExisting && p.NIR == nir {
			out = out.Subtract(inr.Of(p.Range))
		}
	}
	return out, err
}
