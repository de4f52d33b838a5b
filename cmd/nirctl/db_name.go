package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/inr"
	"nirzone/zone"
)

// stamp is a time for people, "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// joined writes the values of a list as they are shown, with something between
// them.
func joined[T any](list []T, between string) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, between)
}

// findNIR takes a code in any case, or an identifier.
func findNIR(v *nir.View, s string) (nir.NIR, error) {
	if strings.HasPrefix(s, "nir_") {
		list, err := v.NIRs()
		for _, n := range list {
			if n.ID == s {
				return n, nil
			}
		}
		if err != nil {
			return nir.NIR{}, err
		}
	}
	return v.NIR(strings.ToUpper(s))
}

// registryOf is the code of an NIR as the registry has it: "" for the regional
// registry itself.
func registryOf(v *nir.View, s string) (string, error) {
	if s == "" || strings.EqualFold(s, v.Rules.RIR) {
		return "", nil
	}
	n, err := findNIR(v, s)
	return n.Code, err
}

// registryName is what people call it.
func registryName(v *nir.View, code string) string {
	return cmp.Or(code, v.Rules.RIR)
}

// splitMember takes "JPNIC/M1" apart; a uid alone is one of the user's own NIR.
func (o *opened) splitMember(s string) (registry, uid string, err error) {
	if registry, uid, ok := strings.Cut(s, "/"); ok {
		return registry, uid, nil
	}
	if o.actor.NIR != "" {
		return o.actor.NIR, s, nil
	}
	return "", "", shell.Usage(fmt.Errorf("%s does not say of which registry", s), o.cfg.RIR+"/"+s)
}

// findMember takes an identifier, or NIR/UID.
func (o *opened) findMember(v *nir.View, s string) (nir.Member, error) {
	if strings.HasPrefix(s, "mem_") {
		return v.Member(s)
	}
	registry, uid, err := o.splitMember(s)
	if err != nil {
		return nir.Member{}, err
	}
	code, err := registryOf(v, registry)
	if err != nil {
		return nir.Member{}, err
	}
	m, _, err := v.MemberOf(code, uid)
	return m, err
}

// findRequest takes an identifier, or NIR/REF.
func (o *opened) findRequest(v *nir.View, s string) (nir.Request, error) {
	if strings.HasPrefix(s, "req_") {
		return v.Request(s)
	}
	registry, ref, err := o.splitMember(s)
	if err != nil {
		return nir.Request{}, err
	}
	code, err := registryOf(v, registry)
	if err != nil {
		return nir.Request{}, err
	}
	r, ok, err := v.RequestOf(code, ref)
	if err == nil && !ok {
		err = &shell.Exit{Code: notFound, Err: fmt.Errorf("%s has no request %s", registryName(v, code), ref), Hint: "nirctl request list"}
	}
	return r, err
}

// rangeOf reads resources: a range, prefix, address or ASN, or the name of a zone
// of the reverse tree.
func rangeOf(s string) (inr.Range, error) {
	if strings.Contains(s, ".arpa") {
		name, err := zone.ParseName(strings.ToLower(s))
		if err != nil {
			return inr.Range{}, shell.Usage(err, "28.12.202.in-addr.arpa")
		}
		p, ok := name.Prefix()
		if !ok {
			return inr.Range{}, shell.Usage(fmt.Errorf("%s stands for no range", s), "28.12.202.in-addr.arpa")
		}
		return ofPrefix(p)
	}
	r, err := inr.ParseRange(s)
	if err != nil {
		return r, shell.Usage(err, "202.12.28.0/24, 2400:1::/32, 202.12.28.7, AS131072 or 28.12.202.in-addr.arpa")
	}
	return r, nil
}

func ofPrefix(p netip.Prefix) (inr.Range, error) {
	b, err := inr.FromPrefix(p)
	return b.Range(), err
}

// codes offers the codes of NIRs for an argument.
func (a *app) codes(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var list []string
	if len(args) == 0 {
		_ = a.look(c, func(_ *opened, v *nir.View) error { // no offers are no harm
			all, err := v.NIRs()
			for _, n := range all {
				list = append(list, n.Code+"\t"+n.Name)
			}
			return err
		})
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}
