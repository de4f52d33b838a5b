package zone

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// ParseDelegations reads plain delegation lines, from which a zonelet is made:
//
//	202.12.28.0/24 ns1.example.net ns2.example.net ds:TAG,ALG,TYPE,HEX
//	202.12.32.0/20 ns1.example.net ns2.example.net
//	28.12.202.in-addr.arpa NS ns1.example.net
//	28.12.202.in-addr.arpa DS TAG ALG TYPE HEX
//
// The owner is a prefix or a name of the reverse tree, in either form of line. A
// prefix between two boundaries stands for every name that it has at the next one,
// up to a /24 in IPv4: the /20 is sixteen. Such names have NS alone, because a DS
// is of one zone's key. Names are absolute, with or without the final
// dot; a comment begins with # or ;. Records get [DefaultTTL]; duplicates are
// kept. Other than [ParseFragment] it judges what is said, as [Merge] does:
// targets are host names (RFC 1123, section 2.1), of two labels or more, and
// digests have the length of their type. The error is a [*SyntaxErrors] with
// every mistake.
func ParseDelegations(file string, data []byte) ([]Located, error) {
	p := delegationParser{file: file}
	for i, line := range bytes.Split(data, []byte("\n")) {
		p.line(i+1, line)
	}
	if len(p.errs.Errors) > 0 {
		return nil, &p.errs // in file order: lines and words are read in turn
	}
	return p.records, nil
}

type delegationParser struct {
	file    string
	records []Located
	errs    SyntaxErrors
}

func (p *delegationParser) fail(t token, format string, args ...any) {
	if len(p.errs.Errors) >= DefaultParseLimits.MaxErrors {
		p.errs.More++
		return
	}
	p.errs.Errors = append(p.errs.Errors, &SyntaxError{Pos{p.file, t.line, t.col}, fmt.Sprintf(format, args...)})
}

func (p *delegationParser) line(n int, line []byte) {
	words, bad := splitWords(n, line)
	if bad != nil {
		p.fail(*bad, "octet %s; a delegation line is ASCII text", hexByte(bad.text[0]))
		return
	}
	if len(words) == 0 {
		return
	}
	owners := p.owners(words[0])
	if len(owners) > 0 && len(words) == 1 {
		words[0].col += len(words[0].text)
		p.fail(words[0], "no name server follows; write PREFIX HOST… or NAME NS HOST")
		return
	}
	if len(p.records)+len(owners) > DefaultParseLimits.MaxRecords {
		p.fail(words[0], "more than %d records, and no zonelet may hold so many", DefaultParseLimits.MaxRecords)
		return
	}
	for _, owner := range owners {
		records, mistakes := len(p.records), p.mistakes()
		p.about(owner, words)
		if len(owners) > 1 && slices.ContainsFunc(p.records[records:], func(r Located) bool { return r.Type == TypeDS }) {
			p.fail(words[0], "%s is %d names, and a DS is of one zone's key; write a line for each", words[0].text, len(owners))
		}
		if p.mistakes() > mistakes {
			return // it is not told again for each name
		}
	}
}

func (p *delegationParser) mistakes() int { return len(p.errs.Errors) + p.errs.More }

// about reads what a line says of one owner.
func (p *delegationParser) about(owner Name, words []token) {
	switch strings.ToUpper(string(words[1].text)) {
	case "NS":
		p.lineNS(owner, words)
	case "DS":
		p.lineDS(owner, words)
	default:
		p.lineHosts(owner, words[1:])
	}
}

// splitWords returns the words of a line up to a comment, or the octet that
// cannot stand in one.
func splitWords(n int, line []byte) (words []token, bad *token) {
	start := -1
	for i := 0; i <= len(line); i++ {
		end := i == len(line) || line[i] == '#' || line[i] == ';'
		if end || isBlank(line[i]) || line[i] == '\r' && i == len(line)-1 {
			if start >= 0 {
				words = append(words, token{line[start:i], n, start + 1, false})
				start = -1
			}
			if end {
				return words, nil
			}
			continue
		}
		if line[i] <= ' ' || line[i] >= 0x7f {
			return nil, &token{line[i : i+1], n, i + 1, false}
		}
		if start < 0 {
			start = i
		}
	}
	return words, nil
}

// owners reads a prefix or a name of the reverse tree; none if it is neither.
func (p *delegationParser) owners(t token) []Name {
	s := string(t.text)
	if strings.Contains(s, "/") {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			p.fail(t, "%.80q is no prefix; write 202.12.28.0/24 or 2400::/32", s)
			return nil
		}
		names, err := reverseNames(prefix)
		if err != nil {
			p.fail(t, "%v", err)
		}
		return names
	}
	n, err := ParseName(s)
	if err != nil {
		p.fail(t, "%v", err)
		return nil
	}
	if _, ok := n.Prefix(); !ok {
		p.fail(t, "%.80q is neither a prefix nor a name such as 28.12.202.in-addr.arpa", s)
		return nil
	}
	return []Name{n}
}

