package nir

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ReturnAct is the act of a [ServiceLevel] that is of returns.
const ReturnAct = "return"

// A ServiceLevel says how an NIR's requests of a time were answered against what
// APNIC-103, section 3.6, promises: an allocation within one working day, any
// other answer within two. Times are working time of the registry and of the
// request's economy; it stands still while the NIR owes an answer.
type ServiceLevel struct {
	NIR       string        `json:"nir"`
	Act       string        `json:"act"`       // allocation, second-opinion or return
	Requests  int           `json:"requests"`  // that were submitted in that time
	Answered  int           `json:"answered"`  // that the registry has answered
	InTime    int           `json:"in_time"`   // of them, each time before it was due
	Breached  int           `json:"breached"`  // answered late once, or due and not answered
	Waiting   int           `json:"waiting"`   // not answered and not due yet
	Withdrawn int           `json:"withdrawn"` // before they were due and answered
	Median    time.Duration `json:"median"`    // working time until the first answer
	Worst     time.Duration `json:"worst"`
	Late      []string      `json:"late"` // identifiers of the requests that were breached
}

// ServiceLevels reports on the requests and returns that were submitted from a
// time until just before another, for each NIR and act, as of now. An NIR's code
// selects it alone.
func (v *View) ServiceLevels(nir string, from, until, now time.Time) ([]ServiceLevel, error) {
	list, err := v.askedRequests(nir, from, until, now)
	if err != nil {
		return nil, err
	}
	back, err := v.askedReturns(nir, from, until, now)
	if err != nil {
		return nil, err
	}
	list = append(list, back...)
	slices.SortStableFunc(list, func(a, b asked) int { return cmp.Or(strings.Compare(a.nir, b.nir), strings.Compare(a.act, b.act)) })
	var levels []ServiceLevel
	var times []time.Duration
	for i := range list {
		r := &list[i]
		if n := len(levels); n == 0 || levels[n-1].NIR != r.nir || levels[n-1].Act != r.act {
			endLevel(levels, times)
			levels, times = append(levels, ServiceLevel{NIR: r.nir, Act: r.act}), nil
		}
		if levels[len(levels)-1].count(r); !r.first.IsZero() {
			times = append(times, v.Rules.worked(r.submitted, r.first, r.economy))
		}
	}
	endLevel(levels, times)
	return levels, nil
}

// An asked is something that an NIR waits for an answer to.
type asked struct {
	nir, act, id, economy string
	submitted             time.Time
	first                 time.Time // when it was first answered, zero if it was not
	late, withdrawn       bool
}

func (v *View) askedRequests(nir string, from, until, now time.Time) ([]asked, error) {
	list, err := requests.find(v, "($1 = '' OR nir = $1) AND submitted >= $2 AND submitted < $3 ORDER BY nir, act, submitted, id", nir, micros(from), micros(until))
	all := make([]asked, len(list))
	for i := range list {
		r := &list[i]
		all[i] = asked{nir: r.NIR, act: r.Act, id: r.ID, economy: r.Economy, submitted: r.Submitted, withdrawn: r.State == Withdrawn}
		if all[i].first, all[i].late, err = v.answers(r, now); err != nil {
			return nil, err
		}
	}
	return all, err
}

func (v *View) askedReturns(nir string, from, until, now time.Time) ([]asked, error) {
	list, err := returns.find(v, "($1 = '' OR nir = $1) AND made >= $2 AND made < $3 ORDER BY nir, made, id", nir, micros(from), micros(until))
	all := make([]asked, len(list))
	for i := range list {
		r := &list[i]
		m, err := members.get(v, r.Member)
		if err != nil {
			return nil, err
		}
		all[i] = asked{nir: r.NIR, act: ReturnAct, id: r.ID, economy: m.Economy, submitted: r.Made, withdrawn: r.State == ReturnWithdrawn}
		all[i].late = r.Overdue(now) || r.Answered.After(r.Due)
		if !all[i].withdrawn { // else nobody waits for an answer any more
			all[i].first = r.Answered
		}
	}
	return all, err
}

