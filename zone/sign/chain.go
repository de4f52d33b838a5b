package sign

import (
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"nirzone/zone"
)

// A chain judges sets that somebody observed by trust anchors: it validates (RFC
// 4035, section 5) from memory, without asking anyone. Signatures are judged at a
// given time, so that what was seen last week is judged as of last week.
type chain struct {
	anchors map[zone.Name][]zone.Record
	keys    map[zone.Name][]*chainSet // DNSKEY sets
	ds      map[zone.Name][]*chainSet
	sets    map[string]*chainSet
	trusted map[trustQuery]trustAnswer
	budget  int // verifications left: keys that share a tag make them many
}

// A chainSet is an observed set, decoded.
type chainSet struct {
	set    *zone.RRset
	rrs    []dns.RR
	sigs   []*dns.RRSIG
	proofs map[string]bool // by signature and key: whether it verifies
}

type trustQuery struct {
	zone zone.Name
	at   int64
}

type trustAnswer struct {
	keys []*dns.DNSKEY
	why  error
}

// maxVerifications bounds the work that an observation can ask for.
const maxVerifications = 50000

// errBudget is why nothing is believed when an observation asks for more work
// than that.
var errBudget = errors.New("the observations ask for too many verifications; move spool/observations.json away and observe again")

func newChain(o *zone.Observations, anchors []zone.Record) *chain {
	c := &chain{
		anchors: map[zone.Name][]zone.Record{}, keys: map[zone.Name][]*chainSet{}, ds: map[zone.Name][]*chainSet{},
		sets: map[string]*chainSet{}, trusted: map[trustQuery]trustAnswer{}, budget: maxVerifications,
	}
	for _, a := range anchors {
		c.anchors[a.Name] = append(c.anchors[a.Name], a)
	}
	for id, s := range o.Index() {
		if d := decodeSet(s); d != nil {
			c.sets[id] = d
		}
	}
	for _, seen := range o.Chain {
		s := c.sets[seen.Set]
		switch {
		case s == nil:
		case s.set.Type == zone.TypeDNSKEY && !slices.Contains(c.keys[s.set.Name], s):
			c.keys[s.set.Name] = append(c.keys[s.set.Name], s)
		case s.set.Type == zone.TypeDS && !slices.Contains(c.ds[s.set.Name], s):
			c.ds[s.set.Name] = append(c.ds[s.set.Name], s)
		}
	}
	return c
}

// decodeSet returns a set with its signatures, nil if it does not decode: it can
// prove nothing then.
func decodeSet(s *zone.RRset) *chainSet {
	d := &chainSet{set: s, proofs: map[string]bool{}}
	for _, data := range s.Data {
		rr := decodeData(s.Name, s.Type, s.TTL, data)
		if rr == nil {
			return nil
		}
		d.rrs = append(d.rrs, rr)
	}
	for _, data := range s.Signatures {
		if sig, ok := decodeData(s.Name, zone.TypeRRSIG, s.TTL, data).(*dns.RRSIG); ok {
			d.sigs = append(d.sigs, sig)
		}
	}
	return d
}

func decodeData(name zone.Name, t zone.Type, ttl uint32, data []byte) dns.RR {
	h := dns.RR_Header{Name: string(name), Rrtype: uint16(t), Class: dns.ClassINET, Ttl: ttl, Rdlength: uint16(len(data))}
	rr, off, err := dns.UnpackRRWithHeader(h, data, 0)
	if err != nil || off != len(data) || len(data) == 0 {
		return nil
	}
	return rr
}

// trust returns the keys of a zone that may sign its data at a time.
func (c *chain) trust(name zone.Name, at time.Time) ([]*dns.DNSKEY, error) {
	q := trustQuery{name, at.Unix()}
	if a, ok := c.trusted[q]; ok {
		return a.keys, a.why
	}
	keys, why := c.findTrust(name, at)
	c.trusted[q] = trustAnswer{keys, why}
	return keys, why
}

