package nir

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirzone/fixtures/peers"
	"nirzone/nir/inr"
	"nirzone/zone"
)

// runs checks a property a number of times: each run has a database of its own.
func runs(t *testing.T, n int, fn func(*rapid.T)) {
	t.Helper()
	given(t, "rapid.checks", fmt.Sprint(peers.Rounds(n)))
	given(t, "rapid.steps", "15")
	rapid.Check(t, fn)
}

// bestOf is the most specific object around a range by looking at all of them:
// of the same numbers what is kept here before a mirror.
func bestOf(all []WhoisObject, r inr.Range) *WhoisObject {
	var best *WhoisObject
	for i := range all {
		w := &all[i]
		if w.Type == "domain" || !w.Range.Contains(r) {
			continue
		}
		c := -1
		if best != nil {
			c = w.Range.Count().Cmp(best.Range.Count())
		}
		if c < 0 || c == 0 && w.Origin > best.Origin {
			best = w
		}
	}
	return best
}

// TestR_NIR_14_EveryAddressAnswers: for every address of everything that an NIR
// manages there is an answer with its source, and it is the most specific object.
func TestR_NIR_14_EveryAddressAnswers(t *testing.T) {
	n := 0
	dir := t.TempDir()
	runs(t, 5, func(rt *rapid.T) {
		n++
		db := openSQLite(t, filepath.Join(dir, fmt.Sprint(n, ".db")))
		world(t, db)
		secondOption(t, db)
		update(t, db, admin(day), func(x *Tx) error {
			_, err := x.AddPool(Pool{Range: rng(t, "61.0.0.0/12"), Purpose: NIRExisting, NIR: "JPNIC"})
			return err
		})
		for i := range rapid.IntRange(1, 12).Draw(rt, "requests") {
			a := rapid.SampledFrom([]Actor{staff(day), twStaff(day)}).Draw(rt, "nir")
			k := rapid.SampledFrom([]inr.Kind{inr.IPv4, inr.IPv4, inr.IPv6, inr.ASN}).Draw(rt, "kind")
			size := map[inr.Kind]Size{inr.IPv4: Size(rapid.SampledFrom([]string{"/24", "/22", "/20", "768", "/27"}).Draw(rt, "size")), inr.IPv6: "/32", inr.ASN: "1"}[k]
			submit(t, db, a, ask(fmt.Sprint("r", i), fmt.Sprint("m", i%3), k, size))
		}
		mirrorSome(t, rt, db)
		if rapid.Bool().Draw(rt, "move") {
			view(t, db, func(v *View) error {
				list, err := v.Within(NIRToMember, rng(t, "0.0.0.0/0"))
				if err == nil && len(list) > 0 {
					to := map[string]string{"JPNIC": "TWNIC", "TWNIC": ""}[list[0].NIR]
					if list[0].Evidence != ByExistingPool {
						defer moveAll(t, db, list[0].Range, to, day)
					}
				}
				return err
			})
		}
		answers(t, rt, db)
		verify(t, db)
	})
}

// mirrorSome mirrors nested parts of what JPNIC manages.
func mirrorSome(t *testing.T, rt *rapid.T, db *DB) {
	var b strings.Builder
	seen := map[inr.Range]bool{}
	view(t, db, func(v *View) error {
		delegated := map[inr.Range]bool{}
		err := v.EachDelegation(func(d *Delegation) error { delegated[d.Range] = true; return nil })
		if err != nil {
			return err
		}
		space, err := v.spaceOf("JPNIC")
		for r := range space.Of(inr.IPv4).All() {
			for range 6 {
				size := r.Last.Sub(r.First).Lo
				first := rapid.Uint64Range(0, min(size, 1<<12)).Draw(rt, "first")
				part := inr.Range{Kind: inr.IPv4, First: r.First.Add(inr.N(first)), Last: r.First.Add(inr.N(rapid.Uint64Range(first, min(size, first+300)).Draw(rt, "last")))}
				nested := true
				for o := range seen {
					nested = nested && (!o.Overlaps(part) || o.Contains(part) || part.Contains(o))
				}
				for o := range delegated {
					nested = nested && (!o.Overlaps(part) || o.Contains(part) || part.Contains(o))
				}
				if !nested || seen[part] {
					continue
				}
				seen[part] = true
				b.WriteString("inetnum: " + part.RPSL() + "\nnetname: MIRRORED\nsource: JPNIC\n\n")
			}
		}
		return err
	})
	if b.Len() > 0 {
		mirror(t, db, dumpOf(day, b.String()), day)
	}
}

