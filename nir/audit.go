package nir

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// An Event is one change of the registry: a row of the audit. Its JSON is what the
// chain covers.
type Event struct {
	Version  int       `json:"version"`
	Seq      int64     `json:"seq"`
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
	Roles    []Role    `json:"roles,omitempty"`
	NIR      string    `json:"nir,omitempty"`
	Key      string    `json:"key,omitempty"`
	Act      string    `json:"act"`
	Reason   string    `json:"reason,omitempty"`
	Changes  []Change  `json:"changes"`
	Messages int       `json:"messages,omitempty"`

	before *planner // what the events before it of the same transaction changed, for [View.Plan]
}

// A Change is one object of an event as it is from then on; Row is null if it
// ended.
type Change struct {
	Table string          `json:"table"`
	ID    string          `json:"id"`
	Row   json.RawMessage `json:"row"`
}

// eventVersion is the version of the audit's JSON.
const eventVersion = 1

// skew is how far the clocks of two writers may be apart. A writer whose clock is
// behind writes with the time of the event before.
const skew = time.Minute

// A head is the last event's number, time and hash.
type head struct {
	seq, at int64
	hash    []byte
}

func (x *Tx) head() (head, error) {
	var h head
	if err := x.queryRow(x.db.dialect.headQuery()).Scan(&h.seq, &h.at, &h.hash); err != nil {
		return h, fmt.Errorf("reading the head of the audit: %w", explain(err))
	}
	last := fromMicros(h.at)
	if x.Actor.At.Before(last.Add(-skew)) {
		return h, refuse(Conflict, "the clock says %s, the last event is of %s", x.Actor.At.UTC().Format(time.RFC3339), last.Format(time.RFC3339)).
			remedy("set the clock right")
	}
	if err := x.aheadOfServer(); err != nil {
		return h, err
	}
	if x.Actor.At.Before(last) {
		x.Actor.At = last
	}
	x.Actor.At = x.Actor.At.UTC().Truncate(time.Microsecond)
	x.event = h.seq + 1
	return h, nil
}

// aheadOfServer refuses a writer whose clock is ahead of the database server's: one
// such event, and all others are behind it and refused until its time has come.
func (x *Tx) aheadOfServer() error {
	if x.db.dialect != Postgres || !x.db.o.ServerClock {
		return nil
	}
	var now int64
	if err := x.queryRow("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").Scan(&now); err != nil {
		return fmt.Errorf("reading the server's clock: %w", explain(err))
	}
	if server := fromMicros(now); x.Actor.At.After(server.Add(skew)) {
		return refuse(Conflict, "the clock says %s, the database server's %s", x.Actor.At.UTC().Format(time.RFC3339), server.Format(time.RFC3339)).
			remedy("set the clock right")
	}
	return nil
}

// note keeps a change for the audit. A second change of an object in one event
// takes the place of the first.
func (x *Tx) note(table, id string, row any) error {
	x.forget(table, id)
	b, err := json.Marshal(row)
	if err != nil {
		return fmt.Errorf("noting %s %s: %w", table, id, err)
	}
	c := Change{table, id, b}
	if i, again := x.changed[table+" "+id]; again {
		x.changes[i] = c
		return nil
	}
	if x.changed == nil {
		x.changed = map[string]int{}
	}
	x.changed[table+" "+id] = len(x.changes)
	x.changes = append(x.changes, c)
	return nil
}

// record writes the event and moves the head, which was h before the transaction.
func (x *Tx) record(h head) (*Event, error) {
	if x.cuts > 0 {
		h = x.prev
	}
	a := x.Actor
	e := &Event{
		Version: eventVersion, Seq: x.event, At: a.At, Actor: a.Name, Roles: a.Roles, NIR: a.NIR, Key: a.Key,
		Act: strings.Join(x.acts, " "), Reason: a.Reason, Changes: x.changes, Messages: x.messages,
	}
	if x.cuts > 0 {
		e.before = x.sum
	}
	if len(x.changes) == 0 {
		return e, nil
	}
	entry, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("recording event %d: %w", e.Seq, err)
	}
	sum := chain(h.hash, entry)
	if err := x.enter(e, entry, sum); err != nil {
		return nil, fmt.Errorf("recording event %d: %w", e.Seq, err)
	}
	x.prev = head{e.Seq, micros(e.At), sum}
	return e, nil
}

// enter writes the audit row and moves the head.
func (x *Tx) enter(e *Event, entry, hash []byte) error {
	row := []any{e.Seq, micros(e.At), e.Actor, e.Act, string(entry), hash}
	const columns = "seq, at, actor, act, entry, hash"
	if !x.deferred.take("audit", columns, 1, row) {
		if _, err := x.exec("INSERT INTO audit ("+columns+") VALUES "+markRows(1, 1, len(row)), row...); err != nil {
			return err
		}
	}
	return x.deferred.write("UPDATE head SET seq = $%d, at = $%d, hash = $%d", e.Seq, micros(e.At), hash)
}

