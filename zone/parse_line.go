package zone

import (
	"bytes"
)

// A token is a word or a quoted string of a logical line, escapes and quotes as
// they stand. Its column counts octets from 1.
type token struct {
	text      []byte
	line, col int
	quoted    bool
}

// A cutter takes one logical line apart (RFC 1035, section 5.1): white space
// separates words, parentheses join lines, a semicolon begins a comment, a
// backslash takes the meaning from the next character.
type cutter struct {
	d         []byte
	i         int // next octet
	line      int // its line
	lineStart int // index of the first octet of that line
	toks      []token
	blank     bool // the first line begins with a blank: no owner

	depth    int // open parentheses
	openLine int // where the outermost one stands
	openCol  int
	resync   int // the first line after it that begins with a word; 0 if none
	resyncN  int // its number

	errLine, errCol int // the first mistake, if err is set
	err             string
	unclosed        bool
	long            bool
}

func (c *cutter) fail(at int, msg string) {
	if c.err == "" {
		c.errLine, c.errCol, c.err = c.line, at-c.lineStart+1, msg
	}
}

// cut reads up to the end of the logical line that begins at c.i, or up to most
// octets.
func (c *cutter) cut(most int) {
	start := c.i
	c.blank = c.i < len(c.d) && isBlank(c.d[c.i])
	for c.i < len(c.d) {
		if c.d[c.i] == '\n' && c.depth == 0 && c.i-start <= most {
			c.i++
			c.line++
			return
		}
		if c.i-start > most {
			c.long = true
			return
		}
		c.step()
	}
	c.long = c.i-start > most
	c.unclosed = c.depth > 0
}

// step reads one token or one separator.
func (c *cutter) step() {
	switch b := c.d[c.i]; {
	case b == '\n':
		c.newline()
	case isBlank(b):
		c.i++
	case b == '\r' && c.i+1 < len(c.d) && c.d[c.i+1] == '\n':
		c.i++
	case b == ';':
		c.comment()
	case b == '(' || b == ')':
		c.paren(b)
	case b == '"':
		c.quoted()
	default:
		c.word()
	}
}

// newline goes on inside parentheses. It remembers where reading may start
// again if they are never closed.
func (c *cutter) newline() {
	c.i++
	c.line++
	c.lineStart = c.i
	if c.resync == 0 && c.i < len(c.d) && !bytes.ContainsRune([]byte(" \t;()\r\n"), rune(c.d[c.i])) {
		c.resync, c.resyncN = c.i, c.line
	}
}

func (c *cutter) paren(b byte) {
	switch {
	case b == '(' && len(c.toks) == 0 && !c.blank:
		c.fail(c.i, `a line begins with its owner or a blank, not with "(" (RFC 1035, section 5.1)`)
	case b == ')' && c.depth == 0:
		c.fail(c.i, `")" without "(" (RFC 1035, section 5.1); remove it or open a parenthesis on the line`)
		c.i++
		return
	}
	if b == '(' {
		if c.depth == 0 {
			c.openLine, c.openCol = c.line, c.i-c.lineStart+1
		}
		c.depth++
	} else {
		c.depth--
	}
	c.i++
}

// comment skips to the line end. Comments may hold UTF-8, but nothing that
// changes how a terminal shows them.
func (c *cutter) comment() {
	for ; c.i < len(c.d) && c.d[c.i] != '\n'; c.i++ {
		if c.control() {
			return
		}
	}
}

// control refuses a control character at c.i and skips the rest of the line.
func (c *cutter) control() bool {
	b := c.d[c.i]
	if b >= ' ' && b != 0x7f || b == '\t' || b == '\r' && c.i+1 < len(c.d) && c.d[c.i+1] == '\n' {
		return false
	}
	switch b {
	case 0:
		c.fail(c.i, "NUL octet: a master file is text (RFC 1035, section 5.1); was the file cut short or sparse?")
	case '\r':
		c.fail(c.i, "carriage return without line feed; lines end with LF or CR LF")
	default:
		c.fail(c.i, "control character "+hexByte(b)+`; a master file is text: write \DDD in a name (RFC 1035, section 5.1)`)
	}
	c.skipLine()
	return true
}

func hexByte(b byte) string {
	const digits = "0123456789abcdef"
	return "0x" + string([]byte{digits[b>>4], digits[b&15]})
}

func (c *cutter) skipLine() {
	if n := bytes.IndexByte(c.d[c.i:], '\n'); n >= 0 {
		c.i += n
		return
	}
	c.i = len(c.d)
}

// quoted reads a string in quotes. It ends on its line, as BIND wants it: a
// forgotten quote would swallow the rest of the file.
func (c *cutter) quoted() {
	start := c.i
	c.i++
	for c.i < len(c.d) {
		switch b := c.d[c.i]; {
		case b == '"':
			c.i++
			c.toks = append(c.toks, token{c.d[start:c.i], c.line, start - c.lineStart + 1, true})
			return
		case b == '\n' || b == '\r' && c.i+1 < len(c.d) && c.d[c.i+1] == '\n':
			c.fail(start, "the quote that opens here is not closed on its line (RFC 1035, section 5.1); close it there")
			return
		case b == '\\':
			if !c.escape() {
				return
			}
		case c.control():
			return
		default:
			c.i++
		}
	}
	c.fail(start, "the quote that opens here is not closed (RFC 1035, section 5.1); was the file cut short?")
}

// word reads a word.
func (c *cutter) word() {
	start := c.i
	for c.i < len(c.d) {
		switch b := c.d[c.i]; {
		case isBlank(b), b == '\n', b == ';', b == '(', b == ')':
			c.push(start)
			return
		case b == '\r' && c.i+1 < len(c.d) && c.d[c.i+1] == '\n':
			c.push(start)
			return
		case b == '"':
			c.fail(c.i, `quote inside a word; put a blank before it, or a backslash (RFC 1035, section 5.1)`)
			c.push(start)
			return
		case b == '\\':
			if !c.escape() {
				return
			}
		case c.control():
			return
		case b >= 0x80:
			c.fail(c.i, "octet "+hexByte(b)+` outside quotes and comments; write \DDD (RFC 1035, section 5.1)`)
			c.i++
		default:
			c.i++
		}
	}
	c.push(start)
}

func (c *cutter) push(start int) {
	c.toks = append(c.toks, token{c.d[start:c.i], c.line, start - c.lineStart + 1, false})
}

// escape checks and skips \DDD or \X.
func (c *cutter) escape() bool {
	rest := c.d[c.i:]
	if len(rest) < 2 || rest[1] < ' ' || rest[1] >= 0x7f {
		c.fail(c.i, `a backslash escapes the printable character after it, and none is there (RFC 1035, section 5.1)`)
		c.i++
		return true
	}
	_, n, err := unescape(string(rest[:min(4, len(rest))]))
	if err != nil {
		c.fail(c.i, err.Error())
		n = 1
	}
	c.i += n
	return true
}
