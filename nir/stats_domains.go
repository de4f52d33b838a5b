package nir

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"nirzone/zone"
)

// whoisDomains are the domain objects that are kept here, as [Domains]. Those that
// are active yield records; a change is an active version's begin or end, so that
// what an NIR does to an inactive one moves no zone.
func whoisDomains(v *View, fn func(*Domain) error) error {
	ended, err := v.domainsEnded()
	if err != nil {
		return err
	}
	r := domainReader{ended: ended, fn: fn}
	if err := r.active(v); err != nil {
		return fmt.Errorf("reading domain objects: %w", err)
	}
	for key, was := range ended { // what is left has ended
		n, err := zone.ParseName(key)
		if err == nil {
			err = fn(&Domain{Name: n, Changed: was.at, NIR: was.nir})
		}
		if err != nil {
			return fmt.Errorf("domain %s: %w", key, err)
		}
	}
	return nil
}

// An endedDomain is the last active version of a domain object that ended: when,
// and of which NIR it was.
type endedDomain struct {
	at  time.Time
	nir string
}

// domainsEnded returns by key the last active version of a domain object that ended,
// of those of which one did.
func (v *View) domainsEnded() (ended map[string]endedDomain, err error) {
	last := v.event
	if last == 0 {
		last = 1<<63 - 1
	}
	rows, err := v.query("SELECT w.key, w.nir, a.at FROM whois_object w JOIN audit a ON a.seq = w.until "+
		"WHERE w.until IS NOT NULL AND w.type = 'domain' AND w.origin = 'registry' AND w.state = 'active' AND w.until <= $1", last)
	if err != nil {
		return nil, fmt.Errorf("reading when domains changed: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	ended = map[string]endedDomain{}
	for rows.Next() {
		var key string
		var was endedDomain
		if err := rows.Scan(&key, &was.nir, timeInto{&was.at}); err != nil {
			return nil, fmt.Errorf("reading when domains changed: %w", err)
		}
		if was.at.After(ended[key].at) {
			ended[key] = was
		}
	}
	return ended, rows.Err()
}

// A domainReader reads objects on one goroutine, because a transaction has one
// connection, and makes records of their text on several.
type domainReader struct {
	ended map[string]endedDomain
	mu    sync.Mutex // guards what follows, and ended
	fn    func(*Domain) error
	err   error
}

// A domainText is an active object as it is read.
type domainText struct {
	key, text, nir string
	began          time.Time
}

// domainBatch is how many objects go from one goroutine to another at once.
const domainBatch = 256

func (r *domainReader) active(v *View) (err error) {
	rows, err := v.query("SELECT key, text, nir, a.at FROM whois_object JOIN audit a ON a.seq = since WHERE " + v.standing() + " AND type = 'domain' AND origin = 'registry' AND state = 'active'")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var wg sync.WaitGroup
	next := make(chan []domainText)
	for range 4 {
		wg.Go(func() {
			var q quickReader
			for batch := range next {
				r.work(&q, batch)
			}
		})
	}
	var batch []domainText
	for err == nil && rows.Next() {
		var w domainText
		err = rows.Scan(&w.key, &w.text, &w.nir, timeInto{&w.began})
		if batch = append(batch, w); len(batch) == domainBatch {
			next <- batch
			batch = nil
		}
	}
	next <- batch
	close(next)
	wg.Wait()
	return errors.Join(err, rows.Err(), r.err)
}

// work makes the records of a batch and hands them on, one batch at a time.
func (r *domainReader) work(q *quickReader, batch []domainText) {
	list := make([]Domain, 0, len(batch))
	var bad error
	for i := range batch {
		d, err := batch[i].domain(q)
		if err != nil {
			bad = fmt.Errorf("domain %s: %w", batch[i].key, err)
			break
		}
		list = append(list, d)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range list {
		if r.err != nil {
			return
		}
		w := &batch[i]
		list[i].Changed, list[i].NIR = w.began, w.nir
		if at := r.ended[w.key].at; at.After(w.began) { // of another source
			list[i].Changed = at
		}
		delete(r.ended, w.key)
		r.err = r.fn(&list[i])
	}
	if r.err == nil {
		r.err = bad
	}
}

func (t *domainText) domain(q *quickReader) (Domain, error) {
	n, err := zone.ParseName(t.key)
	if err != nil {
		return Domain{}, err
	}
	if list, usual := q.records(n, t.text); usual {
		return Domain{Name: n, Records: list}, nil
	}
	w := WhoisObject{Type: "domain", Key: t.key, Text: t.text, State: DomainActive}
	list, err := w.Records()
	return Domain{Name: n, Records: list}, err
}
