package nir

import "fmt"

// AccountKey begins the [Actor].Key of an admin who acts for another: the admin's
// own account follows. It is in the audit, and so known of everything that was made.
const AccountKey = "account:"

// makerOf returns the event that made an object; of this transaction's own only who
// acts.
func (x *Tx) makerOf(table, id string) (Event, error) {
	e := Event{Actor: x.Actor.Name, Key: x.Actor.Key, Roles: x.Actor.Roles, NIR: x.Actor.NIR}
	rows, err := x.query("SELECT a.entry FROM audit a WHERE a.seq = (SELECT min(since) FROM "+table+" WHERE id = $1)", id)
	if err != nil {
		return e, fmt.Errorf("finding who made %s: %w", id, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	for rows.Next() {
		var entry string
		if err := rows.Scan(&entry); err != nil {
			return e, fmt.Errorf("finding who made %s: %w", id, err)
		}
		made, err := decodeEvent([]byte(entry))
		if err != nil {
			return e, fmt.Errorf("finding who made %s: %w", id, err)
		}
		e = *made
	}
	return e, rows.Err()
}

// apart refuses a signer who made an object in the name of another: whose name it
// bears is compared by the caller.
func (x *Tx) apart(signer, table, id string) error {
	e, err := x.makerOf(table, id)
	if err == nil && e.Key == AccountKey+signer {
		err = refuse(Forbidden, "%s made it, acting for %s: another person has to approve it", signer, e.Actor)
	}
	return err
}
