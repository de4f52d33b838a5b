package nir

import (
	"time"

	"nirzone/nir/inr"
)

// A TracedRequest is a request and how it was decided.
type TracedRequest struct {
	ID        string          `json:"id"`
	NIR       string          `json:"nir,omitempty"`
	Ref       string          `json:"ref"`
	Act       string          `json:"act"` // allocation or second-opinion
	Kind      inr.Kind        `json:"kind"`
	Size      Size            `json:"size"`
	Window    Size            `json:"window,omitempty"` // in force when it was submitted; "" for a direct member's
	State     string          `json:"state"`
	Submitter string          `json:"submitter"`
	Submitted time.Time       `json:"submitted"`
	Answered  time.Time       `json:"answered,omitzero"`
	Steps     []TracedStep    `json:"steps,omitempty"`    // of its evaluation
	Proposal  *TracedProposal `json:"proposal,omitempty"` // that approved it
}

// A TracedStep is one step of an evaluation.
type TracedStep struct {
	N       int       `json:"n"`
	Author  string    `json:"author"`
	Verdict Verdict   `json:"verdict"`
	Text    string    `json:"text,omitempty"`
	Made    time.Time `json:"made"`
}

// A TracedProposal is what people signed, and who did.
type TracedProposal struct {
	Hash      string         `json:"hash"`
	Op        string         `json:"op"`
	Proposer  string         `json:"proposer"`
	Reason    string         `json:"reason,omitempty"`
	Made      time.Time      `json:"made"`
	State     string         `json:"state"`
	Approvals []TracedSigner `json:"approvals"`
}

// A TracedSigner is a signature under a proposal.
type TracedSigner struct {
	Signer string    `json:"signer"`
	Key    string    `json:"key"` // fingerprint
	Role   Role      `json:"role"`
	Made   time.Time `json:"made"`
}

// A TracedTransfer is a transfer and the line of it that moved the numbers.
type TracedTransfer struct {
	ID          string       `json:"id"`
	Type        TransferType `json:"type"`
	Source      string       `json:"source"`
	Destination string       `json:"destination"`
	Reason      string       `json:"reason,omitempty"`
	Ticket      string       `json:"ticket,omitempty"`
	Submitter   string       `json:"submitter"`
	Made        time.Time    `json:"made"`
	Line        inr.Range    `json:"line,omitzero"`
	Done        time.Time    `json:"done,omitzero"`
}

// A TracedImport is a file of statistics, and who confirmed it.
type TracedImport struct {
	ID       string          `json:"id"`
	File     string          `json:"file"`
	SHA256   string          `json:"sha256"`
	Registry string          `json:"registry"`
	Serial   string          `json:"serial"`
	Made     time.Time       `json:"made"`
	Proposal *TracedProposal `json:"proposal,omitempty"` // nil if no second person was wanted
}

// A TracedPool is what an NIR held before the policy, and the event that says so.
type TracedPool struct {
	ID          string      `json:"id"`
	Range       inr.Range   `json:"range"`
	NIR         string      `json:"nir"`
	Description string      `json:"description,omitempty"`
	Recorded    TracedEvent `json:"recorded"`
}

// decision tells why a delegation is there, by its evidence.
func (v *View) decision(o *Origin, who Actor, d *Delegation, depth int) (err error) {
	switch d.Evidence {
	case ByImport:
		o.Import, err = v.tracedImport(d.Request)
	case ByTransfer:
		err = v.tracedTransfer(o, who, d, depth)
	case ByExistingPool:
		if o.Pool, err = v.tracedPool(d.Pool); err == nil && d.Request != "" {
			o.Request, err = v.tracedRequest(d.Request)
		}
	default:
		o.Request, err = v.tracedRequest(d.Request)
	}
	return err
}

