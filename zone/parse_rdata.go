package zone

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// parseData turns the words behind a type into canonical data. The general
// parser of the DNS library reads them, one record at a time and without
// directives; checks of ours stand before it, because it lets through more than
// the RFCs do, and after it.
func (p *parser) parseData(t Type, typ token, toks []token) (Data, bool) {
	if len(toks) == 0 {
		p.fail(typ.line, typ.col+len(typ.text), "%s record without data (RFC 1035, section 5.1)", t)
		return "", false
	}
	if at, err := checkData(t, toks); err != nil {
		p.fail(at.line, at.col, "%v", err)
		return "", false
	}
	rr, at, err := p.general(t, toks)
	if err != nil {
		p.fail(at.line, at.col, "%s record: %v", t, err)
		return "", false
	}
	data, err := p.pack(t, rr)
	if err != nil {
		p.fail(toks[0].line, toks[0].col, "%s record: %v", t, err)
		return "", false
	}
	return data, true
}

// checkData refuses what the general parser would accept or misread, with the
// word that is wrong.
func checkData(t Type, toks []token) (token, error) {
	if string(toks[0].text) == `\#` {
		return checkGeneric(t, toks)
	}
	switch t {
	case TypeTXT, Type(dns.TypeSPF), Type(dns.TypeHINFO), Type(dns.TypeAVC), Type(dns.TypeNINFO):
		return checkStrings(toks)
	case TypeNS, TypeCNAME, Type(dns.TypePTR), Type(dns.TypeDNAME), TypeA, TypeAAAA:
		return checkSingle(t, toks)
	case TypeDS, Type(dns.TypeCDS), Type(dns.TypeDLV):
		return checkDSWords(t, toks)
	}
	if dns.TypeToRR[uint16(t)] == nil {
		return toks[0], fmt.Errorf(`type %s is not known here: write its data as \# LENGTH HEX (RFC 3597, section 5)`, t)
	}
	return token{}, nil
}

// checkGeneric checks \# LENGTH HEX.
func checkGeneric(t Type, toks []token) (token, error) {
	if len(toks) < 2 {
		return toks[0], errors.New(`\# without a length (RFC 3597, section 5)`)
	}
	n, err := strconv.ParseUint(string(toks[1].text), 10, 16)
	if err != nil {
		return toks[1], fmt.Errorf("length %.40q is not a number up to 65535 (RFC 3597, section 5)", toks[1].text)
	}
	digits, at, err := hexDigits(toks[2:])
	if err != nil {
		return at, fmt.Errorf("%w (RFC 3597, section 5)", err)
	}
	if digits != 2*int(n) {
		return toks[1], fmt.Errorf("length %d, but there are %d hex digits (RFC 3597, section 5)", n, digits)
	}
	if n == 0 && dns.TypeToRR[uint16(t)] != nil && t != Type(dns.TypeNULL) && t != Type(dns.TypeAPL) {
		return toks[1], fmt.Errorf("%s record without data (RFC 1035, section 5.1)", t)
	}
	return token{}, nil
}

// hexDigits counts the hex digits in the words.
func hexDigits(toks []token) (int, token, error) {
	digits := 0
	for _, t := range toks {
		for i, c := range t.text {
			if hexValue[c] < 0 {
				t.col += i
				return 0, t, fmt.Errorf("%q is no hex digit", c)
			}
		}
		digits += len(t.text)
	}
	return digits, token{}, nil
}

// checkStrings limits character strings, which the general parser would split.
func checkStrings(toks []token) (token, error) {
	for _, t := range toks {
		if n := len(quotedText(t)); n > 255 {
			return t, fmt.Errorf("string of %d octets, at most 255 are allowed (RFC 1035, section 3.3)", n)
		}
	}
	return token{}, nil
}

// checkSingle checks data that is one name or one address.
func checkSingle(t Type, toks []token) (token, error) {
	word := toks[0]
	switch {
	case word.quoted:
		return word, fmt.Errorf("%s record: write the name or address without quotes (RFC 1035, section 5.1)", t)
	case len(toks) > 1:
		return toks[1], fmt.Errorf("%s record: %.40q follows the data (RFC 1035, section 5.1); a record has one, start a new line", t, toks[1].text)
	case t == TypeA || t == TypeAAAA:
		if a, err := netip.ParseAddr(string(word.text)); err != nil || a.Zone() != "" || a.Is4() != (t == TypeA) {
			return word, fmt.Errorf("%s record: %.60q is not such an address (RFC 1035, section 3.4.1; RFC 3596, section 2.4)", t, word.text)
		}
	}
	return token{}, nil
}

// checkDSWords checks the four fields of RFC 4034, section 5.3. Whether the digest
// has the length of its type is for Merge to judge.
func checkDSWords(t Type, toks []token) (token, error) {
	names := [...]string{"key tag", "algorithm", "digest type", "digest"}
	if len(toks) < len(names) {
		return toks[len(toks)-1], fmt.Errorf("%s record: the %s is missing behind this (RFC 4034, section 5.3)", t, names[len(toks)])
	}
	for i, bits := range [...]int{16, 8, 8} {
		word := toks[i]
		_, err := strconv.ParseUint(string(word.text), 10, bits)
		_, mnemonic := dns.StringToAlgorithm[strings.ToUpper(string(word.text))]
		if err != nil && (i != 1 || !mnemonic) {
			return word, fmt.Errorf("%s record: %s %.40q is not a number up to %d (RFC 4034, section 5.3)", t, names[i], word.text, 1<<bits-1)
		}
	}
	digits, at, err := hexDigits(toks[3:])
	if err != nil {
		return at, fmt.Errorf("%s record: digest: %w (RFC 4034, section 5.3)", t, err)
	}
	if digits%2 != 0 {
		return toks[3], fmt.Errorf("%s record: digest of %d hex digits; an octet is two (RFC 4034, section 5.3)", t, digits)
	}
	return token{}, nil
}

