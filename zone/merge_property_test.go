package zone

import (
	"math/rand"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var (
	drawOwner = rapid.SampledFrom([]string{
		"12", "28.12", "29.12", "30.12", "13", "1.13", "1.28.12", "2.28.12", "0-127.28.12", "128/25.28.12",
		"ns.28.12", "ns.12", "x", "012", "*.12", "202.in-addr.arpa.", "203.in-addr.arpa.", ".",
	})
	drawHost   = rapid.SampledFrom([]string{"a.example.", "b.example.", "ns.28.12", "ns.12", "28.12", "192.0.2.1.", "a_b.example.", ".", "remove.this.nserver.to.enable.zone.at.apnic.net."})
	drawSource = rapid.SampledFrom([]string{"APNIC", "JPNIC", "KRNIC"})
	drawRange  = rapid.SampledFrom([]string{"202.0.0.0/8", "202.12.0.0/16", "202.12.28.0/24", "202.12.28.0/23", "202.13.0.0/16", "202.12.0.0/15", "202.12.30.0/25", "202.12.30.128/25"})
)

func drawRecord(t *rapid.T) Record {
	r := Record{Name: testName(drawOwner.Draw(t, "owner")), TTL: rapid.SampledFrom([]uint32{300, 300, 600}).Draw(t, "ttl")}
	switch rapid.IntRange(0, 9).Draw(t, "type") {
	default:
		r.Type, r.Data = TypeNS, NSData(testName(drawHost.Draw(t, "host")))
	case 5:
		r.Type, r.Data = TypeDS, Data(rapid.SampledFrom([]string{"\x00\x01\x08\x0112345678901234567890", "\x00\x01\x08\x02short", "x"}).Draw(t, "ds"))
	case 6:
		r.Type, r.Data = TypeCNAME, NSData(testName(drawHost.Draw(t, "target")))
	case 7, 8:
		r.Type, r.Data = TypeA, Data(rapid.SampledFrom([]string{"\x01\x02\x03\x04", "\x01\x02\x03\x05", "bad!!"}).Draw(t, "a"))
	case 9:
		r.Type, r.Data = Type(rapid.Uint16().Draw(t, "type number")), Data(rapid.StringN(0, 4, 8).Draw(t, "data"))
	}
	return r
}

func drawFragments(t *rapid.T) []*Fragment {
	var frags []*Fragment
	for _, source := range rapid.SliceOfNDistinct(drawSource, 0, 3, rapid.ID).Draw(t, "sources") {
		f := &Fragment{Source: source, Zone: testApex.Origin, File: "202-" + source, SHA256: rapid.SampledFrom([]string{"old", "new"}).Draw(t, "digest")}
		for i := range rapid.IntRange(0, 14).Draw(t, "records") {
			f.Records = append(f.Records, Located{drawRecord(t), uint32(i + 1)})
		}
		frags = append(frags, f)
	}
	return frags
}

func drawClaims(t *rapid.T) *Claims {
	return NewClaims(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Claim {
		return Claim{drawSource.Draw(t, "claimant"), netip.MustParsePrefix(drawRange.Draw(t, "range"))}
	}), 0, 4).Draw(t, "claims"))
}

func drawInput(t *rapid.T) MergeInput {
	in := MergeInput{Apex: testApex, Registry: "APNIC", Claims: drawClaims(t), Fragments: drawFragments(t), Released: map[Name]bool{}}
	in.Apex.TTL.FromSource = rapid.Bool().Draw(t, "ttl from source")
	in.Apex.TTL.Min, in.Apex.TTL.Max = 400, 500
	if rapid.IntRange(0, 4).Draw(t, "release") == 0 {
		in.Released["28.12.202.in-addr.arpa."] = true
	}
	if rapid.IntRange(0, 2).Draw(t, "stand") == 0 {
		in.Stand = map[Name]Stand{}
		for range rapid.IntRange(1, 3).Draw(t, "standing") {
			in.Stand[testName(drawOwner.Draw(t, "stands"))] = Stand{drawSource.Draw(t, "from"), rapid.Bool().Draw(t, "over")}
		}
	}
	return in
}

