package nir

import (
	"math/big"
	"slices"

	"nirzone/nir/inr"
)

// A PoolUse says how full a pool is. Counts are of numbers: Size is Free, Held and
// Quarantined together, Reserved is a part of Free.
type PoolUse struct {
	Pool
	Size        *big.Int     `json:"size"`
	Free        *big.Int     `json:"free"`
	Reserved    *big.Int     `json:"reserved"` // softly, for members that may grow
	Held        *big.Int     `json:"held"`
	Quarantined *big.Int     `json:"quarantined"`
	ByLength    []LengthFree `json:"by_length"`   // the largest blocks first
	Largest     int          `json:"largest"`     // prefix length of the largest free block, -1 if nothing is free
	Unreserved  int          `json:"unreserved"`  // the same, of those that are nobody's reservation
	Utilisation float64      `json:"utilisation"` // part that is held or in quarantine, from 0 to 1
}

// A LengthFree is how many blocks of a prefix length are free.
type LengthFree struct {
	Len      int `json:"len"`
	Blocks   int `json:"blocks"`
	Reserved int `json:"reserved"` // of them
}

// PoolUses returns all pools in order, with how full they are.
func (v *View) PoolUses() ([]PoolUse, error) {
	list, err := v.Pools()
	if err != nil {
		return nil, err
	}
	all := make([]PoolUse, len(list))
	for i, p := range list {
		if all[i], err = v.use(p); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// PoolUse returns how full a pool is.
func (v *View) PoolUse(id string) (PoolUse, error) {
	p, err := v.Pool(id)
	if err != nil {
		return PoolUse{}, err
	}
	return v.use(p)
}

func (v *View) use(p Pool) (PoolUse, error) {
	u := PoolUse{Pool: p, Size: p.Range.Count(), Free: new(big.Int), Reserved: new(big.Int), Largest: -1, Unreserved: -1}
	lengths := map[int]LengthFree{}
	err := freeBlocks.each(v, "pool = $1", []any{p.ID}, func(f *FreeBlock) error {
		l := lengths[f.Len]
		l.Len = f.Len
		l.Blocks++
		u.Free.Add(u.Free, f.Range.Count())
		if f.Member != "" {
			l.Reserved++
			u.Reserved.Add(u.Reserved, f.Range.Count())
		} else if u.Unreserved < 0 || f.Len < u.Unreserved {
			u.Unreserved = f.Len
		}
		lengths[f.Len] = l
		return nil
	})
	if err != nil {
		return u, err
	}
	for _, l := range lengths {
		u.ByLength = append(u.ByLength, l)
	}
	slices.SortFunc(u.ByLength, func(a, b LengthFree) int { return a.Len - b.Len })
	if len(u.ByLength) > 0 {
		u.Largest = u.ByLength[0].Len
	}
	in, err := v.quarantinedIn(p.Range)
	q := inr.Of(p.Range).Intersect(quarantinedSet(in))
	u.Quarantined = q.Count(p.Range.Kind)
	u.Held = new(big.Int).Sub(u.Size, u.Free)
	u.Utilisation, _ = new(big.Rat).SetFrac(u.Held, u.Size).Float64()
	u.Held.Sub(u.Held, u.Quarantined)
	return u, err
}

func quarantinedSet(list []Quarantined) inr.Set {
	var b inr.Builder
	for _, q := range list {
		b.Add(q.Range)
	}
	return b.Set()
}