func answers(t *testing.T, rt *rapid.T, db *DB) {
	view(t, db, func(v *View) error {
		all, err := whoisObjects.find(v, "kind <> ''")
		if err != nil {
			return err
		}
		all, err = v.inForce(all)
		if err != nil {
			return err
		}
		return v.EachDelegation(func(d *Delegation) error {
			ends := []inr.Num{d.Range.First, d.Range.Last}
			if size := d.Range.Last.Sub(d.Range.First); size.Hi == 0 {
				for range 4 {
					ends = append(ends, d.Range.First.Add(inr.N(rapid.Uint64Range(0, min(size.Lo, 1<<13)).Draw(rt, "at"))))
				}
			}
			for _, at := range ends {
				one := inr.Range{Kind: d.Range.Kind, First: at, Last: at}
				w, err := v.WhoisCovering(one)
				if err != nil {
					rt.Fatalf("%s of %s: %v", one, d.NIR, err)
				}
				by, err := v.At(d.Range.Kind, at)
				if err != nil {
					return err
				}
				reg, err := v.registrar(by[0].NIR)
				if err != nil {
					return err
				}
				if w.Source != reg.source || !w.Range.Contains(one) {
					rt.Fatalf("%s is of %s, the answer is\n%s", one, reg.source, w.Text)
				}
				if best := bestOf(all, one); best == nil || best.Range != w.Range || best.Origin != w.Origin {
					rt.Fatalf("%s: %s %s, want %+v", one, w.Origin, w.Key, best)
				}
			}
			return nil
		})
	})
}

// A domainModel is what domain objects have to be: a function of the delegations of
// an NIR, of its option and of what was said of its zones.
type domainModel struct {
	option int
	ranges map[string]inr.Range
	ns     map[string]string // of zones that are active
	gone   map[string]bool   // that the NIR deleted
}

func (m *domainModel) want() map[string]string {
	all := map[string]string{}
	if m.option != 2 {
		return all
	}
	for _, r := range m.ranges {
		for at := r.First; !r.Last.Less(at); { // /24 by /24, and /16 where it is whole
			whole := inr.BlockAt(inr.IPv4, at, 16).Range()
			b := inr.BlockAt(inr.IPv4, at, 24)
			if whole.First == at && !r.Last.Less(whole.Last) {
				b = inr.BlockAt(inr.IPv4, at, 16)
			}
			n, _ := zone.ReverseName(b.Prefix())
			switch ns := m.ns[n.File()]; {
			case m.gone[n.File()]:
				all[n.File()] = DomainDeleted
			case ns != "":
				all[n.File()] = ns
			default:
				all[n.File()] = DomainInactive
			}
			at = b.Last().Next()
		}
	}
	return all
}

func domainsNow(t testing.TB, db *DB) map[string]string {
	all := map[string]string{}
	view(t, db, func(v *View) error {
		list, err := v.Domains("TWNIC")
		for _, w := range list {
			all[w.Key] = w.State
			if o, err := w.RPSL(); err != nil {
				return err
			} else if w.State == DomainActive {
				all[w.Key] = o.Get("nserver")
			}
		}
		return err
	})
	return all
}

// TestP12_DomainsFollow: after any sequence of allocations, activations, deletions,
// moves and switches the domain objects are the function of what stands.
func TestP12_DomainsFollow(t *testing.T) {
	runNo := 0
	dir := t.TempDir()
	runs(t, 8, func(rt *rapid.T) {
		runNo++
		db := openSQLite(t, filepath.Join(dir, fmt.Sprint(runNo, ".db")))
		world(t, db)
		secondOption(t, db)
		m := &domainModel{option: 2, ranges: map[string]inr.Range{}, ns: map[string]string{}, gone: map[string]bool{}}
		refs := 0
		pick := func() string {
			var keys []string
			for k, state := range m.want() {
				if state != DomainDeleted {
					keys = append(keys, k)
				}
			}
			slices.Sort(keys)
			if len(keys) == 0 {
				rt.Skip("no zone")
			}
			return rapid.SampledFrom(keys).Draw(rt, "zone")
		}
		rt.Repeat(map[string]func(*rapid.T){
			"allocate": func(rt *rapid.T) {
				refs++
				size := Size(rapid.SampledFrom([]string{"/24", "/22", "/16", "/15", "1280"}).Draw(rt, "size"))
				r := submit(t, db, twStaff(day), ask(fmt.Sprint("r", refs), fmt.Sprint("m", refs%3), inr.IPv4, size))
				for _, one := range r.Ranges {
					m.ranges[one.String()] = one
				}
			},
			"activate": func(rt *rapid.T) {
				z, host := pick(), rapid.SampledFrom([]string{"a.example.net", "b.example.net"}).Draw(rt, "host")
				update(t, db, twStaff(day), func(x *Tx) error { _, err := x.SetDomain(z, []string{host}, nil); return err })
				m.ns[z] = host
			},
			"deactivate": func(*rapid.T) {
				z := pick()
				update(t, db, twStaff(day), func(x *Tx) error { _, err := x.SetDomain(z, nil, nil); return err })
				delete(m.ns, z)
			},
			"delete": func(*rapid.T) {
				z := pick()
				update(t, db, twStaff(day), func(x *Tx) error { return x.DeleteWhois("domain", z, "TWNIC") })
				m.gone[z] = true
				delete(m.ns, z)
			},
			"again": func(*rapid.T) {
				update(t, db, admin(day), func(x *Tx) error { return x.describeAgain("nir = $1", "TWNIC") })
			},
			"move": func(rt *rapid.T) {
				var keys []string
				for k := range m.ranges {
					keys = append(keys, k)
				}
				slices.Sort(keys)
				if len(keys) == 0 {
					rt.Skip("nothing to move")
				}
				k := rapid.SampledFrom(keys).Draw(rt, "range")
				moveAll(t, db, m.ranges[k], "JPNIC", day)
				for z := range (&domainModel{option: 2, ranges: map[string]inr.Range{k: m.ranges[k]}}).want() {
					delete(m.ns, z)
					delete(m.gone, z)
				}
				delete(m.ranges, k)
			},
			"switch": func(*rapid.T) {
				active := 0
				for _, state := range m.want() {
					if state != DomainInactive && state != DomainDeleted {
						active++
					}
				}
				m.option = 3 - m.option
				update(t, db, twStaff(day), func(x *Tx) error { return x.SwitchOption("TWNIC", m.option, nil, active) })
				if m.option == 1 {
					m.ns, m.gone = map[string]string{}, map[string]bool{}
				}
			},
			"": func(rt *rapid.T) {
				if got, want := fmt.Sprint(domainsNow(t, db)), fmt.Sprint(m.want()); got != want {
					rt.Fatalf("domains are %s\nwant %s", got, want)
				}
			},
		})
		verify(t, db)
	})
}

