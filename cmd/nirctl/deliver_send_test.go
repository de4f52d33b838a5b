package main

import (
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/nir"
	"nirzone/nir/mail"
)

// TestCarryBadLetter: a letter that cannot be written is refused for its own
// recipients; the next one goes, in the same session.
func TestCarryBadLetter(t *testing.T) {
	m := peers.StartSMTP(t, peers.SMTPConfig{})
	p := &postman{server: mail.Server{Host: m.Host, Port: m.Port, Security: mail.StartTLS, CAFile: m.CAFile, Timeout: 20 * time.Second}, ctx: t.Context()}
	defer p.close()
	carry := func(to, domain string) nir.Receipt {
		t.Helper()
		got, err := p.Carry(t.Context(), nir.Letter{
			MessageID: "dig-1@" + domain, From: "registry@registry.test", To: []string{to}, Recipients: []string{to}, Subject: "notices",
			Date: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Text: "one\n", File: "notices.json", JSON: []byte("{}"),
		})
		if err != nil || len(got) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		return got[0]
	}
	if r := carry("a@jp_nic.test", "registry.test"); r.State != nir.Rejected || !strings.Contains(r.Answer, "jp_nic") {
		t.Errorf("%+v", r)
	}
	if r := carry("good@jpnic.test", "registry_test"); r.State != nir.Rejected {
		t.Errorf("%+v", r)
	}
	if r := carry("good@jpnic.test", "registry.test"); r.State != nir.Handed {
		t.Errorf("%+v", r)
	}
	m.AwaitMails(t, 1)
}
