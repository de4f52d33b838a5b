package zone

import "fmt"

// An Archive hands out the bytes of an input by the hex digest of its SHA-256.
// It has verified the digest.
type Archive func(sha256 string) ([]byte, error)

// ParseOptions returns how the zonelets of a source are parsed. The registry's
// own follow the same rules as everybody's.
func (c *Config) ParseOptions(source string) ParseOptions {
	opt := ParseOptions{Limits: DefaultParseLimits}
	if s := c.Source(source); s != nil {
		opt.TrailerOptional, opt.Limits.MaxBytes = s.TrailerOptional, s.MaxBytes
	}
	return opt
}

// Accepted returns the options for an input that was accepted before, and whose
// digest the caller has compared: it has passed the source's limits of that
// time, and a configuration that has become stricter since, or knows the source
// no more, must not make the published state unreadable.
func (o ParseOptions) Accepted(in Input) ParseOptions {
	o.SHA256, o.TrailerOptional = in.SHA256, true
	o.Limits.MaxBytes = max(o.Limits.orDefault().MaxBytes, in.Size)
	return o
}

// Replay computes the merged zone again that a generation was made of, from
// nothing but the inputs and the kept records that generation.json names, and
// the claims of that time. It also returns the fragments, in the order of
// g.Inputs, and what the merge had to say.
func (g *GenerationZone) Replay(apex Apex, registry string, claims *Claims, read Archive, opt func(source string) ParseOptions) (*Zone, []*Fragment, []Notice, error) {
	var frags []*Fragment
	for _, in := range g.Inputs {
		data, err := read(in.SHA256)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("reading %s of %s: %w", in.File, in.Source, err)
		}
		f, err := ParseFragment(in.Source, g.Zone, in.File, data, opt(in.Source).Accepted(in))
		if err != nil {
			return nil, nil, nil, err
		}
		frags = append(frags, f)
	}
	z, notices := g.Remerge(apex, registry, claims, frags)
	return z, frags, notices, nil
}

// Remerge is the second half of [GenerationZone.Replay], for who has the
// fragments of g.Inputs already.
func (g *GenerationZone) Remerge(apex Apex, registry string, claims *Claims, frags []*Fragment) (*Zone, []Notice) {
	z, notices := Merge(MergeInput{
		Apex: apex, Registry: registry, Claims: claims, Fragments: frags, Published: ZoneFromKept(apex, g.Kept), Stand: StandsOf(g.Kept),
	})
	z.Describe(g.Inputs)
	return z, notices
}

// Describe fills in, for the inputs that the zone was merged from, what a
// fragment does not know: signer and time. Inputs are matched by source and
// digest.
func (z *Zone) Describe(inputs []Input) {
	for i := range z.Inputs {
		for _, in := range inputs {
			if in.Source == z.Inputs[i].Source && in.SHA256 == z.Inputs[i].SHA256 {
				z.Inputs[i] = in
			}
		}
	}
}
