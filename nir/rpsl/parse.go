package rpsl

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// A File is a text with all its objects.
type File struct {
	Objects []*Object
	Rest    string // what stands behind the last object
}

// String returns the text.
func (f *File) String() string {
	var b strings.Builder
	for _, o := range f.Objects {
		b.WriteString(o.String())
	}
	b.WriteString(f.Rest)
	return b.String()
}

// Each calls fn with every object of a text. The error is a [*Mistakes] with
// everything that is wrong with the text, or what ended reading, or fn's own.
func Each(file string, r io.Reader, lim Limits, fn func(*Object) error) error {
	in := NewReader(file, r, lim)
	var all Mistakes
	for {
		o, err := in.Next()
		var bad *Mistakes
		switch {
		case errors.Is(err, io.EOF):
			return all.err()
		case errors.As(err, &bad):
			all.add(bad, in.lim.Mistakes)
		case err != nil:
			return errors.Join(all.err(), err)
		case len(all.List) == 0:
			if err := fn(o); err != nil {
				return err
			}
		}
	}
}

func (m *Mistakes) add(o *Mistakes, limit int) {
	room := max(0, min(limit-len(m.List), len(o.List)))
	m.List = append(m.List, o.List[:room]...)
	m.More += len(o.List) - room
}

func (m *Mistakes) err() error {
	if len(m.List)+m.More == 0 {
		return nil
	}
	return m
}

// Parse reads a whole text: all its objects, or a [*Mistakes] with everything that
// is wrong with it.
func Parse(file string, r io.Reader, lim Limits) (*File, error) {
	in := NewReader(file, r, lim)
	f := &File{}
	var all Mistakes
	for {
		o, err := in.Next()
		var bad *Mistakes
		switch {
		case errors.Is(err, io.EOF):
			f.Rest = in.Rest()
			if err := all.err(); err != nil {
				return nil, err
			}
			return f, nil
		case errors.As(err, &bad):
			all.add(bad, in.lim.Mistakes)
		case err != nil:
			return nil, errors.Join(all.err(), err)
		default:
			f.Objects = append(f.Objects, o)
		}
	}
}

// ParseObject reads a text that is exactly one object, with empty lines and
// remarks around it, and gives it a final line end.
func ParseObject(file, text string) (*Object, error) {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	f, err := Parse(file, strings.NewReader(text), Limits{})
	if err != nil {
		return nil, err
	}
	if len(f.Objects) != 1 {
		return nil, fmt.Errorf("%s: %d objects, one is expected: an empty line ends an object", file, len(f.Objects))
	}
	return f.Objects[0], nil
}
