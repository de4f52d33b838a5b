package inr

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

const (
	maxText   = 100       // octets of one range; the longest has under 95
	maxList   = 1 << 20   // ranges of one list
	maxErrors = 20        // mistakes of one list that are told
	maxBytes  = 100 << 20 // octets of one list
)

// ParseRange reads one range, prefix, address or ASN in any of the forms of the
// package comment. The error names the text and what to write instead.
func ParseRange(s string) (Range, error) {
	t := strings.TrimSpace(s)
	switch {
	case t == "":
		return Range{}, errors.New("empty range: write a prefix such as 10.0.0.0/8, a range first-last, or an ASN such as AS64496")
	case len(t) > maxText:
		return Range{}, fmt.Errorf("range %.40q…: %d octets, at most %d are read", t, len(t), maxText)
	}
	if from, to, ok := strings.Cut(t, "-"); ok {
		return span(t, strings.TrimSpace(from), strings.TrimSpace(to))
	}
	if address, length, ok := strings.Cut(t, "/"); ok {
		return whole(parsePrefix(t, address, length))
	}
	k, n, err := ParseNumber(t)
	return Range{k, n, n}, err
}

// whole returns a block as range, or the error.
func whole(b Block, err error) (Range, error) {
	if err != nil {
		return Range{}, err
	}
	return b.Range(), nil
}

// ParseBlock reads what [ParseRange] does, and refuses a range that is not one
// block, naming the blocks that it is made of.
func ParseBlock(s string) (Block, error) {
	r, err := ParseRange(s)
	if err != nil {
		return Block{}, err
	}
	b, ok := r.Block()
	if !ok {
		return Block{}, fmt.Errorf("%s is not one block: it is made of %s", r, someBlocks(r))
	}
	return b, nil
}

// someBlocks writes the first blocks of a range.
func someBlocks(r Range) string {
	var b strings.Builder
	n := 0
	for x := range r.Blocks() {
		if n++; n > 8 {
			return b.String() + " …"
		}
		if n > 1 {
			b.WriteString(", ")
		}
		b.WriteString(x.String())
	}
	return b.String()
}

// ParseNumber reads one address or ASN.
func ParseNumber(s string) (Kind, Num, error) {
	switch {
	case len(s) > maxText:
		return 0, Num{}, fmt.Errorf("address %.40q…: %d octets, at most %d are read", s, len(s), maxText)
	case strings.Contains(s, ":"):
		return parseIPv6(s)
	case isASN(s):
		return parseASN(s)
	}
	return parseIPv4(s)
}

// isASN reports whether s is meant as ASN: it starts with AS, or is digits
// alone.
func isASN(s string) bool {
	return hasAS(s) || s != "" && strings.Trim(s, "0123456789") == ""
}

func hasAS(s string) bool { return len(s) >= 2 && strings.EqualFold(s[:2], "as") }

func parseASN(s string) (Kind, Num, error) {
	digits := s
	if hasAS(s) {
		digits = s[2:]
	}
	if high, low, ok := strings.Cut(digits, "."); ok {
		h, err := strconv.ParseUint(high, 10, 16)
		l, err2 := strconv.ParseUint(low, 10, 16)
		if err == nil && err2 == nil {
			return 0, Num{}, fmt.Errorf("ASN %q is in asdot form: write AS%d (asplain, RFC 5396)", s, h<<16|l)
		}
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, Num{}, fmt.Errorf("ASN %q: the greatest is AS4294967295", s)
	case err != nil:
		return 0, Num{}, fmt.Errorf("ASN %q: write AS and a decimal number, such as AS64496 (asplain, RFC 5396)", s)
	case len(digits) > 1 && digits[0] == '0':
		return 0, Num{}, fmt.Errorf("ASN %q has leading zeros: write AS%d", s, n)
	}
	return ASN, N(n), nil
}

func parseIPv6(s string) (Kind, Num, error) {
	a, err := netip.ParseAddr(s)
	switch {
	case err != nil:
		return 0, Num{}, fmt.Errorf("IPv6 address %q: write up to eight groups of hexadecimal digits with at most one ::, such as 2001:db8:: (RFC 4291, section 2.2)", s)
	case a.Zone() != "":
		return 0, Num{}, fmt.Errorf("IPv6 address %q has a zone (RFC 4007): write %s", s, a.WithZone(""))
	}
	return FromAddr(a)
}

func parseIPv4(s string) (Kind, Num, error) {
	octets := strings.Split(s, ".")
	var n uint64
	for _, o := range octets {
		v, err := strconv.ParseUint(o, 10, 8)
		if err != nil || len(octets) > 4 {
			return 0, Num{}, fmt.Errorf("%q is neither an address nor an ASN: write 192.0.2.1, 2001:db8::1 or AS64496", s)
		}
		if len(o) > 1 && o[0] == '0' {
			return 0, Num{}, fmt.Errorf("IPv4 address %q has leading zeros, which some read as octal: write %s", s, plainOctets(octets))
		}
		n = n<<8 | v
	}
	if missing := 4 - len(octets); missing > 0 {
		return 0, Num{}, fmt.Errorf("IPv4 address %q has %d of 4 octets: write %s%s", s, len(octets), s, strings.Repeat(".0", missing))
	}
	return IPv4, N(n), nil
}

