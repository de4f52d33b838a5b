package nir

import (
	"context"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are what a registry needs beside its database.
type Options struct {
	Random  io.Reader // of identifiers: sixteen octets for each
	Rules   Rules     // numbers of the policy; the zero value is [DefaultRules]
	Signers Verifier  // of approvals; nil: nothing that wants a second person can be done

	Schema Schema // what [Open] may do to the database

	ServerClock bool // on PostgreSQL, events may not be ahead of the server's clock: see [DB.Update]
}

// A DB is an open registry. It may be used by many goroutines, and the database
// by many processes.
type DB struct {
	sql     *sql.DB
	dialect Dialect
	o       Options
	writing sync.Mutex // writers of one process wait here, not in the database
	mu      sync.Mutex
	known   map[string]*sql.Stmt
	memory  memory // guarded by writing
}

// Open checks the database and brings its schema up to this program's, as far as
// the options let it: see [DB.migrate]. One that holds no registry is refused,
// [NotFound], or what another program keeps there, [Conflict]: nothing in it is
// changed then. The caller opened db and closes it after [DB.Close].
func Open(ctx context.Context, db *sql.DB, d Dialect, o Options) (*DB, error) {
	err := d.check(ctx, db)
	if err == nil && o.Schema != Leave {
		err = d.checkCollation(ctx, db)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the registry: %w", explain(err))
	}
	if o.Rules.isZero() {
		o.Rules = DefaultRules()
	}
	if err := errors.Join(o.Rules.check(), o.Rules.fees().Check()); err != nil {
		return nil, fmt.Errorf("opening the registry: %w", err)
	}
	n := &DB{sql: db, dialect: d, o: o, known: map[string]*sql.Stmt{}}
	if err := n.prepare(ctx); err != nil {
		return nil, fmt.Errorf("opening the registry: %w", explain(err))
	}
	return n, nil
}

// CheckCollation tells of a database that [Leave] opened and nothing else does:
// [ErrCollation].
func (n *DB) CheckCollation(ctx context.Context) error { return n.dialect.checkCollation(ctx, n.sql) }

// Close releases the prepared statements.
func (n *DB) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var errs []error
	for _, s := range n.known {
		errs = append(errs, s.Close())
	}
	clear(n.known)
	return errors.Join(errs...)
}

// Rules returns the numbers of the policy that are in force.
func (n *DB) Rules() Rules { return n.o.Rules }

// prepared returns the statement of a query, prepared once in a process.
func (n *DB) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s, ok := n.known[query]; ok {
		return s, nil
	}
	s, err := n.sql.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("preparing %.60q: %w", query, err)
	}
	n.known[query] = s
	return s, nil
}

// A View reads one state of the registry: the present one, or that of a past
// event. It has no method that writes.
type View struct {
	ctx      context.Context
	db       *DB
	tx       *sql.Tx
	event    int64 // of a past state; 0 for the present one
	stmts    map[string]*sql.Stmt
	deferred *deferred // of a transaction that writes
	recalled
	Rules Rules
}

// View runs fn on the present state, which does not change meanwhile.
func (n *DB) View(ctx context.Context, fn func(*View) error) error {
	return n.view(ctx, func(v *View) error { return fn(v) })
}

// AsOf runs fn on the state as of a time: after the last event that is not later.
func (n *DB) AsOf(ctx context.Context, at time.Time, fn func(*View) error) error {
	return n.view(ctx, func(v *View) error {
		if err := v.back(at); err != nil {
			return err
		}
		return fn(v)
	})
}

