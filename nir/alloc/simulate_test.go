package alloc

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

func mustSet(s string) inr.Set {
	set, err := inr.ParseSet(s)
	if err != nil {
		panic(err)
	}
	return set
}

// madeUp returns a history of more requests than a pool of /24s can hold: sizes
// from /24 to /19, members of whom those that hold more return more often.
func madeUp(seed uint64, slots, members int) []Demand {
	rng := rand.New(rand.NewPCG(seed, 4))
	weight := make([]float64, members)
	total := 0.0
	for i := range weight {
		weight[i] = min(10, 1/(1-rng.Float64())) // few ask for most
		total += weight[i]
	}
	var all []Demand
	for asked := 0; asked < slots; {
		at, m := rng.Float64()*total, 0
		for ; m < members-1 && at >= weight[m]; m++ {
			at -= weight[m]
		}
		length := 24 - rng.IntN(6)
		asked += 1 << (24 - length)
		all = append(all, Demand{fmt.Sprintf("m%03d", m), []int{length}, start.Add(time.Duration(len(all)) * time.Hour)})
	}
	return all
}

// table writes outcomes as docs/allocation.md has them.
func table(outcomes []Outcome) string {
	var b strings.Builder
	b.WriteString("| strategy | surplus at 25 / 50 / 75 / 90 % full | at the end | first refusal | refused | taken from reservations |\n|---|---|---|---|---|---|\n")
	for _, o := range outcomes {
		name := string(o.Policy.Strategy)
		if o.Policy.reserving(20) != 20 {
			name += fmt.Sprintf(" %dx", o.Policy.Factor)
		}
		var levels []string
		for _, s := range o.Surplus {
			if s < 0 {
				levels = append(levels, "–")
			} else {
				levels = append(levels, fmt.Sprintf("%.2f", s))
			}
		}
		first := "none"
		if o.FirstRefusal >= 0 {
			first = fmt.Sprintf("%.1f %%", o.FirstRefusal)
		}
		fmt.Fprintf(&b, "| %s | %s | %.2f | %s | %d | %d |\n", name, strings.Join(levels, " / "), o.Final, first, o.Refused, o.Lost)
	}
	return b.String()
}

// TestSimulate shows on a small pool what the big one of docs/allocation.md
// shows: reservations keep members' prefixes together, and nothing is refused for
// them.
func TestSimulate(t *testing.T) {
	pool, slots, members := "16.0.0.0/12", 4096, 60
	if os.Getenv("NIRZONE_TABLES") != "" {
		pool, slots, members = "16.0.0.0/8", 65536, 450
	}
	sum := map[Policy]*[len(Levels)]float64{}
	for seed := range uint64(3) {
		outcomes, err := Simulate(mustSet(pool), madeUp(seed, slots, members), Compared(DefaultPolicy(inr.IPv4)))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("history %d\n%s", seed, table(outcomes))
		for _, o := range outcomes {
			if sum[o.Policy] == nil {
				sum[o.Policy] = new([len(Levels)]float64)
			}
			for i, s := range o.Surplus {
				sum[o.Policy][i] += s
			}
			if o.Policy == DefaultPolicy(inr.IPv4) && o.FirstRefusal >= 0 && o.FirstRefusal < 85 {
				t.Errorf("%+v refuses at %.0f %%", o.Policy, o.FirstRefusal)
			}
		}
	}
	for i, level := range Levels {
		soft, first, best := sum[Policy{Soft, 2, 0}][i], sum[Policy{FirstFit, 1, 0}][i], sum[Policy{BestFit, 1, 0}][i]
		if soft >= first || soft >= best || soft < 0 {
			t.Errorf("at %d %% soft has %.2f, first-fit %.2f, best-fit %.2f", level, soft/3, first/3, best/3)
		}
	}
}

// TestSimulateAgain: the same arguments, the same outcome.
func TestSimulateAgain(t *testing.T) {
	history := madeUp(9, 1024, 20)
	policies := []Policy{{Soft, 2, 20 * time.Hour}}
	a, err := Simulate(mustSet("16.0.0.0/14"), history, policies)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Simulate(mustSet("16.0.0.0/14"), history, policies)
	if fmt.Sprint(a) != fmt.Sprint(b) || a[0].Steps[Reserve] == 0 {
		t.Errorf("%v, then %v", a, b)
	}
	for _, pool := range []string{"", "16.0.0.0/14, AS1"} {
		if _, err := Simulate(mustSet(pool), history, policies); err == nil {
			t.Errorf("the pool %q is simulated", pool)
		}
	}
}

