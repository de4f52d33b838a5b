package nir

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"reflect"
	"strings"
)

// A Row is what every object of the registry carries: its opaque identifier and
// the numbers of the events that began and ended this version; Until is 0 while
// it stands.
type Row struct {
	ID    string `json:"id"`
	Since int64  `json:"since"`
	Until int64  `json:"until,omitempty"`
}

func (r *Row) row() *Row { return r }

// A rower is a pointer to a struct that embeds [Row].
type rower[T any] interface {
	*T
	row() *Row
}

// A table holds the versions of one kind of object. Its columns are the fields of
// T: see [column].
type table[T any, P rower[T]] struct {
	name, prefix string // of the table, of its identifiers
	cols         []column
	list         string   // the columns, for SELECT
	inserts      []string // of one row, of two, of four …
}

// newTable describes the table of a kind; schema/ creates it.
func newTable[T any, P rower[T]](name, prefix string) *table[T, P] {
	cols := columnsOf(reflect.TypeFor[T]())
	names := []string{"id", "since", "until"}
	for _, c := range cols {
		names = append(names, c.names()...)
	}
	t := &table[T, P]{name: name, prefix: prefix, cols: cols, list: strings.Join(names, ", ")}
	for rows := 1; rows <= mostRows; rows *= 2 {
		t.inserts = append(t.inserts, "INSERT INTO "+name+" ("+t.list+") VALUES "+markRows(1, rows, len(names)))
	}
	kinds = append(kinds, t)
	return t
}

// mostRows is how many rows one statement writes: more gain nothing. The widest
// table stays below the parameters that a statement of SQLite or PostgreSQL takes.
const mostRows = 32

// A kind is a table whose type of object does not matter.
type kind interface {
	tableName() string
	live(v *View, fn func(id string, row []byte) error) error
	ended(v *View, fn func(id string, s stage) error) error // the versions that ended
	stages(v *View, id string) ([]stage, error)
	row(v *View, id string) ([]byte, error)             // one object as the audit has it
	encode(object any) (row []byte, is bool, err error) // an object that is of this kind
	fields() []string                                   // their JSON names
	restore(x *Tx, list []Change) error                 // writes versions of the audit
	supersede(x *Tx, list []Change) error               // ends the versions that stand
}

// kinds are all tables of objects.
var kinds []kind

func (t *table[T, P]) tableName() string { return t.name }

// live calls fn with every object of the view's state as the audit has it.
func (t *table[T, P]) live(v *View, fn func(id string, row []byte) error) error {
	return t.each(v, "id <> ''", nil, func(r *T) error {
		P(r).row().Until = 0 // in a past state it stands
		b, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("encoding %s: %w", t.name, err)
		}
		return fn(P(r).row().ID, b)
	})
}

// put writes the version of this event: of a new object if its identifier is
// empty. A version that the same event wrote before is replaced.
func (t *table[T, P]) put(x *Tx, r *T) error {
	if row := P(r).row(); row.ID != "" {
		if err := t.close(x, row.ID); err != nil {
			return err
		}
	}
	return t.add(x, r)
}

// add writes an object that is new, also one whose identifier was drawn before.
func (t *table[T, P]) add(x *Tx, r *T) error {
	row := P(r).row()
	if row.ID == "" {
		row.ID = x.newID(t.prefix)
		x.isNew(t.name, row.ID)
	}
	if err := t.admit(x, r); err != nil {
		return err
	}
	if err := t.write(x, r); err != nil {
		return err
	}
	return x.note(t.name, row.ID, r)
}

// addAll writes objects that are new.
func (t *table[T, P]) addAll(x *Tx, list []T) error {
	all := make([]*T, len(list))
	for i := range list {
		all[i] = &list[i]
		row := P(all[i]).row()
		if row.ID == "" {
			row.ID = x.newID(t.prefix)
		}
		x.isNew(t.name, row.ID)
		if err := t.admit(x, all[i]); err != nil {
			return err
		}
	}
	if err := t.write(x, all...); err != nil {
		return err
	}
	for _, r := range all {
		if err := x.note(t.name, P(r).row().ID, r); err != nil {
			return err
		}
	}
	return nil
}

