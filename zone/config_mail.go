package zone

import (
	"net/netip"
	"time"
)

// MailConfig is the mail server that nirctl hands notices to, and who sends them.
type MailConfig struct {
	Server       string // its name or address; "" sends no mail
	Port         int
	TLS          string // starttls, implicit, or none, which is for a loopback address alone
	CAFile       string // PEM certificates to trust; "" takes the system's
	User         string // of the login; "" for none
	PasswordFile string // the password is its first line
	Hello        string // what this host calls itself; "" is localhost
	From         string // sender, with a name or without
	ReplyTo      string // "" for none
	Staff        []string
	Timeout      time.Duration // for each answer of the server
	InfoWait     time.Duration // how long what is merely worth knowing waits for more
	Attempts     int           // for one mail before it is given up
}

type rawMail struct {
	Server       string   `toml:"server"`
	Port         int      `toml:"port"`
	TLS          string   `toml:"tls"`
	CAFile       string   `toml:"ca_file"`
	User         string   `toml:"user"`
	PasswordFile string   `toml:"password_file"`
	Hello        string   `toml:"hello"`
	From         string   `toml:"from"`
	ReplyTo      string   `toml:"reply_to"`
	Staff        []string `toml:"staff"`
	Timeout      string   `toml:"timeout"`
	InfoWait     string   `toml:"info_wait"`
	Attempts     int      `toml:"attempts"`
}

// The words of nirctl.mail.tls, and the port that each has by default.
const (
	MailStartTLS = "starttls"
	MailImplicit = "implicit"
	MailNoTLS    = "none"
)

var mailPorts = map[string]int{MailStartTLS: 587, MailImplicit: 465, MailNoTLS: 25}

func mailDefaults() rawMail {
	return rawMail{TLS: MailStartTLS, Timeout: "1m", InfoWait: "1d", Attempts: 14}
}

// mail reads the section. What an address is, whoever sends judges.
func (p *configParser) mail(r *rawMail) MailConfig {
	c := MailConfig{
		Server: r.Server, Port: r.Port, TLS: r.TLS, CAFile: p.path(r.CAFile), User: r.User, PasswordFile: p.path(r.PasswordFile),
		Hello: r.Hello, From: r.From, ReplyTo: r.ReplyTo, Staff: r.Staff,
		Timeout: p.duration("nirctl.mail.timeout", r.Timeout, time.Second), InfoWait: p.duration("nirctl.mail.info_wait", r.InfoWait, 0),
		Attempts: p.between("nirctl.mail.attempts", r.Attempts, 1, 1000),
	}
	p.word("nirctl.mail.tls", c.TLS, MailStartTLS, MailImplicit, MailNoTLS)
	if c.Port == 0 {
		c.Port = mailPorts[c.TLS]
	}
	p.between("nirctl.mail.port", r.Port, 0, 65535)
	if c.Server != "" && c.From == "" {
		p.fail(`nirctl.mail.from: it is missing; write from = "Registry <registry@registry.example>"`)
	}
	if (c.User == "") != (c.PasswordFile == "") {
		p.fail("nirctl.mail: user and password_file go together")
	}
	if c.TLS == MailNoTLS && c.Server != "" {
		p.mailWithoutTLS(&c)
	}
	return c
}

// mailWithoutTLS refuses what others could read on its way. A name is not enough:
// a resolver may say anything of it.
func (p *configParser) mailWithoutTLS(c *MailConfig) {
	if a, err := netip.ParseAddr(c.Server); err != nil || !a.IsLoopback() {
		p.fail(`nirctl.mail.tls = "none": only for a server on a loopback address such as 127.0.0.1, not %q`, c.Server)
	}
	if c.User != "" {
		p.fail(`nirctl.mail.tls = "none": a password is sent through TLS alone`)
	}
}
