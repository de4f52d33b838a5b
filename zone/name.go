package zone

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A Name is a domain name in canonical presentation form: absolute (it ends
// with a dot), lower case, with \DDD and \X escapes only where RFC 1035,
// section 5.1, needs them. It is made only by [ParseName] and [ReverseName],
// so two names are the same if they are ==. The zero value is no name.
type Name string

// Root is the name of the DNS root.
const Root Name = "."

const (
	maxNameWire = 255 // RFC 1035, section 2.3.4
	maxLabel    = 63
	v4Suffix    = "in-addr.arpa."
	v6Suffix    = "ip6.arpa."
)

// ParseName reads a domain name in presentation form. A missing final dot is
// supplied: the name is taken as absolute. It refuses empty labels, labels over
// 63 octets, names over 255 octets and broken escapes (RFC 1035, sections 2.3.4
// and 5.1).
func ParseName(s string) (Name, error) {
	if isPlain(s) {
		return Name(s), nil
	}
	if s == "" {
		return "", errors.New("empty name: write an absolute name such as 202.in-addr.arpa")
	}
	if s == "." {
		return Root, nil
	}
	labels, err := splitLabels(s)
	if err != nil {
		return "", fmt.Errorf("name %.80q: %w", s, err)
	}
	var b strings.Builder
	wire := 1
	for _, l := range labels {
		if l == "" || len(l) > maxLabel {
			return "", fmt.Errorf("name %.80q: a label has %d octets, 1 to %d are allowed (RFC 1035, section 2.3.4)", s, len(l), maxLabel)
		}
		wire += len(l) + 1
		appendLabel(&b, l)
		b.WriteByte('.')
	}
	if wire > maxNameWire {
		return "", fmt.Errorf("name %.80q: %d octets, at most %d are allowed (RFC 1035, section 2.3.4)", s, wire, maxNameWire)
	}
	return Name(b.String()), nil
}

// isPlain reports whether s is already canonical and needs no escapes: the
// form of nearly every name in a zonelet, checked without allocation.
func isPlain(s string) bool {
	if len(s) < 2 || len(s) > maxNameWire-1 || s[len(s)-1] != '.' {
		return false
	}
	label := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '.':
			if label == 0 || label > maxLabel {
				return false
			}
			label = 0
		case plainByte(c):
			label++
		default:
			return false
		}
	}
	return true
}

// plainByte reports whether c stands for itself in a canonical name.
func plainByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '/' || c == '*'
}

// splitLabels returns the labels of s as octets, escapes resolved.
func splitLabels(s string) ([]string, error) {
	var labels []string
	var cur []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '.':
			labels, cur = append(labels, string(cur)), cur[:0]
		case '\\':
			b, n, err := unescape(s[i:])
			if err != nil {
				return nil, err
			}
			cur = append(cur, b)
			i += n - 1
		default:
			cur = append(cur, c)
		}
	}
	if len(cur) > 0 || s[len(s)-1] != '.' {
		labels = append(labels, string(cur))
	}
	return labels, nil
}

// unescape reads \DDD or \X at the start of s and returns the octet and the
// length of the escape.
func unescape(s string) (byte, int, error) {
	if len(s) < 2 {
		return 0, 0, fmt.Errorf(`it ends in a lone "\" (RFC 1035, section 5.1)`)
	}
	if s[1] < '0' || s[1] > '9' {
		return s[1], 2, nil
	}
	if len(s) >= 4 {
		if v, err := strconv.ParseUint(s[1:4], 10, 8); err == nil {
			return byte(v), 4, nil
		}
	}
	return 0, 0, fmt.Errorf(`escape %.4q is not \DDD with a value up to 255 (RFC 1035, section 5.1)`, s)
}