// write writes the versions of this event, in their order. Many go in one
// statement: that saves a journey to the database for each.
func (t *table[T, P]) write(x *Tx, list ...*T) error {
	for len(list) > 0 {
		i := min(bits.Len(uint(len(list))), len(t.inserts)) - 1
		var args []any
		for _, r := range list[:1<<i] {
			row := P(r).row()
			row.Since, row.Until = x.event, 0
			args = append(args, row.ID, row.Since, nil)
			v := reflect.ValueOf(r).Elem()
			for _, c := range t.cols {
				var err error
				if args, err = c.encode(args, v.FieldByIndex(c.index)); err != nil {
					return fmt.Errorf("writing %s %s: %s: %w", t.name, row.ID, c.name, err)
				}
			}
		}
		if !x.deferred.take(t.name, t.list, 1<<i, args) {
			if _, err := x.exec(t.inserts[i], args...); err != nil {
				return fmt.Errorf("writing %s %s: %w", t.name, P(list[0]).row().ID, err)
			}
		}
		list = list[1<<i:]
	}
	return nil
}

// end ends an object; its versions stay.
func (t *table[T, P]) end(x *Tx, id string) error {
	if err := t.close(x, id); err != nil {
		return err
	}
	return x.note(t.name, id, nil)
}

// unended is the condition for a version that stands where its identifier selects it:
// "until IS NULL" is what most indexes are limited to, and PostgreSQL would go
// through all of one of them before it has counted what the tables hold.
const unended = "coalesce(until, 0) = 0"

// close ends the version that stands; one of this event is as if it had never
// been.
func (t *table[T, P]) close(x *Tx, id string) error {
	query, args := "UPDATE "+t.name+" SET until = $1 WHERE id = $2 AND "+unended, []any{x.event, id}
	if _, again := x.changed[t.name+" "+id]; again {
		query, args = "DELETE FROM "+t.name+" WHERE id = $1 AND since = $2", []any{id, x.event}
	}
	if _, err := x.exec(query, args...); err != nil {
		return fmt.Errorf("ending %s %s: %w", t.name, id, err)
	}
	return nil
}

// get returns the object of an identifier.
func (t *table[T, P]) get(v *View, id string) (T, error) {
	r, ok, err := t.one(v, "id = $1", id)
	if err == nil && !ok {
		err = refuse(NotFound, "there is no %s %s", t.name, id)
	}
	return r, err
}

// one returns the first object that a condition selects, if there is one.
func (t *table[T, P]) one(v *View, where string, args ...any) (T, bool, error) {
	if !strings.Contains(where, "LIMIT ") {
		where += " LIMIT 1"
	}
	list, err := t.find(v, where, args...)
	if err != nil || len(list) == 0 {
		return *new(T), false, err
	}
	return list[0], true, nil
}

// find returns the objects that a condition selects among those that stand as of
// the view. The condition may go on with ORDER BY and LIMIT; without an order it
// gets the one of identifiers, except for what is limited to one.
func (t *table[T, P]) find(v *View, where string, args ...any) ([]T, error) {
	var list []T
	err := t.each(v, where, args, func(r *T) error {
		list = append(list, *r)
		return nil
	})
	return list, err
}

func (t *table[T, P]) each(v *View, where string, args []any, fn func(*T) error) error {
	if !strings.Contains(where, "ORDER BY ") && !strings.Contains(where, "LIMIT ") {
		where += " ORDER BY id"
	}
	return t.scan(v, "SELECT "+t.list+" FROM "+t.name+" WHERE "+v.standing()+" AND "+where, args, fn)
}

// versions returns every version of an object, the oldest first.
func (t *table[T, P]) versions(v *View, id string) ([]T, error) {
	var list []T
	query := "SELECT " + t.list + " FROM " + t.name + " WHERE id = $1 ORDER BY since"
	err := t.scan(v, query, []any{id}, func(r *T) error {
		list = append(list, *r)
		return nil
	})
	return list, err
}

func (t *table[T, P]) scan(v *View, query string, args []any, fn func(*T) error) (err error) {
	rows, err := v.query(query, args...)
	if err != nil {
		return fmt.Errorf("reading %s: %w", t.name, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r := new(T)
		if err := t.decode(rows, r); err != nil {
			return fmt.Errorf("reading %s: %w", t.name, err)
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (t *table[T, P]) decode(rows *sql.Rows, r *T) error {
	row := P(r).row()
	var until sql.NullInt64
	dest := make([]any, 0, len(t.cols)+5)
	dest = append(dest, &row.ID, &row.Since, &until)
	v := reflect.ValueOf(r).Elem()
	for _, c := range t.cols {
		dest = c.dests(dest, v.FieldByIndex(c.index))
	}
	if err := rows.Scan(dest...); err != nil {
		return fmt.Errorf("%s: %w", row.ID, err)
	}
	row.Until = until.Int64
	return nil
}
