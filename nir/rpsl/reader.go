package rpsl

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits bound what is read. A zero is the value of [DefaultLimits].
type Limits struct {
	Bytes      int64 // of the whole text, unpacked
	Objects    int
	Object     int // octets of one object with what stands before it
	Attributes int // of one object
	Line       int // octets of one line
	Ratio      int // by which gzip may expand more than the first MiB
	Mistakes   int // that are told; reading stops with the next

	Latin1 bool // the text is ISO 8859-1 and is read as UTF-8; printing gives UTF-8
}

// DefaultLimits are several times what the regional registries' files need.
func DefaultLimits() Limits {
	return Limits{Bytes: 8 << 30, Objects: 50_000_000, Object: 1 << 20, Attributes: 10_000, Line: 64 << 10, Ratio: 200, Mistakes: 100}
}

func (l Limits) filled() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ v, d *int }{
		{&l.Objects, &d.Objects},
		{&l.Object, &d.Object},
		{&l.Attributes, &d.Attributes},
		{&l.Line, &d.Line},
		{&l.Ratio, &d.Ratio},
		{&l.Mistakes, &d.Mistakes},
	} {
		if *f.v <= 0 {
			*f.v = *f.d
		}
	}
	if l.Bytes <= 0 {
		l.Bytes = d.Bytes
	}
	return l
}

// A Mistake is one thing that is wrong with a text.
type Mistake struct {
	File string
	Line int
	Text string // with what to do
}

// Error returns file:line: text.
func (m *Mistake) Error() string { return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Text) }

// Mistakes are all that is wrong with a text; More counts those that are not in
// the list.
type Mistakes struct {
	List []*Mistake
	More int
}

// Error returns a line for each.
func (m *Mistakes) Error() string {
	var b strings.Builder
	for i, l := range m.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(l.Error())
	}
	if m.More > 0 {
		fmt.Fprintf(&b, "\nand %d more", m.More)
	}
	return b.String()
}

// A Reader reads the objects of a text one by one, in memory for one object.
type Reader struct {
	file string
	lim  Limits
	in   *bufio.Reader
	line int   // of the last line that was read
	size int64 // octets read
	n    int   // objects read
	next string
	some bool // next holds a line
	done error
	rest string
}

// NewReader reads a text, plain or packed by gzip, which it finds out. The file's
// name is for mistakes.
func NewReader(file string, r io.Reader, lim Limits) *Reader {
	lim = lim.filled()
	counted := &counter{r: r}
	size := 64 << 10
	if text, ok := r.(interface{ Len() int }); ok { // one object: a buffer costs more than to read it
		size = min(size, text.Len()+1)
	}
	in := bufio.NewReaderSize(counted, size)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return &Reader{file: file, lim: lim, done: fmt.Errorf("%s: unpacking: %w; fetch it again", file, err)}
		}
		in = bufio.NewReaderSize(&unpacked{z: z, packed: counted, lim: lim}, 64<<10)
	}
	return &Reader{file: file, lim: lim, in: in}
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// unpacked refuses a gzip bomb: few octets that expand to very many.
type unpacked struct {
	z      io.Reader
	packed *counter
	lim    Limits
	n      int64
}

func (u *unpacked) Read(b []byte) (int, error) {
	n, err := u.z.Read(b)
	u.n += int64(n)
	if u.n > 1<<20 && u.n/int64(u.lim.Ratio) > u.packed.n {
		return 0, fmt.Errorf("%d packed octets expand to more than %d: that is no text", u.packed.n, u.n)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("unpacking: %w; fetch it again", err)
	}
	return n, err
}

// Next returns the next object, and io.EOF after the last one. A [*Mistakes] is of
// one object, which is skipped: reading goes on behind it. After any other error
// it does not.
func (r *Reader) Next() (*Object, error) {
	if r.done != nil {
		return nil, r.done
	}
	o := &Object{File: r.file}
	var lead strings.Builder
	for {
		line, err := r.readLine(lead.Len())
		if err != nil {
			r.done = err
			if errors.Is(err, io.EOF) {
				r.rest = lead.String()
			}
			return nil, err
		}
		if !isBetween(line) {
			r.next, r.some = line, true
			break
		}
		lead.WriteString(line)
	}
	o.Lead, o.Line = lead.String(), r.line
	if r.n++; r.n > r.lim.Objects {
		r.done = fmt.Errorf("%s:%d: more than %d objects: split the file", r.file, r.line, r.lim.Objects)
		return nil, r.done
	}
	return r.object(o)
}

// Rest returns what stands behind the last object, when all are read.
func (r *Reader) Rest() string { return r.rest }

// isBetween reports whether a line stands between objects.
func isBetween(line string) bool {
	return line[0] == '%' || line[0] == '#' || isEmpty(line)
}

func isEmpty(line string) bool { return strings.TrimRight(line, " \t\r\n") == "" }

