package zone

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// ObservationsVersion is the version of spool/observations.json that this
// program writes. It reads this one and the one before.
const ObservationsVersion = 2

// Limits of spool/observations.json. MaxObservations is of the whole file, in
// octets.
const (
	MaxObservations = 256 << 20
	maxSetData      = 64    // records of a set
	maxSetSigs      = 32    // signatures of a set
	maxRdata        = 65535 // RFC 1035, section 3.2.1
	maxAddresses    = 4096  // observations of a zone
	maxSeen         = 64    // sets of an observation
)

// Observations is spool/observations.json: what name servers answered, as they
// answered it. It is evidence and not judgement: nothing in it was validated.
// The answers themselves stand once each in Sets, and are named by their digest.
// Everything is sorted, so that the same observations are the same bytes.
type Observations struct {
	Version    int            `json:"version"`
	Run        uint64         `json:"run"`        // grows by one a run of zonefetch observe
	Time       time.Time      `json:"time"`       // start of that run
	Generation uint64         `json:"generation"` // what was published then, 0 if nothing was
	Zones      []ObservedZone `json:"zones"`
	// Chain is the DNSKEY and DS sets of the parents and of the zones above them,
	// from whoever gave them.
	Chain []SeenSet `json:"chain,omitempty"`
	// Parents are the zones above, sorted, with who says that it serves them.
	Parents []ObservedParent `json:"parents,omitempty"`
	Sets    []RRset          `json:"sets"` // sorted by ID
}

// An ObservedZone is one of the registry's zones: what its own servers say, and
// what its parent's servers say of it.
type ObservedZone struct {
	Zone Name `json:"zone"`
	// Serial is the one that was published when the run began, and SerialSince
	// the time of the first run that found it so. Published are the sets of the
	// published apex.
	Serial      Serial        `json:"serial"`
	SerialSince time.Time     `json:"serial_since,omitzero"`
	Published   []string      `json:"published,omitempty"`
	Servers     []Observation `json:"servers"` // sorted by server and address
	// Parent is the zone above, empty if it could not be found; Delegation what
	// its servers say of the DS set.
	Parent     Name          `json:"parent,omitempty"`
	Delegation []Observation `json:"delegation"`
	// Unknown are servers whose addresses, or the zone whose servers, could not be
	// found, with the reason.
	Unknown []UnknownServer `json:"unknown,omitempty"`
}

// An UnknownServer is a server that nobody could be asked for.
type UnknownServer struct {
	Server Name   `json:"server"`
	Parent bool   `json:"parent,omitempty"` // of the parent zone
	Reason string `json:"reason"`
}

// A Fault is one word for why an address gave no good answer.
type Fault string

// The faults. Silent: nothing came in time, or nothing could be sent. Lame: it
// answers, but not for this zone (RFC 1912, section 2.8). Malformed: what came is no
// answer to the question.
const (
	FaultSilent    Fault = "silent"
	FaultLame      Fault = "lame"
	FaultMalformed Fault = "malformed"
)

// An Observation is what one address answered about one zone.
type Observation struct {
	Server   Name           `json:"server"`
	Address  netip.AddrPort `json:"address"`
	First    time.Time      `json:"first"`              // first time that it answered well
	Last     time.Time      `json:"last,omitzero"`      // last time that it answered well
	Asked    time.Time      `json:"asked"`              // last attempt
	Named    time.Time      `json:"named,omitzero"`     // of a parent's server: when it was last named, and the address looked up
	Fault    Fault          `json:"fault,omitempty"`    // of the last attempt
	Reason   string         `json:"reason,omitempty"`   // … in words
	Since    time.Time      `json:"since,omitzero"`     // since when there is a fault
	Denied   bool           `json:"denied,omitempty"`   // the parent says that there is no DS
	Serial   Serial         `json:"serial,omitempty"`   // of the last good answer
	Highest  Serial         `json:"highest,omitempty"`  // the newest serial ever seen there
	Expires  time.Time      `json:"expires,omitzero"`   // earliest end of a signature in any answer
	Sampled  int            `json:"sampled,omitempty"`  // delegations that were asked for and compared
	Missing  []Name         `json:"missing,omitempty"`  // … that it does not have
	Differs  []Name         `json:"differs,omitempty"`  // … that it has otherwise
	Sets     []SeenSet      `json:"sets,omitempty"`     // oldest first
	OldSince time.Time      `json:"old_since,omitzero"` // since when its serial is not the published one
}

