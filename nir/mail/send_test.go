package mail

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
)

var day = time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)

func letter(id string, to ...string) Message {
	return Message{
		ID: id + "@registry.test", From: "Registry <registry@registry.test>", To: to, Subject: "two notices, 1 alarm", Date: day,
		Text:        "A line.\n.\nFrom the registry: \u65e5\u672c\n",
		Attachments: []Attachment{{Name: "notices.json", Type: "application/json", Data: []byte("{\"version\":1}\n")}},
	}
}

func server(m *peers.MailServer) Server {
	return Server{Host: m.Host, Port: m.Port, Security: StartTLS, CAFile: m.CAFile, Timeout: 20 * time.Second, Hello: "registry.test"}
}

// deliver sends one message in a session of its own.
func deliver(t *testing.T, s Server, m Message) ([]Answer, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := s.Dial(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	return c.Send(ctx, m)
}

func TestSendToARealServer(t *testing.T) {
	m := peers.StartSMTP(t, peers.SMTPConfig{})
	answers, err := deliver(t, server(m), letter("one", "a@jpnic.test", "refused@jpnic.test", "Later <later@jpnic.test>"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []Result{Accepted, Permanent, Temporary} {
		if answers[i].Result != want || answers[i].Unsure {
			t.Errorf("answer %d: %+v, want %s", i, answers[i], want)
		}
	}
	if !strings.HasPrefix(answers[1].Text, "550 5.1.1 ") || answers[1].Code != 550 || !strings.Contains(answers[2].Text, "4.7.1") {
		t.Errorf("%+v", answers)
	}
	list := m.AwaitMails(t, 1)
	want, err := letter("one", "a@jpnic.test", "refused@jpnic.test", "Later <later@jpnic.test>").Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if got := bytes.ReplaceAll(list[0].Raw, []byte("\n"), []byte("\r\n")); !bytes.Equal(got, want) || list[0].To != "a@jpnic.test" || list[0].From != "registry@registry.test" {
		t.Errorf("to %s from %s: it got\n%s\nwant\n%s", list[0].To, list[0].From, got, want)
	}
	if !strings.Contains(m.Log(), "TLS1.") {
		t.Errorf("it was not through TLS:\n%s", m.Log())
	}
}
