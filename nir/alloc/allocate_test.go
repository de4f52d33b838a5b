package alloc

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

func mustBlock(s string) inr.Block {
	b, err := inr.ParseBlock(s)
	if err != nil {
		panic(err)
	}
	return b
}

// memoryOf returns a pool with these free blocks: "10.0.0.0/24" unreserved, or
// "10.0.0.0/24 member day" and, where it expires, "10.0.0.0/24 member day day".
func memoryOf(t *testing.T, rows ...string) *Memory {
	t.Helper()
	m := &Memory{}
	var c Choice
	for _, row := range rows {
		f := strings.Fields(row)
		free := Free{Block: mustBlock(f[0])}
		if len(f) > 1 {
			free.Member, free.Since = f[1], day(f[2])
		}
		if len(f) > 3 {
			free.Expires = day(f[3])
		}
		c.Added = append(c.Added, free)
	}
	if err := m.Apply(c); err != nil {
		t.Fatal(err)
	}
	return m
}

func day(s string) time.Time {
	d, err := time.Parse("2006-01-02", "2026-01-"+s)
	if err != nil {
		panic(err)
	}
	return d
}

// describe writes what is free, and of a choice what it did.
func describe(c Choice) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:", c.Step)
	for _, p := range c.Parts {
		fmt.Fprintf(&b, " %s", p.Block)
	}
	for _, n := range c.Notices {
		fmt.Fprintf(&b, "; %s loses %s", n.Member, n.Block)
	}
	return b.String()
}

