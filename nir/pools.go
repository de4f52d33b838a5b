package nir

import (
	"fmt"
	"time"

	"nirzone/nir/inr"
)

// A Pool is a range of resources that the registry allocates from. New space is
// allocated from regional pools alone; what an NIR held before the present policy
// is further allocated to its members (APNIC-103, section 3.5).
type Pool struct {
	Row
	Range       inr.Range `json:"range"`
	Purpose     Purpose   `json:"purpose"`
	NIR         string    `json:"nir"`       // of an existing pool
	Strategy    string    `json:"strategy"`  // of nir/alloc; "" for the kind's own
	Factor      int       `json:"factor"`    // of reservations; 0 for the rules' own
	FreeFrom    time.Time `json:"free_from"` // of quarantine: when it may be allocated again
	Description string    `json:"description"`
}

// A Purpose is what a pool is for.
type Purpose string

// The purposes. Nothing is allocated from what is reserved or in quarantine.
const (
	Regional    Purpose = "regional"
	NIRExisting Purpose = "nir-existing"
	Reserved    Purpose = "reserved"
	Quarantine  Purpose = "quarantine"
)

var pools = newTable[Pool]("pool", "pool")

// A FreeBlock is a block of a pool that nobody holds. Member is for whom it is
// reserved, so that the member's space may grow in place; a reservation is a hint
// and keeps nobody from the last room of a pool.
type FreeBlock struct {
	Row
	Pool     string    `json:"pool"`
	Range    inr.Range `json:"range"`
	Len      int       `json:"len"`
	Member   string    `json:"member"`
	Reserved time.Time `json:"reserved"` // since when
	Expires  time.Time `json:"expires"`  // zero for never
}

var freeBlocks = newTable[FreeBlock]("free_block", "fre")

// Pools returns all pools in order.
func (v *View) Pools() ([]Pool, error) {
	return pools.find(v, "id <> '' ORDER BY kind, first")
}

// Pool returns the pool of an identifier.
func (v *View) Pool(id string) (Pool, error) { return pools.get(v, id) }

// FreeBlocks returns what is free of a pool, in order.
func (v *View) FreeBlocks(pool string) ([]FreeBlock, error) {
	return freeBlocks.find(v, "pool = $1 ORDER BY first", pool)
}

// poolsFor returns the pools that a request may be met from, in the order in which
// they are tried: what the NIR has of old, then the regional ones.
func (v *View) poolsFor(nir string, k inr.Kind) ([]Pool, error) {
	return recall(&v.recalled.pools, nir+" "+k.String(), func() ([]Pool, error) {
		return pools.find(v, "kind = $1 AND (purpose = 'regional' OR purpose = 'nir-existing' AND nir = $2 AND nir <> '') ORDER BY purpose, first",
			k.String(), nir)
	})
}

// AddPool records a pool: space that no other pool has and that may be allocated
// at all (APNIC-103, section 2.6). What is delegated of it already is held, the
// rest is free.
func (x *Tx) AddPool(p Pool) (Pool, error) {
	if err := x.Actor.need("change a pool", Admin); err != nil {
		return p, err
	}
	if err := x.checkPool(&p); err != nil {
		return p, err
	}
	x.act("pool.add")
	if err := pools.put(x, &p); err != nil {
		return p, fmt.Errorf("adding pool %s: %w", p.Range, err)
	}
	if p.Purpose == NIRExisting {
		d := Delegation{Level: RIRToNIR, Range: p.Range, Type: "allocation", Economy: "", NIR: p.NIR, Date: x.Actor.At, Evidence: ByExistingPool, Pool: p.ID}
		if err := x.addDelegation(&d); err != nil {
			return p, err
		}
		if err := x.describe(&d, nil); err != nil {
			return p, err
		}
	}
	return p, x.refillPool(&p)
}

func (x *Tx) checkPool(p *Pool) error {
	var m mistakes
	if !p.Range.Valid() {
		m.add(invalid("range", "it is missing"))
		return m.err()
	}
	switch p.Purpose {
	case Regional, Reserved, Quarantine:
	case NIRExisting:
		if _, err := x.NIR(p.NIR); err != nil {
			m.add(err)
		}
	default:
		m.add(invalid("purpose", "%.20q is not regional, nir-existing, reserved or quarantine", p.Purpose))
	}
	m.add(checkSpecial(p.Range))
	list, err := x.Pools()
	m.add(err)
	for _, o := range list {
		if o.Range.Overlaps(p.Range) {
			m.add(refuse(Conflict, "%s overlaps pool %s", p.Range, o.Range).in("range"))
		}
	}
	foreign, err := foreignSpace.find(x.View, "kind = $1 AND first <= $2 AND last >= $3 ORDER BY source, first LIMIT 1",
		p.Range.Kind.String(), numKey(p.Range.Last), numKey(p.Range.First))
	m.add(err)
	for _, f := range foreign {
		m.add(refuse(Conflict, "%s holds %s, which %s manages", p.Range, f.Range, f.Source).in("range").by("APNIC-103, section 4").
			remedy("nirctl transfer create --from " + f.Source + ", or nirctl import stats with a newer file of " + f.Source))
	}
	return m.err()
}

// checkSpecial refuses what may not be allocated.
func checkSpecial(r inr.Range) error {
	if s, ok := inr.WhySpecial(r); ok {
		return invalid("range", "%s holds %s (%s)", r, s.Range, s.Use).by("APNIC-103, section 2.6; " + s.RFC)
	}
	return nil
}
