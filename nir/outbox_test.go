package nir

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
)

func mailPolicy() MailPolicy {
	p := DefaultMailPolicy()
	p.From, p.Registry = "Registry <registry@registry.test>", []string{"hostmaster@registry.test"}
	return p
}

// mailWorld is world, with an address for its NIR.
func mailWorld(t testing.TB, db *DB, email string) {
	t.Helper()
	world(t, db)
	update(t, db, admin(day), func(x *Tx) error {
		n, err := x.NIR("JPNIC")
		if err != nil {
			return err
		}
		n.Email = email
		_, err = x.PutNIR(n)
		return err
	})
}

func openNotice(t testing.TB, db *DB, at time.Time, n Notice) {
	t.Helper()
	update(t, db, admin(at), func(x *Tx) error { x.act("test.notice"); return x.notify(n) })
}

func closeNotice(t testing.TB, db *DB, at time.Time, nir, code, subject string) {
	t.Helper()
	update(t, db, admin(at), func(x *Tx) error { x.act("test.notice"); return x.settle(nir, code, subject) })
}

// A post is a carrier that keeps what it is given and answers as told.
type post struct {
	letters []Letter
	answer  func(recipient string) Receipt
	down    error
	before  func()
}

func (p *post) Carry(_ context.Context, l Letter) ([]Receipt, error) {
	if p.before != nil {
		p.before()
	}
	if p.down != nil {
		return nil, p.down
	}
	p.letters = append(p.letters, l)
	out := make([]Receipt, len(l.Recipients))
	for i, r := range l.Recipients {
		out[i] = Receipt{State: Handed, Answer: "250"}
		if p.answer != nil {
			out[i] = p.answer(r)
		}
	}
	return out, nil
}

func deliverAt(t testing.TB, db *DB, at time.Time, c Carrier) Delivery {
	t.Helper()
	d, err := db.Deliver(context.Background(), admin(at), mailPolicy(), c, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func verifyMail(t testing.TB, db *DB) {
	t.Helper()
	if _, err := db.VerifyAudit(context.Background()); err != nil {
		t.Error(err)
	}
}

func openNotices(t testing.TB, db *DB, nir string) []Notice {
	t.Helper()
	var list []Notice
	view(t, db, func(v *View) (err error) { list, err = v.Notices(nir, false); return err })
	return list
}

// TestDigestOnce: what opened, grew worse and closed is one mail to the NIR, sent
// once, in the audit with the change that it tells of.
func TestDigestOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		mailWorld(t, db, "a@jpnic.test, B <b@jpnic.test>")
		openNotice(t, db, day.Add(time.Hour), Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"})
		openNotice(t, db, day.Add(2*time.Hour), Notice{NIR: "JPNIC", Code: "overdue", Subject: "JPNIC", Severity: "alarm", Text: "two"})
		closeNotice(t, db, day.Add(3*time.Hour), "JPNIC", "stale", "JPNIC")
		openNotice(t, db, day.Add(3*time.Hour), Notice{Code: "own", Subject: "x", Severity: "error", Text: "of the registry"})
		var p post
		d := deliverAt(t, db, day.Add(4*time.Hour), &p)
		if len(d.Digests) != 2 || len(p.letters) != 2 || d.Err() != nil {
			t.Fatalf("%+v, %d letters", d, len(p.letters))
		}
		own, l := p.letters[0], p.letters[1]
		if own.To[0] != "hostmaster@registry.test" || fmt.Sprint(l.To, l.Recipients) != "[a@jpnic.test b@jpnic.test] [a@jpnic.test b@jpnic.test]" {
			t.Errorf("to %v and %v", own.To, l.To)
		}
		if l.Subject != "APNIC to JPNIC: 3 messages (1 new, 1 come and gone), 1 alarm" {
			t.Errorf("subject %q", l.Subject)
		}
		if l.MessageID != d.Digests[1].ID+"@registry.test" {
			t.Errorf("message id %s of %s", l.MessageID, d.Digests[1].ID)
		}
		p.letters = nil
		if d := deliverAt(t, db, day.Add(5*time.Hour), &p); len(d.Digests) != 0 || len(p.letters) != 0 {
			t.Errorf("a second run sent %d letters", len(p.letters))
		}
		view(t, db, func(v *View) error {
			list, err := v.Digests("JPNIC")
			if err != nil || len(list) != 1 || list[0].State != DigestSent || list[0].Unsure != 0 || !list[0].Delivered.Equal(day.Add(4*time.Hour)) {
				t.Errorf("%+v, %v", list, err)
			}
			return nil
		})
		verifyMail(t, db)
	})
}

