package zone

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The codes of the notices that observations give, all to the registry itself.
// The name of those about one server is the server's.
const (
	codeServerSilent    = "server-silent"
	codeServerLame      = "server-lame"
	codeServerMalformed = "server-malformed"
	codeServerUnknown   = "server-unknown"
	codeServerBehind    = "server-behind"
	codeServerAhead     = "server-ahead"
	codeSerialBack      = "serial-back"
	codeServerDiffers   = "server-differs"
	codeServerExpiry    = "server-expiry"
	codeNotServed       = "delegation-missing"
	codeServedOtherwise = "delegation-differs"
	codeParentList      = "parent-list"
	codeParentShrank    = "parent-shrank"
	codeParentUnseen    = "parent-unseen"
	codeDSNone          = "ds-none"
	codeDSMissing       = "ds-missing"
	codeDSDiffers       = "ds-differs"
	codeDSBogus         = "ds-bogus"
	codeDSExtra         = "ds-extra"
	codeObserveStale    = "observe-stale"
)

var observeDocs = []CodeDoc{
	{codeServedOtherwise, Alarm, false, "a server with the published serial has delegations with other NS or DS sets", "transfer the zone to it anew"},
	{codeNotServed, Alarm, false, "a server with the published serial does not have delegations that are in the published zone; the text names some", "transfer the zone to it anew; see what its file or database holds"},
	{codeDSBogus, Alarm, false, "no DS record at an address of the parent stands for a key that is published: validating resolvers refuse the zone", "have the parent publish the DS that `zonebuild keys` shows"},
	{codeDSDiffers, Warning, false, "the addresses of the parent's servers have different DS sets; a change is on its way, or one is behind", "wait; tell the parent if it lasts"},
	{codeDSExtra, Warning, false, "the parent has a DS for a key that is not published, beside one that is", "let the key be published, or the DS removed"},
	{codeDSMissing, Alarm, false, "some addresses of the parent's servers have a DS set and others say that there is none", "tell the parent"},
	{codeDSNone, Warning, false, "the parent has no DS set: nobody can validate the zone", "hand in the DS that `zonebuild keys` shows"},
	{codeObserveStale, Warning, false, "nothing was observed for longer than `observe.fresh_for`; what these notices say is old, and no DS is believed", "run `zonefetch observe` from cron"},
	{codeParentList, Info, false, "the parent's own NS set names a server that `[[observe.parent]]` does not; it is not asked, and a key may be retired before it has the new DS", "add it there, or take the parent's servers out of the configuration"},
	{codeParentShrank, Warning, false, "a server of the parent, or an address of it, is not named any more; it is asked, and key steps wait for it, until it has not been named for seven days", "if it is gone for good and a key must not wait, name the parent's servers in `[[observe.parent]]`"},
	{codeParentUnseen, Warning, false, "a server of the parent gave no good answer; key steps that wait for a DS go on waiting", "see whether this host reaches it; a host without IPv6 sets `observe.ipv6` to false"},
	{codeSerialBack, Alarm, false, "a server has an older serial than it had before (RFC 1982): its secondaries stop to follow", "see where it gets the zone from; never set a serial back"},
	{codeServerAhead, Alarm, false, "a server has a newer serial than the published one (RFC 1982): it will not take what is published", "see where it gets the zone from; if a serial was lost, raise the zone's above it"},
	{codeServerBehind, Error, false, "a server has had an older serial for longer than `observe.lag`", "see its log for failed transfers or a zone that it refuses to load"},
	{codeServerDiffers, Alarm, false, "a server has the published serial and other bytes: apex sets or their signatures differ", "transfer the zone to it anew; two signers must not share a serial"},
	{codeServerExpiry, Alarm, false, "a signature that a server gives ends within `signing.alarm`, whatever its serial", "see whether the zone is still signed, published and transferred"},
	{codeServerLame, Error, false, "a server answers and has not the zone (RFC 1912, section 2.8)", "configure the zone there, or take the server out of the NS set"},
	{codeServerMalformed, Error, false, "what comes from a server's address is no answer to the question", "look for something in between that rewrites DNS"},
	{codeServerSilent, Error, false, "a server does not answer", "start it or open the way to it, or take it out of the NS set"},
	{codeServerUnknown, Error, false, "a server's addresses could not be found", "correct its name, or write its addresses into `[[observe.server]]`"},
}

