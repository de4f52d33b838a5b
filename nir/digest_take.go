package nir

import (
	"fmt"
	"time"
)

// A MailPlan is what a delivery would do now: [View.MailPlan].
type MailPlan struct {
	New       []MailGroup `json:"new"`        // digests that would be made
	Again     []Digest    `json:"again"`      // digests that would be tried again
	Later     []Digest    `json:"later"`      // digests that wait for their next attempt, or are under way
	Waiting   []MailGroup `json:"waiting"`    // messages that wait for others, or for the digest before theirs
	NoAddress []MailGroup `json:"no_address"` // messages that nobody can be told
	Left      []MailGroup `json:"left"`       // messages to NIRs that left, which would be dropped
}

// A MailGroup is the messages to one NIR.
type MailGroup struct {
	NIR       string    `json:"nir"`
	Addresses []string  `json:"addresses,omitempty"`
	Messages  int       `json:"messages"`
	Due       time.Time `json:"due"` // when the first has to be told
	list      []Message
	size      int // of their texts and data
}

// maxDigestSize is how many octets of texts and data begin another digest: in
// base64 that is less than what mail servers take.
const maxDigestSize = 4 << 20

// MailPlan returns what a delivery at a time would do. It changes nothing.
func (v *View) MailPlan(p MailPolicy, now time.Time) (MailPlan, error) {
	var plan MailPlan
	open, err := digests.find(v, "state = 'due' ORDER BY nir")
	if err != nil {
		return plan, err
	}
	busy := map[string]bool{}
	for _, d := range open {
		busy[d.NIR] = true
		if d.Next.After(now) || d.Lease.After(now) {
			plan.Later = append(plan.Later, d)
		} else {
			plan.Again = append(plan.Again, d)
		}
	}
	groups, err := v.mailGroups(p)
	if err != nil {
		return plan, err
	}
	for _, g := range groups {
		left, err := v.address(&g, p)
		switch {
		case err != nil:
			return plan, err
		case left:
			plan.Left = append(plan.Left, g)
		case len(g.Addresses) == 0:
			plan.NoAddress = append(plan.NoAddress, g)
		case busy[g.NIR] || g.Due.After(now):
			plan.Waiting = append(plan.Waiting, g)
		default:
			plan.New = append(plan.New, g)
		}
	}
	return plan, nil
}

// mailGroups returns what waits, by NIR, and as much of each as one digest takes.
func (v *View) mailGroups(p MailPolicy) ([]MailGroup, error) {
	var groups []MailGroup
	err := outbox.each(v, "state = 'waiting' ORDER BY nir, created, id", nil, func(m *Message) error {
		if len(groups) == 0 || groups[len(groups)-1].NIR != m.NIR {
			groups = append(groups, MailGroup{NIR: m.NIR, Due: p.due(*m)})
		}
		g := &groups[len(groups)-1]
		if due := p.due(*m); due.Before(g.Due) {
			g.Due = due
		}
		g.Messages++
		if len(g.list) < p.Most && g.size < maxDigestSize {
			g.list, g.size = append(g.list, *m), g.size+len(m.Text)+len(m.Data)
		}
		return nil
	})
	return groups, err
}

// address finds where the messages go, and whether their NIR has left.
func (v *View) address(g *MailGroup, p MailPolicy) (left bool, err error) {
	if g.NIR == "" {
		g.Addresses, err = parseAddressLists(p.Registry)
		return false, err
	}
	n, err := v.NIR(g.NIR)
	if err != nil || n.State == Left {
		return n.State == Left, err
	}
	if g.Addresses, err = parseAddresses(n.Email); err != nil {
		g.Addresses = nil // it is as if there were none: the plan shows it, and the record has to be mended
	}
	return false, nil
}

func parseAddressLists(lists []string) ([]string, error) {
	var all []string
	for _, l := range lists {
		a, err := parseAddresses(l)
		if err != nil {
			return nil, err
		}
		all = append(all, a...)
	}
	return all, nil
}

// takeMail makes the digests that are due and takes every digest that may be
// tried: it counts the attempt and gives it a lease, before anything is sent. A
// crash after this event leaves digests with a lease, which the first delivery
// after its end takes again, as unsure.
func (x *Tx) takeMail(p MailPolicy) ([]Digest, error) {
	plan, err := x.MailPlan(p, x.Actor.At)
	if err != nil {
		return nil, err
	}
	for _, g := range plan.Left {
		if err := x.dropMail(g); err != nil {
			return nil, err
		}
	}
	if err := x.noticeNoAddress(plan); err != nil {
		return nil, err
	}
	for _, g := range plan.New {
		d, err := x.makeDigest(g, p)
		if err != nil {
			return nil, err
		}
		plan.Again = append(plan.Again, d)
	}
	var taken []Digest
	for _, d := range plan.Again {
		if !d.Lease.IsZero() { // the attempt before was never noted
			d.Unsure++
			d.Lease = time.Time{}
		}
		if d.Tries >= p.Tries {
			if err := x.settleDigest(&d, "given up after an attempt whose end nobody noted"); err != nil {
				return nil, err
			}
			continue
		}
		x.act("mail.take")
		d.Tries, d.Taken, d.Lease = d.Tries+1, x.event, x.Actor.At.Add(p.Lease)
		if err := digests.put(x, &d); err != nil {
			return nil, err
		}
		taken = append(taken, d)
	}
	return taken, nil
}

func (x *Tx) dropMail(g MailGroup) error {
	x.act("mail.drop")
	for _, m := range g.list {
		m.State = Dropped
		if err := outbox.put(x, &m); err != nil {
			return err
		}
	}
	return nil
}

// noticeNoAddress tells the registry once of an NIR that cannot be told anything.
func (x *Tx) noticeNoAddress(plan MailPlan) error {
	for _, g := range plan.NoAddress {
		if g.NIR == "" {
			continue // there is nobody to tell
		}
		x.act("mail.take")
		err := x.notify(Notice{
			Code: "mail-no-address", Subject: g.NIR, Severity: "warning",
			Text: fmt.Sprintf("%s has no mail address that can be used: its notices are not told. Set one with nirctl nir edit %s --email", g.NIR, g.NIR),
		})
		if err != nil {
			return err
		}
	}
	for _, g := range plan.New {
		if err := x.settle("", "mail-no-address", g.NIR); err != nil {
			return err
		}
	}
	return nil
}

func (x *Tx) makeDigest(g MailGroup, p MailPolicy) (Digest, error) {
	x.act("mail.take")
	domain, err := domainOf(p.From)
	if err != nil {
		return Digest{}, err
	}
	d := Digest{NIR: g.NIR, Sender: p.From, ReplyTo: p.ReplyTo, Messages: len(g.list), Made: x.Actor.At, State: DigestDue, Next: x.Actor.At}
	d.ID = x.newID(digests.prefix)
	d.MessageID = d.ID + "@" + domain
	for _, a := range g.Addresses {
		d.Addressees = append(d.Addressees, Addressee{Address: a})
	}
	for _, m := range g.list {
		m.State, m.Digest = Taken, d.ID
		if err := outbox.put(x, &m); err != nil {
			return d, err
		}
	}
	return d, digests.put(x, &d)
}