// shared finds a file of real data in a folder shared/data beside the module.
func shared(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		file := filepath.Join(dir, "shared", "data", name)
		if _, err := os.Stat(file); err == nil {
			return file
		}
		if dir == filepath.Dir(dir) {
			t.Skipf("DATA NOT AT HAND: no shared/data/%s beside the module: nothing real was replayed", name)
		}
	}
}

// A delegated record, as far as a replay needs it.
type delegated struct {
	economy, date, opaque string
	space                 inr.Range
}

// readDelegated returns the records of one kind by date, then as they stand in
// the file.
func readDelegated(t *testing.T, file string, kind inr.Kind) []delegated {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []delegated
	for s := bufio.NewScanner(f); s.Scan(); {
		c := strings.Split(s.Text(), "|")
		if len(c) < 7 || c[1] == "*" || c[2] != kind.String() || c[6] != "allocated" && c[6] != "assigned" {
			continue
		}
		r, err := inr.FromStatistics(kind, c[3], c[4])
		if err != nil {
			t.Fatal(err)
		}
		d := delegated{economy: c[1], date: c[5], space: r}
		if len(c) > 7 {
			d.opaque = c[7]
		}
		all = append(all, d)
	}
	slices.SortStableFunc(all, func(a, b delegated) int { return strings.Compare(a.date, b.date) })
	return all
}

// histories makes demands of records. The members are the opaque ids; where the
// file has none, they are drawn: a third of an economy's requests come from a
// new member, the others from one that is there, those with more requests more
// often.
func histories(t *testing.T, all []delegated, seed uint64) []Demand {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	past := map[string][]string{} // of an economy, the member of each request
	var out []Demand
	for _, d := range all {
		who := d.opaque
		if who == "" {
			before := past[d.economy]
			if who = fmt.Sprintf("%s-%d", d.economy, len(before)); len(before) > 0 && rng.IntN(3) > 0 {
				who = before[rng.IntN(len(before))]
			}
			past[d.economy] = append(before, who)
		}
		at, err := time.Parse("20060102", d.date)
		if err != nil {
			t.Fatalf("%s: %v", d.space, err)
		}
		count := d.space.Last.Sub(d.space.First).Next()
		lengths, err := Lengths(d.space.Kind, count)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Demand{who, lengths, at})
	}
	return out
}

// TestReplay replays what a regional registry delegated, by date. With
// NIRZONE_TABLES set, all of it and all strategies, for docs/allocation.md.
func TestReplay(t *testing.T) {
	file := shared(t, "delegated-apnic-latest-20260618.txt")
	whole := os.Getenv("NIRZONE_TABLES") != ""
	for _, c := range []struct {
		kind inr.Kind
		pool string
	}{{inr.IPv4, ""}, {inr.IPv6, "2400::/12"}} {
		t.Run(c.kind.String(), func(t *testing.T) {
			all := readDelegated(t, file, c.kind)
			if len(all) == 0 {
				t.Fatal("no record")
			}
			policies := Compared(DefaultPolicy(c.kind))
			if !whole {
				all = all[:8000]
				policies = policies[:3]
			}
			pool := mustSet(c.pool)
			if c.pool == "" {
				var b inr.Builder
				for _, d := range all {
					b.Add(d.space)
				}
				pool = b.Set()
			}
			t.Logf("%d requests, %s numbers in a pool of %d ranges", len(all), pool.Count(c.kind), pool.Len())
			var outcomes []Outcome
			for _, p := range policies {
				o, err := Simulate(pool, histories(t, all, 1), []Policy{p})
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%v, %d members with two or more\n%s", o[0].Steps, o[0].Members, table(o))
				outcomes = append(outcomes, o...)
			}
			t.Logf("all\n%s", table(outcomes))
			if own, first := outcomes[0], outcomes[1]; own.Final >= first.Final {
				t.Errorf("surplus %.2f, by first fit %.2f", own.Final, first.Final)
			}
		})
	}
}
