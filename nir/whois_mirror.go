package nir

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nirzone/nir/inr"
	"nirzone/nir/rpsl"
)

// A Dump is the whois database of an NIR as its own file, plain or packed by gzip,
// verified by whoever fetched it.
type Dump struct {
	NIR    string
	File   string // its name, for messages
	Data   []byte
	Digest string    // SHA-256 of Data, hex; "" if nobody said
	Signer string    // whose seal it has, "" for none
	Serial string    // what the NIR calls this state
	Time   time.Time // of the NIR's state
	Latin1 bool      // the text is ISO 8859-1
}

// A WhoisMirror is the state of the mirror of an NIR's whois. A version is a cycle.
type WhoisMirror struct {
	Row
	NIR        string    `json:"nir"`
	File       string    `json:"file"`
	Digest     string    `json:"digest"`
	Signer     string    `json:"signer"`
	Serial     string    `json:"serial"`
	Dumped     time.Time `json:"dumped"`  // the time of the NIR's state
	Checked    time.Time `json:"checked"` // when it was read last
	Objects    int       `json:"objects"` // that are mirrored now
	Added      int       `json:"added"`   // by the last cycle, and so on
	Changed    int       `json:"changed"`
	Deleted    int       `json:"deleted"`
	Refused    int       `json:"refused"`  // of another source, or outside the NIR's space
	Held       int       `json:"held"`     // deletions that wait for a person
	Hash       string    `json:"hash"`     // of these
	Released   string    `json:"released"` // the hash that the next cycle may delete
	ReleasedBy string    `json:"released_by"`
}

var whoisMirrors = newTable[WhoisMirror]("whois_mirror", "wmr")

// Lag is how far the mirror is behind.
func (m *WhoisMirror) Lag(now time.Time) time.Duration { return now.Sub(m.Dumped) }

// Mirror returns the state of an NIR's mirror; [NotFound] if there was no cycle.
func (v *View) Mirror(nir string) (WhoisMirror, error) {
	m, ok, err := whoisMirrors.one(v, "nir = $1", nir)
	if err == nil && !ok {
		err = refuse(NotFound, "the whois of %s was never mirrored", nir)
	}
	return m, err
}

// Mirrors returns the states of all mirrors, by NIR.
func (v *View) Mirrors() ([]WhoisMirror, error) {
	return whoisMirrors.find(v, "id <> '' ORDER BY nir")
}

// MirrorWhois makes the mirrored objects of an NIR what its dump says: one cycle,
// one event. A dump that cannot be read wholly is refused wholly, with all its
// mistakes. Objects of another source and those outside the NIR's space are left
// out and told in a notice. Deletions above the limits of [WhoisRules], at once or
// over 24 hours or 7 days, are held, everything else of the dump is taken; [Tx.ReleaseMirror] lets the next cycle
// make them. What is kept here, and what other NIRs say, is never touched.
func (x *Tx) MirrorWhois(d Dump) (WhoisMirror, error) {
	m, err := x.admitDump(&d)
	if err != nil {
		return m, err
	}
	c := cycle{x: x, d: &d, seen: map[string]*WhoisObject{}, outside: map[string]bool{}}
	if err := c.read(); err != nil {
		return m, err
	}
	x.act("whois.mirror")
	if err := c.compare(); err != nil {
		return m, err
	}
	m.Added, m.Changed, m.Deleted, m.Refused, m.Held, m.Hash = c.added, c.changed, 0, c.refused, 0, ""
	if err := c.delete(&m); err != nil {
		return m, err
	}
	m.Objects = len(c.seen) + m.Held
	m.File, m.Digest, m.Signer, m.Serial, m.Dumped, m.Checked = d.File, d.Digest, d.Signer, d.Serial, d.Time.UTC().Truncate(time.Microsecond), x.Actor.At
	m.Released, m.ReleasedBy = "", ""
	if err := whoisMirrors.put(x, &m); err != nil {
		return m, err
	}
	return m, c.tell(&m)
}

// admitDump refuses what is not the file that was verified, or an older state than
// the one that is here.
func (x *Tx) admitDump(d *Dump) (WhoisMirror, error) {
	if err := x.Actor.need("mirror a whois database", RegistryStaff, Admin); err != nil {
		return WhoisMirror{}, err
	}
	if _, err := x.NIR(d.NIR); err != nil {
		return WhoisMirror{}, err
	}
	sum := sha256.Sum256(d.Data)
	digest := hex.EncodeToString(sum[:])
	if d.Digest != "" && !strings.EqualFold(d.Digest, digest) {
		return WhoisMirror{}, invalid("digest", "%s has SHA-256 %s, not %.64s: fetch it again", d.File, digest, d.Digest)
	}
	d.Digest = digest
	if len(d.Data) == 0 {
		return WhoisMirror{}, invalid("file", "%s is empty: what is mirrored stays", d.File)
	}
	m, _, err := whoisMirrors.one(x.View, "nir = $1", d.NIR)
	if err == nil && d.Time.Before(m.Dumped) {
		err = refuse(Conflict, "%s is of %s, older than what is mirrored, %s", d.File, d.Time.UTC().Format(time.RFC3339), m.Dumped.Format(time.RFC3339)).
			in("time").remedy("ask " + d.NIR + " for its present state")
	}
	m.NIR = d.NIR
	return m, err
}

