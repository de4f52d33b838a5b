package zone

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const configZones = `
[[zones]]
names = ["202.in-addr.arpa", "0.4.2.ip6.arpa"]
ns = ["ns2.registry.example", "ns1.registry.example"]
soa = { mname = "ns1.registry.example", rname = "hostmaster.registry.example" }
`

const configSource = `
[[source]]
name = "JPNIC"
url = "ftp://ftp.nic.example/pub/{zone}-{name}"
zones = "listed"
keyring = "jpnic.asc"
`

const configHead = "version = 1\nrir = \"RIR\"\n"

func TestConfigDefaults(t *testing.T) {
	c, err := ParseConfig("/etc/nirzone/nirzone.toml", []byte(configHead+configZones+configSource))
	if err != nil {
		t.Fatal(err)
	}
	zones := []Name{"202.in-addr.arpa.", "0.4.2.ip6.arpa."}
	day := 24 * time.Hour
	want := &Config{
		File: c.File, SHA256: c.SHA256, RIR: "RIR",
		Spool: "/etc/nirzone/spool", Registry: "/etc/nirzone/registry", Keys: "/etc/nirzone/keys", State: "/etc/nirzone/state", Public: "/etc/nirzone/public",
		Sources: []Source{{
			Name: "JPNIC", URL: "ftp://ftp.nic.example/pub/{zone}-{name}", Zones: zones, Listed: true,
			RequireMD5: true, RequirePGP: true, Keyring: "/etc/nirzone/jpnic.asc",
			StaleAfter: 3 * day, AlarmAfter: 7 * day, RaceDeadline: 30 * time.Minute, MaxBytes: 64 << 20, MaxFiles: 1000,
		}},
		Groups: []Group{{
			Names: zones, NS: []Name{"ns1.registry.example.", "ns2.registry.example."}, TTL: TTL{Fixed: 86400},
			SOA: SOA{MName: "ns1.registry.example.", RName: "hostmaster.registry.example.", Refresh: 7200, Retry: 1800, Expire: 604800, Minimum: 3600, TTL: 86400},
		}},
		Fetch:   FetchConfig{Parallel: 8, PerHost: 2, Connect: 30 * time.Second, Idle: time.Minute, Total: 20 * time.Minute, Retries: 2, Backoff: 2 * time.Second},
		Signing: SigningConfig{Algorithm: 13, Validity: 21 * day, Slot: 11 * day, Inception: time.Hour, Alarm: 9 * day, DNSKEYTTL: 3600, ZSKLifetime: 90 * day, Propagation: 6 * time.Hour, DSTTL: 2 * day},
		Gates:   Limits{Percent: 5, Least: 10, Most: 100, Last: true, Wide4: 16, Wide6: 32, TotalPercent: 2, Expires: 7 * day},
		Publish: PublishConfig{Keep: 48, Timeout: time.Minute},
		Observe: ObserveConfig{Sample: 8, Timeout: 2 * time.Second, Retries: 2, Parallel: 16, Rate: 50, Total: 10 * time.Minute, FreshFor: day, Lag: time.Hour, IPv6: true},
		Nirctl: NirctlConfig{
			Database: "/etc/nirzone/registry.db", Source: "RIR", Mntner: "RIR-HM", ConfirmImports: true,
			AllocationDays: 1, ResponseDays: 2, SplitDays: 30, QuarantineDays: 180, Timezone: "UTC",
			Mail:     MailConfig{Port: 587, TLS: "starttls", Timeout: time.Minute, InfoWait: day, Attempts: 14},
			Security: SecurityConfig{ValidFor: 90 * day},
		},
	}
	want.Gates.ClaimsPercent = 5
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	if len(c.SHA256) != 64 || c.File != "/etc/nirzone/nirzone.toml" {
		t.Errorf("file %q, digest %q", c.File, c.SHA256)
	}
}

