package nir

import "time"

// An IRTState is an irt object of this registry and until when its owner has to say
// again that it is right (R-SEC-1).
type IRTState struct {
	Key       string    `json:"key"`
	Source    string    `json:"source"`
	NIR       string    `json:"nir"`
	Validated time.Time `json:"validated"`
	Due       time.Time `json:"due"`
	Overdue   bool      `json:"overdue"`  // at the time that was asked about
	Reminded  time.Time `json:"reminded"` // when the reminder that is open was sent; zero if there is none
}

// IRTs returns the irt objects that are kept here, the one that is due first at the
// front.
func (v *View) IRTs(now time.Time) ([]IRTState, error) {
	list, err := whoisObjects.find(v, "type = 'irt' AND origin = 'registry' ORDER BY validated, source, key")
	if err != nil {
		return nil, err
	}
	var out []IRTState
	for _, w := range list {
		s := IRTState{Key: w.Key, Source: w.Source, NIR: w.NIR, Validated: w.Validated, Due: w.Validated.Add(v.Rules.validateFor())}
		s.Overdue = !now.Before(s.Due)
		n, open, err := v.openNotice(w.NIR, "irt-validation", w.Key)
		if err != nil {
			return nil, err
		}
		if open {
			s.Reminded = n.Opened
		}
		out = append(out, s)
	}
	return out, nil
}

// validateFor is how long it counts that an irt object was said to be right.
func (r Rules) validateFor() time.Duration {
	return time.Duration(r.Whois.filled().ValidateDays) * 24 * time.Hour
}
