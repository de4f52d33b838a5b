package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nirzone/fixtures/peers"
)

// A post is a copy of the world with a mail server in its configuration.
type post struct {
	*testing.T
	w   *dbWorld
	dir string
}

func newPost(t *testing.T, w *dbWorld, section string) *post {
	t.Helper()
	p := &post{t, w, t.TempDir()}
	if err := w.copy(p.dir); err != nil {
		t.Fatal(err)
	}
	p.write("smtp-password", "s3cret\n")
	p.configure(section)
	return p
}

func (p *post) write(name, text string) {
	p.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.Fatal(err)
	}
}

func (p *post) configure(section string) {
	p.Helper()
	base, err := os.ReadFile(filepath.Join(p.w.dir, "nirzone.toml"))
	if err != nil {
		p.Fatal(err)
	}
	p.write("nirzone.toml", "metrics = \"metrics\"\n"+string(base)+"[nirctl.mail]\nfrom = \"Registry <registry@registry.test>\"\ntimeout = \"20s\"\n"+section)
}

// nirctl runs a command line at a time of June 2026 and wants an exit code.
func (p *post) nirctl(code, at, line string) string {
	p.Helper()
	out, got := p.w.sh(p.T, p.dir, "nirctl --now 2026-06-01T"+at+"Z "+line)
	if got != code {
		p.Errorf("nirctl %s: exit %s, want %s\n%s", line, got, code, out)
	}
	return out
}

func (p *post) says(out string, words ...string) {
	p.Helper()
	for _, w := range words {
		if !strings.Contains(out, w) {
			p.Errorf("it does not say %q:\n%s", w, out)
		}
	}
}

// over is the section for a server.
func over(m *peers.MailServer, mode string) string {
	port := m.Port
	if mode == "implicit" {
		port = m.TLSPort
	}
	return fmt.Sprintf("server = %q\nport = %d\ntls = %q\nca_file = %q\n", m.Host, port, mode, m.CAFile)
}

func testDeliver(t *testing.T, w *dbWorld) {
	for name, test := range map[string]func(*testing.T, *dbWorld){
		"sends": testDeliverSends, "answers": testDeliverAnswers, "refuses": testDeliverRefuses, "killed": testDeliverKilled, "cancelled": testDeliverCancelled,
	} {
		t.Run(name, func(t *testing.T) { test(t, w) })
	}
}

// testDeliverSends: one mail for each NIR, with a login, by both kinds of TLS; the
// second run has nothing to send.
func testDeliverSends(t *testing.T, w *dbWorld) {
	m := peers.StartSMTP(t, peers.SMTPConfig{Login: "registry", Password: "s3cret"})
	login := "user = \"registry\"\npassword_file = \"smtp-password\"\nstaff = [\"hostmaster@registry.test\"]\n"
	p := newPost(t, w, over(m, "starttls")+login)
	p.says(p.nirctl("0", "10:00:00", "deliver --dry-run --no-headers"), "JPNIC", "new", "dns@jpnic.example", "KRNIC  no address")
	if len(m.Mails(t)) != 0 {
		t.Fatal("a dry run sent mail")
	}
	p.nirctl("0", "09:50:00", "nir edit KRNIC --email dns@krnic.example -m test --yes")
	var out struct {
		Mails []mailRow `json:"mails"`
	}
	if err := json.Unmarshal([]byte(p.nirctl("0", "10:00:00", "deliver --json 2>/dev/null")), &out); err != nil || len(out.Mails) != 3 || out.Mails[1].NIR != "JPNIC" || out.Mails[1].State != "sent" {
		t.Fatalf("%v, %+v", err, out)
	}
	if got := p.nirctl("0", "10:05:00", "deliver"); got != "" {
		t.Errorf("the second run: %s", got)
	}
	list := m.AwaitMails(t, 3)
	if len(list) != 3 || list[0].To != "dns@jpnic.example" || list[1].To != "dns@krnic.example" || list[2].To != "hostmaster@registry.test" {
		t.Fatalf("%d mails, the first to %s", len(list), list[0].To)
	}
	p.says(string(list[0].Raw), "Subject: APNIC to JPNIC: ", "application/json", "notices-JPNIC-20260601T100000Z.json", "nirctl notice log --nir JPNIC", "Message-ID: <"+out.Mails[1].Digest+"@registry.test>")
	p.says(p.nirctl("0", "10:05:00", "notice mails --nir JPNIC"), "JPNIC  sent")
	prom, err := os.ReadFile(filepath.Join(p.dir, "metrics", "nirctl_deliver.prom"))
	if err != nil {
		t.Fatal(err)
	}
	p.says(string(prom), "nirzone_nirctl_deliver_exit_code 0\n", "nirzone_nirctl_deliver_nirs_without_address 0\n", `nirzone_nirctl_deliver_mails{state="sent"} 0`)
	p = newPost(t, w, over(m, "implicit")+login)
	p.says(p.nirctl("0", "10:00:00", "deliver --no-headers"), "JPNIC  sent", "APNIC  sent")
	m.AwaitMails(t, 6)
}

