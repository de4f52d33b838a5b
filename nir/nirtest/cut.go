package nirtest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync"
	"testing"

	"nirzone/nir"
)

// A cutter is a driver whose connections end at a chosen statement, as they do when
// the process dies: before the database has it, or when it has it and the answer
// is lost. What follows on any connection fails.
type cutter struct {
	inner  driver.Driver
	source string
	after  bool   // the statement is carried out
	died   func() // is told
	commit func() // likewise, of a commit that is about to be carried out; nil for nobody

	mu   sync.Mutex
	left int // statements until the end
}

var errCut = errors.New("the connection was cut")

// connect opens a database through a cutter that lets n statements pass.
func (s Storage) connect(t testing.TB, source string, n int, after bool, died func()) (*sql.DB, *cutter) {
	t.Helper()
	plain := s.Connect(t, "")
	c := &cutter{inner: plain.Driver(), source: source, after: after, died: died, left: n}
	db := sql.OpenDB(c)
	t.Cleanup(func() { _ = db.Close() })
	return db, c
}

func (c *cutter) Connect(context.Context) (driver.Conn, error) {
	if c.gone() {
		return nil, errCut
	}
	conn, err := c.inner.Open(c.source)
	return &cutConn{Conn: conn, c: c}, err
}

func (c *cutter) Driver() driver.Driver { return c.inner }

// gone reports whether the end has come.
func (c *cutter) gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left < 0
}

// step counts a statement and carries it out, or not.
func (k *cutConn) step(do func() error) error {
	c := k.c
	c.mu.Lock()
	c.left--
	left := c.left
	c.mu.Unlock()
	switch {
	case left >= 0:
		return do()
	case left == -1 && c.after:
		_ = do() // nobody hears of it
	}
	if k.tx != nil {
		_ = k.tx.Rollback() // as the database does when the process is gone
		k.tx = nil
	}
	c.died()
	return errCut
}

// A cutConn counts what goes over a connection.
type cutConn struct {
	driver.Conn
	c  *cutter
	tx driver.Tx // that is open
}

func (k *cutConn) BeginTx(ctx context.Context, o driver.TxOptions) (tx driver.Tx, err error) {
	err = k.step(func() error {
		inner, err := k.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
		k.tx, tx = inner, cutTx{inner, k}
		return err
	})
	return tx, err
}

func (k *cutConn) ExecContext(ctx context.Context, q string, args []driver.NamedValue) (r driver.Result, err error) {
	err = k.step(func() error {
		r, err = k.Conn.(driver.ExecerContext).ExecContext(ctx, q, args)
		return err
	})
	return r, err
}

func (k *cutConn) QueryContext(ctx context.Context, q string, args []driver.NamedValue) (r driver.Rows, err error) {
	err = k.step(func() error {
		r, err = k.Conn.(driver.QueryerContext).QueryContext(ctx, q, args)
		return err
	})
	return r, err
}

func (k *cutConn) PrepareContext(ctx context.Context, q string) (driver.Stmt, error) {
	s, err := k.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, q)
	return cutStmt{s, k}, err
}

func (k *cutConn) CheckNamedValue(v *driver.NamedValue) error {
	if c, ok := k.Conn.(driver.NamedValueChecker); ok {
		return c.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

type cutTx struct {
	driver.Tx
	k *cutConn
}

func (x cutTx) Commit() error {
	return x.k.step(func() error {
		if x.k.c.commit != nil {
			x.k.c.commit()
		}
		x.k.tx = nil
		return x.Tx.Commit()
	})
}

func (x cutTx) Rollback() error {
	if x.k.c.gone() {
		return errCut
	}
	x.k.tx = nil
	return x.Tx.Rollback()
}

type cutStmt struct {
	driver.Stmt
	k *cutConn
}

func (s cutStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (r driver.Result, err error) {
	err = s.k.step(func() error {
		r, err = s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
		return err
	})
	return r, err
}

func (s cutStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (r driver.Rows, err error) {
	err = s.k.step(func() error {
		r, err = s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
		return err
	})
	return r, err
}

// mostStatements is more than an event or a step of the schema has.
const mostStatements = 2000

// open opens a registry that is cut off after n statements.
func (s Storage) open(t testing.TB, source string, n int, after bool) (*nir.DB, *cutter, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background()) // who is dead does not try again
	raw, c := s.connect(t, source, n, after, cancel)
	db, err := nir.Open(ctx, raw, s.Dialect, options())
	if err != nil {
		_ = raw.Close()
		if c.gone() {
			err = errCut
		}
	}
	return db, c, err
}
