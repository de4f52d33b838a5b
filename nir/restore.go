package nir

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/bits"
)

// Restore reads the audit that [DB.ExportAudit] wrote and makes the registry that
// it tells of: every event with its hash, and every version of every object. The
// registry has to be empty, or to be the beginning of the same chain: then only
// what is new is added, so that a second registry can follow the first. It may
// stand in another kind of database. The mark is where the registry ends
// afterwards: behind the export's end, if that is the older of the two.
//
// Everything is one transaction: a crash, or a line that does not fit, leaves what
// was there. Messages that waited wait again: the first registry may have sent them
// since, so only one of the two may deliver.
func (n *DB) Restore(ctx context.Context, r io.Reader) (Mark, error) {
	n.writing.Lock()
	defer n.writing.Unlock()
	tx, err := n.sql.BeginTx(ctx, nil)
	if err != nil {
		return Mark{}, fmt.Errorf("beginning to restore: %w", explain(err))
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	x := n.newTx(ctx, tx, Actor{})
	if err := n.dialect.plansByIndex(ctx, tx); err != nil {
		return Mark{}, fmt.Errorf("restoring: %w", err)
	}
	m, err := x.restore(r)
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return Mark{}, fmt.Errorf("restoring: %w", err)
	}
	return m, nil
}

func (x *Tx) restore(r io.Reader) (Mark, error) {
	var h head
	if err := x.queryRow(x.db.dialect.headQuery()).Scan(&h.seq, &h.at, &h.hash); err != nil {
		return Mark{}, fmt.Errorf("reading the head of the audit: %w", explain(err))
	}
	have := Mark{}
	if h.seq > 0 {
		have = Mark{h.seq, hex.EncodeToString(h.hash)}
	}
	first, rest, err := peekEvent(r)
	if err == nil && first == 0 && h.seq == 0 {
		err = errNoEvent()
	}
	if err != nil || first == 0 {
		return have, err
	}
	start := have
	if first <= h.seq { // it begins with events that are here: they have to be the same
		if start, err = x.markBefore(first); err != nil {
			return have, err
		}
	}
	last, err := VerifyExport(rest, start, func(e *Event, entry, hash []byte) error {
		if e.Seq <= h.seq {
			return x.checkMark(Mark{e.Seq, hex.EncodeToString(hash)})
		}
		return x.replay(e, entry, hash)
	})
	if last.Seq < have.Seq { // the export is the older one: what was here since stays
		last = have
	}
	return last, err
}

// peekEvent returns the number of the first event of an export, 0 if there is
// none, and a reader of all of it.
func peekEvent(r io.Reader) (int64, io.Reader, error) {
	var seen bytes.Buffer
	var l exportLine
	err := json.NewDecoder(io.TeeReader(io.LimitReader(r, maxEntry), &seen)).Decode(&l)
	if err == io.EOF {
		return 0, &seen, nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("line 1: no line of an audit: %s", notJSON(err))
	}
	e, err := decodeEvent(l.Entry)
	if err != nil {
		return 0, nil, fmt.Errorf("line 1: %w", err)
	}
	return e.Seq, io.MultiReader(&seen, r), nil
}

func (x *Tx) markBefore(seq int64) (Mark, error) {
	if seq <= 1 {
		return Mark{}, nil
	}
	m := Mark{Seq: seq - 1}
	var hash []byte
	if err := x.queryRow("SELECT hash FROM audit WHERE seq = $1", m.Seq).Scan(&hash); err != nil {
		return m, fmt.Errorf("reading event %d: %w", m.Seq, err)
	}
	m.Hash = hex.EncodeToString(hash)
	return m, nil
}

// replay writes one event as it was, table by table. What it ended is ended before
// anything is begun, so that what took its place finds the place free.
func (x *Tx) replay(e *Event, entry, hash []byte) error {
	x.event = e.Seq
	for _, do := range []func(kind, *Tx, []Change) error{kind.supersede, kind.restore} {
		for _, k := range kinds {
			var list []Change
			for _, c := range e.Changes {
				if c.Table == k.tableName() {
					list = append(list, c)
				}
			}
			if err := do(k, x, list); err != nil {
				return fmt.Errorf("event %d: %w", e.Seq, err)
			}
		}
	}
	for _, c := range e.Changes {
		if _, err := kindOf(c.Table); err != nil {
			return fmt.Errorf("event %d: this program knows no %s: use the one that wrote it", e.Seq, c.Table)
		}
	}
	if err := x.enter(e, entry, hash); err != nil {
		return fmt.Errorf("writing event %d: %w", e.Seq, err)
	}
	return nil
}

// restore writes the versions of objects that an event of the audit has.
func (t *table[T, P]) restore(x *Tx, list []Change) error {
	var all []*T
	for _, c := range list {
		if noRow(c.Row) {
			continue
		}
		r := new(T)
		if err := json.Unmarshal(c.Row, r); err != nil {
			return fmt.Errorf("decoding %s %s: %w", t.name, c.ID, err)
		}
		if got := P(r).row().ID; got != c.ID {
			return fmt.Errorf("%s %s: its row is that of %q", t.name, c.ID, got)
		}
		all = append(all, r)
	}
	return t.write(x, all...)
}

// supersede ends the versions that stand of objects, if there are any.
func (t *table[T, P]) supersede(x *Tx, list []Change) error {
	for len(list) > 0 {
		n := 1 << (min(bits.Len(uint(len(list))), len(t.inserts)) - 1)
		args := []any{x.event}
		for _, c := range list[:n] {
			args = append(args, c.ID)
		}
		if _, err := x.exec("UPDATE "+t.name+" SET until = $1 WHERE "+unended+" AND id IN "+markRows(2, 1, n), args...); err != nil {
			return fmt.Errorf("ending %s: %w", t.name, err)
		}
		list = list[n:]
	}
	return nil
}