// drawHistory draws some published states, each made from the one before, and the
// input of the next run.
func drawHistory(t *rapid.T) MergeInput {
	var published *Zone
	for range rapid.IntRange(0, 3).Draw(t, "runs") {
		in := drawInput(t)
		in.Published = published
		published, _ = Merge(in)
	}
	in := drawInput(t)
	in.Published = published
	return in
}

// Whatever the sources say, now and before: the zone is well-formed, does not
// depend on the order of fragments or records, can be replayed from what it
// kept, and does not change when nothing else does.
func TestMergeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawHistory(t)
		z, notices := Merge(in)
		checkZone(t, z)

		shuffled := in
		shuffled.Fragments = slices.Clone(in.Fragments)
		rng := rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed")))
		rng.Shuffle(len(shuffled.Fragments), func(i, j int) {
			shuffled.Fragments[i], shuffled.Fragments[j] = shuffled.Fragments[j], shuffled.Fragments[i]
		})
		for i, f := range shuffled.Fragments {
			g := *f
			g.Records = slices.Clone(f.Records)
			rng.Shuffle(len(g.Records), func(i, j int) { g.Records[i], g.Records[j] = g.Records[j], g.Records[i] })
			shuffled.Fragments[i] = &g
		}
		y, others := Merge(shuffled)
		if d := cmp.Diff(z, y); d != "" {
			t.Fatalf("another order, another zone:\n%s", d)
		}
		if d := cmp.Diff(notices, others); d != "" {
			t.Fatalf("another order, other notices:\n%s", d)
		}

		replay := in
		replay.Published, replay.Released, replay.Stand = ZoneFromKept(in.Apex, z.KeptRecords()), nil, StandsOf(z.KeptRecords())
		y, _ = Merge(replay)
		if d := cmp.Diff(z, y); d != "" {
			t.Fatalf("replayed from what was kept (-built +replayed):\n%s", d)
		}

		still := in
		still.Published, still.Released = z, nil // an accept is spent when its loss has happened
		y, others = Merge(still)
		if d := cmp.Diff(recordsOf(z), recordsOf(y)); d != "" {
			t.Fatalf("nothing changed, but the zone did (-first +second):\n%s", d)
		}
		checkFinal(t, in, y, others)
		for _, n := range notices {
			if n.Code == "" || n.Text == "" || n.Zone != in.Apex.Origin {
				t.Fatalf("notice %+v", n)
			}
		}
		keys := map[string]bool{}
		for _, n := range notices {
			if keys[n.Key()] {
				t.Fatalf("two notices for %s", n.Key())
			}
			keys[n.Key()] = true
		}
	})
}

// checkFinal merges once more: what made the same zone of the same published
// state, or did not ask for it, says the same again, word for word. Only then may
// a run leave the zone out.
func checkFinal(t *rapid.T, in MergeInput, z *Zone, notices []Notice) {
	asked := false
	again := in
	again.Released, again.Published, again.Ask = nil, nil, func() *Zone { asked = true; return z }
	y, others := Merge(again)
	if !asked {
		if d := cmp.Diff(notices, others); d != "" {
			t.Fatalf("nothing was asked, but the notices changed:\n%s", d)
		}
	}
	if asked && cmp.Diff(z, y) != "" {
		return
	}
	next := again
	next.Ask = func() *Zone { return y }
	w, last := Merge(next)
	if d := cmp.Diff(y, w); d != "" {
		t.Fatalf("the zone is not final (-first +second):\n%s", d)
	}
	if d := cmp.Diff(others, last); d != "" {
		t.Fatalf("the notices are not final (-first +second):\n%s", d)
	}
}

func recordsOf(z *Zone) []Record {
	var rs []Record
	for _, e := range z.Entries {
		rs = append(rs, e.Record)
	}
	return rs
}

// No source but the registry gets a name in that it has no claim to, unless it
// stands from before; and in a contested range nothing is new.
func TestMergeRights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawHistory(t)
		z, _ := Merge(in)
		for _, e := range z.Entries {
			source := z.Source(e)
			if e.Kept != "" || source == "APNIC" || e.Type != TypeNS {
				continue
			}
			p, ok := e.Name.Prefix()
			if !ok || !in.Claims.Covers(source, p) {
				t.Fatalf("%s got %s without a claim", source, e.Name)
			}
			if in.Claims.claimants(p, "APNIC") != nil {
				t.Fatalf("%s got %s in a contested range", source, e.Name)
			}
		}
	})
}