// TestOutboxIsPartOfTheEvent: a change that fails leaves no message, and one that
// is made is in the audit with the number of its messages.
func TestOutboxIsPartOfTheEvent(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "a@jpnic.test")
	n := Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"}
	boom := errors.New("boom")
	err := db.Update(context.Background(), admin(day), func(x *Tx) error { return errors.Join(x.notify(n), boom) })
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	view(t, db, func(v *View) error {
		if list, err := v.Outbox("JPNIC"); err != nil || len(list) != 0 {
			t.Errorf("%v, %v", list, err)
		}
		return nil
	})
	openNotice(t, db, day, n)
	before := eventCount(t, db)
	openNotice(t, db, day.Add(time.Minute), n)
	if now := eventCount(t, db); now != before {
		t.Errorf("the same notice again made %d events", now-before)
	}
	view(t, db, func(v *View) error {
		list, err := v.Outbox("JPNIC")
		if err != nil || len(list) != 1 || list[0].Kind != NoticeOpened {
			t.Fatalf("%+v, %v", list, err)
		}
		return v.Events(list[0].Event-1, func(entry, _ []byte) error {
			if !strings.Contains(string(entry), `"messages":1`) || !strings.Contains(string(entry), list[0].ID) {
				t.Errorf("the event is %s", entry)
			}
			return nil
		})
	})
}

// TestNoticeGrowsWorse: a text that changes is no news, a severity that rises is,
// and what was acknowledged is to be acknowledged anew.
func TestNoticeGrowsWorse(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "a@jpnic.test")
	n := Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"}
	openNotice(t, db, day, n)
	id := openNotices(t, db, "JPNIC")[0].ID
	other := staff(day)
	other.NIR = "KRNIC"
	for _, c := range []struct {
		who  Actor
		code Code
	}{{other, Forbidden}, {Actor{Name: "auditor", Roles: []Role{Auditor}, At: day}, Forbidden}, {staff(day), ""}, {staff(day.Add(time.Hour)), ""}} {
		err := db.Update(context.Background(), c.who, func(x *Tx) error { _, err := x.AckNotice(id); return err })
		if CodeOf(err) != c.code || c.code == "" && err != nil {
			t.Errorf("%s of %s: %v", c.who.Name, c.who.NIR, err)
		}
	}
	if got := openNotices(t, db, "JPNIC")[0]; got.AckedBy != "staff" || !got.Acked.Equal(day) {
		t.Errorf("%+v", got)
	}
	n.Text = "other words"
	openNotice(t, db, day.Add(2*time.Hour), n)
	if got := openNotices(t, db, "JPNIC")[0]; got.Acked.IsZero() || got.Text != n.Text {
		t.Errorf("%+v", got)
	}
	n.Severity = "alarm"
	openNotice(t, db, day.Add(3*time.Hour), n)
	if got := openNotices(t, db, "JPNIC")[0]; !got.Acked.IsZero() || got.ID != id {
		t.Errorf("%+v", got)
	}
	view(t, db, func(v *View) error {
		list, err := v.Outbox("JPNIC")
		if err != nil || len(list) != 2 || list[1].Kind != NoticeRaised {
			t.Errorf("%+v, %v", list, err)
		}
		return err
	})
	closeNotice(t, db, day.Add(4*time.Hour), "JPNIC", "stale", "JPNIC")
	err := db.Update(context.Background(), staff(day.Add(5*time.Hour)), func(x *Tx) error { _, err := x.AckNotice(id); return err })
	if CodeOf(err) != Conflict {
		t.Errorf("a closed one: %v", err)
	}
	verifyMail(t, db)
}

