package resolver

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Key is a zone's key as validators tell it from others. Two keys may have one
// tag, so ID decides; any text that is different for different keys will do.
type Key struct {
	ID        string
	Tag       uint16
	Algorithm uint8
}

// String returns tag and algorithm, such as 12345/13.
func (k Key) String() string { return fmt.Sprintf("%d/%d", k.Tag, k.Algorithm) }

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Algorithm, b.Algorithm), cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.ID, b.ID))
}

// A Set is an RRset, or many RRsets that are signed alike, as they are published.
type Set struct {
	From, Until time.Time     // published; a zero Until is for ever
	TTL         time.Duration // the largest
	Keys        []Key         // of a DS set: the keys it points to; of a DNSKEY set: those in it; of data: none
	Signers     []Key         // whose signatures it carries; of a DS set: none

	// Validity of the signatures; zero times are not judged. Of many RRsets it is
	// that of the one that is worst off: Leaves says until when that one is
	// published, if not until Until.
	Inception, Expires, Leaves time.Time
}

// algorithms returns the algorithms of keys, each once.
func algorithms(keys []Key) []uint8 {
	var list []uint8
	for _, k := range keys {
		if !slices.Contains(list, k.Algorithm) {
			list = append(list, k.Algorithm)
		}
	}
	slices.Sort(list)
	return list
}

// list returns the keys as text, in an order of their own.
func list(keys []Key) string {
	if len(keys) == 0 {
		return "nobody"
	}
	var words []string
	for _, k := range slices.SortedFunc(slices.Values(keys), compareKeys) {
		words = append(words, k.String())
	}
	return strings.Join(slices.Compact(words), ", ")
}

// identity tells sets apart by what is in them, whenever they are published.
func identity(keys []Key) string {
	var b strings.Builder
	for _, k := range slices.SortedFunc(slices.Values(keys), compareKeys) {
		fmt.Fprintf(&b, "%s/%d/%d ", k.ID, k.Tag, k.Algorithm)
	}
	return b.String()
}
