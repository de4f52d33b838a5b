package nir

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"nirzone/nir/inr"
	"nirzone/nir/stats"
)

// Statistics is a file of statistics that was read, to be imported.
type Statistics struct {
	File   string // its name, for people
	SHA256 string // of its bytes, hex
	Header stats.Header

	records  []stats.Record // allocated or assigned
	others   []stats.Record // available or reserved
	mistakes stats.Mistakes
}

// maxStatistics bounds a file in octets: several times what a registry publishes.
const maxStatistics = 256 << 20

// maxMistakes bounds how many mistakes of a file are told.
const maxMistakes = 100

// ReadStatistics reads a file of statistics: delegated or delegated-extended. What
// is wrong in the file is no error here: [Tx.Import] tells it together with what
// the registry says to the rest.
func ReadStatistics(name string, from io.Reader) (*Statistics, error) {
	f := &Statistics{File: name}
	sum := sha256.New()
	limited := &io.LimitedReader{R: from, N: maxStatistics + 1}
	lim := stats.DefaultLimits()
	lim.Mistakes = maxMistakes
	h, err := stats.Read(name, io.TeeReader(limited, sum), lim, func(r stats.Record) error {
		if r.Status.Held() {
			f.records = append(f.records, r)
		} else {
			f.others = append(f.others, r)
		}
		return nil
	})
	if _, rest := io.Copy(sum, limited); rest != nil { // a limit of records ends the reading before the file does
		return nil, fmt.Errorf("reading %s: %w", name, rest)
	}
	if limited.N <= 0 {
		return nil, invalid("file", "%s has more than %d octets", name, maxStatistics)
	}
	if m, ok := err.(*stats.Mistakes); ok {
		f.mistakes, err = *m, nil
	}
	f.Header, f.SHA256 = h, hex.EncodeToString(sum.Sum(nil))
	return f, err
}

// ParseStatistics is [ReadStatistics] of bytes.
func ParseStatistics(name string, data []byte) (*Statistics, error) {
	return ReadStatistics(name, bytes.NewReader(data))
}

// Records returns how many of its records are allocated or assigned.
func (f *Statistics) Records() int { return len(f.records) }

// Held returns the space that the file says is allocated or assigned.
func (f *Statistics) Held() inr.Set {
	var b inr.Builder
	for i := range f.records {
		b.Add(f.records[i].Range)
	}
	return b.Set()
}

// statistics is the name of the regional registry in statistics files.
func (r Rules) statistics() string {
	if r.Statistics != "" {
		return r.Statistics
	}
	return strings.ToLower(r.RIR)
}

// day is the date that statistics give for a time.
func (r Rules) day(d *Delegation) stats.Date {
	if r.Zone == nil || d.Evidence == ByImport { // the date of an import is the file's
		return stats.DateOf(d.Date.UTC())
	}
	return stats.DateOf(d.Date.In(r.Zone))
}