// cut ends the event and begins the next one of the same transaction: what
// changes tens of thousands of objects is told in parts, and still there as a
// whole or not at all. A change has to follow, for the last event to be one.
func (x *Tx) cut() error {
	if x.cuts == 0 {
		h, err := x.head() // as it was when the transaction began
		if err != nil {
			return err
		}
		x.prev = h
	}
	e, err := x.record(x.prev)
	if err != nil || len(x.changes) == 0 {
		return err
	}
	if err := x.sumUp(e); err != nil {
		return err
	}
	x.cuts++
	x.event = e.Seq + 1
	x.changes, x.messages = nil, 0
	clear(x.changed)
	return nil
}

// chain returns the hash of an entry that follows one of hash prev.
func chain(prev, entry []byte) []byte {
	h := sha256.New()
	h.Write(prev)
	h.Write(entry)
	return h.Sum(nil)
}

// Events calls fn for every event after one, in order, with its JSON as the chain
// covers it and its hash.
func (v *View) Events(after int64, fn func(entry, hash []byte) error) (err error) {
	return v.auditRows(after, func(r *auditRow) error { return fn(r.entry, r.hash) })
}

// An auditRow is a row of the audit. Its first columns, by which events are looked
// up, are of the entry.
type auditRow struct {
	seq, at     int64
	actor, act  string
	entry, hash []byte
}

func (v *View) auditRows(after int64, fn func(*auditRow) error) (err error) {
	rows, err := v.query("SELECT seq, at, actor, act, entry, hash FROM audit WHERE seq > $1 ORDER BY seq", after)
	if err != nil {
		return fmt.Errorf("reading the audit: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r auditRow
		var entry string
		if err := rows.Scan(&r.seq, &r.at, &r.actor, &r.act, &entry, &r.hash); err != nil {
			return fmt.Errorf("reading the audit: %w", err)
		}
		r.entry = []byte(entry)
		if err := fn(&r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// prove refuses a row that does not follow those before it, or whose columns are not
// what its entry says.
func (r *auditRow) prove(before int64, prev []byte) (*Event, error) {
	e, err := decodeEvent(r.entry)
	switch {
	case err != nil:
		return nil, fmt.Errorf("event %d: %w", before+1, err)
	case e.Seq != before+1:
		return nil, fmt.Errorf("event %d: the one before is %d: events are missing", e.Seq, before)
	case !bytes.Equal(chain(prev, r.entry), r.hash):
		return nil, fmt.Errorf("event %d of %s: its hash does not fit: it or one before it was altered", e.Seq, e.At.Format(time.RFC3339))
	case r.seq != e.Seq || r.at != micros(e.At) || r.actor != e.Actor || r.act != e.Act:
		return nil, fmt.Errorf("event %d of %s: its row says number %d, %s, actor %q, act %q, which is not what the hash covers: the row was altered",
			e.Seq, e.At.Format(time.RFC3339), r.seq, fromMicros(r.at).Format(time.RFC3339), r.actor, r.act)
	}
	return e, nil
}

// An AuditState is what a proof of the audit found.
type AuditState struct {
	Events int64     `json:"events"`
	Last   time.Time `json:"last"`
	Hash   string    `json:"hash"` // of the last event, hex: to be kept elsewhere
}

// VerifyAudit proves the chain from the first event to the head, that it is
// without gaps, and that its changes, replayed, are what the tables hold, version
// by version: the live state and every past one. It proves also that the database
// still has the triggers and indexes that keep it so, as the schema defines them, and
// no others that act; in PostgreSQL its constraints too, and no rule and no policy.
func (n *DB) VerifyAudit(ctx context.Context) (AuditState, error) {
	var s AuditState
	err := n.View(ctx, func(v *View) error {
		r := newReplay()
		var prev []byte
		err := v.auditRows(0, func(row *auditRow) error {
			e, err := row.prove(s.Events, prev)
			if err != nil {
				return err
			}
			s.Events, s.Last, prev = e.Seq, e.At, row.hash
			r.apply(e)
			return nil
		})
		if err != nil {
			return err
		}
		s.Hash = fmt.Sprintf("%x", prev)
		return errors.Join(v.checkHead(s, prev), r.compare(v), v.checkGuards(), v.checkWhoisRefs())
	})
	if err != nil {
		return s, fmt.Errorf("verifying the audit: %w", err)
	}
	return s, nil
}

func (v *View) checkHead(s AuditState, hash []byte) error {
	var h head
	if err := v.queryRow("SELECT seq, at, hash FROM head").Scan(&h.seq, &h.at, &h.hash); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("reading the head: %w", err)
	}
	if h.seq != s.Events || !bytes.Equal(h.hash, hash) && s.Events > 0 {
		return fmt.Errorf("the head is event %d, the audit ends with %d: events were cut off", h.seq, s.Events)
	}
	if h.at != micros(s.Last) {
		return fmt.Errorf("the head is of %s, event %d of %s: the head was altered", fromMicros(h.at).Format(time.RFC3339), h.seq, s.Last.Format(time.RFC3339))
	}
	return nil
}

func decodeEvent(entry []byte) (*Event, error) {
	var e Event
	if err := json.Unmarshal(entry, &e); err != nil {
		return nil, fmt.Errorf("decoding: %w", err)
	}
	if e.Version > eventVersion {
		return nil, fmt.Errorf("it is of version %d, this program knows %d: use a newer one", e.Version, eventVersion)
	}
	return &e, nil
}
