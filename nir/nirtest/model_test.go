package nirtest

import (
	"slices"
	"time"
)

// The model of the policy: it knows APNIC-103 and nothing of package nir. Numbers
// are cells of a small world, kinds are 0 to 2. What of a pool is given it does not
// choose: it judges what was chosen.

// cellsOf are how many cells the world of a kind has.
const cellsOf = 64

type (
	modelNIR struct {
		source string
		active bool
		window [3]int // in cells; 0 for none
		option int    // of reverse DNS
		probed bool   // it was in probation once
		key    bool   // two persons confirmed one
	}
	modelPool struct {
		first, last int
		purpose     string // regional, nir-existing, reserved, quarantine
		nir         string
	}
	modelMember struct {
		in     map[string]string // registry → uid, while it is a member
		serves string            // registry that serves it
		served bool
	}
	modelAsk struct {
		nir, ref, uid string
		second        bool // a second opinion request
		kind, cells   int
		descr         string
	}
	modelRequest struct {
		ask   modelAsk
		state string
		held  []int // cells that it got
		id    string
		plan  modelPlan // that proposes to approve it, while it may be signed
	}
	modelPlan struct {
		hash    string
		expires time.Time
	}
	model struct {
		nirs     map[string]*modelNIR
		pools    [3][]modelPool
		members  map[string]int // registry/uid → member, for ever
		who      []*modelMember
		requests map[string]*modelRequest // registry/ref
		holder   [3][cellsOf]int          // member + 1
		manager  [3][cellsOf]string       // registry of what is held
		abroad   [3][cellsOf]bool         // another region claims it
		imported [3][cellsOf]bool         // it came by statistics
		dels     [3][]modelDel
		lines    []*modelLine // that are scheduled
		returns  []*modelReturn
		rests    []modelRest
		zones    map[string]*modelZone
		stale    []modelPlan // proposals that may not be signed any more
	}
)

func newModel() *model {
	return &model{nirs: map[string]*modelNIR{}, members: map[string]int{}, requests: map[string]*modelRequest{}, zones: map[string]*modelZone{}}
}

// addPool returns whether the pool may be: no other has a number of it.
func (m *model) addPool(kind int, p modelPool) bool {
	if p.purpose == "nir-existing" && m.nirs[p.nir] == nil {
		return false
	}
	for _, o := range m.pools[kind] {
		if p.first <= o.last && o.first <= p.last {
			return false
		}
	}
	for c := p.first; c <= p.last; c++ {
		if p.purpose == "nir-existing" && m.holder[kind][c] > 0 {
			return false // it is delegated already
		}
	}
	m.pools[kind] = append(m.pools[kind], p)
	return true
}

// member returns the member that a registry calls uid, and whether there is one.
func (m *model) member(registry, uid string) (int, bool) {
	i, ok := m.members[registry+"/"+uid]
	return i, ok
}

func (m *model) newMember(registry, uid string) int {
	m.who = append(m.who, &modelMember{in: map[string]string{registry: uid}, serves: registry, served: true})
	m.members[registry+"/"+uid] = len(m.who) - 1
	return len(m.who) - 1
}

// join returns whether a member may become one of a registry under a name. With
// what it is called there already, nothing happens.
func (m *model) join(i int, registry, uid string) bool {
	if registry != "" && m.nirs[registry] == nil {
		return false
	}
	if old, taken := m.member(registry, uid); taken && old != i {
		return false
	}
	w := m.who[i]
	if name := w.in[registry]; name != "" {
		return name == uid // it has one name there
	}
	w.in[registry] = uid
	m.members[registry+"/"+uid] = i
	if !w.served {
		w.serves, w.served = registry, true
	}
	return true
}

func (m *model) serve(i int, registry string) bool {
	w := m.who[i]
	if w.in[registry] == "" {
		return false
	}
	w.serves, w.served = registry, true
	return true
}

// leave returns whether a member may leave a registry: it holds nothing there.
func (m *model) leave(i int, registry string) bool {
	w := m.who[i]
	if w.in[registry] == "" {
		return false
	}
	for k := range 3 {
		for c := range cellsOf {
			if m.holder[k][c] == i+1 && m.manager[k][c] == registry {
				return false
			}
		}
	}
	delete(w.in, registry)
	if w.served && w.serves == registry {
		w.served, w.serves = false, ""
	}
	return true
}

// What may become of a request.
const (
	again    = "again"    // it was there: the same answer, no event
	conflict = "conflict" // the registry's state forbids it
	opinion  = "second-opinion-required"
	missing  = "not-found"
	waits    = "evaluating"
	given    = "registered"
	full     = "held"
)

