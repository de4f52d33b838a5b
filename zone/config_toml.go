package zone

import "github.com/pelletier/go-toml/v2"

// rawConfig and what hangs below it is nirzone.toml as it is written;
// nirzone.example.toml documents every key.
type rawConfig struct {
	Version  int         `toml:"version"`
	RIR      string      `toml:"rir"`
	Spool    string      `toml:"spool"`
	Registry string      `toml:"registry"`
	Keys     string      `toml:"keys"`
	State    string      `toml:"state"`
	Public   string      `toml:"public"`
	Metrics  string      `toml:"metrics"`
	Fetch    rawFetch    `toml:"fetch"`
	Signing  rawSigning  `toml:"signing"`
	Gates    rawGates    `toml:"gates"`
	Publish  rawPublish  `toml:"publish"`
	Observe  rawObserve  `toml:"observe"`
	Nirctl   rawNirctl   `toml:"nirctl"`
	Source   []rawSource `toml:"source"`
	Zones    []rawGroup  `toml:"zones"`
}

type rawSource struct {
	Name            string      `toml:"name"`
	URL             string      `toml:"url"`
	Zones           any         `toml:"zones"`
	Require         []string    `toml:"require"`
	AllowGNU        bool        `toml:"allow_gnu_md5"`
	Keyring         string      `toml:"keyring"`
	Keys            []rawKey    `toml:"keys"`
	Legacy          []rawLegacy `toml:"legacy"`
	TrailerOptional bool        `toml:"trailer_optional"`
	StaleAfter      string      `toml:"stale_after"`
	AlarmAfter      string      `toml:"alarm_after"`
	RaceDeadline    string      `toml:"race_deadline"`
	MaxBytes        int         `toml:"max_bytes"`
	MaxFiles        int         `toml:"max_files"`
	TLS             string      `toml:"tls"`
	CAFile          string      `toml:"ca_file"`
	AllowHTTP       bool        `toml:"allow_http"`
	User            string      `toml:"user"`
	PasswordFile    string      `toml:"password_file"`
	IdentityFile    string      `toml:"identity_file"`
	KnownHostsFile  string      `toml:"known_hosts_file"`
}

type rawKey struct {
	Fingerprint string         `toml:"fingerprint"`
	From        toml.LocalDate `toml:"from"`
	Until       toml.LocalDate `toml:"until"`
}

type rawLegacy struct {
	Allow       string         `toml:"allow"`
	Fingerprint string         `toml:"fingerprint"`
	Until       toml.LocalDate `toml:"until"`
}

type rawGroup struct {
	Names  []string `toml:"names"`
	NS     []string `toml:"ns"`
	TTL    any      `toml:"ttl"`
	TTLMin int64    `toml:"ttl_min"`
	TTLMax int64    `toml:"ttl_max"`
	SOA    rawSOA   `toml:"soa"`
}

type rawSOA struct {
	MName   string `toml:"mname"`
	RName   string `toml:"rname"`
	Refresh int64  `toml:"refresh"`
	Retry   int64  `toml:"retry"`
	Expire  int64  `toml:"expire"`
	Minimum int64  `toml:"minimum"`
	TTL     int64  `toml:"ttl"`
	Serial  string `toml:"serial"`
}

type rawFetch struct {
	Parallel int      `toml:"parallel"`
	PerHost  int      `toml:"per_host"`
	Connect  string   `toml:"connect"`
	Idle     string   `toml:"idle"`
	Total    string   `toml:"total"`
	Retries  int      `toml:"retries"`
	Backoff  string   `toml:"backoff"`
	Rsync    []string `toml:"rsync"`
}

type rawSigning struct {
	Algorithm string `toml:"algorithm"`
	Validity  string `toml:"validity"`
	Slot      string `toml:"slot"`
	Inception string `toml:"inception"`
	Alarm     string `toml:"alarm"`
	DNSKEYTTL int64  `toml:"dnskey_ttl"`
	Denial    string `toml:"denial"`

	Profile     string      `toml:"profile"`
	Keys        string      `toml:"keys"`
	ZSKLifetime string      `toml:"zsk_lifetime"`
	KSKLifetime string      `toml:"ksk_lifetime"`
	Propagation string      `toml:"propagation"`
	DSTTL       string      `toml:"ds_ttl"`
	Freeze      []rawFreeze `toml:"freeze"`
}

