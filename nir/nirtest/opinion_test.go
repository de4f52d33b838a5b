package nirtest

import (
	"maps"
	"slices"

	"pgregory.net/rapid"

	"nirzone/nir"
)

// Acts of the machine on requests that were sent: the table of docs/records.md, as
// the model has it.
var steps2 = map[string]struct {
	from []string
	to   string // "" where it depends on what room there is
}{
	"approve":  {[]string{waits}, ""},
	"ask":      {[]string{waits}, "info-requested"},
	"answer":   {[]string{"info-requested"}, waits},
	"refuse":   {[]string{waits}, "refused"},
	"withdraw": {[]string{waits, "info-requested", full}, "withdrawn"},
	"retry":    {[]string{full}, ""},
	"close":    {[]string{given}, "closed"},
}

// someRequest draws a request, most of the time one that waits for somebody.
func (k *machine) someRequest() *modelRequest {
	var open, all []*modelRequest
	for _, ref := range slices.Sorted(maps.Keys(k.m.requests)) {
		r := k.m.requests[ref]
		if all = append(all, r); slices.Contains([]string{waits, "info-requested", full}, r.state) {
			open = append(open, r)
		}
	}
	switch {
	case len(all) == 0:
		k.t.Skip("no request")
	case len(open) > 0 && rapid.IntRange(0, 5).Draw(k.t, "any request") > 0:
		all = open
	}
	return rapid.SampledFrom(all).Draw(k.t, "request")
}

// step takes a step of a request, where that is allowed.
func (k *machine) step(*rapid.T) {
	r := k.someRequest()
	verbs := []string{"ask", "answer", "answer", "refuse", "withdraw", "retry", "retry", "close", "approve", "approve", "approve"}
	verb := rapid.SampledFrom(verbs).Draw(k.t, "verb")
	s := steps2[verb]
	want := ""
	if !slices.Contains(s.from, r.state) {
		want = conflict
	}
	k.count(verb, want)
	switch verb {
	case "approve":
		k.approve(r, want)
		return
	case "retry":
		k.retry(r, want)
		return
	}
	k.do(hostmaster(k.at), want, func(x *nir.Tx) (err error) {
		switch verb {
		case "ask":
			_, err = x.AskAbout(r.id, nir.AskNIR, canary+": which part of it is in use?")
		case "answer":
			_, err = x.Answer(r.id, canary+": half of it")
		case "refuse":
			_, err = x.Refuse(r.id, canary+": it is not used")
		case "withdraw":
			_, err = x.Withdraw(r.id, canary+": no longer needed")
		case "close":
			_, err = x.CloseRequest(r.id)
		}
		return err
	})
	if want != "" {
		return
	}
	r.state = s.to
	if r.plan.hash != "" { // what was known when it was proposed is not all any more
		k.m.stale = append(k.m.stale, r.plan)
		r.plan = modelPlan{}
	}
}

// approve proposes that a request be approved, or has somebody sign who may or may
// not.
func (k *machine) approve(r *modelRequest, want string) {
	if r.plan.hash == "" || want != "" || !k.at.Before(r.plan.expires) {
		var p nir.Proposal
		k.do(hostmaster(k.at), want, func(x *nir.Tx) (err error) {
			p, err = x.ProposeApproval(r.id)
			return err
		})
		if want == "" {
			r.plan = modelPlan{p.Hash, k.at.AddDate(0, 0, proposalDays)}
		}
		if want != "" || rapid.IntRange(0, 3).Draw(k.t, "signed later") == 0 {
			return
		}
	}
	sign := func(who, want string) {
		s := k.signature(who, r.plan.hash, nir.Approver)
		k.do(admin(k.at), want, func(x *nir.Tx) error { _, err := x.Approve(r.plan.hash, s); return err })
	}
	rooms, reserved := k.m.room(r.ask), k.reservations(r.ask)
	sign("admin", string(nir.Forbidden))      // who submitted it
	sign("hostmaster", string(nir.Forbidden)) // who proposed it
	if !k.m.serves(r.ask) {
		sign("anna", conflict) // since it came
		k.tally["not served"]++
		return
	}
	sign("anna", "")
	k.m.stale = append(k.m.stale, r.plan)
	r.plan = modelPlan{}
	k.granted(r, rooms, reserved)
	k.tally["approved"]++
}

// retry allocates for a request that is held, if there is room.
func (k *machine) retry(r *modelRequest, want string) {
	rooms, reserved := k.m.room(r.ask), k.reservations(r.ask)
	if want == "" && !k.m.serves(r.ask) {
		want = conflict
	}
	k.do(admin(k.at), want, func(x *nir.Tx) error { _, err := x.RetryHeld(r.id); return err })
	if want == "" {
		k.granted(r, rooms, reserved)
	}
}

// granted judges what became of a request for which there may be room.
func (k *machine) granted(r *modelRequest, rooms []modelPool, reserved map[int][cellsOf]bool) {
	got := k.request(r)
	r.state = full
	if rooms != nil {
		r.state = given
	}
	if got.State != r.state {
		k.t.Fatalf("P4: %+v is %s, it has to be %s", r.ask, got.State, r.state)
	}
	r.held = k.cellsOf(r.ask.kind, got.Ranges)
	if r.state == given {
		i, _ := k.m.member(r.ask.nir, r.ask.uid)
		k.hand(r.ask, i, got, rooms, reserved)
	}
}

// request reads a request as the registry has it.
func (k *machine) request(r *modelRequest) (got nir.Request) {
	k.view(func(v *nir.View) (err error) {
		got, err = v.Request(r.id)
		return err
	})
	return got
}

// replay signs a proposal that was carried out, or that something else has become
// of: that does nothing (P5, P13).
func (k *machine) replay(*rapid.T) {
	if len(k.m.stale) == 0 {
		k.t.Skip("no proposal")
	}
	p := rapid.SampledFrom(k.m.stale).Draw(k.t, "proposal")
	s := k.signature("ben", p.hash, nir.Approver)
	k.do(admin(k.at), conflict, func(x *nir.Tx) error { _, err := x.Approve(p.hash, s); return err })
}
