package nir

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// A Proposal is a change that waits for a second person: it is carried out when
// enough people have signed its [Proposal.Text]. What was signed is stored with
// the signatures, so that anybody who has the list of signers can verify it.
type Proposal struct {
	Row
	Op       string          `json:"op"`
	Args     json.RawMessage `json:"args"`
	Effects  []string        `json:"effects" text:"lines"` // what it will do, a line each, as of when it was made
	Hash     string          `json:"hash"`                 // SHA-256 of Text, hex
	Proposer string          `json:"proposer"`
	Reason   string          `json:"reason" text:"lines"`
	Made     time.Time       `json:"made"`
	Expires  time.Time       `json:"expires"`
	State    string          `json:"state"` // open, done, withdrawn, expired
	Result   string          `json:"result" text:"lines"`
}

// An Approval is a person's signature over a proposal's text.
type Approval struct {
	Row
	Proposal  string    `json:"proposal"`
	Signer    string    `json:"signer"` // name in the list of signers
	Key       string    `json:"key"`    // its fingerprint
	Role      Role      `json:"role"`
	Signature string    `json:"signature" text:"lines"` // armored (ssh-keygen -Y sign)
	Made      time.Time `json:"made"`
}

var (
	proposals = newTable[Proposal]("proposal", "prp")
	approvals = newTable[Approval]("approval", "apr")
)

// The states of a proposal.
const (
	ProposalOpen    = "open"
	ProposalDone    = "done"
	ProposalExpired = "expired"
)

// A Verifier checks a signature over a text by a key that is listed for a role,
// and returns whose key it is and the key's fingerprint.
type Verifier interface {
	VerifySignature(role Role, text []byte, signature string, at time.Time) (signer, key string, err error)
}

// An operation is what a proposal may do. Its effects are as the registry is now,
// whoever asks.
type operation struct {
	role    Role // that a signer needs
	signers int  // how many have to sign, none of them the proposer
	effects func(x *Tx, args json.RawMessage) ([]string, error)
	run     func(x *Tx, p *Proposal) (result string, err error)
}

// operations are all that a proposal may do, by name: filled at initialisation.
var operations = map[string]operation{}

// Text is what a signer signs: everything that is proposed, in one form.
func (p *Proposal) Text() []byte {
	b, err := json.MarshalIndent(map[string]any{ // keys are sorted
		"version": 1, "op": p.Op, "args": p.Args, "effects": p.Effects, "proposer": p.Proposer, "reason": p.Reason,
		"made": p.Made.UTC().Format(time.RFC3339Nano), "expires": p.Expires.UTC().Format(time.RFC3339Nano),
	}, "", "  ")
	if err != nil {
		panic("nir: encoding a proposal: " + err.Error()) // it was decoded from JSON
	}
	return append(b, '\n')
}

// proposalLife is for how long a proposal may be approved.
func (r Rules) proposalLife() time.Duration {
	days := r.ProposalDays
	if days == 0 {
		days = 30
	}
	return time.Duration(days) * 24 * time.Hour
}

// StateAt returns the state of a proposal as of a time: one that is open is expired
// when its time is over, also before [Tx.RunDue] has recorded that.
func (p *Proposal) StateAt(now time.Time) string {
	if p.State == ProposalOpen && !now.Before(p.Expires) {
		return ProposalExpired
	}
	return p.State
}

// expireProposals records of the open proposals whose time is over that they
// expired, and returns how many there were.
func (x *Tx) expireProposals() (int, error) {
	list, err := proposals.find(x.View, "state = 'open' AND expires <= $1 ORDER BY expires, id", micros(x.Actor.At))
	if err != nil || len(list) == 0 {
		return 0, err
	}
	x.act("proposal.expire")
	for i := range list {
		list[i].State = ProposalExpired
		if err := proposals.put(x, &list[i]); err != nil {
			return i, err
		}
	}
	return len(list), nil
}

// propose records a change that waits for other people's signatures; who may is the
// caller's to say. The same change, proposed again while it is open, is the same
// proposal, unless its effects would be others now: then that one is withdrawn.
func (x *Tx) propose(op string, args any) (Proposal, error) {
	o, ok := operations[op]
	if !ok {
		return Proposal{}, invalid("op", "there is no operation %.40q", op)
	}
	if err := fitting(args); err != nil {
		return Proposal{}, err
	}
	b, err := json.Marshal(args)
	if err != nil {
		return Proposal{}, fmt.Errorf("proposing %s: %w", op, err)
	}
	p := Proposal{Op: op, Args: b, Proposer: x.Actor.Name, Reason: x.Actor.Reason, Made: x.Actor.At, Expires: x.Actor.At.Add(x.Rules.proposalLife()), State: ProposalOpen}
	if p.Effects, err = o.effects(x, b); err != nil {
		return p, err
	}
	old, found, err := proposals.one(x.View, "op = $1 AND args = $2 AND state = 'open' AND expires > $3", op, string(b), micros(x.Actor.At))
	if err != nil || found && slices.Equal(old.Effects, p.Effects) {
		return old, err
	}
	if found {
		old.State = Withdrawn
		if err := proposals.put(x, &old); err != nil {
			return p, err
		}
	}
	sum := sha256.Sum256(p.Text())
	p.Hash = hex.EncodeToString(sum[:])
	x.act("proposal.make")
	return p, proposals.put(x, &p)
}

