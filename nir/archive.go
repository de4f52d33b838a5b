package nir

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// An Archive is a file to which the audit is shipped, such as an *os.File that was
// opened for reading and writing.
type Archive interface {
	io.ReadWriteSeeker
	Truncate(size int64) error
	Sync() error
}

// ShipAudit appends to an archive the events that it does not have, in the form of
// [DB.ExportAudit], and returns the mark of its last one. Its last whole line has
// to be an event of this registry. A crash leaves at most one line that is cut
// short, which the next run takes off; when ShipAudit returns, the lines are on
// the disk. A file of something else is refused, [Conflict], and stays as it is.
func (n *DB) ShipAudit(ctx context.Context, f Archive) (Mark, error) {
	m, err := resume(f)
	if err != nil {
		return m, err
	}
	last, err := n.ExportAudit(ctx, f, m)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return m, fmt.Errorf("shipping the audit: %w", err)
	}
	return last, nil
}

// resume returns the mark of an archive's last whole line, takes off what follows
// it, and goes there.
func resume(f Archive) (Mark, error) {
	m, end, err := lastLine(f)
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		return m, fmt.Errorf("reading the archive: %w", err)
	}
	return m, nil
}

// lastLine returns the mark of the last whole line and where it ends.
func lastLine(f io.ReadSeeker) (m Mark, end int64, err error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return m, 0, err
	}
	newline := byte('\n')
	end, err = before(f, size, newline)
	if err != nil {
		return m, end, err
	}
	if end == 0 {
		return m, 0, cutShort(f, size)
	}
	start, err := before(f, end-1, newline)
	if err != nil {
		return m, end, err
	}
	if end-start > maxEntry {
		return m, end, fmt.Errorf("its last line is longer than %d octets", maxEntry)
	}
	line := make([]byte, end-start)
	if _, err := f.Seek(start, io.SeekStart); err != nil {
		return m, end, err
	}
	if _, err := io.ReadFull(f, line); err != nil {
		return m, end, err
	}
	e, _, hash, err := decodeLine(line)
	if err != nil {
		return m, end, fmt.Errorf("its last line: %w", err)
	}
	return Mark{e.Seq, hex.EncodeToString(hash)}, end, nil
}

// lineStart is what every line of an export begins with, see [writeLine].
const lineStart = `{"version":1,"hash":"`

// cutShort refuses what has no whole line and is not the beginning of one: whoever
// mistypes the name of an archive does not lose a file of one line.
func cutShort(f io.ReadSeeker, size int64) error {
	head := make([]byte, min(size, int64(len(lineStart))))
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.ReadFull(f, head); err != nil {
		return err
	}
	if string(head) != lineStart[:len(head)] {
		return refuse(Conflict, "it is no archive of an audit, and stays as it is").remedy("nirctl audit ship FILE, of a new name")
	}
	return nil
}

// before returns the offset behind the last c before an offset, 0 if there is
// none.
func before(f io.ReadSeeker, offset int64, c byte) (int64, error) {
	buf := make([]byte, 1<<16)
	for offset > 0 {
		n := min(int64(len(buf)), offset)
		if _, err := f.Seek(offset-n, io.SeekStart); err != nil {
			return 0, err
		}
		if _, err := io.ReadFull(f, buf[:n]); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], c); i >= 0 {
			return offset - n + int64(i) + 1, nil
		}
		offset -= n
	}
	return 0, nil
}

// ReceiveAudit appends to an archive the lines of [DB.ExportAudit] that r has, each
// after it was proved to continue the chain of those that are there, and returns
// the mark of the last. begin is called first, with the mark of what is there: the
// other side sends what follows. An error leaves what was proved before it. It
// needs no registry.
func ReceiveAudit(f Archive, r io.Reader, begin func(Mark) error) (Mark, error) {
	m, err := resume(f)
	if err != nil {
		return m, err
	}
	if err := begin(m); err != nil {
		return m, err
	}
	last, err := VerifyExport(r, m, func(_ *Event, entry, hash []byte) error { return writeLine(f, entry, hash) })
	if err := errors.Join(err, f.Sync()); err != nil {
		return last, fmt.Errorf("receiving the audit: %w", err)
	}
	return last, nil
}

// String returns the mark as one line: the event's number and the hash.
func (m Mark) String() string { return fmt.Sprintf("%d %s", m.Seq, m.Hash) }

// ParseMark reads what [Mark.String] wrote; "0 " is that of an empty archive.
func ParseMark(line string) (Mark, error) {
	number, hash, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	seq, err := strconv.ParseInt(number, 10, 64)
	b, herr := hex.DecodeString(hash)
	if !ok || err != nil || herr != nil || seq < 0 || (seq == 0) != (len(b) == 0) || seq > 0 && len(b) != sha256.Size {
		return Mark{}, fmt.Errorf("%.80q is no mark of an audit: the number of an event and its hash", line)
	}
	return Mark{seq, hash}, nil
}
