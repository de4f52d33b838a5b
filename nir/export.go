package nir

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// A Mark is a place in the chain of events: the number of an event and its hash
// in hex. The zero Mark is before the first event.
type Mark struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// exportVersion is the version of a line of the audit's export.
const exportVersion = 1

// maxEntry bounds a line: an event of a large import has many changes.
const maxEntry = 256 << 20

// An exportLine is a line of an export: an event, byte for byte as the chain
// covers it, and the chain's hash after it.
type exportLine struct {
	Version int             `json:"version"`
	Hash    string          `json:"hash"`
	Entry   json.RawMessage `json:"entry"`
}

// writeLine writes a line without touching the bytes of the entry.
func writeLine(w io.Writer, entry, hash []byte) error {
	_, err := fmt.Fprintf(w, "{\"version\":%d,\"hash\":\"%x\",\"entry\":%s}\n", exportVersion, hash, entry)
	return err
}

// ExportAudit writes every event after a mark as a line of JSON and returns the
// mark of the last. The mark has to be one of this registry's: then what is
// written continues, for whoever has what came before, the same chain. See
// [VerifyExport] for the reader's side, and [DB.Restore].
func (n *DB) ExportAudit(ctx context.Context, w io.Writer, after Mark) (Mark, error) {
	b := bufio.NewWriterSize(w, 1<<16)
	last := after
	err := n.View(ctx, func(v *View) error {
		if err := v.checkMark(after); err != nil {
			return err
		}
		return v.Events(after.Seq, func(entry, hash []byte) error {
			last = Mark{last.Seq + 1, hex.EncodeToString(hash)}
			return writeLine(b, entry, hash)
		})
	})
	if err = errors.Join(err, b.Flush()); err != nil {
		return after, fmt.Errorf("exporting the audit: %w", err)
	}
	return last, nil
}

// CheckMark refuses a mark that is not of this registry's chain, with [Conflict]:
// one that another host keeps proves that nothing before it was altered since.
func (n *DB) CheckMark(ctx context.Context, m Mark) error {
	return n.View(ctx, func(v *View) error { return v.checkMark(m) })
}

// checkMark refuses a mark that is not of this registry's chain.
func (v *View) checkMark(m Mark) error {
	if m.Seq == 0 {
		return nil
	}
	var hash []byte
	err := v.queryRow("SELECT hash FROM audit WHERE seq = $1", m.Seq).Scan(&hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) { // says nothing of the chain
		return fmt.Errorf("reading event %d: %w", m.Seq, err)
	}
	if err != nil || hex.EncodeToString(hash) != m.Hash {
		return refuse(Conflict, "event %d with hash %.16s… is not one of this registry", m.Seq, m.Hash).
			remedy("nirctl audit verify: either the registry or the copy was altered, or they are of two registries")
	}
	return nil
}

// VerifyExport proves that lines continue the chain after a mark, without gaps,
// and returns the mark of the last. fn, unless nil, is called with every event
// that was proved. It needs nothing but the lines and the mark: another host keeps
// the mark and verifies what it is sent.
func VerifyExport(r io.Reader, after Mark, fn func(*Event, []byte, []byte) error) (Mark, error) {
	prev, err := hex.DecodeString(after.Hash)
	if err != nil {
		return after, fmt.Errorf("mark %d: its hash is no hex: %w", after.Seq, err)
	}
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 1<<16), maxEntry)
	for line := 1; s.Scan(); line++ {
		e, entry, hash, err := decodeLine(s.Bytes())
		switch {
		case err != nil:
		case e.Seq != after.Seq+1:
			err = fmt.Errorf("event %d follows event %d: events are missing or stand twice", e.Seq, after.Seq)
		case !bytes.Equal(chain(prev, entry), hash):
			err = fmt.Errorf("event %d of %s: its hash does not fit: it or one before it was altered", e.Seq, e.At.Format(time.RFC3339))
		case fn != nil:
			err = fn(e, entry, hash)
		}
		if err != nil {
			return after, fmt.Errorf("line %d: %w", line, err)
		}
		prev, after = hash, Mark{e.Seq, hex.EncodeToString(hash)}
	}
	return after, s.Err()
}

// errNoEvent is what is said of a file that is empty: it proves nothing.
func errNoEvent() error {
	return refuse(Invalid, "it holds no event").remedy("nirctl audit export > audit.jsonl writes one that does")
}

// CheckExport proves a whole export, or archive, from the first event on: one
// without any is refused.
func CheckExport(r io.Reader) (Mark, error) {
	m, err := VerifyExport(r, Mark{}, nil)
	if err == nil && m.Seq == 0 {
		err = errNoEvent()
	}
	return m, err
}

// notJSON says in words what is wrong with a text that was to be JSON.
func notJSON(err error) string {
	var form *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.As(err, &form) && strings.Contains(form.Error(), "end of JSON"):
		return "it ends before its JSON does (RFC 8259)"
	case errors.As(err, &form):
		return fmt.Sprintf("it is not JSON from octet %d on (RFC 8259)", form.Offset)
	case errors.As(err, &kind):
		return fmt.Sprintf("%q is a %s, which it cannot be", kind.Field, kind.Value)
	}
	return err.Error()
}

func decodeLine(text []byte) (*Event, []byte, []byte, error) {
	var l exportLine
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, nil, nil, fmt.Errorf("no line of an audit: %s", notJSON(err))
	}
	if l.Version > exportVersion {
		return nil, nil, nil, fmt.Errorf("it is of version %d, this program knows %d: use a newer one", l.Version, exportVersion)
	}
	hash, err := hex.DecodeString(l.Hash)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("its hash is no hex: %w", err)
	}
	e, err := decodeEvent(l.Entry)
	return e, l.Entry, hash, err
}
