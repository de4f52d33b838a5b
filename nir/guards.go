package nir

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A guard is a trigger, a function, an index or a constraint of the schema: what
// keeps rules without the code.
type guard struct{ kind, name string }

// Statements that make guards, as the schema's files have them: a trigger or a
// function ends with its last line, an index with its first.
var (
	makesGuard = regexp.MustCompile(`(?m)^CREATE (UNIQUE )?(INDEX|TRIGGER|FUNCTION) (\w+)`)
	bodyForm   = regexp.MustCompile(`(?s)AS \$\$(.*)\$\$`)
)

// guards returns what the schema makes of each guard: in SQLite the statement, in
// PostgreSQL the body of a function, and of all else what [postgresGuards] has.
func (d Dialect) guards() (map[guard]string, error) {
	list := map[guard]string{}
	for i := int64(1); i <= schemaVersion; i++ {
		text, _, err := d.step(i)
		if err != nil {
			return nil, err
		}
		for _, m := range makesGuard.FindAllStringSubmatchIndex(text, -1) {
			g := guard{strings.ToLower(text[m[4]:m[5]]), text[m[6]:m[7]]}
			list[g] = d.guardText(g, statement(text[m[0]:]))
		}
	}
	if d == Postgres {
		return list, takeGuards(list)
	}
	return list, nil
}

// postgresGuards has a line for each trigger, index and constraint: its kind, its
// name and its definition as PostgreSQL tells it of a database that the schema was
// made in. It keeps no statement, and its words for one are its own.
const postgresGuards = "schema/postgres.guards"

// takeGuards adds the definitions of [postgresGuards].
func takeGuards(list map[guard]string) error {
	b, err := schema.ReadFile(postgresGuards)
	if err != nil {
		return fmt.Errorf("reading the schema: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		if len(f) != 3 {
			return fmt.Errorf("reading the schema: %s: a line without a definition: %q", postgresGuards, line)
		}
		list[guard{f[0], f[1]}] = f[2]
	}
	return nil
}

// statement returns the first statement of a text: none holds an empty line, and a
// semicolon at the end of a line is its end, but inside a body.
func statement(text string) string {
	inside := false
	n := 0
	for line := range strings.Lines(text) {
		n += len(line)
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "BEGIN") || strings.HasSuffix(line, "AS $$") {
			inside = true
		}
		if strings.HasSuffix(line, "END;") || strings.HasSuffix(line, "$$;") || !inside && strings.HasSuffix(line, ";") {
			break
		}
	}
	return strings.TrimSuffix(strings.TrimSpace(text[:n]), ";")
}

func (d Dialect) guardText(g guard, made string) string {
	switch {
	case d == SQLite:
		return made
	case g.kind == "function":
		return firstOr(bodyForm.FindStringSubmatch(made), "")
	}
	return "" // PostgreSQL does not keep the words
}

func firstOr(match []string, none string) string {
	if len(match) < 2 {
		return none
	}
	return match[1]
}

// guardQueries ask for kind, name and text of the guards that a database has, and
// of those that are switched off another text. A rule and a policy of PostgreSQL act
// as a trigger does. Names are without the schema's as long as they are found in it.
var guardQueries = map[Dialect]string{
	SQLite: "SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') AND sql IS NOT NULL ORDER BY 1, 2",
	Postgres: `WITH c AS (SELECT oid, relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname <> 'goose_db_version')
SELECT 'trigger', tgname::text, CASE tgenabled WHEN 'O' THEN '' ELSE 'switched off: ' END || pg_get_triggerdef(t.oid, true)
	FROM pg_trigger t JOIN c ON c.oid = t.tgrelid WHERE NOT tgisinternal
UNION ALL SELECT 'index', c.relname::text, CASE WHEN i.indisvalid AND i.indisready AND i.indislive THEN '' ELSE 'not valid: ' END || pg_get_indexdef(i.indexrelid, 0, true)
	FROM pg_index i JOIN c ON c.oid = i.indexrelid WHERE NOT i.indisprimary
UNION ALL SELECT 'constraint', conname::text, c.relname || ' ' || pg_get_constraintdef(k.oid, true)
	FROM pg_constraint k JOIN c ON c.oid = k.conrelid WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
UNION ALL SELECT 'function', proname::text, CASE WHEN l.lanname = 'plpgsql' AND p.proconfig IS NULL AND NOT p.prosecdef THEN '' ELSE 'with settings: ' END || p.prosrc
	FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = current_schema()::regnamespace AND p.prorettype = 'trigger'::regtype
UNION ALL SELECT 'rule', rulename::text, '' FROM pg_rewrite r JOIN c ON c.oid = r.ev_class WHERE rulename <> '_RETURN'
UNION ALL SELECT 'policy', polname::text, '' FROM pg_policy p JOIN c ON c.oid = p.polrelid
ORDER BY 1, 2, 3`,
}

// checkGuards tells of triggers, functions, indexes and constraints that are not as
// the schema makes them, and of what acts and is none of its own. An index or a
// function of somebody's own harms nobody.
func (v *View) checkGuards() (err error) {
	want, err := v.db.dialect.guards()
	if err != nil {
		return err
	}
	rows, err := v.query(guardQueries[v.db.dialect])
	if err != nil {
		return fmt.Errorf("reading the schema: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var found findings
	for rows.Next() {
		var g guard
		var text string
		if err := rows.Scan(&g.kind, &g.name, &text); err != nil {
			return fmt.Errorf("reading the schema: %w", err)
		}
		made, known := want[g]
		switch {
		case known && text != made:
			found.add("%s %s: it is not as the schema makes it: it was altered or switched off", g.kind, g.name)
		case !known && g.kind != "index" && g.kind != "function":
			found.add("%s %s: the schema makes no such %s: it may change or refuse what it likes", g.kind, g.name, g.kind)
		}
		delete(want, g)
	}
	for _, g := range slices.SortedFunc(maps.Keys(want), func(a, b guard) int { return strings.Compare(a.kind+a.name, b.kind+b.name) }) {
		found.add("%s %s is missing: nothing keeps what it kept", g.kind, g.name)
	}
	return errors.Join(append(found, rows.Err())...)
}

// whoisRefs says what whois_ref has to hold: it follows from the objects that stand.
var whoisRefs = map[Dialect]string{
	SQLite:   "SELECT w.id, j.value FROM whois_object w, json_each(w.refs) j WHERE w.until IS NULL AND w.refs <> 'null'",
	Postgres: "SELECT w.id, j.value FROM whois_object w, json_array_elements_text(w.refs::json) j WHERE w.until IS NULL AND w.refs <> 'null'",
}

// checkWhoisRefs tells whether the references between whois objects are those that
// the objects have: by them an object is found that names another.
func (v *View) checkWhoisRefs() error {
	const kept = "SELECT object, ref FROM whois_ref"
	of := whoisRefs[v.db.dialect]
	var found findings
	for _, c := range []struct{ from, less, says string }{
		{kept, of, "%d references of whois objects are kept that no object has (whois_ref)"},
		{of, kept, "%d references of whois objects are missing (whois_ref)"},
	} {
		n := 0
		if err := v.queryRow("SELECT count(*) FROM (" + c.from + " EXCEPT " + c.less + ") AS differ").Scan(&n); err != nil {
			return fmt.Errorf("comparing references: %w", err)
		}
		if n > 0 {
			found.add(c.says, n)
		}
	}
	return errors.Join(found...)
}