// reverseNames returns the names of a prefix at the next boundary. There are at
// most 128, and none for what [ReverseName] refuses other than for its length.
func reverseNames(p netip.Prefix) ([]Name, error) {
	step, last := 8, 24
	if p.Addr().Is6() {
		step, last = 4, 124
	}
	if p != p.Masked() || p.Bits() < step || p.Bits() > last || p.Bits()%step == 0 {
		n, err := ReverseName(p)
		if err != nil {
			return nil, err
		}
		return []Name{n}, nil
	}
	cut := (p.Bits()/step + 1) * step
	var names []Name
	for i := range 1 << (cut - p.Bits()) {
		b := p.Addr().AsSlice()
		b[(cut-1)/8] |= byte(i << ((8 - cut%8) % 8))
		a, _ := netip.AddrFromSlice(b)
		n, err := ReverseName(netip.PrefixFrom(a, cut))
		if err != nil {
			return nil, err
		}
		names = append(names, n)
	}
	return names, nil
}

func (p *delegationParser) lineNS(owner Name, words []token) {
	if len(words) != 3 {
		p.fail(words[1], "NS with %d values, it has one; start a line for each", len(words)-2)
		return
	}
	p.host(owner, words[2])
}

func (p *delegationParser) lineDS(owner Name, words []token) {
	if len(words) < 6 {
		p.fail(words[1], "DS with %d values; write DS TAG ALG TYPE HEX (RFC 4034, section 5.3)", len(words)-2)
		return
	}
	p.ds(owner, words[2:])
}

func (p *delegationParser) lineHosts(owner Name, words []token) {
	for _, w := range words {
		if !strings.HasPrefix(strings.ToLower(string(w.text)), "ds:") {
			p.host(owner, w)
			continue
		}
		var fields []token
		for col := 3; col <= len(w.text); {
			field, _, _ := bytes.Cut(w.text[col:], []byte(","))
			fields = append(fields, token{field, w.line, w.col + col, false})
			col += len(field) + 1
		}
		if len(fields) != 4 {
			p.fail(w, "%.80q has %d fields; write ds:TAG,ALG,TYPE,HEX", w.text, len(fields))
			continue
		}
		p.ds(owner, fields)
	}
}

// host adds an NS record. The target must be a host name: an address there is
// the commonest mistake (RFC 1035, section 3.3.11).
func (p *delegationParser) host(owner Name, t token) {
	s := string(t.text)
	if _, err := netip.ParseAddr(strings.TrimSuffix(s, ".")); err == nil {
		p.fail(t, "%.60s is an address; a name server is a host name (RFC 1035, section 3.3.11)", s)
		return
	}
	n, err := ParseName(s)
	if err != nil {
		p.fail(t, "%v", err)
		return
	}
	data := NSData(n)
	if why := checkHost(data); why != "" {
		p.fail(t, "%.80q: %s", s, why)
		return
	}
	if n.Labels() < 2 {
		p.fail(t, "%.80q has one label; write the whole name, such as ns1.example.net", s)
		return
	}
	p.add(t, owner, TypeNS, data)
}

func (p *delegationParser) ds(owner Name, fields []token) {
	if at, err := checkDSWords(TypeDS, fields); err != nil {
		p.fail(at, "%v", err)
		return
	}
	data := make([]byte, 4, 64)
	tag, _ := strconv.Atoi(string(fields[0].text))
	alg, err := strconv.Atoi(string(fields[1].text))
	if err != nil {
		alg = int(dns.StringToAlgorithm[strings.ToUpper(string(fields[1].text))])
	}
	typ, _ := strconv.Atoi(string(fields[2].text))
	data[0], data[1], data[2], data[3] = byte(tag>>8), byte(tag), byte(alg), byte(typ)
	digits := bytes.Join(texts(fields[3:]), nil)
	for i := 0; i+1 < len(digits); i += 2 {
		data = append(data, byte(hexValue[digits[i]])<<4|byte(hexValue[digits[i+1]]))
	}
	if why := checkDS(string(data)); why != "" {
		at := fields[3]
		if _, known := digestLength[byte(typ)]; !known {
			at = fields[2]
		}
		p.fail(at, "%s", why)
		return
	}
	p.add(fields[0], owner, TypeDS, Data(data))
}

func (p *delegationParser) add(t token, owner Name, typ Type, data Data) {
	p.records = append(p.records, Located{Record{owner, typ, DefaultTTL, data}, uint32(t.line)})
}

func texts(toks []token) [][]byte {
	var out [][]byte
	for _, t := range toks {
		out = append(out, t.text)
	}
	return out
}
