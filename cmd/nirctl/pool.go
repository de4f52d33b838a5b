package main

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/inr"
)

func poolCommand(a *app) *cobra.Command {
	noun := nounCommand("pool", "What the registry allocates from")
	noun.Long = "A pool is named by its identifier, or by anything that it holds: a range, an\naddress, an ASN, a zone of the reverse tree."
	noun.AddCommand(poolListCommand(a), poolViewCommand(a), poolFreeCommand(a), poolCreateCommand(a), poolEditCommand(a), poolSimulateCommand(a),
		poolSplitCommand(a), poolShrinkCommand(a), poolMergeCommand(a),
		a.historyCommand("history POOL", "  nirctl pool history 202.0.0.0/8", func(_ *opened, v *nir.View, args []string) (string, string, error) {
			p, err := findPool(v, args[0])
			return "pool", p.ID, err
		}, cobra.ExactArgs(1)))
	return noun
}

// findPool takes an identifier, or resources that the pool holds.
func findPool(v *nir.View, s string) (nir.Pool, error) {
	if strings.HasPrefix(s, "pool_") {
		return v.Pool(s)
	}
	r, err := rangeOf(s)
	if err != nil {
		return nir.Pool{}, err
	}
	list, err := v.Pools()
	for _, p := range list {
		if p.Range.Contains(r) {
			return p, nil
		}
	}
	if err == nil {
		err = &shell.Exit{Code: notFound, Err: fmt.Errorf("no pool holds %s", r), Hint: "nirctl pool list"}
	}
	return nir.Pool{}, err
}

// A poolRow is a pool with what is free of it.
type poolRow struct {
	nir.Pool
	Free     *big.Int    `json:"free"`     // numbers
	Reserved *big.Int    `json:"reserved"` // of them
	Largest  string      `json:"largest"`  // free block without a reservation, "" for none
	Lengths  []lengthRow `json:"lengths"`  // the shortest prefixes first
}

// A lengthRow counts the free blocks of a prefix length.
type lengthRow struct {
	Length   int      `json:"length"`
	Free     int      `json:"free"`     // blocks without a reservation
	Reserved int      `json:"reserved"` // blocks
	Numbers  *big.Int `json:"numbers"`  // in all of them
}

func rowOfPool(v *nir.View, p nir.Pool) (poolRow, error) {
	row := poolRow{Pool: p, Free: new(big.Int), Reserved: new(big.Int)}
	var at [129]lengthRow
	list, err := v.FreeBlocks(p.ID)
	largest := -1
	for _, f := range list {
		n := f.Range.Count()
		row.Free.Add(row.Free, n)
		l := &at[f.Len]
		if l.Numbers == nil {
			l.Length, l.Numbers = f.Len, new(big.Int)
		}
		l.Numbers.Add(l.Numbers, n)
		if f.Member != "" {
			l.Reserved++
			row.Reserved.Add(row.Reserved, n)
			continue
		}
		l.Free++
		if largest < 0 || f.Len < largest {
			largest, row.Largest = f.Len, f.Range.String()
		}
	}
	for _, l := range at {
		if l.Numbers != nil {
			row.Lengths = append(row.Lengths, l)
		}
	}
	return row, err
}

func sizeWord(k inr.Kind, length int) string {
	if k == inr.ASN {
		return strconv.FormatUint(1<<(32-length), 10)
	}
	return "/" + strconv.Itoa(length)
}

// percent is the share of a pool.
func (p *poolRow) percent(n *big.Int) string {
	x := new(big.Int).Mul(n, big.NewInt(100))
	return x.Div(x, p.Range.Count()).String() + "%"
}

// byLength is "3x/10 1x/14": free blocks without a reservation.
func (p *poolRow) byLength() string {
	var list []string
	for _, l := range p.Lengths {
		if l.Free > 0 {
			list = append(list, fmt.Sprintf("%dx%s", l.Free, sizeWord(p.Range.Kind, l.Length)))
		}
	}
	return strings.Join(list, " ")
}

var poolColumns = shown[poolRow]{
	one: "pool", many: "pools", none: "nirctl pool create 202.0.0.0/8",
	id: func(p poolRow) string { return p.Range.String() },
	cols: []col[poolRow]{
		{"range", false, func(p poolRow) string { return p.Range.String() }},
		{"purpose", false, func(p poolRow) string { return string(p.Purpose) }},
		{"nir", false, func(p poolRow) string { return p.NIR }},
		{">free", false, func(p poolRow) string { return p.percent(p.Free) }},
		{">reserved", false, func(p poolRow) string { return p.percent(p.Reserved) }},
		{"free blocks", false, func(p poolRow) string { return p.byLength() }},
		{"strategy", true, func(p poolRow) string { return p.Strategy }},
		{"largest", true, func(p poolRow) string { return p.Largest }},
		{">numbers", true, func(p poolRow) string { return p.Free.String() }},
		{"free from", true, func(p poolRow) string { return stamp(p.FreeFrom) }},
		{"description", true, func(p poolRow) string { return p.Description }},
		{"id", true, func(p poolRow) string { return p.ID }},
	},
}

func poolListCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List the pools with their free space", Args: arguments(cobra.NoArgs, "nirctl pool list"),
		Long:    "List shows how much of each pool is free, how much of that is reserved for the\ngrowth of members, and the free blocks by prefix length.",
		Example: "  nirctl pool list\n  nirctl pool list --filter purpose=regional -o wide\n  nirctl pool list --as-of 2026-03-05T12:00:00Z",
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.look(c, func(_ *opened, v *nir.View) error {
			pools, err := v.Pools()
			var list []poolRow
			for _, p := range pools {
				if err == nil {
					var row poolRow
					row, err = rowOfPool(v, p)
					list = append(list, row)
				}
			}
			if err != nil {
				return err
			}
			return showList(a, &poolColumns, list)
		})
	}
	return a.listing(c)
}

func poolViewCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "view POOL", Short: "Show a pool", Args: arguments(cobra.ExactArgs(1), "nirctl pool view 202.0.0.0/8"),
		Example: "  nirctl pool view 202.0.0.0/8\n  nirctl pool view 202.12.28.7 -o json",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(_ *opened, v *nir.View) error { return a.poolView(v, args[0]) })
	}
	return a.reading(c)
}

func (a *app) poolView(v *nir.View, name string) error {
	p, err := findPool(v, name)
	if err != nil {
		return err
	}
	row, err := rowOfPool(v, p)
	if err != nil {
		return err
	}
	return showOne(a, &poolColumns, row, nil)
}
