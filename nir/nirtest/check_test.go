package nirtest

import (
	"context"
	"slices"

	"pgregory.net/rapid"

	"nirzone/nir"
	"nirzone/nir/inr"
)

// What the machine compares after each act.

func (k *machine) view(fn func(*nir.View) error) {
	if err := k.db.View(context.Background(), fn); err != nil {
		k.t.Fatal(err)
	}
}

// check compares all of the registry with the model.
func (k *machine) check(t *rapid.T) {
	k.t = t
	a, err := k.db.VerifyAudit(context.Background())
	if err != nil || a.Events != int64(len(k.states)) {
		t.Fatalf("P7: %d events, there were %d: %v", a.Events, len(k.states), err)
	}
	k.view(func(v *nir.View) error {
		for kind := range kinds {
			if err := k.checkKind(v, kind); err != nil {
				return err
			}
		}
		for _, check := range []func(*nir.View) error{k.checkRequests, k.checkClaims, k.checkAggregates, k.checkZones, k.checkMembers, k.checkItself, k.checkPublic} {
			if err := check(v); err != nil {
				return err
			}
		}
		return nil
	})
}

// A landed is what the registry says of every cell of a kind.
type landed struct{ free, toNIR, toMember [cellsOf]string }

// land reads it, and finds what is there twice (P1) and what is no part of what its
// NIR has (P8).
func (k *machine) land(v *nir.View, kind int) (l landed, err error) {
	put := func(where *[cellsOf]string, r inr.Range, what string) {
		first, last := cells(k.t, kind, r)
		for c := first; c <= last; c++ {
			if where[c] != "" {
				k.t.Fatalf("P1: cell %d is there twice: %s, %s", c, where[c], what)
			}
			where[c] = what
		}
	}
	list, err := v.Pools()
	if err != nil {
		return l, err
	}
	for _, p := range list {
		if p.Range.Kind != kinds[kind].kind {
			continue
		}
		blocks, err := v.FreeBlocks(p.ID)
		if err != nil {
			return l, err
		}
		for _, f := range blocks {
			put(&l.free, f.Range, "free of "+p.Range.String())
		}
	}
	above := map[string]nir.Delegation{}
	var members []nir.Delegation
	err = v.EachDelegation(func(d *nir.Delegation) error {
		switch {
		case d.Range.Kind != kinds[kind].kind:
		case d.Level == nir.RIRToNIR:
			above[d.ID] = *d
			put(&l.toNIR, d.Range, d.NIR)
		default:
			members = append(members, *d)
			put(&l.toMember, d.Range, d.Member)
		}
		return nil
	})
	for _, d := range members {
		p, ok := above[d.Parent]
		if (d.Level == nir.NIRToMember) != ok || ok && (!p.Range.Contains(d.Range) || p.NIR != d.NIR) {
			k.t.Fatalf("P8: %+v is not part of what its NIR has: %+v", d, p)
		}
	}
	return l, err
}

// checkKind: P1, P3, P8 and P9 for a kind. Free is what is in a pool and neither
// held nor in quarantine; what is held has one holder and one manager, and an NIR's
// existing pool is the NIR's.
func (k *machine) checkKind(v *nir.View, kind int) error {
	l, err := k.land(v, kind)
	for c := range cellsOf {
		p, in := k.m.poolAt(kind, c)
		h := k.m.holder[kind][c]
		holder := ""
		if h > 0 {
			holder = k.idOf(h - 1)
		}
		switch {
		case (l.free[c] != "") != (in && h == 0):
			k.t.Fatalf("P3: cell %d of %s: free %q, the model's pool is %+v, its holder %d", c, kinds[kind].kind, l.free[c], p, h)
		case l.toMember[c] != holder:
			k.t.Fatalf("P3: cell %d of %s is held by %q, not by %q", c, kinds[kind].kind, l.toMember[c], holder)
		case l.toNIR[c] != k.over(kind, c):
			k.t.Fatalf("P9: cell %d of %s is managed by %q, not by %q", c, kinds[kind].kind, l.toNIR[c], k.over(kind, c))
		}
	}
	return err
}

// over is the NIR that a cell is delegated to, "" for none.
func (k *machine) over(kind, c int) string {
	if p, in := k.m.poolAt(kind, c); in && p.nir != "" {
		return p.nir
	}
	return k.m.manager[kind][c]
}

