package nir

import "time"

// An enrolment is what the receiver of a transfer needs to be a member of the
// destination.
type enrolment struct {
	member Member
	fresh  bool       // the member is new
	ship   Membership // the one that there is
	joins  bool       // there is none, or it ended
}

// enrolment finds the receiver. The destination's identifier for it must be nobody
// else's, not even of a member that left (APNIC-103, section 3.2.1).
func (v *View) enrolment(t *Transfer) (enrolment, error) {
	const rule = "APNIC-103, section 3.2.1"
	name := v.registryName(t.Destination)
	m, s, err := v.MemberOf(t.Destination, t.UID)
	switch {
	case err == nil && m.ID == t.Receiver && s.Ended.IsZero():
		return enrolment{member: m, ship: s}, nil
	case err == nil && m.ID == t.Receiver: // it comes back under the name that it had
		return enrolment{member: m, ship: s, joins: true}, v.nameless(&m, t.Destination)
	case err == nil:
		return enrolment{}, refuse(Conflict, "%s calls another member %s: %s", name, t.UID, m.Name).in("uid").by(rule).
			remedy("name that member as the receiver, or give an identifier that was never used")
	case CodeOf(err) != NotFound:
		return enrolment{}, err
	case !uidForm.MatchString(t.UID):
		return enrolment{}, invalid("uid", "%.80q is not 1 to 64 letters, digits, dots, hyphens and underscores", t.UID).by(rule)
	}
	if t.Receiver == "" {
		who := t.Who
		who.Row = Row{}
		return enrolment{member: who, fresh: true, joins: true}, who.check()
	}
	m, err = v.Member(t.Receiver)
	if err != nil {
		return enrolment{}, err
	}
	return enrolment{member: m, joins: true}, v.nameless(&m, t.Destination)
}

// nameless refuses a second name for a member: a registry has one.
func (v *View) nameless(m *Member, nir string) error {
	other, ok, err := memberships.one(v, "member = $1 AND nir = $2 AND ended = 0", m.ID, nir)
	if err == nil && ok {
		err = refuse(Conflict, "%s calls %s %s already", v.registryName(nir), m.Name, other.UID).in("uid").by("APNIC-103, section 3.2.1")
	}
	return err
}

// enrol makes the receiver a member of the destination, if it is none, and lets
// the destination serve its requests where the transfer says so: never two
// registries at once (APNIC-103, sections 4.1 and 4.2).
func (x *Tx) enrol(t *Transfer) error {
	if x.Rules.peer(t.Destination) {
		return nil
	}
	e, err := x.enrolment(t)
	if err != nil {
		return err
	}
	if e.fresh {
		if err := members.put(x, &e.member); err != nil {
			return err
		}
		t.Receiver = e.member.ID // the transfer is written when its state is settled
	}
	if e.joins {
		if err := x.rejoin(t, e.ship); err != nil {
			return err
		}
	}
	made, err := x.makerOf(transfers.name, t.ID)
	if err != nil {
		return err
	}
	moves, err := x.movesService(t, made.Roles)
	if err != nil || !moves {
		return err
	}
	return x.Serve(t.Receiver, t.Destination)
}

// movesService reports whether the destination is to serve the receiver's requests
// from then on, who was served elsewhere or by nobody. Who serves a member that a
// third registry serves is for the staff of the regional registry to say; roles
// are those of who made the transfer.
func (x *Tx) movesService(t *Transfer, roles []Role) (bool, error) {
	s, ok, err := memberships.one(x.View, "member = $1 AND serves = 1", t.Receiver)
	moves := t.Serve || t.Whole && t.Receiver == t.Member
	by := Actor{Roles: roles}
	switch {
	case err != nil || !ok:
		return err == nil, err
	case s.NIR == t.Destination || !moves:
		return false, nil
	case s.NIR == t.Source || by.Has(RegistryStaff, Admin):
		return true, nil
	case !t.Serve: // the whole of what it held there: it is served on where it is
		return false, nil
	}
	return false, refuse(Forbidden, "the requests of the receiver are served by %s, which has no part in the transfer", x.registryName(s.NIR)).
		in("serve").by("APNIC-103, section 4.1").remedy("let staff of " + x.Rules.RIR + " make the transfer, or make it without --serve")
}

// rejoin begins a membership, or one that ended again: the identifier is the
// member's for ever.
func (x *Tx) rejoin(t *Transfer, s Membership) error {
	if s.ID == "" {
		_, err := x.Join(t.Receiver, t.Destination, t.UID)
		return err
	}
	s.Began, s.Ended, s.Serves = x.Actor.At, time.Time{}, false
	return memberships.put(x, &s)
}

// part ends the membership at the source when a whole transfer is done (APNIC-103,
// section 4.1). Resources that came to the member meanwhile keep it: staff are
// told.
func (x *Tx) part(t *Transfer) error {
	if !t.Whole || t.State != TransferDone {
		return nil
	}
	_, ok, err := memberships.one(x.View, "member = $1 AND nir = $2 AND ended = 0", t.Member, t.Source)
	if err != nil || !ok {
		return err
	}
	err = x.Leave(t.Member, t.Source)
	if CodeOf(err) != Conflict {
		return err
	}
	return x.notify(Notice{NIR: t.Source, Code: "transfer-incomplete", Subject: t.ID, Severity: "warning", Text: err.Error()})
}