// appendLabel writes the octets of a label in canonical presentation form.
func appendLabel(b *strings.Builder, l string) {
	for i := 0; i < len(l); i++ {
		c := l[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		switch {
		case plainByte(c):
			b.WriteByte(c)
		case c > ' ' && c < 0x7f && !strings.ContainsRune(`."\;()@$`, rune(c)):
			b.WriteByte(c)
		case c > ' ' && c < 0x7f:
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			fmt.Fprintf(b, `\%03d`, c)
		}
	}
}

// String returns the name with its final dot.
func (n Name) String() string { return string(n) }

// File returns the name without its final dot, as files are named after zones.
func (n Name) File() string { return strings.TrimSuffix(string(n), ".") }

// Within reports whether n is parent or lies below it.
func (n Name) Within(parent Name) bool {
	if parent == Root || n == parent {
		return true
	}
	i := len(n) - len(parent)
	return i > 1 && n[i:] == parent && n[i-1] == '.' && !escapedDot(string(n), i-1)
}

// escapedDot reports whether the dot at s[i] is part of a label.
func escapedDot(s string, i int) bool {
	slashes := 0
	for i--; i >= 0 && s[i] == '\\'; i-- {
		slashes++
	}
	return slashes%2 == 1
}

// Parent returns the name without its first label; the parent of the root is
// the root.
func (n Name) Parent() Name {
	for i := 0; i < len(n)-1; i++ {
		if n[i] == '.' && !escapedDot(string(n), i) {
			return n[i+1:]
		}
	}
	return Root
}

// Labels returns the number of labels, the root not counted (RFC 4034,
// section 3.1.3, without its rule for wildcards).
func (n Name) Labels() int {
	if n == Root {
		return 0
	}
	count := 0
	for i := 0; i < len(n); i++ {
		if n[i] == '.' && !escapedDot(string(n), i) {
			count++
		}
	}
	return count
}

// AppendWire appends the name in uncompressed canonical wire format (RFC 4034,
// section 6.2).
func (n Name) AppendWire(b []byte) []byte {
	if n == Root {
		return append(b, 0)
	}
	start := len(b)
	b = append(b, 0)
	for i := 0; i < len(n); i++ {
		switch c := n[i]; c {
		case '.':
			b[start] = byte(len(b) - start - 1)
			start = len(b)
			b = append(b, 0)
		case '\\':
			o, l, _ := unescape(string(n[i:])) // a Name holds only good escapes
			b = append(b, o)
			i += l - 1
		default:
			b = append(b, c)
		}
	}
	return b
}

// NameFromWire reads an uncompressed name at the start of b and returns it with
// its length in octets (RFC 1035, section 3.1). Upper case is folded.
func NameFromWire(b string) (Name, int, error) {
	var s strings.Builder
	for i := 0; i < len(b) && i < maxNameWire; {
		l := int(b[i])
		if l == 0 {
			if s.Len() == 0 {
				return Root, 1, nil
			}
			return Name(s.String()), i + 1, nil
		}
		if l > maxLabel || i+1+l > len(b) {
			break
		}
		appendLabel(&s, b[i+1:i+1+l])
		s.WriteByte('.')
		i += 1 + l
	}
	return "", 0, fmt.Errorf("wire name is cut short, compressed or over %d octets (RFC 1035, section 3.1)", maxNameWire)
}

// SortKey returns a string whose byte order is the canonical order of names
// (RFC 4034, section 6.1). A name's key is a proper prefix of the key of every
// name below it.
func (n Name) SortKey() string {
	if n == Root {
		return ""
	}
	var wire [maxNameWire]byte
	w := n.AppendWire(wire[:0])
	var starts [maxNameWire / 2]int
	count := 0
	for i := 0; w[i] != 0; i += int(w[i]) + 1 {
		starts[count] = i
		count++
	}
	key := make([]byte, 0, len(w)+4)
	for count--; count >= 0; count-- {
		i := starts[count]
		for _, c := range w[i+1 : i+1+int(w[i])] {
			if c <= 1 { // keep 0 free as the end of a label
				key = append(key, 1)
				c++
			}
			key = append(key, c)
		}
		key = append(key, 0)
	}
	return string(key)
}

// Compare orders names canonically (RFC 4034, section 6.1).
func (n Name) Compare(m Name) int {
	if n == m {
		return 0
	}
	return cmp.Compare(n.SortKey(), m.SortKey())
}

// ReverseName returns the name under in-addr.arpa or ip6.arpa of a prefix. The
// prefix length must lie on an octet (IPv4) or nibble (IPv6) boundary: reverse
// zones are cut nowhere else (RFC 1035, section 3.5; RFC 3596, section 2.5).
func ReverseName(p netip.Prefix) (Name, error) {
	if !p.IsValid() || p != p.Masked() {
		return "", fmt.Errorf("prefix %v: not a network address with a length; write 202.12.28.0/24", p)
	}
	a, step := p.Addr(), 8
	if a.Is6() {
		step = 4
	}
	if p.Bits()%step != 0 {
		return "", fmt.Errorf("prefix %v: its length is not a multiple of %d, so it is no name in the reverse tree (RFC 1035, section 3.5; RFC 3596, section 2.5)", p, step)
	}
	var b strings.Builder
	if a.Is4() {
		o := a.As4()
		for i := p.Bits()/8 - 1; i >= 0; i-- {
			fmt.Fprintf(&b, "%d.", o[i])
		}
		return Name(b.String() + v4Suffix), nil
	}
	o := a.As16()
	for i := p.Bits()/4 - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "%x.", o[i/2]>>(4*(1-i%2))&0xf)
	}
	return Name(b.String() + v6Suffix), nil
}

// Prefix returns the address range that a reverse name stands for. It reports
// false for names that are not under in-addr.arpa or ip6.arpa, for octets with
// leading zeros, and for names of RFC 2317.
func (n Name) Prefix() (netip.Prefix, bool) {
	if rest, ok := strings.CutSuffix(string(n), v4Suffix); ok {
		return prefix4(rest)
	}
	if rest, ok := strings.CutSuffix(string(n), v6Suffix); ok {
		return prefix6(rest)
	}
	return netip.Prefix{}, false
}

// prefix4 reads "28.12.202." as 202.12.28.0/24.
func prefix4(s string) (netip.Prefix, bool) {
	var o [4]byte
	n, val, digits := 0, 0, 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '.' {
			if digits == 0 || n == 4 {
				return netip.Prefix{}, false
			}
			o[n] = byte(val)
			n, val, digits = n+1, 0, 0
			continue
		}
		if c < '0' || c > '9' || digits > 0 && val == 0 {
			return netip.Prefix{}, false
		}
		val, digits = val*10+int(c-'0'), digits+1
		if val > 255 {
			return netip.Prefix{}, false
		}
	}
	if digits > 0 {
		return netip.Prefix{}, false
	}
	for i, j := 0, n-1; i < j; i, j = i+1, j-1 {
		o[i], o[j] = o[j], o[i]
	}
	return netip.PrefixFrom(netip.AddrFrom4(o), 8*n), true
}

// prefix6 reads "0.4.2." as 2400::/12.
func prefix6(s string) (netip.Prefix, bool) {
	n := len(s) / 2
	if len(s)%2 != 0 || n > 32 {
		return netip.Prefix{}, false
	}
	var o [16]byte
	for i := range n {
		v, err := strconv.ParseUint(s[2*i:2*i+1], 16, 4)
		if err != nil || s[2*i+1] != '.' {
			return netip.Prefix{}, false
		}
		k := n - 1 - i
		o[k/2] |= byte(v) << (4 * (1 - k%2))
	}
	return netip.PrefixFrom(netip.AddrFrom16(o), 4*n), true
}
