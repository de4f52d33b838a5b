package main

import (
	"fmt"
	"slices"
	"strings"

	"nirzone/cmd/shell"
)

const (
	leastDigits = 8 // of a hash name it, if no other begins with them
	mostNamed   = 5 // hashes in a message
)

// pick finds the one hash that begins with what a person typed, and says
// otherwise how many do and what to type.
func pick(typed string, hashes []string, one, many string) (int, error) {
	var found []string
	for _, h := range hashes {
		if strings.HasPrefix(h, typed) && !slices.Contains(found, h) {
			found = append(found, h)
		}
	}
	if len(found) == 1 && len(typed) >= leastDigits {
		return slices.Index(hashes, found[0]), nil
	}
	var err error
	switch {
	case len(found) == 0 && len(hashes) == 0:
		err = fmt.Errorf("no %s begins with %q: there is none at all", one, typed)
	case len(found) == 0:
		err = fmt.Errorf("no %s begins with %q; there %s", one, typed, countOf(len(hashes), "is 1 other", "are %d others"))
	case len(found) == 1:
		err = fmt.Errorf("1 %s begins with %q, and at least %d digits have to name it: type %s", one, typed, leastDigits, shortest(found)[0])
	default:
		err = fmt.Errorf("%d %s begin with %q: type %s", len(found), many, typed, choice(shortest(found)))
	}
	return 0, &shell.Exit{Code: 1, Err: err, Hint: "zonebuild held"}
}

// shortest returns what of each hash tells it from the others.
func shortest(hashes []string) []string {
	out := slices.Sorted(slices.Values(hashes))
	same := func(n int) bool {
		for i := range out[1:] {
			if cut(out[i], n) == cut(out[i+1], n) {
				return true
			}
		}
		return false
	}
	n := leastDigits
	for same(n) && n < 64 {
		n++
	}
	for i := range out {
		out[i] = cut(out[i], n)
	}
	return out
}

func cut(s string, n int) string { return s[:min(n, len(s))] }

func choice(words []string) string {
	if n := len(words); n > mostNamed {
		return fmt.Sprintf("%s or one of %d more", strings.Join(words[:mostNamed], ", "), n-mostNamed)
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// countOf is one for 1, and many with the number otherwise: "1 zone", "%d zones".
func countOf(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, n)
}
