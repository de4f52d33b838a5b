package zone

import (
	"time"
)

// ConfigVersion is the version of nirzone.toml that this program reads.
const ConfigVersion = 1

// A Config is nirzone.toml after validation by [ParseConfig]: every default
// filled in, every path absolute or relative to the working folder, every name
// canonical. The file itself is documented in nirzone.example.toml.
type Config struct {
	File   string // the file it was read from
	SHA256 string // hex digest of its bytes

	RIR      string // name of this registry: the source of registry/<zone>-<RIR>
	Spool    string // folder of zonefetch
	Registry string // folder with claims and the registry's own zonelets
	Keys     string // folder of the DNSSEC keys, read by zonebuild alone
	State    string // folder with people's decisions and caches of zonebuild
	Public   string // folder with generations and current
	Metrics  string // folder for Prometheus textfiles; "" writes none

	Sources []Source // sorted by name
	Groups  []Group
	Fetch   FetchConfig
	Signing SigningConfig
	Gates   Limits

	Approvals Approvals
	Publish   PublishConfig
	Observe   ObserveConfig
	Nirctl    NirctlConfig
}

// Zones returns every parent zone, sorted canonically.
func (c *Config) Zones() []Name {
	var names []Name
	for _, g := range c.Groups {
		names = append(names, g.Names...)
	}
	sortNames(names)
	return names
}

// Group returns the group that a zone is in, nil if it is in none.
func (c *Config) Group(zone Name) *Group {
	for i := range c.Groups {
		for _, n := range c.Groups[i].Names {
			if n == zone {
				return &c.Groups[i]
			}
		}
	}
	return nil
}

// Source returns a source by name, nil if there is none.
func (c *Config) Source(name string) *Source {
	for i := range c.Sources {
		if c.Sources[i].Name == name {
			return &c.Sources[i]
		}
	}
	return nil
}

// A Source is one NIR, or another registry that exports zonelets.
type Source struct {
	Name string

	// URL is where zonelets are, with {zone} (202.in-addr.arpa), {octet} (41;
	// the zone for ip6.arpa), {octet3} (041; likewise) and {name} to be filled
	// in. Schemes: ftp, https, http (only with AllowHTTP), rsync (daemon) and
	// rsync+ssh. The placeholders stand in the last path element only.
	URL string

	// Zones are the parent zones it publishes zonelets for. With Listed, those
	// of the registry's zones whose file is in the source's directory listing.
	Zones  []Name
	Listed bool

	RequireMD5 bool
	RequirePGP bool
	AllowGNU   bool   // take the GNU form of the .md5 too
	Keyring    string // file with its OpenPGP keys, armoured or binary
	KeyWindows []KeyWindow
	Legacy     []Legacy // weaknesses allowed for a time; always reported

	TrailerOptional bool // accept a zonelet without trailer

	StaleAfter   time.Duration // age of the last good check that is a warning
	AlarmAfter   time.Duration // … and an alarm
	RaceDeadline time.Duration // how long a file may differ from its seals

	MaxBytes int64 // of one zonelet
	MaxFiles int   // of one listing that match

	TLS            string // "" or "explicit" (ftp)
	CAFile         string // PEM roots for TLS; "" takes the system's
	AllowHTTP      bool
	User           string
	PasswordFile   string // one line; for ftp, https and the rsync daemon
	IdentityFile   string // ssh private key
	KnownHostsFile string // ssh host keys
}

// A KeyWindow limits when a key of a keyring counts, so that the old and the new
// key of an NIR overlap by plan. Zero times are open.
type KeyWindow struct {
	Fingerprint string // upper-case hex, 40 or 64 digits
	From, Until time.Time
}

// A Legacy allows one weakness until a date: "sha1" or "dsa" for signatures, or
// "expired" with the fingerprint of a key.
type Legacy struct {
	Allow       string
	Fingerprint string
	Until       time.Time
}

// A Group is a set of parent zones with the same apex.
type Group struct {
	Names []Name
	NS    []Name
	TTL   TTL
	SOA   SOA
}

