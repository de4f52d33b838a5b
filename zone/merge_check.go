package zone

import (
	"fmt"
	"strings"
)

// maxSet is the most records of one type at one owner. Name servers have such a
// limit too (100 in BIND) and refuse the whole zone for one set above it.
const maxSet = 64

// digestLength is the length of a DS digest by type (RFC 4034, section 5.1.4;
// RFC 4509; RFC 6605).
var digestLength = map[byte]int{1: 20, 2: 32, 4: 48}

// check returns why a set is impossible, nil if it is not. It looks at the set
// and at the fragment's own addresses, nothing else.
func (m *merger) check(s *say) *fault {
	set := m.set(s)
	ns, cname, ds := 0, 0, 0
	for i := range set {
		switch set[i].Type {
		case TypeNS:
			ns++
		case TypeCNAME:
			cname++
		default:
			ds++
		}
	}
	line := set[0].Line
	switch {
	case cname > 1 || cname > 0 && ns+ds > 0:
		return &fault{codeCNAME, line, fmt.Sprintf("%s has a CNAME and another record; a CNAME stands alone (RFC 1034, section 3.6.2)", s.name)}
	case ns > maxSet || ds > maxSet:
		return &fault{codeTooLarge, line, fmt.Sprintf("%s has %d NS and %d DS records, at most %d of a type are taken; name servers refuse zones with larger sets", s.name, ns, ds, maxSet)}
	case ns == 0 && cname == 0:
		return &fault{codeDSWithoutNS, line, fmt.Sprintf("%s has DS but no NS records; add its name servers or drop the DS (RFC 4035, section 2.4)", s.name)}
	}
	for i := range set {
		if f := m.checkRecord(s, &set[i]); f != nil {
			return f
		}
	}
	return nil
}

func (m *merger) checkRecord(s *say, e *Entry) *fault {
	if e.Type == TypeDS {
		if why := checkDS(string(e.Data)); why != "" {
			return &fault{codeBadDS, e.Line, fmt.Sprintf("DS of %s: %s", s.name, why)}
		}
		return nil
	}
	if e.Type == TypeCNAME {
		if host, ok := e.Data.Host(); !ok || host == s.name || host == Root {
			return &fault{codeCNAME, e.Line, fmt.Sprintf("CNAME of %s points at %s; point it at the name inside its range (RFC 2317, section 4)", s.name, e.Text())}
		}
		return nil
	}
	if why := checkHost(e.Data); why != "" {
		return &fault{codeBadNS, e.Line, fmt.Sprintf("name server %s of %s: %s", e.Text(), s.name, why)}
	}
	if host, inside := hostWithin(e.Data, s.name); inside && !m.hosts[hostOf{s.frag, host}] {
		return &fault{codeMissingGlue, e.Line, fmt.Sprintf("name server %s lies inside %s and has no address in this file; add A or AAAA records for it (RFC 9471, section 3)", host, s.name)}
	}
	return nil
}

// checkDS says what is wrong with the data of a DS record.
func checkDS(d string) string {
	if len(d) < 4 {
		return "the record is cut short; write key tag, algorithm, digest type and digest (RFC 4034, section 5.1)"
	}
	want, ok := digestLength[d[3]]
	switch digest := d[4:]; {
	case !ok:
		return fmt.Sprintf("digest type %d is not known; use 2 (SHA-256) or 4 (SHA-384; RFC 8624, section 3.3)", d[3])
	case len(digest) != want:
		return fmt.Sprintf("the digest has %d octets, type %d has %d (RFC 4034, section 5.1.4); make the DS again from the key", len(digest), d[3], want)
	case strings.Trim(digest, "\x00") == "":
		return "the digest is all zero; make the DS again from the key"
	}
	return ""
}

// checkHost says what is wrong with the target of an NS record: it must be a
// host name (RFC 1123, section 2.1), no address. It works on wire format, as
// nearly all targets are good.
func checkHost(d Data) string {
	labels, numeric := 0, 0
	lastNumeric := false
	i := 0
	for i < len(d) && d[i] != 0 && d[i] <= maxLabel && i+1+int(d[i]) < len(d) {
		label := d[i+1 : i+1+int(d[i])]
		ok, digits := hostLabel(string(label))
		if !ok {
			return "it is no host name (letters, digits and inner hyphens; RFC 1123, section 2.1); correct it"
		}
		if lastNumeric = digits; digits {
			numeric++
		}
		labels, i = labels+1, i+1+len(label)
	}
	if i != len(d)-1 || d[i] != 0 || len(d) > maxNameWire {
		return "the record holds no name; correct it"
	}
	switch {
	case labels == 0:
		return "the root is no name server; correct it"
	case lastNumeric:
		return "it looks like an address; write the name of the server (RFC 1035, section 3.3.11)"
	case numeric >= 4 && labels == numeric+2 && strings.HasSuffix(string(d), "\x07in-addr\x04arpa\x00"):
		return "it looks like an address under $ORIGIN; write the name of the server (RFC 1035, section 3.3.11)"
	}
	return ""
}

// isHostName reports whether a name is one of hosts with a domain: one that
// checkHost takes, of two labels or more.
func isHostName(n Name) bool { return n.Labels() > 1 && checkHost(NSData(n)) == "" }

// hostLabel reports whether a label may stand in a host name and whether it is
// all digits.
func hostLabel(l string) (ok, digits bool) {
	digits = true
	for i := 0; i < len(l); i++ {
		c := l[i]
		switch {
		case c >= '0' && c <= '9':
		case c >= 'a' && c <= 'z':
			digits = false
		case c == '-' && i > 0 && i < len(l)-1:
			digits = false
		default:
			return false, false
		}
	}
	return l != "", digits
}

// hostWithin returns the target of an NS record if it lies at or below a
// reverse name.
func hostWithin(d Data, n Name) (Name, bool) {
	if !strings.HasSuffix(string(d), "\x04arpa\x00") {
		return "", false
	}
	host, ok := d.Host()
	return host, ok && host.Within(n)
}
