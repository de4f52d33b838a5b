package zone

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// KindProbation is the kind of everything that a source in probation would add,
// change or remove in a zone. Nobody accepts it: it is let in as a whole, by the
// end of the probation.
const KindProbation = "probation"

// maxProbation bounds registry/probation: a source has 32 letters at most.
const maxProbation = 1 << 20

// ParseProbation reads registry/probation: the sources of which nothing is
// published yet, one name a line, sorted, with blank lines and # comments. Every
// mistake is reported, as a *[SyntaxErrors]; rir, the registry's own name, is one.
func ParseProbation(file, rir string, data []byte) ([]string, error) {
	p := claimsParser{file: file}
	if len(data) > maxProbation {
		p.fail(0, 0, "%d octets, at most %d are read", len(data), maxProbation)
		return nil, &p.errs
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		p.fail(bytes.Count(data, []byte("\n"))+1, 0, "the last line has no line end, the file may be cut short; export it again or end it with a newline")
	}
	var sources []string
	line := 0
	for l := range bytes.Lines(data) {
		line++
		text, _, _ := strings.Cut(strings.TrimSuffix(string(l), "\n"), "#")
		text = strings.TrimRight(text, " \t")
		last := ""
		if len(sources) > 0 {
			last = sources[len(sources)-1]
		}
		switch {
		case text == "":
			continue
		case !IsSourceName(text):
			p.fail(line, 1, "source %.40q: write one a line, 1 to 32 letters, digits and hyphens, a letter first", text)
			continue
		case text == rir:
			p.fail(line, 1, "%s is the registry itself, whose delegations have no probation; delete this line", text)
		case text <= last:
			p.fail(line, 1, "%s comes after %s; sort the lines, each source once", text, last)
		}
		sources = append(sources, text)
	}
	if len(p.errs.Errors) > 0 {
		return nil, &p.errs
	}
	return sources, nil
}

// FormatProbation returns the file that ParseProbation reads back.
func FormatProbation(sources []string) []byte {
	list := slices.Compact(slices.Sorted(slices.Values(sources)))
	if len(list) == 0 {
		return []byte("# no source is in probation\n")
	}
	return []byte(strings.Join(list, "\n") + "\n")
}

// StandsOfSources returns the owners of a published zone that are from one of the
// sources: with these in [MergeInput] they stay as they are whatever those say,
// unless another source has the right to them.
func StandsOfSources(published *Zone, sources []string) map[Name]Stand {
	stands := map[Name]Stand{}
	walk(nil, published, func(_, es []Entry) {
		if s, ok, _ := gatedSource(published, es); ok && slices.Contains(sources, s) {
			stands[es[0].Name] = Stand{Source: s}
		}
	})
	return stands
}

// HoldProbation compares a zone as it is to be published, without what a source in
// probation says, with what it would be with that: nil if they are the same. The
// hold names every owner that would come, change or go, also of others that the
// source would hide.
func HoldProbation(source string, without, with *Zone) *Hold {
	h := &Hold{
		Source: source, Zone: with.Origin, Kind: KindProbation,
		Rule: fmt.Sprintf("%s is in probation: nothing of it is published before \"nirctl nir activate %s\" and \"nirctl export\"", source, source),
	}
	was, is := glueOf(without), glueOf(with)
	walk(without, with, func(a, b []Entry) {
		h.Before += ownedBy(without, a, source)
		h.After += ownedBy(with, b, source)
		s := HeldSet{Was: allTexts(a, was), Is: allTexts(b, is)}
		if !sameText(s.Was, s.Is) {
			of := a
			if len(a) == 0 {
				of = b
			}
			h.Losses, h.Sets = append(h.Losses, of[0].Name), append(h.Sets, s)
		}
	})
	if len(h.Losses) == 0 {
		return nil
	}
	h.Hash = h.ComputeHash()
	return h
}

func ownedBy(z *Zone, es []Entry, source string) int {
	if s, ok, _ := gatedSource(z, es); ok && s == source {
		return 1
	}
	return 0
}

// probationText says how many owners would come, change and go.
func (h Hold) probationText() string {
	added, removed := 0, 0
	for _, s := range h.Sets {
		switch {
		case len(s.Was) == 0:
			added++
		case len(s.Is) == 0:
			removed++
		}
	}
	return fmt.Sprintf("%d would be added, %d changed, %d removed", added, len(h.Sets)-added-removed, removed)
}
