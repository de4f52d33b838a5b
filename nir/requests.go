package nir

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"nirzone/nir/inr"
)

// A Request asks for resources for a member of an NIR: an allocation request if
// they fit into the window, a second opinion request above it (APNIC-103, section
// 3.2); or for a direct member of the regional registry, if NIR is empty.
type Request struct {
	Row
	NIR       string        `json:"nir"`
	Ref       string        `json:"ref"` // the NIR's own: the same reference is the same request for ever
	Act       string        `json:"act"` // allocation or second-opinion
	Kind      inr.Kind      `json:"kind"`
	Size      Size          `json:"size"`
	Type      string        `json:"type"`   // allocation or assignment
	Member    string        `json:"member"` // identifier of the member
	UID       string        `json:"uid"`    // what the NIR calls it
	State     string        `json:"state"`
	Submitter string        `json:"submitter"`
	Submitted time.Time     `json:"submitted"`
	Due       time.Time     `json:"due"`
	Answered  time.Time     `json:"answered"`   // when the registry first answered, zero while it owes one
	Paused    time.Time     `json:"paused"`     // since when the clock stands still, zero while it runs
	PausedFor time.Duration `json:"paused_for"` // how long it stood still before
	Window    Size          `json:"window" col:"window_size"`

	Netname string `json:"netname"`
	Descr   string `json:"descr" text:"lines"`
	Economy string `json:"economy"`
	AdminC  string `json:"admin_c"`
	TechC   string `json:"tech_c"`

	Attested      bool        `json:"attested"`                   // the NIR keeps the justification (section 3.2.1)
	Justification string      `json:"justification" text:"lines"` // of a second opinion request
	Assessment    string      `json:"assessment" text:"lines"`    // the NIR's evaluation of it
	Plan          string      `json:"plan"`                       // that approved it, "" for none
	Ranges        []inr.Range `json:"ranges"`                     // that were allocated
	Digest        string      `json:"digest"`                     // of what was asked
}

// The acts of a request.
const (
	Allocation       = "allocation"
	SecondOpinionAct = "second-opinion"
)

// The states of a request. A request within the window goes to Registered in the
// event that submits it.
const (
	Evaluating    = "evaluating"     // the registry looks at it
	InfoRequested = "info-requested" // the NIR has to answer a question
	HeldRequest   = "held"           // approved, but no pool has room
	Registered    = "registered"     // allocated, with both delegations and whois objects
	Refused       = "refused"
	Withdrawn     = "withdrawn"
)

var requests = newTable[Request]("request", "req")

// An Ask is what an NIR sends: the request, and the member's data if the NIR names
// a member that is new.
type Ask struct {
	Request
	Who Member
}

// Request returns the request of an identifier.
func (v *View) Request(id string) (Request, error) { return requests.get(v, id) }

// RequestOf returns the request that an NIR calls ref.
func (v *View) RequestOf(nir, ref string) (Request, bool, error) {
	return requests.one(v, "nir = $1 AND ref = $2", nir, ref)
}

// Requests returns the requests of an NIR in a state, the one that is due first at
// the front. Empty arguments select all.
func (v *View) Requests(nir, state string) ([]Request, error) {
	return requests.find(v, "($1 = '' OR nir = $1) AND ($2 = '' OR state = $2) ORDER BY due, submitted, id", nir, state)
}

// check refuses a request that misses what has to be registered.
func (a *Ask) check() error {
	var m mistakes
	const rule = "APNIC-103, section 3.2.1"
	if m.need("size", string(a.Size), rule); a.Size != "" {
		size, err := ParseSize(a.Kind, string(a.Size))
		m.add(err)
		a.Size = size
	}
	m.need("ref", a.Ref, rule)
	m.need("uid", a.UID, rule)
	m.need("netname", a.Netname, rule)
	m.need("admin_c", a.AdminC, rule)
	m.need("tech_c", a.TechC, rule)
	a.checkForms(&m)
	m.add(checkEconomy("economy", a.Economy))
	if a.Type != "allocation" && a.Type != "assignment" {
		m.add(invalid("type", "%.20q is not allocation or assignment", a.Type))
	}
	switch a.Act {
	case Allocation:
		if a.NIR != "" && !a.Attested {
			m.add(invalid("attested", "the NIR has to say that it keeps the justification").by(rule))
		}
	case SecondOpinionAct:
		m.need("justification", a.Justification, "APNIC-103, section 3.2.2")
		m.need("assessment", a.Assessment, "APNIC-103, section 3.2.2")
	default:
		m.add(invalid("act", "%.20q is not allocation or second-opinion", a.Act))
	}
	return m.err()
}

