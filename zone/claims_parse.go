package zone

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
)

// Limits on a file of claims: everything from outside has one.
const (
	maxClaimsBytes  = 64 << 20
	maxClaimsLine   = 1024
	maxClaimsErrors = 100
)

// ParseClaims reads a file of claims: lines SOURCE<TAB>PREFIX, sorted by source
// and then by address (IPv4 first) and length, with blank lines and # comments.
// Every mistake is reported, as a *[SyntaxErrors]: an unknown character, host
// bits that are set, a line out of order or twice, a last line without a line
// end (the file may be cut short).
func ParseClaims(file string, data []byte) (*Claims, error) {
	p := claimsParser{file: file}
	if len(data) > maxClaimsBytes {
		p.fail(0, 0, "%d octets, at most %d are read; split the registry", len(data), maxClaimsBytes)
		return nil, &p.errs
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		p.fail(bytes.Count(data, []byte("\n"))+1, 0, "the last line has no line end, the file may be cut short; export it again or end it with a newline")
	}
	line := 0
	for l := range bytes.Lines(data) {
		line++
		p.line(line, strings.TrimSuffix(string(l[:min(len(l), maxClaimsLine)]), "\n"))
	}
	if len(p.errs.Errors) > 0 {
		return nil, &p.errs
	}
	return NewClaims(p.claims), nil
}

type claimsParser struct {
	file   string
	claims []Claim
	errs   SyntaxErrors
}

func (p *claimsParser) fail(line, column int, format string, args ...any) {
	if len(p.errs.Errors) == maxClaimsErrors {
		p.errs.More++
		return
	}
	p.errs.Errors = append(p.errs.Errors, &SyntaxError{Pos{p.file, line, column}, fmt.Sprintf(format, args...)})
}

// line reads one line without its line end.
func (p *claimsParser) line(n int, s string) {
	if len(s) >= maxClaimsLine {
		p.fail(n, maxClaimsLine, "the line is longer than %d octets; write SOURCE<TAB>PREFIX", maxClaimsLine)
		return
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r != '\t' && (r < ' ' || r == 0x7f || r == '\ufffd' || r == '\ufeff') }); i >= 0 {
		p.fail(n, i+1, "unknown character %q; write plain text lines that end with a line feed alone", s[i])
		return
	}
	text := strings.TrimRight(s, " \t")
	if i := strings.IndexByte(text, '#'); i >= 0 {
		text = strings.TrimRight(text[:i], " \t")
	}
	if text == "" {
		return
	}
	c, column, err := parseClaim(text)
	if err != nil {
		p.fail(n, column, "%v", err)
		return
	}
	p.add(n, c)
}

// parseClaim reads SOURCE<TAB>PREFIX and returns the column of a mistake.
func parseClaim(text string) (Claim, int, error) {
	source, prefix, ok := strings.Cut(text, "\t")
	if !sourceName.MatchString(source) {
		return Claim{}, 1, fmt.Errorf("source %.40q: write SOURCE<TAB>PREFIX; a source is 1 to 32 letters, digits and hyphens, a letter first", source)
	}
	column := len(source) + 2
	if !ok {
		return Claim{}, column - 1, fmt.Errorf("no prefix after %s; write SOURCE<TAB>PREFIX with one tab", source)
	}
	p, err := netip.ParsePrefix(prefix)
	if err != nil || p.Addr().Is4In6() {
		return Claim{}, column, fmt.Errorf("%.60q is no IPv4 or IPv6 prefix; write one such as 202.12.28.0/24 or 2001:db8::/32", prefix)
	}
	if p != p.Masked() {
		return Claim{}, column, fmt.Errorf("%s has host bits set; write %s, or the prefix that was meant", p, p.Masked())
	}
	return Claim{source, p}, 0, nil
}

// add appends a claim and checks the order: a file that is not sorted was not
// written by the registry, or was put together from parts.
func (p *claimsParser) add(line int, c Claim) {
	if len(p.claims) > 0 {
		switch prev := p.claims[len(p.claims)-1]; prev.compare(c) {
		case 0:
			p.fail(line, 1, "%s stands twice for %s; delete this line", c.Prefix, c.Source)
			return
		case 1:
			p.fail(line, 1, "%s %s comes before %s %s; sort the lines by source, then IPv4 before IPv6, then address and length", c.Source, c.Prefix, prev.Source, prev.Prefix)
		}
	}
	p.claims = append(p.claims, c)
}

// FormatClaims returns the file that ParseClaims reads back: sorted, without
// duplicates.
func FormatClaims(claims []Claim) []byte {
	var b bytes.Buffer
	for _, c := range NewClaims(claims).all {
		b.WriteString(c.Source)
		b.WriteByte('\t')
		b.WriteString(c.Prefix.String())
		b.WriteByte('\n')
	}
	return b.Bytes()
}
