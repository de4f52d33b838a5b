package nir

import "time"

// A Notice tells an NIR, or the registry itself if NIR is empty, something once:
// from when it is opened until it no longer holds.
type Notice struct {
	Row
	NIR      string    `json:"nir"`
	Code     string    `json:"code"`
	Subject  string    `json:"subject"`  // what it is about: a zone, a range, a request
	Severity string    `json:"severity"` // info, warning, error, alarm
	Text     string    `json:"text"`
	Origin   string    `json:"origin"` // who found it: registry, zonebuild, whois
	Opened   time.Time `json:"opened"`
	Seen     time.Time `json:"seen"`
	Closed   time.Time `json:"closed"`
	Acked    time.Time `json:"acked"`
	AckedBy  string    `json:"acked_by"`
}

var notices = newTable[Notice]("notice", "not")

// notify opens a notice, or sees an open one again: then nothing is written unless
// it says something else now.
func (x *Tx) notify(n Notice) error {
	old, found, err := notices.one(x.View, "nir = $1 AND code = $2 AND subject = $3 AND closed = 0", n.NIR, n.Code, n.Subject)
	if err != nil {
		return err
	}
	if found && old.Text == n.Text && old.Severity == n.Severity {
		return nil
	}
	n.Opened, n.Seen = x.Actor.At, x.Actor.At
	if n.Origin == "" {
		n.Origin = "registry"
	}
	if found {
		n.Row, n.Opened, n.Acked, n.AckedBy = old.Row, old.Opened, old.Acked, old.AckedBy
	}
	return notices.put(x, &n)
}

// Notices returns the notices of an NIR, the newest first; the closed ones too if
// they are asked for.
func (v *View) Notices(nir string, closed bool) ([]Notice, error) {
	where := "nir = $1"
	if !closed {
		where += " AND closed = 0"
	}
	return notices.find(v, where+" ORDER BY opened DESC, id", nir)
}
