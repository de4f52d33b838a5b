package nir

import "nirzone/nir/inr"

// An Authority is who answers for a number: one registry, and what follows from
// that. All of it is computed from the same rows, so that it changes in one event.
type Authority struct {
	Manager string `json:"manager"` // code of the NIR, or of the regional registry
	Source  string `json:"source"`  // of whois answers (APNIC-103, section 3.3)
	Mntner  string `json:"mntner"`  // that maintains the records (section 3.4.2)
	RDNS    string `json:"rdns"`    // whose claims the range is in
	Option  int    `json:"option"`  // of the NIR's reverse DNS, 0 for the regional registry
	Member  string `json:"member"`  // who holds it, "" if nobody does
}

// AuthorityAt returns who answers for a number, and whether anybody but the pools
// does.
func (v *View) AuthorityAt(k inr.Kind, n inr.Num) (Authority, bool, error) {
	list, err := v.At(k, n)
	if err != nil || len(list) == 0 {
		return Authority{}, false, err
	}
	a := Authority{Manager: v.Rules.RIR, Source: v.Rules.Source, Mntner: v.Rules.Mntner, RDNS: v.Rules.RIR, Member: list[0].Member}
	if code := list[0].NIR; code != "" {
		m, err := v.NIR(code)
		if err != nil {
			return a, false, err
		}
		a.Manager, a.Source, a.Mntner, a.RDNS, a.Option = code, m.Source, m.Mntner, code, m.Option
	}
	return a, true, nil
}
