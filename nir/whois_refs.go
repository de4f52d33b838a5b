package nir

import (
	"errors"
	"fmt"
	"strings"
)

// DeclareExternal says that objects of a source may name something that is not
// here, such as a person of another database. ref is "contact AA1-EX", "mntner
// MAINT-EX", "irt IRT-EX" or "organisation ORG-EX".
func (x *Tx) DeclareExternal(source, ref, reason string) error {
	if err := x.mayWrite("declare what is external"); err != nil {
		return err
	}
	reg, err := x.registrarOf(source)
	if err != nil {
		return err
	}
	if err := x.Actor.needNIR("declare what is external", reg.code); err != nil {
		return err
	}
	kind, key, ok := strings.Cut(ref, " ")
	switch kind {
	case "contact", "mntner", "irt", "organisation":
	default:
		ok = false
	}
	if !ok || strings.TrimSpace(key) == "" {
		return invalid("ref", "%.80q: write contact, mntner, irt or organisation and a key", ref)
	}
	x.act("whois.external")
	return x.external(kind+" "+strings.ToUpper(strings.TrimSpace(key)), source, reason)
}

func (x *Tx) external(ref, source, reason string) error {
	_, found, err := whoisExternals.one(x.View, "ref = $1 AND source = $2", ref, source)
	if err != nil || found {
		return err
	}
	return whoisExternals.put(x, &WhoisExternal{Ref: ref, Source: source, Reason: reason})
}

// resolves reports whether a reference from an object of a source leads to an
// object of that source or of the regional registry, or is declared external.
func (v *View) resolves(ref, source string) (bool, error) {
	kind, key, _ := strings.Cut(ref, " ")
	where := "type = $1 AND key = $2 AND source IN ($3, $4) AND state <> 'deleted'"
	if kind == "contact" {
		where = "type IN ('person', 'role') AND $1 <> '' AND key = $2 AND source IN ($3, $4) AND state <> 'deleted'"
	}
	_, found, err := whoisObjects.one(v, where+" ORDER BY key LIMIT 1", kind, key, source, v.Rules.Source)
	if err != nil || found {
		return found, err
	}
	_, found, err = whoisExternals.one(v, "ref = $1 AND source IN ($2, $3)", ref, source, v.Rules.Source)
	return found, err
}

// checkRefs refuses an object that names what is neither here nor external. An
// object may name itself.
func (x *Tx) checkRefs(w *WhoisObject) error {
	var m mistakes
	for _, ref := range w.Refs {
		if ref == refKind(w.Type)+" "+w.Key {
			continue
		}
		ok, err := x.resolves(ref, w.Source)
		if err == nil && !ok {
			err = invalid("text", "it names %s, which is neither here nor declared external", ref).by("RFC 2725, section 9").
				remedy("create it first, or: nirctl whois external " + w.Source + " " + ref + " -m WHY")
		}
		m.add(err)
	}
	return m.err()
}

// declareRefs declares external what an object of a delegation names and what is
// not here: the NIR answers for it in its own database (APNIC-103, section 3.3).
func (x *Tx) declareRefs(w *WhoisObject, reason string) error {
	known, err := x.externalOf(w)
	if err != nil {
		return err
	}
	for _, ref := range w.Refs {
		if known[ref] {
			continue
		}
		ok, err := x.resolves(ref, w.Source)
		if err == nil && !ok {
			err = x.external(ref, w.Source, reason)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// externalOf returns what of an object's references is declared external: in most
// cases all, after one question.
func (v *View) externalOf(w *WhoisObject) (map[string]bool, error) {
	args := []any{w.Source, v.Rules.Source}
	var marks []string
	for _, ref := range w.Refs {
		args = append(args, ref)
		marks = append(marks, fmt.Sprintf("$%d", len(args)))
	}
	known := map[string]bool{}
	if len(w.Refs) == 0 {
		return known, nil
	}
	err := whoisExternals.each(v, "source IN ($1, $2) AND ref IN ("+strings.Join(marks, ", ")+")", args, func(e *WhoisExternal) error {
		known[e.Ref] = true
		return nil
	})
	return known, err
}

// WhoisUsers returns what is kept here and names an object, other than itself.
func (v *View) WhoisUsers(class, key string, limit int) (list []WhoisObject, err error) {
	ids, err := v.refsTo(refKind(class)+" "+key, limit+1)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		w, err := whoisObjects.get(v, id)
		if err != nil {
			return nil, err
		}
		if (w.Type != class || w.Key != key) && len(list) < limit {
			list = append(list, w)
		}
	}
	return list, nil
}

func (v *View) refsTo(ref string, limit int) (ids []string, err error) {
	rows, err := v.query(fmt.Sprintf("SELECT object FROM whois_ref WHERE ref = $1 ORDER BY object LIMIT %d", limit), ref)
	if err != nil {
		return nil, fmt.Errorf("reading references to %s: %w", ref, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("reading references to %s: %w", ref, err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
