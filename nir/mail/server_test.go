package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
)

func secret(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCheckServer(t *testing.T) {
	good := Server{Host: "mail.registry.test", Port: 587}
	for name, c := range map[string]struct {
		change func(*Server)
		want   string
	}{
		"good":            {func(*Server) {}, ""},
		"address":         {func(s *Server) { s.Host = "2001:db8::1" }, ""},
		"plain here":      {func(s *Server) { s.Security, s.Host = Plain, "127.0.0.1" }, ""},
		"plain far":       {func(s *Server) { s.Security = Plain }, "loopback"},
		"plain by name":   {func(s *Server) { s.Security, s.Host = Plain, "localhost" }, "loopback"}, // a resolver may say anything
		"plain login":     {func(s *Server) { s.Security, s.Host, s.Login, s.SecretFile = Plain, "::1", "u", "f" }, "through TLS only"},
		"login alone":     {func(s *Server) { s.Login = "u" }, "secret"},
		"opportunistic":   {func(s *Server) { s.Security = "maybe" }, "not one of"},
		"port":            {func(s *Server) { s.Port = 0 }, "port 0"},
		"host":            {func(s *Server) { s.Host = "mail test\r\n" }, "neither a host name"},
		"hello":           {func(s *Server) { s.Hello = "a\r\nMAIL FROM:<x@y>" }, "greeting"},
		"negative limits": {func(s *Server) { s.MaxBytes = -1 }, "negative"},
		"all at once":     {func(s *Server) { s.Port, s.Security, s.Login = 0, "x", "u" }, "\n"},
	} {
		s := good
		c.change(&s)
		if err := s.Check(); (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestTLS: which servers are spoken to, and through what.
func TestTLS(t *testing.T) {
	ca := peers.NewCA(t)
	m := peers.StartSMTP(t, peers.SMTPConfig{CA: ca})
	bare := peers.StartSMTP(t, peers.SMTPConfig{CA: ca, NoTLS: true})
	elsewhere := ca.Issue(t, "other.test")
	wrong := peers.StartSMTP(t, peers.SMTPConfig{CA: ca, Certificate: &elsewhere})
	for name, c := range map[string]struct {
		m      *peers.MailServer
		change func(*Server)
		want   string // of the error
	}{
		"starttls":         {m, func(*Server) {}, ""},
		"implicit":         {m, func(s *Server) { s.Security, s.Port = ImplicitTLS, m.TLSPort }, ""},
		"plain":            {bare, func(s *Server) { s.Security = Plain }, ""},
		"none offered":     {bare, func(*Server) {}, "does not support STARTTLS"},
		"unknown CA":       {m, func(s *Server) { s.CAFile = "" }, "certificate"},
		"unknown CA, 465":  {m, func(s *Server) { s.Security, s.Port, s.CAFile = ImplicitTLS, m.TLSPort, "" }, "certificate"},
		"another's name":   {wrong, func(*Server) {}, "certificate"},
		"no CA in file":    {m, func(s *Server) { s.CAFile = secret(t, "x", 0o600) }, "holds none"},
		"CA file missing":  {m, func(s *Server) { s.CAFile = "/nonexistent" }, "no such file"},
		"nobody listening": {m, func(s *Server) { s.Port = peers.Port(t) }, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			s := server(c.m)
			c.change(&s)
			answers, err := deliver(t, s, letter("tls", "a@jpnic.test"))
			switch {
			case c.want == "" && (err != nil || answers[0].Result != Accepted):
				t.Errorf("%+v, %v", answers, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if log := wrong.Log() + bare.Log(); strings.Count(log, "<= ") != 1 {
		t.Errorf("a message went to a server that did not prove who it is:\n%s", log)
	}
}

func TestLogin(t *testing.T) {
	m := peers.StartSMTP(t, peers.SMTPConfig{Login: "registry", Password: "s3cret word"})
	s := server(m)
	_, err := deliver(t, s, letter("login", "a@jpnic.test"))
	var e *Error
	if !errors.As(err, &e) || !e.Login || !strings.Contains(err.Error(), "530 5.7.0 log in first") {
		t.Errorf("without a login: %v", err)
	}
	s.Login = "registry"
	for _, c := range []struct {
		secret string
		mode   os.FileMode
		want   string
	}{{"s3cret word\n", 0o600, ""}, {"s3cret word\r\nmore\n", 0o400, ""}, {"wrong\n", 0o600, "535"}, {"s3cret word\n", 0o640, "chmod 600"}, {"\n", 0o600, "holds no secret"}, {strings.Repeat("x", 5000), 0o600, "octets"}} {
		s.SecretFile = secret(t, c.secret, c.mode)
		answers, err := deliver(t, s, letter("login", "a@jpnic.test"))
		if c.want == "" && (err != nil || answers[0].Result != Accepted) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("secret of %d octets, mode %o: %+v, %v; want %q", len(c.secret), c.mode, answers, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
	s.Security, s.Port = ImplicitTLS, m.TLSPort
	s.SecretFile = secret(t, "s3cret word", 0o600)
	if answers, err := deliver(t, s, letter("login", "a@jpnic.test")); err != nil || answers[0].Result != Accepted {
		t.Errorf("%+v, %v", answers, err)
	}
}

// TestOneSession: messages one after the other; what one recipient does, the next
// message does not feel, until the server ends the session.
func TestOneSession(t *testing.T) {
	m := peers.StartSMTP(t, peers.SMTPConfig{MaxBytes: 50_000})
	ctx := context.Background()
	c, err := server(m).Dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	big := letter("big", "a@jpnic.test")
	big.Attachments[0].Data = make([]byte, 60_000)
	bad := letter("bad", "a@jpnic.test")
	bad.Subject = "x\r\nBcc: evil@example.test"
	for _, s := range []struct {
		m    Message
		want string
	}{
		{letter("1", "refused-a@jpnic.test"), "permanent"},
		{letter("2", "a@jpnic.test", "b@jpnic.test"), "accepted accepted"},
		{letter("3", "unwanted@jpnic.test", "c@jpnic.test"), "permanent permanent"}, // refused after its end
		{big, "permanent"},
		{bad, "mistake"},
		{letter("4", "later@jpnic.test"), "temporary"},
		{letter("5", "d@jpnic.test"), "accepted"},
		{letter("6", "e@jpnic.test", "dropped@jpnic.test", "f@jpnic.test"), "temporary temporary temporary"},
		{letter("7", "g@jpnic.test"), "session"},
	} {
		answers, err := c.Send(ctx, s.m)
		var got []string
		for i, a := range answers {
			if got = append(got, string(a.Result)); a.Recipient != s.m.To[i] || a.Unsure || strings.ContainsAny(a.Text, "\r\n") {
				t.Errorf("%s: %+v", s.m.ID, a)
			}
		}
		var e *Error
		switch {
		case errors.As(err, &e):
			got = []string{"session"}
		case err != nil:
			got = []string{"mistake"}
		}
		if strings.Join(got, " ") != s.want {
			t.Errorf("%s: %v (%v, %+v), want %s", s.m.ID, got, err, answers, s.want)
		}
	}
	to := ""
	for _, k := range m.AwaitMails(t, 3) {
		to += k.To + " "
	}
	if to != "a@jpnic.test b@jpnic.test d@jpnic.test " {
		t.Errorf("it kept mail of %s", to)
	}
}

// TestBadServers: a server that says nothing, too much, nonsense, or goes away.
func TestBadServers(t *testing.T) {
	for name, c := range map[string]struct {
		say  string
		hang bool
		want string
	}{
		"silent":   {"", true, "timeout"},
		"closes":   {"", false, "EOF"},
		"refuses":  {"554 5.3.2 go away\r\n", false, "554"},
		"nonsense": {"HTTP/1.1 400 Bad Request\r\n\r\n", false, ""},
		"floods":   {strings.Repeat("220-more\r\n", 200_000), true, "octets"},
		"escapes":  {"554 \x1b[31mred\x1b[0m\r\n", false, "554"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = conn.Write([]byte(c.say))
					if !c.hang {
						_ = conn.Close()
					}
				}
			}()
			s := Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Security: Plain, Timeout: 300 * time.Millisecond}
			_, err = s.Dial(context.Background())
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestContextEndsASession: a caller who waits no longer gets an answer at once.
func TestContextEndsASession(t *testing.T) {
	m := peers.StartSMTP(t, peers.SMTPConfig{})
	ctx, cancel := context.WithCancel(context.Background())
	c, err := server(m).Dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	cancel()
	_, err = c.Send(ctx, letter("late", "a@jpnic.test"))
	var e *Error
	if answers, err2 := c.Send(context.Background(), letter("late", "a@jpnic.test")); !errors.As(err, &e) || !errors.As(err2, &e) {
		t.Errorf("%v; %+v, %v", err, answers, err2)
	}
}

func TestMessageRefusesInjection(t *testing.T) {
	for name, change := range map[string]func(*Message){
		"subject":    func(m *Message) { m.Subject = "a\nBcc: x@y.test" },
		"long":       func(m *Message) { m.Subject = strings.Repeat("x", 201) },
		"from":       func(m *Message) { m.From = "a@b.test\r\nBcc: x@y.test" },
		"from name":  func(m *Message) { m.From = "=?utf-8?q?a=0D=0ABcc:_x?= <a@b.test>" },
		"reply to":   func(m *Message) { m.ReplyTo = "a b@c.test" },
		"to":         func(m *Message) { m.To = []string{"<a@b.test> SIZE=1"} },
		"to quoted":  func(m *Message) { m.To = []string{"\"a> b\"@b.test"} },
		"to unicode": func(m *Message) { m.To = []string{"\u65e5@b.test"} },
		"nobody":     func(m *Message) { m.To = nil },
		"envelope":   func(m *Message) { m.Recipients = []string{"a@b.test>\r\nDATA"} },
		"id":         func(m *Message) { m.ID = "a@b.test>\r\nX: y" },
		"date":       func(m *Message) { m.Date = time.Time{} },
		"text":       func(m *Message) { m.Text = "a\rb" },
		"file":       func(m *Message) { m.Attachments[0].Name = "a\"\r\nX: y" },
		"type":       func(m *Message) { m.Attachments[0].Type = "text/html; x" },
	} {
		m := letter("inject", "a@jpnic.test")
		change(&m)
		if b, err := m.Bytes(); err == nil {
			t.Errorf("%s: it became\n%s", name, b)
		}
	}
	b, err := letter("plain", "a@jpnic.test").Bytes()
	if err != nil || strings.Contains(strings.ToLower(string(b)), "mailer") || strings.Contains(strings.ToLower(string(b)), "user-agent") {
		t.Errorf("%v: the program is named:\n%s", err, b)
	}
	again, err := letter("plain", "a@jpnic.test").Bytes()
	if err != nil || string(again) != string(b) {
		t.Error("the same message has other octets")
	}
}

func ExampleParseAddress() {
	a, err := ParseAddress("Registry staff <hostmaster@registry.example>")
	fmt.Println(a, err)
	// Output: hostmaster@registry.example <nil>
}