// TestConfigNirctl: what stands in the section is in the value.
func TestConfigNirctl(t *testing.T) {
	c, err := ParseConfig("/e/nirzone.toml", []byte(configHead+configZones+configSource+`[nirctl]
database = "postgresql://u@h/n?passfile=/e/pass"
signers = "signers"
archive = "/a/audit"
whois_source = "TEST"
mntner = "TEST-HM"
confirm_imports = false
allocation_days = 2
response_days = 3
split_days = 4
quarantine_days = 0
timezone = "Australia/Brisbane"
holidays = [{ economy = "RIR", dates = [2026-12-25] }, { economy = "JP", dates = [2026-02-11, 2026-01-01, 2026-01-01] }]
local = [{ nir = "JPNIC", kind = "ipv4", type = "allocation", smallest = "/24", largest = "/18", required = ["descr"] }]
user = [{ account = "anna", roles = ["nir-staff"], nir = "JPNIC" }, { account = "ben", roles = ["registry-staff", "approver"] }]
security = { contact = ["mailto:s@registry.example"], languages = ["en"], valid_for = "30d" }
[nirctl.mail]
server = "mail.registry.example"
tls = "implicit"
ca_file = "ca.pem"
user = "nirzone"
password_file = "smtp-password"
hello = "h.registry.example"
from = "Registry <r@registry.example>"
reply_to = "h@registry.example"
staff = ["a@registry.example"]
timeout = "5s"
info_wait = "0d"
attempts = 3
`))
	if err != nil {
		t.Fatal(err)
	}
	want := NirctlConfig{
		Database: "postgresql://u@h/n?passfile=/e/pass", Signers: "/e/signers", Archive: "/a/audit", Source: "TEST", Mntner: "TEST-HM",
		AllocationDays: 2, ResponseDays: 3, SplitDays: 4, Timezone: "Australia/Brisbane",
		Holidays: map[string][]string{"RIR": {"2026-12-25"}, "JP": {"2026-01-01", "2026-02-11"}},
		Local:    []LocalRule{{NIR: "JPNIC", Kind: "ipv4", Type: "allocation", Smallest: "/24", Largest: "/18", Required: []string{"descr"}}},
		Users:    []User{{Account: "anna", Roles: []string{"nir-staff"}, NIR: "JPNIC"}, {Account: "ben", Roles: []string{"registry-staff", "approver"}}},
		Mail: MailConfig{
			Server: "mail.registry.example", Port: 465, TLS: "implicit", CAFile: "/e/ca.pem", User: "nirzone", PasswordFile: "/e/smtp-password", Hello: "h.registry.example",
			From: "Registry <r@registry.example>", ReplyTo: "h@registry.example", Staff: []string{"a@registry.example"}, Timeout: 5 * time.Second, Attempts: 3,
		},
		Security: SecurityConfig{Contact: []string{"mailto:s@registry.example"}, Languages: []string{"en"}, ValidFor: 30 * 24 * time.Hour},
	}
	if diff := cmp.Diff(want, c.Nirctl); diff != "" {
		t.Error(diff)
	}
	if u := c.Nirctl.User("ben"); u == nil || u.NIR != "" || c.Nirctl.User("carl") != nil {
		t.Errorf("%+v", u)
	}
}

// TestConfigDenial: the word of the file is the value, and back.
func TestConfigDenial(t *testing.T) {
	for want, word := range map[Denial]string{DenialNSEC: "nsec", DenialNSEC3: "nsec3"} {
		c, err := ParseConfig("f", []byte(configHead+configZones+configSource+"[signing]\ndenial = \""+word+"\"\n"))
		if err != nil || c.Signing.Denial != want || c.Signing.Denial.String() != word {
			t.Errorf("%q: %v, %v", word, c, err)
		}
	}
}

