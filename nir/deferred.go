package nir

import (
	"fmt"
	"strings"
)

// deferred are new versions that are not in the database yet. To PostgreSQL every
// statement is a journey, and an event writes into six tables: its inserts wait
// until somebody asks for what they say, or until the event is recorded, and go
// together then, with the audit row, as one statement. In SQLite nothing waits.
type deferred struct {
	x       *Tx
	inserts []insert
	rows    int
}

// An insert is rows for one table.
type insert struct {
	table, cols string
	rows, width int
	args        []any
}

// mostLate is how many rows wait: more make so many shapes of statements that
// preparing them costs more than it saves.
const mostLate = 12

// take takes rows, if they may wait.
func (l *deferred) take(table, cols string, rows int, args []any) bool {
	if l.x.db.dialect != Postgres || l.rows+rows > mostLate {
		return false
	}
	if n := len(l.inserts); n > 0 && l.inserts[n-1].table == table {
		last := &l.inserts[n-1]
		last.rows, last.args = last.rows+rows, append(last.args, args...)
	} else {
		l.inserts = append(l.inserts, insert{table, cols, rows, len(args) / rows, args})
	}
	l.rows += rows
	return true
}

// settle writes what waits if a statement could be about it: if it names one of the
// tables, or the one that triggers write.
func (l *deferred) settle(query string) error {
	if l == nil {
		return nil
	}
	for _, i := range l.inserts {
		if strings.Contains(query, i.table) || strings.Contains(query, "whois_ref") {
			return l.write("")
		}
	}
	return nil
}

// write writes what waits and carries out a last statement, "" for none, which
// sees nothing of it.
func (l *deferred) write(last string, args ...any) error {
	var parts []string
	var all []any
	for _, i := range l.inserts {
		parts = append(parts, "INSERT INTO "+i.table+" ("+i.cols+") VALUES "+markRows(len(all)+1, i.rows, i.width))
		all = append(all, i.args...)
	}
	if last != "" {
		marks := make([]any, len(args))
		for i := range args {
			marks[i] = len(all) + i + 1
		}
		parts, all = append(parts, fmt.Sprintf(last, marks...)), append(all, args...)
	}
	l.inserts, l.rows = nil, 0
	if len(parts) == 0 {
		return nil
	}
	var with []string
	for i, p := range parts[:len(parts)-1] {
		with = append(with, fmt.Sprintf("w%d AS (%s)", i, p))
	}
	query := parts[len(parts)-1]
	if len(with) > 0 {
		query = "WITH " + strings.Join(with, ", ") + " " + query
	}
	_, err := l.x.exec(query, all...)
	return err
}
