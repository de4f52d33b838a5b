package nir

import (
	"fmt"
	"strings"
	"time"

	"nirzone/nir/rpsl"
)

// ValidateIRT records that the owner of an irt object says that it is right; so
// does every change of it.
func (x *Tx) ValidateIRT(key, source string) error {
	if err := x.mayWrite("validate an irt object"); err != nil {
		return err
	}
	key, err := rpsl.Key("irt", key)
	if err != nil {
		return invalid("key", "%v", err)
	}
	w, err := x.keptBy("irt", key, strings.ToUpper(source))
	if err != nil {
		return err
	}
	if w == nil {
		return refuse(NotFound, "there is no irt %s of source %s here", key, source)
	}
	if err := x.Actor.needNIR("validate an irt object", w.NIR); err != nil {
		return err
	}
	now := *w
	now.Validated = x.Actor.At
	x.act("irt.validate")
	if err := x.putWhois(&now, w); err != nil {
		return err
	}
	return x.notice(w.NIR, "irt-validation", key, "warning", "")
}

// RemindIRT opens a notice for every irt object that nobody has said to be right
// for as long as the rules have it, and one for each registry that has numbers
// without an irt (R-SEC-1).
func (x *Tx) RemindIRT() error {
	if err := x.Actor.need("send reminders", RegistryStaff, Admin); err != nil {
		return err
	}
	list, err := whoisObjects.find(x.View, "type = 'irt' AND origin = 'registry' ORDER BY source, key")
	if err != nil {
		return err
	}
	x.act("irt.remind")
	for _, w := range list {
		text := ""
		if x.Actor.At.Sub(w.Validated) >= x.Rules.validateFor() {
			text = fmt.Sprintf("irt %s was last said to be right on %s: look at it and say so again within days: nirctl whois validate %s", w.Key, w.Validated.Format(time.DateOnly), w.Key)
		}
		if err := x.notice(w.NIR, "irt-validation", w.Key, "warning", text); err != nil {
			return err
		}
	}
	return x.remindMissing()
}

func (x *Tx) remindMissing() error {
	type count struct {
		n       int
		example string
	}
	missing := map[string]*count{}
	order := []string{""}
	all, err := nirs.find(x.View, "id <> '' ORDER BY code")
	if err != nil {
		return err
	}
	for _, n := range all {
		order = append(order, n.Code)
	}
	err = whoisObjects.each(x.View, "derived_from <> '' AND type IN ('inetnum', 'inet6num', 'aut-num') ORDER BY kind, first", nil, func(w *WhoisObject) error {
		if strings.Contains(w.Text, "\nmnt-irt:") {
			return nil
		}
		if missing[w.NIR] == nil {
			missing[w.NIR] = &count{0, w.Key}
		}
		missing[w.NIR].n++
		return nil
	})
	if err != nil {
		return err
	}
	for _, code := range order {
		text := ""
		if m := missing[code]; m != nil {
			text = fmt.Sprintf("%s without irt (mnt-irt), %s first: name one of the member or in the registration", plural(m.n, "object"), m.example)
		}
		if err := x.notice(code, "irt-missing", x.registryName(code), "warning", text); err != nil {
			return err
		}
	}
	return nil
}
