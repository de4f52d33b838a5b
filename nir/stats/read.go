package stats

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"nirzone/nir/inr"
)

// Limits bound what is read: everything from outside has one.
type Limits struct {
	Line     int // octets of a line
	Records  int
	Mistakes int // that are told; the others are counted
}

// DefaultLimits are several times what the five registries together publish.
func DefaultLimits() Limits { return Limits{Line: 1024, Records: 4 << 20, Mistakes: 100} }

// Read reads a file and calls fn for every record without a mistake, in the
// order of the file; what fn returns ends the reading. The error is a *[Mistakes]
// with all that is wrong, fn's, or the reader's. Only when it is nil is the
// file whole: until then nothing of it may be acted on.
func Read(file string, from io.Reader, lim Limits, fn func(Record) error) (Header, error) {
	r := &reader{file: file, lim: lim, fn: fn, words: map[string]string{}, sums: map[inr.Kind]summary{}, counts: map[inr.Kind]int{}}
	if err := r.lines(bufio.NewReaderSize(from, max(lim.Line, 16)+1)); err != nil {
		return r.header, err
	}
	r.finish()
	return r.header, r.bad.Err()
}

type summary struct{ count, line int }

type reader struct {
	file    string
	lim     Limits
	fn      func(Record) error
	bad     Mistakes
	line    int
	header  Header
	headed  int               // line of the header, 0 before it
	words   map[string]string // each once: registries and economies
	sums    map[inr.Kind]summary
	counts  map[inr.Kind]int // records by type, the mistaken ones too
	records int
	fields  []string
}

func (r *reader) fail(format string, args ...any) {
	r.bad.Add(r.lim.Mistakes, r.file, r.line, format, args...)
}

// errFull ends the reading at the limit of records.
var errFull = errors.New("too many records")

