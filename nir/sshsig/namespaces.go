package sshsig

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Unknown refuses every namespace of the list that matches none of those that
// anybody asks a signature for: a key with a misspelt one would sign for nothing, and
// nobody would notice before a signature is wanted. A pattern that decides against
// (behind !) may match nothing. All mistakes are returned, each with file and line.
func (s *Signers) Unknown(namespaces []string) error {
	var errs []error
	for _, l := range s.lines {
		for _, p := range l.namespaces {
			if !strings.HasPrefix(p, "!") && !slices.ContainsFunc(namespaces, func(n string) bool { return match(p, n) }) {
				errs = append(errs, fmt.Errorf("%s:%d: nobody asks for signatures in the namespace %.60q: there are %s", s.file, l.number, p, strings.Join(namespaces, ", ")))
			}
		}
	}
	return errors.Join(errs...)
}
