package nir

import (
	"database/sql"
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
	changed, err := v.domainChanges()
	if err != nil {
		return err
	}
	r := domainReader{changed: changed, fn: fn}
	if err := r.active(v); err != nil {
		return fmt.Errorf("reading domain objects: %w", err)
	}
	for key, at := range changed { // what is left has ended
		n, err := zone.ParseName(key)
		if err == nil {
			err = fn(&Domain{Name: n, Changed: at})
		}
		if err != nil {
			return fmt.Errorf("domain %s: %w", key, err)
		}
	}
	return nil
}

// domainChanges returns by key when the last active version of each domain object
// began or ended.
func (v *View) domainChanges() (changed map[string]time.Time, err error) {
	last := v.event
	if last == 0 {
		last = 1<<63 - 1
	}
	rows, err := v.query("SELECT w.key, b.at, e.at FROM whois_object w JOIN audit b ON b.seq = w.since LEFT JOIN audit e ON e.seq = w.until AND e.seq <= $1 "+
		"WHERE w.type = 'domain' AND w.origin = 'registry' AND w.state = 'active' AND w.since <= $1", last)
	if err != nil {
		return nil, fmt.Errorf("reading when domains changed: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	changed = map[string]time.Time{}
	for rows.Next() {
		var key string
		var began int64
		var ended sql.NullInt64
		if err := rows.Scan(&key, &began, &ended); err != nil {
			return nil, fmt.Errorf("reading when domains changed: %w", err)
		}
		if at := fromMicros(max(began, ended.Int64)); at.After(changed[key]) {
			changed[key] = at
		}
	}
	return changed, rows.Err()
}

// A domainReader reads objects on one goroutine, because a transaction has one
// connection, and makes records of their text on several.
type domainReader struct {
	changed map[string]time.Time
	mu      sync.Mutex // guards what follows, and changed
	fn      func(*Domain) error
	err     error
}

// domainBatch is how many objects go from one goroutine to another at once.
const domainBatch = 256

func (r *domainReader) active(v *View) (err error) {
	rows, err := v.query("SELECT key, text FROM whois_object WHERE " + v.standing() + " AND type = 'domain' AND origin = 'registry' AND state = 'active'")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var wg sync.WaitGroup
	next := make(chan []WhoisObject)
	for range 4 {
		wg.Go(func() {
			for batch := range next {
				r.work(batch)
			}
		})
	}
	var batch []WhoisObject
	for err == nil && rows.Next() {
		w := WhoisObject{Type: "domain", State: DomainActive}
		err = rows.Scan(&w.Key, &w.Text)
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
func (r *domainReader) work(batch []WhoisObject) {
	list := make([]Domain, 0, len(batch))
	var bad error
	for i := range batch {
		d, err := batch[i].domain()
		if err != nil {
			bad = fmt.Errorf("domain %s: %w", batch[i].Key, err)
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
		key := batch[i].Key
		list[i].Changed = r.changed[key]
		delete(r.changed, key)
		r.err = r.fn(&list[i])
	}
	if r.err == nil {
		r.err = bad
	}
}

func (w *WhoisObject) domain() (Domain, error) {
	n, err := zone.ParseName(w.Key)
	if err != nil {
		return Domain{}, err
	}
	list, err := w.Records()
	return Domain{Name: n, Records: list}, err
}
