package nir

import (
	"cmp"
	"reflect"
	"regexp"
	"time"
)

// A Member is an organisation that holds resources: an LIR (APNIC-103, section
// 2.4), of an NIR, of the regional registry, or of both.
type Member struct {
	Row
	Name    string   `json:"name"`
	Economy string   `json:"economy"`
	Address []string `json:"address"`
	Phone   string   `json:"phone"`
	Email   string   `json:"email"`
	Abuse   string   `json:"abuse"` // where abuse is reported
	AdminC  string   `json:"admin_c"`
	TechC   string   `json:"tech_c"`
	IRT     string   `json:"irt"`
	Mntner  string   `json:"mntner"` // its own, "" for none
	Opaque  string   `json:"opaque"` // what statistics call it; "" for what follows from its identifier
}

var members = newTable[Member]("member", "mem")

// A Membership says that a member belongs to an NIR, or to the regional registry
// itself if NIR is empty. UID is what that registry calls the member: it is never
// used for another, not even after the membership ended (APNIC-103, section
// 3.2.1). A member may belong to several, but one at most serves its requests
// (section 4).
type Membership struct {
	Row
	Member string    `json:"member"`
	NIR    string    `json:"nir"`
	UID    string    `json:"uid"`
	Serves bool      `json:"serves"`
	Began  time.Time `json:"began"`
	Ended  time.Time `json:"ended"`
}

var memberships = newTable[Membership]("membership", "mbs")

var uidForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Member returns the member of an identifier.
func (v *View) Member(id string) (Member, error) {
	return recall(&v.recalled.members, id, func() (Member, error) { return members.get(v, id) })
}

// MemberOf returns the member that a registry calls uid; nir is empty for the
// regional registry.
func (v *View) MemberOf(nir, uid string) (Member, Membership, error) {
	s, ok, err := memberships.one(v, "nir = $1 AND uid = $2", nir, uid)
	if err != nil {
		return Member{}, s, err
	}
	if !ok {
		return Member{}, s, refuse(NotFound, "%s has no member %.64q", v.registryName(nir), uid).remedy("nirctl member list")
	}
	m, err := v.Member(s.Member)
	return m, s, err
}

// Members returns the members of a registry, by uid, with their memberships.
func (v *View) Members(nir string) ([]Member, []Membership, error) {
	list, err := memberships.find(v, "nir = $1 ORDER BY uid", nir)
	if err != nil {
		return nil, nil, err
	}
	var all []Member
	for _, s := range list {
		m, err := members.get(v, s.Member)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, m)
	}
	return all, list, nil
}

// Memberships returns the memberships of a member, the ended ones too.
func (v *View) Memberships(member string) ([]Membership, error) {
	return memberships.find(v, "member = $1 ORDER BY began, id", member)
}

func (v *View) registryName(nir string) string {
	return cmp.Or(nir, v.Rules.RIR)
}

func (m *Member) check() error {
	var bad mistakes
	bad.need("name", m.Name, "APNIC-103, section 3.2.1")
	bad.add(checkEconomy("economy", m.Economy))
	bad.add(checkMntner(m.Mntner))
	return bad.err()
}

// AddMember records a new member of a registry: the same uid is the same member
// for ever. If the registry has that uid already, the member is returned as it is;
// it is a conflict if m says something else of it.
func (x *Tx) AddMember(nir, uid string, m Member) (Member, error) {
	have, _, err := x.memberFor(nir, uid, m)
	if err != nil || have.contains(&m) {
		return have, err
	}
	name := x.registryName(nir) + "/" + uid
	return have, refuse(Conflict, "%s is there: %s of %s, and what is said of it is something else", name, have.Name, have.Economy).
		in("uid").by("APNIC-103, section 3.2.1").remedy("nirctl member edit " + name)
}

// contains reports whether m says all that another record of a member says: of what
// that leaves out it says nothing.
func (m *Member) contains(said *Member) bool {
	a, b := reflect.ValueOf(*m), reflect.ValueOf(*said)
	for _, f := range reflect.VisibleFields(a.Type()) {
		if f.Anonymous || len(f.Index) > 1 || b.FieldByIndex(f.Index).IsZero() {
			continue
		}
		if !reflect.DeepEqual(a.FieldByIndex(f.Index).Interface(), b.FieldByIndex(f.Index).Interface()) {
			return false
		}
	}
	return true
}

// memberFor finds or records the member of a uid, and the membership.
func (x *Tx) memberFor(nir, uid string, m Member) (Member, Membership, error) {
	var none Membership
	if err := x.Actor.needNIR("add a member", nir); err != nil {
		return m, none, err
	}
	if nir != "" {
		if _, err := x.NIR(nir); err != nil {
			return m, none, err
		}
	}
	if !uidForm.MatchString(uid) {
		return m, none, invalid("uid", "%.80q is not 1 to 64 letters, digits, dots, hyphens and underscores", uid).by("APNIC-103, section 3.2.1")
	}
	if old, s, err := x.MemberOf(nir, uid); CodeOf(err) != NotFound {
		return old, s, err
	}
	if err := m.check(); err != nil {
		return m, none, err
	}
	x.act("member.add")
	if err := members.put(x, &m); err != nil {
		return m, none, err
	}
	s := Membership{Member: m.ID, NIR: nir, UID: uid, Serves: true, Began: x.Actor.At}
	return m, s, memberships.put(x, &s)
}

