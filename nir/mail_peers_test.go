package nir

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/nir/mail"
)

// A postman is what a program makes of a mail server for [DB.Deliver]: one session
// for the run, made when the first letter comes.
type postman struct {
	server  mail.Server
	session *mail.Session
	sent    func(Letter) // after the server's answer, before it is noted
}

func (p *postman) Carry(ctx context.Context, l Letter) ([]Receipt, error) {
	if p.session == nil {
		s, err := p.server.Dial(ctx)
		if err != nil {
			return nil, err
		}
		p.session = s
	}
	answers, err := p.session.Send(ctx, asMessage(l))
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	if p.sent != nil {
		p.sent(l)
	}
	states := map[mail.Result]ReceiptState{mail.Accepted: Handed, mail.Temporary: Deferred, mail.Permanent: Rejected}
	out := make([]Receipt, len(answers))
	for i, a := range answers {
		out[i] = Receipt{State: states[a.Result], Answer: a.Text, Unsure: a.Unsure}
	}
	return out, nil
}

func (p *postman) close() error {
	if p.session == nil {
		return nil
	}
	err := p.session.Close()
	p.session = nil
	return err
}

func mailServer(m *peers.MailServer) mail.Server {
	return mail.Server{Host: m.Host, Port: m.Port, Security: mail.StartTLS, CAFile: m.CAFile, Timeout: 20 * time.Second}
}

// TestDeliverToARealServer: recipients that are taken, refused and deferred, over
// TLS; the deferred one is taken at the next attempt, and has one copy.
func TestDeliverToARealServer(t *testing.T) {
	m := peers.StartSMTP(t, peers.SMTPConfig{})
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	mailWorld(t, db, "good@jpnic.test, later@jpnic.test, refused@jpnic.test")
	openNotice(t, db, day, Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"})
	p := &postman{server: mailServer(m)}
	defer func() { _ = p.close() }()
	d := deliverAt(t, db, day, p).Digests[0]
	if d.State != DigestDue || strings.Join(d.open(), " ") != "later@jpnic.test" || !strings.Contains(d.Addressees[1].Answer, "451 4.7.1") || !strings.Contains(d.Addressees[2].Answer, "550 5.1.1") {
		t.Fatalf("%+v", d)
	}
	m.Open(t)
	if d = deliverAt(t, db, d.Next, p).Digests[0]; d.State != DigestSent || d.Unsure != 0 {
		t.Fatalf("%+v", d)
	}
	to := map[string]int{}
	var first []byte
	for _, k := range m.AwaitMails(t, 3) { // the third is the registry's notice of the refused one
		if to[k.To]++; strings.HasSuffix(k.To, "jpnic.test") {
			if first == nil {
				first = k.Raw
			}
			if string(k.Raw) != string(first) || k.Header.Get("Message-Id") != "<"+d.MessageID+">" {
				t.Errorf("the copy of %s is another mail", k.To)
			}
		}
	}
	if len(to) != 3 || to["good@jpnic.test"] != 1 || to["later@jpnic.test"] != 1 || to["hostmaster@registry.test"] != 1 {
		t.Errorf("copies: %v", to)
	}
	verifyMail(t, db)
}

// TestDeliveryAsAProcess is no test: it is the process that TestCrashAfterSending
// kills.
func TestDeliveryAsAProcess(t *testing.T) {
	file := os.Getenv("NIRZONE_TEST_REGISTRY")
	if file == "" {
		t.Skip("part of TestCrashAfterSending")
	}
	db := openSQLite(t, file)
	port, err := net.LookupPort("tcp", os.Getenv("NIRZONE_TEST_PORT"))
	if err != nil {
		t.Fatal(err)
	}
	p := &postman{
		server: mail.Server{Host: peers.Loopback, Port: port, Security: mail.StartTLS, CAFile: os.Getenv("NIRZONE_TEST_CA"), Timeout: 20 * time.Second},
		sent:   func(Letter) { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} },
	}
	_, err = db.Deliver(context.Background(), admin(day), mailPolicy(), p, func() time.Time { return day })
	t.Fatalf("it is still alive: %v", err)
}

// TestCrashAfterSending: a process that is killed after the server took a digest
// and before that is noted leaves the attempt on record. While its lease lasts
// nobody sends; then the same octets with the same Message-ID are sent again, and
// the digest counts the attempt that nobody knows the end of.
func TestCrashAfterSending(t *testing.T) {
	m := peers.StartSMTP(t, peers.SMTPConfig{})
	file := filepath.Join(t.TempDir(), "r.db")
	db := openSQLite(t, file)
	mailWorld(t, db, "a@jpnic.test")
	openNotice(t, db, day, Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"})
	child := exec.Command(os.Args[0], "-test.run=^TestDeliveryAsAProcess$")
	_, port, _ := net.SplitHostPort(m.Addr())
	child.Env = append(os.Environ(), "NIRZONE_TEST_REGISTRY="+file, "NIRZONE_TEST_PORT="+port, "NIRZONE_TEST_CA="+m.CAFile)
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the process ended with %v:\n%s", err, out)
	}
	m.AwaitMails(t, 1)
	p := &postman{server: mailServer(m)}
	defer func() { _ = p.close() }()
	if d := deliverAt(t, db, day.Add(time.Minute), p); len(d.Digests) != 0 {
		t.Errorf("within the lease it was sent again: %+v", d)
	}
	d := deliverAt(t, db, day.Add(mailPolicy().Lease), p).Digests[0]
	if d.State != DigestSent || d.Unsure != 1 || d.Tries != 2 {
		t.Errorf("%+v", d)
	}
	if d := deliverAt(t, db, day.Add(time.Hour), p); len(d.Digests) != 0 {
		t.Errorf("%+v", d)
	}
	list := m.AwaitMails(t, 2)
	if len(list) != 2 || string(list[0].Raw) != string(list[1].Raw) || list[0].Header.Get("Message-Id") != "<"+d.MessageID+">" {
		t.Errorf("%d copies, which should be two of the same mail", len(list))
	}
	verifyMail(t, db)
}

// TestAnswerLost: the connection ends after the message and before the answer. It
// is a try that nobody knows the end of, not a failure and not a success.
func TestAnswerLost(t *testing.T) {
	m := peers.StartSMTP(t, peers.SMTPConfig{})
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	mailWorld(t, db, "a@jpnic.test")
	openNotice(t, db, day, Notice{NIR: "JPNIC", Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "one"})
	p := &postman{server: mail.Server{Host: peers.Loopback, Port: m.Relay(t, nil), Security: mail.Plain, Timeout: 20 * time.Second}}
	d := deliverAt(t, db, day, p).Digests[0]
	if d.State != DigestDue || d.Unsure != 1 || len(d.open()) != 1 {
		t.Fatalf("%+v", d)
	}
	m.AwaitMails(t, 1)
	p = &postman{server: mailServer(m)}
	defer func() { _ = p.close() }()
	if d = deliverAt(t, db, d.Next, p).Digests[0]; d.State != DigestSent || d.Unsure != 1 {
		t.Errorf("%+v", d)
	}
	if list := m.AwaitMails(t, 2); string(list[0].Raw) != string(list[1].Raw) {
		t.Error("the second copy is another mail")
	}
}
