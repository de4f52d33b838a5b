package zone

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// NirctlConfig is what nirctl needs to know of the registry's database and of the
// rules that are configuration.
type NirctlConfig struct {
	Database string // file of an SQLite database, or a URL postgres://…
	Signers  string // file with the keys of those who approve (OpenSSH's allowed_signers); "" for none
	Archive  string // file to which the audit is copied, on another disk or host; "" for none

	Source         string // of the registry's own whois objects
	Mntner         string // that maintains them
	ConfirmImports bool   // imports wait for another person's signature

	AllocationDays int                 // working days for an allocation request (APNIC-103, section 3.6)
	ResponseDays   int                 // working days for any other request
	SplitDays      int                 // over which requests of one member are summed up against the window
	QuarantineDays int                 // for which returned space is not allocated again
	Timezone       string              // IANA name of where a working day is a day
	Holidays       map[string][]string // dates as 2006-01-02, by economy; the registry's own under its name

	Local []LocalRule
	Users []User
	Mail  MailConfig

	Security SecurityConfig // of security.txt
}

// A LocalRule is what one NIR asks of its own requests beyond the policy; it can
// only tighten (APNIC-103, section 1.3). Empty fields ask nothing.
type LocalRule struct {
	NIR      string
	Kind     string   // ipv4, ipv6 or asn; "" for each
	Type     string   // allocation or assignment; "" for both
	Smallest string   // size: /24, or a number
	Largest  string   // likewise
	Required []string // fields of a request that may not be empty
}

// A User is an account of this host and what it may do in the registry.
type User struct {
	Account string
	Roles   []string // nir-staff, registry-staff, approver, auditor, admin
	NIR     string   // that a nir-staff belongs to
}

// User returns the entry of an account, nil if there is none.
func (c *NirctlConfig) User(account string) *User {
	for i := range c.Users {
		if c.Users[i].Account == account {
			return &c.Users[i]
		}
	}
	return nil
}

type rawNirctl struct {
	Database       string       `toml:"database"`
	Signers        string       `toml:"signers"`
	Archive        string       `toml:"archive"`
	Source         string       `toml:"whois_source"`
	Mntner         string       `toml:"mntner"`
	ConfirmImports bool         `toml:"confirm_imports"`
	AllocationDays int          `toml:"allocation_days"`
	ResponseDays   int          `toml:"response_days"`
	SplitDays      int          `toml:"split_days"`
	QuarantineDays int          `toml:"quarantine_days"`
	Timezone       string       `toml:"timezone"`
	Holidays       []rawHoliday `toml:"holidays"`
	Local          []rawLocal   `toml:"local"`
	User           []rawUser    `toml:"user"`
	Mail           rawMail      `toml:"mail"`
	Security       rawSecurity  `toml:"security"`
}

type rawHoliday struct {
	Economy string           `toml:"economy"`
	Dates   []toml.LocalDate `toml:"dates"`
}

type rawLocal struct {
	NIR      string   `toml:"nir"`
	Kind     string   `toml:"kind"`
	Type     string   `toml:"type"`
	Smallest string   `toml:"smallest"`
	Largest  string   `toml:"largest"`
	Required []string `toml:"required"`
}

type rawUser struct {
	Account string   `toml:"account"`
	Roles   []string `toml:"roles"`
	NIR     string   `toml:"nir"`
}