// Notices returns what the registry's staff should know of the observations,
// sorted. It validates nothing: that is for the package sign. Texts hold no ages, so
// that they change only if something did.
func (o *Observations) Notices(c *Config, now time.Time) []Notice {
	w := &observationNotices{cfg: c, now: now, sets: o.Index()}
	if age := now.Sub(o.Time); age > c.Observe.FreshFor {
		w.zone = ""
		w.give(codeObserveStale, "", "the last zonefetch observe was at %s, longer ago than observe.fresh_for = %v", o.Time.UTC().Format(time.RFC3339), c.Observe.FreshFor)
	}
	for i := range o.Zones {
		if c.Group(o.Zones[i].Zone) != nil {
			w.ofZone(&o.Zones[i])
		}
	}
	w.parents(o)
	for i := range w.out {
		w.out[i].Text = w.whole(&w.out[i])
	}
	SortNotices(w.out)
	return w.out
}

// whole is a text that can be read alone: whom it is about, what happened, what to
// do.
func (w *observationNotices) whole(n *Notice) string {
	i := slices.IndexFunc(observeDocs, func(d CodeDoc) bool { return d.Code == n.Code })
	var about string
	switch {
	case n.Name != "" && n.Zone != "":
		about = n.Name.File() + " for " + n.Zone.File() + ": "
	case n.Zone != "":
		about = n.Zone.File() + ": "
	}
	return about + n.Text + " (" + strings.ReplaceAll(observeDocs[i].Remedy, "`", "") + ")"
}

type observationNotices struct {
	cfg  *Config
	now  time.Time
	sets map[string]*RRset
	zone Name
	out  []Notice
}

// give adds a notice, or its text to the one of the same server and code.
func (w *observationNotices) give(code string, server Name, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for i := range w.out {
		if n := &w.out[i]; n.Code == code && n.Name == server && n.Zone == w.zone {
			n.Text += "; " + text
			return
		}
	}
	i := slices.IndexFunc(observeDocs, func(d CodeDoc) bool { return d.Code == code })
	w.out = append(w.out, Notice{Code: code, Severity: observeDocs[i].Severity, Source: w.cfg.RIR, Zone: w.zone, Name: server, Text: text})
}

func (w *observationNotices) ofZone(z *ObservedZone) {
	w.zone = z.Zone
	for i := range z.Servers {
		w.server(z, &z.Servers[i])
	}
	for _, u := range z.Unknown {
		code := codeServerUnknown
		if u.Parent {
			code = codeParentUnseen
		}
		w.give(code, u.Server, "%s", u.Reason)
	}
	w.delegation(z)
}

var faultCodes = map[Fault]string{FaultSilent: codeServerSilent, FaultLame: codeServerLame, FaultMalformed: codeServerMalformed}

func (w *observationNotices) server(z *ObservedZone, o *Observation) {
	if o.Fault != "" {
		w.give(faultCodes[o.Fault], o.Server, "%s, since %s: %s", o.Address, o.Since.UTC().Format(time.RFC3339), o.Reason)
	}
	if o.Last.IsZero() {
		return
	}
	if !o.Expires.IsZero() && o.Expires.Sub(w.now) < w.cfg.Signing.Alarm {
		w.give(codeServerExpiry, o.Server, "%s: a signature ends at %s, within signing.alarm = %v, at serial %d", o.Address, o.Expires.UTC().Format(time.RFC3339), w.cfg.Signing.Alarm, o.Serial)
	}
	if o.Serial.Before(o.Highest) {
		w.give(codeSerialBack, o.Server, "%s: serial %d, after %d was seen there", o.Address, o.Serial, o.Highest)
	}
	if len(o.Missing) > 0 {
		w.give(codeNotServed, o.Server, "%s: serial %d without %s", o.Address, o.Serial, someNames(o.Missing))
	}
	if len(o.Differs) > 0 {
		w.give(codeServedOtherwise, o.Server, "%s: serial %d with other records of %s", o.Address, o.Serial, someNames(o.Differs))
	}
	w.serial(z, o)
}

// serial holds what a server has against what is published.
func (w *observationNotices) serial(z *ObservedZone, o *Observation) {
	switch {
	case z.SerialSince.IsZero(): // nothing is published
	case o.Serial == z.Serial:
		if other := w.otherSets(z, o); len(other) > 0 {
			w.give(codeServerDiffers, o.Server, "%s: serial %d as published, but other %s", o.Address, o.Serial, strings.Join(other, ", "))
		}
	case o.OldSince.IsZero() || w.now.Sub(o.OldSince) < w.cfg.Observe.Lag:
	case o.Serial.Before(z.Serial):
		w.give(codeServerBehind, o.Server, "%s: serial %d instead of %d, since %s or longer", o.Address, o.Serial, z.Serial, o.OldSince.UTC().Format(time.RFC3339))
	default:
		w.give(codeServerAhead, o.Server, "%s: serial %d, but %d is published", o.Address, o.Serial, z.Serial)
	}
}

