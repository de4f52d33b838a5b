package nir

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"nirzone/nir/inr"
)

// A LocalRule is what one NIR asks of its own requests beyond the policy
// (APNIC-103, section 1.1: NIRs may add local policies that do not conflict). It
// is judged after the policy and can only refuse. Empty fields ask nothing.
type LocalRule struct {
	NIR      string
	Kind     string   // ipv4, ipv6 or asn; "" for each
	Type     string   // allocation or assignment; "" for both
	Smallest Size     // inclusive; with a Kind
	Largest  Size     // likewise
	Required []string // fields of a request, by their JSON names, that may not be empty
}

// localRule is the authority that a refusal names.
func (l *LocalRule) authority() string {
	return "local policy of " + l.NIR + " in nirzone.toml; APNIC-103, section 1.1"
}

// check refuses a rule that could never be applied as it reads.
func (l *LocalRule) check() error {
	var m mistakes
	m.need("nir", l.NIR, "")
	var k inr.Kind
	if l.Kind != "" {
		var err error
		if k, err = inr.ParseKind(l.Kind); err != nil {
			m.add(invalid("kind", "%.20q is not ipv4, ipv6 or asn", l.Kind))
		}
	}
	for _, s := range []*Size{&l.Smallest, &l.Largest} {
		switch {
		case *s == "":
		case l.Kind == "":
			m.add(invalid("kind", "a rule with a size needs a kind"))
		default:
			size, err := ParseSize(k, string(*s))
			m.add(err)
			*s = size
		}
	}
	if len(m) == 0 && l.Smallest != "" && l.Largest != "" && l.Smallest.Count(k).Cmp(l.Largest.Count(k)) > 0 {
		m.add(invalid("smallest", "%s is larger than %s: no request would pass", l.Smallest, l.Largest))
	}
	for _, f := range l.Required {
		if _, ok := askField(&Ask{}, f); !ok {
			m.add(invalid("required", "%.40q is no field that a request could need: one of %s", f, strings.Join(askFields, ", ")))
		}
	}
	return m.err()
}

// askFields are the fields that a local rule may require: text that a request may
// leave empty by the policy.
var askFields = []string{"descr", "justification", "assessment", "admin_c", "tech_c", "netname"}

// askField returns a field of a request by its JSON name.
func askField(a *Ask, name string) (string, bool) {
	if !slices.Contains(askFields, name) {
		return "", false
	}
	t := reflect.TypeFor[Request]()
	for i := range t.NumField() {
		if tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); tag == name {
			return reflect.ValueOf(a.Request).Field(i).String(), true
		}
	}
	return "", false
}

// judge refuses a request that the rule does not let pass.
func (l *LocalRule) judge(a *Ask) error {
	if l.NIR != a.NIR || l.Kind != "" && l.Kind != a.Kind.String() || l.Type != "" && l.Type != a.Type {
		return nil
	}
	var m mistakes
	n := a.Size.Count(a.Kind)
	if l.Smallest != "" && n.Cmp(l.Smallest.Count(a.Kind)) < 0 {
		m.add(invalid("size", "%s is less than %s", a.Size, l.Smallest).by(l.authority()))
	}
	if l.Largest != "" && n.Cmp(l.Largest.Count(a.Kind)) > 0 {
		m.add(invalid("size", "%s is more than %s", a.Size, l.Largest).by(l.authority()))
	}
	for _, f := range l.Required {
		s, _ := askField(a, f)
		m.need(f, strings.TrimSpace(s), l.authority())
	}
	return m.err()
}

// local applies the local rules of the request's NIR.
func (r Rules) local(a *Ask) error {
	var m mistakes
	for i := range r.Local {
		m.add(r.Local[i].judge(a))
	}
	return m.err()
}

// check makes the rules' sizes what [ParseSize] makes of them, and refuses rules
// that cannot be applied.
func (r *Rules) check() error {
	var m mistakes
	r.Local = slices.Clone(r.Local)
	for i := range r.Local {
		if err := r.Local[i].check(); err != nil {
			m.add(fmt.Errorf("local rule %d (%s): %w", i+1, r.Local[i].NIR, err))
		}
	}
	return m.err()
}
