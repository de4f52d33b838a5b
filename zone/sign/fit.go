package sign

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"nirzone/zone"
)

// A Fitting is what [Fit] makes of a zone's keys.
type Fitting struct {
	Keys []Key // those that are served, with times that fit
	// Remarks say what was changed about the keys and their times, Blocks why the
	// zone cannot be signed with them without harm: one sentence each.
	Remarks []string
	Blocks  []string
}

// propagation is how long servers and caches may take beyond the TTL to see a
// change: a margin for secondaries that are behind.
const propagation = 24 * time.Hour

// Fit fits the keys that another signer used to what it serves, so that the zone
// can be signed with them from now on without a validator noticing (RFC 6781,
// section 4.3.5; RFC 7583, section 2). What is served decides, not what was
// planned:
//
//   - a key that is not served is left out;
//   - a served key that signs the keys and the zone is a CSK (RFC 6781, section
//     3.1);
//   - a served key that signs is published and active; what was planned for its
//     end is dropped, unless a served successor takes its place by then;
//   - a served key that retired stays in the DNSKEY set until the signatures that
//     it makes for its last slots have left every cache;
//   - a served key whose private half is not there blocks, unless dropped names
//     its tag: whatever rests on it would be bogus.
func Fit(keys []Key, served *zone.Served, dropped []uint16, p zone.SigningConfig, now time.Time) Fitting {
	f := fitter{served: served, now: now.UTC().Truncate(time.Second), stay: p.Slot + longestTTL(served, p) + propagation}
	set := 0
	for _, r := range served.Records {
		if r.Name == served.Origin && r.Type == zone.TypeDNSKEY {
			f.take(keys, []byte(r.Data), dropped)
			set++
		}
	}
	for _, k := range keys {
		if set > 0 && !k.in(f.out.Keys) {
			f.remark("%s is not in the served DNSKEY set and is left out", k.describe())
		}
	}
	if set == 0 { // an unsigned zone: no cache knows of any key
		f.out.Keys = slices.Clone(keys)
	}
	f.settle()
	return f.out
}

// ServedTTLs returns the TTLs that another signer serves a zone with, of the DNSKEY
// set, CDS and CDNSKEY, and the longest of all else, negative answers included;
// none is longer than a week, as no cache keeps longer (RFC 8767, section 4).
func ServedTTLs(s *zone.Served) (keys, data uint32) {
	data = max(s.DenialTTL, s.SOA.TTL, s.SOA.Minimum)
	for _, r := range s.Records {
		switch r.Type {
		case zone.TypeDNSKEY, zone.TypeCDS, zone.TypeCDNSKEY:
			keys = max(keys, r.TTL)
		default:
			data = max(data, r.TTL)
		}
	}
	const week = 7 * 86400
	return min(keys, week), min(data, week)
}

func longestTTL(s *zone.Served, p zone.SigningConfig) time.Duration {
	keys, data := ServedTTLs(s)
	return seconds32(max(p.DNSKEYTTL, keys, data))
}

type fitter struct {
	served *zone.Served
	now    time.Time
	stay   time.Duration // how long a key stays after its last slot began
	out    Fitting
}

func (f *fitter) remark(format string, args ...any) {
	f.out.Remarks = append(f.out.Remarks, fmt.Sprintf(format, args...))
}

func (f *fitter) block(format string, args ...any) {
	f.out.Blocks = append(f.out.Blocks, fmt.Sprintf(format, args...))
}

func (k Key) describe() string {
	return fmt.Sprintf("%s %d (algorithm %d)", k.Role(), k.Tag, k.Algorithm)
}

// take finds the key of a served DNSKEY record.
func (f *fitter) take(keys []Key, rdata []byte, dropped []uint16) {
	i := slices.IndexFunc(keys, func(k Key) bool { return bytes.Equal(k.rdata(), rdata) })
	if i >= 0 {
		f.out.Keys = append(f.out.Keys, keys[i])
		return
	}
	tag := keyTag(rdata)
	if len(rdata) < 4 {
		f.block("a served DNSKEY record is cut short")
		return
	}
	by := f.signer(tag, rdata[3])
	switch {
	case by.Zone+by.Keys > 0:
		made := "1 signature"
		if n := by.Zone + by.Keys; n > 1 {
			made = fmt.Sprintf("%d signatures", n)
		}
		f.block("key %d (algorithm %d) is served and made %s, and its private half is not here: without it everything that caches hold of it is bogus; bring its files", tag, rdata[3], made)
	case slices.Contains(dropped, tag):
		f.remark("key %d (algorithm %d) is served, signs nothing and leaves the DNSKEY set, as was asked for", tag, rdata[3])
	default:
		f.block("key %d (algorithm %d) is served, signs nothing, and its private half is not here; bring its files, or, if no cache and no DS can need it: --drop-key %[1]d", tag, rdata[3])
	}
}