func TestMessagesWaitForOthers(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "a@jpnic.test")
	info := Notice{NIR: "JPNIC", Code: "duplicate", Subject: "1", Severity: "info", Text: "one"}
	openNotice(t, db, day, info)
	var p post
	if deliverAt(t, db, day.Add(23*time.Hour), &p); len(p.letters) != 0 {
		t.Errorf("an info was told before its day was over")
	}
	if deliverAt(t, db, day.Add(24*time.Hour), &p); len(p.letters) != 1 {
		t.Errorf("an info was not told after a day")
	}
	info.Subject = "2"
	openNotice(t, db, day.Add(25*time.Hour), info)
	openNotice(t, db, day.Add(26*time.Hour), Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"})
	if deliverAt(t, db, day.Add(26*time.Hour), &p); len(p.letters) != 2 || !strings.Contains(p.letters[1].Subject, "2 new") {
		t.Errorf("%d letters; what waits goes with what does not: %+v", len(p.letters), p.letters)
	}
}

// TestAnswers: each recipient has an answer of its own; who was answered is not
// tried again.
func TestAnswers(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "good@jpnic.test,grey@jpnic.test,bad@jpnic.test")
	openNotice(t, db, day, Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"})
	grey := Deferred
	p := post{answer: func(r string) Receipt {
		switch r {
		case "grey@jpnic.test":
			return Receipt{State: grey, Answer: "451 4.7.1 greylisted"}
		case "bad@jpnic.test":
			return Receipt{State: Rejected, Answer: "550 5.1.1 no such mailbox"}
		}
		return Receipt{State: Handed}
	}}
	d := deliverAt(t, db, day, &p).Digests[0]
	if d.State != DigestDue || d.Tries != 1 || fmt.Sprint(d.open()) != "[grey@jpnic.test]" || !d.Next.After(day) {
		t.Fatalf("%+v", d)
	}
	first := p.letters[0]
	if deliverAt(t, db, d.Next.Add(-time.Second), &p); len(p.letters) != 1 {
		t.Error("it was tried before its time")
	}
	grey = Handed
	after := deliverAt(t, db, d.Next, &p)
	again := p.letters[1]
	if fmt.Sprint(again.Recipients) != "[grey@jpnic.test]" {
		t.Errorf("the second attempt is to %v", again.Recipients)
	}
	again.Recipients = first.Recipients
	if fmt.Sprintf("%q", again) != fmt.Sprintf("%q", first) {
		t.Errorf("the second attempt is another letter:\n%+v\n%+v", again, first)
	}
	if after.Digests[0].State != DigestSent {
		t.Errorf("%+v", after.Digests[0])
	}
	list := openNotices(t, db, "")
	if len(list) != 1 || list[0].Code != "mail-refused" || !strings.Contains(list[0].Text, "bad@jpnic.test: 550 5.1.1") || strings.Contains(list[0].Text, "grey") {
		t.Errorf("%+v", list)
	}
	// The registry's staff were told in the same run, and correct the address.
	if last := p.letters[len(p.letters)-1]; last.To[0] != "hostmaster@registry.test" {
		t.Errorf("the last letter went to %v", last.To)
	}
	verifyMail(t, db)
}

