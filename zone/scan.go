package zone

import (
	"bytes"
	"strings"
)

// The scanner takes the lines that nearly every zonelet consists of:
//
//	owner [TTL] [IN] NS target.
//	owner [TTL] [IN] DS tag algorithm type digest
//
// blank lines and comments, on one line each, names without escapes. It never
// refuses anything: a line that it does not take whole goes through the general
// path from its start, which is where mistakes are named. So the two differ in
// speed alone, and a fuzz target compares them.

// Classes of octets for the scanner.
const (
	scanOther = iota
	scanLower // stands for itself in a canonical name
	scanUpper // is folded to lower case
	scanDot
)

var scanClass = func() (t [256]uint8) {
	for c := range 256 {
		switch b := byte(c); {
		case plainByte(b):
			t[c] = scanLower
		case b >= 'A' && b <= 'Z':
			t[c] = scanUpper
		case b == '.':
			t[c] = scanDot
		}
	}
	return t
}()

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// fastLine takes one line if it has a common form and reports whether it did.
// It changes nothing of the parser's state otherwise.
func (p *parser) fastLine() bool {
	d, i := p.data, p.pos
	switch d[i] {
	case '\n', ' ', '\t', ';', '\r':
		if next := lineEnd(d, i); next >= 0 {
			return p.took(next)
		}
		if !isBlank(d[i]) || p.owner == "" {
			return false
		}
		return p.fastRecord(p.owner, p.ownerRaw, i)
	}
	if n := len(p.ownerRaw); n > 0 && i+n < len(d) && isBlank(d[i+n]) && bytes.Equal(d[i:i+n], p.ownerRaw) {
		return p.fastRecord(p.owner, p.ownerRaw, i+n)
	}
	end := p.fastOwner(i)
	if end < 0 {
		return false
	}
	if string(p.name) == string(p.owner) {
		return p.fastRecord(p.owner, d[i:end], end)
	}
	return p.fastRecord("", d[i:end], end)
}

// took moves on to the next line, unless the one read was too long: the general
// path says so.
func (p *parser) took(next int) bool {
	if next-p.pos > p.lim.MaxLine {
		return false
	}
	p.pos = next
	p.line++
	return true
}

// lineEnd returns where the next line begins if d[i:] has nothing but blanks
// and a comment before it, and -1 otherwise.
func lineEnd(d []byte, i int) int {
	for ; i < len(d); i++ {
		switch d[i] {
		case ' ', '\t':
		case '\n':
			return i + 1
		case '\r':
			if i+1 < len(d) && d[i+1] == '\n' {
				return i + 2
			}
			return -1
		case ';':
			return commentEnd(d, i)
		default:
			return -1
		}
	}
	return i
}

// commentEnd returns where the next line begins, or -1 if there is a control
// character in the comment at d[i].
func commentEnd(d []byte, i int) int {
	for ; i < len(d); i++ {
		if c := d[i]; c >= ' ' && c != 0x7f || c == '\t' {
			continue
		}
		return lineEnd(d, i) // fine at a line end, -1 at anything else
	}
	return i
}

// fastOwner reads the owner at d[i] into p.name, resolved and lower case, and
// returns the index of the blank behind it. It returns -1 for anything but a
// plain name inside the zone.
func (p *parser) fastOwner(i int) int {
	d := p.data
	n, label := 0, 0
scan:
	for ; i < len(d) && n < maxNameWire-1; i++ {
		c := d[i]
		switch scanClass[c] {
		case scanUpper:
			c += 'a' - 'A'
			label++
		case scanLower:
			label++
		case scanDot:
			if label == 0 || label > maxLabel {
				return -1
			}
			label = 0
			if end, ok := p.zoneAt(i+1, n); ok {
				return end
			}
		default:
			break scan
		}
		p.scratch[n] = c
		n++
	}
	p.name = p.scratch[:n]
	if i >= len(d) || !isBlank(d[i]) || n == 0 || label > maxLabel || label > 0 && !p.relative() || !p.inZone() {
		return -1
	}
	return i
}

