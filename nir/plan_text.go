package nir

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A namer finds an object by table and identifier; null if it is nowhere.
type namer func(table, id string) json.RawMessage

// namer finds objects in the state of the view.
func (v *View) namer() namer {
	return func(table, id string) json.RawMessage {
		k, ok := kindNamed(table)
		if !ok {
			return nil
		}
		list, err := k.stages(v, id)
		if err != nil || len(list) == 0 {
			return nil // a plan with an identifier in place of a name is a plan
		}
		return list[len(list)-1].row
	}
}

// with finds the objects of an event too.
func (look namer) with(e *Event, before map[string]json.RawMessage) namer {
	own := maps.Clone(before)
	for _, c := range e.Changes {
		if !noRow(c.Row) {
			own[c.Table+" "+c.ID] = c.Row
		}
	}
	return func(table, id string) json.RawMessage {
		if row := own[table+" "+id]; !noRow(row) {
			return row
		}
		return look(table, id)
	}
}

// name is what people call an object: never an identifier that is made anew each
// time a plan is computed, if there is another name.
func (look namer) name(table, id string) string {
	row := look(table, id)
	if noRow(row) {
		return id
	}
	return planLabel(table, planFieldsOf(row), look)
}

type planFields map[string]any

func planFieldsOf(row json.RawMessage) planFields {
	f := planFields{}
	_ = json.Unmarshal(row, &f) // it was encoded by this program
	return f
}

// planLabels are the fields that name the objects of a table.
var planLabels = map[string][]string{
	"nir": {"code"}, "allocation_window": {"nir", "kind"}, "member": {"name"}, "membership": {"nir", "uid"}, "pool": {"range"},
	"delegation": {"range"}, "request": {"nir", "ref"}, "evaluation": {"request", "n"}, "notice": {"code", "subject"}, "proposal": {"op"},
	"approval": {"signer"}, "transfer": {"source", "destination"}, "disclosure": {"ref"}, "whois_object": {"type", "key"}, "whois_external": {"source", "ref"},
	"resource_return": {"nir", "ranges"}, "notice_feed": {"source"}, "import_run": {"file"},
}

func planLabel(table string, f planFields, look namer) string {
	keys, known := planLabels[table]
	if !known {
		keys = []string{"type", "class", "key", "name", "range", "code", "subject"}
	}
	var parts []string
	for _, k := range keys {
		if s := planWord(k, f[k], look); s != "" {
			parts = append(parts, s)
		}
	}
	if table == "request" || table == "membership" { // as people name them
		return strings.Join(parts, "/")
	}
	return strings.Join(parts, " ")
}

// planEssence are the fields of a new object that a plan shows, of tables whose
// objects have many; of others it shows all that say anything.
var planEssence = map[string][]string{
	"request":    {"state", "act", "kind", "size", "ranges", "member", "netname"},
	"delegation": {"level", "nir", "member", "evidence"},
	"membership": {"member", "serves"},
	"notice":     {"severity", "nir", "text"},
	"import_run": {"registry", "serial", "source", "state", "counts", "left_out"},
	"proposal":   {"proposer", "state"}, // and its effects, a line each

	"whois_object": {"source", "mntner", "state"},
}

// planReferences are the fields that hold the identifier of another object.
var planReferences = map[string]string{"member": "member", "pool": "pool", "request": "request", "parent": "delegation", "proposal": "proposal", "plan": "proposal"}

// planWordLimit bounds a value in a plan, in characters.
const planWordLimit = 60

// planWord is a value for people; "" for one that says nothing.
func planWord(key string, value any, look namer) string {
	s := ""
	switch v := value.(type) {
	case nil:
	case string:
		if s = v; s == "0001-01-01T00:00:00Z" {
			s = ""
		}
	case bool:
		if v {
			s = "yes"
		}
	case float64:
		if v != 0 {
			s = strconv.FormatFloat(v, 'f', -1, 64)
		}
		if key == "paused_for" && v != 0 {
			s = time.Duration(v).String()
		}
	case []any:
		if key == "counts" {
			s = countsWord(v)
			break
		}
		var all []string
		for _, e := range v {
			all = append(all, planWord(key, e, look))
		}
		s = strings.Join(all, ", ")
	case map[string]any:
		s = planMap(v, look)
	default:
		s = fmt.Sprint(v)
	}
	if table, ok := planReferences[key]; ok && strings.Contains(s, "_") {
		s = look.name(table, s)
	}
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > planWordLimit {
		s = string([]rune(s)[:planWordLimit-1]) + "…"
	}
	return s
}

// countsWord is what an import counted as a plan of it has it.
func countsWord(list []any) string {
	var counts []ImportCount
	b, err := json.Marshal(list)
	if err != nil || json.Unmarshal(b, &counts) != nil {
		return fmt.Sprint(list)
	}
	return strings.Join(CountLines(counts), ", ")
}

// planMap is an object within an object for people: the fields that say anything.
func planMap(fields map[string]any, look namer) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		if s := planWord(k, fields[k], look); s != "" {
			parts = append(parts, k+"="+s)
		}
	}
	return strings.Join(parts, " ")
}

// planUnsaid are the fields that are of no interest in a plan.
var planUnsaid = []string{"id", "since", "until", "digest", "hash", "args", "signature", "plan", "expires"}

// describeChange says in one line what becomes of an object.
func describeChange(before json.RawMessage, c Change, look namer) string {
	old, now := planFieldsOf(before), planFieldsOf(c.Row)
	what := strings.ReplaceAll(c.Table, "_", " ") + " "
	switch {
	case c.Table == "outbox" && noRow(before):
		return "tell " + cmp.Or(planWord("nir", now["nir"], look), "the registry's staff") + ": " + planWord("text", now["text"], look)
	case noRow(c.Row):
		return "end " + what + planLabel(c.Table, old, look)
	case c.Table == "whois_object" && !noRow(before):
		return "change " + what + planLabel(c.Table, now, look) + linesOfText(old, now)
	case noRow(before):
		return "create " + what + planLabel(c.Table, now, look) + planDifferences(c.Table, nil, now, look)
	}
	return "change " + what + planLabel(c.Table, now, look) + planDifferences(c.Table, old, now, look)
}

// planShows reports whether a plan shows a field of a new object.
func planShows(table, field string) bool {
	if essence, ok := planEssence[table]; ok {
		return slices.Contains(essence, field)
	}
	return !slices.Contains(planLabels[table], field)
}

// planDifferences lists the fields that change, and those of a new object that say
// anything.
func planDifferences(table string, old, now planFields, look namer) string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(now)) {
		if slices.Contains(planUnsaid, k) || old == nil && !planShows(table, k) {
			continue
		}
		a, b := planWord(k, old[k], look), planWord(k, now[k], look)
		word := strings.ReplaceAll(k, "_", " ")
		switch {
		case a == b:
		case old == nil:
			list = append(list, word+" "+b)
		case b == "":
			list = append(list, word+" "+a+" → none")
		case a == "":
			list = append(list, word+" none → "+b)
		default:
			list = append(list, word+" "+a+" → "+b)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return ": " + strings.Join(list, ", ")
}