// A cycle is one dump on its way into the registry.
type cycle struct {
	x              *Tx
	d              *Dump
	source         string
	seen           map[string]*WhoisObject // by type and key
	order          []string
	refused        int      // objects that are left out
	why            []string // of the first of them, in the dump's order
	outside        map[string]bool
	added, changed int
	missing        []WhoisObject
	moved          []WhoisObject // mirrored, and outside the NIR's space now
	before         int
	space          inr.Set // that the NIR manages
}

// The bounds of a dump. The objects of a cycle are in memory together: the bounds are
// far below those of package rpsl, which reads one object after the other.
const (
	maxDumpBytes   = 1 << 30 // octets of the text, unpacked
	maxDumpObjects = 5_000_000
	maxWhy         = 5 // objects left out of which it is said why
)

func dumpLimits(latin1 bool) rpsl.Limits {
	return rpsl.Limits{Bytes: maxDumpBytes, Objects: maxDumpObjects, Latin1: latin1}
}

// leaveOut counts an object that is left out: of the first ones it is kept why.
func (c *cycle) leaveOut(format string, args ...any) {
	if c.refused++; len(c.why) < maxWhy {
		c.why = append(c.why, fmt.Sprintf(format, args...))
	}
}

// read reads the dump.
func (c *cycle) read() error {
	n, err := c.x.NIR(c.d.NIR)
	if err != nil {
		return err
	}
	c.source = n.Source
	if c.space, err = c.x.spaceOf(c.d.NIR); err != nil {
		return err
	}
	var bad rpsl.Mistakes
	fail := func(o *rpsl.Object, text string) {
		if len(bad.List) < rpsl.DefaultLimits().Mistakes {
			bad.List = append(bad.List, &rpsl.Mistake{File: o.File, Line: o.Line, Text: text})
		} else {
			bad.More++
		}
	}
	err = rpsl.Each(c.d.File, bytes.NewReader(c.d.Data), dumpLimits(c.d.Latin1), func(o *rpsl.Object) error {
		w := &WhoisObject{Origin: Mirrored, NIR: c.d.NIR}
		if err := w.fill(o); err != nil {
			fail(o, err.Error())
			return nil
		}
		if !strings.HasSuffix(w.Text, "\n") {
			w.Text += "\n"
		}
		id := w.Type + " " + w.Key
		switch {
		case w.Source != c.source:
			c.leaveOut("%s:%d: %s is of source %s, not %s", o.File, o.Line, id, w.Source, c.source)
		case !inside(w, c.space):
			c.outside[id] = true
			c.leaveOut("%s:%d: %s is outside the space of %s", o.File, o.Line, id, c.d.NIR)
		case c.seen[id] != nil:
			fail(o, id+" is there twice: keep one")
		default:
			c.seen[id] = w
			c.order = append(c.order, id)
		}
		return nil
	})
	if err == nil && len(bad.List) > 0 {
		err = &bad
	}
	if err != nil {
		return fmt.Errorf("mirroring %s, what is mirrored stays: %w", c.d.NIR, errors.Join(invalid("file", "it cannot be read wholly").remedy("have "+c.d.NIR+" mend the dump: it is taken whole or not at all"), err))
	}
	return nil
}

// spaceOf returns what an NIR manages.
func (v *View) spaceOf(nir string) (inr.Set, error) {
	var b inr.Builder
	err := delegations.each(v, "nir = $1", []any{nir}, func(d *Delegation) error {
		b.Add(d.Range)
		return nil
	})
	return b.Set(), err
}

// inside reports whether an object stands for nothing outside a space.
func inside(w *WhoisObject, space inr.Set) bool {
	if w.Range.Valid() {
		return space.Contains(w.Range)
	}
	if w.Type == "route" || w.Type == "route6" {
		at := strings.LastIndex(w.Key, "AS")
		r, err := inr.ParseRange(w.Key[:max(at, 0)])
		return err == nil && space.Contains(r)
	}
	return true
}

// compare writes what is new or different, and finds what is missing.
func (c *cycle) compare() error {
	old := map[string]WhoisObject{}
	var names []string
	err := whoisObjects.each(c.x.View, "origin = 'mirror' AND nir = $1 ORDER BY type, key, source", []any{c.d.NIR}, func(w *WhoisObject) error {
		id := w.Type + " " + w.Key
		if w.Source != c.source { // that the NIR had before: no dump has it any more
			id += " " + w.Source
		}
		old[id] = *w
		names = append(names, id)
		return nil
	})
	if err != nil {
		return err
	}
	c.before = len(old)
	for _, id := range c.order {
		was, known := old[id]
		switch {
		case !known:
			c.added++
			err = c.x.putWhois(c.seen[id], nil)
		case was.Text != c.seen[id].Text:
			c.changed++
			err = c.x.putWhois(c.seen[id], &was)
		}
		if err != nil {
			return err
		}
	}
	for _, id := range names {
		switch {
		case c.seen[id] != nil:
		case c.outside[id]:
			c.moved = append(c.moved, old[id])
		default:
			c.missing = append(c.missing, old[id])
		}
	}
	return nil
}

