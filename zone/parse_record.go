package zone

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

const maxTTL = math.MaxInt32 // RFC 2181, section 8

// maxResyncs bounds how often reading starts again after a parenthesis that is
// never closed: each costs up to a logical line of the greatest length.
const maxResyncs = 50

// slowLine takes one logical line of any form.
func (p *parser) slowLine() {
	c := cutter{d: p.data, i: p.pos, line: p.line, lineStart: p.pos, toks: p.toks[:0]}
	if p.line == 1 {
		c.lineStart = 0 // behind a byte order mark
	}
	c.cut(p.lim.MaxLine)
	p.toks = c.toks
	first := p.line
	p.pos, p.line = c.i, c.line
	switch {
	case c.depth > 0 && (c.unclosed || c.long):
		p.unclosed(&c)
	case c.long:
		p.fail(first, 1, "line of more than %d octets; no record needs that: was a line feed lost? (RFC 1035, section 5.1)", p.lim.MaxLine)
		c.skipLine()
		p.pos, p.line = min(c.i+1, len(p.data)), c.line+1
	case c.err != "":
		p.fail(c.errLine, c.errCol, "%s", c.err)
		p.afterMistake(&c)
	case len(c.toks) > 0:
		p.entry(&c, first)
	}
}

// unclosed refuses a parenthesis that is not closed before the file or the
// greatest length ends, and goes on where the next record seems to begin.
func (p *parser) unclosed(c *cutter) {
	if c.err != "" {
		p.fail(c.errLine, c.errCol, "%s", c.err)
	}
	p.fail(c.openLine, c.openCol, `the parenthesis that opens here is not closed within %d octets (RFC 1035, section 5.1); add ")"`, p.lim.MaxLine)
	p.resyncs++
	if c.resync == 0 || p.resyncs == maxResyncs {
		p.stopped = true
		return
	}
	p.pos, p.line = c.resync, c.resyncN
	p.afterMistake(c)
}

// afterMistake keeps what later lines refer to from a line that was cut badly,
// or marks it as refused, so that one mistake is not reported again on each of
// them.
func (p *parser) afterMistake(c *cutter) {
	if c.blank {
		return
	}
	if len(c.toks) > 0 && !c.toks[0].quoted {
		t := c.toks[0]
		if t.text[0] == '$' {
			p.setOrigin("")
			return
		}
		if n, err := p.resolve(t); err == nil && n.Within(p.f.Zone) {
			p.owner, p.ownerRaw, p.ownerBad = n, nil, false
			return
		}
	}
	p.owner, p.ownerRaw, p.ownerBad = "", nil, true
}

// entry reads a directive or a record.
func (p *parser) entry(c *cutter, line int) {
	t := c.toks[0]
	if !c.blank && !t.quoted && t.text[0] == '$' {
		p.directive(t, c.toks[1:])
		return
	}
	toks := c.toks
	if c.blank {
		if p.owner == "" {
			if !p.ownerBad {
				p.fail(t.line, t.col, "the line begins with a blank, so it repeats the owner above it, and there is none (RFC 1035, section 5.1); write the owner")
			}
			return
		}
	} else {
		if !p.setOwner(t) {
			return
		}
		toks = toks[1:]
	}
	p.record(toks, t, line)
}

// setOwner resolves an owner and checks that it is in the zone.
func (p *parser) setOwner(t token) bool {
	n, err := p.resolve(t)
	switch {
	case errors.Is(err, errNoOrigin):
	case err != nil:
		p.fail(t.line, t.col, "owner: %v", err)
	case !n.Within(p.f.Zone):
		p.fail(t.line, t.col, "owner %s lies outside %s (policy APNIC-103, appendix); a zonelet holds names of its zone only: check $ORIGIN and the final dot", n, p.f.Zone)
	default:
		if n != p.owner {
			p.owner = Name(p.names.add([]byte(n)))
		}
		p.ownerRaw, p.ownerBad = nil, false
		return true
	}
	p.owner, p.ownerRaw, p.ownerBad = "", nil, true
	return false
}

var errNoOrigin = errors.New("relative name after a refused $ORIGIN")

// resolve makes a token an absolute name (RFC 1035, section 5.1).
func (p *parser) resolve(t token) (Name, error) {
	s := string(t.text)
	switch {
	case t.quoted:
		return "", fmt.Errorf("%.80q is a quoted string, not a name", s[1:len(s)-1])
	case s == ".":
		return Root, nil
	case strings.HasSuffix(s, ".") && !escapedDot(s, len(s)-1):
		return ParseName(s)
	case p.origin == "":
		return "", errNoOrigin
	case s == "@":
		return p.origin, nil
	case p.origin == Root:
		return ParseName(s + ".")
	}
	return ParseName(s + "." + string(p.origin))
}

// directive obeys $TTL and $ORIGIN and refuses the others: $INCLUDE would read
// a file of this host, $GENERATE makes millions of records from a line.
func (p *parser) directive(t token, args []token) {
	switch word := strings.ToUpper(string(t.text)); word {
	case "$TTL", "$ORIGIN":
		if len(args) != 1 {
			p.fail(t.line, t.col, "%s with %d arguments, it takes one (RFC 1035, section 5.1; RFC 2308, section 4)", word, len(args))
			if word == "$ORIGIN" {
				p.setOrigin("")
			}
			return
		}
		if word == "$TTL" {
			p.directiveTTL(args[0])
			return
		}
		p.directiveOrigin(args[0])
	case "$INCLUDE", "$GENERATE":
		p.fail(t.line, t.col, "%s is refused: a zonelet stands for itself, one line a record (policy APNIC-103, appendix); write the records out", word)
	default:
		p.fail(t.line, t.col, "directive %.40s is not known; only $TTL and $ORIGIN are (RFC 1035, section 5.1; RFC 2308, section 4)", t.text)
	}
}