// zoneAt finishes an owner whose first n octets are in the scratch space, with
// the dot at n about to follow, if the zone itself stands at d[i]: nearly every
// owner has one or two labels before that.
func (p *parser) zoneAt(i, n int) (int, bool) {
	end := i + len(p.f.Zone)
	if !p.zonePlain || end >= len(p.data) || n+1+len(p.f.Zone) > maxNameWire-1 ||
		string(p.data[i:end]) != string(p.f.Zone) || !isBlank(p.data[end]) {
		return 0, false
	}
	p.scratch[n] = '.'
	p.name = append(p.scratch[:n+1], p.f.Zone...)
	return end, true
}

// relative appends the origin to p.name.
func (p *parser) relative() bool {
	if !p.originPlain || len(p.name)+1+len(p.origin) > maxNameWire-1 {
		return false
	}
	p.name = append(p.name, '.')
	if p.origin != Root {
		p.name = append(p.name, p.origin...)
	}
	return true
}

// inZone reports whether p.name is the zone or below it.
func (p *parser) inZone() bool {
	i := len(p.name) - len(p.f.Zone)
	return p.zonePlain && i >= 0 && string(p.name[i:]) == string(p.f.Zone) && (i == 0 || p.name[i-1] == '.')
}

// fastRecord reads what follows an owner. An empty owner is p.name, kept only
// if the line is taken.
func (p *parser) fastRecord(owner Name, raw []byte, i int) bool {
	h, i := p.fastHead(i)
	var data Data
	next := -1
	switch h.typ {
	case TypeNS:
		data, next = p.fastTarget(i)
	case TypeDS:
		data, next = p.fastDS(i)
	}
	if next < 0 || next-p.pos > p.lim.MaxLine || p.trailer.lines > 0 {
		return false
	}
	if owner == "" {
		owner = Name(p.names.add(p.name))
	}
	p.owner, p.ownerRaw, p.ownerBad = owner, raw, false
	line := p.line
	p.took(next)
	p.add(owner, h.typ, p.stated(h.ttl, h.hasTTL), data, line)
	return true
}

// A fastHead is what stands between owner and data.
type fastHead struct {
	typ    Type
	ttl    uint32
	hasTTL bool
}

// fastHead reads TTL and class in either order and the type. The type is 0 if
// this is not a common form.
func (p *parser) fastHead(i int) (h fastHead, _ int) {
	d := p.data
	class := false
	for {
		for i < len(d) && isBlank(d[i]) {
			i++
		}
		if i+2 >= len(d) {
			return fastHead{}, i
		}
		a, b := d[i]|0x20, d[i+1]|0x20
		switch {
		case d[i] >= '0' && d[i] <= '9' && !h.hasTTL:
			v, end := fastNumber(d, i, 10)
			if end < 0 || v > maxTTL {
				return fastHead{}, i
			}
			h.ttl, h.hasTTL, i = uint32(v), true, end
		case !isBlank(d[i+2]):
			return fastHead{}, i
		case a == 'i' && b == 'n' && !class:
			class = true
			i += 2
		case a == 'n' && b == 's':
			h.typ = TypeNS
			return h, i + 2
		case a == 'd' && b == 's':
			h.typ = TypeDS
			return h, i + 2
		default:
			return fastHead{}, i
		}
	}
}

// fastNumber reads decimal digits that a blank follows; -1 if there are none or
// too many.
func fastNumber(d []byte, i, most int) (int, int) {
	v, start := 0, i
	for ; i < len(d) && d[i] >= '0' && d[i] <= '9'; i++ {
		if i-start == most {
			return 0, -1
		}
		v = 10*v + int(d[i]-'0')
	}
	if i == start || i == len(d) || !isBlank(d[i]) {
		return 0, -1
	}
	return v, i
}