// judge says what has to become of a request (sections 3.2.1, 3.2.2, 4.1).
func (m *model) judge(a modelAsk) string {
	if old := m.requests[a.nir+"/"+a.ref]; old != nil {
		if old.ask == a {
			return again
		}
		return conflict
	}
	if a.nir != "" {
		n := m.nirs[a.nir]
		switch {
		case n == nil:
			return missing
		case !n.active:
			return conflict
		case n.window[a.kind] == 0:
			return missing
		case a.cells > n.window[a.kind] && !a.second:
			return opinion
		case a.cells <= n.window[a.kind] && a.second:
			return conflict
		}
	}
	if !m.serves(a) {
		return conflict
	}
	switch {
	case a.second:
		return waits
	case m.room(a) == nil:
		return full
	}
	return given
}

// serves reports whether who asks may be given anything: an NIR that is active, for
// a member that nobody else serves.
func (m *model) serves(a modelAsk) bool {
	if n := m.nirs[a.nir]; a.nir != "" && (n == nil || !n.active) {
		return false
	}
	i, there := m.member(a.nir, a.uid)
	return !there || m.who[i].served && m.who[i].serves == a.nir
}

// sizes are the blocks of a number of cells, the largest first.
func sizes(cells int) (list []int) {
	for n := cellsOf; n >= 1; n /= 2 {
		if cells&n != 0 {
			list = append(list, n)
		}
	}
	return list
}

// poolsFor are the pools that a request may be met from: the NIR's own of old go
// first (section 3.5).
func (m *model) poolsFor(nir string, kind int) (list []modelPool) {
	for _, purpose := range []string{"nir-existing", "regional"} {
		for _, p := range m.pools[kind] {
			if p.purpose == purpose && (purpose == "regional" || p.nir == nir && nir != "") {
				list = append(list, p)
			}
		}
	}
	return list
}

// fits reports whether a pool has room for blocks: as many aligned free ones of
// each size are there as are wanted, since a larger one always costs the same
// number of smaller ones.
func (m *model) fits(kind int, p modelPool, blocks []int) bool {
	taken := m.holder[kind]
	for _, n := range blocks {
		at := slices.IndexFunc(starts(p, n), func(i int) bool { return empty(taken[i : i+n]) })
		if at < 0 {
			return false
		}
		first := starts(p, n)[at]
		for c := first; c < first+n; c++ {
			taken[c] = -1
		}
	}
	return true
}

// starts are where an aligned block of n cells may begin in a pool.
func starts(p modelPool, n int) (list []int) {
	for i := (p.first + n - 1) / n * n; i+n-1 <= p.last; i += n {
		list = append(list, i)
	}
	return list
}

func empty(cells []int) bool {
	return !slices.ContainsFunc(cells, func(c int) bool { return c != 0 })
}

// room returns the pools that have room for a request, of the purpose that goes
// first.
func (m *model) room(a modelAsk) (list []modelPool) {
	for _, p := range m.poolsFor(a.nir, a.kind) {
		if m.fits(a.kind, p, sizes(a.cells)) && (list == nil || list[0].purpose == p.purpose) {
			list = append(list, p)
		}
	}
	return list
}

// prefixes is the least number of prefixes that hold what a member has.
func (m *model) prefixes(kind, member int) (count int) {
	for i := 0; i < cellsOf; {
		n := 0
		for s := 1; s <= cellsOf && i%s == 0 && i+s <= cellsOf; s *= 2 {
			if slices.ContainsFunc(m.holder[kind][i:i+s], func(h int) bool { return h != member+1 }) {
				break
			}
			n = s
		}
		if n > 0 {
			count++
		}
		i += max(n, 1)
	}
	return count
}

// grows reports whether a block of n cells could go to a member out of a pool
// without one prefix more; reserved are the cells that are kept for others.
func (m *model) grows(kind, member, n int, p modelPool, reserved [cellsOf]bool) bool {
	before := m.prefixes(kind, member)
	for _, i := range starts(p, n) {
		if !empty(m.holder[kind][i:i+n]) || slices.Contains(reserved[i:i+n], true) {
			continue
		}
		saved := m.holder[kind]
		for c := i; c < i+n; c++ {
			m.holder[kind][c] = member + 1
		}
		after := m.prefixes(kind, member)
		m.holder[kind] = saved
		if after <= before {
			return true
		}
	}
	return false
}
