package sshsig

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	maxList    = 1 << 20
	maxLine    = 8 << 10
	maxSigners = 10_000
)

// Signers is a list of people's keys and what each may sign.
type Signers struct {
	file  string
	lines []line
}

// A line is one key of the list.
type line struct {
	number        int
	principals    []string
	namespaces    []string // patterns
	after, before time.Time
	key           *publicKey
}

// ParseSigners reads a list in the form of OpenSSH's allowed_signers:
//
//	anna,anna@registry.example namespaces="approver@nirzone" ssh-ed25519 AAAA… comment
//
// A line is one key: whose it is, what it may sign, from when and until when
// (valid-after, valid-before). The first name is the signer's: the account that
// the person works with, so that nobody approves a proposal of their own. All
// mistakes are returned, each with file and line. What OpenSSH would take and this
// list refuses:
//
//   - a line without namespaces: it would be a key for every role;
//   - patterns and negations among the names: a signature is one person's;
//   - one key under two first names: two people would be one;
//   - times without Z for UTC: each host would read them in its own time zone;
//   - cert-authority, and keys of a type or length that [Parse] refuses.
func ParseSigners(file string, data []byte) (*Signers, error) {
	if len(data) > maxList {
		return nil, fmt.Errorf("%s: a list of signers of more than %d octets", file, maxList)
	}
	s := &Signers{file: file}
	var errs []error
	for i, text := range strings.Split(string(data), "\n") {
		text = strings.TrimSpace(text)
		if text == "" || text[0] == '#' {
			continue
		}
		l, err := parseLine(text)
		if l.number = i + 1; err == nil {
			err = s.add(l)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", file, i+1, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Signers) add(l line) error {
	if len(s.lines) == maxSigners {
		return fmt.Errorf("more than %d keys", maxSigners)
	}
	for i := range s.lines {
		if o := &s.lines[i]; string(o.key.wire) == string(l.key.wire) && o.principals[0] != l.principals[0] {
			return fmt.Errorf("this key is that of %s in line %d already: a key is one person's", o.principals[0], o.number)
		}
	}
	s.lines = append(s.lines, l)
	return nil
}

var principal = regexp.MustCompile(`^[A-Za-z0-9._%+@-]{1,128}$`)

func parseLine(text string) (line, error) {
	var l line
	if len(text) > maxLine {
		return l, fmt.Errorf("a line of more than %d octets", maxLine)
	}
	names, rest := field(text)
	l.principals = strings.Split(names, ",")
	for _, p := range l.principals {
		if !principal.MatchString(p) {
			return l, fmt.Errorf("name %.40q: write the name of one person, without patterns", p)
		}
	}
	word, after := field(rest)
	if _, known := algorithms[word]; !known && !strings.HasPrefix(word, "ssh-") {
		options, r, err := splitOptions(rest)
		if err != nil {
			return l, err
		}
		if err := l.options(options); err != nil {
			return l, err
		}
		word, after = field(r)
	}
	if len(l.namespaces) == 0 {
		return l, fmt.Errorf("without namespaces this key would sign for every role: write namespaces=%q before the key", Namespace("approver"))
	}
	blob, _ := field(after)
	var err error
	l.key, err = listedKey(word, blob)
	return l, err
}

func listedKey(kind, blob string) (*publicKey, error) {
	wire, err := base64.StdEncoding.DecodeString(blob)
	if err != nil || blob == "" {
		return nil, fmt.Errorf("after %.40q there is no key: write it as in the .pub file", kind)
	}
	k, err := parseKey(wire)
	if err != nil {
		return nil, err
	}
	if k.kind != kind {
		return nil, fmt.Errorf("the key is of type %s, the line says %.40q", k.kind, kind)
	}
	return k, nil
}

// field splits off the first word.
func field(s string) (word, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " \t")
}

// splitOptions splits the options, with commas between them and quotes around
// their values, from what follows.
func splitOptions(s string) (options []string, rest string, err error) {
	quoted, from := false, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\':
			return nil, "", errors.New("a backslash in the options")
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ',':
			options, from = append(options, s[from:i]), i+1
		case c == ' ' || c == '\t':
			return append(options, s[from:i]), strings.TrimLeft(s[i:], " \t"), nil
		}
	}
	if quoted {
		return nil, "", errors.New("a quote that does not end")
	}
	return nil, "", errors.New("there is no key")
}

func (l *line) options(list []string) error {
	seen := map[string]bool{}
	for _, o := range list {
		name, value, _ := strings.Cut(o, "=")
		name = strings.ToLower(name)
		if seen[name] {
			return fmt.Errorf("option %s stands twice", name)
		}
		seen[name] = true
		if name == "cert-authority" {
			return errors.New("cert-authority: certificates are not taken: list each person's key")
		}
		if len(value) < 3 || value[0] != '"' || value[len(value)-1] != '"' || strings.Contains(value[1:len(value)-1], `"`) {
			return fmt.Errorf("option %.40q: write namespaces=\"…\", valid-after=\"…\" or valid-before=\"…\"", o)
		}
		if err := l.option(name, value[1:len(value)-1]); err != nil {
			return err
		}
	}
	if !l.after.IsZero() && !l.before.IsZero() && l.before.Before(l.after) {
		return errors.New("valid-before is before valid-after: the key never counts")
	}
	return nil
}

func (l *line) option(name, value string) (err error) {
	switch name {
	case "namespaces":
		l.namespaces = strings.Split(value, ",")
		if slices.Contains(l.namespaces, "") {
			err = errors.New("namespaces: an empty one")
		}
	case "valid-after":
		l.after, err = timestamp(name, value)
	case "valid-before":
		l.before, err = timestamp(name, value)
	default:
		err = fmt.Errorf("option %.40q is not one of namespaces, valid-after, valid-before", name)
	}
	return err
}

// timestamp reads YYYYMMDDZ, YYYYMMDDHHMMZ or YYYYMMDDHHMMSSZ.
func timestamp(name, s string) (time.Time, error) {
	for _, form := range []string{"20060102Z", "200601021504Z", "20060102150405Z"} {
		if t, err := time.Parse(form, s); err == nil && len(s) == len(form) {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s=%.20q: write YYYYMMDDZ or YYYYMMDDHHMMSSZ; the Z (UTC) has to be there, so that every host reads it alike", name, s)
}
