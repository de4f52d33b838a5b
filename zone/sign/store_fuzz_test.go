package sign

import (
	"bytes"
	"testing"
)

// FuzzStoreIndex decodes any index and data: never a panic, never more taken than
// there is, and what decodes is the store that encodes to it.
func FuzzStoreIndex(f *testing.F) {
	s := newShelf(f, algEd25519, 20)
	st := s.build().Store()
	var data []byte
	for _, b := range st.all() {
		data = append(append(data, b.text...), b.wire...)
	}
	index := st.encodeIndex()
	f.Add(index, data)
	f.Add(index[:len(index)/2], data)
	f.Add((&Store{zone: "a.", apex: &block{}}).encodeIndex(), []byte{})
	f.Add(append([]byte{index[0] | 0x80, 0}, index[1:]...), data) // the same number, longer
	f.Fuzz(func(t *testing.T, index, data []byte) {
		st, err := decodeIndex(index, data)
		if err != nil {
			return
		}
		size := 0
		for _, b := range st.all() {
			size += len(b.text) + len(b.wire)
			proven{}.add(b)
		}
		if size != len(data) {
			t.Errorf("the blocks have %d octets of %d", size, len(data))
		}
		if !bytes.Equal(st.encodeIndex(), index) {
			t.Error("it encodes to something else")
		}
	})
}
