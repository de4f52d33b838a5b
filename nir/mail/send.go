package mail

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// A Result is what became of a message for one recipient.
type Result string

// The results; the package comment says what each means.
const (
	Accepted  Result = "accepted"
	Temporary Result = "temporary"
	Permanent Result = "permanent"
)

// An Answer is the server's for one recipient. Text begins with its reply code, and
// the enhanced one (RFC 3463) if the server gave one; it is one line.
type Answer struct {
	Recipient string // as given
	Result    Result
	Code      int // reply code, 0 if there was none
	Text      string
	Unsure    bool // the connection ended before the server said whether it took the message
}

// An Error is a server that takes no message at all in this session: it is gone, or
// refuses the sender. Login tells that it wants a login, or another one.
type Error struct {
	Login bool
	Err   error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Send sends a message and returns one answer for each recipient of the envelope,
// in their order. An error that is not an [Error] is a mistake in the message:
// nothing was sent. An [Error] says that the session is of no use any more: nothing
// of this message was taken, and Dial has to be called again.
func (c *Session) Send(ctx context.Context, m Message) ([]Answer, error) {
	if c.broken != nil {
		return nil, &Error{Err: fmt.Errorf("sending message %s: the session ended: %w", m.ID, c.broken)}
	}
	b, err := m.Bytes()
	if err != nil {
		return nil, err
	}
	if len(m.Recipients) == 0 {
		m.Recipients = m.To
	}
	if limit := c.limit(); len(b) > limit {
		return everybody(m, Answer{Result: Permanent, Text: fmt.Sprintf("the message has %d octets, the limit is %d", len(b), limit)}), nil
	}
	if c.broken = ctx.Err(); c.broken != nil { // as later: a deadline does not choose what the caller sees
		return nil, &Error{Err: fmt.Errorf("sending message %s: %w", m.ID, c.broken)}
	}
	stop := context.AfterFunc(ctx, func() { _ = c.conn.Close() })
	defer stop()
	return c.transact(m, b)
}

// limit is the smaller of our own and the server's (RFC 1870).
func (c *Session) limit() int {
	limit := c.server.maxBytes()
	if ok, arg := c.client.Extension("SIZE"); ok {
		if n, err := strconv.Atoi(strings.TrimSpace(arg)); err == nil && n > 0 {
			limit = min(limit, n)
		}
	}
	return limit
}

func everybody(m Message, a Answer) []Answer {
	list := make([]Answer, len(m.Recipients))
	for i, r := range m.Recipients {
		a.Recipient = r
		list[i] = a
	}
	return list
}

// transact is one mail transaction (RFC 5321, section 3.3).
func (c *Session) transact(m Message, b []byte) ([]Answer, error) {
	from, _ := ParseAddress(m.From) // checked with the message
	if err := c.client.Mail("<" + from + ">"); err != nil {
		return c.sender(m, err)
	}
	answers, taken := make([]Answer, len(m.Recipients)), 0
	for i, r := range m.Recipients {
		to, _ := ParseAddress(r)
		err := c.client.Rcpt("<" + to + ">")
		answers[i] = answer(err)
		answers[i].Recipient = r
		if c.gone(err) {
			return everybody(m, answers[i]), nil
		}
		if answers[i].Code == 552 { // too many recipients, as servers said it once: RFC 5321, section 4.5.3.1.10
			answers[i].Result = Temporary
		}
		if err == nil {
			taken++
		}
	}
	if taken == 0 {
		c.reset()
		return answers, nil
	}
	last := c.data(b)
	for i := range answers {
		if answers[i].Result == Accepted {
			last.Recipient = answers[i].Recipient
			answers[i] = last
		}
	}
	return answers, nil
}

// sender answers for a sender that the server does not take. If that is for good it
// concerns every message: a login or an address in our configuration is wrong, and
// no recipient's mail should be given up for it.
func (c *Session) sender(m Message, err error) ([]Answer, error) {
	a := answer(err)
	switch {
	case c.gone(err):
		return nil, &Error{Err: fmt.Errorf("sending message %s: %w", m.ID, plain(err))}
	case a.Result == Permanent:
		c.broken = plain(err)
		login := a.Code == 530 || a.Code == 534 || a.Code == 535 || a.Code == 538 // RFC 4954, section 6
		return nil, &Error{Login: login, Err: fmt.Errorf("sending message %s: the server takes nothing from %s: %s", m.ID, m.From, a.Text)}
	}
	c.reset()
	return everybody(m, a), nil
}

// data sends the message itself. Until its end is sent, a connection that breaks
// leaves nothing behind: a server keeps no message without its end (RFC 5321,
// section 4.1.1.4).
func (c *Session) data(b []byte) Answer {
	w, err := c.client.Data()
	if err != nil {
		a := answer(err)
		if !c.gone(err) {
			c.reset()
		}
		return a
	}
	if _, err := w.Write(b); err != nil {
		c.gone(err)
		return answer(err)
	}
	// From here on the server may have taken it, whatever we hear.
	err = w.Close()
	a := answer(err)
	a.Unsure = c.gone(err) && a.Code == 0
	return a
}

// reset ends a transaction that came to nothing.
func (c *Session) reset() { c.gone(c.client.Reset()) }

// gone notes whether an error ended the session: anything but a reply, and the
// reply 421 (RFC 5321, section 3.8).
func (c *Session) gone(err error) bool {
	var reply *textproto.Error
	if err == nil || errors.As(err, &reply) && reply.Code != 421 {
		return false
	}
	c.broken = plain(err)
	return true
}

var enhancedForm = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}\b`)

// answer makes an answer of the error of a command. What is no reply is temporary:
// nobody refused.
func answer(err error) Answer {
	var reply *textproto.Error
	switch {
	case err == nil:
		return Answer{Result: Accepted, Code: 250, Text: "250"}
	case !errors.As(err, &reply):
		return Answer{Result: Temporary, Text: clean(err.Error())}
	}
	a := Answer{Result: Temporary, Code: reply.Code, Text: clean(fmt.Sprintf("%d %s", reply.Code, reply.Msg))}
	if reply.Code >= 500 {
		a.Result = Permanent
	}
	if e := enhancedForm.FindString(reply.Msg); e != "" && e[0] == '4' { // more precise than the basic code: RFC 3463, section 2
		a.Result = Temporary
	}
	return a
}

// plain returns an error without what a server may have put into it.
func plain(err error) error {
	if s := err.Error(); s != clean(s) {
		return errors.New(clean(s))
	}
	return err
}

const maxAnswer = 300 // characters of a reply that are kept

// clean makes one line of what a server said.
func clean(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	r := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, s))
	if len(r) > maxAnswer {
		return string(r[:maxAnswer]) + "…"
	}
	return string(r)
}
