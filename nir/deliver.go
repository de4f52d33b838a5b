package nir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Letter is a mail as a [Carrier] sends it.
type Letter struct {
	MessageID     string // without brackets
	From, ReplyTo string
	To            []string // of the header: everybody whom the digest is for
	Recipients    []string // of the envelope: those who were not answered yet
	Subject       string
	Date          time.Time
	Text          string // lines end with LF
	File          string // name of the attachment
	JSON          []byte // its content
}

// A Carrier hands letters to a mail server. It is called for one letter at a time.
type Carrier interface {
	// Carry returns one receipt for each recipient, in their order. An error says
	// that the server can be handed nothing now, and that it was handed nothing of
	// this letter: the rest of the run waits.
	Carry(ctx context.Context, l Letter) ([]Receipt, error)
}

// A Receipt is what became of a letter for one recipient.
type Receipt struct {
	State  ReceiptState
	Answer string // the server's, one line
	Unsure bool   // with [Deferred]: the server may have taken it
}

// A ReceiptState is what a mail server said.
type ReceiptState string

// What a mail server can say.
const (
	Handed   ReceiptState = "sent"     // it answers for the letter from now on
	Deferred ReceiptState = "deferred" // not now (RFC 5321, reply 4yz), or it said nothing
	Rejected ReceiptState = "refused"  // never (reply 5yz)
)

// A Delivery is what one run of [DB.Deliver] did.
type Delivery struct {
	Digests []Digest `json:"digests"` // every one that was tried, as it is now
	Unknown []string `json:"unknown"` // digests whose attempt could not be noted: it will be tried again
}

// Err reports what a person should look at: digests that failed.
func (d Delivery) Err() error {
	var errs []error
	for _, g := range d.Digests {
		if g.State == DigestFailed {
			errs = append(errs, fmt.Errorf("mail to %s was given up: %s", g.NIR, g.lastAnswer()))
		}
	}
	return errors.Join(errs...)
}

// Refused returns how many recipients a mail server refused for good.
func (g Digest) Refused() int {
	n := 0
	for _, a := range g.Addressees {
		if a.State == Rejected {
			n++
		}
	}
	return n
}

func (g Digest) lastAnswer() string {
	for _, a := range g.Addressees {
		if a.State != Handed && a.Answer != "" {
			return a.Address + ": " + a.Answer
		}
	}
	return "nobody answered"
}

// Deliver sends what is due. It takes digests in one event, sends each and notes
// each in an event of its own, until nothing is due. It stops
// with the first server that takes nothing at all; that is an error, and every
// digest waits for its next attempt.
//
// Several deliveries may run at once: what one took is not sent by another before
// the lease ends, and sending stops before.
//
// Sending takes its time, and others write meanwhile: each event has the time that
// clock gives for it, not the actor's.
func (n *DB) Deliver(ctx context.Context, a Actor, p MailPolicy, c Carrier, clock func() time.Time) (Delivery, error) {
	var out Delivery
	if err := p.Check(); err != nil {
		return out, err
	}
	sending, cancel := context.WithTimeout(ctx, p.Lease*3/4)
	defer cancel()
	for {
		a.At = clock()
		letters, taken, err := n.takeLetters(ctx, a, p)
		if err != nil || len(taken) == 0 {
			return out, err
		}
		var down error
		for i, d := range taken {
			var receipts []Receipt
			if down == nil {
				receipts, down = c.Carry(sending, letters[i])
			}
			// A crash here is the one that SMTP cannot rule out: see Digest.
			a.At = clock()
			d, err := n.noteMail(ctx, a, p, d, letters[i], receipts, down)
			if err != nil {
				out.Unknown = append(out.Unknown, d.ID)
				return out, fmt.Errorf("noting what became of the mail to %s: %w", d.NIR, err)
			}
			out.Digests = append(out.Digests, d)
		}
		if down != nil {
			return out, fmt.Errorf("handing over mail: %w", down)
		}
	}
}

func (n *DB) takeLetters(ctx context.Context, a Actor, p MailPolicy) ([]Letter, []Digest, error) {
	var letters []Letter
	var taken []Digest
	err := n.Update(ctx, a, func(x *Tx) error {
		if err := x.Actor.need("deliver mail", RegistryStaff, Admin); err != nil {
			return err
		}
		var err error
		if taken, err = x.takeMail(p); err != nil {
			return fmt.Errorf("taking mail: %w", err)
		}
		letters = letters[:0]
		for _, d := range taken {
			l, err := x.letter(d)
			if err != nil {
				return fmt.Errorf("writing the mail to %s: %w", d.NIR, err)
			}
			letters = append(letters, l)
		}
		return nil
	})
	return letters, taken, err
}

// letter writes the mail of a digest.
func (v *View) letter(d Digest) (Letter, error) {
	list, err := v.DigestMessages(d.ID)
	if err != nil {
		return Letter{}, err
	}
	if len(list) != d.Messages {
		return Letter{}, fmt.Errorf("digest %s has %d messages, of which %d are there", d.ID, d.Messages, len(list))
	}
	return compose(d, list, v.Rules.RIR)
}

