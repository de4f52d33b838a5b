package sign

import (
	"crypto"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"time"

	"nirzone/zone"
)

// The flags of a DNSKEY (RFC 4034, section 2.1.1; RFC 5011, section 3).
const (
	FlagsZSK   uint16 = 256
	FlagsKSK   uint16 = 257
	flagRevoke uint16 = 128
)

// A Key is one key pair of a zone. Its private half is reachable by [Key.Signer]
// alone: it is kept in a closure, so that not even reflection prints it.
type Key struct {
	ID        string // base name of its files, such as K202.in-addr.arpa.+013+12345
	Zone      zone.Name
	Tag       uint16 // RFC 4034, appendix B
	Algorithm uint8  // 8, 13 or 15
	Flags     uint16 // FlagsZSK or FlagsKSK
	Public    []byte // as in the DNSKEY record
	Timing    Timing

	// CSK marks a key with FlagsKSK that signs the zone as well as the DNSKEY set
	// (RFC 6781, section 3.1: the single-type signing scheme).
	CSK bool
	// CDS says that the zone's CDS and CDNSKEY sets name the key: its DS should
	// be at the parent (RFC 7344, section 4).
	CDS bool

	signer func() crypto.Signer
	stale  bool // its other files have not the times of the private one
	owner  int  // uid of the private file's owner if it is somebody else's, else -1
}

// Timing says when a key changes state (RFC 7583, section 3.1). A zero time is
// a change that is not planned.
//
// Being in the DNSKEY set and signing are apart. A key whose algorithm nobody has
// seen may sign before its Publish, and one whose algorithm goes may sign after
// its Remove, until its Retire: so signatures are in every cache before the set
// says that they are to be there, and stay until it is forgotten (RFC 6781, section
// 4.1.4). Of an algorithm that is in the set, only keys in the set sign.
//
// A CSK signs the DNSKEY set as long as it is in it; Active and Retire are about
// the rest of the zone. So it can be in the set, signing it and known to the
// parent, before anything else rests on it.
type Timing struct {
	Created time.Time `json:"created,omitzero"` // made
	Publish time.Time `json:"publish,omitzero"` // in the DNSKEY set
	Ready   time.Time `json:"ready,omitzero"`   // in every cache
	Active  time.Time `json:"active,omitzero"`  // signing
	Retire  time.Time `json:"retire,omitzero"`  // no longer used for new slots
	Remove  time.Time `json:"remove,omitzero"`  // out of the DNSKEY set
	DSSeen  time.Time `json:"ds_seen,omitzero"` // its DS was seen at every server of the parent
	Unsync  time.Time `json:"unsync,omitzero"`  // out of CDS and CDNSKEY, where it is from Ready on (RFC 7344)
}

// A State is where a key is in its life (RFC 7583, section 3.1).
type State uint8

// The states in the order of a key's life.
const (
	StateGenerated State = iota
	StatePublished
	StateReady
	StateActive
	StateRetired
	StateRemoved
)

var stateNames = [...]string{"generated", "published", "ready", "active", "retired", "removed"}

// String returns the lower-case word for the state.
func (s State) String() string { return stateNames[s] }

// State returns the last state whose time has come. A KSK or CSK is active when
// the parent vouches for it, or when it was the zone's first; a key that signs the
// DNSKEY set beside its predecessor is published, then ready.
func (k Key) State(now time.Time) State {
	t := k.Timing
	active := t.Active
	if k.SignsKeys() && !reached(t.DSSeen, now) && (t.Ready.IsZero() || t.Ready.After(t.Publish)) {
		active = time.Time{}
	}
	for _, c := range [...]struct {
		from  time.Time
		state State
	}{{t.Remove, StateRemoved}, {t.Retire, StateRetired}, {active, StateActive}, {t.Ready, StateReady}, {t.Publish, StatePublished}} {
		if reached(c.from, now) {
			return c.state
		}
	}
	return StateGenerated
}

func reached(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }

// published reports whether the key belongs into the DNSKEY set at now.
func (k Key) published(now time.Time) bool {
	return reached(k.Timing.Publish, now) && !reached(k.Timing.Remove, now)
}

// InUse reports whether the key belongs into the DNSKEY set at now.
func (k Key) InUse(now time.Time) bool { return k.published(now) }

// over reports whether the key has made its last signature: it is out of the
// DNSKEY set, and past its Retire if that is later.
func (k Key) over(now time.Time) bool {
	return reached(k.Timing.Remove, now) && !now.Before(k.Timing.Retire)
}

// SignsKeys reports whether it is for the key to sign the DNSKEY set, and CDS
// and CDNSKEY (RFC 7344, section 4.1): those of a KSK or CSK.
func (k Key) SignsKeys() bool { return k.Flags == FlagsKSK }

// SignsZone reports whether it is for the key to sign everything else: that of a
// ZSK or CSK.
func (k Key) SignsZone() bool { return k.Flags == FlagsZSK || k.CSK }

// Role returns "KSK", "ZSK" or "CSK".
func (k Key) Role() string {
	if k.CSK {
		return "CSK"
	}
	return roleName(k.Flags)
}

func roleName(flags uint16) string {
	if flags&1 != 0 {
		return "KSK"
	}
	return "ZSK"
}

// Signer returns the private key. Nil means that the key has none.
func (k Key) Signer() crypto.Signer {
	if k.signer == nil {
		return nil
	}
	return k.signer()
}

// String returns the key's ID.
func (k Key) String() string { return k.ID }

// Format writes the key's ID for every verb, so that none shows more.
func (k Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(k.ID)) }

// LogValue returns what a log may show of the key.
func (k Key) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", k.ID), slog.String("role", k.Role()))
}

// DS returns the DS record that the zone's parent should have for this key,
// with a SHA-256 digest (RFC 4034, section 5.1.4; RFC 4509) and a TTL of one
// day.
func (k Key) DS() zone.Record {
	h := sha256.New()
	h.Write(k.Zone.AppendWire(nil))
	h.Write(k.rdata())
	d := binary.BigEndian.AppendUint16(nil, k.Tag)
	d = h.Sum(append(d, k.Algorithm, 2))
	return zone.Record{Name: k.Zone, Type: zone.TypeDS, TTL: 86400, Data: zone.Data(d)}
}

// rdata returns the DNSKEY record's data.
func (k Key) rdata() []byte { return keyData(k.Flags, k.Algorithm, k.Public) }

func keyData(flags uint16, alg uint8, public []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, flags)
	return append(append(b, 3, alg), public...)
}

// keyTag returns the tag of a DNSKEY (RFC 4034, appendix B).
func keyTag(rdata []byte) uint16 {
	var sum uint32
	for i, c := range rdata {
		if i%2 == 0 {
			sum += uint32(c) << 8
		} else {
			sum += uint32(c)
		}
	}
	return uint16(sum + sum>>16)
}

// generationKey is how generation.json names the key.
func (k Key) generationKey() zone.GenerationKey {
	return zone.GenerationKey{Tag: k.Tag, Algorithm: k.Algorithm, Flags: k.Flags}
}
