package main

import (
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"nirzone/zone"
)

// A wanted is an input to be parsed: one that was accepted before, by the rules
// for such, or a new one, strictly.
type wanted struct {
	source, file, sum string
	accepted          bool
}

// A parsed is an input after that: the fragment, or why there is none.
type parsed struct {
	fragment *zone.Fragment
	err      error
}

// parseAll parses every input that the zone is or was made of, each once, as
// many at a time as there are processors, and the claims that it is merged by.
func (b *batch) parseAll(j *job) map[wanted]*parsed {
	files := map[wanted]*parsed{}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	g.Go(func() error {
		_, _ = b.claimsOf(b.claimsFor(j)) // the merge asks again
		return nil
	})
	add := func(in *zone.Input, accepted bool) {
		w := wanted{in.Source, in.File, in.SHA256, accepted}
		if files[w] != nil {
			return
		}
		p := &parsed{}
		files[w] = p
		g.Go(func() error {
			p.fragment, p.err = b.parse(j.zone, *in, accepted)
			return nil
		})
	}
	for _, e := range []*zone.GenerationZone{j.prev, j.base} {
		if e != nil {
			for i := range e.Inputs {
				add(&e.Inputs[i], true)
			}
		}
	}
	if !j.fixed() {
		for _, source := range b.sourcesOf(j) {
			old, next := publishedInput(j.prev, source), b.newest(j, source)
			if next != nil && (!j.held[source] || b.inProbation(source)) && (old == nil || old.SHA256 != next.SHA256) {
				add(next, false)
			}
		}
	}
	_ = g.Wait() // errors are in files
	return files
}

// parsed returns an input that parseAll parsed.
func (j *job) parsed(in zone.Input, accepted bool) (*zone.Fragment, error) {
	p := j.files[wanted{in.Source, in.File, in.SHA256, accepted}]
	if p == nil {
		panic(fmt.Sprintf("zonebuild: %s of %s was not parsed", in.File, in.Source))
	}
	return p.fragment, p.err
}

func (b *batch) parse(z zone.Name, in zone.Input, accepted bool) (*zone.Fragment, error) {
	opt := b.cfg.ParseOptions(in.Source)
	if accepted {
		opt = opt.Accepted(in)
	}
	data, err := b.object(in.SHA256)
	if err != nil {
		if accepted {
			err = fmt.Errorf("reading %s of %s: %w", in.File, in.Source, err)
		}
		return nil, err
	}
	opt.SHA256 = in.SHA256 // object has checked it
	return zone.ParseFragment(in.Source, z, in.File, data, opt)
}
