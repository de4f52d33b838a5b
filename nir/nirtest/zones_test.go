package nirtest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"nirzone/nir"
)

// Acts of the machine on reverse zones.

func nirStaff(code string, at time.Time) nir.Actor {
	return nir.Actor{Name: "staff", Roles: []nir.Role{nir.NIRStaff}, NIR: code, At: at}
}

// confirmKey has two persons confirm the key of an NIR.
func (k *machine) confirmKey(*rapid.T) {
	code := k.code()
	if rapid.IntRange(0, 3).Draw(k.t, "seldom") > 0 {
		k.t.Skip("keys are seldom")
	}
	var p nir.Proposal
	k.do(hostmaster(k.at), "", func(x *nir.Tx) (err error) {
		p, err = x.ProposeKey(code, fmt.Sprintf("%040X", len(k.states)))
		return err
	})
	for _, c := range [][2]string{{"hostmaster", string(nir.Forbidden)}, {"anna", ""}} {
		s := k.signature(c[0], p.Hash, nir.Approver)
		k.do(admin(k.at), c[1], func(x *nir.Tx) error { _, err := x.Approve(p.Hash, s); return err })
	}
	k.m.nirs[code].key = true
}

// switchOption changes how an NIR manages its zones: to Option 1 only with the
// number of those that are in use, and after probation only with a key.
func (k *machine) switchOption(*rapid.T) {
	code := k.code()
	to := 3 - k.m.nirs[code].option
	removes, want := 0, ""
	if to == 1 {
		removes = k.m.activeZones(code)
		if rapid.IntRange(0, 3).Draw(k.t, "wrong number") == 0 {
			removes++
			want = string(nir.Held)
		}
		if n := k.m.nirs[code]; n.active && n.probed && !n.key {
			want = string(nir.Conflict)
		}
	}
	k.do(nirStaff(code, k.at), want, func(x *nir.Tx) error { return x.SwitchOption(code, to, nil, removes) })
	k.count("switch", want)
	if want == "" {
		k.m.switchOption(code, to)
	}
}

// zone says the last word about a zone: a name server, none, or that it is gone.
func (k *machine) zone(*rapid.T) {
	if len(k.m.zones) == 0 {
		k.t.Skip("no zone")
	}
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(k.m.zones))).Draw(k.t, "zone")
	z := k.m.zones[name]
	host := rapid.SampledFrom([]string{"a.example.net", "b.example.net", "", "delete"}).Draw(k.t, "host")
	want := ""
	switch {
	case z.deleted:
		want = missing
	case host == "" && !k.m.whole(z):
		want = string(nir.Forbidden) // there is no dummy of several
	case host != "" && host != "delete" && k.m.hidden(name):
		want = conflict
	}
	a := admin(k.at)
	if host == "delete" {
		source := "APNIC"
		if z.nir != "" {
			a, source = nirStaff(z.nir, k.at), k.m.nirs[z.nir].source
		}
		k.do(a, want, func(x *nir.Tx) error { return x.DeleteWhois("domain", name, source) })
	} else {
		ns := []string{host}
		if host == "" {
			ns = nil
		}
		k.do(a, want, func(x *nir.Tx) error { _, err := x.SetDomain(name, ns, nil); return err })
	}
	k.count("zone", want)
	switch {
	case want != "":
	case host != "delete":
		z.host = host
	case z.nir == "" || !k.m.whole(z):
		delete(k.m.zones, name)
	default:
		z.host, z.deleted = "", true
	}
}

// checkZones: P12. Domain objects are the function of what is delegated, of the
// options and of the last words.
func (k *machine) checkZones(v *nir.View) error {
	got := map[string]string{}
	for _, code := range []string{"", "AANIC", "BBNIC"} {
		list, err := v.Domains(code)
		if err != nil {
			return err
		}
		for _, w := range list {
			got[w.Key] = code + " " + w.State
			o, err := w.RPSL()
			if err != nil {
				return err
			}
			source := "APNIC"
			if code != "" {
				source = k.m.nirs[code].source
			}
			if o.Get("source") != source {
				k.t.Fatalf("P12: %s is of source %s, its manager is %q", w.Key, o.Get("source"), code)
			}
			if w.State == nir.DomainActive {
				got[w.Key] = code + " " + o.Get("nserver")
			}
		}
	}
	for name, z := range k.m.zones {
		if got[name] != z.String() {
			k.t.Fatalf("P12: %s is %q, it has to be %q", name, got[name], z)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		k.t.Fatalf("P12: there are domain objects that nothing asks for: %v", got)
	}
	return nil
}
