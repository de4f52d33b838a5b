package nirtest

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nirzone/nir"
)

// An order is what a child process is told, in its environment.
type order struct {
	Work            string // open, allocate or mixed
	Dialect         nir.Dialect
	Driver, Source  string
	Child, From, To int
	Seed            uint64
}

const orderName = "NIRTEST_ORDER"

// TestMain makes the test's program a child that works on a registry, if it was
// started as one.
func TestMain(m *testing.M) {
	text := os.Getenv(orderName)
	if text == "" {
		os.Exit(m.Run())
	}
	var o order
	err := json.Unmarshal([]byte(text), &o)
	if err == nil {
		err = o.obey()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// start starts a child and returns it with what it says.
func start(t *testing.T, s Storage, o order) (*exec.Cmd, io.Reader) {
	t.Helper()
	o.Dialect, o.Driver = s.Dialect, s.Driver
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), orderName+"="+string(text))
	cmd.Stderr = os.Stderr
	if s.Dialect == nir.Postgres {
		cmd.Stderr = nil // a server that is killed is told by every child
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

func (o order) obey() error {
	raw, err := sql.Open(o.Driver, o.Source)
	if err != nil {
		return err
	}
	say(step{Op: "start"})
	db, err := nir.Open(context.Background(), raw, o.Dialect, options())
	if err != nil {
		return err
	}
	say(step{Op: "open"})
	switch o.Work {
	case "mixed":
		return o.mixed(db)
	case "allocate":
		return o.allocate(db)
	}
	time.Sleep(time.Minute) // until it is killed
	return nil
}

// A step is one act of a child: when it was begun and ended, by the one clock of
// the machine, and what came of it.
type step struct {
	Op          string // submit, window, read
	Child       int
	Begin, End  int64
	Ref         int
	Size        int // cells that are asked for, or that the window is set to
	Code        string
	First, Last int
	Cells       uint64 // that were allocated, when read
}

func say(s step) {
	b, _ := json.Marshal(s) // numbers and words
	_, _ = os.Stdout.Write(append(b, '\n'))
}

// clockNow is a clock that all processes of the machine share and nobody sets.
func clockNow() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err)
	}
	return ts.Nano()
}

// allocate asks for one thing after the other and says what it was given.
func (o order) allocate(db *nir.DB) error {
	for i := o.From; i < o.To; i++ {
		r, err := submit(db, day.Add(9*time.Hour), ask(fmt.Sprint("r", i), fmt.Sprint("m", i%7), nir.Size([]string{"/24", "/23", "768"}[i%3])))
		if err != nil {
			return err
		}
		b, err := json.Marshal(r.Ranges)
		if err != nil {
			return err
		}
		say(step{Op: "submit", Ref: i, Code: string(b)})
	}
	return nil
}

// mixed asks for blocks of a small pool, changes the window and reads, at random;
// other children ask for the same.
func (o order) mixed(db *nir.DB) error {
	rng := rand.New(rand.NewPCG(o.Seed, uint64(o.Child)))
	for range o.To {
		s := step{Child: o.Child, Ref: rng.IntN(refs), Size: 1 << rng.IntN(3)}
		var act func(*step) error
		switch p := rng.IntN(10); {
		case p < 6:
			s.Op, act = "submit", func(s *step) error { return s.submit(db) }
		case p < 7:
			s.Op, act = "window", func(s *step) error { return s.window(db) }
		default:
			s.Op, act = "read", func(s *step) error { return s.read(db) }
		}
		s.Begin = clockNow()
		err := act(&s)
		s.End = clockNow()
		if err != nil {
			return err
		}
		say(s)
	}
	return nil
}

// steps reads what a child says until it ends; a line that was cut off is not
// said.
func steps(t *testing.T, out io.Reader) (list []step) {
	t.Helper()
	for in := bufio.NewScanner(out); in.Scan(); {
		var s step
		if err := json.Unmarshal(in.Bytes(), &s); err == nil {
			list = append(list, s)
		}
	}
	return list
}
