package sign

import (
	"context"
	"fmt"
	"slices"
)

// batchNames is how many names one goroutine signs before it hands them over:
// about 10 ms of work.
const batchNames = 256

// A batch is some spans of a zone in a row. Spans that the store has are no work.
type batch struct {
	first, last int
	parts       []part
	wires       [][]byte // canonical, one a part
	made        int      // signatures
}

// A part is what Signed has of a span, for Verify and the next store.
type part struct {
	key    digest
	text   []byte
	entry  int    // of the merged zone, the first in it
	stored *block // that has this very text; nil if it was written now
}

// write signs the zone span by span and puts the parts together.
func (s *signing) write(ctx context.Context, out *Signed, st *Store) error {
	serial := out.facts.Serial
	out.store, out.known = st, st.known(s.spans)
	apex, err := s.startApex(serial, out.known)
	if err != nil {
		return err
	}
	batches := s.batches(st)
	out.parts = make([]part, 0, len(s.spans))
	worker := func() func(int) (*batch, error) {
		w := s.writer(out.known)
		return func(i int) (*batch, error) { return w.batch(&batches[i]) }
	}
	err = ordered(ctx, len(batches), worker, func(b *batch) error {
		for _, wire := range b.wires {
			apex.md.write(wire)
		}
		out.parts = append(out.parts, b.parts...)
		out.facts.Made += b.made
		b.wires = nil // let it go
		return nil
	})
	if err != nil {
		return err
	}
	text, err := apex.finish(serial)
	if err != nil {
		return err
	}
	out.facts.Made += apex.w.made
	out.md = apex.md.keep(out.facts.Made)
	out.text = append(make([][]byte, 0, len(out.parts)+1), text)
	for i := range out.parts {
		out.text = append(out.text, out.parts[i].text)
	}
	out.seal()
	return nil
}

// batches fills in what the store has, and divides the rest evenly.
func (s *signing) batches(st *Store) []batch {
	var list []batch
	names := batchNames
	for i := range s.spans {
		p := &s.spans[i]
		if names >= batchNames {
			list, names = append(list, batch{first: i}), 0
		}
		b := &list[len(list)-1]
		b.last = i + 1
		made := part{key: p.key, entry: s.nodes[p.first].first, stored: st.find(p.key)}
		if made.stored != nil {
			made.text = made.stored.text
			names++
		} else {
			names += p.last - p.first
		}
		b.parts = append(b.parts, made)
	}
	return list
}

// batch writes and signs the spans of a batch that are not stored.
func (w *writer) batch(b *batch) (*batch, error) {
	w.made = 0
	b.wires = make([][]byte, len(b.parts))
	for i := range b.parts {
		p := &b.parts[i]
		if p.stored != nil {
			b.wires[i] = p.stored.wire
			continue
		}
		if err := w.span(&w.s.spans[b.first+i]); err != nil {
			return nil, err
		}
		p.text, b.wires[i] = slices.Clone(w.text), slices.Clone(w.wire)
	}
	b.made = w.made
	return b, nil
}

func (w *writer) span(p *span) error {
	w.text, w.wire = w.text[:0], w.wire[:0]
	for n := p.first; n < p.last; n++ {
		if err := w.node(n); err != nil {
			return fmt.Errorf("%s: %w", w.s.nodes[n].name, err)
		}
	}
	return nil
}
