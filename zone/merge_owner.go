package zone

import "strings"

// ownerAllowed reports whether a source may delegate the name at all: a reverse
// name on an octet or nibble boundary, from an NIR none longer than a /24, from
// the registry names of RFC 2317 too.
func (m *merger) ownerAllowed(s *say) bool {
	p, ok := s.name.Prefix()
	registry := m.isRegistry(s.frag)
	switch {
	case !ok && registry && isClassless(s.name):
		return true
	case !ok:
		m.note(codeNoRange, *s, "%s stands for no range of addresses and is ignored; delegate whole octets or nibbles (RFC 1035, section 3.5; RFC 3596, section 2.5)", s.name)
		return false
	case !registry && p.Addr().Is4() && p.Bits() > 24:
		m.note(codeBelow24, *s, "%s is longer than a /24 and is ignored: smaller ranges are delegated inside the /24's own zone (RFC 2317)", s.name)
		return false
	}
	return true
}

// isClassless reports whether a name is a range inside a /24: 0-127 or 0/25
// before the /24's name (RFC 2317, section 4).
func isClassless(n Name) bool {
	p, ok := n.Parent().Prefix()
	if !ok || !p.Addr().Is4() || p.Bits() != 24 {
		return false
	}
	label, _, _ := strings.Cut(string(n), ".")
	a, b, first, last := "", "", 0, 0
	if a, b, ok = strings.Cut(label, "-"); ok {
		return octet(a, &first) && octet(b, &last) && first < last && last-first < 255
	}
	if a, b, ok = strings.Cut(label, "/"); ok {
		return octet(a, &first) && octet(b, &last) && last > 24 && last <= 32 && first%(1<<(32-last)) == 0
	}
	return false
}

// octet reads a decimal octet without leading zeros.
func octet(s string, v *int) bool {
	if s == "" || len(s) > 3 || len(s) > 1 && s[0] == '0' {
		return false
	}
	*v = 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
		*v = *v*10 + int(c-'0')
	}
	return *v <= 255
}

// dummyHost marks a domain object that is not to be in the zone (yet).
var dummyHost = NSData("remove.this.nserver.to.enable.zone.at.apnic.net.")

// inactive reports whether an owner has the dummy name server: then it yields
// nothing and overrides nothing.
func (m *merger) inactive(s *say) bool {
	for _, e := range m.set(s) {
		if e.Type == TypeNS && e.Data == dummyHost {
			m.note(codeInactive, *s, "%s names the dummy server %s and yields nothing; put real name servers in its place to delegate it", s.name, e.Text())
			return true
		}
	}
	return false
}
