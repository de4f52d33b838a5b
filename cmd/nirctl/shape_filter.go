package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"text/template"

	"github.com/itchyny/gojq"

	"nirzone/cmd/shell"
)

// A filter writes what it makes of a result.
type filter func(ctx context.Context, w io.Writer, tree any) error

// templateFuncs are beside those of text/template.
var templateFuncs = template.FuncMap{
	"json": func(v any) (string, error) {
		b, err := json.Marshal(v)
		return string(b), err
	},
	"join": func(list []any, by string) string {
		words := make([]string, len(list))
		for i, v := range list {
			words[i] = fmt.Sprint(v)
		}
		return strings.Join(words, by)
	},
}

func parseTemplate(text string) (*template.Template, error) {
	if text == "" {
		return nil, nil
	}
	t, err := template.New("--template").Option("missingkey=error").Funcs(templateFuncs).Parse(text)
	if err != nil {
		return nil, shell.Usage(fmt.Errorf("--template: %w", err), `nirctl nir list --template '{{range .nirs}}{{.code}}{{"\n"}}{{end}}'`)
	}
	return t, nil
}

// parseFilter compiles a filter of jq. It can read neither files nor the
// environment.
func parseFilter(text string) (filter, error) {
	if text == "" {
		return nil, nil
	}
	q, err := gojq.Parse(text)
	if err != nil {
		return nil, shell.Usage(fmt.Errorf("--jq: %w", err), "nirctl nir list --jq '.nirs[].code'")
	}
	code, err := gojq.Compile(q)
	if err != nil {
		return nil, shell.Usage(fmt.Errorf("--jq: %w", err), "nirctl nir list --jq '.nirs[].code'")
	}
	return func(ctx context.Context, w io.Writer, tree any) error { return runFilter(ctx, w, code, tree) }, nil
}

// runFilter writes a line for each value: a string as it is, anything else as JSON.
func runFilter(ctx context.Context, w io.Writer, code *gojq.Code, tree any) error {
	for values := code.RunWithContext(ctx, tree); ; {
		v, ok := values.Next()
		if !ok {
			return nil
		}
		if err, bad := v.(error); bad {
			var halt *gojq.HaltError
			if errors.As(err, &halt) && halt.Value() == nil {
				return nil
			}
			return shell.Usage(fmt.Errorf("--jq: %w", err), "the same with --json shows what there is")
		}
		text, ok := v.(string)
		if !ok {
			b, err := gojq.Marshal(v)
			if err != nil {
				return fmt.Errorf("encoding: %w", err)
			}
			text = string(b)
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
}

// treeOf reads JSON; whole numbers stay whole, whatever their size.
func treeOf(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	return numbers(v), nil
}

func numbers(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = numbers(x[k])
		}
	case []any:
		for i := range x {
			x[i] = numbers(x[i])
		}
	case json.Number:
		if n, ok := new(big.Int).SetString(x.String(), 10); ok {
			if n.IsInt64() {
				return int(n.Int64())
			}
			return n
		}
		f, _ := x.Float64() // what JSON has is a number
		return f
	}
	return v
}