// object reads the lines of an object up to an empty one.
func (r *Reader) object(o *Object) (*Object, error) {
	var bad Mistakes
	fail := func(format string, args ...any) {
		bad.List = append(bad.List, &Mistake{r.file, r.line, fmt.Sprintf(format, args...)})
	}
	size := len(o.Lead)
	for {
		line, err := r.readLine(size)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			r.done = err
			return nil, err
		}
		if isEmpty(line) || line[0] == '%' {
			r.next, r.some = line, true
			break
		}
		size += len(line)
		o.take(line, r.line, fail)
		if len(o.Attributes) > r.lim.Attributes {
			r.done = fmt.Errorf("%s:%d: an object of more than %d attributes: split it", r.file, r.line, r.lim.Attributes)
			return nil, r.done
		}
	}
	if len(bad.List) > 0 {
		return nil, &bad
	}
	return o, nil
}

// take adds a line to the object.
func (o *Object) take(line string, n int, fail func(string, ...any)) {
	if why := badText(line); why != "" {
		fail("%s", why)
		return
	}
	switch line[0] {
	case ' ', '\t', '+', '#':
		if len(o.Attributes) == 0 {
			fail("a line that continues an attribute stands at the beginning of an object: begin it with a name and a colon (RFC 2622, section 2)")
			return
		}
		last := &o.Attributes[len(o.Attributes)-1]
		if !strings.HasSuffix(last.text, "\n") { // cannot be: only the last line of a text has no end
			last.text += "\n"
		}
		last.text += line
		return
	}
	name, _, ok := strings.Cut(line, ":")
	switch name = strings.TrimRight(name, " \t"); {
	case !ok:
		fail("%.40q is no attribute: write a name, a colon and a value (RFC 2622, section 2)", strings.TrimSpace(line))
	case !isName(name):
		fail("%.40q is no name of an attribute: write letters, digits and hyphens (RFC 2622, section 2)", name)
	default:
		o.Attributes = append(o.Attributes, Attribute{strings.ToLower(name), n, line})
	}
}

// badText says what is wrong with the octets of a line.
func badText(line string) string {
	for i := 0; i < len(line); i++ {
		c := line[i]
		if c < ' ' && c != '\t' && c != '\n' && !(c == '\r' && strings.HasPrefix(line[i:], "\r\n")) || c == 0x7f {
			return fmt.Sprintf("octet 0x%02x in column %d is a control character: take it out", c, i+1)
		}
	}
	if !utf8.ValidString(line) {
		return "the line is not UTF-8: convert the file, or say that it is ISO 8859-1"
	}
	if i := strings.IndexFunc(line, func(r rune) bool { return r >= 0x80 && unicode.IsControl(r) }); i >= 0 {
		r, _ := utf8.DecodeRuneInString(line[i:])
		return fmt.Sprintf("%U in column %d is a control character: take it out, or convert the file from what it is in", r, i+1)
	}
	if i := strings.IndexFunc(line, func(r rune) bool { return unicode.Is(unicode.Cf, r) }); i >= 0 {
		r, _ := utf8.DecodeRuneInString(line[i:])
		return fmt.Sprintf("%U in column %d is a format character, which is not seen: take it out", r, i+1)
	}
	return ""
}

// isName reports whether s can name an attribute.
func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		letter, digit := c >= 'a' && c <= 'z', s[i] >= '0' && s[i] <= '9'
		if !letter && !digit && (i == 0 || s[i] != '-' && s[i] != '_') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// readLine returns the next line with its end; before counts what the object has
// already.
func (r *Reader) readLine(before int) (string, error) {
	if r.some {
		r.some = false
		return r.next, nil
	}
	var long []byte
	for {
		part, err := r.in.ReadSlice('\n')
		if len(long)+len(part) > r.lim.Line {
			return "", fmt.Errorf("%s:%d: a line of more than %d octets: fold it", r.file, r.line+1, r.lim.Line)
		}
		if before+len(long)+len(part) > r.lim.Object {
			return "", fmt.Errorf("%s:%d: an object of more than %d octets: an empty line has to end it", r.file, r.line+1, r.lim.Object)
		}
		if r.size += int64(len(part)); r.size > r.lim.Bytes {
			return "", fmt.Errorf("%s:%d: more than %d octets: split the file", r.file, r.line+1, r.lim.Bytes)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			long = append(long, part...)
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return "", fmt.Errorf("%s:%d: %w", r.file, r.line+1, err)
		case err != nil && len(long)+len(part) == 0:
			return "", io.EOF
		}
		r.line++
		return r.text(append(long, part...)), nil
	}
}

// text returns a line as UTF-8.
func (r *Reader) text(line []byte) string {
	if !r.lim.Latin1 {
		return string(line)
	}
	var b strings.Builder
	for _, c := range line {
		b.WriteRune(rune(c))
	}
	return b.String()
}
