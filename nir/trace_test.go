package nir

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// told writes an origin, and what it was made of, as a line each.
func told(o *Origin) string {
	var b strings.Builder
	for ; o != nil; o = o.Before {
		for _, d := range o.Delegations {
			fmt.Fprintf(&b, "%s %s %s>%s/%s (%s), ", d.Level, d.Range, d.Giver, d.Manager, d.UID, d.Holder)
		}
		fmt.Fprintf(&b, "%s:", o.Evidence)
		if r := o.Request; r != nil {
			fmt.Fprintf(&b, " request %s/%s %s by %s in %s %s;", r.NIR, r.Ref, r.Size, r.Submitter, r.Window, r.State)
			for _, s := range r.Steps {
				fmt.Fprintf(&b, " %d %s by %s;", s.N, s.Verdict, s.Author)
			}
			b.WriteString(r.Proposal.told())
		}
		if t := o.Transfer; t != nil {
			fmt.Fprintf(&b, " transfer of %s from %s to %s by %s;", t.Line, t.Source, t.Destination, t.Submitter)
		}
		if i := o.Import; i != nil {
			fmt.Fprintf(&b, " import %s %s;%s", i.File, i.Serial, i.Proposal.told())
		}
		if p := o.Pool; p != nil {
			fmt.Fprintf(&b, " pool %s of %s by %s;", p.Range, p.NIR, p.Recorded.By)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (p *TracedProposal) told() string {
	if p == nil {
		return ""
	}
	s := fmt.Sprintf(" %s proposed by %s", p.State, p.Proposer)
	for _, a := range p.Approvals {
		s += fmt.Sprintf(", signed by %s with %q as %s", a.Signer, a.Key, a.Role)
	}
	return s + ";"
}

func traceOf(t *testing.T, db *DB, who Actor, r string) Trace {
	t.Helper()
	var got Trace
	view(t, db, func(v *View) (err error) {
		got, err = v.Trace(who, aRange(t, r))
		return err
	})
	return got
}

func wantTold(t *testing.T, got Trace, want ...string) {
	t.Helper()
	if len(got.Origins) != len(want) || got.Count != len(want) {
		t.Errorf("%d origins of %d, want %d", len(got.Origins), got.Count, len(want))
		return
	}
	for i := range want {
		if s := told(&got.Origins[i]); s != want[i] {
			t.Errorf("origin %d\n got %s\nwant %s", i, s, want[i])
		}
	}
}

// TestTraceRequest: a trace names both delegations of a request once, who sent it
// and in which window; of a second opinion also every step, who proposed the
// approval and who signed it with which key.
func TestTraceRequest(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		db.o.Signers = vouch{}
		within := sendIn(t, db, staff(day.Add(time.Hour)), ask("r1", "lir", inr.IPv4, "/20"))
		above := sendIn(t, db, staff(day.Add(2*time.Hour)), opinion("r2", "lir", "/18"))
		update(t, db, hostmaster(day.Add(3*time.Hour)), func(x *Tx) error { _, err := x.AskAbout(above.ID, AskNIR, "why?"); return err })
		update(t, db, staff(day.Add(4*time.Hour)), func(x *Tx) error { _, err := x.Answer(above.ID, "so"); return err })
		var p Proposal
		update(t, db, hostmaster(day.Add(5*time.Hour)), func(x *Tx) (err error) { p, err = x.ProposeApproval(above.ID); return err })
		update(t, db, Actor{Name: "anna", At: day.Add(6 * time.Hour)}, func(x *Tx) error { _, err := x.Approve(p.Hash, "approver:anna"); return err })
		view(t, db, func(v *View) (err error) { above, err = v.Request(above.ID); return err })

		r := within.Ranges[0]
		one := traceOf(t, db, hostmaster(day), single(r.First))
		wantTold(t, one, fmt.Sprintf("nir-member %s JPNIC>JPNIC/lir (Example lir), rir-nir %s APNIC>JPNIC/ (JPNIC), request: request JPNIC/r1 /20 by staff in /20 registered;\n", r, r))
		if e := one.Origins[0].Delegations[0].Recorded; e.By != "staff" || !strings.HasSuffix(e.Act, "request.submit") || !e.At.Equal(day.Add(time.Hour)) || e.Event == 0 || e.Event > one.Event {
			t.Errorf("recorded %+v", e)
		}
		r = above.Ranges[0]
		wantTold(t, traceOf(t, db, staff(day), r.String()), fmt.Sprintf(
			"nir-member %s JPNIC>JPNIC/lir (Example lir), rir-nir %s APNIC>JPNIC/ (JPNIC), second-opinion: request JPNIC/r2 /18 by staff in /20 registered;"+
				" 1 ask-nir by hostmaster; 2 answer by staff; 3 approve by anna; done proposed by hostmaster, signed by anna with \"key of anna\" as approver;\n", r, r))
		wantTold(t, traceOf(t, db, hostmaster(day), "203.0.114.0/24"))

		// A range that both are in: each decision stands by itself.
		if got := traceOf(t, db, hostmaster(day), "202.0.0.0/8"); got.Count != 2 {
			t.Errorf("%d decisions in the /8", got.Count)
		}
	})
}

// TestTraceTransfer: a trace goes back from transfer to transfer to the request;
// what stayed behind stands by the request still.
func TestTraceTransfer(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		s := newScene(t, db)
		half := inr.BlockAt(inr.IPv4, s.theirs.First, 21).Range()
		s.transfer(3*time.Hour, TransferAsk{Transfer: Transfer{Source: "JPNIC", Destination: "KRNIC", Member: s.member, UID: "kr-lir"}, Lines: []TransferLine{{Range: half}}})
		s.run(4 * time.Hour)
		s.transfer(5*time.Hour, TransferAsk{Transfer: Transfer{Source: "KRNIC", Destination: "APNIC", Member: s.member, UID: "own-lir"}, Lines: []TransferLine{{Range: half}}})
		s.run(6 * time.Hour)

		first := fmt.Sprintf("nir-member %s JPNIC>JPNIC/jp-lir (Example jp-lir), request: request JPNIC/b1 /20 by admin in /20 registered;\n", s.theirs)
		wantTold(t, traceOf(t, db, admin(day), single(half.First)),
			fmt.Sprintf("rir-member %s APNIC>APNIC/own-lir (Example jp-lir), transfer: transfer of %s from KRNIC to APNIC by admin;\n", half, half)+
				fmt.Sprintf("nir-member %s KRNIC>KRNIC/kr-lir (Example jp-lir), transfer: transfer of %s from JPNIC to KRNIC by admin;\n", half, half)+first)
		got := traceOf(t, db, admin(day), single(s.theirs.Last))
		if len(got.Origins) != 1 || got.Origins[0].Request == nil || got.Origins[0].Transfer != nil {
			t.Errorf("what stayed behind: %+v", got.Origins)
		}

		// Staff of an NIR sees why the NIR's own is there, and no more than that others
		// have what they have.
		korea := Actor{Name: "kim", Roles: []Role{NIRStaff}, NIR: "KRNIC"}
		hidden := traceOf(t, db, korea, single(s.theirs.Last))
		if o := hidden.Origins[0]; !o.Withheld || o.Request != nil || o.Evidence != "" || o.Delegations[0].UID != "" || o.Delegations[0].Recorded.By != "" || o.Delegations[0].Holder == "" {
			t.Errorf("of another NIR: %+v", o)
		}
		if o := traceOf(t, db, Actor{Name: "nobody"}, single(s.theirs.Last)).Origins[0]; !o.Withheld {
			t.Errorf("for nobody: %+v", o)
		}
		if o := traceOf(t, db, korea, single(s.mine.First)).Origins[0]; !o.Withheld {
			t.Errorf("of a direct member: %+v", o)
		}
	})
}

