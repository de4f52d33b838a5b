package nir

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// releaseArgs are what two approvers sign: exactly these fields with these values.
type releaseArgs struct {
	Disclosure string          `json:"disclosure"`
	Items      []DisclosedItem `json:"items"`
	Digest     string          `json:"digest"`
}

const releaseOp = "disclosure.release"

func init() {
	operations[releaseOp] = operation{role: Approver, signers: 2, effects: releaseEffects, run: release}
}

// ProposeRelease proposes to disclose fields that are not public. It needs a
// legal basis and two approvers, neither of them the one who proposes.
func (x *Tx) ProposeRelease(id string, items []DisclosedItem) (Proposal, error) {
	if err := x.Actor.need("propose a disclosure", RegistryStaff); err != nil {
		return Proposal{}, err
	}
	if _, err := x.openDisclosure(id); err != nil {
		return Proposal{}, err
	}
	text, err := x.content(items)
	if err != nil {
		return Proposal{}, err
	}
	sum := sha256.Sum256(text)
	return x.propose(releaseOp, releaseArgs{id, items, hex.EncodeToString(sum[:])})
}

func releaseEffects(x *Tx, args json.RawMessage) ([]string, error) {
	d, a, err := x.releasable(args)
	if err != nil {
		return nil, err
	}
	effects := []string{
		fmt.Sprintf("disclosed to %s (%s), reference %s, by %s: %s", d.Requester, d.Jurisdiction, d.Ref, d.Basis, d.Document),
		"asked for: " + d.Scope,
	}
	for _, i := range a.Items {
		for _, f := range i.Fields {
			word := "not public"
			if slices.Contains(public[i.Kind], f) {
				word = "public"
			}
			effects = append(effects, fmt.Sprintf("%s %s: %s (%s)", i.Kind, i.ID, f, word))
		}
	}
	return effects, nil
}

func (x *Tx) releasable(args json.RawMessage) (Disclosure, releaseArgs, error) {
	var a releaseArgs
	if err := json.Unmarshal(args, &a); err != nil {
		return Disclosure{}, a, invalid("args", "%v", err)
	}
	d, err := x.openDisclosure(a.Disclosure)
	if err == nil && d.Basis == NoBasis {
		err = refuse(Forbidden, "disclosure %s has no legal basis: only public data may be disclosed", d.Ref).by("R-SEC-4")
	}
	return d, a, err
}

// release discloses in the event of the second signature, unless the values are
// no longer those that were signed.
func release(x *Tx, p *Proposal) (string, error) {
	d, a, err := x.releasable(p.Args)
	if err != nil {
		return "", err
	}
	signed, err := x.Approvals(p.ID)
	if err != nil {
		return "", err
	}
	for _, s := range signed {
		d.Approvers = append(d.Approvers, s.Signer)
	}
	slices.Sort(d.Approvers)
	d.State, d.Proposal = DisclosureReleased, p.Hash
	x.act("disclosure.release")
	if d, err = x.disclose(d, a.Items, p.Reason); err != nil {
		return "", err
	}
	if d.Digest != a.Digest {
		return "", refuse(Conflict, "what would be disclosed has changed since it was signed").remedy("propose it again")
	}
	return fmt.Sprintf("%s, sha256 %s", plural(len(d.Items), "object"), d.Digest), nil
}
