package nir

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// An Evaluation is one step of a request's evaluation (APNIC-103, section 3.2.2):
// a question, an answer, a decision. Steps are numbered and never altered.
type Evaluation struct {
	Row
	Request string    `json:"request"`
	N       int       `json:"n"` // from 1
	Author  string    `json:"author"`
	Verdict Verdict   `json:"verdict"`
	Text    string    `json:"text" text:"lines"`
	Made    time.Time `json:"made"`
	Due     time.Time `json:"due"` // when the registry's answer was due that this is; zero for the NIR's steps
}

var evaluations = newTable[Evaluation]("evaluation", "evl")

// A Verdict is what a step does to a request.
type Verdict string

// The verdicts. Questions to the applicant go through the NIR as well.
const (
	AskNIR       Verdict = "ask-nir"
	AskApplicant Verdict = "ask-applicant"
	Answer       Verdict = "answer"
	Approve      Verdict = "approve"
	Refuse       Verdict = "refuse"
	Withdraw     Verdict = "withdraw"
	Retry        Verdict = "retry"
	Close        Verdict = "close"
)

// ClosedRequest is the state of a request that was registered and of which the
// NIR has said that nothing is left to do.
const ClosedRequest = "closed"

// moves say in which states a request may take a step. Where a step leads to is
// said where it is taken: approval leads to registered or held.
var moves = map[Verdict][]string{
	AskNIR:       {Evaluating},
	AskApplicant: {Evaluating},
	Answer:       {InfoRequested},
	Approve:      {Evaluating},
	Refuse:       {Evaluating},
	Withdraw:     {Evaluating, InfoRequested, HeldRequest},
	Retry:        {HeldRequest},
	Close:        {Registered},
}

// Verdicts returns the steps that a request may take in a state, sorted.
func Verdicts(state string) []Verdict {
	var list []Verdict
	for v, from := range moves {
		if slices.Contains(from, state) {
			list = append(list, v)
		}
	}
	slices.Sort(list)
	return list
}

// verdictActs are the methods by which steps are taken.
var verdictActs = map[Verdict]string{
	AskNIR: "AskAbout", AskApplicant: "AskAbout", Answer: "Answer", Approve: "ProposeApproval", Refuse: "Refuse",
	Withdraw: "Withdraw", Retry: "RetryHeld", Close: "CloseRequest",
}

// VerdictsFor returns those of the steps that a request may take in a state that
// somebody's roles allow.
func VerdictsFor(state string, a Actor) []Verdict {
	return slices.DeleteFunc(Verdicts(state), func(v Verdict) bool { return !a.Has(acts[verdictActs[v]]...) })
}

// Evaluations returns the steps of a request's evaluation, in order.
func (v *View) Evaluations(request string) ([]Evaluation, error) {
	return evaluations.find(v, "request = $1 ORDER BY n", request)
}

// step returns the request if it may take a step, and the step to be recorded.
func (x *Tx) step(id string, v Verdict, text string) (Request, *Evaluation, error) {
	r, err := x.Request(id)
	if err != nil {
		return r, nil, err
	}
	if from := moves[v]; !slices.Contains(from, r.State) {
		return r, nil, refuse(Conflict, "request %s of %s is %s: %s needs it to be %s", r.Ref, x.registryName(r.NIR), r.State, v, strings.Join(from, " or ")).
			in("state").remedy("nirctl request view " + r.ID)
	}
	list, err := x.Evaluations(id)
	if err != nil {
		return r, nil, err
	}
	x.act("request." + string(v))
	return r, &Evaluation{Request: id, N: len(list) + 1, Author: x.Actor.Name, Verdict: v, Text: text, Made: x.Actor.At}, nil
}

// settleStep records a step and the request as it is after it.
func (x *Tx) settleStep(r *Request, e *Evaluation) error {
	if err := evaluations.put(x, e); err != nil {
		return err
	}
	return requests.put(x, r)
}

// AskAbout asks the NIR something about its second opinion request, or the
// applicant through the NIR. The clock stands still until [Tx.Answer].
func (x *Tx) AskAbout(id string, whom Verdict, question string) (Request, error) {
	if err := x.Actor.need("ask about a request", RegistryStaff); err != nil {
		return Request{}, err
	}
	if whom != AskNIR && whom != AskApplicant {
		return Request{}, invalid("whom", "%.20q is neither %s nor %s", string(whom), AskNIR, AskApplicant)
	}
	if err := needText("question", question); err != nil {
		return Request{}, err
	}
	r, e, err := x.step(id, whom, question)
	if err != nil {
		return r, err
	}
	x.respond(&r, e)
	r.State, r.Paused = InfoRequested, x.Actor.At
	if err := x.dropApprovals(r.ID); err != nil {
		return r, err
	}
	err = x.notify(Notice{NIR: r.NIR, Code: "question", Subject: r.Ref, Severity: "warning", Text: question})
	if err != nil {
		return r, err
	}
	return r, x.settleStep(&r, e)
}