// plainOctets writes octets without leading zeros.
func plainOctets(octets []string) string {
	out := make([]string, len(octets))
	for i, o := range octets {
		if out[i] = strings.TrimLeft(o, "0"); out[i] == "" {
			out[i] = "0"
		}
	}
	return strings.Join(out, ".")
}

// parsePrefix reads "address/length", of which text is the whole.
func parsePrefix(text, address, length string) (Block, error) {
	if hasAS(address) {
		return Block{}, fmt.Errorf("%q: ASNs have no prefix length: write a range such as AS64496-AS64511", text)
	}
	if dotless := address != "" && strings.Trim(address, "0123456789") == ""; dotless || !strings.Contains(address, ":") && strings.Count(address, ".") < 3 {
		return Block{}, omitted(text, address, length)
	}
	k, n, err := ParseNumber(address)
	if err != nil {
		return Block{}, err
	}
	return prefix(text, k, n, length)
}

// omitted says how to write a prefix whose last octets were left out.
func omitted(text, address, length string) error {
	full := address + strings.Repeat(".0", 3-strings.Count(address, "."))
	_, n, err := parseIPv4(full)
	if err != nil {
		return fmt.Errorf("%q is no prefix: write all four octets and the length, such as 10.0.0.0/8", text)
	}
	b, err := prefix(full+"/"+length, IPv4, n, length)
	if err != nil {
		return fmt.Errorf("prefix %q leaves out octets: write all four and the length, such as 10.0.0.0/8", text)
	}
	return fmt.Errorf("prefix %q leaves out octets: write %s", text, b)
}

// prefix checks a length and the bits behind it; text is for the error.
func prefix(text string, k Kind, n Num, length string) (Block, error) {
	l, err := strconv.ParseUint(length, 10, 8)
	if err != nil || int(l) > k.Bits() || len(length) > 1 && length[0] == '0' {
		return Block{}, fmt.Errorf("prefix %q: the length is a number from 0 to %d", text, k.Bits())
	}
	b := BlockAt(k, n, int(l))
	if b.First != n {
		return Block{}, fmt.Errorf("prefix %q has bits set behind its length: write %s, or %s/%d for the one address", text, b, k.Format(n), k.Bits())
	}
	return b, nil
}

// span reads both ends of "first-last", of which text is the whole.
func span(text, from, to string) (Range, error) {
	if strings.Contains(from+to, "/") {
		return Range{}, fmt.Errorf("range %q: write either a prefix, or two addresses with a dash", text)
	}
	k, first, err := ParseNumber(from)
	if err != nil {
		return Range{}, fmt.Errorf("range %q: %w", text, err)
	}
	l, last, err := ParseNumber(to)
	if err != nil {
		return Range{}, fmt.Errorf("range %q: %w", text, err)
	}
	if k != l {
		return Range{}, fmt.Errorf("range %q goes from %s to %s: write both ends in full and of one kind", text, k, l)
	}
	if last.Less(first) {
		return Range{}, fmt.Errorf("range %q ends before it starts: write %s-%s", text, to, from)
	}
	return Range{k, first, last}, nil
}

// ParseRanges reads a list separated by commas, white space, or both, in the
// order of the text. All mistakes are told at once, up to a limit, and then
// nothing is returned.
func ParseRanges(s string) ([]Range, error) {
	if len(s) > maxBytes {
		return nil, fmt.Errorf("list of resources: %d octets, at most %d are read", len(s), maxBytes)
	}
	var all []Range
	var mistakes []error
	for _, item := range items(s) {
		r, err := ParseRange(item)
		switch {
		case err != nil:
			mistakes = append(mistakes, err)
		case len(all) == maxList:
			return nil, fmt.Errorf("list of resources: more than %d entries", maxList)
		}
		if len(mistakes) == maxErrors {
			return nil, errors.Join(append(mistakes, errors.New("reading stops here: mend these first"))...)
		}
		all = append(all, r)
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return all, nil
}

// ParseSet reads a list as [ParseRanges] does, as a set. The empty text is the
// empty set.
func ParseSet(s string) (Set, error) {
	all, err := ParseRanges(s)
	if err != nil {
		return Set{}, err
	}
	return Of(all...), nil
}

// items splits a list, and keeps "a - b" together.
func items(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		open := false
		start := len(out)
		for f := range strings.FieldsSeq(part) {
			if (open || f[0] == '-') && len(out) > start {
				out[len(out)-1] += f
			} else {
				out = append(out, f)
			}
			open = f[len(f)-1] == '-'
		}
	}
	return slices.Clip(out)
}
