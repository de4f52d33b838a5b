package nir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"nirzone/nir/inr"
	"nirzone/nir/rpsl"
)

// Whois returns the objects of a type and key: several if several sources have
// one. What is kept here comes first, then by source; without any the error is
// [NotFound]. The key may be in any spelling.
func (v *View) Whois(class, key string) ([]WhoisObject, error) {
	class = strings.ToLower(class)
	key, err := rpsl.Key(class, key)
	if err != nil {
		return nil, invalid("key", "%v", err)
	}
	list, err := whoisObjects.find(v, "type = $1 AND key = $2 AND state <> 'deleted' ORDER BY origin DESC, source, id", class, key)
	if err != nil {
		return nil, err
	}
	if list, err = v.inForce(list); err == nil && len(list) == 0 {
		err = refuse(NotFound, "there is no %s %s", class, key)
	}
	return list, err
}

// WhoisCovering returns the most specific object that covers all of a range
// (APNIC-103, section 3.3): for what an NIR manages there always is one, and its
// source is the NIR's. If no object was made of a delegation, it is written
// here, without an identifier.
func (v *View) WhoisCovering(r inr.Range) (WhoisObject, error) {
	if !r.Valid() {
		return WhoisObject{}, invalid("range", "it is missing")
	}
	w, found, err := v.nearest(r)
	if err == nil && !found {
		w, found, err = v.fromDelegation(r)
	}
	if err == nil && !found {
		err = refuse(NotFound, "nothing is registered for %s", r)
	}
	return w, err
}

// WhoisCovering is [View.WhoisCovering] for who asks one thing. What is kept here
// answers most questions, and for that one statement is enough, which sees one
// state of the registry without a transaction around it.
func (n *DB) WhoisCovering(ctx context.Context, r inr.Range) (WhoisObject, error) {
	if r.Valid() {
		w, found, err := n.nearestKept(ctx, r)
		if err != nil || found {
			return w, err
		}
	}
	var w WhoisObject
	err := n.View(ctx, func(v *View) (err error) {
		w, err = v.WhoisCovering(r)
		return err
	})
	return w, err
}

var nearestQuery = "SELECT " + whoisObjects.list + " FROM whois_object WHERE until IS NULL AND " + ofNumbers + nearestFirst

