package nirtest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/nir"
	"nirzone/nir/inr"
)

// A ledger is what a registry's children were told that is so.
type ledger struct {
	source string
	told   map[int]string // reference, ranges as JSON
	next   int            // reference that nobody was told of
}

// killed lets a child work, waits until it says a word, and some time, kills it,
// and notes what it had said.
func (l *ledger) killed(t *testing.T, s Storage, word string, after time.Duration, kill func(pid int)) {
	t.Helper()
	work := "allocate"
	if word == "start" {
		work = "open"
	}
	cmd, out := start(t, s, order{Work: work, Source: l.source, From: max(0, l.next-2), To: 1 << 20})
	in := bufio.NewReader(out)
	var said strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("the child ended before it said %q: %v", word, err)
		}
		said.WriteString(line)
		if list := steps(t, strings.NewReader(line)); len(list) == 1 && list[0].Op == word && (word != "submit" || list[0].Ref >= l.next) {
			break // of what it was told again it says so at once
		}
	}
	time.Sleep(after) // any point will do: it is random
	kill(cmd.Process.Pid)
	rest, err := io.ReadAll(in) // until the pipe is closed by its end
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed, or lost its server
	said.Write(rest)
	for _, said := range steps(t, strings.NewReader(said.String())) {
		if said.Op != "submit" {
			continue
		}
		if old := l.told[said.Ref]; old != "" && old != said.Code {
			t.Fatalf("P6: request %d was given %s, and later %s", said.Ref, old, said.Code)
		}
		l.told[said.Ref] = said.Code
		l.next = max(l.next, said.Ref+1)
	}
}

// check opens what a kill left: all that was told is there, and at most the one
// request that was on its way, whole.
func (l *ledger) check(t *testing.T, s Storage) {
	t.Helper()
	raw := s.Connect(t, l.source)
	defer raw.Close()
	db, err := nir.Open(context.Background(), raw, s.Dialect, options())
	if err != nil {
		t.Fatalf("opening what a kill left: %v", err)
	}
	defer db.Close()
	if _, err := db.VerifyAudit(context.Background()); err != nil {
		t.Fatal(err)
	}
	err = db.View(context.Background(), func(v *nir.View) error {
		held, err := conservedFast(v)
		if err != nil {
			return err
		}
		list, err := v.Requests("JPNIC", "")
		if err != nil {
			return err
		}
		blocks := 0
		for _, r := range list {
			ref, _ := strconv.Atoi(strings.TrimPrefix(r.Ref, "r"))
			b, err := json.Marshal(r.Ranges)
			if err != nil {
				return err
			}
			told, ok := l.told[ref]
			if r.State != nir.Registered || ok && told != string(b) || !ok && ref != l.next {
				return fmt.Errorf("request %d is %s with %s, told was %q, the next is %d", ref, r.State, b, told, l.next)
			}
			blocks += len(r.Ranges)
		}
		if n := len(list); n != len(l.told) && n != len(l.told)+1 || blocks != held {
			return fmt.Errorf("P14: %d requests, told of %d; of %d ranges %d are delegated", n, len(l.told), blocks, held)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// conservedFast is conserved for many delegations: it counts.
func conservedFast(v *nir.View) (int, error) {
	var all inr.Builder
	numbers, size, held := uint64(0), uint64(0), 0
	add := func(r inr.Range) {
		all.Add(r)
		numbers += r.Count().Uint64()
	}
	list, err := v.Pools()
	if err != nil {
		return 0, err
	}
	for _, p := range list {
		size += p.Range.Count().Uint64()
		free, err := v.FreeBlocks(p.ID)
		if err != nil {
			return 0, err
		}
		for _, f := range free {
			add(f.Range)
		}
	}
	pairs := 0
	err = v.EachDelegation(func(d *nir.Delegation) error {
		if d.Level == nir.RIRToNIR {
			pairs++
			return nil
		}
		held, pairs = held+1, pairs-1
		add(d.Range)
		return nil
	})
	if got := all.Set().Count(inr.IPv4).Uint64(); err == nil && (got != size || numbers != size || pairs != 0) {
		err = fmt.Errorf("P14: of %d numbers %d are there, %d times; %d delegations have no second step", size, got, numbers, pairs)
	}
	return held, err
}

func kill9(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) }

// TestKilled kills processes with SIGKILL at random points: while they open the
// registry, make its schema, and allocate.
func TestKilled(t *testing.T) {
	kills := 100
	if testing.Short() || peers.Racing {
		kills = 25
		t.Logf("ONLY %d KILLS: with -short or under the race detector; the full test makes 100", kills)
	}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	t.Run("sqlite", func(t *testing.T) {
		opening, inEvent := 0, 0
		for done := 0; done < kills; {
			l := &ledger{source: sqlite.New(t), told: map[int]string{}}
			for range 5 { // the schema is made by processes that die
				l.killed(t, sqlite, "start", time.Duration(rng.IntN(25))*time.Millisecond, kill9)
				opening++
				done++
			}
			db := sqlite.Open(t, l.source)
			if verified(t, db) > 0 {
				t.Fatal("an event without a world")
			}
			furnishCrash(t, db)
			_ = db.Close()
			for i := range 20 {
				before := l.next
				l.killed(t, sqlite, []string{"open", "submit"}[i%2], time.Duration(rng.IntN(30_000))*time.Microsecond, kill9)
				if l.next > before {
					inEvent++
				}
				l.check(t, sqlite)
				done++
			}
		}
		t.Logf("%d processes were killed before they had allocated anything, %d while they allocated", opening, inEvent)
		if inEvent < kills/5 {
			t.Errorf("only %d were killed while they allocated", inEvent)
		}
	})
	t.Run("postgres", func(t *testing.T) { killedServer(t, rng) })
}

func furnishCrash(t *testing.T, db *nir.DB) {
	t.Helper()
	update(t, db, admin(day), func(x *nir.Tx) error { return addJPNIC(x, "/20") })
	update(t, db, admin(day), func(x *nir.Tx) error { return addPool(x, "1.0.0.0/9") })
}

// killedServer stops the server at once, as a crash does: every session ends, and
// what was committed is found in its log.
func killedServer(t *testing.T, rng *rand.Rand) {
	server := peers.StartPostgres(t)
	s := Storage{Dialect: nir.Postgres, Driver: "pgx", New: func(t testing.TB) string { return server.CreateDatabase(t, "crashed") }}
	l := &ledger{source: s.New(t), told: map[int]string{}}
	db := s.Open(t, l.source)
	furnishCrash(t, db)
	_ = db.Close()
	for range 2 {
		l.killed(t, s, "open", time.Duration(rng.IntN(150))*time.Millisecond, kill9)
		l.check(t, s)
	}
	for range 3 {
		before := l.next
		l.killed(t, s, "open", time.Duration(200+rng.IntN(400))*time.Millisecond, func(int) {
			pid, err := os.ReadFile(filepath.Join(server.Dir, "data", "postmaster.pid"))
			if err != nil {
				t.Fatal(err)
			}
			n, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(string(pid), "\n", 2)[0]))
			if err != nil || syscall.Kill(n, syscall.SIGQUIT) != nil {
				t.Fatalf("stopping server %q: %v", pid, err)
			}
		})
		server.Restart(t)
		l.check(t, s)
		t.Logf("%d allocations before the server stopped", l.next-before)
	}
}
