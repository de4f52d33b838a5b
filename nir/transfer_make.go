package nir

import (
	"slices"
	"strings"
	"time"

	"nirzone/nir/inr"
)

// A TransferAsk is what a party sends: the transfer and its lines, of which Range,
// Due (zero: now), and for what comes from another regional registry Type, Economy
// and Date count. A whole transfer may come without lines: then they are all that
// the member holds under the source, at Due.
type TransferAsk struct {
	Transfer
	Due   time.Time
	Lines []TransferLine
}

// AddTransfer schedules a transfer. It is refused as a whole, with all that is
// wrong with it, unless every line could be carried out now.
func (x *Tx) AddTransfer(a TransferAsk) (Transfer, []TransferLine, error) {
	t := &a.Transfer
	x.canonical(t)
	if err := x.checkAsk(&a); err != nil {
		return *t, nil, citing(err, x.Rules.rule(t))
	}
	t.State, t.Submitter, t.Made = TransferScheduled, x.Actor.Name, x.Actor.At
	x.act("transfer.create")
	if err := transfers.put(x, t); err != nil {
		return *t, nil, err
	}
	for i := range a.Lines {
		a.Lines[i].Transfer = t.ID
		if err := transferLines.put(x, &a.Lines[i]); err != nil {
			return *t, nil, err
		}
	}
	return *t, a.Lines, x.tellParties(t)
}

// checkAsk refuses what is wrong with the transfer, or else with its lines.
func (x *Tx) checkAsk(a *TransferAsk) error {
	t := &a.Transfer
	if err := x.mayTransfer(t); err != nil {
		return err
	}
	if err := x.checkTransfer(t); err != nil {
		return err
	}
	if err := x.wholeLines(a); err != nil {
		return err
	}
	var m mistakes
	if len(a.Lines) == 0 {
		m.add(invalid("lines", "there is nothing to transfer"))
	}
	for i := range a.Lines {
		m.add(x.checkLine(t, &a.Lines[i], a.Lines[:i]))
	}
	return m.err()
}

// canonical writes this registry as "" and fills in what follows.
func (x *Tx) canonical(t *Transfer) {
	for _, code := range []*string{&t.Source, &t.Destination} {
		if *code == x.Rules.RIR {
			*code = ""
		}
	}
	if t.Whois == "" {
		t.Whois = KeepWhois
	}
	if t.Type == "" {
		t.Type = NormalTransfer
	}
	if t.Receiver == "" && t.Who.Name == "" && !x.Rules.peer(t.Destination) {
		t.Receiver = t.Member // an LIR that changes its registry
	}
	t.Row = Row{}
}

// mayTransfer refuses all but the registry's staff, and the NIR that gives the
// management up.
func (x *Tx) mayTransfer(t *Transfer) error {
	const act = "transfer resources"
	if t.Source == "" || x.Rules.peer(t.Source) {
		return x.Actor.need(act, RegistryStaff, Admin)
	}
	return x.Actor.needNIR(act, t.Source)
}

func (x *Tx) checkTransfer(t *Transfer) error {
	var m mistakes
	rule := x.Rules.rule(t)
	if t.Type != NormalTransfer && t.Type != MergerTransfer {
		m.add(invalid("type", "%.20q is not %s or %s", t.Type, NormalTransfer, MergerTransfer))
	}
	if t.Whois != KeepWhois && t.Whois != DeleteWhois {
		m.add(invalid("whois", "%.20q is not %s or %s", t.Whois, KeepWhois, DeleteWhois))
	}
	m.add(x.checkParty("source", t.Source, false))
	m.add(x.checkParty("destination", t.Destination, true))
	from, to := x.Rules.peer(t.Source), x.Rules.peer(t.Destination)
	switch {
	case from && to:
		m.add(invalid("destination", "neither %s nor %s is this registry or an NIR: it has no part in this", t.Source, t.Destination).by(rule))
	case from && t.Member != "":
		m.add(invalid("member", "%s says who holds it there: name the receiver", t.Source))
	case from && t.Whole:
		m.add(invalid("whole", "what a member holds under %s is not known here: name the lines", t.Source))
	case !from:
		m.add(x.checkGiver(t, rule))
	}
	switch {
	case to && (t.Receiver != "" || t.UID != "" || t.Who.Name != "" || t.Serve):
		m.add(invalid("receiver", "%s registers who receives it", t.Destination))
	case t.Source == t.Destination && t.Receiver == t.Member:
		m.add(invalid("destination", "neither the registry nor the holder changes").by(rule))
	case !to && len(m) == 0:
		m.add(x.checkReceiver(t, rule))
	}
	return m.err()
}

// checkParty refuses a registry that is not known, and an NIR that takes no part.
func (x *Tx) checkParty(field, code string, takes bool) error {
	if code == "" || x.Rules.peer(code) {
		return nil
	}
	n, err := x.NIR(code)
	switch {
	case CodeOf(err) == NotFound:
		return invalid(field, "%.40q is not %s, an NIR, or another regional registry", code, x.Rules.RIR).remedy("nirctl nir list")
	case err != nil:
		return err
	case takes && n.State != Active:
		return refuse(Conflict, "%s is in state %s", code, n.State).in(field).by("APNIC-103, section 4.1")
	}
	return nil
}

