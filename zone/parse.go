package zone

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// ParseLimits bounds what [ParseFragment] takes from one file. Zero values take
// those of [DefaultParseLimits].
type ParseLimits struct {
	MaxBytes   int64 // of the file
	MaxRecords int   // trailers not counted
	MaxLine    int   // octets of a logical line: parentheses join lines into one
	MaxErrors  int   // mistakes kept; 10 000 more are counted before reading ends
}

// DefaultParseLimits are ten times what the largest real zonelet needs.
var DefaultParseLimits = ParseLimits{MaxBytes: 64 << 20, MaxRecords: 2_000_000, MaxLine: 64 << 10, MaxErrors: 50}

func (l ParseLimits) orDefault() ParseLimits {
	d := DefaultParseLimits
	return ParseLimits{
		cmp.Or(l.MaxBytes, d.MaxBytes), cmp.Or(l.MaxRecords, d.MaxRecords),
		cmp.Or(l.MaxLine, d.MaxLine), cmp.Or(l.MaxErrors, d.MaxErrors),
	}
}

// ParseOptions says how strict [ParseFragment] is with one source.
type ParseOptions struct {
	Limits          ParseLimits
	TrailerOptional bool // take a file without trailer; one that is there is still checked

	// SHA256 is the hex digest of the data, if the caller has just computed it
	// or compared it: a spool object is read under its digest. It is computed
	// if empty.
	SHA256 string
}

// ParseFragment reads the zonelet of source for a parent zone. The zone comes
// from configuration, never from the content; file is the base name as
// published. The format is a master file (RFC 1035, section 5.1; $TTL of RFC
// 2308, section 4; unknown types of RFC 3597, section 5) as BIND 9 takes it,
// without SOA and with a trailer (policy APNIC-103, appendix):
//
//   - the origin is zone until $ORIGIN says otherwise;
//   - a record without TTL gets that of $TTL, else the last one stated, else
//     [DefaultTTL];
//   - the trailer is <source>.<zone>, the source's own name in any case; a
//     trailer of another name is an ordinary TXT record.
//
// A file is taken whole or refused whole, because a dropped line would be a
// dropped delegation. The error is a [*SyntaxErrors] with every mistake. What a
// record says is not judged here: [Merge] does that.
func ParseFragment(source string, zone Name, file string, data []byte, opt ParseOptions) (*Fragment, error) {
	return parseFragment(source, zone, file, data, opt, false)
}

// parseFragment is ParseFragment; with slowOnly it takes every line through the
// general path, so that tests can compare the two.
func parseFragment(source string, zone Name, file string, data []byte, opt ParseOptions, slowOnly bool) (*Fragment, error) {
	p := newParser(source, zone, file, data, opt)
	p.read(opt, slowOnly)
	if err := p.err(); err != nil {
		return nil, err
	}
	if p.f.SHA256 = opt.SHA256; p.f.SHA256 == "" {
		sum := sha256.Sum256(data)
		p.f.SHA256 = hex.EncodeToString(sum[:])
	}
	return p.f, nil
}

// read reads the file, or says why it is not even looked at.
func (p *parser) read(opt ParseOptions, slowOnly bool) {
	switch size := int64(len(p.data)); {
	case size == 0:
		p.fail(0, 0, "zero bytes: a zero-byte file is never valid; an empty zonelet has a trailer (policy APNIC-103, appendix)")
		return
	case size > p.lim.MaxBytes:
		p.fail(0, 0, "%d bytes, at most %d are read; raise the source's max_bytes if the file is right", size, p.lim.MaxBytes)
		return
	}
	p.byteOrderMark()
	for p.pos < len(p.data) && !p.stopped {
		if slowOnly || !p.fastLine() {
			p.slowLine()
		}
	}
	p.finishTrailer(opt.TrailerOptional)
}

