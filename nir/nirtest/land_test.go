package nirtest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"nirzone/nir"
	"nirzone/nir/inr"
)

// Acts of the machine on what is delegated already: transfers, what is due,
// returns.

// refusal is what do wants where several rules may be broken at once: any code.
const refusal = "a refusal"

// someCells draws cells, most of the time such as one member holds under one
// registry, and of which nothing is to become yet.
func (k *machine) someCells() (kind, first, last int) {
	kind = k.kind()
	first = rapid.IntRange(0, cellsOf-1).Draw(k.t, "cell")
	if rapid.IntRange(0, 5).Draw(k.t, "any cell") > 0 {
		for range cellsOf {
			if k.m.holder[kind][first] > 0 && !k.m.claimed(kind, first, first) {
				break
			}
			first = (first + 1) % cellsOf
		}
	}
	last = first
	apart := rapid.IntRange(0, 7).Draw(k.t, "apart") == 0
	for n := rapid.IntRange(0, 9).Draw(k.t, "more"); n > 0 && last+1 < cellsOf; n-- {
		same := k.m.holder[kind][last+1] == k.m.holder[kind][first] && k.m.manager[kind][last+1] == k.m.manager[kind][first]
		if !same && !apart {
			break
		}
		last++
	}
	return kind, first, last
}

// transfer schedules a transfer of one line, or of all that a member holds.
func (k *machine) transfer(*rapid.T) {
	if len(k.m.who) == 0 {
		k.t.Skip("no member")
	}
	kind, first, last := k.someCells()
	t := k.parties(kind, first, last)
	due := k.at.Add(time.Duration(rapid.IntRange(0, 3).Draw(k.t, "days")) * 24 * time.Hour)
	ask := nir.TransferAsk{Due: due, Transfer: nir.Transfer{
		Source: t.source, Destination: t.destination, Member: k.memberID(t.member), Receiver: k.memberID(t.receiver), UID: t.uid, Whole: t.whole, Serve: t.serve,
		Reason: canary + ": it moves", Ticket: canary,
	}}
	list := []*modelLine{{t: t, kind: kind, first: first, last: last, due: due}}
	if t.whole {
		list = k.all(t, due)
	} else {
		ask.Lines = []nir.TransferLine{{Range: cellRange(kind, first, last), Due: due, Type: "allocation", Economy: "NL", Date: day.AddDate(-9, 0, 0)}}
	}
	want := ""
	if !k.m.agreed(t) || len(list) == 0 {
		want = refusal
	}
	for _, l := range list {
		if !k.m.movable(t, l.kind, l.first, l.last) || k.m.claimed(l.kind, l.first, l.last) {
			want = refusal
		}
	}
	var lines []nir.TransferLine
	k.do(admin(k.at), want, func(x *nir.Tx) (err error) {
		_, lines, err = x.AddTransfer(ask)
		return err
	})
	k.count("transfer", want)
	if want == "" {
		k.schedule(list, lines)
	}
}

// parties draws who gives and who takes; most of the time it is possible.
func (k *machine) parties(kind, first, last int) *modelTransfer {
	t := &modelTransfer{source: k.m.manager[kind][first], member: k.m.holder[kind][first] - 1, receiver: -1}
	if k.m.nobodys(kind, first, last) {
		t.source, t.member = abroad, -1
	} else if t.member < 0 || rapid.IntRange(0, 9).Draw(k.t, "other source") == 0 {
		t.source = k.registry()
		t.member, _ = k.someMember()
	}
	t.destination = rapid.SampledFrom([]string{"AANIC", "BBNIC", "AANIC", "BBNIC", "", abroad}).Draw(k.t, "destination")
	if t.destination == abroad {
		return t
	}
	t.receiver = t.member
	if t.source == abroad || rapid.IntRange(0, 2).Draw(k.t, "merger") == 0 {
		t.receiver, _ = k.someMember()
	}
	if t.uid = k.m.who[t.receiver].in[t.destination]; t.uid == "" || rapid.IntRange(0, 7).Draw(k.t, "other name") == 0 {
		k.names++
		t.uid = fmt.Sprint(canary, "-t", k.names)
		if rapid.IntRange(0, 3).Draw(k.t, "a used name") == 0 {
			t.uid = k.uid()
		}
	}
	t.whole = t.source != abroad && rapid.IntRange(0, 3).Draw(k.t, "whole") == 0
	t.serve = rapid.Bool().Draw(k.t, "serve")
	return t
}