// A SeenSet says when a set was seen: in every answer from First to Last, which
// were never further apart than observe.fresh_for.
type SeenSet struct {
	Set   string    `json:"set"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// An RRset is a set as a server gave it, in canonical form: data and signatures
// are RDATA with uncompressed lower-case names (RFC 4034, section 6.2), each
// sorted without duplicates. Signatures are RRSIG records over the set.
type RRset struct {
	Name       Name     `json:"name"`
	Type       Type     `json:"type"`
	TTL        uint32   `json:"ttl"`
	Data       [][]byte `json:"data"`
	Signatures [][]byte `json:"signatures,omitempty"`
}

// ID returns the digest by which a set is named, over all that is in it: 64 hex
// digits.
func (s *RRset) ID() string {
	h := sha256.New()
	b := s.Name.AppendWire(nil)
	b = binary.BigEndian.AppendUint16(b, uint16(s.Type))
	b = binary.BigEndian.AppendUint32(b, s.TTL)
	for _, list := range [][][]byte{s.Data, s.Signatures} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(list)))
		for _, d := range list {
			b = binary.BigEndian.AppendUint32(b, uint32(len(d)))
			b = append(b, d...)
		}
	}
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil))
}

// Records returns the set's records without the signatures.
func (s *RRset) Records() []Record {
	out := make([]Record, len(s.Data))
	for i, d := range s.Data {
		out[i] = Record{Name: s.Name, Type: s.Type, TTL: s.TTL, Data: Data(d)}
	}
	return out
}

// ParseObservations reads spool/observations.json. It refuses unknown keys, a
// newer version, what is over the limits, names that are not canonical, and sets
// that are named and not there.
func ParseObservations(file string, data []byte) (*Observations, error) {
	if len(data) > MaxObservations {
		return nil, fmt.Errorf("%s: over %d octets; move it away, the next zonefetch observe begins anew", file, MaxObservations)
	}
	var o Observations
	if err := decodeVersioned(file, data, ObservationsVersion, &o); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &o, nil
}

func (o *Observations) check() error {
	sets := map[string]bool{}
	for i := range o.Sets {
		s := &o.Sets[i]
		if err := s.check(); err != nil {
			return fmt.Errorf("set %s: %w", s.Name, err)
		}
		sets[s.ID()] = true
	}
	if err := checkSeen(o.Chain, sets); err != nil {
		return fmt.Errorf("chain: %w", err)
	}
	for i := range o.Parents {
		p := &o.Parents[i]
		if err := p.check(sets); err != nil {
			return fmt.Errorf("parent %.80q: %w", p.Zone, err)
		}
		if o.Parent(p.Zone) != p {
			return fmt.Errorf("parent %s stands twice", p.Zone)
		}
	}
	zones := map[Name]bool{}
	for i := range o.Zones {
		z := &o.Zones[i]
		if zones[z.Zone] {
			return fmt.Errorf("zone %s stands twice", z.Zone)
		}
		zones[z.Zone] = true
		if err := z.check(sets); err != nil {
			return fmt.Errorf("zone %.80q: %w", z.Zone, err)
		}
	}
	return nil
}

func (s *RRset) check() error {
	if err := checkName(s.Name); err != nil {
		return err
	}
	if len(s.Data) == 0 || len(s.Data) > maxSetData || len(s.Signatures) > maxSetSigs {
		return fmt.Errorf("%d records and %d signatures; 1 to %d and at most %d are allowed", len(s.Data), len(s.Signatures), maxSetData, maxSetSigs)
	}
	for _, d := range slices.Concat(s.Data, s.Signatures) {
		if len(d) > maxRdata {
			return fmt.Errorf("data of %d octets (RFC 1035, section 3.2.1)", len(d))
		}
	}
	return nil
}

func checkName(n Name) error {
	if m, err := ParseName(string(n)); err != nil || m != n {
		return fmt.Errorf("%.80q is not a canonical name", n)
	}
	return nil
}

func checkSeen(list []SeenSet, sets map[string]bool) error {
	for _, s := range list {
		if !sets[s.Set] {
			return fmt.Errorf("set %.80q is named and not there", s.Set)
		}
		if s.Last.Before(s.First) {
			return errors.New("a set was last seen before it was first seen")
		}
	}
	return nil
}

func (z *ObservedZone) check(sets map[string]bool) error {
	if err := checkName(z.Zone); err != nil {
		return err
	}
	if z.Parent != "" {
		if err := checkName(z.Parent); err != nil {
			return err
		}
		if z.Parent == z.Zone || !z.Zone.Within(z.Parent) {
			return fmt.Errorf("%s is not above it", z.Parent)
		}
	}
	for _, id := range z.Published {
		if !sets[id] {
			return fmt.Errorf("set %.80q is named and not there", id)
		}
	}
	for _, u := range z.Unknown {
		if err := checkName(u.Server); err != nil {
			return err
		}
	}
	for _, list := range [][]Observation{z.Servers, z.Delegation} {
		if len(list) > maxAddresses {
			return fmt.Errorf("%d addresses, at most %d are allowed", len(list), maxAddresses)
		}
		for i := range list {
			if err := list[i].check(sets); err != nil {
				return fmt.Errorf("server %.80q at %s: %w", list[i].Server, list[i].Address, err)
			}
			if i > 0 && compareObservations(list[i-1], list[i]) >= 0 {
				return fmt.Errorf("server %s at %s stands twice or out of order", list[i].Server, list[i].Address)
			}
		}
	}
	return nil
}

func (o *Observation) check(sets map[string]bool) error {
	names := append([]Name{o.Server}, o.Missing...)
	for _, n := range append(names, o.Differs...) {
		if err := checkName(n); err != nil {
			return err
		}
	}
	if a, err := serverAddress(o.Address); err != nil || a != o.Address {
		return errors.New("its address cannot be asked")
	}
	if o.Fault != "" && o.Fault != FaultSilent && o.Fault != FaultLame && o.Fault != FaultMalformed {
		return fmt.Errorf("fault %.80q is not known", o.Fault)
	}
	if len(o.Sets) > maxSeen {
		return fmt.Errorf("%d sets, at most %d are allowed", len(o.Sets), maxSeen)
	}
	return checkSeen(o.Sets, sets)
}

func compareObservations(a, b Observation) int {
	return cmp.Or(a.Server.Compare(b.Server), a.Address.Compare(b.Address))
}

// Zone returns the entry of a zone, nil if there is none.
func (o *Observations) Zone(n Name) *ObservedZone {
	for i := range o.Zones {
		if o.Zones[i].Zone == n {
			return &o.Zones[i]
		}
	}
	return nil
}

// Index returns the sets by their ID.
func (o *Observations) Index() map[string]*RRset {
	index := make(map[string]*RRset, len(o.Sets))
	for i := range o.Sets {
		index[o.Sets[i].ID()] = &o.Sets[i]
	}
	return index
}

// Encode returns the file's bytes. It sorts what o holds.
func (o *Observations) Encode() []byte {
	o.sort()
	return encodeJSON(o)
}

func (o *Observations) sort() {
	ids := make(map[*RRset]string, len(o.Sets))
	order := make([]*RRset, len(o.Sets))
	for i := range o.Sets {
		order[i] = &o.Sets[i]
		ids[order[i]] = order[i].ID()
	}
	slices.SortFunc(order, func(a, b *RRset) int { return cmp.Compare(ids[a], ids[b]) })
	sorted := make([]RRset, 0, len(order))
	for i, s := range order {
		if i == 0 || ids[s] != ids[order[i-1]] {
			sorted = append(sorted, *s)
		}
	}
	o.Sets = sorted
	slices.SortFunc(o.Zones, func(a, b ObservedZone) int { return a.Zone.Compare(b.Zone) })
	bySet := func(a, b SeenSet) int { return cmp.Or(cmp.Compare(a.Set, b.Set), a.First.Compare(b.First)) }
	slices.SortFunc(o.Chain, bySet)
	slices.SortFunc(o.Parents, func(a, b ObservedParent) int { return a.Zone.Compare(b.Zone) })
	for i := range o.Parents {
		slices.SortFunc(o.Parents[i].NS, bySet)
	}
	for i := range o.Zones {
		slices.SortFunc(o.Zones[i].Servers, compareObservations)
		slices.SortFunc(o.Zones[i].Delegation, compareObservations)
		slices.SortFunc(o.Zones[i].Unknown, func(a, b UnknownServer) int {
			return cmp.Or(a.Server.Compare(b.Server), cmp.Compare(a.Reason, b.Reason))
		})
	}
}