func (v *View) tracedRequest(id string) (*TracedRequest, error) {
	r, err := requests.get(v, id)
	if err != nil {
		return nil, err
	}
	t := &TracedRequest{
		ID: r.ID, NIR: r.NIR, Ref: r.Ref, Act: r.Act, Kind: r.Kind, Size: r.Size, Window: r.Window, State: r.State,
		Submitter: r.Submitter, Submitted: r.Submitted, Answered: r.Answered,
	}
	list, err := v.Evaluations(id)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		t.Steps = append(t.Steps, TracedStep{e.N, e.Author, e.Verdict, e.Text, e.Made})
	}
	t.Proposal, err = v.tracedProposal(r.Plan)
	return t, err
}

// tracedProposal returns the proposal of a hash with its signatures, nil for none.
func (v *View) tracedProposal(hash string) (*TracedProposal, error) {
	if hash == "" {
		return nil, nil
	}
	p, err := v.Proposal(hash)
	if err != nil {
		return nil, err
	}
	t := &TracedProposal{Hash: p.Hash, Op: p.Op, Proposer: p.Proposer, Reason: p.Reason, Made: p.Made, State: p.State, Approvals: []TracedSigner{}}
	signed, err := v.Approvals(p.ID)
	for _, a := range signed {
		t.Approvals = append(t.Approvals, TracedSigner{a.Signer, a.Key, a.Role, a.Made})
	}
	return t, err
}

func (v *View) tracedImport(id string) (*TracedImport, error) {
	im, err := importRuns.get(v, id)
	if err != nil {
		return nil, err
	}
	t := &TracedImport{ID: im.ID, File: im.File, SHA256: im.SHA256, Registry: im.Registry, Serial: im.Serial, Made: im.Made}
	t.Proposal, err = v.tracedProposal(im.Proposal)
	return t, err
}

// tracedPool returns a pool as it is, or as it was last.
func (v *View) tracedPool(id string) (*TracedPool, error) {
	list, err := pools.versions(v, id)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	p := list[len(list)-1]
	t := &TracedPool{ID: p.ID, Range: p.Range, NIR: p.NIR, Description: p.Description}
	t.Recorded, err = v.tracedEvent(list[0].Since)
	return t, err
}

// tracedTransfer tells of the transfer that a delegation stands by, and of what it
// was made of.
func (v *View) tracedTransfer(o *Origin, who Actor, d *Delegation, depth int) error {
	t, lines, err := v.Transfer(d.Request)
	if err != nil {
		return err
	}
	o.Transfer = &TracedTransfer{
		ID: t.ID, Type: t.Type, Source: v.registryName(t.Source), Destination: v.registryName(t.Destination),
		Reason: t.Reason, Ticket: t.Ticket, Submitter: t.Submitter, Made: t.Made,
	}
	ids := []string{d.ID}
	for i := range lines {
		if l := &lines[i]; l.State == TransferDone && l.Range.Overlaps(d.Range) {
			o.Transfer.Line, o.Transfer.Done = l.Range, l.Done
			ids = append(ids, l.came(d)...)
		}
	}
	was, err := v.beforeTransfer(d, ids)
	if err != nil || was == nil || depth == 0 {
		return err
	}
	o.Before, err = v.origin(who, []Delegation{*was}, depth-1)
	return err
}

// came returns the delegations that a line made a delegation of.
func (l *TransferLine) came(d *Delegation) (ids []string) {
	for _, p := range l.Parts {
		if p.Now == d.ID && p.Was != "" {
			ids = append(ids, p.Was)
		}
	}
	return ids
}

// beforeTransfer returns the last version of what a delegation was before the
// transfer that it stands by, nil if that was in another region.
func (v *View) beforeTransfer(d *Delegation, ids []string) (*Delegation, error) {
	var began int64
	var was *Delegation
	for i, id := range ids {
		list, err := delegations.versions(v, id)
		if err != nil {
			return nil, err
		}
		for j := range list {
			o := &list[j]
			moved := o.Evidence == ByTransfer && o.Request == d.Request
			switch {
			case i == 0 && moved && began == 0:
				began = o.Since
			case !moved && o.Range.Overlaps(d.Range) && (began == 0 || o.Since < began) && (was == nil || o.Since > was.Since):
				was = o
			}
		}
	}
	return was, nil
}
