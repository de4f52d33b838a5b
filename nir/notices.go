package nir

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A Notice tells an NIR, or the registry itself if NIR is empty, something once:
// from when it is opened until it no longer holds. One is open for an NIR, code and
// subject. What opens, grows worse or closes is told by mail, in the same event.
type Notice struct {
	Row
	NIR      string    `json:"nir"`
	Code     string    `json:"code"`
	Subject  string    `json:"subject"`  // what it is about: a zone, a range, a request
	Severity string    `json:"severity"` // info, warning, error, alarm
	Text     string    `json:"text" text:"lines"`
	Origin   string    `json:"origin"`           // who found it: registry, zonebuild, whois
	Source   string    `json:"source,omitempty"` // of zonebuild: whose file it is about
	Place    string    `json:"place,omitempty"`  // file:line:column, as it was when the text was written
	Opened   time.Time `json:"opened"`
	Seen     time.Time `json:"seen"`
	Closed   time.Time `json:"closed"`
	Acked    time.Time `json:"acked"`
	AckedBy  string    `json:"acked_by"`
}

var notices = newTable[Notice]("notice", "not")

// notify opens a notice, or sees an open one again: then nothing is written unless
// it says something else now. If its severity rose, the acknowledgement is of the
// past and it is told again.
func (x *Tx) notify(n Notice) error {
	old, found, err := x.openNotice(n.NIR, n.Code, n.Subject)
	if err != nil {
		return err
	}
	news, err := x.seeNotice(&n, old, found)
	if err != nil || news == "" {
		return err
	}
	return x.tellNotice(news, n)
}

// seeNotice writes a notice, if it is not open as it is, and returns the kind of
// message that tells of it, "" if nobody needs one.
func (x *Tx) seeNotice(n *Notice, old Notice, found bool) (news string, err error) {
	if found && old.Text == n.Text && old.Severity == n.Severity {
		return "", nil
	}
	if n.Opened.IsZero() {
		n.Opened = x.Actor.At
	}
	n.Seen = x.Actor.At
	if n.Origin == "" {
		n.Origin = "registry"
	}
	news = NoticeOpened
	if found {
		news = ""
		n.Row, n.Opened, n.Acked, n.AckedBy = old.Row, old.Opened, old.Acked, old.AckedBy
		if rank(n.Severity) > rank(old.Severity) {
			news, n.Acked, n.AckedBy = NoticeRaised, time.Time{}, ""
		}
	}
	return news, notices.put(x, n)
}

func (v *View) openNotice(nir, code, subject string) (Notice, bool, error) {
	return notices.one(v, "nir = $1 AND code = $2 AND subject = $3 AND closed = 0", nir, code, subject)
}

// settle closes the notice of an NIR, code and subject if one is open: what it says
// no longer holds.
func (x *Tx) settle(nir, code, subject string) error {
	n, found, err := x.openNotice(nir, code, subject)
	if err != nil || !found {
		return err
	}
	return x.closeNotice(n, x.Actor.At, true)
}

func (x *Tx) closeNotice(n Notice, at time.Time, tell bool) error {
	n.Closed = at
	if err := notices.put(x, &n); err != nil || !tell {
		return err
	}
	return x.tellNotice(NoticeClosed, n)
}

// tellNotice puts what became of a notice into the outbox. That mail to the
// registry itself does not arrive is not told by mail to the registry.
func (x *Tx) tellNotice(kind string, n Notice) error {
	if n.NIR == "" && n.Subject == x.Rules.RIR && (n.Code == "mail-failed" || n.Code == "mail-refused") {
		return nil
	}
	data, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("telling notice %s: %w", n.ID, err)
	}
	return x.tell(Message{
		NIR: n.NIR, Kind: kind, Code: n.Code, Subject: n.Subject, Severity: n.Severity, Text: n.Text, Notice: n.ID, Data: data,
	})
}