// memberID is the registry's identifier of a member, "" of nobody.
func (k *machine) memberID(member int) string {
	if member < 0 {
		return ""
	}
	return k.idOf(member)
}

// all are the lines of a whole transfer: a line for each delegation.
func (k *machine) all(t *modelTransfer, due time.Time) (list []*modelLine) {
	for kind := range k.m.dels {
		for _, d := range k.m.dels[kind] {
			if k.m.held(kind, d.first, d.last, t.member, t.source) {
				list = append(list, &modelLine{t: t, kind: kind, first: d.first, last: d.last, due: due})
			}
		}
	}
	return list
}

// schedule compares the lines that there are with those that there have to be.
func (k *machine) schedule(list []*modelLine, lines []nir.TransferLine) {
	if len(lines) != len(list) {
		k.t.Fatalf("P9: the transfer has %d lines, not %d", len(lines), len(list))
	}
	for _, l := range list {
		i := slices.IndexFunc(lines, func(o nir.TransferLine) bool { return o.Range == cellRange(l.kind, l.first, l.last) })
		if i < 0 {
			k.t.Fatalf("P9: no line of %v has %s", lines, cellRange(l.kind, l.first, l.last))
		}
		l.id = lines[i].ID
		k.m.lines = append(k.m.lines, l)
	}
}

func (k *machine) count(what, want string) {
	if want != "" {
		what += " refused"
	}
	k.tally[what]++
}

// run lets time pass and carries out what is due: in one event, or as cron does it,
// each line in its own.
func (k *machine) run(*rapid.T) {
	k.at = k.at.Add(time.Duration(rapid.IntRange(0, 3).Draw(k.t, "days")) * 24 * time.Hour)
	var ran nir.Ran
	if rapid.Bool().Draw(k.t, "one event") {
		k.do(admin(k.at), "", func(x *nir.Tx) (err error) {
			ran, err = x.RunDue(k.at)
			return err
		})
	} else {
		var err error
		if ran, err = k.db.RunDue(context.Background(), admin(k.at)); err != nil {
			k.t.Fatal(err)
		}
		k.noticed(-1)
	}
	var done, blocked, freed []string
	for _, l := range k.m.due(k.at) {
		r := cellRange(l.kind, l.first, l.last).String()
		if k.m.carry(l) {
			done = append(done, r)
			k.tally[fmt.Sprintf("%q to %q", l.t.source, l.t.destination)]++
			k.tally["moved"]++
		} else {
			k.t.Logf("blocked: %+v of %+v", l, l.t)
			blocked = append(blocked, r)
			k.tally["blocked"]++
		}
	}
	for _, q := range k.m.wake(k.at) {
		freed = append(freed, cellRange(q.kind, q.first, q.last).String())
		k.tally["freed"]++
	}
	of := func(lines []nir.TransferLine) (list []string) {
		for _, l := range lines {
			list = append(list, l.Range.String())
		}
		return list
	}
	var woken []string
	for _, r := range ran.Freed {
		woken = append(woken, r.String())
	}
	if !slices.Equal(of(ran.Lines), done) || !slices.Equal(of(ran.Blocked), blocked) {
		k.t.Fatalf("P9: carried out were %v and refused %v; it has to be %v and %v", of(ran.Lines), of(ran.Blocked), done, blocked)
	}
	if slices.Sort(woken); !slices.Equal(woken, slices.Sorted(slices.Values(freed))) {
		k.t.Fatalf("P13: %v were freed, it has to be %v", woken, freed)
	}
}

