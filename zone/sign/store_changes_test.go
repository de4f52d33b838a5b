package sign

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// touch changes the name servers of one delegation, another one for each number.
func (s *shelf) touch(i int) {
	for at := len(s.z.Entries) / 3; ; at++ {
		if e := &s.z.Entries[at]; e.Type == zone.TypeNS && e.Name != s.z.Entries[at+1].Name {
			if i--; i < 0 {
				e.Data = zone.NSData(zone.Name("zz" + string(rune('a'+len(e.Data)%26)) + ".example."))
				return
			}
		}
	}
}

// TestStoreChanges: a small change is written beside the store, which stays as it
// is; reading both is reading what would have been written whole.
func TestStoreChanges(t *testing.T) {
	s := newShelf(t, algECDSA, 900)
	s.build()
	whole, beside := read(t, s.file), ChangesName(s.file)
	if _, err := os.Stat(beside); err == nil {
		t.Fatal("changes of the first store")
	}
	for i := range 3 {
		s.touch(i)
		if v := s.build(); v.facts.Made != 2 { // for the serial
			t.Errorf("change %d: %d signatures", i, v.facts.Made)
		}
		if !bytes.Equal(read(t, s.file), whole) {
			t.Fatal("the store was written again for one delegation")
		}
		if info, err := os.Stat(beside); err != nil || info.Mode().Perm() != 0o600 || info.Size() > int64(len(whole))/changesShare {
			t.Fatalf("the changes: %v, %v", info, err)
		}
	}
	first := read(t, beside)
	for i := range 400 {
		s.touch(i)
	}
	s.build()
	if bytes.Equal(read(t, s.file), whole) {
		t.Error("most of it changed, and the store was not written whole")
	}
	if _, err := os.Stat(beside); err == nil {
		t.Error("the changes of the old store are left")
	}
	// A power loss may bring them back: they are of another store.
	must(t, os.WriteFile(beside, first, 0o600))
	if st := s.open(); st.apex != st.disk.blocks[0] {
		t.Error("the changes of another store are taken")
	}
	if v := s.build(); v.facts.Made != 2 {
		t.Errorf("%d signatures beside changes of another store", v.facts.Made)
	}
}

// TestStoreChangesSealed: changes that were altered, cut or sealed by somebody else
// are told of and not used, and the next run replaces them.
func TestStoreChangesSealed(t *testing.T) {
	s := newShelf(t, algECDSA, 900)
	s.build()
	s.touch(0)
	s.build()
	beside := ChangesName(s.file)
	good := read(t, beside)
	refused := func(what string, data []byte) {
		t.Helper()
		must(t, os.WriteFile(beside, data, 0o600))
		st, err := OpenStore(publish.OS, s.file, testName, s.keys)
		if err == nil || !strings.Contains(err.Error(), filepath.Base(beside)) || st.apex != st.disk.blocks[0] {
			t.Errorf("%s: %v", what, err)
		}
	}
	points := 400
	if raceEnabled {
		points = 40
	}
	for i := 0; i < len(good); i += 1 + len(good)/points {
		if at := i - len(changesMagic) - 12; at >= 0 && at < 32 {
			continue // the store it is of: no store has this sum
		}
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		refused("a bit", bad)
		refused("cut", good[:i])
	}
	refused("a store", read(t, s.file))
	other := testKeys(t, "203.in-addr.arpa.", algECDSA)
	other[1].Tag = s.keys[1].Tag
	st := s.with(s.open0()).Store()
	st.sums()
	index, fresh, few := st.changes(s.file, &s.keys[1])
	if !few {
		t.Fatal("no changes")
	}
	must(t, saveSealed(publish.OS, beside, changesMagic, index, fresh, other, s.now))
	forged := read(t, beside)
	refused("sealed by another key", forged)
	s.build0()
	if v := s.build(); v.facts.Made != 2 {
		t.Errorf("%d signatures after the changes were replaced", v.facts.Made)
	}
	// The same zone again, so that nothing is new but that the file is not good.
	must(t, os.WriteFile(beside, forged, 0o600))
	whole, err := OpenStore(publish.OS, s.file, testName, s.keys)
	if err == nil {
		t.Fatal("the store is good")
	}
	again := &Store{zone: testName, apex: whole.apex, blocks: whole.blocks, from: whole}
	if written, err := again.Save(publish.OS, s.file, s.keys, s.now); !written || err != nil {
		t.Errorf("%v, %v", written, err)
	}
	s.open()
}

// open0 reads a store whose changes may not be good.
func (s *shelf) open0() *Store {
	st, _ := OpenStore(publish.OS, s.file, s.z.Origin, s.keys)
	return st
}

// TestStoreChangesKey: a store that another key would seal is written whole, so
// that it does not rest on a key that goes.
func TestStoreChangesKey(t *testing.T) {
	s := newShelf(t, algEd25519, 900)
	s.build()
	whole := read(t, s.file)
	next, err := makeKey(Step{Zone: testName, Flags: FlagsZSK, Algorithm: algEd25519}, s.keys, s.now, testRandom("next"))
	must(t, err)
	next.Timing = Timing{Created: s.now, Publish: s.now, Ready: s.now, Active: s.now.Add(time.Second)}
	s.keys = append(append([]Key{}, s.keys...), next)
	s.now = s.now.Add(time.Minute)
	s.build()
	if bytes.Equal(read(t, s.file), whole) {
		t.Error("the store is sealed by the key before")
	}
	if _, err := os.Stat(ChangesName(s.file)); err == nil {
		t.Error("changes beside it")
	}
}

// TestStoreChangesNoSpace: a disk that takes no changes is told of, and the store
// stays good.
func TestStoreChangesNoSpace(t *testing.T) {
	s := newShelf(t, algECDSA, 900)
	s.build()
	s.touch(0)
	v := s.with(s.open())
	if _, err := v.Store().Save(fullDisk{publish.OS}, s.file, s.keys, s.now); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("%v", err)
	}
	s.open()
}

// fullDisk takes no new file.
type fullDisk struct{ publish.FS }

func (fullDisk) Create(name string, _ fs.FileMode) (publish.Handle, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ENOSPC}
}

// TestStoreChangesStay: a store that was written whole is good, though the changes
// of the one before cannot be removed: nobody takes them.
func TestStoreChangesStay(t *testing.T) {
	s := newShelf(t, algECDSA, 900)
	s.build()
	s.touch(0)
	s.build()
	old := read(t, ChangesName(s.file))
	for i := range 400 {
		s.touch(i)
	}
	v := s.with(s.open())
	if written, err := v.Store().Save(keepingDisk{publish.OS}, s.file, s.keys, s.now); err != nil || !written {
		t.Errorf("written %t, %v", written, err)
	}
	if !bytes.Equal(read(t, ChangesName(s.file)), old) {
		t.Fatal("the changes of the store before are not left")
	}
	s.sameStore(s.open(), v.Store())
}

// keepingDisk removes nothing.
type keepingDisk struct{ publish.FS }

func (keepingDisk) Remove(name string) error {
	return &fs.PathError{Op: "remove", Path: name, Err: syscall.EPERM}
}