// TestP12_OrderDoesNotMatter: the same delegations and the same last words about
// zones give the same objects, octet by octet, in whatever order they came.
func TestP12_OrderDoesNotMatter(t *testing.T) {
	dir := t.TempDir()
	n := 0
	runs(t, 4, func(rt *rapid.T) {
		ranges := []string{"202.0.0.0/24", "202.0.4.0/22", "202.8.0.0/15", "202.16.0.0-202.16.4.127", "2400::/29", "AS131072"}
		perm := rapid.Permutation(ranges)
		var files [2]map[string]string
		for i := range files {
			n++
			db := openSQLite(t, filepath.Join(dir, fmt.Sprint(n, ".db")))
			world(t, db)
			secondOption(t, db)
			late := rapid.Bool().Draw(rt, "option last")
			if late {
				update(t, db, admin(day), func(x *Tx) error { return x.SwitchOption("TWNIC", 1, nil, 0) })
			}
			for _, text := range perm.Draw(rt, "order") {
				update(t, db, admin(day.Add(time.Hour)), func(x *Tx) error { return x.place(t, text) })
			}
			if late {
				update(t, db, admin(day.Add(time.Hour)), func(x *Tx) error { return x.SwitchOption("TWNIC", 2, nil, 0) })
			}
			for _, z := range rapid.Permutation([]string{"0.0.202.in-addr.arpa", "5.0.202.in-addr.arpa", "0-127.4.16.202.in-addr.arpa"}).Draw(rt, "zones") {
				update(t, db, admin(day.Add(time.Hour)), func(x *Tx) error { _, err := x.SetDomain(z, []string{"ns.example.net"}, nil); return err })
			}
			files[i] = splitFiles(t, db, "TWNIC")
		}
		if len(files[0]) != 4 || !strings.Contains(files[0]["twnic.db.domain"], "ns.example.net") {
			rt.Fatalf("%d files", len(files[0]))
		}
		for name, text := range files[0] {
			if files[1][name] != text {
				rt.Fatalf("%s differs:\n%s\n%s", name, text, files[1][name])
			}
		}
	})
}

// place delegates a range to a member of TWNIC that is named after it.
func (x *Tx) place(t testing.TB, text string) error {
	r := rng(t, text)
	x.act("test.place")
	m, err := x.AddMember("TWNIC", strings.NewReplacer("/", "-", ":", "-").Replace(text), Member{Name: "Member " + text, Economy: "TW", AdminC: "AA1-TW", TechC: "TT1-TW"})
	if err != nil {
		return err
	}
	d := Delegation{Level: RIRToNIR, Range: r, Type: "allocation", Economy: "TW", NIR: "TWNIC", Date: x.Actor.At, Evidence: ByImport}
	if err := x.addDelegation(&d); err != nil {
		return err
	}
	d.Row, d.Level, d.Member = Row{}, NIRToMember, m.ID
	if err := x.addDelegation(&d); err != nil {
		return err
	}
	return x.describe(&d, nil)
}