// TestTraceOfPast: as of a past time a trace knows nothing of what came later.
func TestTraceOfPast(t *testing.T) {
	s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
	s.transfer(3*time.Hour, TransferAsk{Transfer: Transfer{Source: "JPNIC", Destination: "KRNIC", Member: s.member, UID: "kr-lir"}, Lines: []TransferLine{{Range: s.theirs}}})
	s.run(4 * time.Hour)
	if err := s.db.AsOf(t.Context(), day.Add(150*time.Minute), func(v *View) error {
		got, err := v.Trace(admin(day), s.theirs)
		if err == nil && (len(got.Origins) != 1 || got.Origins[0].Transfer != nil || !got.Time.Equal(day.Add(2*time.Hour))) {
			t.Errorf("%+v", got)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// TestTraceImport: an import is named with the digest of its file and who
// confirmed it.
func TestTraceImport(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		smallWorld(t, db)
		db.o.Rules.ConfirmImports, db.o.Signers = true, trusting{}
		registrar := Actor{Name: "registrar", Roles: []Role{RegistryStaff}, At: day.Add(time.Hour)}
		f := statisticsOf(t, "apnic", "JP|ipv4|202.12.0.0|4096|20010101|allocated|A1")
		im := doImport(t, db, registrar, f, twoNIRs)
		update(t, db, Actor{Name: "second", At: registrar.At}, func(x *Tx) error {
			x.With(f)
			_, err := x.Approve(im.Proposal, "second")
			return err
		})
		got := traceOf(t, db, registrar, "202.12.5.0/24")
		wantTold(t, got, "nir-member 202.12.0.0/20 JPNIC>JPNIC/A1 (Holder A1), rir-nir 202.12.0.0/20 APNIC>JPNIC/ (JPNIC), import:"+
			fmt.Sprintf(" import %s %s; done proposed by registrar, signed by second with \"key of second\" as approver;\n", f.File, f.Header.Serial))
		if got.Origins[0].Import.SHA256 != f.SHA256 {
			t.Error("another file")
		}
	})
}

// TestTraceExistingPool: what an NIR held before stands by its pool, and what it
// gave of it by the request too.
func TestTraceExistingPool(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	world(t, db)
	update(t, db, admin(day.Add(time.Hour)), func(x *Tx) error {
		_, err := x.AddPool(Pool{Range: aRange(t, "203.16.0.0/16"), Purpose: NIRExisting, NIR: "JPNIC"})
		return err
	})
	r := sendIn(t, db, staff(day.Add(2*time.Hour)), ask("r1", "lir", inr.IPv4, "/20")).Ranges[0]
	wantTold(t, traceOf(t, db, admin(day), r.String()),
		fmt.Sprintf("nir-member %s JPNIC>JPNIC/lir (Example lir), existing-pool: request JPNIC/r1 /20 by staff in /20 registered; pool 203.16.0.0/16 of JPNIC by admin;\n", r),
		"rir-nir 203.16.0.0/16 APNIC>JPNIC/ (JPNIC), existing-pool: pool 203.16.0.0/16 of JPNIC by admin;\n")
}

// TestTraceIsBounded: of a range with many holders the first are told, and how many
// there are.
func TestTraceIsBounded(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	world(t, db)
	for i := range maxOrigins + 2 {
		sendIn(t, db, staff(day.Add(time.Hour)), ask(fmt.Sprintf("r%d", i), "lir", inr.IPv4, "/24"))
	}
	if got := traceOf(t, db, admin(day), "202.0.0.0/8"); len(got.Origins) != maxOrigins || got.Count != maxOrigins+2 {
		t.Errorf("%d of %d", len(got.Origins), got.Count)
	}
}

// TestTraceDomain: a domain object is named with who wrote it, for whom that is.
func TestTraceDomain(t *testing.T) {
	s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
	a := ask("k1", "kr", inr.IPv4, "/24")
	a.NIR, a.Economy = "KRNIC", "KR"
	s.update(3*time.Hour, func(x *Tx) error { _, err := x.SetWindow("KRNIC", inr.IPv4, "/20", "start"); return err })
	var key string
	s.update(4*time.Hour, func(x *Tx) error {
		_, err := x.Submit(a)
		if err != nil {
			return err
		}
		list, err := x.Domains("KRNIC")
		key = list[0].Key
		return err
	})
	korea := Actor{Name: "kim", Roles: []Role{NIRStaff}, NIR: "KRNIC", At: day.Add(5 * time.Hour)}
	view(t, s.db, func(v *View) error {
		d, err := v.TraceDomain(korea, key)
		if err == nil && (d == nil || d.State != DomainInactive || d.Manager != "KRNIC" || d.Recorded.By != "admin") {
			t.Errorf("new: %+v", d)
		}
		if none, err := v.TraceDomain(korea, "1.0.0.10.in-addr.arpa"); none != nil || err != nil {
			t.Errorf("none: %+v, %v", none, err)
		}
		return err
	})
	update(t, s.db, korea, func(x *Tx) error {
		_, err := x.SetDomain(key, []string{"ns1.example.", "ns2.example."}, nil)
		return err
	})
	view(t, s.db, func(v *View) error {
		d, err := v.TraceDomain(korea, key)
		if err == nil && (d.State != DomainActive || d.Recorded.By != "kim" || !d.Recorded.At.Equal(korea.At)) {
			t.Errorf("active: %+v", d)
		}
		other, err := v.TraceDomain(staff(day), key)
		if err == nil && (other.State != DomainActive || other.Recorded.By != "") {
			t.Errorf("for another: %+v", other)
		}
		return err
	})
}

func single(n inr.Num) string { return inr.Range{Kind: inr.IPv4, First: n, Last: n}.String() }
