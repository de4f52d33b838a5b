package nirtest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/bits"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirzone/fixtures/peers"
	"nirzone/nir"
	"nirzone/nir/inr"
)

// kinds are the worlds: where they begin, how many bits a cell has.
var kinds = [3]struct {
	kind  inr.Kind
	first inr.Num
	bits  int
}{
	{inr.IPv4, inr.N(0x01000000), 4},                // 1.0.0.0/22, /28 each
	{inr.IPv6, inr.Num{Hi: 0x2400 << 48}, 128 - 36}, // 2400::/30, /36 each
	{inr.ASN, inr.N(131072), 0},                     // AS131072 and on
}

func cellNum(kind, c int) inr.Num {
	n := kinds[kind].first
	if b := kinds[kind].bits; b >= 64 {
		n.Hi += uint64(c) << (b - 64)
	} else {
		n.Lo += uint64(c) << b
	}
	return n
}

func cellRange(kind, first, last int) inr.Range {
	return inr.Range{Kind: kinds[kind].kind, First: cellNum(kind, first), Last: cellNum(kind, last+1).Prev()}
}

// cells are the first and last cell of a range.
func cells(t *rapid.T, kind int, r inr.Range) (first, last int) {
	at := func(n inr.Num) int {
		d := n.Sub(kinds[kind].first)
		if b := kinds[kind].bits; b >= 64 {
			return int(d.Hi >> (b - 64))
		}
		return int(d.Lo >> kinds[kind].bits)
	}
	first, last = at(r.First), at(r.Last)
	if r.Kind != kinds[kind].kind || first < 0 || last >= cellsOf || r != cellRange(kind, first, last) {
		t.Fatalf("%s is not of this world", r)
	}
	return first, last
}

// sizeOf writes a number of cells as a size.
func sizeOf(kind, cells int) nir.Size {
	k := kinds[kind]
	switch {
	case k.kind == inr.ASN:
		return nir.Size(fmt.Sprint(cells))
	case bits.OnesCount(uint(cells)) == 1:
		return nir.Size(fmt.Sprint("/", k.kind.Bits()-k.bits-bits.TrailingZeros(uint(cells))))
	}
	return nir.Size(fmt.Sprint(cells << k.bits))
}

// A machine changes a registry and its model together.
type machine struct {
	t      *rapid.T
	db     *nir.DB
	m      *model
	at     time.Time
	states []state // after each event
	times  []time.Time
	ids    map[string]string // of members: registry/uid
	asked  []modelAsk
	names  int
	tally  map[string]int // of what became of requests

	signatures map[string]string // by whose they are and the proposal
}

// do runs an act and judges it: refused it has changed nothing, done it is one
// event, or none.
func (k *machine) do(a nir.Actor, want string, fn func(*nir.Tx) error) {
	var before state
	if len(k.states) > 0 {
		before = k.states[len(k.states)-1]
	}
	err := k.db.Update(context.Background(), a, fn)
	var e *nir.Error
	if err != nil && !errors.As(err, &e) {
		k.t.Fatalf("a refusal that is none: %v", err)
	}
	if got := string(nir.CodeOf(err)); got != want && (want != refusal || got == "") {
		k.t.Fatalf("%s: %v, it has to be %q", a.Name, err, want)
	}
	if err == nil {
		k.noticed(1)
		return
	}
	if d := k.now().diff(before); d != "" {
		k.t.Fatalf("P5: refused with %v, something changed:\n%s", err, d)
	}
}

// noticed remembers the state that events led to: at most so many, of one time;
// any number if most is negative.
func (k *machine) noticed(most int) {
	var events int64
	k.view(func(v *nir.View) (err error) {
		events, err = v.Event()
		return err
	})
	n := int(events) - len(k.states)
	if n < 0 || most >= 0 && n > most {
		k.t.Fatalf("P7: %d events, %d before", events, len(k.states))
	}
	after := k.now()
	if d := ""; n == 0 && len(k.states) > 0 {
		if d = after.diff(k.states[len(k.states)-1]); d != "" {
			k.t.Fatalf("P7: without an event something changed:\n%s", d)
		}
	}
	for range n {
		k.states, k.times = append(k.states, after), append(k.times, k.at)
	}
}