// checkForms refuses what no whois object can say, and texts without end.
func (a *Ask) checkForms(m *mistakes) {
	if a.Netname != "" && !netnameForm.MatchString(a.Netname) {
		m.add(invalid("netname", "%.80q is not 1 to 80 letters, digits, hyphens and underscores", a.Netname))
	}
	w := &a.Who
	for _, f := range []struct {
		field, text string
		most        int
		lines       bool // it may have several
	}{
		{"ref", a.Ref, 128, false},
		{"uid", a.UID, 128, false},
		{"admin_c", a.AdminC, 128, false},
		{"tech_c", a.TechC, 128, false},
		{"descr", a.Descr, maxText, true},
		{"justification", a.Justification, maxText, true},
		{"assessment", a.Assessment, maxText, true},
		{"name", w.Name, 1024, false},
		{"address", strings.Join(w.Address, "\n"), maxText, true},
		{"phone", w.Phone, 128, false},
		{"email", w.Email, 1024, false},
		{"abuse", w.Abuse, 1024, false},
	} {
		if len(f.text) > f.most {
			m.add(invalid(f.field, "it is longer than %d octets", f.most))
			continue
		}
		m.add(fit(f.field, f.text, f.lines))
	}
}

// digest is of what an NIR says, not of what the registry makes of it.
func (a *Ask) digest() (string, error) {
	r := a.Request
	said := Request{
		NIR: r.NIR, Ref: r.Ref, Act: r.Act, Kind: r.Kind, Size: r.Size, Type: r.Type, UID: r.UID, Netname: r.Netname, Descr: r.Descr,
		Economy: r.Economy, AdminC: r.AdminC, TechC: r.TechC, Attested: r.Attested, Justification: r.Justification, Assessment: r.Assessment,
	}
	b, err := json.Marshal(said)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), err
}

// Submit takes a request. Within the window it is allocated and registered at
// once; above it only a second opinion request is taken, which waits to be
// evaluated. The same request again gives the same answer and changes nothing.
func (x *Tx) Submit(a Ask) (Request, error) {
	r := &a.Request
	if err := x.Actor.needNIR("request resources", r.NIR); err != nil {
		return *r, err
	}
	if err := a.check(); err != nil {
		return *r, err
	}
	digest, err := a.digest()
	if err != nil {
		return *r, err
	}
	if old, found, err := x.RequestOf(r.NIR, r.Ref); err != nil || found {
		if err == nil && old.Digest != digest {
			err = refuse(Conflict, "request %s of %s is there and asks for something else", r.Ref, x.registryName(r.NIR)).
				in("ref").remedy("give a new request a reference of its own")
		}
		return old, err
	}
	r.Digest, r.Submitter, r.Submitted = digest, x.Actor.Name, x.Actor.At
	if err := x.Rules.local(&a); err != nil { // a request that is there is judged no more
		return *r, err
	}
	if err := x.admit(&a); err != nil {
		return *r, err
	}
	x.act("request.submit")
	if r.Act == SecondOpinionAct {
		r.State = Evaluating
		r.Due = x.Rules.due(r.Submitted, x.Rules.ResponseDays, r.Economy)
		return *r, requests.put(x, r)
	}
	r.Due = x.Rules.due(r.Submitted, x.Rules.AllocationDays, r.Economy)
	return *r, x.fulfil(r)
}

// admit compares a request with the member and the window.
func (x *Tx) admit(a *Ask) error {
	r := &a.Request
	if r.NIR != "" {
		n, err := x.NIR(r.NIR)
		if err != nil {
			return err
		}
		if n.State != Active {
			return refuse(Conflict, "%s is in state %s: requests are of active NIRs", n.Code, n.State).remedy("nirctl nir activate " + n.Code)
		}
		if err := x.judgeSize(r); err != nil {
			return err
		}
	}
	m, s, err := x.memberFor(r.NIR, r.UID, a.Who)
	if err != nil {
		return fmt.Errorf("member %s: %w", r.UID, err)
	}
	r.Member = m.ID
	ok := s.Serves
	if !ok {
		s, ok, err = memberships.one(x.View, "member = $1 AND serves = 1", m.ID)
	}
	switch {
	case err != nil:
		return err
	case !ok:
		return refuse(Conflict, "requests of %s are served by nobody", m.Name).by("APNIC-103, section 4.1").
			remedy("nirctl member serve " + x.registryName(r.NIR) + "/" + r.UID + " " + x.registryName(r.NIR))
	case s.NIR != r.NIR:
		return refuse(Conflict, "requests of %s are served by %s", m.Name, x.registryName(s.NIR)).by("APNIC-103, section 4.1").
			remedy("request through " + x.registryName(s.NIR))
	}
	return nil
}

// judgeSize compares a request with the window in force.
func (x *Tx) judgeSize(r *Request) error {
	w, err := x.Window(r.NIR, r.Kind)
	if err != nil {
		return err
	}
	r.Window = w.Size
	switch above := r.Size.Count(r.Kind).Cmp(w.Size.Count(r.Kind)) > 0; {
	case above && r.Act == Allocation:
		return refuse(SecondOpinion, "%s is more than the allocation window of %s, %s", r.Size, r.NIR, w.Size).
			in("size").by("APNIC-103, section 3.2.2").remedy("send a second opinion request, with justification and assessment")
	case !above && r.Act == SecondOpinionAct:
		return refuse(Conflict, "%s is within the allocation window of %s, %s", r.Size, r.NIR, w.Size).
			in("act").by("APNIC-103, section 3.2.1").remedy("send an allocation request: it needs no justification")
	}
	return nil
}