// testDeliverAnswers: what is not taken now is tried again, what is refused is given
// up, told, and can be sent to another address.
func testDeliverAnswers(t *testing.T, w *dbWorld) {
	m := peers.StartSMTP(t, peers.SMTPConfig{})
	p := newPost(t, w, over(m, "starttls"))
	p.nirctl("0", "09:00:00", "nir edit JPNIC --email later@jpnic.test -m test --yes")
	p.says(p.nirctl("8", "10:00:00", "deliver"), "JPNIC  due", "451 4.7.1", "1 mail not taken yet")
	p.nirctl("0", "10:01:00", "deliver") // it is not time to try again
	m.Open(t)
	p.says(p.nirctl("0", "11:00:00", "deliver"), "JPNIC  sent")
	m.AwaitMails(t, 1)

	p = newPost(t, w, over(m, "starttls"))
	p.nirctl("0", "09:00:00", "nir edit JPNIC --email refused@jpnic.test -m test --yes")
	p.says(p.nirctl("3", "10:00:00", "deliver --quiet"), "JPNIC  failed", "550 5.1.1", "1 mail did not reach everybody", "hint: nirctl notice mails")
	p.says(p.nirctl("0", "10:00:00", "notice log"), "mail-failed")
	p.nirctl("6", "10:05:00", "notice resend $(nirctl notice mails --filter state=failed -o name) --as nobody 2>/dev/null || exit 6")
	p.nirctl("0", "10:10:00", "nir edit JPNIC --email right@jpnic.test -m test --yes")
	p.says(p.nirctl("0", "10:15:00", "notice resend $(nirctl notice mails --filter state=failed -o name) --yes"), "plan: mail.resend", "right@jpnic.test")
	p.says(p.nirctl("0", "10:20:00", "deliver"), "JPNIC  sent")
	if list := m.AwaitMails(t, 2); list[1].To != "right@jpnic.test" {
		t.Errorf("the mail went to %s", list[1].To)
	}
	if out := p.nirctl("0", "10:20:00", "notice log"); strings.Contains(out, "mail-failed") {
		t.Errorf("the notice is still open:\n%s", out)
	}
}

