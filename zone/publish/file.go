package publish

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Publishable is a zone that has been verified. Package sign's Verified is the
// only type of the program that has these methods: a zone that was signed and not
// verified does not fit, and neither does a byte slice.
type Publishable interface {
	// PublishName is the file's name: the zone without its final dot, in lower
	// case, such as 202.in-addr.arpa.
	PublishName() string
	// WriteVerified writes the zone file and returns how many bytes it wrote.
	WriteVerified(w io.Writer) (int64, error)
}

// File is one file of a generation. Its zero value is refused by [Draft.Add].
type File struct {
	name string
	kind fileKind
	zone Publishable
	data []byte
	err  error
}

type fileKind int

const (
	kindNone fileKind = iota
	kindLink
	kindZone
	kindNote
)

// Name is the file's name in the generation.
func (f File) Name() string { return f.name }

// Link is the zone file of that name in the current generation, carried into the
// new one as a hard link. [Draft.Add] fails if there is none.
func Link(name string) File {
	return File{name: name, kind: kindLink, err: checkZoneName(name)}
}

// Zone is the file of a verified zone. A name that is not a safe file name
// ending in .arpa makes [Draft.Add] fail.
func Zone(v Publishable) File {
	if v == nil {
		return File{kind: kindZone, err: errors.New("no zone given")}
	}
	name := v.PublishName()
	return File{name: name, kind: kindZone, zone: v, err: checkZoneName(name)}
}

// Note is a file about the generation. Its name matches ^[a-z][a-z0-9-]*\.json$,
// which no zone's name does; any other makes [Draft.Add] fail.
func Note(name string, data []byte) File {
	return File{name: name, kind: kindNote, data: data, err: checkNoteName(name)}
}

var (
	zoneName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*\.arpa$`)
	noteName = regexp.MustCompile(`^[a-z][a-z0-9-]*\.json$`)
)

// maxName is the longest domain name in text, RFC 1035 section 2.3.4.
const maxName = 253

// checkZoneName knows nothing of DNS but what makes a name safe as a file's, as
// an argument of a command, and different from every note's.
func checkZoneName(name string) error {
	if len(name) > maxName || !zoneName.MatchString(name) || strings.Contains(name, "..") {
		return fmt.Errorf("%.260q is not a zone's file name (like 202.in-addr.arpa: lower case, no final dot)", name)
	}
	return nil
}

func checkNoteName(name string) error {
	if len(name) > maxName || !noteName.MatchString(name) {
		return fmt.Errorf("%.260q is not a note's file name (like generation.json)", name)
	}
	return nil
}