var libraryPos = regexp.MustCompile(`: "(.*)" at line: \d+:(\d+)$`)

// general reads the data with the DNS library and returns the word at which it
// failed.
func (p *parser) general(t Type, toks []token) (rr dns.RR, at token, err error) {
	at = toks[0]
	defer func() {
		if r := recover(); r != nil { // a hostile line must not end the run
			err = fmt.Errorf("data that cannot be read (%v)", r)
		}
	}()
	var b bytes.Buffer
	fmt.Fprintf(&b, ". 0 IN %s", t)
	ends := make([]int, len(toks))
	for i, w := range toks {
		b.WriteByte(' ')
		b.Write(w.text)
		ends[i] = b.Len()
	}
	b.WriteByte('\n')
	origin := cmp.Or(p.origin, Root) // without one the file is refused already
	zp := dns.NewZoneParser(&b, string(origin), "")
	rr, ok := zp.Next()
	if err := zp.Err(); err != nil {
		text, col := libraryText(err)
		for i := range toks {
			if at = toks[i]; ends[i] >= col-1 {
				break
			}
		}
		return nil, at, errors.New(text)
	}
	if !ok || rr == nil {
		return nil, at, errors.New("data that cannot be read")
	}
	if _, more := zp.Next(); more || zp.Err() != nil {
		return nil, at, errors.New("more than one record on the line")
	}
	return rr, at, nil
}

// libraryText takes the library's own position out of its error text.
func libraryText(err error) (string, int) {
	text := strings.TrimPrefix(err.Error(), "dns: ")
	m := libraryPos.FindStringSubmatchIndex(text)
	if m == nil {
		return text, 0
	}
	col, _ := strconv.Atoi(text[m[4]:m[5]])
	return text[:m[0]], col
}

// pack makes the data canonical (RFC 4034, section 6.2).
func (p *parser) pack(t Type, rr dns.RR) (Data, error) {
	lowerNames(rr)
	const header = 1 + 10 // the root as owner, type, class, TTL, length
	if need := dns.Len(rr) + 64; len(p.wire) < need {
		p.wire = make([]byte, max(need, 1024))
	}
	n, err := dns.PackRR(rr, p.wire, 0, nil, false)
	if err != nil {
		return "", errors.New(strings.TrimPrefix(err.Error(), "dns: "))
	}
	if n < header {
		return "", errors.New("data that cannot be written")
	}
	data := Data(p.wire[header:n])
	switch t {
	case TypeNS:
		host, ok := data.Host()
		if !ok {
			return "", fmt.Errorf("the data is not one name (RFC 1035, section 3.3.11)")
		}
		return p.target(host), nil
	case TypeDS:
		if len(data) < 5 {
			return "", fmt.Errorf("%d octets are no DS data (RFC 4034, section 5.1)", len(data))
		}
	}
	if _, err := (Record{Name: Root, Type: t, Data: data}).unpack(); err != nil {
		return "", errors.New("data that does not decode again: " + hex.EncodeToString([]byte(data[:min(len(data), 20)])))
	}
	return data, nil
}

// lowerNames folds the names in data, for the types that RFC 4034, section 6.2,
// lists (as RFC 6840, section 5.1, corrects it).
func lowerNames(rr dns.RR) {
	lower := func(names ...*string) {
		for _, n := range names {
			*n = dns.CanonicalName(*n)
		}
	}
	switch v := rr.(type) {
	case *dns.NS:
		lower(&v.Ns)
	case *dns.CNAME:
		lower(&v.Target)
	case *dns.PTR:
		lower(&v.Ptr)
	case *dns.DNAME:
		lower(&v.Target)
	case *dns.MX:
		lower(&v.Mx)
	case *dns.SRV:
		lower(&v.Target)
	case *dns.KX:
		lower(&v.Exchanger)
	case *dns.AFSDB:
		lower(&v.Hostname)
	case *dns.RT:
		lower(&v.Host)
	case *dns.RP:
		lower(&v.Mbox, &v.Txt)
	case *dns.MINFO:
		lower(&v.Rmail, &v.Email)
	case *dns.MB:
		lower(&v.Mb)
	case *dns.MD:
		lower(&v.Md)
	case *dns.MF:
		lower(&v.Mf)
	case *dns.MG:
		lower(&v.Mg)
	case *dns.MR:
		lower(&v.Mr)
	case *dns.NAPTR:
		lower(&v.Replacement)
	case *dns.PX:
		lower(&v.Map822, &v.Mapx400)
	case *dns.RRSIG:
		lower(&v.SignerName)
	case *dns.SIG:
		lower(&v.SignerName)
	}
}