var (
	timezone  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$`)
	whoisName = regexp.MustCompile(`^[A-Z][A-Z0-9-]{1,39}$`)
)

func nirctlDefaults() rawNirctl {
	return rawNirctl{
		Database: "registry.db", ConfirmImports: true,
		AllocationDays: 1, ResponseDays: 2, SplitDays: 30, QuarantineDays: 180, Timezone: "UTC", Mail: mailDefaults(),
		Security: rawSecurity{ValidFor: "90d"},
	}
}

// nirctl reads the section. Names of whois are the registry's own unless they are
// set: source RIR, maintainer RIR-HM.
func (p *configParser) nirctl(r *rawNirctl, rir string) NirctlConfig {
	c := NirctlConfig{
		Database: p.database(r.Database), Signers: p.path(r.Signers), Archive: p.path(r.Archive),
		Source: r.Source, Mntner: r.Mntner, ConfirmImports: r.ConfirmImports,
		AllocationDays: p.between("nirctl.allocation_days", r.AllocationDays, 1, 365), ResponseDays: p.between("nirctl.response_days", r.ResponseDays, 1, 365),
		SplitDays: p.between("nirctl.split_days", r.SplitDays, 1, 3650), QuarantineDays: p.between("nirctl.quarantine_days", r.QuarantineDays, 0, 3650),
		Timezone: r.Timezone, Mail: p.mail(&r.Mail), Security: p.security(&r.Security),
	}
	if c.Source == "" {
		c.Source = strings.ToUpper(rir)
	}
	if c.Mntner == "" {
		c.Mntner = strings.ToUpper(rir) + "-HM"
	}
	for _, n := range [][2]string{{"nirctl.whois_source", r.Source}, {"nirctl.mntner", r.Mntner}} {
		if n[1] != "" && !whoisName.MatchString(n[1]) {
			p.fail("%s = %q: write 2 to 40 upper-case letters, digits and hyphens", n[0], n[1])
		}
	}
	if !timezone.MatchString(c.Timezone) {
		p.fail(`nirctl.timezone = %q: write the name of a time zone such as "UTC" or "Australia/Brisbane"`, c.Timezone)
	}
	for i := range r.Holidays {
		p.holidays(&c, rir, &r.Holidays[i])
	}
	for i := range r.Local {
		c.Local = append(c.Local, p.localRule(&r.Local[i]))
	}
	for i := range r.User {
		p.user(&c, &r.User[i])
	}
	return c
}

// database reads the name of a database. A password would stand in a file that
// many may read: PostgreSQL's own file of passwords takes it.
func (p *configParser) database(s string) string {
	if !strings.HasPrefix(s, "postgres://") && !strings.HasPrefix(s, "postgresql://") {
		if s == "" || strings.Contains(s, "://") {
			p.fail(`nirctl.database = %q: write the file of an SQLite database, or postgres://user@host/name`, s)
		}
		return p.path(s)
	}
	u, err := url.Parse(s)
	if err != nil || u.Path == "" || u.Path == "/" {
		p.fail("nirctl.database: write postgres://user@host/name")
		return s
	}
	if _, secret := u.User.Password(); secret || u.Query().Has("password") {
		p.fail("nirctl.database: no password here; write it into a file as PostgreSQL's manual has it under \"The Password File\" and add ?passfile=FILE")
	}
	return s
}

func (p *configParser) holidays(c *NirctlConfig, rir string, r *rawHoliday) {
	if r.Economy != rir && !isEconomy(r.Economy) {
		p.fail("nirctl.holidays.economy = %q: write two upper-case letters (ISO 3166-1), or %s for the registry's own", r.Economy, rir)
	}
	if c.Holidays == nil {
		c.Holidays = map[string][]string{}
	}
	for _, d := range r.Dates {
		c.Holidays[r.Economy] = append(c.Holidays[r.Economy], d.AsTime(time.UTC).Format(time.DateOnly))
	}
	slices.Sort(c.Holidays[r.Economy])
	c.Holidays[r.Economy] = slices.Compact(c.Holidays[r.Economy])
}

func isEconomy(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

// localRule reads a rule as far as it can be judged without the registry, which
// checks sizes and names of fields.
func (p *configParser) localRule(r *rawLocal) LocalRule {
	p.sourceName("nirctl.local.nir", r.NIR)
	p.word("nirctl.local.kind", r.Kind, "", "ipv4", "ipv6", "asn")
	p.word("nirctl.local.type", r.Type, "", "allocation", "assignment")
	return LocalRule(*r)
}

func (p *configParser) word(key, s string, allowed ...string) {
	if !slices.Contains(allowed, s) {
		p.fail("%s = %q: not one of %s", key, s, strings.Join(slices.DeleteFunc(allowed, func(a string) bool { return a == "" }), ", "))
	}
}

func (p *configParser) user(c *NirctlConfig, r *rawUser) {
	key := "nirctl.user (" + r.Account + ")"
	if r.Account == "" || c.User(r.Account) != nil {
		p.fail("%s: every user needs an account of its own", key)
	}
	for _, role := range r.Roles {
		p.word(key+".roles", role, "nir-staff", "registry-staff", "approver", "auditor", "admin")
	}
	if slices.Contains(r.Roles, "nir-staff") != (r.NIR != "") {
		p.fail("%s: nir names the NIR of a user with the role nir-staff, and of no other", key)
	}
	c.Users = append(c.Users, User(*r))
}
