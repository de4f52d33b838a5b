package zone

import (
	"fmt"
	"slices"
	"time"
)

// KeyBookVersion is the version of state/keys/<zone>.json that this program
// writes.
const KeyBookVersion = 1

// A KeyBook is state/keys/<zone>.json: which keys of a zone came by a step or by a
// person, and what people decided about them. It is written before the keys it is
// about. Losing it costs decisions that are open, no key.
type KeyBook struct {
	Version int       `json:"version"`
	Zone    Name      `json:"zone"`
	Keys    []BookKey `json:"keys,omitempty"`
	// Approvals are of steps that are named by their hash.
	Approvals []BookApproval `json:"approvals,omitempty"`
	// Trust is a whole DNSKEY set that a person named, whatever led to it.
	Trust *BookTrust `json:"trust,omitempty"`
	// DeleteDS has the zone ask its parent to take every DS away (RFC 8078, section
	// 4).
	DeleteDS *BookDecision `json:"delete_ds,omitempty"`
	// Lost is that a person gave up keys that the zone was published with, and had
	// new ones made: the last time, if it happened more than once.
	Lost *BookDecision `json:"lost,omitempty"`
	// Emergencies are the emergency rolls that were begun, one a role: the command
	// given again goes on with it until the old keys are gone.
	Emergencies []BookEmergency `json:"emergencies,omitempty"`
}

// A BookEmergency says that the keys with the digests, sorted, are known to others.
// It is noted before their successor is made: a key of the role, KSK, ZSK or CSK,
// that is none of them is that successor.
type BookEmergency struct {
	Role    string   `json:"role"`
	Digests []string `json:"digests"`
	BookDecision
}

// A BookKey is a key that is known to belong to the zone. Digest is the SHA-256 of
// its DNSKEY data in hex; How is "made" or "imported".
type BookKey struct {
	Key    string    `json:"key"`
	Digest string    `json:"digest"`
	How    string    `json:"how"`
	Time   time.Time `json:"time"`
}

// A BookDecision is who decided what when.
type BookDecision struct {
	Time    time.Time `json:"time"`
	By      string    `json:"by"`
	Message string    `json:"message"`
}

// A BookApproval is a person's agreement to a key step.
type BookApproval struct {
	Hash string `json:"hash"`
	Step string `json:"step"` // in words
	BookDecision
}

// A BookTrust is the digests of a DNSKEY set, sorted, until it expires.
type BookTrust struct {
	Digests []string  `json:"digests"`
	Expires time.Time `json:"expires"`
	BookDecision
}

// ParseKeyBook reads the key book of a zone. It refuses unknown keys, a newer
// version, another zone's book and digests that are none.
func ParseKeyBook(file string, zone Name, data []byte) (*KeyBook, error) {
	var b KeyBook
	if err := decodeVersioned(file, data, KeyBookVersion, &b); err != nil {
		return nil, err
	}
	if b.Zone != zone {
		return nil, fmt.Errorf("%s: it is of %.80q, not of %s", file, b.Zone, zone)
	}
	var digests []string
	for _, k := range b.Keys {
		digests = append(digests, k.Digest)
	}
	for _, a := range b.Approvals {
		digests = append(digests, a.Hash)
	}
	if b.Trust != nil {
		digests = append(digests, b.Trust.Digests...)
	}
	for _, e := range b.Emergencies {
		digests = append(digests, e.Digests...)
	}
	for _, d := range digests {
		if err := checkDigest(d); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return &b, nil
}

// Encode returns the file's bytes.
func (b *KeyBook) Encode() []byte {
	b.Version = KeyBookVersion
	return encodeJSON(b)
}

// Knows reports whether a key with the digest belongs to the zone.
func (b *KeyBook) Knows(digest string) bool {
	return slices.ContainsFunc(b.Keys, func(k BookKey) bool { return k.Digest == digest })
}

// Add notes a key that belongs to the zone from now on.
func (b *KeyBook) Add(k BookKey) {
	if !b.Knows(k.Digest) {
		b.Keys = append(b.Keys, k)
	}
}

// Emergency returns the emergency roll of a role that was begun, nil if none was.
func (b *KeyBook) Emergency(role string) *BookEmergency {
	i := slices.IndexFunc(b.Emergencies, func(e BookEmergency) bool { return e.Role == role })
	if i < 0 {
		return nil
	}
	return &b.Emergencies[i]
}

// Begin notes an emergency roll, in the place of one of the same role.
func (b *KeyBook) Begin(e BookEmergency) {
	b.Emergencies = slices.DeleteFunc(b.Emergencies, func(o BookEmergency) bool { return o.Role == e.Role })
	b.Emergencies = append(b.Emergencies, e)
}

// Approved returns the hashes of the steps that people agreed to.
func (b *KeyBook) Approved() []string {
	var list []string
	for _, a := range b.Approvals {
		list = append(list, a.Hash)
	}
	return list
}

// Trusted returns the digests of the set that a person named, nil if none counts
// at now.
func (b *KeyBook) Trusted(now time.Time) []string {
	if b.Trust == nil || now.Before(b.Trust.Time) || !now.Before(b.Trust.Expires) {
		return nil
	}
	return b.Trust.Digests
}
