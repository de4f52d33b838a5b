package nir

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A replay is the state that the changes of events lead to, by table and
// identifier: what the live tables have to hold. Of every version that ended on
// the way it has a digest: what a past state is made of.
type replay struct {
	live  map[string]map[string]version
	ended map[versionKey]versionSum
}

// A version is an object as the event of a number wrote it.
type version struct {
	since int64
	row   []byte
}

// versionKey and versionSum are of SHA-256: a registry has many times as many
// versions that ended as live ones.
type (
	versionKey [16]byte // of table, identifier and since
	versionSum [16]byte // of until and the row
)

func newReplay() replay {
	r := replay{map[string]map[string]version{}, map[versionKey]versionSum{}}
	for _, k := range kinds {
		r.live[k.tableName()] = map[string]version{}
	}
	return r
}

func versionOf(table, id string, since int64) versionKey {
	h := sha256.New()
	_, _ = io.WriteString(h, table+"\x00"+id+"\x00")
	_ = binary.Write(h, binary.BigEndian, since)
	return versionKey(h.Sum(nil)[:16])
}

func versionDigest(until int64, row []byte) versionSum {
	h := sha256.New()
	_ = binary.Write(h, binary.BigEndian, until)
	_, _ = h.Write(row)
	return versionSum(h.Sum(nil)[:16])
}

func (r replay) apply(e *Event) {
	for _, c := range e.Changes {
		rows := r.live[c.Table]
		if rows == nil {
			continue // a table of an older schema: nothing to compare with
		}
		if was, ok := rows[c.ID]; ok {
			r.ended[versionOf(c.Table, c.ID, was.since)] = versionDigest(e.Seq, was.row)
		}
		if bytes.Equal(c.Row, []byte("null")) || len(c.Row) == 0 {
			delete(rows, c.ID)
		} else {
			rows[c.ID] = version{e.Seq, c.Row}
		}
	}
}

// maxFindings bounds what one proof tells of differences.
const maxFindings = 20

// findings are the differences that a proof found.
type findings []error

func (f *findings) add(format string, args ...any) {
	if len(*f) < maxFindings {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

// compare reports every version, live or ended, that is stored and not of the
// audit, or the other way round, or differs.
func (r replay) compare(v *View) error {
	var found findings
	for _, k := range kinds {
		if err := r.compareLive(v, k, &found); err != nil {
			return err
		}
		if err := r.compareEnded(v, k, &found); err != nil {
			return err
		}
	}
	if len(r.ended) > 0 {
		found.add("%d versions of the past that the audit has are missing", len(r.ended))
	}
	return errors.Join(found...)
}

func (r replay) compareLive(v *View, k kind, found *findings) error {
	rows := r.live[k.tableName()]
	err := k.live(v, func(id string, row []byte) error {
		switch said, ok := rows[id]; {
		case !ok:
			found.add("%s %s: the audit knows nothing of it", k.tableName(), id)
		case !bytes.Equal(said.row, row):
			found.add("%s %s: it is not as the audit has it", k.tableName(), id)
		}
		delete(rows, id)
		return nil
	})
	if err == nil && len(rows) > 0 {
		found.add("%s: %d objects of the audit are missing", k.tableName(), len(rows))
	}
	return err
}

func (r replay) compareEnded(v *View, k kind, found *findings) error {
	return k.ended(v, func(id string, s stage) error {
		key := versionOf(k.tableName(), id, s.since)
		switch said, ok := r.ended[key]; {
		case !ok:
			found.add("%s %s: the audit knows nothing of its version of event %d", k.tableName(), id, s.since)
		case said != versionDigest(s.until, s.row):
			found.add("%s %s: its version of event %d is not as the audit has it", k.tableName(), id, s.since)
		}
		delete(r.ended, key)
		return nil
	})
}
