package sign

import (
	"bytes"
	"crypto/sha512"
	"testing"
)

// TestTranscript: the digest of a transcript serves for exactly what went into
// it.
func TestTranscript(t *testing.T) {
	parts := func(s ...string) (list [][]byte) {
		for _, p := range s {
			list = append(list, []byte(p))
		}
		return list
	}
	written := newTranscript()
	for _, p := range parts("one", "two", "three") {
		written.write(p)
	}
	for _, list := range [][][]byte{
		parts("one", "two", "three"), parts("one", "three", "two"), parts("one", "two", "threE"), parts("one", "two"),
		parts("onetwothree"), parts("one", "two", "three", "four"), parts("one", "twothree", ""), nil,
	} {
		want := sha512.Sum384(bytes.Join(list, nil))
		for _, tr := range []*transcript{written, nil} {
			if got := tr.of(list); !bytes.Equal(got, want[:]) {
				t.Errorf("%q: %x", list, got)
			}
		}
	}
}
