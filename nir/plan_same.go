package nir

import (
	"fmt"
	"regexp"
)

// identifiers are those of rows: a kind's prefix and 128 bits.
var identifiers = regexp.MustCompile(`\b[a-z]{2,5}_[a-z023456789]{26}\b`)

// Same reports whether two plans do the same, in the same order. Identifiers count
// by where they stand: those of what would be made are drawn anew for every plan.
func (p *Plan) Same(o *Plan) bool {
	if len(p.Effects) != len(o.Effects) {
		return false
	}
	a, b := map[string]string{}, map[string]string{}
	for i := range p.Effects {
		x, y := p.Effects[i], o.Effects[i]
		if x.Area != y.Area || numbered(x.Text, a) != numbered(y.Text, b) {
			return false
		}
	}
	return true
}

// numbered replaces the identifiers of a text by their numbers, in the order in
// which they were seen.
func numbered(text string, seen map[string]string) string {
	return identifiers.ReplaceAllStringFunc(text, func(id string) string {
		if seen[id] == "" {
			seen[id] = fmt.Sprint("#", len(seen))
		}
		return seen[id]
	})
}