// Proposal returns the proposal whose hash begins with a prefix.
func (v *View) Proposal(prefix string) (Proposal, error) {
	if len(prefix) < 8 {
		return Proposal{}, invalid("hash", "%.20q is too short: eight digits at least", prefix)
	}
	list, err := proposals.find(v, "hash >= $1 AND hash < $2 ORDER BY hash LIMIT 2", prefix, prefix+"g")
	switch {
	case err != nil:
		return Proposal{}, err
	case len(list) == 0:
		return Proposal{}, refuse(NotFound, "no proposal begins with %.64q", prefix).remedy("nirctl approve --list")
	case len(list) > 1:
		return Proposal{}, refuse(Conflict, "several proposals begin with %.64q", prefix)
	}
	return list[0], nil
}

// Proposals returns the proposals in a state, the newest first.
func (v *View) Proposals(state string) ([]Proposal, error) {
	return proposals.find(v, "($1 = '' OR state = $1) ORDER BY made DESC, id", state)
}

// Approvals returns the signatures of a proposal.
func (v *View) Approvals(proposal string) ([]Approval, error) {
	return approvals.find(v, "proposal = $1 ORDER BY made, id", proposal)
}

// Approve stores a signature, and with the last one that is needed carries the
// proposal out: signature and change are one event.
func (x *Tx) Approve(hash, signature string) (Proposal, error) {
	p, err := x.Proposal(hash)
	if err != nil {
		return p, err
	}
	o, known := operations[p.Op]
	switch {
	case !known:
		return p, refuse(Conflict, "this program knows no operation %s", p.Op)
	case p.StateAt(x.Actor.At) == ProposalExpired:
		return p, refuse(Conflict, "proposal %.12s expired at %s", p.Hash, p.Expires.Format(time.RFC3339)).remedy("propose it again")
	case p.State != ProposalOpen:
		return p, refuse(Conflict, "proposal %.12s is %s", p.Hash, p.State)
	case x.db.o.Signers == nil:
		return p, refuse(Conflict, "there is no list of signers").remedy("name it in nirzone.toml: [nirctl] signers = \"signers\"")
	}
	signer, key, err := x.db.o.Signers.VerifySignature(o.role, p.Text(), signature, x.Actor.At)
	if err != nil {
		return p, refuse(Forbidden, "%v", err)
	}
	if signer == p.Proposer {
		return p, refuse(Forbidden, "%s proposed it: another person has to approve it", signer)
	}
	if err := x.apart(signer, proposals.name, p.ID); err != nil {
		return p, err
	}
	if err := x.asShown(&p, o); err != nil {
		return p, err
	}
	a := Approval{Proposal: p.ID, Signer: signer, Key: key, Role: o.role, Signature: signature, Made: x.Actor.At}
	have, err := x.valid(&p, o.role)
	if err != nil {
		return p, err
	}
	for _, h := range have {
		if h.Signer == signer || h.Key == key {
			return p, refuse(Conflict, "%s has signed proposal %.12s already", signer, p.Hash)
		}
	}
	x.act("proposal.approve")
	if err := approvals.put(x, &a); err != nil || len(have)+1 < o.signers {
		return p, err
	}
	return p, x.carryOut(&p, o)
}

// Signs is the role that signs it, which is in the namespace of the signatures.
func (p *Proposal) Signs() Role { return operations[p.Op].role }

// asShown refuses a proposal whose effects would be others now than those in its
// text: they were signed, and nothing else.
func (x *Tx) asShown(p *Proposal, o operation) error {
	acts := slices.Clone(x.acts) // telling is not doing
	now, err := o.effects(x, p.Args)
	x.acts = acts
	if err != nil {
		return fmt.Errorf("carrying out %s: %w", p.Op, err)
	}
	if slices.Equal(now, p.Effects) {
		return nil
	}
	i := 0
	for i < min(len(now), len(p.Effects)) && now[i] == p.Effects[i] {
		i++
	}
	text := "less would be done"
	if i < len(now) {
		text = "now it would: " + now[i]
	}
	return refuse(Conflict, "the registry has changed since proposal %.12s was made: %s", p.Hash, text).remedy("propose it again")
}

// valid returns the signatures of a proposal that hold today. One whose key is not
// listed any more, or is somebody else's, ends: it counts no more, and its signer
// may sign again.
func (x *Tx) valid(p *Proposal, role Role) ([]Approval, error) {
	list, err := x.Approvals(p.ID)
	var have []Approval
	for _, a := range list {
		signer, key, bad := x.db.o.Signers.VerifySignature(role, p.Text(), a.Signature, x.Actor.At)
		if bad == nil && signer == a.Signer && key == a.Key {
			have = append(have, a)
			continue
		}
		if err := approvals.end(x, a.ID); err != nil {
			return have, err
		}
	}
	return have, err
}

func (x *Tx) carryOut(p *Proposal, o operation) error {
	result, err := o.run(x, p)
	if err != nil {
		return fmt.Errorf("carrying out %s: %w", p.Op, err)
	}
	p.State, p.Result = ProposalDone, result
	return proposals.put(x, p)
}

// WithdrawProposal ends a proposal that is open.
func (x *Tx) WithdrawProposal(hash string) (Proposal, error) {
	p, err := x.Proposal(hash)
	if err != nil {
		return p, err
	}
	if p.Proposer != x.Actor.Name && !x.Actor.Has(Admin) {
		return p, refuse(Forbidden, "%s was proposed by %s", p.Op, p.Proposer)
	}
	if p.State != ProposalOpen {
		return p, refuse(Conflict, "proposal %.12s is %s", p.Hash, p.State)
	}
	x.act("proposal.withdraw")
	p.State = Withdrawn
	return p, proposals.put(x, &p)
}
