package nir

import (
	"encoding/json"
	"fmt"
	"time"
)

// approvalArgs are what a proposal to approve a second opinion names: the request
// and the last step of its evaluation, so that a signature is over what was known
// when it was given.
type approvalArgs struct {
	Request string `json:"request"`
	Step    int    `json:"step"`
	Digest  string `json:"digest"` // of what the NIR asked
}

const approveOp = "second-opinion.approve"

func init() {
	operations[approveOp] = operation{role: Approver, signers: 1, effects: approvalEffects, run: approveRequest}
}

// ProposeApproval proposes that a second opinion request be approved. An approver
// who is neither the one who proposes nor the one who submitted it has to sign.
func (x *Tx) ProposeApproval(id string) (Proposal, error) {
	if err := x.Actor.need("propose an approval", RegistryStaff); err != nil {
		return Proposal{}, err
	}
	r, e, err := x.step(id, Approve, "")
	if err != nil {
		return Proposal{}, err
	}
	return x.propose(approveOp, approvalArgs{r.ID, e.N - 1, r.Digest})
}

func approvalEffects(x *Tx, args json.RawMessage) ([]string, error) {
	r, _, err := x.approvable(args)
	if err != nil {
		return nil, err
	}
	m, err := x.Member(r.Member)
	if err != nil {
		return nil, err
	}
	return []string{
		fmt.Sprintf("request %s of %s, submitted by %s at %s, is approved", r.Ref, x.registryName(r.NIR), r.Submitter, r.Submitted.Format(time.RFC3339)),
		fmt.Sprintf("%s of %s (%s; the window is %s) are allocated to %s for member %s, %s", r.Size, r.Kind, r.Type, r.Window, x.registryName(r.NIR), r.UID, m.Name),
		fmt.Sprintf("they are registered as %s, economy %s, admin-c %s, tech-c %s", r.Netname, r.Economy, r.AdminC, r.TechC),
	}, nil
}

// approvable returns the request that a proposal names, if it still is as it was.
func (x *Tx) approvable(args json.RawMessage) (Request, *Evaluation, error) {
	var a approvalArgs
	if err := json.Unmarshal(args, &a); err != nil {
		return Request{}, nil, invalid("args", "%v", err)
	}
	r, e, err := x.step(a.Request, Approve, "")
	if err == nil && (e.N != a.Step+1 || r.Digest != a.Digest) {
		err = refuse(Conflict, "request %s has moved on since the approval was proposed", r.Ref).remedy("nirctl request approve " + r.ID)
	}
	return r, e, err
}

// approveRequest approves and allocates in the event of the signature.
func approveRequest(x *Tx, p *Proposal) (string, error) {
	r, e, err := x.approvable(p.Args)
	if err != nil {
		return "", err
	}
	signed, err := x.Approvals(p.ID)
	if err != nil {
		return "", err
	}
	for _, s := range signed {
		if s.Signer == r.Submitter {
			return "", refuse(Forbidden, "%s submitted request %s: another person has to approve it", s.Signer, r.Ref)
		}
		if err := x.apart(s.Signer, requests.name, r.ID); err != nil {
			return "", err
		}
		e.Author = s.Signer
	}
	e.Text, r.Plan = p.Reason, p.Hash
	x.respond(&r, e)
	if err := evaluations.put(x, e); err != nil {
		return "", err
	}
	if err := x.fulfil(&r); err != nil {
		return "", err
	}
	if r.State != Registered {
		return r.State + ": no pool has room", nil
	}
	text := r.State + ": " + joinRanges(r.Ranges)
	return text, x.notify(Notice{NIR: r.NIR, Code: "request-registered", Subject: r.Ref, Severity: "info", Text: text})
}

// dropApprovals withdraws what was proposed about a request that moved on.
func (x *Tx) dropApprovals(request string) error {
	list, err := proposals.find(x.View, "op = $1 AND state = 'open'", approveOp)
	if err != nil {
		return err
	}
	for _, p := range list {
		var a approvalArgs
		if err := json.Unmarshal(p.Args, &a); err != nil || a.Request != request {
			continue
		}
		p.State = Withdrawn
		if err := proposals.put(x, &p); err != nil {
			return err
		}
	}
	return nil
}
