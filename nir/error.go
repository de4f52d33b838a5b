package nir

import (
	"errors"
	"fmt"
)

// A Code classifies an [Error]; commands make exit codes of it and servers
// answers.
type Code string

// The codes.
const (
	Invalid       Code = "invalid"                 // the request cannot be right, whatever the registry holds
	NotFound      Code = "not-found"               // an object that was named is not there
	Conflict      Code = "conflict"                // the registry's state forbids it
	Forbidden     Code = "forbidden"               // the actor may not
	SecondOpinion Code = "second-opinion-required" // above the allocation window (policy APNIC-103, section 3.2.2)
	Pending       Code = "pending"                 // it waits for somebody
	Held          Code = "held"                    // an unsafe change that has to be named to pass
	Exhausted     Code = "exhausted"               // no pool has room
)

// An Error is a refusal by a rule. Text says what is wrong, Rule where that is
// written (policy and section, RFC and section), Remedy what to do; Field names
// the input that is at fault, if one is.
type Error struct {
	Code                      Code
	Text, Field, Rule, Remedy string
}

// Error returns text, rule and remedy on one line.
func (e *Error) Error() string {
	s := e.Text
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Rule != "" {
		s += " (" + e.Rule + ")"
	}
	return s
}

// Hint returns the remedy: something that the reader can do.
func (e *Error) Hint() string { return e.Remedy }

// Is makes errors.Is(err, &Error{Code: c}) true for every error of that code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Text == ""
}

// CodeOf returns the code of the first [Error] in err's chain, "" if there is
// none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func refuse(c Code, format string, args ...any) *Error {
	return &Error{Code: c, Text: fmt.Sprintf(format, args...)}
}

func invalid(field, format string, args ...any) *Error {
	return refuse(Invalid, format, args...).in(field)
}

func (e *Error) in(field string) *Error    { e.Field = field; return e }
func (e *Error) by(rule string) *Error     { e.Rule = rule; return e }
func (e *Error) remedy(text string) *Error { e.Remedy = text; return e }

// citing names a section for every refusal in err that names none.
func citing(err error, rule string) error {
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case *Error:
		if e.Rule == "" {
			e.Rule = rule
		}
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			_ = citing(one, rule)
		}
	case interface{ Unwrap() error }:
		_ = citing(e.Unwrap(), rule)
	}
	return err
}

// mistakes collects every mistake of one input, so that all are told at once.
type mistakes []error

func (m *mistakes) add(err error) {
	if err != nil {
		*m = append(*m, err)
	}
}

func (m *mistakes) need(field, value, rule string) {
	if value == "" {
		*m = append(*m, invalid(field, "it is missing").by(rule))
	}
}

func (m mistakes) err() error { return errors.Join(m...) }
