package nir

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"nirzone/nir/inr"
	"nirzone/nir/rpsl"
)

// A WhoisObject is an object of a whois database (RFC 2622). Type, Key and the
// columns of the range follow from Text.
type WhoisObject struct {
	Row
	Type        string    `json:"type"`
	Key         string    `json:"key"` // as package rpsl has it
	Source      string    `json:"source"`
	Origin      string    `json:"origin"`
	Range       inr.Range `json:"range,omitzero"` // of inetnum, inet6num, aut-num, as-block and domain
	Spot        string    `json:"spot"`           // the smallest block around it
	Text        string    `json:"text" text:"lines"`
	Mntner      []string  `json:"mntner"`
	Refs        []string  `json:"refs"`         // what it names: "mntner MAINT-EXAMPLE", "contact AA1-EX"
	DerivedFrom string    `json:"derived_from"` // identifier of the delegation that it is of
	NIR         string    `json:"nir"`          // that it belongs to, "" for the regional registry
	State       string    `json:"state"`        // of a domain
	Validated   time.Time `json:"validated"`    // when its owner last said that it is right
}

// The origins of objects: kept here, or read from the whois of an NIR.
const (
	KeptHere = "registry"
	Mirrored = "mirror"
)

// The states of a domain object (policy APNIC-103, section 3.4.2). One that is
// inactive names the dummy server; one that its NIR deleted is not made again.
const (
	DomainInactive = "inactive"
	DomainActive   = "active"
	DomainDeleted  = "deleted"
)

// DummyServer is the name server of a domain object that is not in the DNS (policy
// APNIC-103, section 3.4.2).
const DummyServer = "remove.this.nserver.to.enable.zone.at.apnic.net"

var whoisObjects = newTable[WhoisObject]("whois_object", "who")

// A WhoisExternal is something that objects may name although it is not here.
type WhoisExternal struct {
	Row
	Ref    string `json:"ref"`
	Source string `json:"source"`
	Reason string `json:"reason" text:"lines"`
}

var whoisExternals = newTable[WhoisExternal]("whois_external", "ext")

// RPSL returns the object parsed.
func (w *WhoisObject) RPSL() (*rpsl.Object, error) {
	return rpsl.ParseObject(w.Type+" "+w.Key, w.Text)
}

// A registrar is who answers for objects: an NIR, or the regional registry.
type registrar struct {
	code, source, mntner string
	option               int
}

func (v *View) registrar(code string) (registrar, error) {
	if code == "" {
		return registrar{"", v.Rules.Source, v.Rules.Mntner, 0}, nil
	}
	n, err := v.NIR(code)
	return registrar{n.Code, n.Source, n.Mntner, n.Option}, err
}

// registrarOf returns who has a source.
func (v *View) registrarOf(source string) (registrar, error) {
	if source == v.Rules.Source {
		return v.registrar("")
	}
	n, ok, err := nirs.one(v, "source = $1", source)
	if err == nil && !ok {
		err = invalid("source", "%.40q is the source of no registry here", source).by("APNIC-103, section 3.3")
	}
	return registrar{n.Code, n.Source, n.Mntner, n.Option}, err
}

// fill sets the columns that follow from the text.
func (w *WhoisObject) fill(o *rpsl.Object) error {
	key, err := o.Key()
	if err != nil {
		return invalid("text", "%v", err)
	}
	w.Type, w.Key, w.Source, w.Text = o.Class(), key, strings.ToUpper(o.Get("source")), o.Text()
	w.Mntner = upper(o.Words("mnt-by"))
	w.Range, w.Spot, w.Refs = inr.Range{}, "", nil
	switch w.Type {
	case "inetnum", "inet6num", "aut-num", "as-block":
		if w.Range, err = inr.ParseRange(key); err != nil {
			return invalid("text", "%v", err)
		}
		w.Spot = enclosing(w.Range).String()
	case "domain":
		z, err := ParseReverseZone(key)
		if err != nil && w.Origin == KeptHere {
			return err
		}
		w.Range = z.Range // none if an NIR's own whois has another kind of domain
	}
	if w.Origin == KeptHere {
		for _, r := range o.Refs() {
			w.Refs = append(w.Refs, refOf(r))
		}
		slices.Sort(w.Refs)
		w.Refs = slices.Compact(w.Refs)
	}
	return nil
}

// refOf writes a reference in one form: persons and roles share their handles.
func refOf(r rpsl.Ref) string { return refKind(r.Types[0]) + " " + r.Key }

func refKind(class string) string {
	if class == "person" || class == "role" {
		return "contact"
	}
	return class
}

func upper(list []string) []string {
	for i := range list {
		list[i] = strings.ToUpper(list[i])
	}
	return list
}

// enclosing returns the smallest block that holds a range.
func enclosing(r inr.Range) inr.Block {
	n := bits.Len64(r.First.Lo ^ r.Last.Lo)
	if hi := r.First.Hi ^ r.Last.Hi; hi != 0 {
		n = 64 + bits.Len64(hi)
	}
	return inr.BlockAt(r.Kind, r.First, r.Kind.Bits()-n)
}

// putWhois writes an object whose text is final; what is the same already is left
// alone.
func (x *Tx) putWhois(w *WhoisObject, old *WhoisObject) error {
	if old != nil {
		w.Row = old.Row
		if old.Text == w.Text && old.NIR == w.NIR && old.DerivedFrom == w.DerivedFrom && old.State == w.State && old.Validated.Equal(w.Validated) {
			return nil
		}
	}
	if err := whoisObjects.put(x, w); err != nil {
		return fmt.Errorf("writing %s %s: %w", w.Type, w.Key, err)
	}
	return nil
}

// kept returns the object of a type and key that is kept here, whatever its source.
func (v *View) kept(class, key string) (*WhoisObject, error) {
	w, ok, err := whoisObjects.one(v, "type = $1 AND key = $2 AND origin = 'registry' ORDER BY derived_from DESC, id LIMIT 1", class, key)
	if err != nil || !ok {
		return nil, err
	}
	return &w, nil
}

// keptBy returns the object of a type, key and source that is kept here.
func (v *View) keptBy(class, key, source string) (*WhoisObject, error) {
	w, ok, err := whoisObjects.one(v, "type = $1 AND key = $2 AND source = $3 AND origin = 'registry'", class, key, source)
	if err != nil || !ok {
		return nil, err
	}
	return &w, nil
}