// checkGiver refuses one that is no member of the source.
func (x *Tx) checkGiver(t *Transfer, rule string) error {
	if t.Member == "" {
		return invalid("member", "it is missing").by(rule)
	}
	_, ok, err := memberships.one(x.View, "member = $1 AND nir = $2 AND ended = 0", t.Member, t.Source)
	if err == nil && !ok {
		err = refuse(Conflict, "%.64q is not a member of %s", t.Member, x.registryName(t.Source)).in("member").by(rule).remedy("nirctl member list")
	}
	return err
}

// checkReceiver finds what the destination calls the receiver, and refuses one of
// whom it is not known what to register.
func (x *Tx) checkReceiver(t *Transfer, rule string) error {
	if t.UID == "" && t.Receiver != "" {
		s, ok, err := memberships.one(x.View, "member = $1 AND nir = $2 AND ended = 0", t.Receiver, t.Destination)
		if err != nil {
			return err
		}
		if ok {
			t.UID = s.UID
		}
	}
	if t.UID == "" {
		return invalid("uid", "it is missing: what does %s call the receiver?", x.registryName(t.Destination)).by("APNIC-103, section 3.2.1")
	}
	if _, err := x.enrolment(t); err != nil {
		return err
	}
	_, err := x.movesService(t, x.Actor.Roles)
	return err
}

// wholeLines fills in the lines of a whole transfer, or refuses lines that leave
// something out.
func (x *Tx) wholeLines(a *TransferAsk) error {
	if !a.Whole {
		return nil
	}
	held, err := x.heldUnder(a.Member, a.Source)
	if err != nil {
		return err
	}
	if len(a.Lines) == 0 {
		for _, d := range held {
			a.Lines = append(a.Lines, TransferLine{Range: d.Range, Due: a.Due})
		}
		return nil
	}
	var all, said inr.Builder
	for _, d := range held {
		all.Add(d.Range)
	}
	for _, l := range a.Lines {
		if l.Range.Valid() {
			said.Add(l.Range)
		}
	}
	if rest := all.Set().Subtract(said.Set()); !rest.IsEmpty() {
		return invalid("lines", "a whole transfer leaves nothing out: %s is missing", rest).by(x.Rules.rule(&a.Transfer)).
			remedy("add lines, or let the transfer be gradual: then the membership stays")
	}
	return nil
}

// heldUnder returns the delegations of a member that a registry manages.
func (v *View) heldUnder(member, nir string) ([]Delegation, error) {
	return delegations.find(v, "member = $1 AND nir = $2 ORDER BY kind, first", member, nir)
}

// checkLine completes a line and refuses one that could not be carried out.
func (x *Tx) checkLine(t *Transfer, l *TransferLine, before []TransferLine) error {
	l.Row, l.Transfer, l.State, l.Done, l.Parts = Row{}, t.ID, TransferScheduled, time.Time{}, nil
	if !l.Range.Valid() {
		return invalid("range", "it is missing")
	}
	var m mistakes
	m.add(x.setDue(t, l, l.Due))
	if x.Rules.peer(t.Source) {
		m.add(checkForeign(l))
	} else {
		l.Type, l.Economy, l.Date = "", "", time.Time{}
	}
	for _, o := range before {
		if o.Range.Overlaps(l.Range) {
			m.add(invalid("lines", "%s and %s overlap", o.Range, l.Range))
		}
	}
	m.add(x.unclaimed(l.Range, l.ID))
	_, err := x.planLine(t, l)
	m.add(err)
	return m.err()
}

// checkForeign refuses a line that does not say what has to be registered of a
// delegation that another regional registry made.
func checkForeign(l *TransferLine) error {
	var m mistakes
	const rule = "APNIC-103, section 3.3"
	l.Date = l.Date.UTC().Truncate(time.Microsecond)
	if l.Type != "allocation" && l.Type != "assignment" {
		m.add(invalid("type", "%s: %.20q is not allocation or assignment", l.Range, l.Type).by(rule))
	}
	if !economyForm.MatchString(l.Economy) {
		m.add(invalid("economy", "%s: %.20q is not two upper-case letters (ISO 3166-1)", l.Range, l.Economy).by(rule))
	}
	if l.Date.IsZero() {
		m.add(invalid("date", "%s: the date of the delegation is missing", l.Range).by(rule))
	}
	m.add(checkSpecial(l.Range))
	return m.err()
}

// unclaimed refuses a range of which a part waits to be transferred or returned
// already.
func (v *View) unclaimed(r inr.Range, but string) error {
	lines, err := transferLines.find(v, "state = 'scheduled' AND kind = $1 AND first <= $2 AND last >= $3 AND id <> $4 LIMIT 1",
		r.Kind.String(), numKey(r.Last), numKey(r.First), but)
	if err != nil {
		return err
	}
	if len(lines) > 0 {
		return refuse(Conflict, "%s: a transfer of %s is scheduled for %s", r, lines[0].Range, lines[0].Due.Format(time.RFC3339)).
			in("range").by("APNIC-103, section 4").remedy("nirctl transfer cancel " + lines[0].ID)
	}
	open, err := v.OpenReturns()
	if err != nil {
		return err
	}
	for _, o := range open {
		if slices.ContainsFunc(o.Ranges, r.Overlaps) && o.ID != but {
			return refuse(Conflict, "%s: a return of %s waits to be approved", r, joinRanges(o.Ranges)).in("range").by("APNIC-103, section 3.5")
		}
	}
	return nil
}

func joinRanges(list []inr.Range) string {
	s := make([]string, len(list))
	for i, r := range list {
		s[i] = r.String()
	}
	return strings.Join(s, ", ")
}