func TestConfigLookups(t *testing.T) {
	c, err := ParseConfig("x/nirzone.toml", []byte(configHead+configZones+configSource))
	if err != nil {
		t.Fatal(err)
	}
	if c.Spool != "x/spool" {
		t.Errorf("spool %q", c.Spool)
	}
	g := c.Group("202.in-addr.arpa.")
	if g == nil || c.Group("203.in-addr.arpa.") != nil || c.Source("JPNIC") == nil || c.Source("jpnic") != nil {
		t.Error("a lookup by name is wrong")
	}
	want := Apex{Origin: "202.in-addr.arpa.", NS: g.NS, SOA: g.SOA, TTL: g.TTL}
	if diff := cmp.Diff(want, g.Apex("202.in-addr.arpa.")); diff != "" {
		t.Error(diff)
	}
}

func TestConfigFull(t *testing.T) {
	c, err := ParseConfig("nirzone.toml", []byte(configHead+`metrics = "/m"
[[zones]]
names = ["202.in-addr.arpa"]
ns = ["NS1.registry.example."]
ttl = "source"
ttl_max = 7200
soa = { mname = "a.b", rname = "c.d", refresh = 1, retry = 2, expire = 3, minimum = 4, ttl = 5, serial = "counter" }
[[source]]
name = "A"
url = "rsync+ssh://user@host.example:22/module/{octet3}-{name}"
zones = ["202.IN-ADDR.ARPA."]
require = ["pgp"]
keyring = "/k"
identity_file = "id"
stale_after = "1d12h"
keys = [{ fingerprint = "0123 4567 89ab cdef 0123  4567 89ab cdef 0123 4567", from = 2026-01-01, until = 2027-01-01 }]
legacy = [{ allow = "sha1", until = 2026-12-31 }]
[[source]]
name = "0"
`))
	wantErrors(t, err, "nirzone.toml: source[1] (0).name", `nirzone.toml: source[1] (0).zones: write "listed" or a list`, "nirzone.toml: source[1] (0).url", "nirzone.toml: source[1] (0).keyring")
	if c != nil {
		t.Error("a configuration beside errors")
	}
}

func TestFileName(t *testing.T) {
	for _, tc := range []struct {
		url  string
		zone Name
		want string
	}{
		{"ftp://h/p/{zone}-{name}", "202.in-addr.arpa.", "202.in-addr.arpa-N"},
		{"ftp://h/p/{octet}-{name}", "41.in-addr.arpa.", "41-N"},
		{"ftp://h/p/{octet3}-{name}", "41.in-addr.arpa.", "041-N"},
		{"ftp://h/p/{octet3}-{name}", "1.in-addr.arpa.", "001-N"},
		{"ftp://h/p/{octet3}", "202.in-addr.arpa.", "202"},
		{"ftp://h/p/{octet3}", "2.1.in-addr.arpa.", "2.1"},
		{"ftp://h/p/{octet}-{name}", "0.4.2.ip6.arpa.", "0.4.2.ip6.arpa-N"},
		{"ftp://h/p/{octet3}-{name}", "0.4.2.ip6.arpa.", "0.4.2.ip6.arpa-N"},
	} {
		s := Source{Name: "N", URL: tc.url}
		if got := s.FileName(tc.zone); got != tc.want {
			t.Errorf("%s of %s: %s, want %s", tc.url, tc.zone, got, tc.want)
		}
	}
}