func (n *DB) view(ctx context.Context, fn func(*View) error) error {
	tx, err := n.sql.BeginTx(ctx, n.dialect.readOptions())
	if err != nil {
		return fmt.Errorf("reading the registry: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	return fn(&View{ctx: ctx, db: n, tx: tx, Rules: n.o.Rules})
}

// back makes the view one of the past.
func (v *View) back(at time.Time) error {
	var seq sql.NullInt64
	err := v.queryRow("SELECT max(seq) FROM audit WHERE at <= $1", micros(at)).Scan(&seq)
	if err != nil {
		return fmt.Errorf("finding the event of %s: %w", at.Format(time.RFC3339), err)
	}
	if !seq.Valid {
		return refuse(NotFound, "the registry has no event at or before %s", at.Format(time.RFC3339))
	}
	v.event = seq.Int64
	return nil
}

// standing is the condition for versions that belong to the view's state.
func (v *View) standing() string {
	if v.event == 0 {
		return "until IS NULL"
	}
	return fmt.Sprintf("since <= %d AND (until IS NULL OR until > %d)", v.event, v.event)
}

func (v *View) query(query string, args ...any) (*sql.Rows, error) {
	if err := v.deferred.settle(query); err != nil {
		return nil, err
	}
	s, err := v.stmt(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(v.ctx, args...)
}

// stmt returns the statement of a query in this transaction, which keeps every one
// that it is asked for until its end: it is asked once for each.
func (v *View) stmt(query string) (*sql.Stmt, error) {
	if s, ok := v.stmts[query]; ok {
		return s, nil
	}
	p, err := v.db.prepared(v.ctx, query)
	if err != nil {
		return nil, err
	}
	if v.stmts == nil {
		v.stmts = map[string]*sql.Stmt{}
	}
	s := v.tx.StmtContext(v.ctx, p)
	v.stmts[query] = s
	return s, nil
}

// queryRow is for queries that are rare.
func (v *View) queryRow(query string, args ...any) *sql.Row {
	return v.tx.QueryRowContext(v.ctx, query, args...)
}

// A Tx changes the registry. It reads what it wrote.
type Tx struct {
	*View
	Actor    Actor
	event    int64
	acts     []string
	changes  []Change
	changed  map[string]int // by table and identifier, into changes
	messages int
	cuts     int                    // events of this transaction before this one
	prev     head                   // the last of them
	sum      *planner               // of what they changed, for the plan; nil if nobody asks
	fresh    map[string]bool        // by table and identifier: what this event created, if sum is asked for
	files    map[string]*Statistics // that proposals may need, by digest
}

func (n *DB) newTx(ctx context.Context, tx *sql.Tx, a Actor) *Tx {
	x := &Tx{View: &View{ctx: ctx, db: n, tx: tx, Rules: n.o.Rules}, Actor: a}
	x.deferred = &deferred{x: x}
	return x
}

func (x *Tx) exec(query string, args ...any) (sql.Result, error) {
	if err := x.deferred.settle(query); err != nil {
		return nil, err
	}
	s, err := x.stmt(query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(x.ctx, args...)
}

var idLetters = base32.NewEncoding("abcdefghjkmnpqrstuvwxyz023456789").WithPadding(base32.NoPadding)

// newID returns an opaque identifier: 128 random bits behind the kind's prefix.
func (x *Tx) newID(prefix string) string {
	var b [16]byte
	if _, err := io.ReadFull(x.db.o.Random, b[:]); err != nil {
		panic("nir: the source of randomness failed: " + err.Error()) // no registry without
	}
	return prefix + "_" + idLetters.EncodeToString(b[:])
}

// act names what this event does; several acts may make one event.
func (x *Tx) act(name string) {
	if len(x.acts) == 0 || x.acts[len(x.acts)-1] != name {
		x.acts = append(x.acts, name)
	}
}

// Update runs fn in one transaction and commits what it changed, the audit row and
// the messages together. If fn or the commit fails, nothing has happened; a commit
// whose answer was lost is found by the caller's own reference. An fn that
// changes nothing makes no event. An event that is more than a minute before the
// last one is refused, and with [Options].ServerClock one that is more than a minute
// ahead of the server's clock: it would keep all others out until then.
func (n *DB) Update(ctx context.Context, a Actor, fn func(*Tx) error) error {
	_, err := n.update(ctx, a, fn, func(*Event) error { return nil }, false)
	return err
}

// Decide is [DB.Update] for a caller who looks before it commits: agree sees what
// would happen, and an error of agree takes everything back. It returns the
// event, of several the last; of one that changes nothing agree is not asked.
func (n *DB) Decide(ctx context.Context, a Actor, fn func(*Tx) error, agree func(*Event) error) (*Event, error) {
	return n.update(ctx, a, fn, agree, true)
}

// Try runs fn as [DB.Update] does, takes everything back and returns what would
// have happened.
func (n *DB) Try(ctx context.Context, a Actor, fn func(*Tx) error) (*Event, error) {
	return n.update(ctx, a, fn, nil, true)
}

// update commits if agree, which may be nil, agrees. A crash before the commit
// leaves what was; after it everything is there. With plan, the event knows what
// those before it in the same transaction changed.
func (n *DB) update(ctx context.Context, a Actor, fn func(*Tx) error, agree func(*Event) error, plan bool) (*Event, error) {
	if a.Name == "" || a.At.IsZero() {
		return nil, invalid("actor", "an event needs a name and a time")
	}
	if err := errors.Join(fit("actor", a.Name+a.NIR+a.Key, false), fit("reason", a.Reason, true)); err != nil {
		return nil, err
	}
	n.writing.Lock()
	defer n.writing.Unlock()
	e, err := n.writeOne(ctx, a, fn, agree, plan)
	return e, explain(err)
}

func (n *DB) writeOne(ctx context.Context, a Actor, fn func(*Tx) error, agree func(*Event) error, plan bool) (*Event, error) {
	until, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	letBe := context.AfterFunc(ctx, stop)
	defer letBe()
	tx, err := n.sql.BeginTx(until, nil)
	if err != nil {
		return nil, fmt.Errorf("beginning to write: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	x := n.newTx(ctx, tx, a)
	if plan {
		x.summing()
	}
	head, err := x.head()
	if err != nil {
		return nil, err
	}
	n.resume(x, head)
	if err := fn(x); err != nil {
		return nil, err
	}
	e, err := x.record(head)
	if err == nil && len(x.changes) == 0 && x.cuts == 0 {
		n.retain(x, head.hash)
		return e, nil
	}
	if err != nil || agree == nil {
		return e, err
	}
	if err := agree(e); err != nil {
		return e, err
	}
	if !letBe() { // from here on nobody interrupts it: how it ends is known
		return nil, fmt.Errorf("committing: %w", ctx.Err())
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("committing: %w", err)
	}
	n.retain(x, x.prev.hash)
	return e, nil
}

// ErrNoRoom is in the chain of an error that a full disk is the cause of: nothing
// was changed.
var ErrNoRoom = errors.New("no room on the disk")

// noRoom are the words of databases for a full disk: SQLite's two numbers are of a
// shared memory file and of a page that could not be written.
var noRoom = []string{"database or disk is full", "disk I/O error (4874)", "disk I/O error (778)", "no space left on device", "No space left on device", "SQLSTATE 53100"}

// explain says in words what a database means that is locked for too long, or has
// no room.
func explain(err error) error {
	if err == nil || CodeOf(err) != "" {
		return err
	}
	s := err.Error()
	switch {
	case strings.Contains(s, "SQLITE_BUSY") || strings.Contains(s, "database is locked"):
		return fmt.Errorf("another process has been writing for too long: %w", err)
	case slices.ContainsFunc(noRoom, func(w string) bool { return strings.Contains(s, w) }):
		return fmt.Errorf("%w, and nothing was changed: %w", ErrNoRoom, err)
	}
	return err
}
