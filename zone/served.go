package zone

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// A Served is a whole zone as another signer wrote it or a server hands it out,
// taken apart for comparison: what DNSSEC adds to it is kept as facts, because
// it differs with every signing.
type Served struct {
	Origin Name
	SOA    SOA // its Family is not in a zone: see [GuessFamily]
	Serial Serial
	// Records are in canonical order without duplicates: all but SOA, ZONEMD,
	// RRSIG, NSEC, NSEC3 and NSEC3PARAM. The DNSKEY set is among them.
	Records    []Record
	ZONEMD     bool   // there is one (RFC 8976)
	Denial     string // "none", "NSEC", or "NSEC3" with hash, flags, iterations and salt (RFC 5155, section 4.2)
	DenialTTL  uint32 // of those records, the highest
	Signatures ServedSignatures
}

// ServedSignatures sums up the RRSIG records of a zone. Times are zero without
// any.
type ServedSignatures struct {
	Count             int
	By                []ServedSigner // by algorithm and tag
	Expires           time.Time      // the earliest end
	Newest            time.Time      // the latest inception: about when it was signed last
	Shortest, Longest time.Duration  // from inception to expiration
}

// A ServedSigner is a key that made signatures: how many over DNSKEY sets, and
// how many over others.
type ServedSigner struct {
	Tag       uint16 `json:"tag"`
	Algorithm uint8  `json:"algorithm"`
	Keys      int    `json:"keys"`
	Zone      int    `json:"zone"`
}

// KeyID returns algorithm and tag in one number, see [Served.KeyTags].
func (s ServedSigner) KeyID() uint32 { return uint32(s.Algorithm)<<16 | uint32(s.Tag) }

// KeyTags returns the keys of the DNSKEY set as [ServedSigner.KeyID] has them.
func (s *Served) KeyTags() []uint32 {
	var ids []uint32
	for _, r := range s.Records {
		if r.Name != s.Origin || r.Type != TypeDNSKEY || len(r.Data) < 4 {
			continue
		}
		var sum uint32 // RFC 4034, appendix B
		for i := 0; i < len(r.Data); i++ {
			sum += uint32(r.Data[i]) << (8 * (1 - i&1))
		}
		ids = append(ids, uint32(r.Data[3])<<16|(sum+sum>>16)&0xffff)
	}
	return ids
}

const maxServedRecords = 20_000_000

// ErrRawZone says that a file is in BIND's raw format, which only BIND reads.
var ErrRawZone = errors.New("the file is in BIND's raw format; write it as text: named-compilezone -j -f raw -F text -s full -o OUT ZONE FILE")