// Answer answers a question of the registry. The clock goes on: the registry has
// the working time left that it had when it asked.
func (x *Tx) Answer(id, text string) (Request, error) {
	r, err := x.stepOfNIR(id, "answer for a request")
	if err != nil {
		return r, err
	}
	if err := needText("answer", text); err != nil {
		return r, err
	}
	r, e, err := x.step(id, Answer, text)
	if err != nil {
		return r, err
	}
	left := x.Rules.worked(r.Paused, r.Due, r.Economy)
	r.Due = x.Rules.after(x.Actor.At, left, r.Economy)
	r.PausedFor += x.Actor.At.Sub(r.Paused)
	r.State, r.Paused, r.Answered = Evaluating, time.Time{}, time.Time{}
	if err := x.settle(r.NIR, "question", r.Ref); err != nil {
		return r, err
	}
	return r, x.settleStep(&r, e)
}

// Refuse ends a second opinion request without an allocation.
func (x *Tx) Refuse(id, why string) (Request, error) {
	if err := x.Actor.need("refuse a request", RegistryStaff); err != nil {
		return Request{}, err
	}
	if err := needText("reason", why); err != nil {
		return Request{}, err
	}
	r, e, err := x.step(id, Refuse, why)
	if err != nil {
		return r, err
	}
	x.respond(&r, e)
	r.State = Refused
	if err := x.dropApprovals(r.ID); err != nil {
		return r, err
	}
	err = x.notify(Notice{NIR: r.NIR, Code: "request-refused", Subject: r.Ref, Severity: "warning", Text: why})
	if err != nil {
		return r, err
	}
	return r, x.settleStep(&r, e)
}

// Withdraw ends a request that is open, on behalf of who made it.
func (x *Tx) Withdraw(id, why string) (Request, error) {
	r, err := x.stepOfNIR(id, "withdraw a request")
	if err != nil {
		return r, err
	}
	r, e, err := x.step(id, Withdraw, why)
	if err != nil {
		return r, err
	}
	was := r.State
	r.State, r.Paused = Withdrawn, time.Time{}
	if r.Answered.IsZero() { // nobody waits for an answer any more
		r.Answered = x.Actor.At
	}
	if err := x.dropApprovals(r.ID); err != nil {
		return r, err
	}
	if was == HeldRequest {
		if err := errors.Join(x.settle("", "pool-exhausted", r.NIR+"/"+r.Ref), x.settle("", "request-stuck", r.NIR+"/"+r.Ref)); err != nil {
			return r, err
		}
	}
	if err := x.settle(r.NIR, "question", r.Ref); err != nil {
		return r, err
	}
	return r, x.settleStep(&r, e)
}

// CloseRequest says that nothing is left to do about a request that was
// registered.
func (x *Tx) CloseRequest(id string) (Request, error) {
	r, err := x.stepOfNIR(id, "close a request")
	if err != nil {
		return r, err
	}
	r, e, err := x.step(id, Close, "")
	if err != nil {
		return r, err
	}
	r.State = ClosedRequest
	if err := x.settle(r.NIR, "request-registered", r.Ref); err != nil {
		return r, err
	}
	return r, x.settleStep(&r, e)
}

// RetryHeld allocates what a held request asks for, if there is room now; if
// there is none it stays held and nothing changes.
func (x *Tx) RetryHeld(id string) (Request, error) {
	if err := x.Actor.need("allocate for a held request", RegistryStaff, Admin); err != nil {
		return Request{}, err
	}
	r, e, err := x.step(id, Retry, "")
	if err != nil {
		return r, err
	}
	if err := x.fulfil(&r); err != nil || r.State == HeldRequest {
		return r, err
	}
	return r, evaluations.put(x, e)
}

// RetryAll is [Tx.RetryHeld] for every held request, the oldest first. It returns
// those that were allocated. Of one that cannot be allocated for its member any
// more the registry is told, and the others go on.
func (x *Tx) RetryAll() ([]Request, error) {
	if err := x.Actor.need("allocate for a held request", RegistryStaff, Admin); err != nil {
		return nil, err
	}
	list, err := requests.find(x.View, "state = 'held' ORDER BY submitted, id")
	if err != nil {
		return nil, err
	}
	var done []Request
	for _, r := range list {
		if err := x.stillServed(&r); CodeOf(err) == Conflict { // nothing was written of it
			if err := x.notify(Notice{Code: "request-stuck", Subject: r.NIR + "/" + r.Ref, Severity: "warning", Text: err.Error()}); err != nil {
				return done, err
			}
			continue
		}
		r, err := x.RetryHeld(r.ID)
		if err != nil {
			return done, fmt.Errorf("request %s of %s: %w", r.Ref, x.registryName(r.NIR), err)
		}
		if r.State == Registered {
			done = append(done, r)
		}
	}
	return done, nil
}

// stepOfNIR returns a request that the actor may act for.
func (x *Tx) stepOfNIR(id, act string) (Request, error) {
	if err := x.Actor.need(act, NIRStaff, RegistryStaff, Admin); err != nil {
		return Request{}, err
	}
	r, err := x.Request(id)
	if err != nil {
		return r, err
	}
	return r, x.Actor.needNIR(act, r.NIR)
}

// respond notes that a step is the registry's answer, and when it was due.
func (x *Tx) respond(r *Request, e *Evaluation) {
	e.Due = r.Due
	r.Answered = x.Actor.At
}

func needText(field, s string) error {
	var m mistakes
	m.need(field, strings.TrimSpace(s), "APNIC-103, section 3.2.2")
	if len(s) > maxText {
		m.add(invalid(field, "it is longer than %d octets", maxText))
	}
	return m.err()
}

// maxText bounds what people write in an evaluation.
const maxText = 64 << 10
