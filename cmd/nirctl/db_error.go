package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

// The exit codes of refusals, beside notFound and forbidden.
const (
	conflict      = 6
	secondOpinion = 7
	pending       = 8
	unsafe        = 9
)

var exitOf = map[nir.Code]int{
	nir.Invalid: 2, nir.NotFound: notFound, nir.Conflict: conflict, nir.Forbidden: forbidden, nir.SecondOpinion: secondOpinion,
	nir.Pending: pending, nir.Held: unsafe, nir.Exhausted: conflict,
}

// refused makes of the registry's refusal the end of a command: its exit code,
// every mistake on a line of its own, the field that is at fault by the name of
// its flag, and what to type.
func refused(c *cobra.Command, err error) error {
	var exit *shell.Exit
	code := nir.CodeOf(err)
	if errors.Is(err, nir.ErrNoRoom) && !errors.As(err, &exit) {
		return &shell.Exit{Code: 1, Err: err, Hint: makeRoom}
	}
	if err == nil || code == "" || errors.As(err, &exit) {
		return err
	}
	var lines, hints []string
	for _, e := range parts(err) {
		lines = append(lines, lineOf(c, e))
		var r *nir.Error
		if errors.As(e, &r) && r.Remedy != "" && !slices.Contains(hints, r.Remedy) {
			hints = append(hints, r.Remedy)
		}
	}
	hint := strings.Join(hints, "\n")
	if hint == "" && code == nir.Invalid {
		hint = c.CommandPath() + " --help"
	}
	return &shell.Exit{Code: cmp.Or(exitOf[code], 1), Err: errors.New(strings.Join(lines, "\n")), Hint: hint}
}

const makeRoom = "make room in the file system that is full, then the same command again"

// parts takes joined errors apart.
func parts(err error) []error {
	list, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // a text around a list is about all of it
	switch {
	case err == nil:
		return nil
	case !ok:
		return []error{err}
	}
	var all []error
	for _, e := range list.Unwrap() {
		all = append(all, parts(e)...)
	}
	return all
}

// lineOf writes a mistake with the flag that it is about.
func lineOf(c *cobra.Command, err error) string {
	var r *nir.Error
	if !errors.As(err, &r) || r.Field == "" {
		return err.Error()
	}
	flag := flagOf(c, r.Field)
	if flag == "" {
		return err.Error()
	}
	text := fmt.Sprintf("%s--%s: %s", strings.TrimSuffix(err.Error(), r.Error()), flag, r.Text)
	if r.Rule != "" {
		text += " (" + r.Rule + ")"
	}
	return text
}

// flagOf returns the flag of a field of the registry, "" if the command has none.
func flagOf(c *cobra.Command, field string) string {
	name := strings.ReplaceAll(field, "_", "-")
	if field == "uid" && c.Flags().Lookup(name) == nil {
		name = "member"
	}
	if c.Flags().Lookup(name) != nil {
		return name
	}
	return ""
}

// usageOf is a mistake in the value of a flag.
func usageOf(c *cobra.Command, flag string, err error) error {
	return shell.Usage(fmt.Errorf("--%s: %w", flag, err), c.CommandPath()+" --help")
}