// delete ends what is missing, unless it is too much at once.
func (c *cycle) delete(m *WhoisMirror) error {
	r := c.x.Rules.Whois.filled()
	n := len(c.missing)
	hash := c.hash()
	tooMany := r.mirrorLoses(n, c.before) || n > 0 && n == c.before
	if n > 0 && !tooMany && m.Released != hash {
		var err error
		if tooMany, err = c.drifts(m, r); err != nil {
			return err
		}
	}
	if tooMany && m.Released != hash {
		m.Held, m.Hash = n, hash
		c.missing = nil
	}
	for _, w := range slices.Concat(c.missing, c.moved) {
		if err := whoisObjects.end(c.x, w.ID); err != nil {
			return err
		}
		m.Deleted++
	}
	return nil
}

// hash names the missing objects and nothing else: the dump may go on changing
// around them while a person thinks about it.
func (c *cycle) hash() string {
	h := sha256.New()
	fmt.Fprintf(h, "nirzone whois hold 1\n%q\n", c.d.NIR)
	for _, w := range c.missing { // sorted: they come from the index
		fmt.Fprintf(h, "%q %q\n", w.Type, w.Key)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// tell opens and closes the notices of a cycle.
func (c *cycle) tell(m *WhoisMirror) error {
	text := ""
	if m.Held > 0 {
		missing, stay := "are missing", "stay"
		if m.Held == 1 {
			missing, stay = "is missing", "stays"
		}
		text = fmt.Sprintf("%d of %s %s in %s and %s until somebody accepts that: nirctl whois release %s %.12s --removes %d", m.Held, plural(c.before, "object"), missing, c.d.File, stay, c.d.NIR, m.Hash, m.Held)
	}
	if err := c.x.notice(c.d.NIR, "mirror-held", c.source, "error", text); err != nil {
		return err
	}
	text = ""
	if c.refused > 0 {
		left := " are left out: "
		if c.refused == 1 {
			left = " is left out: "
		}
		text = plural(c.refused, "object") + left + strings.Join(c.why, "; ")
	}
	if more := c.refused - len(c.why); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	if err := c.x.notice(c.d.NIR, "mirror-refused", c.source, "warning", text); err != nil {
		return err
	}
	return c.x.notice(c.d.NIR, "mirror-late", c.source, "warning", c.x.late(m))
}

// notice opens a notice, or closes it if there is nothing to say.
func (x *Tx) notice(nir, code, subject, severity, text string) error {
	if text != "" {
		return x.notify(Notice{NIR: nir, Code: code, Subject: subject, Severity: severity, Text: text, Origin: "whois"})
	}
	return x.settle(nir, code, subject)
}

func (x *Tx) late(m *WhoisMirror) string {
	if x.MirrorLate(m, x.Actor.At) {
		return fmt.Sprintf("the mirror shows the state of %s, more than %s ago", m.Dumped.Format(time.RFC3339), x.Rules.Whois.filled().MirrorStale)
	}
	return ""
}

// MirrorLate reports whether a mirror is further behind than the rules allow.
func (v *View) MirrorLate(m *WhoisMirror, now time.Time) bool {
	return m.Lag(now) > v.Rules.Whois.filled().MirrorStale
}

// CheckMirrors opens a notice for each mirror that is late, and closes those of
// mirrors that are not.
func (x *Tx) CheckMirrors() error {
	if err := x.Actor.need("check the mirrors", RegistryStaff, Admin); err != nil {
		return err
	}
	list, err := x.Mirrors()
	if err != nil {
		return err
	}
	x.act("whois.check")
	for _, m := range list {
		n, err := x.NIR(m.NIR)
		if err == nil {
			err = x.notice(m.NIR, "mirror-late", n.Source, "warning", x.late(&m))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ReleaseMirror lets the next cycle of an NIR's mirror make the deletions that are
// held, if it misses the same objects. They are named by their hash, or by eight
// digits of it and more, and by their number.
func (x *Tx) ReleaseMirror(nir, hash string, removes int) error {
	if err := x.Actor.need("release deletions", RegistryStaff, Admin); err != nil {
		return err
	}
	m, err := x.Mirror(nir)
	if err != nil {
		return err
	}
	switch {
	case m.Held == 0:
		return refuse(NotFound, "nothing of %s is held", nir)
	case len(hash) < 8 || !strings.HasPrefix(m.Hash, strings.ToLower(hash)):
		return refuse(NotFound, "%.64q is not what is held of %s: that is %.12s", hash, nir, m.Hash)
	case removes != m.Held:
		return refuse(Held, "%s would be deleted, not %d", plural(m.Held, "object"), removes).in("removes").remedy(fmt.Sprintf("--removes %d", m.Held))
	case x.Actor.Reason == "":
		return invalid("reason", "say why").remedy("-m REASON")
	}
	m.Released, m.ReleasedBy = m.Hash, x.Actor.Name
	x.act("whois.release")
	return whoisMirrors.put(x, &m)
}