// checkClaims: P9. One registry may speak for an address: its manager; for what is
// free and for quarantine the regional one.
func (k *machine) checkClaims(v *nir.View) error {
	list, err := v.Claims(nil)
	var got [2][cellsOf]string
	for _, claim := range list {
		b, err := inr.FromPrefix(claim.Prefix)
		if err != nil {
			return err
		}
		kind := slices.IndexFunc(kinds[:], func(k struct {
			kind  inr.Kind
			first inr.Num
			bits  int
		},
		) bool {
			return k.kind == b.Kind
		})
		first, last := cells(k.t, kind, b.Range())
		for c := first; c <= last; c++ {
			got[kind][c] += claim.Source
		}
	}
	for kind := range got {
		for c := range cellsOf {
			_, in := k.m.poolAt(kind, c)
			want := k.over(kind, c)
			switch {
			case want != "":
			case in || k.m.holder[kind][c] > 0:
				want = "APNIC"
			case k.m.abroad[kind][c]:
				want = abroad
			}
			if got[kind][c] != want {
				k.t.Fatalf("P9: cell %d of %s is claimed by %q, it has to be %q", c, kinds[kind].kind, got[kind][c], want)
			}
		}
	}
	return err
}

// checkAggregates: P11. What a member's delegations under one registry add up to:
// the same cells, and no cover is smaller.
func (k *machine) checkAggregates(v *nir.View) error {
	for i := range k.m.who {
		list, err := v.Aggregates(k.idOf(i))
		if err != nil {
			return err
		}
		for kind := range kinds {
			for _, registry := range []string{"", "AANIC", "BBNIC"} {
				var got, want [cellsOf]bool
				n := 0
				for _, a := range list {
					if a.NIR != registry || a.Range.Kind != kinds[kind].kind {
						continue
					}
					n++
					first, last := cells(k.t, kind, a.Range)
					for c := first; c <= last; c++ {
						if got[c] {
							k.t.Fatalf("P11: aggregates overlap at cell %d", c)
						}
						got[c] = true
					}
				}
				for c := range cellsOf {
					want[c] = k.m.held(kind, c, c, i, registry)
				}
				if got != want || n != leastCover(kind, want[:]) {
					k.t.Fatalf("P11: %d aggregates of member %d under %q: %v, not %d of %v", n, i, registry, got, leastCover(kind, want[:]), want)
				}
			}
		}
	}
	return nil
}

// leastCover counts the prefixes that cells make, by halving; of ASNs, the runs.
func leastCover(kind int, set []bool) int {
	switch {
	case !slices.Contains(set, true):
		return 0
	case kind == 2:
		n := 0
		for i, in := range set {
			if in && (i == 0 || !set[i-1]) {
				n++
			}
		}
		return n
	case !slices.Contains(set, false):
		return 1
	}
	return leastCover(kind, set[:len(set)/2]) + leastCover(kind, set[len(set)/2:])
}

// checkMembers: a member has one name in a registry, and one registry serves it.
func (k *machine) checkMembers(v *nir.View) error {
	for i, w := range k.m.who {
		list, err := v.Memberships(k.idOf(i))
		if err != nil {
			return err
		}
		in, serves := map[string]string{}, 0
		for _, s := range list {
			if !s.Ended.IsZero() {
				continue
			}
			if in[s.NIR] != "" {
				k.t.Fatalf("member %d is in %q twice", i, s.NIR)
			}
			in[s.NIR] = s.UID
			if s.Serves {
				serves++
			}
			if s.Serves != (w.served && w.serves == s.NIR) {
				k.t.Fatalf("member %d is served by %q: %t; the model says %t by %q", i, s.NIR, s.Serves, w.served, w.serves)
			}
		}
		for _, registry := range []string{"", "AANIC", "BBNIC"} {
			if in[registry] != w.in[registry] {
				k.t.Fatalf("member %d is %q in %q, it has to be %q", i, in[registry], registry, w.in[registry])
			}
		}
		if served := map[bool]int{false: 0, true: 1}[w.served]; serves != served {
			k.t.Fatalf("member %d is served by %d registries, it has to be %d", i, serves, served)
		}
	}
	return nil
}

// checkItself: what the registry says of its own soundness.
func (k *machine) checkItself(v *nir.View) error {
	for _, check := range []func() ([]nir.Fault, error){v.CheckPools, v.CheckDelegations} {
		if f, err := check(); err != nil || len(f) > 0 {
			k.t.Fatalf("the registry finds %+v, %v", f, err)
		}
	}
	return nil
}

// checkRequests: what is registered is what was answered.
func (k *machine) checkRequests(v *nir.View) error {
	list, err := v.Requests("", "")
	if len(list) != len(k.m.requests) {
		k.t.Fatalf("%d requests, not %d", len(list), len(k.m.requests))
	}
	for _, r := range list {
		m := k.m.requests[r.NIR+"/"+r.Ref]
		if m == nil || m.state != r.State || !slices.Equal(k.cellsOf(m.ask.kind, r.Ranges), m.held) {
			k.t.Fatalf("P6: request %+v, not %+v", r, m)
		}
	}
	return err
}