// A parser holds the state of a master file while it is read.
type parser struct {
	f    *Fragment
	lim  ParseLimits
	data []byte
	pos  int // of the line to read next
	line int // its number

	origin      Name // "" after a refused $ORIGIN: relative names are not judged then
	ttl         uint32
	ttlByDir    bool   // ttl was set by $TTL, so a stated TTL does not change it (RFC 2308, section 4)
	owner       Name   // of the last record, "" if none
	ownerRaw    []byte // how it was written, nil if that no longer yields it
	ownerBad    bool   // the last owner was refused: lines that repeat it are too, silently
	zonePlain   bool
	originPlain bool

	names   arena
	recent  [4]recentTarget
	oldest  int
	targets map[string]Data // how NS targets were written, and canonically
	scratch [maxNameWire + 1]byte
	name    []byte // the scanner's last owner, in scratch
	toks    []token
	wire    []byte // where the general path packs data

	trailer trailerState
	ns, ds  int

	errs    []*SyntaxError
	more    int
	resyncs int  // times a parenthesis was never closed
	stopped bool // a limit was passed: the rest is not read
}

func newParser(source string, zone Name, file string, data []byte, opt ParseOptions) *parser {
	p := &parser{
		f:   &Fragment{Source: source, Zone: zone, File: file},
		lim: opt.Limits.orDefault(), data: data, line: 1,
		ttl: DefaultTTL, zonePlain: isPlain(string(zone)),
		targets: make(map[string]Data, len(data)/1024),
		names:   arena{chunk: min(len(data)/2, arenaChunk)},
	}
	p.setOrigin(zone)
	p.trailer.owner, _ = ParseName(source + "." + string(zone)) // a source's name is a label
	return p
}

func (p *parser) setOrigin(n Name) {
	p.origin, p.originPlain, p.ownerRaw = n, n == Root || isPlain(string(n)), nil
}

// maxMistakes is how many mistakes are counted: what has so many is no zonelet, and
// the rest of it is not read.
const maxMistakes = 10_000

// fail notes a mistake. Texts of mistakes beyond the limit are not even made.
func (p *parser) fail(line, col int, format string, args ...any) {
	if len(p.errs) >= p.lim.MaxErrors {
		p.more++
		p.stopped = p.stopped || p.more >= maxMistakes
		return
	}
	p.errs = append(p.errs, &SyntaxError{Pos{p.f.File, line, col}, fmt.Sprintf(format, args...)})
}

func (p *parser) err() error {
	if len(p.errs) == 0 {
		return nil
	}
	slices.SortStableFunc(p.errs, func(a, b *SyntaxError) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return &SyntaxErrors{Errors: p.errs, More: p.more}
}

// byteOrderMark refuses a byte order mark, which would become part of the first
// owner, and skips it to find more mistakes.
func (p *parser) byteOrderMark() {
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(p.data, []byte(mark)) {
			p.fail(1, 1, "the file begins with a byte order mark; a master file is plain ASCII (RFC 1035, section 5.1): save it without")
			p.pos = len(mark)
		}
	}
}

// add keeps a record.
func (p *parser) add(owner Name, t Type, ttl uint32, data Data, line int) {
	if len(p.f.Records) >= p.lim.MaxRecords {
		p.fail(line, 1, "more than %d records; split the zone or raise the limit", p.lim.MaxRecords)
		p.stopped = true
		return
	}
	if len(p.f.Records) == cap(p.f.Records) {
		p.grow()
	}
	p.f.Records = append(p.f.Records, Located{Record{owner, t, ttl, data}, uint32(line)})
	switch t {
	case TypeNS:
		p.ns++
	case TypeDS:
		p.ds++
	}
}

// grow makes room for as many records as the rest of the file will hold if it
// goes on as it began: doubling would leave half of the memory unused.
func (p *parser) grow() {
	n := len(p.f.Records)
	want := min(len(p.data)/32+1, 1024)
	if n > 0 {
		perByte := float64(n) / float64(p.pos+1)
		want = int(float64(len(p.data)-p.pos)*perByte*1.02) + 64
	}
	want = min(want, p.lim.MaxRecords-n)
	p.f.Records = slices.Grow(p.f.Records, max(want, 1))
}

// stated returns the TTL of a record and keeps a stated one as the default of
// those that follow, unless $TTL did (RFC 1035, section 5.1; RFC 2308, section
// 4).
func (p *parser) stated(ttl uint32, ok bool) uint32 {
	if !ok {
		return p.ttl
	}
	if !p.ttlByDir {
		p.ttl = ttl
	}
	return ttl
}
