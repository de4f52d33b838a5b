package sshsig

import (
	"fmt"
	"slices"
	"time"
)

// Verify checks an armoured signature over a text: that it was made for the
// namespace, by a key that the list has for it at that time. It returns whose key
// it is (the first name of its line) and the key's fingerprint.
func (s *Signers) Verify(namespace string, text []byte, armored string, at time.Time) (signer, key string, err error) {
	sig, err := Parse(armored)
	if err != nil {
		return "", "", err
	}
	l, err := s.find(sig, namespace, at)
	if err != nil {
		return "", "", err
	}
	if err := sig.Verify(namespace, text); err != nil {
		return "", "", err
	}
	return l.principals[0], sig.Fingerprint(), nil
}

// find returns the line that lets a key sign. If there is none it says what comes
// closest.
func (s *Signers) find(sig *Signature, namespace string, at time.Time) (*line, error) {
	err := fmt.Errorf("key %s is not in %s", sig.Fingerprint(), s.file)
	for i := range s.lines {
		l := &s.lines[i]
		switch {
		case !slices.Equal(l.key.wire, sig.key.wire):
		case !matchList(l.namespaces, namespace):
			err = fmt.Errorf("%s:%d: the key of %s may not sign for %s", s.file, l.number, l.principals[0], namespace)
		case at.Before(l.after):
			err = fmt.Errorf("%s:%d: the key of %s counts from %s on", s.file, l.number, l.principals[0], l.after.Format(time.RFC3339))
		case !l.before.IsZero() && at.After(l.before):
			err = fmt.Errorf("%s:%d: the key of %s counted until %s", s.file, l.number, l.principals[0], l.before.Format(time.RFC3339))
		default:
			return l, nil
		}
	}
	return nil, err
}

// Names returns who may sign for a namespace at a time, sorted.
func (s *Signers) Names(namespace string, at time.Time) []string {
	var names []string
	for i := range s.lines {
		if l := &s.lines[i]; matchList(l.namespaces, namespace) && !at.Before(l.after) && (l.before.IsZero() || !at.After(l.before)) {
			names = append(names, l.principals[0])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// matchList matches a list of patterns with * and ?, where ! before one that
// matches decides against all (ssh_config(5), PATTERNS).
func matchList(patterns []string, s string) bool {
	found := false
	for _, p := range patterns {
		not := len(p) > 0 && p[0] == '!'
		if not {
			p = p[1:]
		}
		if match(p, s) {
			if not {
				return false
			}
			found = true
		}
	}
	return found
}

// match goes back to the last * only, so its time is bounded by both lengths.
func match(p, s string) bool {
	star, from := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == s[j]):
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// Roles verifies signatures by role: a role's namespace is [Namespace] of it. R is
// the type that the caller has for roles.
type Roles[R ~string] struct{ Signers *Signers }

// VerifySignature is [Signers.Verify] for a role.
func (r Roles[R]) VerifySignature(role R, text []byte, signature string, at time.Time) (signer, key string, err error) {
	return r.Signers.Verify(Namespace(string(role)), text, signature, at)
}
