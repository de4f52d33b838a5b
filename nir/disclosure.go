package nir

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Disclosure is a request of an authority for what the registry knows, and what
// became of it: a row of the register that R-SEC-4 wants. It is never deleted, and
// neither is what it refers to: what was disclosed can be made again from the
// event that released it.
type Disclosure struct {
	Row
	Ref          string    `json:"ref"`       // the authority's own
	Requester    string    `json:"requester"` // the authority
	Contact      string    `json:"contact"`   // the officer
	Jurisdiction string    `json:"jurisdiction"`
	Basis        Basis     `json:"basis"`
	Document     string    `json:"document" text:"lines"` // the order or the law, and where it is kept
	Scope        string    `json:"scope" text:"lines"`    // what was asked for
	Received     time.Time `json:"received"`
	Recorder     string    `json:"recorder"`

	State     string          `json:"state"`
	Decision  string          `json:"decision" text:"lines"` // why
	Decided   time.Time       `json:"decided"`
	Proposal  string          `json:"proposal"` // hash of the one that released it, "" for none
	Approvers []string        `json:"approvers"`
	Items     []DisclosedItem `json:"items"`  // exactly what was disclosed
	Digest    string          `json:"digest"` // SHA-256 of [View.Disclosed], hex
}

var disclosures = newTable[Disclosure]("disclosure", "dsc")

// A DisclosedItem names fields of an object, by their JSON names.
type DisclosedItem struct {
	Kind   string   `json:"kind"`
	ID     string   `json:"id"`
	Fields []string `json:"fields"`
}

// A Basis is what obliges the registry to answer.
type Basis string

// The bases. Without one only public data is disclosed.
const (
	NoBasis    Basis = "none"
	ByLaw      Basis = "law" // of the registry's own economy
	CourtOrder Basis = "court-order"
	MLAT       Basis = "mlat" // mutual legal assistance
)

// The states of a disclosure. A request is refused or answered once.
const (
	DisclosureReceived = "received"
	DisclosurePublic   = "answered-public" // with public data alone
	DisclosureReleased = "released"        // with more, by two approvers
	DisclosureRefused  = "refused"
)

// Disclosure returns the row of an identifier.
func (v *View) Disclosure(id string) (Disclosure, error) { return disclosures.get(v, id) }

// Disclosures returns the register in a state, or whole, the newest first.
func (v *View) Disclosures(state string) ([]Disclosure, error) {
	return disclosures.find(v, "($1 = '' OR state = $1) ORDER BY received DESC, id", state)
}

func (d *Disclosure) check() error {
	var m mistakes
	const rule = "R-SEC-4"
	m.need("ref", d.Ref, rule)
	m.need("requester", d.Requester, rule)
	m.need("scope", d.Scope, rule)
	if !economyForm.MatchString(d.Jurisdiction) {
		m.add(invalid("jurisdiction", "%.20q is not two upper-case letters (ISO 3166-1)", d.Jurisdiction).by(rule))
	}
	if !slices.Contains([]Basis{NoBasis, ByLaw, CourtOrder, MLAT}, d.Basis) {
		m.add(invalid("basis", "%.20q is not one of %s, %s, %s, %s", string(d.Basis), NoBasis, ByLaw, CourtOrder, MLAT).by(rule))
	}
	if d.Basis != NoBasis {
		m.need("document", d.Document, rule)
	}
	return m.err()
}

// RecordDisclosure enters a request into the register. The same reference of the
// same authority again is the same request.
func (x *Tx) RecordDisclosure(d Disclosure) (Disclosure, error) {
	if err := x.Actor.need("record a request for disclosure", RegistryStaff); err != nil {
		return d, err
	}
	if err := d.check(); err != nil {
		return d, err
	}
	d.Ref = d.Requester + "/" + d.Ref
	old, found, err := disclosures.one(x.View, "ref = $1", d.Ref)
	if err != nil || found {
		if err == nil && !old.asks(&d) {
			err = refuse(Conflict, "request %s is there and asks for something else", d.Ref).in("ref")
		}
		return old, err
	}
	if d.Received.IsZero() {
		d.Received = x.Actor.At
	}
	d.Row, d.Recorder, d.State = Row{}, x.Actor.Name, DisclosureReceived
	d.Decision, d.Decided, d.Proposal, d.Approvers, d.Items, d.Digest = "", time.Time{}, "", nil, nil, ""
	x.act("disclosure.record")
	return d, disclosures.put(x, &d)
}

// asks reports whether two rows record the same request.
func (d *Disclosure) asks(o *Disclosure) bool {
	return d.Contact == o.Contact && d.Jurisdiction == o.Jurisdiction && d.Basis == o.Basis && d.Document == o.Document && d.Scope == o.Scope
}

