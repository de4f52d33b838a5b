package rpsl

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Key returns the object's key in its one form: see [Key]. A person, role or
// organisation is known by its handle, a route by its prefix and origin.
func (o *Object) Key() (string, error) {
	class := o.Class()
	value := o.Get(class)
	switch class {
	case "":
		return "", errors.New("an object without attributes has no key")
	case "person", "role":
		if value = o.Get("nic-hdl"); value == "" {
			return "", fmt.Errorf("%s without nic-hdl: add it", class)
		}
	case "route", "route6":
		value += " " + o.Get("origin")
	}
	return Key(class, value)
}

// maxKey is the most octets of a key.
const maxKey = 255

// Key returns the one form of a key of a type:
//
//	inetnum            192.0.2.0 - 192.0.2.255, also of a prefix
//	inet6num           2001:db8::/32 (RFC 5952)
//	aut-num            AS64496 (RFC 5396, asplain)
//	as-block           AS64496 - AS64511
//	route, route6      192.0.2.0/24AS64496
//	domain, inet-rtr   in lower case, without a final dot
//	all others         in upper case, white space as single spaces
func Key(class, value string) (string, error) {
	value = strings.Join(strings.Fields(value), " ")
	if value == "" {
		return "", fmt.Errorf("%s without a key: add it", class)
	}
	if len(value) > maxKey {
		return "", fmt.Errorf("the key of %s has %d octets, at most %d are taken", class, len(value), maxKey)
	}
	switch class {
	case "inetnum":
		return inetnumKey(value)
	case "inet6num":
		return prefixKey(value, false)
	case "aut-num":
		n, err := asNumber(value)
		return "AS" + strconv.FormatUint(n, 10), err
	case "as-block":
		return blockKey(value)
	case "route", "route6":
		return routeKey(class, value)
	case "domain", "inet-rtr":
		return strings.TrimSuffix(strings.ToLower(value), "."), nil
	}
	return strings.ToUpper(value), nil
}

func inetnumKey(value string) (string, error) {
	if strings.Contains(value, "/") {
		p, err := prefix(value, true)
		if err != nil {
			return "", err
		}
		last := p.Addr().As4()
		for i := p.Bits(); i < 32; i++ {
			last[i/8] |= 0x80 >> (i % 8)
		}
		return p.Addr().String() + " - " + netip.AddrFrom4(last).String(), nil
	}
	from, to, ok := strings.Cut(value, "-")
	if !ok {
		to = from
	}
	first, err := netip.ParseAddr(strings.TrimSpace(from))
	last, err2 := netip.ParseAddr(strings.TrimSpace(to))
	switch {
	case err != nil || err2 != nil || !first.Is4() || !last.Is4():
		return "", fmt.Errorf("inetnum %.80q: write two IPv4 addresses, such as 192.0.2.0 - 192.0.2.255", value)
	case last.Less(first):
		return "", fmt.Errorf("inetnum %.80q ends before it begins: write %s - %s", value, last, first)
	}
	return first.String() + " - " + last.String(), nil
}

func prefix(value string, v4 bool) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(value)
	example := "2001:db8::/32"
	if v4 {
		example = "192.0.2.0/24"
	}
	switch {
	case err != nil || p.Addr().Is4() != v4 || p.Addr().Is4In6():
		return p, fmt.Errorf("%.80q is no prefix: write one such as %s", value, example)
	case p != p.Masked():
		return p, fmt.Errorf("%.80q has bits set behind its length: write %s", value, p.Masked())
	}
	return p, nil
}

func prefixKey(value string, v4 bool) (string, error) {
	p, err := prefix(value, v4)
	if err != nil {
		return "", err
	}
	return p.String(), nil
}

// asNumber reads AS64496 or asdot's AS1.10 (RFC 5396).
func asNumber(s string) (uint64, error) {
	digits := strings.TrimPrefix(strings.ToUpper(s), "AS")
	if digits == s {
		return 0, fmt.Errorf("%.40q is no AS number: write one such as AS64496", s)
	}
	high, low, dotted := strings.Cut(digits, ".")
	if !dotted {
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || digits[0] == '+' {
			return 0, fmt.Errorf("%.40q is no AS number: write one such as AS64496", s)
		}
		return n, nil
	}
	h, err := strconv.ParseUint(high, 10, 16)
	l, err2 := strconv.ParseUint(low, 10, 16)
	if err != nil || err2 != nil {
		return 0, fmt.Errorf("%.40q is no AS number: write one such as AS64496", s)
	}
	return h<<16 | l, nil
}

func blockKey(value string) (string, error) {
	from, to, ok := strings.Cut(value, "-")
	if !ok {
		return "", fmt.Errorf("as-block %.80q: write two AS numbers, such as AS64496 - AS64511", value)
	}
	first, err := asNumber(strings.TrimSpace(from))
	last, err2 := asNumber(strings.TrimSpace(to))
	if err := errors.Join(err, err2); err != nil {
		return "", err
	}
	if last < first {
		return "", fmt.Errorf("as-block %.80q ends before it begins: write AS%d - AS%d", value, last, first)
	}
	return fmt.Sprintf("AS%d - AS%d", first, last), nil
}

func routeKey(class, value string) (string, error) {
	at := strings.LastIndexAny(value, "aA") // of the origin; its text also follows without a space
	if at < 0 {
		return "", fmt.Errorf("%s %.80q has no origin: add it", class, value)
	}
	p, err := prefixKey(strings.TrimSpace(value[:at]), class == "route")
	if err != nil {
		return "", err
	}
	n, err := asNumber(strings.TrimSpace(value[at:]))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%sAS%d", p, n), nil
}
