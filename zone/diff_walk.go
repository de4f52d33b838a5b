package zone

import "strings"

// walk calls visit for every owner of either zone, in canonical order, with its
// records before and after.
func walk(prev, next *Zone, visit func(a, b []Entry)) {
	p, n := ownerCursor(prev), ownerCursor(next)
	for p.group != nil || n.group != nil {
		switch c := p.compare(&n); {
		case c < 0:
			visit(p.group, nil)
			p.advance()
		case c > 0:
			visit(nil, n.group)
			n.advance()
		default:
			visit(p.group, n.group)
			p.advance()
			n.advance()
		}
	}
}

// A cursor goes over a zone's owners. The key is computed when needed.
type cursor struct {
	rest, group []Entry
	key         string
}

func ownerCursor(z *Zone) cursor {
	var c cursor
	if z != nil {
		c.rest = z.Entries
	}
	c.advance()
	return c
}

// advance moves to the next owner: its records and, if it is a delegation,
// those of the names below it.
func (c *cursor) advance() {
	c.group, c.key = nil, ""
	if len(c.rest) == 0 {
		return
	}
	name, delegated, n := c.rest[0].Name, false, 0
	for n < len(c.rest) && (c.rest[n].Name == name || delegated && c.rest[n].Name.Within(name)) {
		delegated = delegated || c.rest[n].Type == TypeNS
		n++
	}
	c.group, c.rest = c.rest[:n:n], c.rest[n:]
}

func (c *cursor) compare(d *cursor) int {
	switch {
	case c.group == nil:
		return 1
	case d.group == nil:
		return -1
	case c.group[0].Name == d.group[0].Name:
		return 0
	}
	return strings.Compare(c.sortKey(), d.sortKey())
}

func (c *cursor) sortKey() string {
	if c.key == "" {
		c.key = c.group[0].Name.SortKey()
	}
	return c.key
}