// nearestKept returns what [View.nearest] finds, if it is kept here.
func (n *DB) nearestKept(ctx context.Context, r inr.Range) (w WhoisObject, found bool, err error) {
	s, err := n.prepared(ctx, nearestQuery)
	if err != nil {
		return w, false, err
	}
	rows, err := s.QueryContext(ctx, r.Kind.String(), numKey(r.First))
	if err != nil {
		return w, false, fmt.Errorf("reading whois objects: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if rows.Next() {
		err = whoisObjects.decode(rows, &w)
	}
	return w, err == nil && w.Origin == KeptHere && w.Range.Contains(r), errors.Join(err, rows.Err())
}

// nearest looks at what begins nearest to the range: the most specific object, as
// objects nest (of a mirror's that do not, it is the one that is meant as well as
// another). Only if that ends too early the blocks around the range are asked for
// what stands in them.
func (v *View) nearest(r inr.Range) (WhoisObject, bool, error) {
	near, err := whoisObjects.find(v, ofNumbers+nearestFirst, r.Kind.String(), numKey(r.First))
	if err != nil {
		return WhoisObject{}, false, err
	}
	if len(near) > 0 && near[0].Range.Contains(r) {
		near, err = v.inForce(near)
		if err != nil {
			return WhoisObject{}, false, err
		}
		if len(near) > 0 {
			return near[0], true, nil
		}
	}
	list, err := v.covering(r)
	if err != nil {
		return WhoisObject{}, false, err
	}
	slices.SortStableFunc(list, func(a, b WhoisObject) int { return a.Range.Count().Cmp(b.Range.Count()) })
	if list, err = v.inForce(list); err != nil || len(list) == 0 {
		return WhoisObject{}, false, err
	}
	return list[0], true, nil
}

// nearestFirst is the end of one that selects what begins nearest to a number.
const nearestFirst = "first <= $2 ORDER BY first DESC, last, origin DESC LIMIT 1"

// ofNumbers is the beginning of a condition for objects of numbers of a kind.
const ofNumbers = "kind = $1 AND kind <> '' AND type <> 'domain' AND "

// covering returns all objects of numbers that cover a range: each lies in one of
// the blocks around it.
func (v *View) covering(r inr.Range) ([]WhoisObject, error) {
	args := []any{r.Kind.String(), numKey(r.First), numKey(r.Last)}
	var marks []string
	b := enclosing(r)
	for l := 0; l <= r.Kind.Bits(); l++ { // as many for every range: one statement is prepared
		args = append(args, b.Ancestor(min(l, b.Len)).String())
		marks = append(marks, fmt.Sprintf("$%d", len(args)))
	}
	return whoisObjects.find(v, ofNumbers+"spot IN ("+strings.Join(marks, ", ")+") AND first <= $2 AND last >= $3 ORDER BY first DESC, last, origin DESC, source, id", args...)
}

// inForce leaves out what the mirror of an NIR says of numbers that it does not
// manage, or no more: a transfer is known here before the mirror follows.
func (v *View) inForce(list []WhoisObject) ([]WhoisObject, error) {
	var err error
	list = slices.DeleteFunc(list, func(w WhoisObject) bool {
		if err != nil || w.Origin == KeptHere || !w.Range.Valid() {
			return false
		}
		var at []Delegation
		at, err = v.At(w.Range.Kind, w.Range.First)
		return len(at) == 0 || at[0].NIR != w.NIR
	})
	return list, err
}

// fromDelegation writes the object of the most specific delegation that covers a
// range.
func (v *View) fromDelegation(r inr.Range) (WhoisObject, bool, error) {
	list, err := v.At(r.Kind, r.First)
	if err != nil {
		return WhoisObject{}, false, err
	}
	for _, d := range list {
		if !d.Range.Contains(r) {
			continue
		}
		reg, err := v.registrar(d.NIR)
		if err != nil {
			return WhoisObject{}, false, err
		}
		g, err := v.registration(&d, nil)
		if err != nil {
			return WhoisObject{}, false, err
		}
		var m Member
		if d.Member != "" {
			if m, err = v.Member(d.Member); err != nil {
				return WhoisObject{}, false, err
			}
		}
		for _, n := range described(&d) {
			if n.rng.Contains(r) {
				w := WhoisObject{Origin: KeptHere, DerivedFrom: d.ID, NIR: d.NIR}
				return w, true, w.fill(render(&d, n, &g, &m, reg))
			}
		}
	}
	return WhoisObject{}, false, nil
}

// WhoisWithin calls fn with every object of numbers inside a range, in order.
func (v *View) WhoisWithin(r inr.Range, fn func(*WhoisObject) error) error {
	return whoisObjects.each(v, ofNumbers+"first >= $2 AND first <= $3 ORDER BY first, last DESC, source, id",
		[]any{r.Kind.String(), numKey(r.First), numKey(r.Last)}, func(w *WhoisObject) error {
			if !r.Contains(w.Range) {
				return nil
			}
			return fn(w)
		})
}

// Domains returns the domain objects of an NIR, "" for the regional registry, that
// are kept here, by name; those that it deleted too.
func (v *View) Domains(nir string) ([]WhoisObject, error) {
	return whoisObjects.find(v, "nir = $1 AND type = 'domain' AND origin = 'registry' ORDER BY key, id", nir)
}

// An AbuseContact is where abuse of an address is to be reported.
type AbuseContact struct {
	Mail string `json:"mail"`
	From string `json:"from"` // the object or record that says so
}

// AbuseContact returns the abuse contact of a range (R-SEC-2): of the irt object
// that its object names, of the objects above it, of the member, of the NIR.
func (v *View) AbuseContact(r inr.Range) (AbuseContact, error) {
	w, err := v.WhoisCovering(r)
	if err != nil {
		return AbuseContact{}, err
	}
	if c, err := v.abuseOfObject(&w); err != nil || c.Mail != "" {
		return c, err
	}
	list, err := v.At(r.Kind, r.First)
	if err != nil {
		return AbuseContact{}, err
	}
	for _, d := range list {
		if c, err := v.abuseOfHolder(&d); err != nil || c.Mail != "" {
			return c, err
		}
	}
	return AbuseContact{}, refuse(NotFound, "no abuse contact is known for %s", r).remedy("name an irt object in the registration")
}

func (v *View) abuseOfObject(w *WhoisObject) (AbuseContact, error) {
	o, err := w.RPSL()
	if err != nil {
		return AbuseContact{}, err
	}
	refs := []rpsl.Ref{}
	for _, attr := range []string{"mnt-irt", "abuse-c"} {
		for _, key := range o.Words(attr) {
			refs = append(refs, rpsl.Ref{Types: []string{map[string]string{"mnt-irt": "irt", "abuse-c": "role"}[attr]}, Key: strings.ToUpper(key)})
		}
	}
	for _, r := range refs {
		found, ok, err := whoisObjects.one(v, "type = $1 AND key = $2 AND source IN ($3, $4) ORDER BY origin DESC, id LIMIT 1", r.Types[0], r.Key, w.Source, v.Rules.Source)
		if err != nil {
			return AbuseContact{}, err
		}
		if !ok {
			continue
		}
		contact, err := found.RPSL()
		if err != nil {
			return AbuseContact{}, err
		}
		if mail := cmp.Or(contact.Get("abuse-mailbox"), contact.Get("e-mail")); mail != "" {
			return AbuseContact{mail, found.Type + " " + found.Key}, nil
		}
	}
	return AbuseContact{}, nil
}

func (v *View) abuseOfHolder(d *Delegation) (AbuseContact, error) {
	if d.Member != "" {
		m, err := v.Member(d.Member)
		if err != nil || m.Abuse != "" {
			return AbuseContact{m.Abuse, "member " + m.Name}, err
		}
	}
	reg, err := v.registrar(d.NIR)
	if err != nil || d.NIR == "" {
		return AbuseContact{}, err
	}
	irt := WhoisObject{Type: "inetnum", Key: d.NIR, Source: reg.source, Text: "inetnum: x\nmnt-irt: IRT-" + reg.source + "\n"}
	if c, err := v.abuseOfObject(&irt); err != nil || c.Mail != "" {
		return c, err
	}
	n, err := v.NIR(d.NIR)
	return AbuseContact{n.Email, "NIR " + n.Code}, err
}
