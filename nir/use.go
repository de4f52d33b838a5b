package nir

import (
	"cmp"
	"math/big"
	"slices"
	"time"

	"nirzone/nir/alloc"
	"nirzone/nir/inr"
)

// A WindowUse is what an NIR allocated of a kind, within its window and of late,
// beside the window (APNIC-103, section 3.2): a window is for one allocation at a
// time, so the sum may be more.
type WindowUse struct {
	NIR       string      `json:"nir"`
	Kind      inr.Kind    `json:"kind"`
	Window    Size        `json:"window"`
	Since     time.Time   `json:"since"`
	Requests  int         `json:"requests"`  // that were allocated within the window
	Opinions  int         `json:"opinions"`  // second opinion requests that came
	Allocated *big.Int    `json:"allocated"` // numbers, within the window
	Largest   Size        `json:"largest"`   // request among them, "" for none
	Members   []MemberUse `json:"members"`   // the one with the most first
}

// A MemberUse is the part of one member.
type MemberUse struct {
	UID       string   `json:"uid"`
	Requests  int      `json:"requests"`
	Allocated *big.Int `json:"allocated"`
	Percent   int      `json:"percent"` // of the window; above 100 is a notice (window-splitting)
}

// WindowUse returns the use of the windows of an NIR, or of all if the code is
// empty, over the days before at for which requests are summed up.
func (v *View) WindowUse(code string, at time.Time) ([]WindowUse, error) {
	list, err := v.Windows(code)
	if err != nil {
		return nil, err
	}
	since := at.AddDate(0, 0, -v.Rules.SplitDays)
	var all []WindowUse
	for _, w := range list {
		u, err := v.windowUse(&w, since, at)
		if err != nil {
			return nil, err
		}
		all = append(all, u)
	}
	return all, nil
}

func (v *View) windowUse(w *Window, since, at time.Time) (WindowUse, error) {
	u := WindowUse{NIR: w.NIR, Kind: w.Kind, Window: w.Size, Since: since, Allocated: new(big.Int)}
	members := map[string]*MemberUse{}
	err := requests.each(v, "nir = $1 AND kind = $2 AND submitted >= $3 AND submitted <= $4 ORDER BY submitted, id",
		[]any{w.NIR, w.Kind.String(), micros(since), micros(at)}, func(r *Request) error {
			u.count(r, members)
			return nil
		})
	total := w.Size.Count(w.Kind)
	for _, m := range members {
		share := new(big.Int).Mul(m.Allocated, big.NewInt(100))
		m.Percent = int(share.Div(share, total).Int64())
		u.Members = append(u.Members, *m)
	}
	slices.SortFunc(u.Members, func(a, b MemberUse) int {
		return cmp.Or(b.Allocated.Cmp(a.Allocated), cmp.Compare(a.UID, b.UID))
	})
	return u, err
}

func (u *WindowUse) count(r *Request, members map[string]*MemberUse) {
	if r.Act == SecondOpinionAct {
		u.Opinions++
		return
	}
	if r.State != Registered {
		return
	}
	n := r.Size.Count(r.Kind)
	u.Requests++
	u.Allocated.Add(u.Allocated, n)
	if u.Largest == "" || n.Cmp(u.Largest.Count(r.Kind)) > 0 {
		u.Largest = r.Size
	}
	m := members[r.UID]
	if m == nil {
		m = &MemberUse{UID: r.UID, Allocated: new(big.Int)}
		members[r.UID] = m
	}
	m.Requests++
	m.Allocated.Add(m.Allocated, n)
}

// Demands returns what was asked of a pool, in the order in which it came, for a
// simulation: a delegation that is part of no request counts as one.
func (v *View) Demands(pool string) ([]alloc.Demand, error) {
	var list []alloc.Demand
	at := map[string]int{}
	err := delegations.each(v, "pool = $1 AND level <> 'rir-nir' ORDER BY date, first", []any{pool}, func(d *Delegation) error {
		i, known := at[d.Request]
		if !known || d.Request == "" {
			i = len(list)
			at[d.Request] = i
			list = append(list, alloc.Demand{Member: d.Member, At: d.Date})
		}
		for b := range d.Range.Blocks() {
			list[i].Lengths = append(list[i].Lengths, b.Len)
		}
		return nil
	})
	for _, d := range list {
		slices.Sort(d.Lengths)
	}
	return list, err
}

// PolicyOf returns how a pool is filled.
func (v *View) PolicyOf(p *Pool) alloc.Policy { return v.Rules.policy(p) }