func (l *ServiceLevel) count(r *asked) {
	l.Requests++
	if !r.first.IsZero() {
		l.Answered++
	}
	switch {
	case r.late:
		l.Breached++
		l.Late = append(l.Late, r.id)
	case !r.first.IsZero():
		l.InTime++
	case r.withdrawn:
		l.Withdrawn++
	default:
		l.Waiting++
	}
}

// endLevel completes the last level with its times.
func endLevel(levels []ServiceLevel, times []time.Duration) {
	if len(times) == 0 {
		return
	}
	slices.Sort(times)
	l := &levels[len(levels)-1]
	l.Median, l.Worst = times[(len(times)-1)/2], times[len(times)-1]
}

// answers returns when the registry first answered a request, zero if it has not,
// and whether an answer was late or is overdue.
func (v *View) answers(r *Request, now time.Time) (first time.Time, late bool, err error) {
	steps, err := v.Evaluations(r.ID)
	if err != nil {
		return first, false, err
	}
	for _, e := range steps {
		if e.Due.IsZero() {
			continue // the NIR's own step
		}
		if first.IsZero() {
			first = e.Made
		}
		late = late || e.Made.After(e.Due)
	}
	if first.IsZero() && !r.Answered.IsZero() {
		late = r.Answered.After(r.Due)
		if r.State != Withdrawn { // then nobody waits for an answer any more
			first = r.Answered
		}
	}
	return first, late || r.Overdue(now), nil
}

// Overdue reports whether the registry owes an answer to a request that was due.
func (r *Request) Overdue(now time.Time) bool {
	return r.Answered.IsZero() && r.Paused.IsZero() && now.After(r.Due)
}

// Overdue reports whether the registry owes an answer to a return that was due.
func (r *Return) Overdue(now time.Time) bool { return r.Answered.IsZero() && now.After(r.Due) }

// NoticeOverdue opens a notice to the registry for every request and return that
// is overdue and closes those that no longer hold: to be run by a timer.
func (x *Tx) NoticeOverdue() error {
	if err := x.Actor.need("look for overdue requests", RegistryStaff, Admin); err != nil {
		return err
	}
	list, err := requests.find(x.View, "answered = 0 AND paused = 0 AND due < $1 ORDER BY due, id", micros(x.Actor.At))
	if err != nil {
		return err
	}
	back, err := returns.find(x.View, "answered = 0 AND due < $1 ORDER BY due, id", micros(x.Actor.At))
	if err != nil {
		return err
	}
	late := map[string]bool{}
	x.act("sla.check")
	tell := func(subject, what string, due time.Time) error {
		late[subject] = true
		return x.notify(Notice{Code: "response-overdue", Subject: subject, Severity: "alarm", Text: what + " was due at " + due.Format(time.RFC3339)})
	}
	for _, r := range list {
		if err := tell(r.NIR+"/"+r.Ref, fmt.Sprintf("request %s of %s", r.Ref, x.registryName(r.NIR)), r.Due); err != nil {
			return err
		}
	}
	for _, r := range back {
		if err := tell("return "+r.ID, fmt.Sprintf("the return of %s to %s", joinRanges(r.Ranges), x.registryName(r.NIR)), r.Due); err != nil {
			return err
		}
	}
	return x.noLonger(late)
}

// noLonger closes the notices of what is overdue no more.
func (x *Tx) noLonger(late map[string]bool) error {
	open, err := notices.find(x.View, "nir = '' AND code = 'response-overdue' AND closed = 0")
	if err != nil {
		return err
	}
	for _, n := range open {
		if !late[n.Subject] {
			if err := x.closeNotice(n, x.Actor.At, true); err != nil {
				return err
			}
		}
	}
	return nil
}
