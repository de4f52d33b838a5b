package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	netmail "net/mail"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
)

// A Message is plain text with attachments. From, ReplyTo and To are addresses as
// in a header, with a name or without (RFC 5322, section 3.4); the envelope has the
// addresses alone.
type Message struct {
	ID          string // of the Message-ID, without its brackets
	From        string
	ReplyTo     string // "" for none
	To          []string
	Recipients  []string // of the envelope; empty: those of To. Not in the message
	Subject     string
	Date        time.Time
	Text        string // lines end with LF
	Attachments []Attachment
}

// An Attachment is a file of a message.
type Attachment struct {
	Name string // letters, digits, dot, hyphen, underscore
	Type string // such as application/json
	Data []byte
}

const (
	maxSubject    = 200 // characters
	maxRecipients = 100 // RFC 5321, section 4.5.3.1.8
)

var (
	idForm   = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_{|}~.-]{1,120}@[A-Za-z0-9.-]{1,120}$`)
	nameForm = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$`)
	typeForm = regexp.MustCompile(`^[a-z]+/[a-z0-9.+-]+$`)
	addrForm = regexp.MustCompile(`^[\x21-\x3b\x3d\x3f-\x7e]{1,64}@[A-Za-z0-9.\[\]:-]{1,255}$`)
)

// ParseAddress reads an address, with a name or without, and returns what stands
// in the envelope. It refuses control characters, quoted local parts with spaces
// and addresses that are not ASCII (RFC 6531 is not spoken).
func ParseAddress(s string) (envelope string, err error) {
	a, err := parse(s)
	if err != nil {
		return "", err
	}
	return a.Address, nil
}

func parse(s string) (*netmail.Address, error) {
	if strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s) {
		return nil, fmt.Errorf("address %.60q: it has a control character (RFC 5322, section 2.2)", s)
	}
	a, err := netmail.ParseAddress(s)
	if err != nil {
		return nil, fmt.Errorf("address %.60q: write name@host (RFC 5322, section 3.4)", s)
	}
	if !addrForm.MatchString(a.Address) || strings.ContainsFunc(a.Name, unicode.IsControl) {
		return nil, fmt.Errorf("address %.60q: not one of ASCII letters without spaces (RFC 5321, section 4.1.2)", s)
	}
	return a, nil
}

// Bytes returns the message as it is sent, with CRLF, or every mistake in it.
func (m Message) Bytes() ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("making message %.60q: %w", m.ID, err)
	}
	sum := sha256.Sum256([]byte("boundary of " + m.ID))
	g := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithBoundary(hex.EncodeToString(sum[:])))
	errs := []error{g.From(m.From), g.To(m.To...)}
	if m.ReplyTo != "" {
		errs = append(errs, g.ReplyTo(m.ReplyTo))
	}
	g.Subject(m.Subject)
	g.SetDateWithValue(m.Date.UTC())
	g.SetMessageIDWithValue(m.ID)
	g.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834, section 5: no vacation replies
	g.SetBodyString(gomail.TypeTextPlain, strings.ReplaceAll(m.Text, "\n", "\r\n"))
	for _, a := range m.Attachments {
		errs = append(errs, g.AttachReader(a.Name, bytes.NewReader(a.Data), gomail.WithFileContentType(gomail.ContentType(a.Type))))
	}
	var b bytes.Buffer
	_, err := g.WriteTo(&b)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, fmt.Errorf("making message %s: %w", m.ID, err)
	}
	return b.Bytes(), nil
}

func (m Message) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !idForm.MatchString(m.ID) {
		bad("message id %.60q: not word@domain (RFC 5322, section 3.6.4)", m.ID)
	}
	if strings.ContainsFunc(m.Subject, unicode.IsControl) || !utf8.ValidString(m.Subject) || utf8.RuneCountInString(m.Subject) > maxSubject {
		bad("subject %.60q: a control character, or more than %d characters", m.Subject, maxSubject)
	}
	if m.Date.IsZero() {
		bad("the date is missing")
	}
	if len(m.To) == 0 || len(m.To) > maxRecipients || len(m.Recipients) > maxRecipients {
		bad("%d recipients: 1 to %d are possible", len(m.To), maxRecipients)
	}
	addresses := append(append([]string{m.From}, m.To...), m.Recipients...)
	if m.ReplyTo != "" {
		addresses = append(addresses, m.ReplyTo)
	}
	for _, s := range addresses {
		if _, err := parse(s); err != nil {
			errs = append(errs, err)
		}
	}
	if !utf8.ValidString(m.Text) || strings.ContainsFunc(m.Text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		bad("the text has a control character, or is not UTF-8")
	}
	for _, a := range m.Attachments {
		if !nameForm.MatchString(a.Name) || !typeForm.MatchString(a.Type) {
			bad("attachment %.40q of type %.40q: not a plain file name and a media type", a.Name, a.Type)
		}
	}
	return errors.Join(errs...)
}
