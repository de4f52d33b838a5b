package sign

import (
	"bytes"
	"errors"
	"slices"

	"nirzone/zone"
)

// pieceSize is how much text one goroutine verifies before it hands over: about
// 20 ms of work.
const pieceSize = 64 << 10

// A claim is a piece of the file with what the signer says of it. None of that
// is believed: it saves searching.
type claim struct {
	text []byte
	part *part // nil unless the piece is one
}

// split divides the file at lines where a new owner begins: the apex, and tasks
// of pieces to be verified in parallel. Where it divides is a guess at what is
// convenient; whatever it does, the pieces are the file, and join finds every name
// that was torn from its records or its delegation.
func (v *verification) split(s *Signed) (apex []byte, tasks [][]claim, err error) {
	var list []claim
	for i, text := range s.text {
		if len(text) == 0 || text[len(text)-1] != '\n' {
			return nil, nil, errors.New("the file does not end at the end of a line")
		}
		if i > 0 && len(s.parts) == len(s.text)-1 {
			list = append(list, claim{text, &s.parts[i-1]})
			continue
		}
		if i == 0 {
			n := 0
			for n < len(text) && string(lineOwner(text[n:])) == v.origin {
				n += lineLength(text[n:])
			}
			apex, text = text[:n], text[n:]
		}
		for len(text) > 0 {
			n := v.pieceLength(text)
			list, text = append(list, claim{text: text[:n]}), text[n:]
		}
	}
	return apex, tasksOf(list), nil
}

// tasksOf groups pieces in their order into tasks of about the same length. To
// compare a stored one is next to nothing.
func tasksOf(list []claim) [][]claim {
	var tasks [][]claim
	first, size := 0, 0
	for i, c := range list {
		if c.part != nil && c.part.stored != nil {
			size += len(c.text) / 64
		} else {
			size += len(c.text)
		}
		if size >= pieceSize || i == len(list)-1 {
			tasks = append(tasks, list[first:i+1])
			first, size = i+1, 0
		}
	}
	return tasks
}

func lineLength(b []byte) int { return bytes.IndexByte(b, '\n') + 1 }

func lineOwner(b []byte) []byte {
	if i := bytes.IndexByte(b, '\t'); i >= 0 {
		return b[:i]
	}
	return nil
}

// pieceLength returns the length of the first piece of a part.
func (v *verification) pieceLength(part []byte) int {
	if len(part) <= pieceSize*3/2 {
		return len(part)
	}
	last, n := []byte(nil), pieceSize+lineLength(part[pieceSize:])
	for ; n < len(part); n += lineLength(part[n:]) {
		owner := lineOwner(part[n:])
		if last != nil && !bytes.Equal(owner, last) && !v.belowCut(zone.Name(owner)) {
			return n
		}
		last = owner
	}
	return n
}

// belowCut reports whether the merged zone delegates a name above this one.
func (v *verification) belowCut(name zone.Name) bool {
	if !name.Within(v.z.Origin) {
		return false
	}
	for name = name.Parent(); name != v.z.Origin && name != zone.Root; name = name.Parent() {
		i := v.find(name)
		for ; i < len(v.z.Entries) && v.z.Entries[i].Name == name; i++ {
			if v.z.Entries[i].Type == zone.TypeNS {
				return true
			}
		}
	}
	return false
}

// find returns the first entry of the merged zone at or after a name.
func (v *verification) find(name zone.Name) int {
	i, _ := slices.BinarySearchFunc(v.z.Entries, name, func(e zone.Entry, n zone.Name) int { return e.Name.Compare(n) })
	for i > 0 && i <= len(v.z.Entries) && v.z.Entries[i-1].Name == name {
		i--
	}
	return i
}