// TestGiveUp: after its last attempt a digest is given up, the registry has an
// alarm, and it can be sent again to other addresses.
func TestGiveUp(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		mailWorld(t, db, "a@jpnic.test")
		openNotice(t, db, day, Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"})
		p := post{answer: func(r string) Receipt {
			if r == "a@jpnic.test" {
				return Receipt{State: Deferred, Answer: "452 4.2.2 full"}
			}
			return Receipt{State: Handed}
		}}
		at, tries := day, 0
		var d Digest
		for d.State != DigestFailed {
			out := deliverAt(t, db, at, &p)
			d = out.Digests[0]
			if tries++; tries != d.Tries || tries > mailPolicy().Tries {
				t.Fatalf("attempt %d: %+v", tries, d)
			}
			if d.State == DigestDue && !d.Next.After(at) {
				t.Fatalf("no pause after attempt %d", tries)
			}
			at = d.Next
		}
		if took := at.Sub(day); tries != 14 || took < 30*time.Hour || took > 80*time.Hour {
			t.Errorf("given up after %d attempts in %v", tries, took)
		}
		list := openNotices(t, db, "")
		if len(list) != 1 || list[0].Code != "mail-failed" || list[0].Severity != "alarm" || list[0].Subject != "JPNIC" {
			t.Fatalf("%+v", list)
		}
		update(t, db, admin(at), func(x *Tx) error {
			n, err := x.NIR("JPNIC")
			if err != nil {
				return err
			}
			n.Email = "new@jpnic.test"
			_, err = x.PutNIR(n)
			return err
		})
		update(t, db, admin(at), func(x *Tx) error { _, err := x.ResendDigest(d.ID, mailPolicy()); return err })
		if out := deliverAt(t, db, at, &p); out.Digests[0].ID != d.ID || out.Digests[0].State != DigestSent {
			t.Errorf("%+v", out)
		}
		if list := openNotices(t, db, ""); len(list) != 0 {
			t.Errorf("still open: %+v", list)
		}
		verifyMail(t, db)
	})
}

// TestServerDown: a server that takes nothing makes one attempt of each digest, not
// one for every recipient, and the run says so.
func TestServerDown(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "a@jpnic.test")
	openNotice(t, db, day, Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"})
	openNotice(t, db, day, Notice{Code: "own", Subject: "x", Severity: "error", Text: "of the registry"})
	p := post{down: errors.New("connection refused")}
	out, err := db.Deliver(context.Background(), admin(day), mailPolicy(), &p, func() time.Time { return day })
	if !errors.Is(err, p.down) || len(out.Digests) != 2 || out.Digests[0].Tries != 1 || out.Digests[1].State != DigestDue || out.Digests[0].Unsure != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	// What comes meanwhile waits for the digest before it.
	openNotice(t, db, day, Notice{NIR: "JPNIC", Code: "overdue", Subject: "JPNIC", Severity: "alarm", Text: "two"})
	p.down = nil
	deliverAt(t, db, day.Add(time.Hour), &p)
	if len(p.letters) != 3 {
		t.Errorf("%d letters, want the two that waited and one more", len(p.letters))
	}
}

func TestNoAddressAndLeft(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "")
	openNotice(t, db, day, Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"})
	var p post
	for range 2 { // told once
		deliverAt(t, db, day, &p)
	}
	if len(p.letters) != 1 || p.letters[0].To[0] != "hostmaster@registry.test" || !strings.Contains(p.letters[0].Text, "mail-no-address: JPNIC") {
		t.Fatalf("%+v", p.letters)
	}
	update(t, db, admin(day), func(x *Tx) error {
		n, err := x.NIR("JPNIC")
		if err != nil {
			return err
		}
		n.State = Left
		_, err = x.PutNIR(n)
		return err
	})
	deliverAt(t, db, day, &p)
	view(t, db, func(v *View) error {
		list, err := v.Outbox("JPNIC")
		if err != nil || len(list) != 0 || len(p.letters) != 1 {
			t.Errorf("%+v, %v", list, err)
		}
		return err
	})
	verifyMail(t, db)
}

