package nir

import (
	"bytes"
	"errors"
	"fmt"
)

// A replay is the state that the changes of events lead to, by table and
// identifier: what the live tables have to hold.
type replay map[string]map[string][]byte

func newReplay() replay {
	r := replay{}
	for _, k := range kinds {
		r[k.tableName()] = map[string][]byte{}
	}
	return r
}

func (r replay) apply(e *Event) {
	for _, c := range e.Changes {
		rows := r[c.Table]
		if rows == nil {
			continue // a table of an older schema: nothing live to compare with
		}
		if bytes.Equal(c.Row, []byte("null")) || len(c.Row) == 0 {
			delete(rows, c.ID)
		} else {
			rows[c.ID] = c.Row
		}
	}
}

// maxFindings bounds what one proof tells of differences.
const maxFindings = 20

// compare reports every object that is live and not of the audit, or the other way
// round, or differs.
func (r replay) compare(v *View) error {
	var found []error
	report := func(format string, args ...any) {
		if len(found) < maxFindings {
			found = append(found, fmt.Errorf(format, args...))
		}
	}
	for _, k := range kinds {
		rows := r[k.tableName()]
		err := k.live(v, func(id string, row []byte) error {
			switch said, ok := rows[id]; {
			case !ok:
				report("%s %s: the audit knows nothing of it", k.tableName(), id)
			case !bytes.Equal(said, row):
				report("%s %s: it is not as the audit has it", k.tableName(), id)
			}
			delete(rows, id)
			return nil
		})
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			report("%s: %d objects of the audit are missing", k.tableName(), len(rows))
		}
	}
	return errors.Join(found...)
}