// Each line is a change of a good configuration and the mistakes it gives.
func TestConfigRefuses(t *testing.T) {
	good := configHead + configZones + configSource
	for _, tc := range []struct {
		old, new string
		want     []string
	}{
		{"version = 1", "version = 2\nnew = 3", []string{`f: version 2 is not known; write "version = 1"`}},
		{"version = 1", "", []string{"f: version 0 is not known"}},
		{"version = 1", "version = \"1\"", []string{"f:1:11: "}},
		{"version = 1", "version = 1\nspol = \"x\"\n[fetch]\nparalel = 1", []string{`f:2:1: unknown key "spol"; nirzone.example.toml lists all keys`, "f:4:1: unknown key", `f:5:1: unknown key "fetch.rir"`}},
		{"version = 1", "version = 1\n= 2", []string{"f:2:1: "}},
		{"version = 1", "version = 1\nversion = 1", []string{"f: key version is already defined"}},
		{`rir = "RIR"`, "", []string{`f: rir = "": a name is 1 to 32 letters`}},
		{`rir = "RIR"`, `rir = "../x"`, []string{`f: rir = "../x": a name is`}},
		{`rir = "RIR"`, `rir = "jpnic"`, []string{"f: source.name: JPNIC is the registry itself"}},
		{`"JPNIC"`, `"JP NIC"`, []string{`f: source[0] (JP NIC).name = "JP NIC": a name is`}},
		{configSource, configSource + strings.Replace(configSource, "JPNIC", "jpnic", 1), []string{"f: source.name: jpnic stands twice"}},
		{configZones, "", []string{"f: zones: no [[zones]] group names a zone"}},
		{`"0.4.2.ip6.arpa"`, `"example.net"`, []string{"f: zones.names: example.net. is not a zone of the reverse tree"}},
		{`"0.4.2.ip6.arpa"`, `"202.in-addr.arpa."`, []string{"f: zones[0].names: 202.in-addr.arpa. stands twice", "f: zones.names: 202.in-addr.arpa. stands twice", "f: source[0] (JPNIC).url"}},
		{`"0.4.2.ip6.arpa"`, `"1.202.in-addr.arpa"`, []string{"f: zones.names: 1.202.in-addr.arpa. lies inside 202.in-addr.arpa."}},
		{`"0.4.2.ip6.arpa"`, `"a..b"`, []string{`f: zones[0].names: name "a..b"`}},
		{`["ns2.registry.example", "ns1.registry.example"]`, "[]", []string{"f: zones[0].ns: a zone needs at least one name server"}},
		{`"ns2.registry.example"`, `"192.0.2.1"`, []string{"f: zones[0]: 192.0.2.1. is no host name"}},
		{`mname = "ns1.registry.example", `, "", []string{"f: zones[0].soa.mname: empty name"}},
		{`rname = "hostmaster.registry.example"`, `rname = "host.master@registry.example"`, []string{`f: zones[0].soa.rname = "host.master@registry.example": a mailbox is written as a name (RFC 1035, section 8): host\\.master.registry.example`}},
		{`rname = "hostmaster.registry.example"`, `rname = "x", retry = -1`, []string{"f: zones[0].soa.retry = -1: must be from 1 to 2147483647 seconds"}},
		{`rname = "hostmaster.registry.example"`, `rname = "x", ttl = 2147483648`, []string{"f: zones[0].soa.ttl = 2147483648"}},
		{`rname = "hostmaster.registry.example"`, `rname = "x", serial = "dat"`, []string{`f: zones[0].soa: serial "dat": not one of`}},
		{"soa =", "ttl = 0\nsoa =", []string{"f: zones[0].ttl = 0: must be from 1"}},
		{"soa =", "ttl = \"1d\"\nsoa =", []string{`f: zones[0].ttl = 1d: write seconds or "source"`}},
		{"soa =", "ttl = 1.5\nsoa =", []string{"f: zones[0].ttl = 1.5: write"}},
		{"soa =", "ttl = \"source\"\nttl_min = 9\nttl_max = 8\nsoa =", []string{"f: zones[0]: ttl_min 9 is above ttl_max 8"}},
		{`zones = "listed"`, "", []string{`f: source[0] (JPNIC).zones: write "listed" or a list of zones`}},
		{`zones = "listed"`, `zones = "all"`, []string{`f: source[0] (JPNIC).zones: write`}},
		{`zones = "listed"`, `zones = []`, []string{`f: source[0] (JPNIC).zones: write`}},
		{`zones = "listed"`, `zones = ["203.in-addr.arpa"]`, []string{"f: source[0] (JPNIC).zones: 203.in-addr.arpa. is in no [[zones]] group"}},
		{`zones = "listed"`, `zones = [5]`, []string{"f: source[0] (JPNIC).zones: 5. is in no"}},
		{"keyring = \"jpnic.asc\"", "", []string{`f: source[0] (JPNIC).keyring: a source that requires "pgp" needs`}},
		{"keyring =", "require = [\"md6\"]\nkeyring =", []string{`f: source[0] (JPNIC).require: "md6" is not one of`}},
		{"keyring =", "stale_after = \"3\"\nkeyring =", []string{`f: source[0] (JPNIC).stale_after = "3": write a duration of at least 1m0s such as`}},
		{"keyring =", "stale_after = \"8d\"\nkeyring =", []string{`f: source[0] (JPNIC): alarm_after 168h0m0s is below stale_after 192h0m0s`}},
		{"keyring =", "race_deadline = \"-1s\"\nkeyring =", []string{`f: source[0] (JPNIC).race_deadline = "-1s"`}},
		{"keyring =", "alarm_after = \"9d-5h\"\nkeyring =", []string{`f: source[0] (JPNIC).alarm_after = "9d-5h"`}},
		{"keyring =", "max_bytes = -1\nkeyring =", []string{"f: source[0] (JPNIC).max_bytes = -1: must be from 1 to 1073741824"}},
		{"keyring =", "max_files = 100001\nkeyring =", []string{"f: source[0] (JPNIC).max_files = 100001"}},
		{"keyring =", "tls = \"implicit\"\nkeyring =", []string{`f: source[0] (JPNIC).tls = "implicit": only "explicit", and only for ftp`}},
		{"keyring =", "keys = [{ fingerprint = \"12\" }]\nkeyring =", []string{`f: source[0] (JPNIC).keys.fingerprint = "12": write a fingerprint of 40 or 64`}},
		{"keyring =", "keys = [{ fingerprint = \"" + strings.Repeat("a", 40) + "\", from = 2027-01-01, until = 2027-01-01 }]\nkeyring =", []string{`f: source[0] (JPNIC).keys: until is not after from for AAAA`}},
		{"keyring =", "legacy = [{ allow = \"md5\", until = 2027-01-01 }]\nkeyring =", []string{`f: source[0] (JPNIC).legacy.allow: "md5" is not one of`}},
		{"keyring =", "legacy = [{ allow = \"sha1\" }]\nkeyring =", []string{"f: source[0] (JPNIC).legacy.until: a weakness is allowed until a date only"}},
		{"keyring =", "legacy = [{ allow = \"expired\", until = 2027-01-01 }]\nkeyring =", []string{"f: source[0] (JPNIC).legacy.fingerprint"}},
		{"keyring =", "legacy = [{ allow = \"dsa\", until = 2027-02-30 }]\nkeyring =", []string{"f:"}},
		{"ftp://ftp.nic.example/pub/{zone}-{name}", "pub/{zone}", []string{"f: source[0] (JPNIC).url = \"pub/{zone}\": write scheme://host/path/{zone}-{name}"}},
		{"ftp://ftp.nic.example", "ftp://u:p@ftp.nic.example", []string{"f: source[0] (JPNIC).url"}},
		{"ftp://ftp.nic.example", "rsync+ssh://u:p@ftp.nic.example", []string{"f: source[0] (JPNIC).url"}},
		{"ftp://ftp.nic.example", "http://ftp.nic.example", []string{"f: source[0] (JPNIC).url: http is refused; use https, or set allow_http = true"}},
		{"ftp://ftp.nic.example", "file://ftp.nic.example", []string{`f: source[0] (JPNIC).url: scheme "file" is not one of`}},
		{"/pub/{zone}-{name}", "/pub/{zone}?x={zone}", []string{"f: source[0] (JPNIC).url"}},
		{"/pub/{zone}-{name}", "/pub/{name}", []string{"f: source[0] (JPNIC).url: the file name must hold {zone}"}},
		{"/pub/{zone}-{name}", "/{zone}/{zone}", []string{"f: source[0] (JPNIC).url: the file name must hold"}},
		{"/pub/{zone}-{name}", "/pub/{zone}/", []string{"f: source[0] (JPNIC).url: the file name must hold"}},
		{"/pub/{zone}-{name}", "/pub/{zone}-{rir}", []string{"f: source[0] (JPNIC).url: the only placeholders are"}},
		{"[[source]]", "[fetch]\nparallel = 0\nper_host = 65\nretries = -1\nconnect = \"0s\"\nidle = \"x\"\ntotal = \"\"\nbackoff = \"-2s\"\nrsync = [\"\"]\n[[source]]", []string{"f: fetch.rsync: an empty command", "f: fetch.parallel = 0", "f: fetch.per_host = 65", "f: fetch.connect", "f: fetch.idle", "f: fetch.total", "f: fetch.retries", "f: fetch.backoff"}},
		{"[[source]]", "[signing]\nalgorithm = \"rsamd5\"\n[[source]]", []string{`f: signing.algorithm = "rsamd5": not one of`}},
		{"[[source]]", "[signing]\ndenial = \"nsec5\"\n[[source]]", []string{`f: signing.denial = "nsec5": not one of "nsec", "nsec3"`}},
		{"[[source]]", "[signing]\npropagation = \"0s\"\n[[source]]", []string{`f: signing.propagation = "0s": no change is on every server at once; write how long the slowest one takes`}},
		{"[[source]]", "[signing]\npropagation = \"-1s\"\n[[source]]", []string{`f: signing.propagation = "-1s": write a duration`}},
		{"[[source]]", "[signing]\nvalidity = \"19d\"\n[[source]]", []string{"f: signing: a signature has 192h0m0s left when its slot of 264h0m0s ends, less than the alarm of 216h0m0s"}},
		{"[[source]]", "[signing]\ndnskey_ttl = 0\nslot = \"0s\"\ninception = \"-1h\"\n[[source]]", []string{"f: signing.slot", "f: signing.inception", "f: signing.dnskey_ttl"}},
		{"[[source]]", "[gates]\npercent = nan\ntotal_percent = 101.0\nleast = -1\nmost = 0\nwide4 = 33\nwide6 = 129\naccept_expires = \"1s\"\n[[source]]", []string{"f: gates.percent = NaN", "f: gates.least", "f: gates.most", "f: gates.wide4", "f: gates.wide6", "f: gates.total_percent = 101", "f: gates.accept_expires"}},
		{"[[source]]", "[gates]\napprovals = 1\n[[source]]", []string{"f: gates.approvals = 1: needs gates.signers"}},
		{"[[source]]", "[gates]\napprovals = 10\nsigners = \"s\"\n[[source]]", []string{"f: gates.approvals = 10: must be from 0 to 9"}},
		{"[[source]]", "[publish]\nkeep = 1\nreload = [[], [\"\"]]\nreload_timeout = \"1ms\"\n[[source]]", []string{"f: publish.reload: an empty command", "f: publish.reload: an empty command", "f: publish.keep = 1", "f: publish.reload_timeout"}},
		{"[[source]]", "[nirctl]\ndatabase = \"postgres://u:secret@h/n\"\n[[source]]", []string{"f: nirctl.database: no password here"}},
		{"[[source]]", "[nirctl]\ndatabase = \"postgres://u@h/n?password=secret\"\n[[source]]", []string{"f: nirctl.database: no password here"}},
		{"[[source]]", "[nirctl]\ndatabase = \"postgres://u@h\"\n[[source]]", []string{"f: nirctl.database: write postgres://user@host/name"}},
		{"[[source]]", "[nirctl]\ndatabase = \"mysql://u@h/n\"\n[[source]]", []string{`f: nirctl.database = "mysql://u@h/n": write the file`}},
		{"[[source]]", "[nirctl]\ndatabase = \"public/registry.db\"\n[[source]]", []string{`f: nirctl.database = "public/registry.db": write a folder of its own`}},
		{"[[source]]", "[nirctl]\nallocation_days = 0\nresponse_days = 366\nsplit_days = 0\nquarantine_days = -1\ntimezone = \"../x\"\n[[source]]", []string{"f: nirctl.allocation_days = 0", "f: nirctl.response_days = 366", "f: nirctl.split_days = 0", "f: nirctl.quarantine_days = -1", `f: nirctl.timezone = "../x"`}},
		{"[[source]]", "[nirctl]\nwhois_source = \"a b\"\nmntner = \"-\"\n[[nirctl.holidays]]\neconomy = \"Japan\"\ndates = [2026-01-01]\n[[source]]", []string{`f: nirctl.whois_source = "a b"`, `f: nirctl.mntner = "-"`, `f: nirctl.holidays.economy = "Japan": write two upper-case letters (ISO 3166-1), or RIR`}},
		{"[[source]]", "[[nirctl.local]]\nnir = \"J P\"\nkind = \"ip\"\ntype = \"gift\"\n[[source]]", []string{`f: nirctl.local.nir = "J P"`, `f: nirctl.local.kind = "ip": not one of ipv4, ipv6, asn`, `f: nirctl.local.type = "gift": not one of allocation, assignment`}},
		{"[[source]]", "[[nirctl.user]]\naccount = \"a\"\nroles = [\"nir-staff\", \"root\"]\n[[nirctl.user]]\naccount = \"a\"\n[[source]]", []string{`f: nirctl.user (a).roles = "root": not one of nir-staff`, "f: nirctl.user (a): nir names the NIR", "f: nirctl.user (a): every user needs an account of its own"}},
		{"[[source]]", "[nirctl.mail]\nserver = \"mail.example\"\ntls = \"none\"\nport = 70000\nuser = \"u\"\nattempts = 0\n[[source]]", []string{"f: nirctl.mail.attempts = 0", "f: nirctl.mail.port = 70000", "f: nirctl.mail.from: it is missing", "f: nirctl.mail: user and password_file go together", `f: nirctl.mail.tls = "none": only for a server on a loopback address`, `f: nirctl.mail.tls = "none": a password is sent through TLS alone`}},
		{"[[source]]", "[nirctl.mail]\nserver = \"localhost\"\nfrom = \"a@b.example\"\ntls = \"none\"\n[[source]]", []string{`f: nirctl.mail.tls = "none": only for a server on a loopback address such as 127.0.0.1, not "localhost"`}},
		{"[[source]]", "[nirctl.mail]\ntls = \"maybe\"\ntimeout = \"0s\"\n[[source]]", []string{`f: nirctl.mail.timeout = "0s"`, `f: nirctl.mail.tls = "maybe": not one of starttls, implicit, none`}},
	} {
		in := strings.Replace(good, tc.old, tc.new, 1)
		if in == good {
			t.Fatalf("%q is not in the configuration", tc.old)
		}
		t.Run(tc.new, func(t *testing.T) {
			c, err := ParseConfig("f", []byte(in))
			if c != nil {
				t.Error("a configuration beside errors")
			}
			wantErrors(t, err, tc.want...)
		})
	}
}

