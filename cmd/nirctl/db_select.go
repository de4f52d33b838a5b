package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/nir/inr"
)

// selectRows applies --filter and --sort.
func selectRows[T any](a *app, k *shown[T], list []T) ([]T, error) {
	for _, f := range a.output.filter {
		key, want, not, err := readFilter(f)
		if err != nil {
			return nil, err
		}
		value, err := valueOf(k, key, "--filter")
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(slices.Clone(list), func(t T) bool { return matches(value(t), want) == not })
	}
	key, reverse := strings.CutPrefix(a.output.sort, "-")
	if key == "" {
		return list, nil
	}
	value, err := valueOf(k, key, "--sort")
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(x, y T) int {
		if reverse {
			x, y = y, x
		}
		return compareValues(value(x), value(y))
	})
	return list, nil
}

func readFilter(f string) (key, want string, not bool, err error) {
	key, want, ok := strings.Cut(f, "=")
	if !ok || key == "" {
		return "", "", false, shell.Usage(fmt.Errorf("--filter %s: not of the form COLUMN=VALUE", f), "--filter state=evaluating")
	}
	key, not = strings.CutSuffix(key, "!")
	if strings.HasPrefix(want, "=") {
		return "", "", false, shell.Usage(fmt.Errorf("--filter %s: one = is enough", f), "--filter "+shell.Quote(key+"="+strings.TrimLeft(want, "=")))
	}
	if _, err := path.Match(want, ""); err != nil {
		return "", "", false, shell.Usage(fmt.Errorf("--filter %s: a bracket without its end, or a backslash before nothing", f), "--filter "+shell.Quote(key+"="+literal(want)))
	}
	return key, want, not, nil
}

// literal is a pattern that matches its own text alone.
func literal(s string) string {
	return strings.NewReplacer(`\`, `\\`, `[`, `\[`).Replace(s)
}

// matches compares without regard to case; * and ? are wildcards, which stop at
// no slash.
func matches(value, want string) bool {
	const slash = "\x00"
	value, want = strings.ReplaceAll(strings.ToLower(value), "/", slash), strings.ReplaceAll(strings.ToLower(want), "/", slash)
	ok, err := path.Match(want, value)
	return value == want || err == nil && ok
}

// valueOf returns how to read a column, or a field of the JSON, of a row.
func valueOf[T any](k *shown[T], key, flag string) (func(T) string, error) {
	key = strings.ToLower(key)
	for _, c := range k.cols {
		if c.key() == key {
			return c.text, nil
		}
	}
	var zero T
	if known := fieldsOf(zero); known[key] == nil && !slices.Contains(keysOf(known), key) {
		return nil, shell.Usage(fmt.Errorf("%s %s: %s have no such column", flag, key, k.many), flag+" takes "+strings.Join(columnsOf(k), ", "))
	}
	return func(t T) string {
		switch v := fieldsOf(t)[key].(type) {
		case nil:
			return ""
		case string:
			return v
		default:
			return fmt.Sprint(v)
		}
	}, nil
}

func fieldsOf(v any) map[string]any {
	m := map[string]any{}
	if b, err := json.Marshal(v); err == nil {
		_ = json.Unmarshal(b, &m) // what is no object has no fields
	}
	return m
}

func keysOf(m map[string]any) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

func columnsOf[T any](k *shown[T]) []string {
	var names []string
	for _, c := range k.cols {
		names = append(names, c.key())
	}
	return names
}

// compareValues orders resources and numbers by value, anything else as text.
func compareValues(x, y string) int {
	if a, err := inr.ParseRange(x); err == nil {
		if b, err := inr.ParseRange(y); err == nil {
			return a.Compare(b)
		}
	}
	if a, err := strconv.ParseFloat(x, 64); err == nil {
		if b, err := strconv.ParseFloat(y, 64); err == nil {
			return cmp.Compare(a, b)
		}
	}
	return cmp.Compare(x, y)
}