// Apex returns the apex of one of the group's zones.
func (g *Group) Apex(zone Name) Apex {
	return Apex{Origin: zone, NS: g.NS, SOA: g.SOA, TTL: g.TTL}
}

// FetchConfig limits what zonefetch does.
type FetchConfig struct {
	Parallel int // sources at a time
	PerHost  int // connections to one host at a time
	Connect  time.Duration
	Idle     time.Duration // longest silence on a connection
	Total    time.Duration // longest time for one source
	Retries  int           // further tries after the first
	Backoff  time.Duration // before the first of them; doubles, with jitter
	Rsync    []string      // program to run instead of the built-in rsync; empty uses the built-in
}

// SigningConfig is the DNSSEC policy.
type SigningConfig struct {
	Algorithm uint8         // 8, 13 or 15 (RFC 8624, section 3.1)
	Validity  time.Duration // of a signature, from the start of its slot
	Slot      time.Duration // length of a slot: a signature is replaced when its slot ends
	Inception time.Duration // how long before its slot a signature is valid
	Alarm     time.Duration // least remaining validity that is no alarm
	DNSKEYTTL uint32        // seconds; also that of CDS and CDNSKEY
	Denial    Denial        // how it is proved that a name is not there

	// DeleteDS asks the parent, by CDS and CDNSKEY, to take every DS of the zone
	// away (RFC 8078, section 4). It is not a key of the file: it is set for one
	// zone, by a person.
	DeleteDS bool

	CSK         bool          // new zones get one key that signs everything, not a KSK and a ZSK
	ManualKeys  bool          // key steps are shown, not taken
	ZSKLifetime time.Duration // a ZSK is succeeded after this time; 0 never
	KSKLifetime time.Duration // likewise a KSK or CSK
	Propagation time.Duration // from a commit until every server answers with it, the parent's likewise
	DSTTL       time.Duration // the longest that a DS set of the parent is cached
	Freezes     []Freeze      // when key steps wait, sorted
}

// A Freeze is a time in which no key step is taken: from From until just before
// Until.
type Freeze struct {
	From, Until time.Time
	Reason      string
}

// Denial is how a signed zone proves that a name is not there.
type Denial uint8

// The ways. NSEC3 is with SHA-1, no extra iterations, no salt and without opt-out
// (RFC 9276, section 3.1).
const (
	DenialNSEC  Denial = iota // RFC 4034, section 4
	DenialNSEC3               // RFC 5155
)

var denials = []string{"nsec", "nsec3"}

// String returns the word used in the configuration.
func (d Denial) String() string { return denials[d] }

// Limits are the gates: how much one source may remove from one zone in one run
// before a person has to agree. Percentages are of the source's delegations in
// the zone before.
//
// The same limits are on every kind of [LossKinds], and over [Day] and [Week]
// together with what went unheld before, unless Special or Totals say otherwise.
// Those on DS that change or go are of the delegations with DS.
type Limits struct {
	Percent      float64       // more than this share, and at least Least, is held
	Least        int           // … owners
	Most         int           // this many owners are always held
	Last         bool          // hold the loss of a source's last delegation
	Wide4        int           // hold the loss of an IPv4 owner of this prefix length or shorter
	Wide6        int           // … IPv6
	TotalPercent float64       // hold if a source's total over all zones falls by more
	Expires      time.Duration // how long an accept counts

	ClaimsPercent float64 // hold the claims if they lose more of a source's IPv4 or IPv6 space
	// Special are limits of one kind and window that differ from Percent, Least
	// and Most, and Totals those of a window that differ from TotalPercent.
	Special []Limit
	Totals  []Limit
}

// Approvals say whose signatures an accept needs before it counts.
type Approvals struct {
	Needed  int    // by as many people other than the one who accepted; 0 for none
	Signers string // file with their keys (OpenSSH's allowed_signers); "" only without
}

// PublishConfig says what happens to a generation.
type PublishConfig struct {
	Keep    int        // generations kept
	Reload  [][]string // commands; {zone} in an argument runs it once a changed zone
	Timeout time.Duration
}
