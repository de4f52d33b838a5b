package main

import (
	"strings"

	"nirzone/nir"
	"nirzone/nir/inr"
	"nirzone/nir/sshsig"
	"nirzone/zone"
)

func namespaceOf(r nir.Role) string { return sshsig.Namespace(string(r)) }

// nir checks one NIR: what it needs depends on its state and option.
func (d *doctor) nir(v *nir.View, cfg *zone.Config, n *nir.NIR) error {
	what := ofNIR + n.Code
	before := len(d.list)
	if n.State == nir.Left {
		return nil
	}
	if err := d.windows(v, n); err != nil {
		return err
	}
	if n.Email == "" {
		d.add(isLook, what, "nirctl nir edit "+n.Code+" --email ADDRESS", "notices have nowhere to go")
	}
	if err := d.nirKey(v, cfg, n); err != nil {
		return err
	}
	if n.State != nir.Active {
		d.add(isLook, what, map[string]string{nir.Probation: "nirctl nir activate " + n.Code, nir.Leaving: "nirctl nir offboard " + n.Code}[n.State], "it is in state %s", n.State)
	}
	if len(d.list) == before {
		d.add(isGood, what, "", "it has windows, an address and all that its option needs")
	}
	return nil
}

// windows checks that an NIR has one of each kind.
func (d *doctor) windows(v *nir.View, n *nir.NIR) error {
	var kinds, remedies []string
	for _, k := range []inr.Kind{inr.IPv4, inr.IPv6, inr.ASN} {
		_, err := v.Window(n.Code, k)
		if nir.CodeOf(err) == nir.NotFound {
			kinds = append(kinds, k.String())
			remedies = append(remedies, "nirctl window set "+n.Code+" "+k.String()+" SIZE -m start")
		} else if err != nil {
			return err
		}
	}
	if len(kinds) > 0 {
		d.add(isLook, ofNIR+n.Code, strings.Join(remedies, "\n"), "it has no window for %s: it cannot request any", strings.Join(kinds, ", "))
	}
	return nil
}

// nirKey checks how the zonelets of an NIR with option 1 come, and whose key they
// are signed with.
func (d *doctor) nirKey(v *nir.View, cfg *zone.Config, n *nir.NIR) error {
	what := ofNIR + n.Code
	source := cfg.Source(n.Code)
	switch {
	case n.Option == 2 && source != nil:
		d.add(isLook, what, "take [[source]] "+n.Code+" out of "+cfg.File+", or: nirctl nir edit "+n.Code+" --option 1", "it has option 2, and zonelets of its own are fetched")
	case n.Option == 1 && source == nil:
		d.add(isBad, what, "write into "+cfg.File+":"+strings.ReplaceAll("\n"+sourceText(n.Code, "", ""), "\n   ", "\n"), "it has option 1, and no [[source]] fetches its zonelets")
	}
	if n.Option != 1 {
		return nil
	}
	key, err := v.KeyOfNIR(n.Code)
	if err != nil {
		return err
	}
	if key == "" {
		d.add(isLook, what, "nirctl nir key "+n.Code+" FINGERPRINT", "two persons have not confirmed its key")
	}
	return nil
}

// sources checks that everybody who is fetched is known.
func (d *doctor) sources(cfg *zone.Config, list []nir.NIR) {
	for _, s := range cfg.Sources {
		known := false
		for _, n := range list {
			known = known || n.Code == s.Name
		}
		if !known {
			d.add(isLook, "source "+s.Name, "nirctl nir onboard "+s.Name+" --help", "it is fetched, but the registry knows no NIR of that code (another registry has none)")
		}
	}
}
