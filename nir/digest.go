package nir

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	netmail "net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A Digest is one mail: the messages to one NIR, or to the registry itself, that
// were due together. What it says is fixed when it is made, and so is its
// Message-ID, which is its identifier at the sender's domain: whatever is sent for
// it, at whatever attempt, is the same octets.
//
// # What can be sent twice
//
// SMTP has no transaction with its client. A mail server that accepted a digest is
// asked again in two cases only: the process, the machine or the database ended
// after the server's answer and before the event that notes it; or the connection
// ended after the end of the message was sent and before the server's answer came
// (RFC 1047). Both are known: the attempt is on record before it is made, and the
// next one counts it as [Digest.Unsure]. The second copy has the Message-ID of the
// first and the same octets; mail systems may drop it, and people can see it.
// Nothing else is sent twice: messages belong to one digest, an NIR has one digest
// under way at a time, an attempt holds a lease, and recipients that were answered
// are not tried again.
type Digest struct {
	Row
	NIR        string      `json:"nir"`
	MessageID  string      `json:"message_id"` // without brackets
	Sender     string      `json:"sender"`
	ReplyTo    string      `json:"reply_to,omitempty"`
	Addressees []Addressee `json:"addressees"`
	Messages   int         `json:"messages"`
	Made       time.Time   `json:"made"`
	State      string      `json:"state"`
	Tries      int         `json:"tries"`     // attempts begun
	Next       time.Time   `json:"next"`      // when the next may begin
	Lease      time.Time   `json:"lease"`     // until when the attempt under way may last; zero if there is none
	Taken      int64       `json:"taken"`     // event that began the last attempt
	Unsure     int         `json:"unsure"`    // attempts of which nobody knows whether the server took the message
	Delivered  time.Time   `json:"delivered"` // when the last recipient was settled
}

// An Addressee is one recipient of a digest.
type Addressee struct {
	Address string       `json:"address"`
	State   ReceiptState `json:"state"`            // "" while nobody answered
	Answer  string       `json:"answer,omitempty"` // the server's last, one line
}

// The states of a digest.
const (
	DigestDue    = "due"    // some recipient is to be tried
	DigestSent   = "sent"   // a mail server took it for one recipient at least
	DigestFailed = "failed" // given up, or refused for every recipient
)

var digests = newTable[Digest]("digest", "dig")

// A MailPolicy says from whom mail is, how long messages may wait for others, and
// how often sending is tried.
type MailPolicy struct {
	From     string                   // address, with a name or without
	ReplyTo  string                   // "" for none
	Registry []string                 // where the registry's own notices go
	Wait     map[string]time.Duration // of a severity: how long such a message may wait for others
	Most     int                      // messages in one digest
	Tries    int                      // attempts for a digest before it is given up
	First    time.Duration            // between the first two attempts; doubled for each further one
	Longest  time.Duration            // between two attempts
	Lease    time.Duration            // for one run: nobody else sends what it took
}

// DefaultMailPolicy tells alarms, errors and warnings at once and the rest once a
// day, and gives a digest up after 14 attempts in about two days. From has to be
// set.
func DefaultMailPolicy() MailPolicy {
	return MailPolicy{
		Wait: map[string]time.Duration{"info": 24 * time.Hour}, Most: 2000,
		Tries: 14, First: 5 * time.Minute, Longest: 6 * time.Hour, Lease: 15 * time.Minute,
	}
}

// Check reports every mistake in the policy.
func (p MailPolicy) Check() error {
	var m mistakes
	if _, err := domainOf(p.From); err != nil {
		m.add(invalid("from", "%v", err))
	}
	if p.ReplyTo != "" {
		_, err := parseAddresses(p.ReplyTo)
		m.add(wrapInvalid("reply_to", err))
	}
	for _, a := range p.Registry {
		_, err := parseAddresses(a)
		m.add(wrapInvalid("registry", err))
	}
	for s, d := range p.Wait {
		if !slices.Contains(severities, s) || d < 0 {
			m.add(invalid("wait", "%.20q: %v: a severity is one of %s, its time not negative", s, d, join(severities, ", ")))
		}
	}
	if p.Most < 1 || p.Tries < 1 || p.First <= 0 || p.Longest < p.First || p.Lease < time.Minute {
		m.add(invalid("policy", "most, tries and first have to be positive, longest not below first, lease a minute at least"))
	}
	return m.err()
}