func describeFree(all []Free) string {
	var out []string
	for _, f := range all {
		s := f.Block.String()
		if f.Reserved() {
			s += " " + f.Member
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func TestAllocate(t *testing.T) {
	soft2, sparse8 := Policy{Strategy: Soft, Factor: 2}, Policy{Strategy: Sparse, Factor: 8}
	for _, c := range []struct {
		name   string
		free   []string
		held   string
		policy Policy
		ask    []int
		want   string
		left   string
	}{
		{"grow into what is reserved, not the lowest", []string{"1.0.0.0/24", "1.0.3.0/24 m 02"}, "1.0.1.0/24, 1.0.2.0/24", soft2, []int{24}, "grow: 1.0.3.0/24", "1.0.0.0/24"},
		{"grow into the lowest", []string{"1.0.0.0/24", "1.0.3.0/24"}, "1.0.1.0/24, 1.0.2.0/24", soft2, []int{24}, "grow: 1.0.0.0/24", "1.0.3.0/24"},
		{"not into what is another's", []string{"1.0.1.0/24 x 01", "1.0.4.0/23"}, "1.0.0.0/24", soft2, []int{24}, "reserve: 1.0.4.0/24", "1.0.1.0/24 x, 1.0.5.0/24 m"},
		{"not into part of what is held", []string{"1.0.2.0/23", "1.0.5.0/24"}, "1.0.0.0/23", soft2, []int{24}, "reserve: 1.0.2.0/24", "1.0.3.0/24 m, 1.0.5.0/24"},
		{"grow into a part of a larger block", []string{"1.0.4.0/22"}, "1.0.0.0/22", soft2, []int{22}, "grow: 1.0.4.0/22", ""},
		{"grow into pieces that are one's own", []string{"1.0.2.0/24 m 01", "1.0.3.0/24"}, "1.0.0.0/23", soft2, []int{23}, "grow: 1.0.2.0/23", ""},
		{"reserve in the smallest that holds twice", []string{"1.0.0.0/16", "2.0.0.0/22", "3.0.0.0/24"}, "", soft2, []int{24}, "reserve: 2.0.0.0/24", "1.0.0.0/16, 2.0.1.0/24 m, 2.0.2.0/23, 3.0.0.0/24"},
		{"fit", []string{"1.0.0.0/24", "3.0.0.0/24", "2.0.0.0/23 x 01"}, "", soft2, []int{24}, "fit: 1.0.0.0/24", "2.0.0.0/23 x, 3.0.0.0/24"},
		{"without reservations", []string{"1.0.0.0/16", "2.0.0.0/22"}, "", Policy{Strategy: Soft, Factor: 1}, []int{24}, "fit: 2.0.0.0/24", "1.0.0.0/16, 2.0.1.0/24, 2.0.2.0/23"},
		{"the oldest reservation, at its end", []string{"1.0.0.0/23 x 03", "2.0.0.0/23 y 02", "3.0.0.0/23 z 04"}, "", soft2, []int{24}, "cannibalise: 2.0.1.0/24; y loses 2.0.1.0/24", "1.0.0.0/23 x, 2.0.0.0/24 y, 3.0.0.0/23 z"},
		{"what expired before what is old", []string{"1.0.0.0/24 x 02", "2.0.0.0/24 y 03 04"}, "", soft2, []int{24}, "cannibalise: 2.0.0.0/24; y loses 2.0.0.0/24", "1.0.0.0/24 x"},
		{"one's own before others'", []string{"1.0.0.0/24 x 02", "2.0.0.0/24 m 03"}, "", soft2, []int{24}, "cannibalise: 2.0.0.0/24", "1.0.0.0/24 x"},
		{"the largest block of a reservation", []string{"1.0.1.0/24 x 02", "1.0.2.0/23 x 02"}, "", soft2, []int{24}, "cannibalise: 1.0.3.0/24; x loses 1.0.3.0/24", "1.0.1.0/24 x, 1.0.2.0/24 x"},
		{"put together, the youngest oldest", []string{"1.0.0.0/24 x 02", "1.0.1.0/24 y 09", "2.0.0.0/24 x 03", "2.0.1.0/24 z 04", "3.0.0.0/24 x 01"}, "", soft2, []int{23}, "cannibalise: 2.0.0.0/23; x loses 2.0.0.0/24; z loses 2.0.1.0/24", "1.0.0.0/24 x, 1.0.1.0/24 y, 3.0.0.0/24 x"},
		{"put together with what is unreserved", []string{"1.0.0.0/24 x 02", "1.0.1.0/24"}, "", soft2, []int{23}, "cannibalise: 1.0.0.0/23; x loses 1.0.0.0/24", ""},
		{"exhausted, though there is space", []string{"1.0.1.0/24", "1.0.2.0/24"}, "", soft2, []int{23}, "exhausted:", "1.0.1.0/24, 1.0.2.0/24"},
		{"all or nothing", []string{"1.0.0.0/23"}, "", soft2, []int{23, 24}, "exhausted:", "1.0.0.0/23"},
		{"three /24 in one range", []string{"1.0.0.0/16"}, "", soft2, []int{23, 24}, "reserve: 1.0.0.0/23 1.0.2.0/24", "1.0.3.0/24 m, 1.0.4.0/22, 1.0.8.0/21, 1.0.16.0/20, 1.0.32.0/19, 1.0.64.0/18, 1.0.128.0/17"},
		{"two parts in two places", []string{"1.0.0.0/23", "2.0.0.0/24"}, "", soft2, []int{23, 24}, "fit: 1.0.0.0/23 2.0.0.0/24", ""},
		{"sparse, first", []string{"2400::/26"}, "", sparse8, []int{32}, "reserve: 2400::/32", "2400:1::/32 m, 2400:2::/31 m, 2400:4::/30 m, 2400:8::/29, 2400:10::/28, 2400:20::/27"},
		{"sparse, at a half", []string{"2400:8::/29", "2400:10::/28", "2400:20::/27", "2600::/20"}, "", sparse8, []int{32}, "reserve: 2400:20::/32", "2400:8::/29, 2400:10::/28, 2400:21::/32 m, 2400:22::/31 m, 2400:24::/30 m, 2400:28::/29, 2400:30::/28, 2600::/20"},
		{"sparse, with what there is", []string{"2400::/32", "2500::/31", "2600::/30"}, "", sparse8, []int{32}, "reserve: 2600::/32", "2400::/32, 2500::/31, 2600:1::/32 m, 2600:2::/31 m"},
		{"sparse, tight", []string{"2400:1::/32", "2600::/32"}, "", sparse8, []int{32}, "fit: 2400:1::/32", "2600::/32"},
		{"lowest", []string{"AS9", "AS4-AS7"}, "AS8", Policy{Strategy: Lowest, Factor: 2}, []int{32}, "fit: AS4", "AS5, AS6-AS7, AS9"},
		{"all there is", []string{"0.0.0.0/0"}, "", soft2, []int{0}, "fit: 0.0.0.0/0", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := memoryOf(t, c.free...)
			kind := m.Free()[0].Block.Kind
			got, err := Allocate(m, Request{"m", mustSet(c.held), kind, c.ask}, c.policy, day("20"))
			if err != nil {
				t.Fatal(err)
			}
			if describe(got) != c.want {
				t.Errorf("got %s, want %s", describe(got), c.want)
			}
			if err := m.Apply(got); err != nil {
				t.Fatal(err)
			}
			if left := describeFree(m.Free()); left != c.left {
				t.Errorf("left %s, want %s", left, c.left)
			}
		})
	}
}

// TestAssembleMany goes through more reserved blocks than are read at once.
func TestAssembleMany(t *testing.T) {
	rows := []string{}
	for i := range 3 * page {
		rows = append(rows, fmt.Sprintf("1.%d.%d.0/24 x 02", i/128, i%128*2))
	}
	rows = append(rows, "9.0.0.0/24 x 08", "9.0.1.0/24 y 09")
	m := memoryOf(t, rows...)
	got, err := Allocate(m, Request{"m", inr.Set{}, inr.IPv4, []int{23}}, Policy{Strategy: Soft, Factor: 2}, day("20"))
	if want := "cannibalise: 9.0.0.0/23; x loses 9.0.0.0/24; y loses 9.0.1.0/24"; err != nil || describe(got) != want {
		t.Errorf("got %s, %v", describe(got), err)
	}
	if want := "9.0.0.0/24, reserved for x since 2026-01-08, was allocated to m: no unreserved block was large enough"; got.Notices[0].String() != want {
		t.Errorf("got %s", got.Notices[0])
	}
}

// TestGrowWithin: the second block of a request sees the first as held.
func TestGrowWithin(t *testing.T) {
	m := memoryOf(t, "1.0.0.0/23 m 02")
	c, err := Allocate(m, Request{"m", inr.Set{}, inr.IPv4, []int{24, 24}}, Policy{Strategy: Soft, Factor: 2}, day("20"))
	if err != nil || fmt.Sprint(c.Parts) != "[{1.0.1.0/24 cannibalise} {1.0.0.0/24 grow}]" {
		t.Errorf("%v, %v", c.Parts, err)
	}
}

func TestReservationTimes(t *testing.T) {
	m := memoryOf(t, "1.0.0.0/23")
	c, err := Allocate(m, Request{"m", inr.Set{}, inr.IPv4, []int{24}}, Policy{Soft, 2, 24 * time.Hour}, day("10"))
	if err != nil || len(c.Added) != 1 || !c.Added[0].Since.Equal(day("10")) || !c.Added[0].Expires.Equal(day("11")) {
		t.Fatalf("%+v, %v", c, err)
	}
	if err := m.Apply(c); err != nil {
		t.Fatal(err)
	}
	if c, err := Expire(m, day("11").Add(-1), 10); err != nil || len(c.Removed) > 0 {
		t.Errorf("it ends before its time: %+v, %v", c, err)
	}
	if c, err = Expire(m, day("11"), 10); err != nil || describeFree(c.Added) != "1.0.1.0/24" {
		t.Errorf("it does not end: %+v, %v", c, err)
	}
}

func TestRelease(t *testing.T) {
	m := memoryOf(t, "1.0.1.0/24", "1.0.2.0/23", "1.0.4.0/22 x 01")
	c, err := Release(m, mustBlock("1.0.0.0/24"))
	if err != nil {
		t.Fatal(err)
	}
	if got := describeFree(c.Added) + " for " + describeFree(c.Removed); got != "1.0.0.0/22 for 1.0.1.0/24, 1.0.2.0/23" {
		t.Errorf("got %s", got)
	}
	if _, err := Release(m, mustBlock("1.0.0.0/24"), mustBlock("1.0.0.0/25")); err == nil || !strings.Contains(err.Error(), "1.0.0.0/22 is free already") {
		t.Errorf("got %v", err)
	}
	c, err = Release(m, mustBlock("2.0.0.0/24"), mustBlock("2.0.1.0/24"))
	if err != nil || describeFree(c.Added) != "2.0.0.0/23" || len(c.Removed) > 0 {
		t.Errorf("two halves: %+v, %v", c, err)
	}
}

// TestApplyVoid: a choice is of one state only, and changes no other.
func TestApplyVoid(t *testing.T) {
	m := memoryOf(t, "1.0.0.0/22")
	c, err := Allocate(m, Request{"m", inr.Set{}, inr.IPv4, []int{24}}, DefaultPolicy(inr.IPv4), day("10"))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Apply(c); err != nil {
		t.Fatal(err)
	}
	before := describeFree(m.Free())
	for _, again := range []Choice{c, {Added: c.Added}, {Removed: []Free{{Block: mustBlock("1.0.1.0/24")}}}, {Removed: m.Free()[:1], Added: []Free{{Block: mustBlock("1.0.0.0/22")}}}} {
		if err := m.Apply(again); err == nil {
			t.Errorf("%+v is applied", again)
		}
		if got := describeFree(m.Free()); got != before {
			t.Errorf("%s, before %s", got, before)
		}
	}
}

func TestBadRequests(t *testing.T) {
	good := Request{"m", inr.Set{}, inr.IPv4, []int{24}}
	for _, c := range []struct {
		change func(*Request, *Policy)
		want   string
	}{
		{func(r *Request, p *Policy) { r.Member = "" }, "names no member"},
		{func(r *Request, p *Policy) { r.Kind = 0 }, "no kind"},
		{func(r *Request, p *Policy) { r.Lengths = nil }, "0 blocks"},
		{func(r *Request, p *Policy) { r.Lengths = []int{33} }, "0 to 32"},
		{func(r *Request, p *Policy) { r.Lengths = []int{-1} }, "0 to 32"},
		{func(r *Request, p *Policy) { p.Factor = 3 }, "write 1 (none), 2, 4"},
		{func(r *Request, p *Policy) { p.Factor = 0 }, "write 1 (none), 2, 4"},
		{func(r *Request, p *Policy) { p.Strategy = "random" }, "write one of soft, sparse"},
		{func(r *Request, p *Policy) { p.Hold = -1 }, "write 0 for ever"},
	} {
		r, p := good, DefaultPolicy(inr.IPv4)
		c.change(&r, &p)
		if _, err := Allocate(memoryOf(t, "1.0.0.0/8"), r, p, start); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

// A broken Space fails after some answers.
type broken struct {
	Space
	left int
}

var errBroken = errors.New("the store is gone")

func (b *broken) fail() error {
	if b.left--; b.left < 0 {
		return errBroken
	}
	return nil
}

func (b *broken) Unreserved(o Order, shortest, longest, limit int) ([]Free, error) {
	if err := b.fail(); err != nil {
		return nil, err
	}
	return b.Space.Unreserved(o, shortest, longest, limit)
}

func (b *broken) Reserved(member string, now time.Time, shortest, longest, limit int) ([]Free, error) {
	if err := b.fail(); err != nil {
		return nil, err
	}
	return b.Space.Reserved(member, now, shortest, longest, limit)
}

func (b *broken) Overlapping(x inr.Block) ([]Free, error) {
	if err := b.fail(); err != nil {
		return nil, err
	}
	return b.Space.Overlapping(x)
}

// TestBrokenSpace: an error of the store at any question is handed on, and never
// taken for an answer.
func TestBrokenSpace(t *testing.T) {
	m := memoryOf(t, "1.0.0.0/24 x 02", "1.0.1.0/24")
	request := Request{"m", mustSet("1.0.2.0/23"), inr.IPv4, []int{23}}
	for left := 0; ; left++ {
		b := &broken{m, left}
		c, err := Allocate(b, request, DefaultPolicy(inr.IPv4), day("10"))
		if err == nil {
			if b.left < 0 || left < 6 || c.Step != Cannibalise {
				t.Errorf("after %d answers: %s", left, describe(c))
			}
			break
		}
		if !errors.Is(err, errBroken) || c.Step != 0 {
			t.Fatalf("after %d answers: %+v, %v", left, c, err)
		}
	}
	for _, f := range []func(s Space) error{
		func(s Space) error { _, err := Release(s, mustBlock("9.0.0.0/24")); return err },
		func(s Space) error { _, err := Expire(s, day("10"), 5); return err },
		func(s Space) error { _, err := Unreserve(s, m.Free()[0]); return err },
	} {
		if err := f(&broken{m, 0}); !errors.Is(err, errBroken) {
			t.Errorf("got %v", err)
		}
	}
}

func TestLengths(t *testing.T) {
	for _, c := range []struct {
		kind  inr.Kind
		count inr.Num
		want  string
	}{
		{inr.IPv4, inr.N(1), "[32]"},
		{inr.IPv4, inr.N(768), "[23 24]"},
		{inr.IPv4, inr.N(1 << 32), "[0]"},
		{inr.IPv6, inr.Num{Hi: 1 << 32}, "[32]"},
		{inr.IPv6, inr.Num{Hi: 3}, "[63 64]"},
		{inr.ASN, inr.N(10), "[29 31]"},
	} {
		if got, err := Lengths(c.kind, c.count); err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s of %s: %v, %v", c.count, c.kind, got, err)
		}
	}
	for _, n := range []inr.Num{{}, inr.N(1<<32 + 1), {Hi: 1}} {
		if got, err := Lengths(inr.IPv4, n); err == nil {
			t.Errorf("%s: %v", n, got)
		}
	}
}