// findTrust looks for a DNSKEY set of the zone that is signed by a key that an
// anchor or a DS set names. Every DS set is one label or more up, so this ends.
func (c *chain) findTrust(name zone.Name, at time.Time) ([]*dns.DNSKEY, error) {
	if len(c.keys[name]) == 0 {
		return nil, fmt.Errorf("no DNSKEY set of %s was observed", name)
	}
	entries, why := c.entries(name, at)
	var keys []*dns.DNSKEY
	for _, s := range c.keys[name] {
		for _, rr := range s.rrs {
			k, ok := rr.(*dns.DNSKEY)
			if !ok || !slices.ContainsFunc(entries, func(e zone.Record) bool { return names(e, k) }) {
				continue
			}
			if err := c.signed(s, name, []*dns.DNSKEY{k}, at); err != nil {
				why = err
				continue
			}
			for _, rr := range s.rrs {
				keys = append(keys, rr.(*dns.DNSKEY))
			}
			break
		}
	}
	if len(keys) > 0 {
		return keys, nil
	}
	if why == nil {
		why = fmt.Errorf("no key of %s is one that its trust anchor or DS set names", name)
	}
	return nil, why
}

// entries returns the DS and DNSKEY records by which a zone's keys may be
// believed: its anchors, and the DS sets that its parent signed.
func (c *chain) entries(name zone.Name, at time.Time) ([]zone.Record, error) {
	entries := slices.Clone(c.anchors[name])
	var why error
	for _, s := range c.ds[name] {
		if _, err := c.signedAbove(s, at); err != nil {
			why = err
			continue
		}
		entries = append(entries, s.set.Records()...)
	}
	if len(entries) == 0 && why == nil {
		why = fmt.Errorf("there is neither a trust anchor for %s nor a DS set of it", name)
	}
	return entries, why
}

// names reports whether an anchor or DS record stands for a key (RFC 4034,
// section 5.1.4). Digests by SHA-1 do not count (RFC 9905), nor do revoked keys
// (RFC 5011, section 2.1).
func names(e zone.Record, k *dns.DNSKEY) bool {
	if k.Flags&dns.ZONE == 0 || k.Flags&flagRevoke != 0 || k.Protocol != 3 {
		return false
	}
	data := dnskeyData(k)
	if e.Type == zone.TypeDNSKEY {
		return string(e.Data) == string(data)
	}
	d := []byte(e.Data)
	if len(d) < 5 || uint16(d[0])<<8|uint16(d[1]) != keyTag(data) || d[2] != k.Algorithm {
		return false
	}
	digest := dsDigest(zone.Name(k.Hdr.Name), data, d[3])
	return digest != nil && string(digest) == string(d[4:])
}

// dsDigest returns the digest of a DS record for a key, nil for a digest type
// that does not count (RFC 8624, section 3.3).
func dsDigest(name zone.Name, dnskey []byte, typ uint8) []byte {
	data := append(name.AppendWire(nil), dnskey...)
	switch typ {
	case dns.SHA256:
		sum := sha256.Sum256(data)
		return sum[:]
	case dns.SHA384:
		sum := sha512.Sum384(data)
		return sum[:]
	}
	return nil
}

// dnskeyData returns the record's data in wire form.
func dnskeyData(k *dns.DNSKEY) []byte {
	buf := make([]byte, dns.Len(k)+16)
	end, err := dns.PackRR(k, buf, 0, nil, false)
	if err != nil || end < int(k.Hdr.Rdlength) {
		return nil
	}
	start := len(zone.Name(k.Hdr.Name).AppendWire(nil)) + 10
	return buf[start:end]
}

// signedAbove reports whether a set is signed, at a time, by a zone above its
// owner that is trusted, and by which.
func (c *chain) signedAbove(s *chainSet, at time.Time) (zone.Name, error) {
	why := fmt.Errorf("the %s set of %s has no signature by a zone above it (RFC 4035, section 2.4)", s.set.Type, s.set.Name)
	var tried []zone.Name
	for _, sig := range s.sigs {
		signer, err := zone.ParseName(sig.SignerName)
		if err != nil || signer == s.set.Name || !s.set.Name.Within(signer) || slices.Contains(tried, signer) {
			continue
		}
		tried = append(tried, signer)
		keys, err := c.trust(signer, at)
		if err == nil {
			err = c.signed(s, signer, keys, at)
		}
		if err == nil {
			return signer, nil
		}
		why = err
	}
	return "", why
}