// noteMail notes an attempt in an event of its own: as soon as it is committed, no
// recipient who was answered is tried again.
func (n *DB) noteMail(ctx context.Context, a Actor, p MailPolicy, d Digest, l Letter, receipts []Receipt, down error) (Digest, error) {
	err := n.Update(ctx, a, func(x *Tx) error {
		now, err := digests.get(x.View, d.ID)
		if err != nil {
			return err
		}
		if now.Taken != d.Taken || now.State != DigestDue || now.Lease.IsZero() {
			return refuse(Conflict, "another delivery has taken %s since", d.ID)
		}
		d = now
		x.act("mail.note")
		return x.noteReceipts(&d, p, l, receipts, down)
	})
	return d, err
}

func (x *Tx) noteReceipts(d *Digest, p MailPolicy, l Letter, receipts []Receipt, down error) error {
	unsure := false
	for i, r := range l.Recipients {
		got := Receipt{State: Deferred, Answer: "no answer"}
		switch {
		case down != nil:
			got.Answer = oneLine(down.Error())
		case i < len(receipts):
			got = receipts[i]
		}
		unsure = unsure || got.Unsure
		for j := range d.Addressees {
			if d.Addressees[j].Address == r {
				d.Addressees[j].State, d.Addressees[j].Answer = got.State, oneLine(got.Answer)
			}
		}
	}
	if unsure {
		d.Unsure++
	}
	d.Lease = time.Time{}
	if len(d.open()) > 0 && d.Tries < p.Tries {
		d.Next = x.Actor.At.Add(p.pause(d.ID, d.Tries))
		return digests.put(x, d)
	}
	return x.settleDigest(d, "")
}

// open returns the addresses that are still to be tried.
func (d *Digest) open() []string {
	var list []string
	for _, a := range d.Addressees {
		if a.State != Handed && a.State != Rejected {
			list = append(list, a.Address)
		}
	}
	return list
}

// settleDigest ends a digest, and tells the registry of the recipients whom it did
// not reach.
func (x *Tx) settleDigest(d *Digest, why string) error {
	x.act("mail.note")
	var lost []string
	sent := false
	for _, a := range d.Addressees {
		if a.State == Handed {
			sent = true
			continue
		}
		lost = append(lost, a.Address+": "+cmp.Or(a.Answer, why, "nobody answered"))
	}
	d.State, d.Delivered, d.Lease = DigestFailed, x.Actor.At, time.Time{}
	if sent {
		d.State = DigestSent
	}
	if err := digests.put(x, d); err != nil {
		return err
	}
	return x.noticeMail(d, lost, sent)
}

// noticeMail opens and closes the registry's notices of mail that does not arrive.
func (x *Tx) noticeMail(d *Digest, lost []string, sent bool) error {
	who := cmp.Or(d.NIR, x.Rules.RIR)
	if sent {
		if err := x.settle("", "mail-failed", who); err != nil {
			return err
		}
	}
	if len(lost) == 0 {
		return x.settle("", "mail-refused", who)
	}
	n := Notice{Code: "mail-refused", Subject: who, Severity: "warning"}
	if !sent {
		n.Code, n.Severity = "mail-failed", "alarm"
	}
	n.Text = fmt.Sprintf("digest %s of %d messages did not reach %s. Correct the address with nirctl nir edit %s --email, then nirctl notice resend %s",
		d.ID, d.Messages, strings.Join(lost, "; "), who, d.ID)
	return x.notify(n)
}

// ResendDigest makes a digest that was given up due again, with the addresses that
// the NIR has now; whoever got it is not sent it again.
func (x *Tx) ResendDigest(id string, p MailPolicy) (Digest, error) {
	if err := x.Actor.need("send mail again", RegistryStaff, Admin); err != nil {
		return Digest{}, err
	}
	d, err := digests.get(x.View, id)
	if err != nil {
		return d, err
	}
	if d.State == DigestDue {
		return d, refuse(Conflict, "digest %s is under way", id)
	}
	if other, found, err := digests.one(x.View, "nir = $1 AND state = 'due'", d.NIR); err != nil || found {
		if err == nil {
			err = refuse(Conflict, "digest %s is to be sent to %s first", other.ID, x.registryName(d.NIR)).remedy("nirctl deliver")
		}
		return d, err
	}
	g := MailGroup{NIR: d.NIR}
	if _, err := x.address(&g, p); err != nil {
		return d, err
	}
	var list []Addressee
	for _, a := range d.Addressees {
		if a.State == Handed {
			list = append(list, a)
		}
	}
	reached := len(list)
	for _, a := range g.Addresses {
		if !containsAddress(list, a) {
			list = append(list, Addressee{Address: a})
		}
	}
	if len(list) == reached {
		return d, refuse(Conflict, "digest %s has reached every address of %s", id, x.registryName(d.NIR))
	}
	x.act("mail.resend")
	d.Addressees, d.State, d.Tries, d.Next, d.Delivered = list, DigestDue, 0, x.Actor.At, time.Time{}
	return d, digests.put(x, &d)
}

func containsAddress(list []Addressee, address string) bool {
	for _, a := range list {
		if a.Address == address {
			return true
		}
	}
	return false
}
