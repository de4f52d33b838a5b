package sign

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"

	"nirzone/zone/publish"
)

// The file of changes has the form of a store, under a magic of its own. It says
// what a store is that has most blocks of the one in the file beside it. Its index:
//
//	base      digest, the sum of the store beside it
//	runs      each: numbers of the first block that is taken from there, counted from
//	          0, the apex, and of how many; number of new blocks that follow, and for
//	          each what the index of a store has of it
//
// What is taken stands in the order that it has there. The first block of all is
// the apex. The data is that of the new blocks.
const changesMagic = "nirzone signature store changes\n"

// changesShare is the part of a store's data that may be new in its changes or of no
// use any more: beyond it the store is written whole, so that reading both costs
// little more, and what left the zone leaves the store.
const changesShare = 8

// ChangesName is the name of the file with the changes of a store of this name.
func ChangesName(file string) string { return file + ".changes" }

// onDisk is what a store's file has, whatever its changes say.
type onDisk struct {
	file   string
	sum    digest
	tag    uint16   // of the key that sealed it
	blocks []*block // the apex first
	size   int      // of the data, in octets
}

// changes returns the index of a file of changes and its blocks, if the store
// followed one that has a file of this name, differs little from that, and would be
// sealed by the same key: what lies there must not outlive the key that it rests on.
func (st *Store) changes(file string, by *Key) (index []byte, fresh []*block, few bool) {
	if st.from == nil || st.from.disk == nil || by == nil {
		return nil, nil, false
	}
	disk := st.from.disk
	if disk.file != file || disk.tag != by.Tag {
		return nil, nil, false
	}
	at := make(map[*block]int, len(disk.blocks))
	for i, b := range disk.blocks {
		at[b] = i
	}
	index = append(index, disk.sum[:]...)
	list, end, spent := st.all(), 0, disk.size
	for len(list) > 0 {
		taken, first := 0, end
		for taken < len(list) {
			i, ok := at[list[taken]]
			if !ok || i < end || taken > 0 && i != end {
				break
			}
			if taken == 0 {
				first = i
			}
			taken, end, spent = taken+1, i+1, spent-list[taken].size()
		}
		made := 0
		for taken+made < len(list) {
			if i, ok := at[list[taken+made]]; ok && i >= end {
				break
			}
			made++
		}
		for _, n := range [...]int{first, taken, made} {
			index = binary.AppendUvarint(index, uint64(n))
		}
		for _, b := range list[taken : taken+made] {
			index, fresh, spent = b.appendIndex(index), append(fresh, b), spent+b.size()
		}
		list = list[taken+made:]
	}
	return index, fresh, spent <= disk.size/changesShare
}

// A changesFile is a file of changes that was read, with the store it makes.
type changesFile struct {
	sealed
	store *Store
	err   error
}

// readChanges reads the file of changes of a store, and checks all of it but the
// seal. One that is of another store is none: a crash has left it.
func readChanges(fsys publish.FS, base *Store) (f changesFile) {
	if f.sealed, f.err = readSealed(fsys, ChangesName(base.disk.file), changesMagic); f.err != nil {
		return f
	}
	r := &indexReader{b: f.index}
	if r.digest() != base.disk.sum {
		return changesFile{err: fs.ErrNotExist}
	}
	var fresh []*block
	if f.store, fresh, f.err = base.with(r, f.data); f.err == nil {
		f.err = checkSums(fresh)
	}
	return f
}

// with returns the store that changes make of this one, and the blocks that are
// new in it.
func (st *Store) with(r *indexReader, data []byte) (after *Store, fresh []*block, err error) {
	after = &Store{zone: st.zone, disk: st.disk}
	end := int64(0)
	for len(r.b) > 0 {
		first, taken, made := r.number(), r.number(), r.number()
		if r.bad || first < end || taken+made == 0 || first+taken > int64(len(st.disk.blocks)) || made > int64(len(r.b))/100 {
			return nil, nil, errIndex
		}
		end = first + taken
		after.blocks = append(after.blocks, st.disk.blocks[first:end]...)
		for range made {
			b := &block{}
			if data = b.decode(r, data); r.bad {
				return nil, nil, errIndex
			}
			after.blocks, fresh = append(after.blocks, b), append(fresh, b)
		}
	}
	if len(after.blocks) == 0 || len(data) > 0 {
		return nil, nil, errIndex
	}
	after.apex, after.blocks = after.blocks[0], after.blocks[1:]
	after.index()
	return after, fresh, nil
}

// open checks the seal. Without changes, or with such as cannot be used, the store
// is what its own file says.
func (f *changesFile) open(base *Store, keys []Key) (*Store, error) {
	if errors.Is(f.err, fs.ErrNotExist) {
		return base, nil
	}
	if f.err == nil {
		f.err = f.checkSeal(keys)
	}
	if f.err == nil {
		return f.store, nil
	}
	base.torn = true
	return base, fmt.Errorf("reading signature store %s: %w; the signatures in it are made anew", ChangesName(base.disk.file), f.err)
}