func (p *parser) directiveTTL(t token) {
	ttl, err := parseTTL(string(t.text))
	if err != nil {
		p.fail(t.line, t.col, "$TTL: %v", err)
		return
	}
	p.ttl, p.ttlByDir = ttl, true
}

func (p *parser) directiveOrigin(t token) {
	n, err := p.resolve(t)
	if err != nil {
		if !errors.Is(err, errNoOrigin) {
			p.fail(t.line, t.col, "$ORIGIN: %v", err)
		}
		n = ""
	}
	p.setOrigin(n)
}

// parseTTL reads seconds, or numbers with the units of BIND: 1w2d3h4m5s.
func parseTTL(s string) (uint32, error) {
	bad := fmt.Errorf("TTL %.40q is not a number of seconds, or numbers with w, d, h, m, s", s)
	var total, n uint64
	digits, units := 0, 0
	for i := range len(s) {
		c := s[i]
		if c >= '0' && c <= '9' {
			n, digits = min(10*n+uint64(c-'0'), 1<<40), digits+1
			continue
		}
		unit := ttlUnits[c|0x20]
		if unit == 0 || digits == 0 {
			return 0, bad
		}
		total, n, digits, units = min(total+n*unit, 1<<60), 0, 0, units+1
	}
	if digits > 0 == (units > 0) { // a plain number, or all of it with units
		return 0, bad
	}
	if total += n; total > maxTTL {
		return 0, fmt.Errorf("TTL %.40s is over %d seconds (RFC 2181, section 8)", s, maxTTL)
	}
	return uint32(total), nil
}

var ttlUnits = [256]uint64{'w': 604800, 'd': 86400, 'h': 3600, 'm': 60, 's': 1}

// record reads TTL and class in either order, the type and the data.
func (p *parser) record(toks []token, first token, line int) {
	h := head{ttl: p.ttl}
	n, ok := p.head(toks, first, &h)
	if !ok {
		return
	}
	ttl := p.stated(h.ttl, h.hasTTL)
	data, ok := p.parseData(h.typ, toks[n-1], toks[n:])
	if !ok {
		return
	}
	if h.typ == TypeTXT && p.trailerLine(data, toks[n]) {
		return
	}
	if p.trailer.lines > 0 {
		p.afterTrailer(first)
	}
	p.add(p.owner, h.typ, ttl, data, line)
}

// A head is what stands between owner and data.
type head struct {
	typ      Type
	ttl      uint32
	hasTTL   bool
	hasClass bool
}

// head reads TTL, class and type and returns the number of tokens.
func (p *parser) head(toks []token, last token, h *head) (int, bool) {
	for n, t := range toks {
		last = t
		word := strings.ToUpper(string(t.text))
		switch {
		case t.quoted:
			p.fail(t.line, t.col, "%.40q stands where TTL, class or type is expected (RFC 1035, section 5.1)", quotedText(t))
			return 0, false
		case !h.hasTTL && word[0] >= '0' && word[0] <= '9':
			ttl, err := parseTTL(word)
			if err != nil {
				p.fail(t.line, t.col, "%v", err)
				return 0, false
			}
			h.ttl, h.hasTTL = ttl, true
		case !h.hasClass && isClass(word):
			if word != "IN" && word != "CLASS1" {
				p.fail(t.line, t.col, "class %.40s: only IN is taken (policy APNIC-103, appendix); write IN, or no class", t.text)
				return 0, false
			}
			h.hasClass = true
		default:
			h.typ = p.typeOf(t, word)
			return n + 1, h.typ != 0
		}
	}
	p.fail(last.line, last.col+len(last.text), "the line ends where a type such as NS is expected (RFC 1035, section 5.1)")
	return 0, false
}

func isClass(word string) bool {
	_, known := dns.StringToClass[word]
	return known && word != "ANY" || strings.HasPrefix(word, "CLASS")
}

// typeOf reads a type and refuses those that cannot stand in a zonelet; it
// returns 0 then.
func (p *parser) typeOf(t token, word string) Type {
	typ, ok := uint16(0), false
	if n, isNumber := strings.CutPrefix(word, "TYPE"); isNumber {
		v, err := strconv.ParseUint(n, 10, 16)
		typ, ok = uint16(v), err == nil
	} else {
		typ, ok = dns.StringToType[word]
	}
	switch {
	case !ok:
		p.fail(t.line, t.col, "%.40q is no type, a zonelet has NS and DS (RFC 1035, section 3.2.2; TYPEn as in RFC 3597, section 5); correct it", t.text)
	case Type(typ) == TypeSOA:
		p.fail(t.line, t.col, "SOA record: a zonelet has none (policy APNIC-103, appendix); remove it, the registry writes its own")
	case typ == 0 || typ == dns.TypeOPT || typ >= 128 && typ <= 255 || typ == 65535:
		p.fail(t.line, t.col, "type %.40s is no type of data (RFC 6895, section 3.1)", t.text)
	default:
		return Type(typ)
	}
	return 0
}

// quotedText returns the octets of a quoted string or word, escapes resolved.
func quotedText(t token) []byte {
	s := t.text
	if t.quoted {
		s = s[1 : len(s)-1]
	}
	if bytes.IndexByte(s, '\\') < 0 {
		return s
	}
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		b, n, _ := unescape(string(s[i:min(i+4, len(s))])) // checked when the line was cut
		out = append(out, b)
		i += n - 1
	}
	return out
}