// AckNotice notes that somebody of the NIR that is told has seen a notice; for the
// registry's own, its staff. Acknowledged again it stays as it is.
func (x *Tx) AckNotice(id string) (Notice, error) {
	n, err := notices.get(x.View, id)
	if err != nil {
		return n, err
	}
	if n.NIR == "" {
		err = x.Actor.need("acknowledge a notice of the registry", RegistryStaff, Admin)
	} else {
		err = x.Actor.needNIR("acknowledge a notice", n.NIR)
	}
	switch {
	case err != nil:
		return n, err
	case !n.Closed.IsZero():
		return n, refuse(Conflict, "notice %s was closed at %s: what it said holds no longer", id, n.Closed.Format(time.RFC3339))
	case !n.Acked.IsZero():
		return n, nil
	}
	x.act("notice.ack")
	n.Acked, n.AckedBy = x.Actor.At, x.Actor.Name
	return n, notices.put(x, &n)
}

// Notice returns the notice of an identifier.
func (v *View) Notice(id string) (Notice, error) { return notices.get(v, id) }

// Notices returns the notices of an NIR, the newest first; the closed ones too if
// they are asked for.
func (v *View) Notices(nir string, closed bool) ([]Notice, error) {
	f := NoticeFilter{NIRs: []string{nir}}
	if closed {
		f.State = NoticesAll
	}
	return v.FindNotices(f)
}

// A NoticeFilter selects notices: those that fit everything that is set.
type NoticeFilter struct {
	NIRs     []string // told to one of these; "" is the registry. None: everybody
	Codes    []string
	Severity string    // this or worse
	Origin   string    // zonebuild, registry …
	Subject  string    // contains it, in any case
	State    string    // "" is [NoticesOpen]
	Since    time.Time // opened or closed then or later
	Limit    int       // 0 for no limit
	After    string    // the last notice of the page before
}

// The states by which notices are selected.
const (
	NoticesOpen    = "open"
	NoticesUnacked = "unacked" // open and seen by nobody
	NoticesClosed  = "closed"
	NoticesAll     = "all"
)

// where makes a condition of a filter.
func (f NoticeFilter) where() (string, []any, error) {
	var m mistakes
	var conds []string
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	among := func(column string, list []string) {
		if len(list) == 0 {
			return
		}
		var ors []string
		for _, l := range list {
			ors = append(ors, arg(l))
		}
		conds = append(conds, column+" IN ("+strings.Join(ors, ", ")+")")
	}
	among("nir", f.NIRs)
	among("code", f.Codes)
	if f.Severity != "" {
		if f.Severity != severities[rank(f.Severity)] {
			m.add(invalid("severity", "%.20q: not one of %s", f.Severity, join(severities, ", ")))
		}
		among("severity", severities[rank(f.Severity):])
	}
	if f.Origin != "" {
		conds = append(conds, "origin = "+arg(f.Origin))
	}
	if f.Subject != "" {
		like := strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(f.Subject))
		conds = append(conds, "lower(subject) LIKE "+arg("%"+like+"%")+` ESCAPE '\'`)
	}
	if !f.Since.IsZero() {
		at := arg(micros(f.Since))
		conds = append(conds, "(opened >= "+at+" OR closed >= "+at+")")
	}
	switch f.State {
	case "", NoticesOpen:
		conds = append(conds, "closed = 0")
	case NoticesUnacked:
		conds = append(conds, "closed = 0 AND acked = 0")
	case NoticesClosed:
		conds = append(conds, "closed <> 0")
	case NoticesAll:
		conds = append(conds, "id <> ''")
	default:
		m.add(invalid("state", "%.20q: not one of %s, %s, %s, %s", f.State, NoticesOpen, NoticesUnacked, NoticesClosed, NoticesAll))
	}
	if f.Limit < 0 {
		m.add(invalid("limit", "%d is negative", f.Limit))
	}
	return strings.Join(conds, " AND "), args, m.err()
}

// FindNotices returns the notices that a filter selects, the newest first.
func (v *View) FindNotices(f NoticeFilter) ([]Notice, error) {
	where, args, err := f.where()
	if err != nil {
		return nil, err
	}
	if f.After != "" {
		last, err := notices.get(v, f.After)
		if err != nil {
			return nil, err
		}
		a, b := len(args)+1, len(args)+2
		where += fmt.Sprintf(" AND (opened < $%d OR opened = $%d AND id > $%d)", a, a, b)
		args = append(args, micros(last.Opened), last.ID)
	}
	where += " ORDER BY opened DESC, id"
	if f.Limit > 0 {
		where += fmt.Sprintf(" LIMIT %d", f.Limit)
	}
	return notices.find(v, where, args...)
}