// testDeliverRefuses: nothing goes to a server that does not prove who it is, or
// with a secret that others can read; each error says what to do, and nothing is
// lost.
func testDeliverRefuses(t *testing.T, w *dbWorld) {
	m := peers.StartSMTP(t, peers.SMTPConfig{Login: "registry", Password: "s3cret"})
	ca := peers.NewCA(t)
	elsewhere := ca.Issue(t, "other.test")
	wrong := peers.StartSMTP(t, peers.SMTPConfig{CA: ca, Certificate: &elsewhere})
	login := "user = \"registry\"\npassword_file = \"smtp-password\"\n"
	p := newPost(t, w, "")
	for at, c := range []struct {
		section, password string
		mode              os.FileMode
		code              string
		want              []string
	}{
		{"", "x", 0o600, "2", []string{"no mail server is configured", "hint: name one in section [nirctl.mail]"}},
		{over(wrong, "starttls"), "x", 0o600, "1", []string{"certificate", "hint: the certificate has to stand for the server's name"}},
		{over(m, "starttls"), "x", 0o600, "1", []string{"530 5.7.0 log in first", "hint: set user and password_file"}},
		{over(m, "starttls") + login, "wrong", 0o600, "1", []string{"535"}},
		{over(m, "starttls") + login, "s3cret", 0o640, "1", []string{"mode 0640, so that others can read it: chmod 600"}},
		{strings.Replace(over(m, "starttls"), fmt.Sprint(m.Port), fmt.Sprint(peers.Port(t)), 1), "x", 0o600, "1", []string{"connection refused", "hint: nothing is lost"}},
		{over(m, "none") + login, "x", 0o600, "2", []string{"a password is sent through TLS alone"}},
		{strings.Replace(over(m, "starttls"), "from", "x", 1) + "reply_to = \"a b\"\n", "x", 0o600, "2", []string{"section [nirctl.mail]", "reply_to"}},
	} {
		p.configure(c.section)
		p.write("smtp-password", c.password+"\n")
		if err := os.Chmod(filepath.Join(p.dir, "smtp-password"), c.mode); err != nil {
			t.Fatal(err)
		}
		out := p.nirctl(c.code, fmt.Sprintf("%02d:00:00", at+1), "deliver")
		p.says(out, c.want...)
		if strings.Contains(out, "s3cret") || strings.Contains(out, "goroutine") {
			t.Errorf("it tells too much:\n%s", out)
		}
	}
	if n := len(m.Mails(t)) + len(wrong.Mails(t)); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
	prom, err := os.ReadFile(filepath.Join(p.dir, "metrics", "nirctl_deliver.prom"))
	if err != nil || !strings.Contains(string(prom), "nirzone_nirctl_deliver_exit_code 2\n") || !strings.Contains(string(prom), "nirzone_nirctl_deliver_mails_open 1\n") {
		t.Errorf("%v\n%s", err, prom)
	}
	p.configure(over(m, "starttls") + login)
	p.write("smtp-password", "s3cret\n")
	if err := os.Chmod(filepath.Join(p.dir, "smtp-password"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.says(p.nirctl("0", "23:00:00", "deliver"), "JPNIC  sent")
}

// testDeliverKilled: killed after the server took the mail and before that was
// noted. Until the lease ends nobody sends; then the same octets go out once more.
func testDeliverKilled(t *testing.T, w *dbWorld) {
	m := peers.StartSMTP(t, peers.SMTPConfig{NoTLS: true})
	p := newPost(t, w, "")
	child := exec.Command("nirctl", "--now", "2026-06-01T10:00:00Z", "deliver")
	child.Dir, child.Env = p.dir, append(os.Environ(), "NIRZONE_CONFIG=")
	started := make(chan struct{})
	port := m.Relay(t, func() {
		<-started
		_ = child.Process.Kill()
		_, _ = child.Process.Wait()
	})
	p.configure(fmt.Sprintf("server = \"127.0.0.1\"\nport = %d\ntls = \"none\"\n", port))
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	close(started)
	m.AwaitMails(t, 1)
	_ = child.Wait() // the relay may have waited for it already
	p.configure(fmt.Sprintf("server = \"127.0.0.1\"\nport = %d\ntls = \"none\"\n", m.Port))
	p.says(p.nirctl("0", "10:01:00", "deliver --dry-run"), "JPNIC  later")
	if out := p.nirctl("0", "10:01:00", "deliver"); out != "" {
		t.Errorf("within the lease: %s", out)
	}
	p.says(p.nirctl("0", "10:20:00", "deliver -o wide --json=state,unsure,tries"), `"state": "sent"`, `"unsure": 1`, `"tries": 2`)
	list := m.AwaitMails(t, 2)
	if len(list) != 2 || string(list[0].Raw) != string(list[1].Raw) {
		t.Errorf("%d mails, which should be the same one twice", len(list))
	}
	p.nirctl("0", "10:21:00", "audit verify")
}

// testDeliverCancelled: Ctrl-C while a server says nothing.
func testDeliverCancelled(t *testing.T, w *dbWorld) {
	l, err := net.Listen("tcp", peers.Loopback+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := newPost(t, w, fmt.Sprintf("server = \"127.0.0.1\"\nport = %d\ntls = \"none\"\n", l.Addr().(*net.TCPAddr).Port))
	var out strings.Builder
	child := exec.Command("nirctl", "--now", "2026-06-01T10:00:00Z", "deliver")
	child.Dir, child.Env, child.Stderr = p.dir, append(os.Environ(), "NIRZONE_CONFIG="), &out
	begun := time.Now()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); err != nil {
		t.Fatal(err)
	}
	if err := child.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(child.Wait()); code != "1" || !strings.Contains(out.String(), "error: cancelled") {
		t.Errorf("exit %s after %v: %s", code, time.Since(begun), out.String())
	}
	p.says(p.nirctl("0", "10:01:00", "deliver --dry-run"), "JPNIC  later") // the attempt is noted as one that failed
	p.says(p.nirctl("0", "10:01:00", "notice mails --json=unsure,answer"), `"unsure": 0`)
}