type rawFreeze struct {
	From   toml.LocalDate `toml:"from"`
	Until  toml.LocalDate `toml:"until"`
	Reason string         `toml:"reason"`
}

type rawGates struct {
	Percent      float64 `toml:"percent"`
	Least        int     `toml:"least"`
	Most         int     `toml:"most"`
	Last         bool    `toml:"last"`
	Wide4        int     `toml:"wide4"`
	Wide6        int     `toml:"wide6"`
	TotalPercent float64 `toml:"total_percent"`
	Expires      string  `toml:"accept_expires"`

	Claims *float64 `toml:"claims_percent"`

	Approvals int    `toml:"approvals"`
	Signers   string `toml:"signers"`

	Day  rawWindow `toml:"day"`
	Week rawWindow `toml:"week"`

	Removed    rawKind `toml:"removed"`
	Shadowed   rawKind `toml:"shadowed"`
	NSReplaced rawKind `toml:"ns_replaced"`
	DSAdded    rawKind `toml:"ds_added"`
	DSChanged  rawKind `toml:"ds_changed"`
	DSRemoved  rawKind `toml:"ds_removed"`
}

// rawLimit is a limit of which any part may be left to the one it stands under.
type rawLimit struct {
	Percent *float64 `toml:"percent"`
	Least   *int     `toml:"least"`
	Most    *int     `toml:"most"`
}

type rawWindow struct {
	Percent      *float64 `toml:"percent"`
	Least        *int     `toml:"least"`
	Most         *int     `toml:"most"`
	TotalPercent *float64 `toml:"total_percent"`
}

type rawKind struct {
	Percent *float64 `toml:"percent"`
	Least   *int     `toml:"least"`
	Most    *int     `toml:"most"`
	Day     rawLimit `toml:"day"`
	Week    rawLimit `toml:"week"`
}

type rawPublish struct {
	Keep    int        `toml:"keep"`
	Reload  [][]string `toml:"reload"`
	Timeout string     `toml:"reload_timeout"`
}

// DefaultLimits returns the gates of a configuration that does not set them.
func DefaultLimits() Limits {
	raw := rawDefaults()
	return (&configParser{}).gates(&raw.Gates)
}

// rawDefaults returns what holds for keys that the file does not set.
func rawDefaults() rawConfig {
	return rawConfig{
		Spool: "spool", Registry: "registry", Keys: "keys", State: "state", Public: "public",
		Fetch: rawFetch{Parallel: 8, PerHost: 2, Connect: "30s", Idle: "60s", Total: "20m", Retries: 2, Backoff: "2s"},
		Signing: rawSigning{
			Algorithm: "ecdsap256sha256", Validity: "21d", Slot: "11d", Inception: "1h", Alarm: "9d", DNSKEYTTL: 3600, Denial: "nsec",
			Profile: "ksk+zsk", Keys: "automatic", ZSKLifetime: "90d", KSKLifetime: "off", Propagation: "6h", DSTTL: "2d",
		},
		Gates:   rawGates{Percent: 5, Least: 10, Most: 100, Last: true, Wide4: 16, Wide6: 32, TotalPercent: 2, Expires: "7d"},
		Publish: rawPublish{Keep: 48, Timeout: "60s"},
		Observe: observeDefaults(),
		Nirctl:  nirctlDefaults(),
	}
}

// defaults fills in what a [[zones]] group does not set: the registry's own
// timers as measured on the live tree, TTLs as RFC 6781, section 4.4.2, wants.
func (r *rawGroup) defaults() {
	set := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	set(&r.TTLMin, 3600)
	set(&r.TTLMax, 172800)
	set(&r.SOA.Refresh, 7200)
	set(&r.SOA.Retry, 1800)
	set(&r.SOA.Expire, 604800)
	set(&r.SOA.Minimum, 3600)
	set(&r.SOA.TTL, 86400)
	if r.SOA.Serial == "" {
		r.SOA.Serial = "date"
	}
}

// defaults fills in what a [[source]] does not set. A list element cannot be
// decoded over defaults, so zero means unset here.
func (r *rawSource) defaults() {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	set(&r.StaleAfter, "3d")
	set(&r.AlarmAfter, "7d")
	set(&r.RaceDeadline, "30m")
	if r.Require == nil {
		r.Require = []string{"md5", "pgp"}
	}
	if r.MaxBytes == 0 {
		r.MaxBytes = 64 << 20
	}
	if r.MaxFiles == 0 {
		r.MaxFiles = 1000
	}
}