// fastTarget reads an absolute NS target and the end of the line, and returns
// its data, the same string for the same name.
func (p *parser) fastTarget(i int) (Data, int) {
	d := p.data
	for i < len(d) && isBlank(d[i]) {
		i++
	}
	for k := range p.recent {
		if r := &p.recent[k]; len(r.raw) > 0 && bytes.HasPrefix(d[i:], r.raw) {
			if next := lineEnd(d, i+len(r.raw)); next >= 0 {
				return r.data, next
			}
		}
	}
	start := i
	for i < len(d) && scanClass[d[i]] != scanOther {
		i++
	}
	if i == start || d[i-1] != '.' {
		return "", -1
	}
	next := lineEnd(d, i)
	if next < 0 {
		return "", -1
	}
	data, ok := p.targets[string(d[start:i])]
	if !ok {
		if data, ok = p.fastNewTarget(d[start:i]); !ok {
			return "", -1
		}
	}
	p.recent[p.oldest] = recentTarget{d[start:i], data}
	p.oldest = (p.oldest + 1) % len(p.recent)
	return data, next
}

// A recentTarget is one of the last NS targets: the next one is most likely
// among them, because neighbouring ranges are on the same servers.
type recentTarget struct {
	raw  []byte
	data Data
}

// fastNewTarget takes a target that is written in a way not seen yet.
func (p *parser) fastNewTarget(raw []byte) (Data, bool) {
	name := p.names.add(raw)
	if !isPlain(name) {
		if name = strings.ToLower(name); !isPlain(name) {
			return "", false
		}
	}
	data := p.target(Name(name))
	if string(raw) != name {
		p.targets[string(raw)] = data
	}
	return data, true
}

// target returns the data of an NS record, the same string for the same name,
// however it is written.
func (p *parser) target(name Name) Data {
	data, ok := p.targets[string(name)]
	if !ok {
		var wire [maxNameWire]byte
		data = Data(p.names.add(name.AppendWire(wire[:0])))
		p.targets[string(name)] = data
	}
	return data
}

const maxFastDigest = 64

// fastDS reads the fields of a DS record, the digest in one piece (RFC 4034,
// section 5.3), and the end of the line.
func (p *parser) fastDS(i int) (Data, int) {
	d := p.data
	var b [4 + maxFastDigest]byte
	var v [3]int
	for f := range v {
		for i < len(d) && isBlank(d[i]) {
			i++
		}
		if v[f], i = fastNumber(d, i, 5); i < 0 {
			return "", -1
		}
	}
	if v[0] > 0xffff || v[1] > 0xff || v[2] > 0xff {
		return "", -1
	}
	for i < len(d) && isBlank(d[i]) {
		i++
	}
	b[0], b[1], b[2], b[3] = byte(v[0]>>8), byte(v[0]), byte(v[1]), byte(v[2])
	n := 4
	for ; i+1 < len(d) && n < len(b) && hexValue[d[i]] >= 0; i, n = i+2, n+1 {
		lo := hexValue[d[i+1]]
		if lo < 0 {
			return "", -1
		}
		b[n] = byte(hexValue[d[i]])<<4 | byte(lo)
	}
	next := lineEnd(d, i)
	if n == 4 || next < 0 {
		return "", -1
	}
	return Data(p.names.add(b[:n])), next
}

var hexValue = func() (t [256]int8) {
	for c := range 256 {
		t[c] = int8(strings.IndexByte("0123456789abcdef", byte(c)|0x20))
		if c < '0' || c > '9' && c|0x20 < 'a' {
			t[c] = -1
		}
	}
	return t
}()

// An arena makes many small strings in few allocations. A chunk lives as long
// as any string of it.
type arena struct {
	b     strings.Builder
	chunk int // octets of one
}

const arenaChunk = 32 << 10

func (a *arena) add(s []byte) string {
	if a.b.Cap()-a.b.Len() < len(s) {
		a.b.Reset()
		a.b.Grow(max(a.chunk, len(s)))
	}
	start := a.b.Len()
	a.b.Write(s)
	return a.b.String()[start:]
}
