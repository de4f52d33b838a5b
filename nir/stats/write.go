package stats

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"nirzone/nir/inr"
)

// A Form is one of the two forms of a file.
type Form int

// The forms.
const (
	Plain    Form = iota // seven fields; records allocated and assigned alone
	Extended             // eight fields, the last the opaque-id; all records
)

// A File is what [Write] writes beside the records.
type File struct {
	Form     Form
	Header   Header
	Comments []string // lines before the header, without #
}

// Write writes a file in the order of the package comment. In the plain form,
// records available and reserved are left out. Records that could not be read
// back are an error, and nothing is written.
func Write(to io.Writer, f File, records []Record) error {
	list, err := f.prepare(records)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(to, 64<<10)
	for _, c := range f.Comments {
		fmt.Fprintf(w, "#%s\n", strings.NewReplacer("\n", " ", "\r", " ").Replace(c))
	}
	h := f.Header
	fmt.Fprintf(w, "%s|%s|%s|%d|%s|%s|%s\n", h.Version, h.Registry, h.Serial, len(list), field(h.Start), field(h.End), h.Offset)
	counts := map[inr.Kind]int{}
	for i := range list {
		counts[list[i].Range.Kind]++
	}
	for _, k := range kindOrder {
		fmt.Fprintf(w, "%s|*|%s|*|%d|summary\n", h.Registry, k, counts[k])
	}
	var b []byte
	for i := range list {
		b = f.line(b[:0], &list[i])
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("writing statistics: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing statistics: %w", err)
	}
	return nil
}

func field(d Date) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// prepare checks, selects, splits and sorts the records.
func (f *File) prepare(records []Record) ([]Record, error) {
	h := &f.Header
	if h.Version == "" {
		h.Version = map[Form]string{Plain: "2", Extended: "2.3"}[f.Form]
	}
	if !validVersion(h.Version) || !validRegistry(h.Registry) || !allOf(h.Serial, 20, isDigit) || !validOffset(h.Offset) {
		return nil, fmt.Errorf("writing statistics: header %+v cannot be read back", *h)
	}
	list := make([]Record, 0, len(records))
	for _, r := range records {
		if f.Form == Plain && !r.Status.Held() {
			continue
		}
		if err := r.check(h.Registry); err != nil {
			return nil, fmt.Errorf("writing statistics: %s: %w", r.Range, err)
		}
		if _, _, ok := r.Range.Statistics(); ok {
			list = append(list, r)
			continue
		}
		for b := range r.Range.Blocks() {
			r.Range = b.Range()
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, Record.Compare)
	return list, nil
}

func (r *Record) check(registry string) error {
	switch {
	case !r.Range.Valid():
		return fmt.Errorf("the range is none")
	case registry != "nro" && r.Registry != registry, !validRegistry(r.Registry):
		return fmt.Errorf("registry %q in a file of %s", r.Registry, registry)
	case !validEconomy(r.Economy):
		return fmt.Errorf("economy %q is not two upper-case letters", r.Economy)
	case !r.Status.Valid():
		return fmt.Errorf("status %q is none", r.Status)
	case DateOf(r.Date.Time()) != r.Date:
		return fmt.Errorf("date %d is none", r.Date)
	}
	for _, s := range append([]string{r.Opaque}, r.Extensions...) {
		if s != "" && !allOf(s, 64, isPlain) {
			return fmt.Errorf("%q cannot be a field", s)
		}
	}
	return nil
}

// line appends a record's line.
func (f *File) line(b []byte, r *Record) []byte {
	start, value, _ := r.Range.Statistics()
	date := field(r.Date)
	if date == "" && r.Status.Held() {
		date = "00000000"
	}
	for i, s := range [...]string{r.Registry, r.Economy, r.Range.Kind.String(), start, value, date, string(r.Status)} {
		if i > 0 {
			b = append(b, '|')
		}
		b = append(b, s...)
	}
	if f.Form == Extended {
		b = append(append(b, '|'), r.Opaque...)
		for _, s := range r.Extensions {
			b = append(append(b, '|'), s...)
		}
	}
	return append(b, '\n')
}
