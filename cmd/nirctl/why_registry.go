package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/inr"
	"nirzone/zone"
)

// A registryPart is what the registry says of the numbers of a name: by which
// decisions they are held, and which domain objects the registry itself delegates
// by.
type registryPart struct {
	nir.Trace
	Domains []nir.TracedDomain `json:"domains"`
	Differs []string           `json:"differs,omitempty"` // from the claims that the zone was built by
	Missing string             `json:"missing,omitempty"` // why the registry was not asked
}

// registryPatience bounds how long why waits for a database that does not answer:
// what is published is told without it.
const registryPatience = 20 * time.Second

// fromRegistry asks the registry. That it is not there is part of the answer and
// no failure.
func (e *explainer) fromRegistry(ctx context.Context) {
	if e.a.Name == e.gz.Zone {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, registryPatience)
	defer cancel()
	part := &registryPart{Trace: nir.Trace{Origins: []nir.Origin{}}, Domains: []nir.TracedDomain{}}
	e.a.Registry = part
	if err := e.askRegistry(ctx, part); err != nil {
		*part = registryPart{Trace: nir.Trace{Origins: []nir.Origin{}}, Domains: []nir.TracedDomain{}, Missing: e.missing(err)}
	}
}

func (e *explainer) askRegistry(ctx context.Context, part *registryPart) error {
	if file := e.cfg.Nirctl.Database; !isPostgres(file) { // before anybody's roles: many have no registry
		if err := checkDatabaseFile(file); err != nil {
			return err
		}
	}
	o, err := e.open(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	return o.View(ctx, func(v *nir.View) error { return e.ask(v, o.actor, part) })
}

// missing says in one line why the registry was not asked.
func (e *explainer) missing(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	var exit *shell.Exit
	if errors.As(err, &exit) && exit.Hint != "" {
		hint, _, _ := strings.Cut(exit.Hint, "\n")
		text += " (" + hint + ")"
	}
	text = strings.TrimPrefix(text, "there is no registry: ")
	return strings.ReplaceAll(text, filepath.Dir(e.cfg.File)+string(filepath.Separator), "")
}

// ask takes what the registry says now of the numbers of the name, and of the names
// that its own zonelet delegates.
func (e *explainer) ask(v *nir.View, who nir.Actor, part *registryPart) error {
	var err error
	prefix, ok := e.prefix()
	if !ok {
		return nil
	}
	r, err := ofPrefix(prefix)
	if err != nil {
		return err
	}
	if part.Trace, err = v.Trace(who, r); err != nil {
		return err
	}
	for _, name := range e.ownNames() {
		d, err := v.TraceDomain(who, name.File())
		if err != nil {
			return err
		}
		if d != nil {
			part.Domains = append(part.Domains, *d)
		}
	}
	part.Differs = e.differs(part.Origins, r)
	return nil
}

// prefix returns the numbers that the name stands for: for one of RFC 2317 those of
// the /24 that it is in.
func (e *explainer) prefix() (netip.Prefix, bool) {
	for n := e.a.Name; n != zone.Root; n = n.Parent() {
		if p, ok := n.Prefix(); ok {
			return p, true
		}
	}
	return netip.Prefix{}, false
}

// ownNames are the name, and those above it that the registry's own zonelet
// delegates.
func (e *explainer) ownNames() []zone.Name {
	names := []zone.Name{e.a.Name}
	for _, s := range slices.Concat(e.a.Published, e.a.Above) {
		if s.Source == e.then.RIR && !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	return names
}

// differs tells where the registry gives numbers to others than the claims that the
// zone was built by.
func (e *explainer) differs(list []nir.Origin, r inr.Range) []string {
	var out []string
	for _, o := range list {
		for _, d := range o.Delegations {
			here := inr.Of(r).Intersect(inr.Of(d.Range))
			own, others := e.claimed(d.Manager)
			wrong := here.Intersect(others)
			if d.Manager != e.then.RIR { // whose own needs no claim
				wrong = here.Subtract(own)
			}
			told := fmt.Sprintf("%s is %s's now, the zone was built by other claims: %s", wrong, d.Manager, e.newClaims())
			if !wrong.IsEmpty() && !slices.Contains(out, told) {
				out = append(out, told)
			}
		}
	}
	return out
}

// newClaims is what to do so that the zone is built by the claims of now. A held
// change of one source's keeps back those of all.
func (e *explainer) newClaims() string {
	hash := ""
	for _, h := range e.g.Holds {
		if h.Kind == zone.KindClaims && (hash == "" || e.losesClaim(h)) {
			hash = h.Hash
		}
	}
	if hash == "" {
		return "nirctl export, then zonebuild"
	}
	return "newer ones are held, zonebuild held show " + hash[:12]
}

// claimed returns what a source claims, and what others do.
func (e *explainer) claimed(source string) (own, others inr.Set) {
	var a, b inr.Builder
	for _, c := range e.a.Claims {
		p, err := inr.ParseRange(c.Prefix)
		switch {
		case err != nil: // none that the registry made
		case c.Source == source:
			a.Add(p)
		default:
			b.Add(p)
		}
	}
	return a.Set(), b.Set()
}