func (r *reader) lines(b *bufio.Reader) error {
	for {
		data, err := b.ReadSlice('\n')
		if len(data) == 0 && err == io.EOF {
			return nil
		}
		r.line++
		switch {
		case err == bufio.ErrBufferFull:
			r.fail("the line is longer than %d octets", r.lim.Line)
			err = skipLine(b)
		case err == nil || err == io.EOF:
			if err == io.EOF {
				r.fail("the last line has no line end: the file may be cut short; fetch it again")
			}
			if lerr := r.one(strings.TrimRight(string(data), "\r\n")); lerr != nil {
				if lerr == errFull {
					return nil
				}
				return lerr
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("reading %s: %w", r.file, err)
		}
	}
}

// skipLine reads on to the end of a line that is too long.
func skipLine(b *bufio.Reader) error {
	for {
		_, err := b.ReadSlice('\n')
		if err != bufio.ErrBufferFull {
			return err
		}
	}
}

// one reads a line. Only fn's error and the limit of records end the file.
func (r *reader) one(line string) error {
	if line == "" || line[0] == '#' {
		return nil
	}
	r.split(line)
	if r.headed == 0 {
		r.headed = r.line
		if r.readHeader() {
			return nil
		}
	}
	if len(r.fields) == 6 && r.fields[5] == "summary" {
		r.readSummary()
		return nil
	}
	return r.readRecord()
}

func (r *reader) split(line string) {
	r.fields = r.fields[:0]
	for {
		field, rest, more := strings.Cut(line, "|")
		r.fields = append(r.fields, field)
		if !more {
			return
		}
		line = rest
	}
}

// readHeader reports whether the line was meant as header.
func (r *reader) readHeader() bool {
	f := r.fields
	if len(f) != 7 || f[0] == "" || !isDigit(f[0][0]) {
		r.fail("the first line is no header: write version|registry|serial|records|startdate|enddate|UTCoffset")
		return false
	}
	if !validVersion(f[0]) {
		r.fail("version %.20q of the format: this program reads 2 and 2.x", f[0])
	}
	if !validRegistry(f[1]) {
		r.fail("registry %.40q is not a word of lower-case letters, digits and hyphens", f[1])
	}
	if !allOf(f[2], 20, isDigit) {
		r.fail("serial %.40q is not a number", f[2])
	}
	n, err := strconv.ParseUint(f[3], 10, 31)
	if err != nil {
		r.fail("count %.40q of records is not a number", f[3])
		n = 0
	}
	start, end := r.date(f[4]), r.date(f[5])
	if !validOffset(f[6]) {
		r.fail("UTC offset %.20q: write it as +1000", f[6])
	}
	r.header = Header{Version: f[0], Registry: f[1], Serial: f[2], Records: int(n), Start: start, End: end, Offset: f[6]}
	return true
}

func (r *reader) date(s string) Date {
	d, err := parseDate(s)
	if err != nil {
		r.fail("%v", err)
	}
	return d
}

// known reports whether a line is of the header's registry; without a header
// one mistake is enough.
func (r *reader) known(registry string) bool {
	return registry == r.header.Registry || r.header.Registry == ""
}

func (r *reader) readSummary() {
	f := r.fields
	k, err := inr.ParseKind(f[2])
	n, nerr := strconv.ParseUint(f[4], 10, 31)
	switch {
	case err != nil:
		r.fail("summary: type %.20q is not asn, ipv4 or ipv6", f[2])
	case !r.known(f[0]):
		r.fail("summary of registry %.40q in a file of %s", f[0], r.header.Registry)
	case f[1] != "*" || f[3] != "*" || nerr != nil:
		r.fail("summary: write %s|*|%s|*|count|summary", r.header.Registry, k)
	case r.sums[k].line != 0:
		r.fail("summary of %s stands in line %d already", k, r.sums[k].line)
	default:
		r.sums[k] = summary{int(n), r.line}
	}
}

func (r *reader) readRecord() error {
	if r.records >= r.lim.Records {
		r.fail("more than %d records: nothing from here on was read", r.lim.Records)
		return errFull
	}
	r.records++
	before := r.bad.Len()
	rec, ok := r.record()
	if !ok || r.bad.Len() > before {
		return nil
	}
	return r.fn(rec)
}

// record makes a record of the fields and tells all that is wrong with them.
func (r *reader) record() (Record, bool) {
	f := r.fields
	if len(f) < 7 {
		r.fail("%d fields: a record is registry|cc|type|start|value|date|status, with |opaque-id in the extended form", len(f))
		return Record{}, false
	}
	k, err := inr.ParseKind(f[2])
	if err != nil {
		r.fail("type %.20q is not asn, ipv4 or ipv6", f[2])
	} else {
		r.counts[k]++
	}
	rec := Record{Registry: r.word(f[0]), Economy: r.word(f[1]), Status: Status(r.word(f[6])), Line: r.line}
	if !r.known(f[0]) && (r.header.Registry != "nro" || !validRegistry(f[0])) {
		r.fail("registry %.40q in a file of %s", f[0], r.header.Registry)
	}
	if !validEconomy(f[1]) {
		r.fail("economy %.20q is not two upper-case letters (ISO 3166-1)", f[1])
	}
	if !rec.Status.Valid() {
		r.fail("status %.20q is not allocated, assigned, available or reserved", f[6])
	}
	if err == nil {
		if rec.Range, err = inr.FromStatistics(k, f[3], f[4]); err != nil {
			r.fail("%v", err)
		}
	}
	rec.Date = r.date(f[5])
	return rec, r.rest(&rec, f[7:]) && err == nil
}

// rest reads what follows the status.
func (r *reader) rest(rec *Record, fields []string) bool {
	for i, s := range fields {
		if s != "" && !allOf(s, 64, isPlain) {
			r.fail("field %d, %.80q, is not 1 to 64 octets of plain text without blanks", i+8, s)
			return false
		}
	}
	if len(fields) > 0 {
		rec.Opaque = strings.Clone(fields[0])
	}
	if len(fields) > 1 {
		rec.Extensions = strings.Split(strings.Join(fields[1:], "|"), "|")
	}
	return true
}

// word returns one copy of a text that many lines repeat: a part of a line
// would keep the whole of it.
func (r *reader) word(s string) string {
	if w, ok := r.words[s]; ok {
		return w
	}
	s = strings.Clone(s)
	if len(r.words) < 4096 {
		r.words[s] = s
	}
	return s
}

// finish compares the counts that the file states with what it holds.
func (r *reader) finish() {
	if r.headed == 0 {
		r.bad.Add(r.lim.Mistakes, r.file, 0, "it has no header: it is empty, or no statistics file")
		return
	}
	if r.header.Registry != "" && r.header.Records != r.records {
		r.line = r.headed
		r.fail("the header says %d records, there are %d: the file is cut short or was changed; fetch it again", r.header.Records, r.records)
	}
	for _, k := range kindOrder {
		s := r.sums[k]
		switch r.line = s.line; {
		case s.line == 0 && r.counts[k] > 0:
			r.fail("there is no summary of the %d records of %s", r.counts[k], k)
		case s.count != r.counts[k]:
			r.fail("the summary says %d records of %s, there are %d", s.count, k, r.counts[k])
		}
	}
}
