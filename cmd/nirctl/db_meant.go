package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

// A misnamed is an object that was not named as the registry has it. Who typed it is
// shown the same command with the right name: run makes the hint of it.
type misnamed struct {
	code         int
	text         string
	given, meant string // words of the command line; meant is "" if nobody knows
	list         string // to type then
}

// Error says what is wrong with the name.
func (m *misnamed) Error() string { return m.text }

// A retyped is a command that was refused, and goes with other flags: run makes the
// hint of it, so that nothing else that was typed is lost.
type retyped struct {
	err  error
	code int
	less string   // a flag with a value, of which no use stays
	more []string // words behind
}

// Error says why it was refused.
func (r *retyped) Error() string { return r.err.Error() }

// again is the command as it was typed, with the flags that it needs.
func (r *retyped) again(args []string) string {
	words := []string{"nirctl"}
	for i := 0; i < len(args); i++ {
		switch flag := "--" + r.less; {
		case r.less != "" && args[i] == flag:
			i++
		case r.less == "" || !strings.HasPrefix(args[i], flag+"="):
			words = append(words, shell.Quote(args[i]))
		}
	}
	for _, w := range r.more {
		words = append(words, shell.Quote(w))
	}
	return strings.Join(words, " ")
}

// corrected gives an error that is about a name, or a flag, the command to type.
func corrected(args []string, err error) error {
	var r *retyped
	if errors.As(err, &r) {
		return &shell.Exit{Code: r.code, Err: err, Hint: r.again(args)}
	}
	var m *misnamed
	var exit *shell.Exit
	if !errors.As(err, &m) || errors.As(err, &exit) {
		return err
	}
	return &shell.Exit{Code: m.code, Err: err, Hint: m.again(args)}
}

// again is the command as it was typed, with the right name. A name that stands in a
// file is to be mended there.
func (m *misnamed) again(args []string) string {
	if m.meant == "" {
		return m.list
	}
	words, found := []string{"nirctl"}, false
	for _, w := range args {
		name := w
		if strings.HasPrefix(w, "--") {
			_, name, _ = strings.Cut(w, "=")
		}
		if name == m.given || strings.HasSuffix(name, "/"+m.given) {
			w, found = strings.TrimSuffix(w, m.given)+m.meant, true
		}
		words = append(words, shell.Quote(w))
	}
	if !found {
		return "write " + m.meant + " in place of " + m.given
	}
	return strings.Join(words, " ")
}

// A naming is how objects of a kind are named within a registry: uids of members,
// references of requests.
type naming struct {
	noun  string
	names func(v *nir.View, code string) ([]string, error)
}

var (
	memberNaming = naming{"member", func(v *nir.View, code string) (names []string, err error) {
		_, ships, err := v.Members(code)
		for _, s := range ships {
			names = append(names, s.UID)
		}
		return names, err
	}}
	requestNaming = naming{"request", func(v *nir.View, code string) (names []string, err error) {
		if code == "" {
			return nil, nil // a direct member's has its identifier alone
		}
		list, err := v.Requests(code, "")
		for _, r := range list {
			names = append(names, r.Ref)
		}
		return names, err
	}}
	newNaming = naming{noun: "member"} // of one that is to be made: the registry's own, for an example
)

// absent is the error of a name that a registry does not have: one that differs in
// upper and lower case alone is what was meant. How another NIR calls what it has is
// none of the business of its staff.
func (o *opened) absent(v *nir.View, n naming, code, name string) error {
	if err := o.mine(code); err != nil {
		return err
	}
	m := &misnamed{code: notFound, text: fmt.Sprintf("%s has no %s %s", registryName(v, code), n.noun, name), given: name, list: "nirctl " + n.noun + " list"}
	names, err := n.names(v, code)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(s string) bool { return !strings.EqualFold(s, name) })
	if len(names) == 1 {
		m.meant = names[0]
		m.text += ", but one " + names[0]
	}
	return m
}

// unscoped is the error of a name without its registry.
func (n naming) unscoped(v *nir.View, name string) error {
	m := &misnamed{code: 2, text: name + " does not say of which registry", given: name, list: "nirctl " + n.noun + " list"}
	all, err := v.NIRs()
	if n.names == nil {
		m.meant = registryName(v, "") + "/" + name
	}
	if err != nil || n.names == nil {
		return errors.Join(err, m)
	}
	var have []string
	for _, r := range append(all, nir.NIR{}) {
		names, err := n.names(v, r.Code)
		if err != nil {
			return err
		}
		if slices.Contains(names, name) {
			have = append(have, registryName(v, r.Code)+"/"+name)
		}
	}
	if len(have) > 0 {
		m.meant = have[0]
	}
	if len(have) > 1 {
		m.text += ": there are " + strings.Join(have, ", ")
	}
	return m
}