// signed reports why a set is not signed by one of the keys of signer at a time;
// nil if it is (RFC 4035, section 5.3).
func (c *chain) signed(s *chainSet, signer zone.Name, keys []*dns.DNSKEY, at time.Time) error {
	why := fmt.Errorf("the %s set of %s has no signature by a trusted key of %s (RFC 4035, section 5.3)", s.set.Type, s.set.Name, signer)
	for i, sig := range s.sigs {
		if zone.Name(sig.SignerName) != signer || sig.TypeCovered != uint16(s.set.Type) || int(sig.Labels) != s.set.Name.Labels() {
			continue
		}
		for _, k := range keys {
			if k.Algorithm != sig.Algorithm || k.KeyTag() != sig.KeyTag {
				continue
			}
			ok, err := c.verifies(s, i, k)
			switch {
			case err != nil:
				return err
			case !ok:
				why = fmt.Errorf("the signature over the %s set of %s by key %d of %s does not verify (RFC 4035, section 5.3.3)", s.set.Type, s.set.Name, sig.KeyTag, signer)
			case !validAt(sig, at):
				why = outOfTime(s, sig, at)
			default:
				return nil
			}
		}
	}
	return why
}

// outOfTime says when a signature is valid, not when it was judged: the text goes
// into notices, which stay the same until something changes.
func outOfTime(s *chainSet, sig *dns.RRSIG, at time.Time) error {
	from, until := sigWindow(sig, at)
	if at.Unix() < from {
		return fmt.Errorf("the signature over the %s set of %s begins only at %s (RFC 4035, section 5.3.1)", s.set.Type, s.set.Name, clockText(from))
	}
	return fmt.Errorf("the signature over the %s set of %s ended at %s (RFC 4035, section 5.3.1)", s.set.Type, s.set.Name, clockText(until))
}

// verifies does the arithmetic of a signature once a key.
func (c *chain) verifies(s *chainSet, i int, k *dns.DNSKEY) (bool, error) {
	id := fmt.Sprint(i, " ", k.Flags, " ", k.PublicKey)
	if ok, done := s.proofs[id]; done {
		return ok, nil
	}
	if c.budget--; c.budget < 0 {
		return false, errBudget
	}
	ok := usable(k.Algorithm) && k.Flags&flagRevoke == 0 && s.sigs[i].Verify(k, s.rrs) == nil
	s.proofs[id] = ok
	return ok, nil
}

// usable are the algorithms that a parent may sign by (RFC 8624, section 3.1,
// and RFC 9905: not those with SHA-1).
func usable(alg uint8) bool {
	switch alg {
	case dns.RSASHA256, dns.RSASHA512, dns.ECDSAP256SHA256, dns.ECDSAP384SHA384, dns.ED25519:
		return true
	}
	return false
}

func validAt(sig *dns.RRSIG, at time.Time) bool {
	from, until := sigWindow(sig, at)
	return from <= at.Unix() && at.Unix() < until
}

// sigWindow returns the times of a signature, which are serial numbers around the
// present (RFC 4034, section 3.1.5).
func sigWindow(sig *dns.RRSIG, at time.Time) (from, until int64) {
	now := at.Unix()
	return now + int64(int32(sig.Inception-uint32(now))), now + int64(int32(sig.Expiration-uint32(now)))
}

// denies reports whether a set is a proof that its owner has no DS: an NSEC at
// the very name, with NS and without DS and SOA (RFC 4035, section 5.2; RFC 6840,
// section 4.4).
func (s *chainSet) denies() bool {
	if s.set.Type != zone.TypeNSEC || len(s.rrs) != 1 {
		return false
	}
	bitmap := s.rrs[0].(*dns.NSEC).TypeBitMap
	return slices.Contains(bitmap, dns.TypeNS) && !slices.Contains(bitmap, dns.TypeDS) && !slices.Contains(bitmap, dns.TypeSOA)
}

// originalTTL is the set's TTL as it was signed: servers may give less.
func (s *chainSet) originalTTL() uint32 {
	ttl := s.set.TTL
	for _, sig := range s.sigs {
		ttl = max(ttl, sig.OrigTtl)
	}
	return ttl
}

// joined is a list in words.
func joined(list []string) string { return strings.Join(list, ", ") }
