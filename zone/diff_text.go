package zone

import (
	"fmt"
	"slices"
	"strings"
)

// Text renders the difference for people, grouped by source, with at most limit
// owners a source; 0 is no limit. An owner that is removed stands under the
// source it was from, every other one under the source it is from now. The text
// ends with a newline unless it is empty.
func (d Delta) Text(limit int) string {
	if d.Empty() {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", d.Zone.File(), d.Summary())
	for _, l := range d.Apex {
		fmt.Fprintf(&b, "  apex %s\n", l)
	}
	groups := map[string][]Change{}
	var sources []string
	for _, c := range d.Changes {
		s := c.source()
		if groups[s] == nil {
			sources = append(sources, s)
		}
		groups[s] = append(groups[s], c)
	}
	slices.Sort(sources)
	for _, s := range sources {
		writeGroup(&b, s, groups[s], limit)
	}
	return b.String()
}

// Summary counts the owners on one line: "2 added, 1 removed, 3 changed".
func (d Delta) Summary() string {
	if len(d.Changes) == 0 && len(d.Apex) > 0 {
		return "apex changed"
	}
	return summary(d.Changes)
}

func summary(changes []Change) string {
	added, removed := 0, 0
	for _, c := range changes {
		switch c.Kinds[0] {
		case ChangeAdded:
			added++
		case ChangeRemoved:
			removed++
		}
	}
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{{added, "added"}, {removed, "removed"}, {len(changes) - added - removed, "changed"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.word))
		}
	}
	if parts == nil {
		return "no change"
	}
	return strings.Join(parts, ", ")
}

func (c Change) source() string {
	if c.Kinds[0] == ChangeRemoved {
		return c.Before
	}
	return c.After
}

func writeGroup(b *strings.Builder, source string, changes []Change, limit int) {
	fmt.Fprintf(b, "  %s: %s\n", source, summary(changes))
	show := changes
	if limit > 0 && len(show) > limit {
		show = show[:limit]
	}
	for _, c := range show {
		fmt.Fprintf(b, "    %s\n", c)
	}
	if more := changes[len(show):]; len(more) > 0 {
		fmt.Fprintf(b, "    … and %s: %s\n", plural(len(more), "owner more", "owners more"), summary(more))
	}
}

// String returns the change on one line: "+", "-" or "~", the owner, and what
// went and came.
func (c Change) String() string {
	var b strings.Builder
	switch c.Kinds[0] {
	case ChangeAdded:
		fmt.Fprintf(&b, "+ %s  %s", c.Name, strings.Join(c.Added, ", "))
	case ChangeRemoved:
		fmt.Fprintf(&b, "- %s  %s", c.Name, strings.Join(c.Removed, ", "))
	default:
		words := make([]string, len(c.Kinds))
		for i, k := range c.Kinds {
			words[i] = string(k)
		}
		fmt.Fprintf(&b, "~ %s  %s", c.Name, strings.Join(words, ", "))
		for _, r := range c.Removed {
			b.WriteString("  -" + r)
		}
		for _, r := range c.Added {
			b.WriteString("  +" + r)
		}
		if c.Before != c.After {
			b.WriteString("  (was " + c.Before + ")")
		}
	}
	if c.Kept != "" {
		b.WriteString("  [stands: " + c.Kept + "]")
	}
	return b.String()
}
