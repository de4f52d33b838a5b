package nir

import "bytes"

// recalled is what a view was asked for and is asked for again: one event names its
// NIR and its member many times. The view is of one state, and a change of this
// transaction forgets what it changes ([Tx.note]).
type recalled struct {
	nirs    map[string]NIR
	windows map[string]Window
	members map[string]Member
	pools   map[string][]Pool
}

// mostRecalled bounds what a view remembers of one kind.
const mostRecalled = 256

// recall returns what is remembered of a key, or reads it.
func recall[T any](m *map[string]T, key string, read func() (T, error)) (T, error) {
	if t, ok := (*m)[key]; ok {
		return t, nil
	}
	t, err := read()
	if err != nil {
		return t, err
	}
	if *m == nil || len(*m) >= mostRecalled {
		*m = map[string]T{}
	}
	(*m)[key] = t
	return t, nil
}

// forget is called of every object that changes.
func (r *recalled) forget(table, id string) {
	switch table {
	case members.name:
		delete(r.members, id)
	case nirs.name: // the others are not asked for by identifier
		clear(r.nirs)
	case windows.name:
		clear(r.windows)
	case pools.name:
		clear(r.pools)
	}
}

// A memory is what a writer remembered after an event, for the next one of this
// process. It is right if that event is still the last one: the hash of the head
// covers every change that anybody made.
type memory struct {
	hash []byte
	recalled
}

// resume gives a transaction what was remembered at the head that it found.
// Whatever becomes of the transaction, it is remembered no more, unless
// [DB.retain] is called.
func (n *DB) resume(x *Tx, h head) {
	if len(h.hash) > 0 && bytes.Equal(n.memory.hash, h.hash) {
		x.recalled = n.memory.recalled
	}
	n.memory = memory{}
}

// retain keeps what a transaction remembers, which is of the state of a hash.
func (n *DB) retain(x *Tx, hash []byte) { n.memory = memory{hash, x.recalled} }