func (f *fitter) signer(tag uint16, alg uint8) zone.ServedSigner {
	for _, by := range f.served.Signatures.By {
		if by.Tag == tag && by.Algorithm == alg {
			return by
		}
	}
	return zone.ServedSigner{}
}

// settle fits the times of the keys that stay.
func (f *fitter) settle() {
	for i := range f.out.Keys {
		k := &f.out.Keys[i]
		by := f.signer(k.Tag, k.Algorithm)
		if k.Flags == FlagsKSK && by.Zone > 0 { // whatever its files say it is for
			k.CSK = true
		}
		f.begin(k, by.Zone+by.Keys > 0 || f.served.Signatures.Count == 0)
	}
	for i := range f.out.Keys { // only now it is known who succeeds whom
		k := &f.out.Keys[i]
		f.end(k, f.signer(k.Tag, k.Algorithm))
	}
}

// begin makes a served key published, and one that signs active.
func (f *fitter) begin(k *Key, signs bool) {
	t := &k.Timing
	since := f.now
	for _, c := range []time.Time{t.Active, t.Publish, t.Created} {
		if reached(c, f.now) {
			since = c
		}
	}
	if !reached(t.Publish, f.now) {
		t.Publish = since
	}
	if t.Created.IsZero() || t.Created.After(t.Publish) {
		t.Created = t.Publish
	}
	if signs && !reached(t.Active, f.now) {
		if !t.Active.IsZero() {
			f.remark("%s signs already, although it was to be active from %s", k.describe(), t.Active.Format(time.RFC3339))
		}
		t.Active = since
	}
	if t.Ready.IsZero() || signs && t.Ready.After(f.now) {
		t.Ready = t.Active
	}
	if k.SignsKeys() && signs && t.DSSeen.IsZero() && f.alone(k) {
		t.Ready = t.Publish // then it is the zone's first, which the parent knows
	}
}

// alone reports whether no other served key signs the DNSKEY set: then the
// parent's DS can be of no other.
func (f *fitter) alone(k *Key) bool {
	return !slices.ContainsFunc(f.out.Keys, func(o Key) bool {
		return o.ID != k.ID && o.SignsKeys() && f.signer(o.Tag, o.Algorithm).Keys > 0
	})
}

// end fits the end of a served key.
func (f *fitter) end(k *Key, by zone.ServedSigner) {
	t := &k.Timing
	if t.Retire.IsZero() && t.Remove.IsZero() {
		return
	}
	if t.Retire.IsZero() {
		t.Retire = t.Remove
	}
	if !f.replaced(k) {
		f.remark("%s has no successor among the served keys: its planned end (%s) is dropped", k.describe(), strings.Join(ends(*t), ", "))
		t.Retire, t.Remove = time.Time{}, time.Time{}
		return
	}
	if stay := t.Retire.Add(f.stay); t.Remove.Before(stay) {
		f.remark("%s stays in the DNSKEY set until %s, when what it signed has left every cache", k.describe(), stay.Format(time.RFC3339))
		t.Remove = stay
	}
	if by.Zone > 0 && k.SignsZone() && reached(t.Remove, f.now) {
		f.remark("%s was to be removed by %s and signs still: it stays", k.describe(), t.Remove.Format(time.RFC3339))
		t.Remove = f.now.Add(f.stay)
	}
}

func ends(t Timing) []string {
	out := []string{"retire " + t.Retire.Format(time.RFC3339)}
	if !t.Remove.IsZero() {
		out = append(out, "remove "+t.Remove.Format(time.RFC3339))
	}
	return out
}

// replaced reports whether another served key with the role takes over by the
// time at which k retires, or has by now.
func (f *fitter) replaced(k *Key) bool {
	by := k.Timing.Retire
	if by.Before(f.now) {
		by = f.now
	}
	return slices.ContainsFunc(f.out.Keys, func(o Key) bool {
		return o.Flags == k.Flags && o.CSK == k.CSK && o.ID != k.ID && !o.Timing.Active.IsZero() && !o.Timing.Active.After(by) &&
			(o.Timing.Retire.IsZero() || o.Timing.Retire.After(k.Timing.Retire))
	})
}
