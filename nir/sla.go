package nir

import (
	"fmt"
	"slices"
	"time"
)

// A ServiceLevel says how an NIR's requests of a time were answered against what
// APNIC-103, section 3.6, promises: an allocation within one working day, any
// other answer within two. Times are working time of the registry and of the
// request's economy; it stands still while the NIR owes an answer.
type ServiceLevel struct {
	NIR       string        `json:"nir"`
	Act       string        `json:"act"`       // allocation or second-opinion
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

// ServiceLevels reports on the requests that were submitted from a time until
// just before another, for each NIR and act, as of now. An NIR's code selects it
// alone.
func (v *View) ServiceLevels(nir string, from, until, now time.Time) ([]ServiceLevel, error) {
	list, err := requests.find(v, "($1 = '' OR nir = $1) AND submitted >= $2 AND submitted < $3 ORDER BY nir, act, submitted, id", nir, micros(from), micros(until))
	if err != nil {
		return nil, err
	}
	var levels []ServiceLevel
	var times []time.Duration
	for i := range list {
		r := &list[i]
		if n := len(levels); n == 0 || levels[n-1].NIR != r.NIR || levels[n-1].Act != r.Act {
			endLevel(levels, times)
			levels, times = append(levels, ServiceLevel{NIR: r.NIR, Act: r.Act}), nil
		}
		first, late, err := v.answers(r, now)
		if err != nil {
			return nil, err
		}
		l := &levels[len(levels)-1]
		if l.count(r, first, late); !first.IsZero() {
			times = append(times, v.Rules.worked(r.Submitted, first, r.Economy))
		}
	}
	endLevel(levels, times)
	return levels, nil
}

func (l *ServiceLevel) count(r *Request, first time.Time, late bool) {
	l.Requests++
	if !first.IsZero() {
		l.Answered++
	}
	switch {
	case late:
		l.Breached++
		l.Late = append(l.Late, r.ID)
	case !first.IsZero():
		l.InTime++
	case r.State == Withdrawn:
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

// NoticeOverdue opens a notice to the registry for every request that is overdue
// and closes those that no longer hold: to be run by a timer.
func (x *Tx) NoticeOverdue() error {
	if err := x.Actor.need("look for overdue requests", RegistryStaff, Admin); err != nil {
		return err
	}
	list, err := requests.find(x.View, "answered = 0 AND paused = 0 AND due < $1 ORDER BY due, id", micros(x.Actor.At))
	if err != nil {
		return err
	}
	late := map[string]bool{}
	x.act("sla.check")
	for _, r := range list {
		late[r.NIR+"/"+r.Ref] = true
		text := fmt.Sprintf("request %s of %s was due at %s", r.Ref, x.registryName(r.NIR), r.Due.Format(time.RFC3339))
		if err := x.notify(Notice{Code: "response-overdue", Subject: r.NIR + "/" + r.Ref, Severity: "alarm", Text: text}); err != nil {
			return err
		}
	}
	open, err := notices.find(x.View, "nir = '' AND code = 'response-overdue' AND closed = 0")
	if err != nil {
		return err
	}
	for _, n := range open {
		if !late[n.Subject] {
			n.Closed = x.Actor.At
			if err := notices.put(x, &n); err != nil {
				return err
			}
		}
	}
	return nil
}