// ParseServed reads a zone file (RFC 1035, section 5.1) or what dig or kdig wrote
// of a zone transfer (RFC 5936). Relative names are taken as below origin. It
// refuses $INCLUDE and $GENERATE, records outside the zone, classes other than
// IN, transfers that were cut short, and a chain of NSEC records (RFC 4034,
// section 4) that does not close or does not fit the names: a record that is
// missing there would later be missing everywhere.
func ParseServed(origin Name, file string, data []byte) (*Served, error) {
	if err := checkServedText(data); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	p := servedParser{s: &Served{Origin: origin}, signers: map[[2]int]*ServedSigner{}}
	z := dns.NewZoneParser(bytes.NewReader(data), string(origin), "")
	z.SetDefaultTTL(DefaultTTL)
	for rr, ok := z.Next(); ok; rr, ok = z.Next() {
		if err := p.take(rr); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	if err := z.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := p.finish(isTransfer(data)); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p.s, nil
}

// ServedOrigin returns the owner of the first SOA record in a zone file that
// names it in full, as every signer and dig do.
func ServedOrigin(file string, data []byte) (Name, error) {
	if err := checkServedText(data); err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	z := dns.NewZoneParser(bytes.NewReader(data), ".", "")
	z.SetDefaultTTL(DefaultTTL)
	for rr, ok := z.Next(); ok; rr, ok = z.Next() {
		if rr.Header().Rrtype == dns.TypeSOA {
			return ParseName(rr.Header().Name)
		}
	}
	return "", fmt.Errorf("%s: there is no SOA record in it, so it is no zone (RFC 1035, section 5.2)", file)
}

// checkServedText refuses what the parser would act on or cannot read.
func checkServedText(data []byte) error {
	if bytes.HasPrefix(data, []byte{0, 0, 0}) {
		return ErrRawZone
	}
	for _, word := range []string{"$INCLUDE", "$GENERATE"} {
		for line := range bytes.Lines(data) {
			if len(line) >= len(word) && strings.EqualFold(string(line[:len(word)]), word) {
				return fmt.Errorf("it has a %s, which is not followed; write the zone out: named-compilezone -j -f text -F text -s full -o OUT ZONE FILE", word)
			}
		}
	}
	for _, words := range []string{"; Transfer failed", ";; communications error", ";; WARNING: ", ";; ERROR: "} {
		if bytes.Contains(data, []byte(words)) {
			return fmt.Errorf("it says %q: the transfer was cut short; make it again", words)
		}
	}
	return nil
}

// isTransfer reports whether dig or kdig wrote the text: then the SOA stands at
// its end again.
func isTransfer(data []byte) bool {
	head := data[:min(len(data), 200)]
	return bytes.Contains(head, []byte("<<>> DiG")) || bytes.HasPrefix(bytes.TrimSpace(head), []byte(";; AXFR for "))
}

type servedParser struct {
	s       *Served
	soas    int
	signers map[[2]int]*ServedSigner
	param   string
	nsec    []chainLink
	nsec3   []chainLink
}

// A chainLink is an NSEC or NSEC3 record.
type chainLink struct {
	owner, next string // sort keys of names, or hashes
	name        Name
	ns, ds      bool
}

func (p *servedParser) take(rr dns.RR) error {
	h := rr.Header()
	if h.Class != dns.ClassINET {
		return fmt.Errorf("%s is of class %s", h.Name, dns.Class(h.Class))
	}
	name, err := ParseName(h.Name)
	if err != nil {
		return err
	}
	if !name.Within(p.s.Origin) {
		return fmt.Errorf("%s is not in %s", name, p.s.Origin)
	}
	switch rr := rr.(type) {
	case *dns.SOA:
		return p.soa(name, rr)
	case *dns.RRSIG:
		p.signature(rr)
		return nil
	case *dns.NSEC:
		next, err := ParseName(rr.NextDomain)
		if err != nil {
			return err
		}
		p.s.DenialTTL = max(p.s.DenialTTL, h.Ttl)
		p.nsec = append(p.nsec, chainLink{name.SortKey(), next.SortKey(), name, slices.Contains(rr.TypeBitMap, dns.TypeNS), slices.Contains(rr.TypeBitMap, dns.TypeDS)})
		return nil
	case *dns.NSEC3:
		p.s.DenialTTL = max(p.s.DenialTTL, h.Ttl)
		label, _, _ := strings.Cut(strings.ToUpper(h.Name), ".")
		p.nsec3 = append(p.nsec3, chainLink{owner: label, next: strings.ToUpper(rr.NextDomain)})
		return nil
	case *dns.NSEC3PARAM:
		p.param = fmt.Sprintf("NSEC3 %d %d %d %s", rr.Hash, rr.Flags, rr.Iterations, cmp.Or(strings.ToLower(rr.Salt), "-"))
		return nil
	case *dns.ZONEMD:
		p.s.ZONEMD = true
		return nil
	}
	if len(p.s.Records) >= maxServedRecords {
		return fmt.Errorf("more than %d records", maxServedRecords)
	}
	d, err := canonicalData(rr)
	if err != nil {
		return fmt.Errorf("%s %s: %w", name, dns.Type(h.Rrtype), err)
	}
	p.s.Records = append(p.s.Records, Record{Name: name, Type: Type(h.Rrtype), TTL: h.Ttl, Data: d})
	return nil
}

func (p *servedParser) soa(name Name, rr *dns.SOA) error {
	if name != p.s.Origin {
		return fmt.Errorf("it has the SOA of %s, and is read as %s", name, p.s.Origin)
	}
	m, err := ParseName(rr.Ns)
	if err != nil {
		return err
	}
	r, err := ParseName(rr.Mbox)
	if err != nil {
		return err
	}
	p.soas++
	if p.soas > 1 && Serial(rr.Serial) != p.s.Serial {
		return fmt.Errorf("it has two SOA records, of serial %d and %d: the zone changed during the transfer; make it again", p.s.Serial, rr.Serial)
	}
	p.s.Serial = Serial(rr.Serial)
	p.s.SOA = SOA{MName: m, RName: r, Refresh: rr.Refresh, Retry: rr.Retry, Expire: rr.Expire, Minimum: rr.Minttl, TTL: rr.Hdr.Ttl}
	return nil
}

func (p *servedParser) signature(rr *dns.RRSIG) {
	f := &p.s.Signatures
	from, to := time.Unix(int64(rr.Inception), 0).UTC(), time.Unix(int64(rr.Expiration), 0).UTC()
	length := to.Sub(from)
	if f.Count == 0 || length < f.Shortest {
		f.Shortest = length
	}
	f.Longest = max(f.Longest, length)
	if f.Count == 0 || to.Before(f.Expires) {
		f.Expires = to
	}
	if from.After(f.Newest) {
		f.Newest = from
	}
	f.Count++
	key := [2]int{int(rr.Algorithm), int(rr.KeyTag)}
	s := p.signers[key]
	if s == nil {
		s = &ServedSigner{Tag: rr.KeyTag, Algorithm: rr.Algorithm}
		p.signers[key] = s
	}
	switch rr.TypeCovered {
	case dns.TypeDNSKEY:
		s.Keys++
	case dns.TypeCDS, dns.TypeCDNSKEY: // by what signs the DNSKEY set, or by both (RFC 7344, section 4.1)
	default:
		s.Zone++
	}
}

// canonicalData packs a record's data with the names in it in lower case (RFC
// 4034, section 6.2).
func canonicalData(rr dns.RR) (Data, error) {
	switch rr := rr.(type) {
	case *dns.NS:
		return hostData(rr.Ns)
	case *dns.CNAME:
		return hostData(rr.Target)
	case *dns.PTR:
		return hostData(rr.Ptr)
	case *dns.DNAME:
		return hostData(rr.Target)
	case *dns.MX:
		rr.Mx = strings.ToLower(rr.Mx)
	case *dns.SRV:
		rr.Target = strings.ToLower(rr.Target)
	}
	buf := make([]byte, dns.Len(rr)+64)
	n, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		return "", err
	}
	owner := 0
	for buf[owner] != 0 {
		owner += 1 + int(buf[owner])
	}
	return Data(buf[owner+1+10 : n]), nil
}

func hostData(s string) (Data, error) {
	n, err := ParseName(s)
	if err != nil {
		return "", err
	}
	return NSData(n), nil
}