// fulfil allocates what a request asks for and registers it: delegations, whois
// objects and the request's end are one event. If no pool has room the request is
// held.
func (x *Tx) fulfil(r *Request) error {
	held := r.State == HeldRequest
	if r.ID != "" { // it waited: what was true when it came may not be any more
		if err := x.stillServed(r); err != nil {
			return err
		}
	}
	if held { // not stuck any more, if it was
		if err := x.settle("", "request-stuck", r.NIR+"/"+r.Ref); err != nil {
			return err
		}
	}
	taken, err := x.take(r)
	if CodeOf(err) == Exhausted {
		if held {
			return nil // as it is
		}
		r.State = HeldRequest
		if err := x.notify(Notice{Code: "pool-exhausted", Subject: r.NIR + "/" + r.Ref, Severity: "alarm", Text: err.Error()}); err != nil {
			return err
		}
		return requests.put(x, r)
	}
	if err != nil {
		return err
	}
	write := requests.put
	if r.ID == "" {
		r.ID, write = x.newID(requests.prefix), requests.add
	}
	for _, t := range taken {
		if err := x.hand(r, t); err != nil {
			return err
		}
		r.Ranges = append(r.Ranges, t.rng)
	}
	r.State = Registered
	if r.Answered.IsZero() {
		r.Answered = x.Actor.At
	}
	if err := x.noticeSplitting(r); err != nil {
		return err
	}
	if err := write(x, r); err != nil {
		return err
	}
	if err := x.tellRegistered(r); err != nil {
		return err
	}
	if !held {
		return nil
	}
	return x.settle("", "pool-exhausted", r.NIR+"/"+r.Ref)
}

// stillServed refuses a request whose NIR is not active, or whose member it does
// not serve any more.
func (x *Tx) stillServed(r *Request) error {
	const rule = "APNIC-103, section 4.1"
	withdraw := "nirctl request withdraw " + r.ID
	switch n, err := x.NIR(r.NIR); {
	case r.NIR == "": // a direct member's
	case err != nil:
		return err
	case n.State != Active:
		return refuse(Conflict, "request %s: %s is in state %s: requests are of active NIRs", r.Ref, n.Code, n.State).by(rule).remedy(withdraw)
	}
	s, ok, err := memberships.one(x.View, "member = $1 AND serves = 1", r.Member)
	if err == nil && (!ok || s.NIR != r.NIR) {
		err = refuse(Conflict, "request %s: %s does not serve %s any more", r.Ref, x.registryName(r.NIR), r.UID).by(rule).
			remedy(withdraw + ", and request through who serves the member")
	}
	return err
}

// hand records the delegations of one range (APNIC-103, section 3.2: from the
// regional registry to the NIR, and from the NIR to its member).
func (x *Tx) hand(r *Request, t taken) error {
	d := Delegation{
		Range: t.rng, Type: r.Type, Economy: r.Economy, NIR: r.NIR, Date: x.Actor.At, Evidence: r.evidence(t), Request: r.ID, Pool: t.pool,
	}
	var list []*Delegation
	if r.NIR != "" && !t.existing { // an existing pool is the NIR's already
		first := d
		first.Level = RIRToNIR
		list = append(list, &first)
	}
	d.Level, d.Member = NIRToMember, r.Member
	if r.NIR == "" {
		d.Level = RIRToMember
	}
	if err := x.addDelegations(append(list, &d)...); err != nil {
		return err
	}
	return x.describe(&d, r)
}

func (r *Request) evidence(t taken) Evidence {
	switch {
	case t.existing:
		return ByExistingPool
	case r.Act == SecondOpinionAct:
		return BySecondOpinion
	}
	return ByRequest
}

// noticeSplitting tells the registry, and blocks nothing, when what a member got
// within the window of late is more than the window. r is what it gets now.
func (x *Tx) noticeSplitting(r *Request) error {
	if r.NIR == "" || r.Act != Allocation {
		return nil
	}
	since := x.Actor.At.AddDate(0, 0, -x.Rules.SplitDays)
	list, err := requests.find(x.View, "member = $1 AND submitted >= $2 AND kind = $3 AND act = 'allocation' AND state IN ('registered', 'closed')",
		r.Member, micros(since), r.Kind.String())
	if !r.Submitted.Before(since) { // one that was held may be older
		list = append(list, *r)
	}
	if err != nil || len(list) < 2 {
		return err
	}
	sum := list[0].Size.Count(r.Kind)
	for _, o := range list[1:] {
		sum.Add(sum, o.Size.Count(r.Kind))
	}
	if sum.Cmp(r.Window.Count(r.Kind)) <= 0 {
		return nil
	}
	return x.notify(Notice{
		Code: "window-splitting", Subject: r.NIR + "/" + r.UID, Severity: "warning",
		Text: fmt.Sprintf("%d requests for %s within %d days make %s of %s, the window is %s", len(list), r.UID, x.Rules.SplitDays, sum, r.Kind, r.Window),
	})
}
