package sign

import (
	"nirzone/zone"
)

// A writer makes the signed text and wire form of names, one after the other.
// It is for one goroutine: it reuses its buffers.
type writer struct {
	s       *signing
	signers map[uint16]*wireSigner // by tag
	text    []byte
	wire    []byte

	// Of the present name:
	name  zone.Name
	owner []byte // wire
	start int64  // of its slot
	keys  []*Key // that sign it, one of each algorithm
	sigs  []rrsig
	arena []byte // holds the data of sigs
	nsec  []byte
	data  []byte // what is being signed
	types []zone.Type
}

func (s *signing) writer() *writer { return &writer{s: s, signers: map[uint16]*wireSigner{}} }

// enter begins a name.
func (w *writer) enter(name zone.Name) {
	w.name, w.owner = name, name.AppendWire(w.owner[:0])
	w.start = w.s.clock.start(w.owner)
	w.keys = w.s.clock.keys(w.keys[:0], w.start)
	w.sigs, w.arena, w.types = w.sigs[:0], w.arena[:0], w.types[:0]
}

// node appends all there is at a name, in canonical order.
func (w *writer) node(i int) error {
	n := &w.s.nodes[i]
	w.enter(n.name)
	for first := n.first; first < n.last; {
		var err error
		if first, err = w.set(n, first); err != nil {
			return err
		}
	}
	if n.kind == glue {
		return nil
	}
	switch {
	case n.kind == hashed:
		return w.nsec3(n)
	case w.s.p.Denial == zone.DenialNSEC3:
		w.signatures()
		return nil
	}
	return w.nsecRecord(i)
}

// nsecRecord appends the signatures and the NSEC record of a name.
func (w *writer) nsecRecord(i int) error {
	w.types = append(w.types, zone.TypeRRSIG, zone.TypeNSEC)
	next, ttl := w.s.after(i), nsecTTL(w.s.z.SOA)
	rdata := appendNSEC(w.nsec[:0], next, w.types)
	record, err := w.denial(zone.TypeNSEC, ttl, rdata)
	if err != nil {
		return err
	}
	w.wire = append(w.wire, record...)
	w.text = append(appendHead(w.text, string(w.name), ttl, zone.TypeNSEC), next...)
	w.text = append(appendTypes(w.text, w.types), '\n')
	return nil
}

// nsec3 appends the NSEC3 record of a hashed name and its signatures, which come
// first.
func (w *writer) nsec3(n *node) error {
	ttl, rdata := nsecTTL(w.s.z.SOA), w.s.nsec3Data(w.nsec[:0], n)
	text := appendNSEC3Text(nil, rdata, w.s.hashedTypes(n))
	record, err := w.denial(zone.TypeNSEC3, ttl, rdata)
	if err != nil {
		return err
	}
	w.wire = append(w.wire, record...)
	w.text = append(appendHead(w.text, string(w.name), ttl, zone.TypeNSEC3), text...)
	w.text = append(w.text, '\n')
	return nil
}

// denial signs an NSEC or NSEC3 record, appends all signatures of the name and
// returns the record. The buffer of rdata becomes the writer's.
func (w *writer) denial(t zone.Type, ttl uint32, rdata []byte) ([]byte, error) {
	record := appendRecord(rdata, w.owner, t, ttl, rdata)
	w.nsec = record
	record = record[len(rdata):]
	if err := w.add(t, ttl, record); err != nil {
		return nil, err
	}
	w.signatures()
	return record, nil
}

// signatures appends the signatures of the present name.
func (w *writer) signatures() {
	for _, sig := range w.sigs {
		w.wire = appendRecord(w.wire, w.owner, zone.TypeRRSIG, sig.ttl, sig.rdata)
		w.text = appendHead(w.text, string(w.name), sig.ttl, zone.TypeRRSIG)
		w.text = append(appendRRSIG(w.text, sig, string(w.s.z.Origin)), '\n')
	}
}

// set appends the RRset that begins at an entry and returns where the next one
// does.
func (w *writer) set(n *node, first int) (int, error) {
	entries := w.s.z.Entries[:n.last]
	t, ttl, from := entries[first].Type, entries[first].TTL, len(w.wire)
	i := first
	for ; i < n.last && entries[i].Type == t; i++ {
		data := string(entries[i].Data)
		w.wire = appendRecord(w.wire, w.owner, t, ttl, data)
		w.text = appendHead(w.text, string(w.name), ttl, t)
		w.text = append(appendData(w.text, t, data), '\n')
	}
	if !n.kind.lists(t) {
		return i, nil
	}
	w.types = append(w.types, t)
	if !n.kind.signs(t) {
		return i, nil
	}
	return i, w.add(t, ttl, w.wire[from:])
}

// add signs a set of the present name by each of its keys and keeps the signatures
// until the name is written. Rising algorithms are canonical order.
func (w *writer) add(t zone.Type, ttl uint32, records []byte) error {
	for _, k := range w.keys {
		from := len(w.arena)
		sig, err := w.sign(w.arena, k, t, ttl, records)
		if err != nil {
			return err
		}
		w.arena, sig.rdata = sig.rdata, sig.rdata[from:]
		w.sigs = append(w.sigs, sig)
	}
	return nil
}

// sign returns the RRSIG over records in canonical form and order (RFC 4034,
// section 3.1.8.1). Its data is appended to b.
func (w *writer) sign(b []byte, k *Key, t zone.Type, ttl uint32, records []byte) (rrsig, error) {
	signer := w.signers[k.Tag]
	if signer == nil {
		var err error
		if signer, err = newWireSigner(*k); err != nil {
			return rrsig{}, err
		}
		w.signers[k.Tag] = signer
	}
	from := len(b)
	b = appendSigHead(b, w.s.clock, k, t, w.name.Labels(), ttl, w.start)
	w.data = append(append(w.data[:0], b[from:]...), records...)
	b, err := signer.sign(b, w.data)
	return rrsig{covered: t, ttl: ttl, start: w.start, clock: w.s.clock, rdata: b}, err
}