// cancel takes a line back, or gives it another time.
func (k *machine) cancel(*rapid.T) {
	if len(k.m.lines) == 0 {
		k.t.Skip("no line")
	}
	l := rapid.SampledFrom(k.m.lines).Draw(k.t, "line")
	if rapid.Bool().Draw(k.t, "later") {
		due := k.at.Add(time.Duration(rapid.IntRange(-1, 3).Draw(k.t, "days")) * 24 * time.Hour)
		want := ""
		if due.Before(k.at) {
			want = refusal
		} else {
			l.due = due
		}
		k.do(admin(k.at), want, func(x *nir.Tx) error { _, err := x.Reschedule(l.id, due); return err })
		return
	}
	k.m.lines = slices.DeleteFunc(k.m.lines, func(o *modelLine) bool { return o == l })
	k.do(admin(k.at), "", func(x *nir.Tx) error { _, err := x.CancelLine(l.id); return err })
	k.do(admin(k.at), string(nir.Conflict), func(x *nir.Tx) error { _, err := x.CancelLine(l.id); return err })
	k.tally["cancelled"]++
}

// giveBack asks for cells to be taken back; nothing happens until a second person
// has signed.
func (k *machine) giveBack(*rapid.T) {
	if len(k.m.who) == 0 {
		k.t.Skip("no member")
	}
	kind, first, last := k.someCells()
	member, registry := k.m.holder[kind][first]-1, k.m.manager[kind][first]
	if member < 0 {
		member, _ = k.someMember()
	}
	want := ""
	if !k.m.held(kind, first, last, member, registry) || k.m.claimed(kind, first, last) {
		want = refusal
	}
	var r nir.Return
	k.do(admin(k.at), want, func(x *nir.Tx) (err error) {
		r, err = x.AddReturn(nir.Return{NIR: registry, Member: k.idOf(member), Ranges: []inr.Range{cellRange(kind, first, last)}, Reason: canary, Ticket: canary})
		return err
	})
	k.count("return", want)
	if want == "" {
		k.m.returns = append(k.m.returns, &modelReturn{r.ID, r.Plan, k.at.AddDate(0, 0, proposalDays), kind, first, last})
	}
}

// settleReturn signs a return, or takes it back. Who proposed it may not sign, and
// a signature is good once.
func (k *machine) settleReturn(*rapid.T) {
	if len(k.m.returns) == 0 {
		k.t.Skip("no return")
	}
	r := rapid.SampledFrom(k.m.returns).Draw(k.t, "return")
	sign := func(who, want string) {
		k.do(admin(k.at), want, func(x *nir.Tx) error {
			_, err := x.Approve(r.hash, k.signatures[who+r.hash])
			return err
		})
	}
	for _, who := range people {
		k.signatures[who+r.hash] = k.signature(who, r.hash, nir.RegistryStaff)
	}
	if rapid.IntRange(0, 4).Draw(k.t, "withdrawn") == 0 {
		k.do(admin(k.at), "", func(x *nir.Tx) error { _, err := x.WithdrawReturn(r.id); return err })
		k.m.returns = slices.DeleteFunc(k.m.returns, func(o *modelReturn) bool { return o == r })
		sign("anna", string(nir.Conflict))
		return
	}
	if !k.at.Before(r.expires) {
		sign("anna", string(nir.Conflict))
		k.do(admin(k.at), "", func(x *nir.Tx) error {
			n, err := x.ReviewReturn(r.id)
			r.hash, r.expires = n.Plan, k.at.AddDate(0, 0, proposalDays)
			return err
		})
		return
	}
	sign("admin", string(nir.Forbidden))
	sign("anna", "")
	k.m.giveBack(r, k.at)
	k.tally["returned"]++
	sign("anna", string(nir.Conflict))
	sign("ben", string(nir.Conflict))
}