// TestTwoDeliveries: what one delivery has taken, another does not send.
func TestTwoDeliveries(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "a@jpnic.test")
	openNotice(t, db, day, Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"})
	var second post
	at := day
	first := post{before: func() {
		at = day.Add(14 * time.Minute)
		if out := deliverAt(t, db, at, &second); len(out.Digests) != 0 {
			t.Errorf("%+v", out)
		}
	}}
	_, err := db.Deliver(context.Background(), admin(day), mailPolicy(), &first, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	if len(first.letters) != 1 || len(second.letters) != 0 {
		t.Errorf("%d and %d letters", len(first.letters), len(second.letters))
	}
}

// TestLeaseEnded: an attempt that outlasts its lease cannot note over the one that
// came after it.
func TestLeaseEnded(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "a@jpnic.test")
	openNotice(t, db, day, Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"})
	var second post
	var first post
	at := day
	first.before = func() {
		at = day.Add(15 * time.Minute)
		deliverAt(t, db, at, &second)
	}
	out, err := db.Deliver(context.Background(), admin(day), mailPolicy(), &first, func() time.Time { return at })
	if CodeOf(err) != Conflict || !strings.Contains(err.Error(), "another delivery") || len(out.Unknown) != 1 || len(second.letters) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	view(t, db, func(v *View) error {
		d, err := v.Digest(out.Unknown[0])
		if err != nil || d.State != DigestSent || d.Unsure != 1 || d.Tries != 2 {
			t.Errorf("%+v, %v", d, err)
		}
		return err
	})
}

// TestDigestsAreBounded: what is too much for one mail goes with the next, in the
// same run.
func TestDigestsAreBounded(t *testing.T) {
	peers.SkipRacing(t)
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "a@jpnic.test")
	update(t, db, admin(day), func(x *Tx) error {
		x.act("test.notice")
		for i := range 5 {
			if err := x.notify(Notice{NIR: "JPNIC", Code: "big", Subject: fmt.Sprint(i), Severity: "error", Text: strings.Repeat("x", 1<<20)}); err != nil {
				return err
			}
		}
		return nil
	})
	var p post
	deliverAt(t, db, day, &p)
	if len(p.letters) != 3 {
		t.Fatalf("%d letters", len(p.letters))
	}
	for _, l := range p.letters {
		if b, err := asMessage(l).Bytes(); err != nil || len(b) > 10<<20 {
			t.Errorf("a letter of %d octets, %v", len(b), err)
		}
	}
	if d := deliverAt(t, db, day, &p).Digests; len(d) != 0 {
		t.Errorf("still due: %+v", d)
	}
}

func TestBadAddresses(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "a@jpnic.test")
	for _, email := range []string{"a b", "a@b.test\r\nBcc: x@y.test", ",", "<a@b.test> SIZE=1", strings.Repeat("a@b.test,", 20) + "\"x y\"@b.test", "\u65e5@b.test"} {
		err := db.Update(context.Background(), admin(day), func(x *Tx) error {
			n, err := x.NIR("JPNIC")
			if err != nil {
				return err
			}
			n.Email = email
			_, err = x.PutNIR(n)
			return err
		})
		if CodeOf(err) != Invalid {
			t.Errorf("%q: %v", email, err)
		}
	}
	p := MailPolicy{From: "x", ReplyTo: "y", Registry: []string{"z"}, Wait: map[string]time.Duration{"bad": -1}}
	if err := p.Check(); err == nil || strings.Count(err.Error(), "\n") != 4 {
		t.Errorf("all mistakes at once: %v", err)
	}
}