// ChangeMember records the changed data of a member. What it has already changes
// nothing.
func (x *Tx) ChangeMember(m Member) (Member, error) {
	if _, err := x.serving("change a member", m.ID); err != nil {
		return m, err
	}
	if err := m.check(); err != nil {
		return m, err
	}
	before, err := members.get(x.View, m.ID)
	if err != nil {
		return m, err
	}
	if m.Row = before.Row; reflect.DeepEqual(m, before) {
		return m, nil
	}
	x.act("member.change")
	if err := members.put(x, &m); err != nil {
		return m, err
	}
	if before.Name == m.Name && before.IRT == m.IRT && before.Mntner == m.Mntner && before.AdminC == m.AdminC && before.TechC == m.TechC {
		return m, nil
	}
	return m, x.describeAgain("member = $1", m.ID) // what whois says of the member
}

// serving returns the membership that serves a member's requests, if the actor may
// act for that registry.
func (x *Tx) serving(act, member string) (Membership, error) {
	s, ok, err := memberships.one(x.View, "member = $1 AND serves = 1", member)
	if err != nil {
		return s, err
	}
	if !ok {
		return s, refuse(NotFound, "no registry serves the requests of member %s", member)
	}
	return s, x.Actor.needNIR(act, s.NIR)
}

// Join makes a member one of another registry too. It is served where it was
// until [Tx.Serve] says otherwise. A registry has one name for a member; who left
// and comes back may have the old one.
func (x *Tx) Join(member, nir, uid string) (Membership, error) {
	if err := x.Actor.needNIR("add a membership", nir); err != nil {
		return Membership{}, err
	}
	if _, err := members.get(x.View, member); err != nil {
		return Membership{}, err
	}
	if nir != "" {
		if _, err := x.NIR(nir); err != nil {
			return Membership{}, err
		}
	}
	old, s, err := x.MemberOf(nir, uid)
	switch {
	case err != nil && CodeOf(err) != NotFound:
		return s, err
	case err == nil && old.ID != member:
		return s, refuse(Conflict, "%s calls another member %s; an identifier is never used again", x.registryName(nir), uid).by("APNIC-103, section 3.2.1")
	case err == nil && s.Ended.IsZero():
		return s, nil
	case !uidForm.MatchString(uid):
		return Membership{}, invalid("uid", "%.80q is not 1 to 64 letters, digits, dots, hyphens and underscores", uid)
	}
	list, err := memberships.find(x.View, "member = $1 AND ended = 0", member)
	if err != nil {
		return Membership{}, err
	}
	served := false
	for _, o := range list {
		served = served || o.Serves
		if o.NIR == nir {
			return o, refuse(Conflict, "%s calls this member %s already", x.registryName(nir), o.UID).by("APNIC-103, section 3.2.1")
		}
	}
	s.Member, s.NIR, s.UID, s.Serves, s.Began, s.Ended = member, nir, uid, !served, x.Actor.At, time.Time{} // s may be one that ended: it goes on
	x.act("member.join")
	return s, memberships.put(x, &s)
}

// Serve makes one registry of a member's the one that serves its requests
// (APNIC-103, section 4.1: from one source only).
func (x *Tx) Serve(member, nir string) error {
	if err := x.Actor.need("change who serves a member", RegistryStaff, Admin); err != nil {
		return err
	}
	list, err := x.Memberships(member)
	if err != nil {
		return err
	}
	found := false
	x.act("member.serve")
	for _, pass := range []bool{false, true} { // first nobody serves, then one does
		for _, s := range list {
			serves := s.NIR == nir && s.Ended.IsZero()
			found = found || serves
			if serves != pass || s.Serves == serves {
				continue
			}
			s.Serves = serves
			if err := memberships.put(x, &s); err != nil {
				return err
			}
		}
	}
	if !found {
		return refuse(Conflict, "%s is not a member of %s", member, x.registryName(nir)).remedy("nirctl member join")
	}
	return nil
}

// Leave ends a membership. Its uid stays taken.
func (x *Tx) Leave(member, nir string) error {
	if err := x.Actor.need("end a membership", RegistryStaff, Admin); err != nil {
		return err
	}
	s, ok, err := memberships.one(x.View, "member = $1 AND nir = $2 AND ended = 0", member, nir)
	if err != nil {
		return err
	}
	if !ok {
		return refuse(NotFound, "%s is not a member of %s", member, x.registryName(nir))
	}
	n := 0
	err = delegations.each(x.View, "member = $1 AND nir = $2 LIMIT 1", []any{member, nir}, func(*Delegation) error { n++; return nil })
	if err != nil {
		return err
	}
	if n > 0 {
		return refuse(Conflict, "the member holds resources under %s", x.registryName(nir)).by("APNIC-103, section 4").remedy("transfer or return them first")
	}
	s.Serves, s.Ended = false, x.Actor.At
	x.act("member.leave")
	return memberships.put(x, &s)
}
