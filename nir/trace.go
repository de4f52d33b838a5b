package nir

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"nirzone/nir/inr"
)

// A Trace leads from resources to the decisions by which somebody holds them.
type Trace struct {
	Event   int64     `json:"event,omitzero"` // of the state that it is about
	Time    time.Time `json:"time,omitzero"`  // of that event
	Origins []Origin  `json:"origins"`
	Count   int       `json:"count"` // of origins; there may be more than are here
}

// An Origin is one decision, and the delegations of one place that stand by it:
// the record of it that the delegations name, and the people who signed it.
// Which of Request, Transfer, Import and Pool is there follows from Evidence.
type Origin struct {
	Delegations []TracedDelegation `json:"delegations"` // the most specific first
	Evidence    Evidence           `json:"evidence,omitempty"`
	Request     *TracedRequest     `json:"request,omitempty"`
	Transfer    *TracedTransfer    `json:"transfer,omitempty"`
	Import      *TracedImport      `json:"import,omitempty"`
	Pool        *TracedPool        `json:"pool,omitempty"` // that an NIR held before the policy
	Before      *Origin            `json:"before,omitempty"`
	Withheld    bool               `json:"withheld,omitempty"` // why it is so is for the registry and its NIR alone
}

// A TracedDelegation is a delegation with the names of who has it, and the event
// that wrote it as it is.
type TracedDelegation struct {
	ID       string      `json:"id"`
	Level    Level       `json:"level"`
	Range    inr.Range   `json:"range"`
	Type     string      `json:"type"`
	Economy  string      `json:"economy,omitempty"`
	Giver    string      `json:"giver"`   // code of the registry that delegates it
	Manager  string      `json:"manager"` // code of the NIR, or the regional registry's
	Holder   string      `json:"holder"`  // name of the member, or the manager
	UID      string      `json:"uid,omitempty"`
	Date     time.Time   `json:"date"`
	Recorded TracedEvent `json:"recorded,omitzero"`
}

// A TracedEvent is an event without what it changed.
type TracedEvent struct {
	Event  int64     `json:"event"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Act    string    `json:"act"`
	Reason string    `json:"reason,omitempty"`
}

// maxOrigins bounds the origins of a trace: a range may have thousands of holders.
const maxOrigins = 20

// maxBefore bounds how many transfers a trace goes back.
const maxBefore = 16

// Trace returns by which decisions the numbers of a range are held, the most
// specific delegations first: to members, then to NIRs. What is not public of them
// is left out for who may not see it.
func (v *View) Trace(who Actor, r inr.Range) (Trace, error) {
	t := Trace{Origins: []Origin{}}
	var err error
	if t.Event, err = v.Event(); err != nil || t.Event == 0 {
		return t, err
	}
	if t.Time, err = v.eventTime(t.Event); err != nil {
		return t, err
	}
	var groups [][]Delegation
	for _, l := range []Level{NIRToMember, RIRToMember, RIRToNIR} {
		list, err := v.Within(l, r)
		if err != nil {
			return t, fmt.Errorf("tracing %s: %w", r, err)
		}
		groups = joinOrigins(groups, list)
	}
	t.Count = len(groups)
	for _, g := range groups[:min(len(groups), maxOrigins)] {
		o, err := v.origin(who, g, maxBefore)
		if err != nil {
			return t, fmt.Errorf("tracing %s: %w", g[0].Range, err)
		}
		t.Origins = append(t.Origins, *o)
	}
	return t, nil
}

// joinOrigins puts delegations beside those of the level below that the same
// decision made of the same numbers.
func joinOrigins(groups [][]Delegation, list []Delegation) [][]Delegation {
	for _, d := range list {
		i := slices.IndexFunc(groups, func(g []Delegation) bool {
			o := &g[0]
			return o.Level != d.Level && o.Evidence == d.Evidence && o.Request == d.Request && o.NIR == d.NIR && d.Range.Contains(o.Range) && d.Request != ""
		})
		if i < 0 {
			groups = append(groups, []Delegation{d})
			continue
		}
		groups[i] = append(groups[i], d)
	}
	return groups
}

// sees reports whether an actor may see what is not public of an NIR's records;
// the code is empty for the regional registry's own.
func (a Actor) sees(code string) bool {
	return a.Has(RegistryStaff, Approver, Auditor, Admin) || a.Has(NIRStaff) && a.NIR == code && code != ""
}

// origin tells of delegations that one decision made.
func (v *View) origin(who Actor, list []Delegation, depth int) (*Origin, error) {
	first := &list[0]
	o := &Origin{Withheld: !who.sees(first.NIR)}
	for i := range list {
		d, err := v.traced(&list[i], o.Withheld)
		if err != nil {
			return nil, err
		}
		o.Delegations = append(o.Delegations, d)
	}
	if o.Withheld {
		return o, nil
	}
	o.Evidence = first.Evidence
	return o, v.decision(o, who, first, depth)
}

// traced is what a trace says of one delegation.
func (v *View) traced(d *Delegation, public bool) (TracedDelegation, error) {
	t := TracedDelegation{
		ID: d.ID, Level: d.Level, Range: d.Range, Type: d.Type, Economy: d.Economy, Manager: v.registryName(d.NIR), Date: d.Date,
	}
	t.Giver, t.Holder = v.Rules.RIR, t.Manager
	if d.Level == NIRToMember {
		t.Giver = t.Manager
	}
	if d.Member != "" {
		m, err := members.get(v, d.Member)
		if err != nil {
			return t, err
		}
		t.Holder = m.Name
	}
	if public {
		return t, nil
	}
	s, ok, err := memberships.one(v, "member = $1 AND nir = $2 ORDER BY began DESC, id LIMIT 1", d.Member, d.NIR)
	if err != nil {
		return t, err
	}
	if ok {
		t.UID = s.UID
	}
	t.Recorded, err = v.tracedEvent(d.Since)
	return t, err
}

func (v *View) tracedEvent(seq int64) (TracedEvent, error) {
	e, err := v.EventOf(seq)
	if err != nil {
		return TracedEvent{}, err
	}
	return TracedEvent{e.Seq, e.At, cmp.Or(e.Actor, "?"), e.Act, e.Reason}, nil
}
