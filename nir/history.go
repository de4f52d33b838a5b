package nir

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// A stage is a version of an object as the audit has it.
type stage struct {
	since, until int64
	row          json.RawMessage
}

// ended calls fn with every version that does not stand any more.
func (t *table[T, P]) ended(v *View, fn func(id string, s stage) error) error {
	return t.scan(v, "SELECT "+t.list+" FROM "+t.name+" WHERE until IS NOT NULL", nil, func(r *T) error {
		row := P(r).row()
		s := stage{since: row.Since, until: row.Until}
		row.Until = 0 // as it was written
		var err error
		if s.row, err = json.Marshal(r); err != nil {
			return fmt.Errorf("encoding %s %s: %w", t.name, row.ID, err)
		}
		return fn(row.ID, s)
	})
}

func (t *table[T, P]) stages(v *View, id string) ([]stage, error) {
	list, err := t.versions(v, id)
	all := make([]stage, len(list))
	for i := range list {
		r := P(&list[i]).row()
		all[i] = stage{since: r.Since, until: r.Until}
		r.Until = 0 // as it was written
		if all[i].row, err = json.Marshal(&list[i]); err != nil {
			return nil, fmt.Errorf("encoding %s %s: %w", t.name, id, err)
		}
	}
	return all, err
}

func kindNamed(table string) (kind, bool) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.tableName() == table })
	if i < 0 {
		return nil, false
	}
	return kinds[i], true
}

// rowBefore returns an object as it was before an event, nil if it was not there.
func (v *View) rowBefore(seq int64, table, id string) (json.RawMessage, error) {
	k, ok := kindNamed(table)
	if !ok {
		return nil, nil
	}
	list, err := k.stages(v, id)
	for i := len(list) - 1; err == nil && i >= 0; i-- {
		if s := list[i]; s.since < seq && (s.until == 0 || s.until >= seq) {
			return s.row, nil
		}
	}
	return nil, err
}

// EventOf returns the event of a number.
func (v *View) EventOf(seq int64) (*Event, error) {
	list, err := v.query("SELECT entry FROM audit WHERE seq = $1", seq)
	if err != nil {
		return nil, fmt.Errorf("reading event %d: %w", seq, err)
	}
	defer list.Close()
	if !list.Next() {
		if err := list.Err(); err != nil {
			return nil, fmt.Errorf("reading event %d: %w", seq, err)
		}
		return nil, refuse(NotFound, "there is no event %d", seq).remedy("nirctl audit log")
	}
	var entry string
	if err := list.Scan(&entry); err != nil {
		return nil, fmt.Errorf("reading event %d: %w", seq, err)
	}
	return decodeEvent([]byte(entry))
}

// A Step is one event in the life of an object. Change says what became of the
// object; Row is the object from then on, null if it ended.
type Step struct {
	Event  int64           `json:"event"`
	At     time.Time       `json:"at"`
	Actor  string          `json:"actor"`
	Act    string          `json:"act"`
	Reason string          `json:"reason,omitempty"`
	Change string          `json:"change"`
	Row    json.RawMessage `json:"row"`
}

// History returns the life of an object of a table, the oldest step first.
func (v *View) History(table, id string) ([]Step, error) {
	k, ok := kindNamed(table)
	if !ok {
		return nil, fmt.Errorf("there is no table %s", table)
	}
	list, err := k.stages(v, id)
	if err != nil {
		return nil, err
	}
	var steps []Step
	var before json.RawMessage
	for i, s := range list {
		if err := v.step(&steps, s.since, before, Change{table, id, s.row}); err != nil {
			return nil, err
		}
		before = s.row
		if i == len(list)-1 && s.until != 0 {
			err = v.step(&steps, s.until, before, Change{table, id, nil})
		}
	}
	if err == nil && len(list) == 0 {
		err = refuse(NotFound, "there is no %s %s", table, id)
	}
	return steps, err
}

func (v *View) step(steps *[]Step, seq int64, before json.RawMessage, c Change) error {
	if v.event != 0 && seq > v.event {
		return nil // later than the state that is looked at
	}
	e, err := v.EventOf(seq)
	if err != nil {
		return err
	}
	*steps = append(*steps, Step{e.Seq, e.At, e.Actor, e.Act, e.Reason, describeChange(before, c, v.namer()), c.Row})
	return nil
}
