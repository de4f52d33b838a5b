package nir

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"nirzone/nir/inr"
	"nirzone/nir/rpsl"
)

// A SplitFile is all objects of a type and source for the public, as RPSL: what
// package rpsl says is public, and nothing else (R-SEC-3). The same state gives
// the same octets.
type SplitFile struct {
	Name   string // apnic.db.inetnum
	v      *View
	source string
	class  string
	space  inr.Set // of the NIR, for what it mirrors
	nir    string
}

// WhoisFiles returns the files of a source, by name, one for each type that has
// objects. They can be written as long as the view lasts. Objects of types that
// package rpsl does not know are not public.
func (v *View) WhoisFiles(source string) ([]SplitFile, error) {
	reg, err := v.registrarOf(source)
	if err != nil {
		return nil, err
	}
	f := SplitFile{v: v, source: source, nir: reg.code}
	if reg.code != "" {
		if f.space, err = v.spaceOf(reg.code); err != nil {
			return nil, err
		}
	}
	var list []SplitFile
	for _, class := range rpsl.Classes() {
		_, found, err := whoisObjects.one(v, "source = $1 AND type = $2 AND state <> 'deleted' LIMIT 1", source, class)
		if err != nil {
			return nil, err
		}
		if found {
			f.Name, f.class = strings.ToLower(source)+".db."+class, class
			list = append(list, f)
		}
	}
	return list, nil
}

// WriteTo writes the file: numbers in their order, the greater range first, other
// objects by key. Of what is kept here and mirrored too, the first is written.
func (f SplitFile) WriteTo(w io.Writer) (int64, error) {
	out := &counting{w: bufio.NewWriterSize(w, 64<<10)}
	_, err := fmt.Fprintf(out, "%% Objects of type %s, source %s.\n%% What is not public is left out, or marked \"# Filtered\".\n", f.class, f.source)
	if err != nil {
		return out.n, err
	}
	last := ""
	err = whoisObjects.each(f.v, "source = $1 AND type = $2 AND state <> 'deleted' ORDER BY kind, first, last DESC, key, origin DESC",
		[]any{f.source, f.class}, func(o *WhoisObject) error {
			if o.Key == last || o.Origin == Mirrored && !inside(o, f.space) {
				return nil
			}
			last = o.Key
			p, err := o.Public()
			if err == nil && p != nil {
				_, err = io.WriteString(out, "\n"+p.Text())
			}
			return err
		})
	if err != nil {
		return out.n, fmt.Errorf("writing %s: %w", f.Name, err)
	}
	return out.n, out.w.Flush()
}

// Public returns what the public may see of the object: nil for an object of a
// type that is not known. Everything that leaves the registry for the public comes
// from here.
func (w *WhoisObject) Public() (*rpsl.Object, error) {
	o, err := w.RPSL()
	if err != nil {
		return nil, err
	}
	return o.Public(), nil
}

type counting struct {
	w *bufio.Writer
	n int64
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