func wrapInvalid(field string, err error) error {
	if err == nil {
		return nil
	}
	return invalid(field, "%v", err)
}

// maxAddressees bounds the recipients of one NIR.
const maxAddressees = 20

// addressForm is what a letter's envelope takes: package nir/mail has the same. The
// domain of a sender is that of the Message-ID too.
var (
	addressForm = regexp.MustCompile(`^[\x21-\x3b\x3d\x3f-\x7e]{1,64}@[A-Za-z0-9.\[\]:-]{1,255}$`)
	senderForm  = regexp.MustCompile(`@[A-Za-z0-9.-]{1,120}$`)
)

// parseAddresses reads the addresses of an NIR's record, separated by commas, and
// returns each alone, in their order.
func parseAddresses(s string) ([]string, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	list, err := netmail.ParseAddressList(s)
	if err != nil {
		return nil, fmt.Errorf("%.60q is no address of mail, nor some with commas between: write name@host (RFC 5322, section 3.4)", s)
	}
	var out []string
	for _, a := range list {
		if !addressForm.MatchString(a.Address) || strings.ContainsFunc(a.Name, unicode.IsControl) {
			return nil, fmt.Errorf("%.60q: not an address of ASCII letters without spaces (RFC 5321, section 4.1.2)", a.Address)
		}
		if !slices.Contains(out, a.Address) {
			out = append(out, a.Address)
		}
	}
	if len(out) > maxAddressees {
		return nil, fmt.Errorf("%d addresses: no more than %d", len(out), maxAddressees)
	}
	return out, nil
}

// domainOf returns the domain of an address.
func domainOf(address string) (string, error) {
	list, err := parseAddresses(address)
	if err != nil || len(list) != 1 {
		return "", fmt.Errorf("%.60q is not one address: %w", address, err)
	}
	if !senderForm.MatchString(list[0]) {
		return "", fmt.Errorf("%.60q: its domain is no name that a Message-ID may have (RFC 5322, section 3.6.4)", address)
	}
	return list[0][strings.LastIndexByte(list[0], '@')+1:], nil
}

// pause is the time to the attempt after one of that number: twice the one before,
// and up to a quarter more or less, so that not all digests come at once. It
// follows from the digest and the number alone.
func (p MailPolicy) pause(id string, tries int) time.Duration {
	d := p.First
	for i := 1; i < tries && d < p.Longest; i++ {
		d *= 2
	}
	d = min(d, p.Longest)
	sum := sha256.Sum256([]byte(id + " " + strconv.Itoa(tries)))
	share := float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
	return time.Duration(float64(d) * (0.75 + share/2)).Truncate(time.Second)
}

// due is when a message has to be told at the latest.
func (p MailPolicy) due(m Message) time.Time { return m.Created.Add(p.Wait[m.Severity]) }

// sortMessages puts messages into the order in which a digest tells them: what
// matters most first.
func sortMessages(list []Message) {
	slices.SortFunc(list, func(a, b Message) int {
		return cmp.Or(cmp.Compare(rank(b.Severity), rank(a.Severity)), cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Subject, b.Subject), a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
}

// Digests returns the digests to an NIR, the newest first.
func (v *View) Digests(nir string) ([]Digest, error) {
	return digests.find(v, "nir = $1 ORDER BY made DESC, id", nir)
}

// Digest returns the digest of an identifier.
func (v *View) Digest(id string) (Digest, error) { return digests.get(v, id) }