// The example is a good configuration, and so is it with every default that it
// shows; it says the defaults that hold; and it names every key.
func TestExample(t *testing.T) {
	data, err := os.ReadFile("../nirzone.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := ParseConfig("nirzone.toml", data)
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile(`(?m)^# ([a-z0-9_]+ +=.*|\[+[a-z.]+\]+)$`)
	all := shown.ReplaceAll(data, []byte("$1"))
	if _, err := ParseConfig("nirzone.toml", all); err != nil {
		t.Errorf("with all that is shown: %v", err)
	}
	for _, example := range []string{
		"metrics", "tls", "ca_file", "user", "password_file", "identity_file", "known_hosts_file", "rsync", "reload", "fingerprint", "from", "until", "allow", "reason",
		"anchors", "resolvers", "host", "addresses", "serves", "zone",
		"signers", "archive", "whois_source", "mntner", "economy", "dates", "nir", "kind", "type", "smallest", "largest", "required", "account", "roles",
		"server", "hello", "reply_to", "staff",
		"contact", "encryption", "acknowledgments", "policy", "hiring", "canonical", "languages",
	} {
		all = regexp.MustCompile(`(?m)^`+example+` +=.*$`).ReplaceAll(all, nil)
	}
	all = regexp.MustCompile(`(?m)^\[\[(source|signing|observe|nirctl)\.[a-z]+\]\]$`).ReplaceAll(all, nil)
	full, err := ParseConfig("nirzone.toml", all)
	if err != nil {
		t.Fatal(err)
	}
	plain.SHA256, full.SHA256 = "", ""
	if diff := cmp.Diff(plain, full); diff != "" {
		t.Errorf("the defaults shown are not those that hold (-hold +shown):\n%s", diff)
	}
	for _, key := range tomlKeys(reflect.TypeFor[rawConfig]()) {
		if !regexp.MustCompile(`(?m)^(# )?(\[+([a-z]+\.)?` + key + `\]+|` + key + ` +=)`).Match(data) {
			t.Errorf("%s is not in nirzone.example.toml", key)
		}
	}
}

func tomlKeys(t reflect.Type) []string {
	for t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || !strings.HasPrefix(t.Name(), "raw") {
		return nil
	}
	var keys []string
	for i := range t.NumField() {
		f := t.Field(i)
		keys = append(keys, f.Tag.Get("toml"))
		keys = append(keys, tomlKeys(f.Type)...)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"3d": 72 * time.Hour, "1d12h": 36 * time.Hour, "90s": 90 * time.Second, "0d": 0, "1h30m": 90 * time.Minute, "500ms": time.Second / 2,
	} {
		if got, err := parseDuration(s); err != nil || got != want {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "d", "3", "1.5d", "-1d", "1d1d", "1d-1h", "12h1d", "99999d", "65535d2000000h", "1y"} {
		if got, err := parseDuration(s); err == nil {
			t.Errorf("%q: %v, want an error", s, got)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	example, err := os.ReadFile("../nirzone.example.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add([]byte(configHead + configZones + configSource))
	f.Add([]byte("version = 1\n[gates]\npercent = nan\n[[zones]]\nnames = [\"x\"]\nttl = []"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<15 {
			return
		}
		c, err := ParseConfig("f", data)
		if (c == nil) == (err == nil) {
			t.Fatalf("%v beside %v", c, err)
		}
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				if strings.TrimSpace(line) == "" {
					t.Errorf("an empty mistake: %q", err)
				}
			}
			return
		}
		for _, s := range c.Sources {
			for _, z := range s.Zones {
				if name := s.FileName(z); strings.ContainsAny(name, "/{}") || name == "" || name == "." || name == ".." {
					t.Errorf("%s publishes %s as %q", s.Name, z, name)
				}
			}
		}
		if len(c.Zones()) == 0 || c.Signing.Algorithm == 0 || c.Gates.Percent != c.Gates.Percent {
			t.Errorf("%+v", c)
		}
	})
}

// TestConfigPrivateFolders: name servers are handed public, so nothing private
// may lie in it.
func TestConfigPrivateFolders(t *testing.T) {
	for line, good := range map[string]bool{
		`state = "public/state"`: false, `keys = "public"`: false, `spool = ""`: false, `public = "."`: false, `registry = "public/../public/x"`: false,
		`state = "public2"`: true, `public = "/srv/public"`: true, `public = "state/public"`: true,
	} {
		_, err := ParseConfig("/etc/nirzone/nirzone.toml", []byte(line+"\n"+configHead+configZones+configSource))
		if (err == nil) != good || err != nil && !strings.Contains(err.Error(), "outside public") {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// TestConfigHidesTypes: a value of the wrong kind is told in the reader's words.
func TestConfigHidesTypes(t *testing.T) {
	_, err := ParseConfig("f", []byte("version = 1\n[publish]\nreload = [\"rndc\"]\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "f:3:11: ") || strings.Contains(err.Error(), "zone.raw") {
		t.Errorf("%v", err)
	}
}
