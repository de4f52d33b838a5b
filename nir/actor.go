package nir

import (
	"slices"
	"time"
)

// A Role is what an actor may do.
type Role string

// The roles. An actor may have several; which act needs which is in the table
// of acts (allowed.go).
const (
	NIRStaff      Role = "nir-staff"      // of one NIR: requests, its own objects
	RegistryStaff Role = "registry-staff" // of the RIR: everything but approving what they submitted
	Approver      Role = "approver"       // signs plans that want a second person
	Auditor       Role = "auditor"        // reads everything, writes nothing
	Admin         Role = "admin"          // NIRs, windows, pools, configuration
)

// An Actor is who changes the registry, with which key, when and why. At is the
// time of the event: only a command reads the clock.
type Actor struct {
	Name   string
	Roles  []Role
	NIR    string // code of the NIR that an [NIRStaff] belongs to
	Key    string // what the actor proved to be with: a key's fingerprint, [AccountKey] and whose, "" for a local account
	Reason string
	At     time.Time
}

// Has reports whether the actor has one of the roles.
func (a Actor) Has(roles ...Role) bool {
	return slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(a.Roles, r) })
}

// need refuses an actor who has none of the roles.
func (a Actor) need(act string, roles ...Role) error {
	if a.Has(roles...) {
		return nil
	}
	return refuse(Forbidden, "%s may not %s: it needs the role %s", a.Name, act, join(roles, " or "))
}

// needNIR refuses staff of another NIR; the registry's own staff act for all.
func (a Actor) needNIR(act, code string) error {
	if a.Has(RegistryStaff, Admin) || a.Has(NIRStaff) && a.NIR == code && code != "" {
		return nil
	}
	if a.Has(NIRStaff) && code != "" {
		return refuse(Forbidden, "%s of %s may not %s for %s", a.Name, a.NIR, act, code)
	}
	if code == "" { // the regional registry's own: direct members have no NIR
		return a.need(act, RegistryStaff, Admin)
	}
	return a.need(act, NIRStaff, RegistryStaff, Admin)
}

func join[S ~string](list []S, sep string) string {
	s := ""
	for i, l := range list {
		if i > 0 {
			s += sep
		}
		s += string(l)
	}
	return s
}