// otherSets lists the types of the published apex that a server has otherwise, with
// their signatures.
func (w *observationNotices) otherSets(z *ObservedZone, o *Observation) []string {
	var other []string
	for _, id := range z.Published {
		s := w.sets[id]
		if s == nil || slices.ContainsFunc(o.Sets, func(seen SeenSet) bool { return seen.Set == id }) {
			continue
		}
		i := slices.IndexFunc(o.Sets, func(seen SeenSet) bool { return w.sets[seen.Set] != nil && w.sets[seen.Set].Type == s.Type })
		switch {
		case i < 0:
			other = append(other, "no "+s.Type.String())
		case equalData(w.sets[o.Sets[i].Set].Data, s.Data):
			other = append(other, s.Type.String()+" signatures or TTL")
		default:
			other = append(other, s.Type.String())
		}
	}
	return other
}

func equalData(a, b [][]byte) bool {
	return slices.EqualFunc(a, b, func(x, y []byte) bool { return string(x) == string(y) })
}

func someNames(names []Name) string {
	const most = 5
	var list []string
	for _, n := range names[:min(len(names), most)] {
		list = append(list, n.File())
	}
	text := strings.Join(list, ", ")
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return text
}

// delegation holds what the parent's servers say of the DS set against the
// published keys, and against each other.
func (w *observationNotices) delegation(z *ObservedZone) {
	var with, without []*Observation
	var first *RRset
	differ := false
	for i := range z.Delegation {
		o := &z.Delegation[i]
		if o.Fault != "" {
			w.give(codeParentUnseen, o.Server, "%s, since %s: %s", o.Address, o.Since.UTC().Format(time.RFC3339), o.Reason)
		}
		if o.Last.IsZero() {
			continue
		}
		s := w.dsSet(o)
		if s == nil {
			without = append(without, o)
			continue
		}
		with = append(with, o)
		if first == nil {
			first = s
		}
		differ = differ || !equalData(first.Data, s.Data)
		w.keys(z, o, s)
	}
	switch {
	case len(with) == 0 && len(without) > 0:
		w.give(codeDSNone, "", "the servers of %s say that there is no DS set", z.Parent.File())
	case len(with) > 0:
		for _, o := range without {
			w.give(codeDSMissing, o.Server, "%s has no DS set; %d other addresses have one", o.Address, len(with))
		}
	}
	if differ {
		w.give(codeDSDiffers, "", "the DS sets at the %d addresses of the servers of %s are not the same", len(with), z.Parent.File())
	}
}

// dsSet returns the DS set that an address gave last, nil if it said there is none.
func (w *observationNotices) dsSet(o *Observation) *RRset {
	if o.Denied || len(o.Sets) == 0 {
		return nil
	}
	s := w.sets[o.Sets[len(o.Sets)-1].Set]
	if s == nil || s.Type != TypeDS {
		return nil
	}
	return s
}

// keys looks for the keys that a DS set stands for among the published ones.
func (w *observationNotices) keys(z *ObservedZone, o *Observation, ds *RRset) {
	var keys *RRset
	for _, id := range z.Published {
		if s := w.sets[id]; s != nil && s.Type == TypeDNSKEY {
			keys = s
		}
	}
	if keys == nil {
		return
	}
	var strangers []string
	for _, d := range ds.Data {
		if !slices.ContainsFunc(keys.Data, func(k []byte) bool { return StandsFor(z.Zone, Data(d), Data(k)) }) {
			strangers = append(strangers, dsTag(d))
		}
	}
	switch {
	case len(strangers) == len(ds.Data):
		w.give(codeDSBogus, o.Server, "%s has DS records for keys %s only, none of which is published", o.Address, strings.Join(strangers, ", "))
	case len(strangers) > 0:
		w.give(codeDSExtra, o.Server, "%s has DS records for keys %s, which are not published", o.Address, strings.Join(strangers, ", "))
	}
}

func dsTag(d []byte) string {
	if len(d) < 4 {
		return "?"
	}
	return fmt.Sprintf("%d/%d", binary.BigEndian.Uint16(d), d[2])
}

// StandsFor reports whether DS data is the digest of a DNSKEY of the zone, by
// SHA-256 or SHA-384 (RFC 4034, section 5.1.4; RFC 4509; RFC 6605, section 2).
func StandsFor(zone Name, ds, dnskey Data) bool {
	if len(ds) < 5 || len(dnskey) < 5 || ds[2] != dnskey[3] {
		return false
	}
	data := append(zone.AppendWire(nil), dnskey...)
	var digest []byte
	switch ds[3] {
	case 2:
		sum := sha256.Sum256(data)
		digest = sum[:]
	case 4:
		sum := sha512.Sum384(data)
		digest = sum[:]
	}
	return digest != nil && string(digest) == string(ds[4:])
}
