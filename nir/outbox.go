package nir

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"nirzone/nir/inr"
)

// A Message is something that an NIR, or the registry itself if NIR is empty, is to
// be told by mail. It is written in the event that it tells of, so that neither is
// without the other, and waits until a [Digest] takes it.
type Message struct {
	Row
	NIR      string          `json:"nir"`
	Kind     string          `json:"kind"` // see the kinds below
	Code     string          `json:"code"`
	Subject  string          `json:"subject"`  // what it is about: a zone, a range, a request
	Severity string          `json:"severity"` // info, warning, error, alarm
	Text     string          `json:"text"`
	Notice   string          `json:"notice,omitempty"` // identifier of the notice, if it is about one
	Data     json.RawMessage `json:"data,omitempty"`   // more for programs
	Event    int64           `json:"event"`            // that it tells of
	Created  time.Time       `json:"created"`
	State    string          `json:"state"`
	Digest   string          `json:"digest,omitempty"` // that took it
}

// The kinds of messages.
const (
	NoticeOpened = "notice.opened"
	NoticeRaised = "notice.raised" // its severity rose
	NoticeClosed = "notice.closed"
	NoticeMore   = "notice.more" // so many opened at once that the rest are only counted

	RequestRegistered = "request.registered" // what was asked for is allocated and registered
)

// The states of a message. What became of one that was taken is its digest's
// state.
const (
	Waiting = "waiting"
	Taken   = "taken"
	Dropped = "dropped" // its NIR has left the registry
)

var outbox = newTable[Message]("outbox", "msg")

// severities are the words for how much something matters, in rising order.
var severities = []string{"info", "warning", "error", "alarm"}

// rank is a severity's place among the severities; an unknown one is an alarm.
func rank(severity string) int {
	for i, s := range severities {
		if s == severity {
			return i
		}
	}
	return len(severities) - 1
}

// tell puts a message into the outbox, as part of this event.
func (x *Tx) tell(m Message) error {
	if m.Severity == "" {
		m.Severity = severities[0]
	}
	m.Row, m.Event, m.Created, m.State, m.Digest = Row{}, x.event, x.Actor.At, Waiting, ""
	if m.Data == nil {
		m.Data = json.RawMessage("null") // as it is read again
	}
	if err := outbox.put(x, &m); err != nil {
		return fmt.Errorf("telling %s: %w", x.registryName(m.NIR), err)
	}
	x.messages++
	return nil
}

// tellRegistered tells an NIR that its request was carried out, and what it got. A
// direct member has no address here: whoever submitted the request for it knows.
func (x *Tx) tellRegistered(r *Request) error {
	if r.NIR == "" {
		return nil
	}
	var ranges []string
	for _, g := range r.Ranges {
		ranges = append(ranges, g.String())
	}
	data, err := json.Marshal(struct {
		Request string      `json:"request"`
		Ref     string      `json:"ref"`
		Act     string      `json:"act"`
		UID     string      `json:"uid"`
		Size    Size        `json:"size"`
		Ranges  []inr.Range `json:"ranges"`
	}{r.ID, r.Ref, r.Act, r.UID, r.Size, r.Ranges})
	if err != nil {
		return fmt.Errorf("telling request %s: %w", r.Ref, err)
	}
	return x.tell(Message{
		NIR: r.NIR, Kind: RequestRegistered, Code: "request-registered", Subject: r.NIR + "/" + r.Ref, Data: data,
		Text: fmt.Sprintf("%s for member %s: %s is allocated and registered", r.Size, r.UID, strings.Join(ranges, ", ")),
	})
}

// Outbox returns the messages to an NIR that wait, the oldest first.
func (v *View) Outbox(nir string) ([]Message, error) {
	return outbox.find(v, "nir = $1 AND state = 'waiting' ORDER BY created, id", nir)
}

// DigestMessages returns the messages that a digest took, in the order of its text.
func (v *View) DigestMessages(id string) ([]Message, error) {
	list, err := outbox.find(v, "digest = $1", id)
	sortMessages(list)
	return list, err
}