// TestTakenAgain: while a second attempt is under way, the first, which outlasted
// its lease, cannot note anything.
func TestTakenAgain(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "a@jpnic.test")
	openNotice(t, db, day, Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"})
	ctx, p, late := context.Background(), mailPolicy(), admin(day.Add(mailPolicy().Lease))
	letters, first, err := db.takeLetters(ctx, admin(day), p)
	if err != nil || len(first) != 1 {
		t.Fatal(first, err)
	}
	_, second, err := db.takeLetters(ctx, late, p)
	if err != nil || len(second) != 1 {
		t.Fatal(second, err)
	}
	if _, err := db.noteMail(ctx, late, p, first[0], letters[0], []Receipt{{State: Rejected}}, nil); CodeOf(err) != Conflict {
		t.Errorf("the first noted: %v", err)
	}
	if d, err := db.noteMail(ctx, late, p, second[0], letters[0], []Receipt{{State: Handed}}, nil); err != nil || d.State != DigestSent || d.Unsure != 1 {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestRegistryCannotBeTold: that mail to the registry itself does not arrive is a
// notice, and no mail to the registry about it, for ever.
func TestRegistryCannotBeTold(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "a@jpnic.test")
	openNotice(t, db, day, Notice{Code: "own", Subject: "x", Severity: "error", Text: "of the registry"})
	p := post{answer: func(string) Receipt { return Receipt{State: Rejected, Answer: "550 no"} }}
	for i := range 3 {
		out := deliverAt(t, db, day.Add(time.Duration(i)*time.Hour), &p)
		if want := 1 - min(i, 1); len(out.Digests) != want {
			t.Errorf("run %d: %d digests, want %d", i, len(out.Digests), want)
		}
		if i == 0 && out.Err() == nil {
			t.Error("the delivery does not say that mail was given up")
		}
	}
	if got := noticeCodes(openNotices(t, db, "")); !strings.Contains(got, "mail-failed APNIC") {
		t.Errorf("open: %s", got)
	}
}

func TestPauseIsDeterministic(t *testing.T) {
	p := DefaultMailPolicy()
	seen := map[time.Duration]bool{}
	for i := range 50 {
		d := p.pause(fmt.Sprintf("dig_%d", i), 3)
		if d != p.pause(fmt.Sprintf("dig_%d", i), 3) || d < 15*time.Minute || d > 25*time.Minute {
			t.Errorf("%v", d)
		}
		seen[d] = true
	}
	if len(seen) < 40 {
		t.Errorf("%d different pauses of 50: they come together", len(seen))
	}
	if d := p.pause("dig_1", 1000); d > p.Longest*5/4 {
		t.Errorf("%v", d)
	}
}

// A carrierFunc is a carrier of one function.
type carrierFunc func(context.Context, Letter) ([]Receipt, error)

func (f carrierFunc) Carry(ctx context.Context, l Letter) ([]Receipt, error) { return f(ctx, l) }

// TestSendingEndsBeforeTheLease: nothing is sent after another delivery may have
// taken it.
func TestSendingEndsBeforeTheLease(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "a@jpnic.test")
	openNotice(t, db, day, Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"})
	sent := 0
	deliverAt(t, db, day, carrierFunc(func(ctx context.Context, l Letter) ([]Receipt, error) {
		sent++
		if until, ok := ctx.Deadline(); !ok || !until.Before(time.Now().Add(mailPolicy().Lease)) {
			t.Errorf("sending goes on until %v, %v", until, ok)
		}
		return make([]Receipt, len(l.Recipients)), nil
	}))
	if sent != 1 {
		t.Errorf("%d letters", sent)
	}
}

// TestResentToOthers: what is sent again goes to the addresses of now, and to nobody
// who has it.
func TestResentToOthers(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/r.db")
	mailWorld(t, db, "good@jpnic.test,bad@jpnic.test")
	openNotice(t, db, day, Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"})
	p := post{answer: func(r string) Receipt {
		if r == "bad@jpnic.test" {
			return Receipt{State: Rejected, Answer: "550 5.1.1 no such mailbox"}
		}
		return Receipt{State: Handed}
	}}
	id := deliverAt(t, db, day, &p).Digests[0].ID
	resend := func(x *Tx) error { _, err := x.ResendDigest(id, mailPolicy()); return err }
	update(t, db, admin(day), func(x *Tx) error {
		return editNIR(x, func(n *NIR) { n.Email = "good@jpnic.test,right@jpnic.test" })
	})
	p.letters = nil
	update(t, db, admin(day.Add(time.Hour)), resend)
	if got := fails(t, db, admin(day.Add(time.Hour)), Conflict, resend); !strings.Contains(got, "under way") {
		t.Error(got)
	}
	deliverAt(t, db, day.Add(time.Hour), &p)
	if len(p.letters) == 0 || fmt.Sprint(p.letters[0].Recipients) != "[right@jpnic.test]" {
		t.Errorf("%+v", p.letters)
	}
	fails(t, db, admin(day.Add(2*time.Hour)), Conflict, resend) // everybody has it
}