// openDisclosure returns a request that was not decided yet.
func (x *Tx) openDisclosure(id string) (Disclosure, error) {
	d, err := x.Disclosure(id)
	if err == nil && d.State != DisclosureReceived {
		err = refuse(Conflict, "disclosure %s is %s", d.Ref, d.State).in("state")
	}
	return d, err
}

// RefuseDisclosure ends a request without an answer.
func (x *Tx) RefuseDisclosure(id, why string) (Disclosure, error) {
	if err := x.Actor.need("refuse a disclosure", RegistryStaff); err != nil {
		return Disclosure{}, err
	}
	d, err := x.openDisclosure(id)
	if err != nil {
		return d, err
	}
	if strings.TrimSpace(why) == "" {
		return d, invalid("reason", "it is missing").by("R-SEC-4")
	}
	d.State, d.Decision, d.Decided = DisclosureRefused, why, x.Actor.At
	x.act("disclosure.refuse")
	return d, disclosures.put(x, &d)
}

// AnswerPublic answers a request with public data at once: nobody has to approve
// what anybody may see. Fields that are not public are refused.
func (x *Tx) AnswerPublic(id string, items []DisclosedItem) (Disclosure, error) {
	if err := x.Actor.need("answer a request for disclosure", RegistryStaff); err != nil {
		return Disclosure{}, err
	}
	d, err := x.openDisclosure(id)
	if err != nil {
		return d, err
	}
	if _, err := x.content(items); err != nil { // what is not there is not proposed
		return d, err
	}
	for _, i := range items {
		for _, f := range i.Fields {
			if !slices.Contains(public[i.Kind], f) {
				return d, refuse(Forbidden, "field %s of %s is not public", f, i.Kind).by("R-SEC-4").remedy("propose its release: nirctl disclosure release " + d.ID + itemFlags(items))
			}
		}
	}
	d.State = DisclosurePublic
	x.act("disclosure.answer")
	return x.disclose(d, items, x.Actor.Reason)
}

// itemFlags names items as nirctl takes them: what is there has names that a shell reads
// as they are.
func itemFlags(items []DisclosedItem) string {
	s := ""
	for _, i := range items {
		s += " --item " + i.Kind + ":" + i.ID + ":" + strings.Join(i.Fields, ",")
	}
	return s
}

// disclose completes a row with what is disclosed.
func (x *Tx) disclose(d Disclosure, items []DisclosedItem, why string) (Disclosure, error) {
	text, err := x.content(items)
	if err != nil {
		return d, err
	}
	sum := sha256.Sum256(text)
	d.Items, d.Digest, d.Decision, d.Decided = items, hex.EncodeToString(sum[:]), why, x.Actor.At
	return d, disclosures.put(x, &d)
}

// maxItems bounds one disclosure.
const maxItems = 10_000

// content returns the values of the fields as JSON, in the order of the items.
func (v *View) content(items []DisclosedItem) ([]byte, error) {
	if len(items) == 0 || len(items) > maxItems {
		return nil, invalid("items", "%d objects: name 1 to %d", len(items), maxItems)
	}
	type values struct {
		Kind   string                     `json:"kind"`
		ID     string                     `json:"id"`
		Fields map[string]json.RawMessage `json:"fields"`
	}
	var list []values
	for _, i := range items {
		k, err := kindOf(i.Kind)
		if err != nil {
			return nil, err
		}
		row, err := k.row(v, i.ID)
		if err != nil {
			return nil, err
		}
		var all map[string]json.RawMessage
		if err := json.Unmarshal(row, &all); err != nil {
			return nil, fmt.Errorf("decoding %s %s: %w", i.Kind, i.ID, err)
		}
		o := values{i.Kind, i.ID, map[string]json.RawMessage{}}
		for _, f := range i.Fields {
			if !slices.Contains(k.fields(), f) {
				return nil, invalid("fields", "%s has no field %.40q: it has %s", i.Kind, f, strings.Join(k.fields(), ", "))
			}
			o.Fields[f] = all[f] // null for one that the row leaves out
		}
		if len(o.Fields) == 0 {
			return nil, invalid("fields", "no field of %s %s is named", i.Kind, i.ID)
		}
		list = append(list, o)
	}
	return json.MarshalIndent(list, "", "  ")
}

// Disclosed returns what was handed out, as it was at the event that released it.
// It is not public.
func (v *View) Disclosed(id string) ([]byte, error) {
	d, err := v.Disclosure(id)
	if err != nil {
		return nil, err
	}
	if len(d.Items) == 0 {
		return nil, refuse(Conflict, "disclosure %s is %s: nothing was disclosed", d.Ref, d.State)
	}
	then := *v
	then.event = d.Since
	text, err := then.content(d.Items)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != d.Digest {
		return nil, fmt.Errorf("disclosure %s: what is there is not what was disclosed: nirctl audit verify", d.Ref)
	}
	return text, nil
}