func (k *machine) now() (s state) {
	err := k.db.View(context.Background(), func(v *nir.View) (err error) {
		s, err = stateOf(v)
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return s
}

func (k *machine) code() string {
	return rapid.SampledFrom([]string{"AANIC", "BBNIC"}).Draw(k.t, "nir")
}

// registry is an NIR or, sometimes, the regional registry itself.
func (k *machine) registry() string {
	if rapid.IntRange(0, 4).Draw(k.t, "direct") == 0 {
		return ""
	}
	return k.code()
}

func (k *machine) kind() int { return rapid.IntRange(0, 2).Draw(k.t, "kind") }

func (k *machine) uid() string {
	return rapid.SampledFrom([]string{canary + "-1", canary + "-1", canary + "-1", canary + "-2"}).Draw(k.t, "uid")
}

func (k *machine) putNIR(*rapid.T) {
	code, active := k.code(), rapid.IntRange(0, 5).Draw(k.t, "active") > 0
	source := rapid.SampledFrom([]string{code, code, code, "SHARED"}).Draw(k.t, "source")
	want := ""
	for other, n := range k.m.nirs {
		if other != code && n.source == source {
			want = string(nir.Conflict)
		}
	}
	n := nir.NIR{Code: code, Name: code, Economy: economyOf[code], Source: source, Mntner: "MAINT-" + code, Option: k.m.nirs[code].option, State: nir.Active}
	if !active {
		n.State = nir.Probation
	}
	k.do(admin(k.at), want, func(x *nir.Tx) error {
		if old, err := x.NIR(code); err == nil {
			n.Row = old.Row
		}
		_, err := x.PutNIR(n)
		return err
	})
	if want == "" {
		n := k.m.nirs[code]
		n.source, n.active, n.probed = source, active, n.probed || !active
	}
}

func (k *machine) setWindow(*rapid.T) {
	code, kind := k.code(), k.kind()
	n := rapid.SampledFrom([]int{1, 2, 4, 8, 16}).Draw(k.t, "window")
	want := ""
	if k.m.nirs[code] == nil {
		want = missing
	}
	k.do(admin(k.at), want, func(x *nir.Tx) error {
		_, err := x.SetWindow(code, kinds[kind].kind, sizeOf(kind, n), "test")
		return err
	})
	if want == "" {
		k.m.nirs[code].window[kind] = n
	}
}

func (k *machine) addPool(*rapid.T) {
	kind := k.kind()
	n := rapid.SampledFrom([]int{4, 8, 12, 16, 32}).Draw(k.t, "cells")
	p := modelPool{first: 4 * rapid.IntRange(0, (cellsOf-n)/4).Draw(k.t, "first"), purpose: rapid.SampledFrom([]string{"regional", "regional", "regional", "nir-existing", "reserved", "quarantine"}).Draw(k.t, "purpose")}
	p.last = p.first + n - 1
	if p.purpose == "nir-existing" {
		p.nir = k.code()
	}
	want := ""
	if p.nir != "" && k.m.nirs[p.nir] == nil {
		want = missing
	} else if !k.m.addPool(kind, p) {
		want = conflict
	}
	k.do(admin(k.at), want, func(x *nir.Tx) error {
		_, err := x.AddPool(nir.Pool{Range: cellRange(kind, p.first, p.last), Purpose: nir.Purpose(p.purpose), NIR: p.nir})
		return err
	})
}

// ask draws a request: a new one, an old one, or an old one altered.
func (k *machine) ask() modelAsk {
	if len(k.asked) > 0 && rapid.IntRange(0, 3).Draw(k.t, "old") == 0 {
		a := k.asked[rapid.IntRange(0, len(k.asked)-1).Draw(k.t, "which")]
		if rapid.IntRange(0, 2).Draw(k.t, "altered") == 0 {
			a.descr += "!"
		}
		return a
	}
	k.names++
	a := modelAsk{nir: k.registry(), ref: fmt.Sprint(canary, "-r", k.names), uid: k.uid(), kind: k.kind()}
	a.cells = rapid.SampledFrom([]int{1, 1, 2, 3, 4, 5, 8, 8, 16}).Draw(k.t, "size")
	if kinds[a.kind].kind == inr.IPv6 {
		a.cells = 1 << rapid.IntRange(0, 4).Draw(k.t, "size6")
	}
	if n := k.m.nirs[a.nir]; n != nil && a.cells > n.window[a.kind] && rapid.IntRange(0, 2).Draw(k.t, "above") > 0 {
		a.second = true
	} else if rapid.IntRange(0, 9).Draw(k.t, "askew") == 0 {
		a.second = rapid.Bool().Draw(k.t, "second")
	}
	return a
}

func (a modelAsk) real() nir.Ask {
	r := nir.Request{
		NIR: a.nir, Ref: a.ref, Act: nir.Allocation, Kind: kinds[a.kind].kind, Size: sizeOf(a.kind, a.cells), Type: "allocation", UID: a.uid,
		Netname: "EXAMPLE-NET", Descr: a.descr, Economy: "JP", AdminC: "AA1-JP", TechC: "TT1-JP", Attested: true,
	}
	if a.second {
		r.Act, r.Justification, r.Assessment = nir.SecondOpinionAct, canary+": because", canary+": it is so"
	}
	return nir.Ask{Request: r, Who: nir.Member{Name: "Example", Economy: "JP", AdminC: "AA1-JP", TechC: "TT1-JP"}}
}

func (k *machine) submit(*rapid.T) {
	a := k.ask()
	verdict := k.m.judge(a)
	k.tally[verdict]++
	rooms := k.m.room(a)
	reserved := k.reservations(a)
	want := verdict
	if slices.Contains([]string{again, waits, given, full}, verdict) {
		want = ""
	}
	if want == "" && rapid.IntRange(0, 4).Draw(k.t, "try") == 0 {
		k.try(a)
	}
	events := len(k.states)
	var r nir.Request
	k.do(admin(k.at), want, func(x *nir.Tx) (err error) {
		r, err = x.Submit(a.real())
		return err
	})
	if want != "" {
		return
	}
	if verdict == again {
		old := k.m.requests[a.nir+"/"+a.ref]
		if len(k.states) != events || r.State != old.state || !slices.Equal(k.cellsOf(a.kind, r.Ranges), old.held) {
			k.t.Fatalf("P6: the same request again: %+v, before %+v", r, old)
		}
		return
	}
	if r.State != verdict {
		k.t.Fatalf("P4: %+v is %s, it has to be %s", a, r.State, verdict)
	}
	k.asked = append(k.asked, a)
	i, there := k.m.member(a.nir, a.uid)
	if !there {
		i = k.m.newMember(a.nir, a.uid)
	}
	k.ids[a.nir+"/"+a.uid] = r.Member
	held := k.cellsOf(a.kind, r.Ranges)
	k.m.requests[a.nir+"/"+a.ref] = &modelRequest{ask: a, state: r.State, held: held, id: r.ID}
	if verdict == given {
		k.hand(a, i, r, rooms, reserved)
	}
}

// hand judges what a request was given, and gives it in the model.
func (k *machine) hand(a modelAsk, member int, r nir.Request, rooms []modelPool, reserved map[int][cellsOf]bool) {
	var got []int
	before := k.m.prefixes(a.kind, member)
	var from *modelPool
	for _, rng := range r.Ranges {
		first, last := cells(k.t, a.kind, rng)
		n := last - first + 1
		got = append(got, n)
		if bits.OnesCount(uint(n)) != 1 || first%n != 0 {
			k.t.Fatalf("P2: %s is not aligned", rng)
		}
		at := slices.IndexFunc(rooms, func(p modelPool) bool { return p.first <= first && last <= p.last })
		if at < 0 || from != nil && *from != rooms[at] {
			k.t.Fatalf("P2: %s is not of one pool that the request may be met from: %v", rng, rooms)
		}
		from = &rooms[at]
		if !empty(k.m.holder[a.kind][first : last+1]) {
			k.t.Fatalf("P1: %s is held already", rng)
		}
	}
	slices.SortFunc(got, func(a, b int) int { return b - a })
	if !slices.Equal(got, sizes(a.cells)) {
		k.t.Fatalf("%d cells were given as %v", a.cells, got)
	}
	could := kinds[a.kind].kind != inr.ASN && len(got) == 1 && k.m.grows(a.kind, member, got[0], *from, reserved[member])
	for _, rng := range r.Ranges {
		first, last := cells(k.t, a.kind, rng)
		for c := first; c <= last; c++ {
			k.m.holder[a.kind][c], k.m.manager[a.kind][c] = member+1, a.nir
		}
		d := modelDel{first, last, a.nir}
		k.m.dels[a.kind] = append(k.m.dels[a.kind], d)
		k.m.describe(a.kind, d)
	}
	if could {
		k.tally["grown"]++
	}
	if after := k.m.prefixes(a.kind, member); could && after > before {
		k.t.Fatalf("P10: %s makes %d prefixes of %d, though there was a block that does not", r.Ranges[0], after, before)
	}
}

// reservations are, for each member, the cells of a kind that are kept for others,
// as the registry has it: a hint that no rule of the policy knows.
func (k *machine) reservations(a modelAsk) map[int][cellsOf]bool {
	kept := map[int][cellsOf]bool{}
	err := k.db.View(context.Background(), func(v *nir.View) error {
		list, err := v.Pools()
		for _, p := range list {
			if p.Range.Kind != kinds[a.kind].kind {
				continue
			}
			free, err := v.FreeBlocks(p.ID)
			if err != nil {
				return err
			}
			for _, f := range free {
				first, last := cells(k.t, a.kind, f.Range)
				for i := range len(k.m.who) + 1 {
					mine := f.Member == "" || i < len(k.m.who) && f.Member == k.idOf(i)
					of := kept[i]
					for c := first; c <= last; c++ {
						of[c] = of[c] || !mine
					}
					kept[i] = of
				}
			}
		}
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return kept
}

// idOf is the registry's identifier of a member.
func (k *machine) idOf(member int) string {
	for name, i := range k.m.members {
		if i == member && k.ids[name] != "" {
			return k.ids[name]
		}
	}
	return "?"
}

func (k *machine) cellsOf(kind int, ranges []inr.Range) (list []int) {
	for _, r := range ranges {
		first, last := cells(k.t, kind, r)
		for c := first; c <= last; c++ {
			list = append(list, c)
		}
	}
	return list
}

// try sends a request that is taken back, and one whose event fails at its end.
func (k *machine) try(a modelAsk) {
	before := k.now()
	late := func(end error) func(x *nir.Tx) error {
		return func(x *nir.Tx) error {
			if _, err := x.Submit(a.real()); err != nil {
				return err
			}
			return end
		}
	}
	if _, err := k.db.Try(context.Background(), admin(k.at), late(nil)); err != nil {
		k.t.Fatal(err)
	}
	if err := k.db.Update(context.Background(), admin(k.at), late(errLater)); !errors.Is(err, errLater) {
		k.t.Fatal(err)
	}
	if d := k.now().diff(before); d != "" {
		k.t.Fatalf("P5: what was tried is there:\n%s", d)
	}
}

// someMember draws a member by a name that it has, or had.
func (k *machine) someMember() (int, string) {
	var names []string
	for name := range k.ids {
		names = append(names, name)
	}
	if len(names) == 0 {
		k.t.Skip("no member")
	}
	slices.Sort(names)
	name := rapid.SampledFrom(names).Draw(k.t, "member")
	return k.m.members[name], k.ids[name]
}

func (k *machine) join(*rapid.T) {
	i, id := k.someMember()
	registry, uid := k.registry(), k.uid()
	want := ""
	if registry != "" && k.m.nirs[registry] == nil {
		want = missing
	} else if !k.m.join(i, registry, uid) {
		want = conflict
	}
	k.do(admin(k.at), want, func(x *nir.Tx) error {
		_, err := x.Join(id, registry, uid)
		return err
	})
	if want == "" {
		k.ids[registry+"/"+uid] = id
	}
}

func (k *machine) serve(*rapid.T) {
	i, id := k.someMember()
	registry := k.registry()
	want := ""
	if !k.m.serve(i, registry) {
		want = conflict
	}
	k.do(admin(k.at), want, func(x *nir.Tx) error { return x.Serve(id, registry) })
}

func (k *machine) leave(*rapid.T) {
	i, id := k.someMember()
	registry := k.registry()
	was := k.m.who[i].in[registry] != ""
	want := ""
	switch {
	case k.m.leave(i, registry):
	case was:
		want = conflict
	default:
		want = missing
	}
	k.do(admin(k.at), want, func(x *nir.Tx) error { return x.Leave(id, registry) })
}

// later moves the time on; sometimes the next event has the time of the last.
func (k *machine) later(*rapid.T) {
	k.at = k.at.Add(time.Duration(rapid.IntRange(0, 3).Draw(k.t, "days")) * 24 * time.Hour)
}

// history compares a past state with what was then, and with the events up to
// then, replayed.
func (k *machine) history(*rapid.T) {
	if len(k.states) == 0 {
		k.t.Skip("no event")
	}
	i := rapid.IntRange(0, len(k.states)-1).Draw(k.t, "event")
	for i+1 < len(k.times) && k.times[i+1].Equal(k.times[i]) {
		i++ // a time is a state: that of its last event
	}
	err := k.db.AsOf(context.Background(), k.times[i], func(v *nir.View) error {
		then, err := stateOf(v)
		if err != nil {
			return err
		}
		if d := then.diff(k.states[i]); d != "" {
			k.t.Fatalf("P7: as of event %d:\n%s", i+1, d)
		}
		back, err := replayed(v, int64(i+1))
		if d := back.diff(then); d != "" {
			k.t.Fatalf("P7: replayed to event %d:\n%s", i+1, d)
		}
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

// properties plays a number of worlds. NIRZONE_CHECKS says how many instead.
func properties(t *testing.T, s Storage, worlds int) {
	if n := os.Getenv("NIRZONE_CHECKS"); n != "" {
		if _, err := fmt.Sscan(n, &worlds); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(flag.Set("rapid.checks", fmt.Sprint(worlds)), flag.Set("rapid.steps", "70"), flag.Set("rapid.nofailfile", "true"), flag.Set("rapid.shrinktime", "5s")); err != nil {
		t.Fatal(err)
	}
	tally := map[string]int{}
	rapid.Check(t, func(r *rapid.T) {
		db, err := nir.Open(context.Background(), s.Connect(t, s.New(t)), s.Dialect, machineOptions(t))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		k := &machine{t: r, db: db, m: newModel(), at: day, ids: map[string]string{}, tally: tally, signatures: map[string]string{}}
		k.furnish()
		act := func(fn func(*rapid.T)) func(*rapid.T) {
			return func(r *rapid.T) {
				k.t = r
				fn(r)
			}
		}
		r.Repeat(map[string]func(*rapid.T){
			"": k.check, "NIR": act(k.putNIR), "window": act(k.setWindow), "pool": act(k.addPool),
			"submit": act(k.submit), "submit2": act(k.submit), "submit3": act(k.submit), "submit4": act(k.submit), "submit5": act(k.submit),
			"submit6": act(k.submit), "submit7": act(k.submit), "submit8": act(k.submit),
			"join": act(k.join), "serve": act(k.serve), "leave": act(k.leave), "later": act(k.later), "history": act(k.history),
			"transfer": act(k.transfer), "transfer2": act(k.transfer), "transfer3": act(k.transfer), "run": act(k.run), "run2": act(k.run), "cancel": act(k.cancel),
			"return": act(k.giveBack), "settle": act(k.settleReturn), "step": act(k.step), "step2": act(k.step), "replay": act(k.replay),
			"import": act(k.bring), "key": act(k.confirmKey), "option": act(k.switchOption), "zone": act(k.zone), "zone2": act(k.zone),
		})
	})
	t.Logf("what happened: %v", tally)
	acts := []string{again, conflict, opinion, waits, given, "moved", "transfer refused", "cancelled", "returned", "import", "switch", "zone"}
	for _, what := range acts {
		if worlds >= 32 && tally[what] == 0 {
			t.Errorf("nothing was %s", what)
		}
	}
}

// furnish makes a world in which most requests can be met.
func (k *machine) furnish() {
	for _, code := range []string{"AANIC", "BBNIC"} {
		k.do(admin(k.at), "", func(x *nir.Tx) error {
			_, err := x.PutNIR(nir.NIR{Code: code, Name: code, Economy: economyOf[code], Source: code, Mntner: "MAINT-" + code, Option: 1})
			for kind := range kinds {
				_, werr := x.SetWindow(code, kinds[kind].kind, sizeOf(kind, 4), "first")
				err = errors.Join(err, werr)
			}
			return err
		})
		k.m.nirs[code] = &modelNIR{source: code, active: true, window: [3]int{4, 4, 4}, option: 1}
	}
	for i := range 2 * len(kinds) { // two of each kind, so that the first is full and the other not
		kind := i / 2
		p := modelPool{first: 56 * (i % 2), last: 56*(i%2) + 7, purpose: "regional"}
		k.m.addPool(kind, p)
		k.do(admin(k.at), "", func(x *nir.Tx) error {
			_, err := x.AddPool(nir.Pool{Range: cellRange(kind, p.first, p.last), Purpose: nir.Regional})
			return err
		})
	}
}

func TestProperties(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { properties(t, sqlite, peers.Rounds(32)) })
	t.Run("postgres", func(t *testing.T) { properties(t, postgres(t), peers.Rounds(8)) })
}
