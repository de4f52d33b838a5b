package zone

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// ParseConfig reads nirzone.toml. Relative paths are taken from the folder of
// file. Unknown keys, unknown versions and values out of range are errors that
// name the line or the key and what is allowed; all of them are reported.
func ParseConfig(file string, data []byte) (*Config, error) {
	raw := rawDefaults()
	err := decodeTOML(data, &raw)
	var strict *toml.StrictMissingError
	if err != nil && (!errors.As(err, &strict) || raw.Version == ConfigVersion) {
		return nil, tomlError(file, err)
	}
	if raw.Version != ConfigVersion {
		return nil, fmt.Errorf(`%s: version %d is not known; write "version = %d"`, file, raw.Version, ConfigVersion)
	}
	sum := sha256.Sum256(data)
	p := configParser{dir: filepath.Dir(file)}
	c := p.config(&raw)
	c.File, c.SHA256 = file, hex.EncodeToString(sum[:])
	for i, err := range p.errs {
		p.errs[i] = fmt.Errorf("%s: %w", file, err)
	}
	if err := errors.Join(p.errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// decodeTOML decodes strictly. The decoder panics at some broken values, such as
// percent = +A000000000000000000000000.
func decodeTOML(data []byte, raw *rawConfig) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the file is no TOML that can be read (%v); compare it with nirzone.example.toml", r)
		}
	}()
	return toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(raw)
}

// tomlError gives a decoder's error the form file:line:column: message.
func tomlError(file string, err error) error {
	var strict *toml.StrictMissingError
	var errs []error
	if errors.As(err, &strict) {
		for _, e := range strict.Errors {
			line, col := e.Position()
			errs = append(errs, &SyntaxError{Pos{file, line, col}, fmt.Sprintf("unknown key %q; nirzone.example.toml lists all keys", strings.Join(e.Key(), "."))})
		}
		return errors.Join(errs...)
	}
	var de *toml.DecodeError
	if errors.As(err, &de) {
		line, col := de.Position()
		return &SyntaxError{Pos{file, line, col}, tomlText(err)}
	}
	return fmt.Errorf("%s: %s", file, tomlText(err))
}

// goType is how the decoder names a key's type: as this program's, not as the
// reader's.
var goType = regexp.MustCompile(`into struct field zone\.\w+\.\w+ of type \S+`)

// tomlText returns a decoder's text on one line: it quotes the file as it is.
func tomlText(err error) string {
	text := goType.ReplaceAllString(strings.TrimPrefix(err.Error(), "toml: "), "here; nirzone.example.toml shows the form of every key")
	q := strconv.Quote(text)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// A configParser turns the file's form into a Config and collects mistakes.
type configParser struct {
	dir  string
	errs []error
}

func (p *configParser) fail(format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf(format, args...))
}

func (p *configParser) path(s string) string {
	if s == "" || filepath.IsAbs(s) {
		return s
	}
	return filepath.Join(p.dir, s)
}

func (p *configParser) name(key, s string) Name {
	n, err := ParseName(s)
	if err != nil {
		p.fail("%s: %w", key, err)
	}
	return n
}

// mailbox reads the SOA's RNAME, which has a dot where the address has its @
// (RFC 1035, section 8).
func (p *configParser) mailbox(key, s string) Name {
	if local, domain, ok := strings.Cut(s, "@"); ok {
		p.fail("%s = %q: a mailbox is written as a name (RFC 1035, section 8): %s.%s", key, s, strings.ReplaceAll(local, ".", `\\.`), domain)
	}
	return p.name(key, s)
}

func (p *configParser) names(key string, in []string) []Name {
	var out []Name
	for _, s := range in {
		out = append(out, p.name(key, s))
	}
	sortNames(out)
	for i := 1; i < len(out); i++ {
		if out[i] == out[i-1] {
			p.fail("%s: %s stands twice", key, out[i])
		}
	}
	return out
}

func sortNames(names []Name) { slices.SortFunc(names, Name.Compare) }

// duration reads "3d", "2h30m", "45s".
func (p *configParser) duration(key, s string, least time.Duration) time.Duration {
	d, err := parseDuration(s)
	if err != nil || d < least {
		p.fail(`%s = %q: write a duration of at least %v such as "3d", "2h" or "30m"`, key, s, least)
	}
	return d
}

func parseDuration(s string) (time.Duration, error) {
	days, rest, ok := strings.Cut(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, err
	}
	d := time.Duration(n) * 24 * time.Hour
	if rest == "" {
		return d, nil
	}
	r, err := time.ParseDuration(rest)
	if err == nil && (r < 0 || d+r < d) {
		err = errors.New("a part is negative or too long")
	}
	return d + r, err
}

func (p *configParser) between(key string, v, least, most int) int {
	if v < least || v > most {
		p.fail("%s = %d: must be from %d to %d", key, v, least, most)
	}
	return v
}

// seconds checks a TTL or SOA timer (RFC 2181, section 8).
func (p *configParser) seconds(key string, v int64) uint32 {
	if v < 1 || v > math.MaxInt32 {
		p.fail("%s = %d: must be from 1 to %d seconds (RFC 2181, section 8)", key, v, math.MaxInt32)
		return 1
	}
	return uint32(v)
}

func (p *configParser) config(raw *rawConfig) *Config {
	c := &Config{
		RIR:   raw.RIR,
		Spool: p.path(raw.Spool), Registry: p.path(raw.Registry), Keys: p.path(raw.Keys),
		State: p.path(raw.State), Public: p.path(raw.Public), Metrics: p.path(raw.Metrics),
		Fetch: p.fetch(&raw.Fetch), Signing: p.signing(&raw.Signing),
		Gates: p.gates(&raw.Gates), Approvals: p.approvals(&raw.Gates), Publish: p.publish(&raw.Publish),
		Observe: p.observe(&raw.Observe), Nirctl: p.nirctl(&raw.Nirctl, raw.RIR),
	}
	p.sourceName("rir", c.RIR)
	p.privateFolders(c)
	for i := range raw.Zones {
		c.Groups = append(c.Groups, p.group(i, &raw.Zones[i]))
	}
	p.checkZones(c)
	zones := c.Zones()
	for i := range raw.Source {
		c.Sources = append(c.Sources, p.source(i, &raw.Source[i], zones))
	}
	p.checkSources(c)
	return c
}

// privateFolders keeps keys, notices and fetched bytes out of what is handed to
// name servers, and public out of the folders that others write.
func (p *configParser) privateFolders(c *Config) {
	for _, f := range []struct{ key, path string }{{"spool", c.Spool}, {"registry", c.Registry}, {"keys", c.Keys}, {"state", c.State}, {"nirctl.database", c.Nirctl.Database}} {
		if f.path == "" || within(f.path, c.Public) {
			p.fail("%s = %q: write a folder of its own, outside public = %q", f.key, f.path, c.Public)
		}
	}
	if c.Public == "" {
		p.fail("public: write a folder")
	}
}

// within reports whether a path is a folder or lies in it, by name.
func within(path, dir string) bool {
	r, err := filepath.Rel(dir, path)
	return err == nil && r != ".." && !strings.HasPrefix(r, "../")
}

func (p *configParser) checkZones(c *Config) {
	zones := c.Zones()
	if len(zones) == 0 {
		p.fail("zones: no [[zones]] group names a zone; there is nothing to build")
	}
	for i, z := range zones {
		if z == "" { // refused already
			continue
		}
		if _, ok := z.Prefix(); !ok {
			p.fail("zones.names: %s is not a zone of the reverse tree (in-addr.arpa or ip6.arpa)", z)
		}
		if i > 0 && zones[i-1] == z {
			p.fail("zones.names: %s stands twice", z)
		}
		for _, other := range zones {
			if z != other && other != "" && z.Within(other) {
				p.fail("zones.names: %s lies inside %s; a parent zone may not hold another", z, other)
			}
		}
	}
}

func (p *configParser) checkSources(c *Config) {
	slices.SortFunc(c.Sources, func(a, b Source) int { return strings.Compare(a.Name, b.Name) })
	seen := map[string]bool{}
	for _, s := range c.Sources {
		// Names are labels of trailers and parts of file names: case is no difference.
		if lower := strings.ToLower(s.Name); seen[lower] {
			p.fail("source.name: %s stands twice", s.Name)
		} else {
			seen[lower] = true
		}
		if strings.EqualFold(s.Name, c.RIR) {
			p.fail("source.name: %s is the registry itself (rir); its zonelets are read from the registry folder", s.Name)
		}
	}
}

var sourceName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,31}$`)

// IsSourceName reports whether a source, or the registry itself, may be called s.
func IsSourceName(s string) bool { return sourceName.MatchString(s) }

func (p *configParser) sourceName(key, s string) {
	if !sourceName.MatchString(s) {
		p.fail("%s = %q: a name is 1 to 32 letters, digits and hyphens, a letter first", key, s)
	}
}

func (p *configParser) group(i int, r *rawGroup) Group {
	key := fmt.Sprintf("zones[%d]", i)
	r.defaults()
	g := Group{
		Names: p.names(key+".names", r.Names),
		NS:    p.names(key+".ns", r.NS),
		TTL:   p.ttl(key, r),
		SOA: SOA{
			MName: p.name(key+".soa.mname", r.SOA.MName), RName: p.mailbox(key+".soa.rname", r.SOA.RName),
			Refresh: p.seconds(key+".soa.refresh", r.SOA.Refresh), Retry: p.seconds(key+".soa.retry", r.SOA.Retry),
			Expire: p.seconds(key+".soa.expire", r.SOA.Expire), Minimum: p.seconds(key+".soa.minimum", r.SOA.Minimum),
			TTL: p.seconds(key+".soa.ttl", r.SOA.TTL),
		},
	}
	for _, n := range append(slices.Clone(g.NS), g.SOA.MName) {
		if n != "" && !isHostName(n) {
			p.fail("%s: %s is no host name: letters, digits and hyphens, two labels or more (RFC 1123, section 2.1)", key, n)
		}
	}
	if len(g.NS) == 0 {
		p.fail("%s.ns: a zone needs at least one name server (RFC 1035, section 5.2)", key)
	}
	family, err := ParseFamily(r.SOA.Serial)
	if err != nil {
		p.fail("%s.soa: %w", key, err)
	}
	g.SOA.Family = family
	return g
}

func (p *configParser) ttl(key string, r *rawGroup) TTL {
	switch v := r.TTL.(type) {
	case nil:
		return TTL{Fixed: 86400}
	case int64:
		return TTL{Fixed: p.seconds(key+".ttl", v)}
	case string:
		if v == "source" {
			t := TTL{FromSource: true, Fixed: 86400, Min: p.seconds(key+".ttl_min", r.TTLMin), Max: p.seconds(key+".ttl_max", r.TTLMax)}
			if t.Min > t.Max {
				p.fail("%s: ttl_min %d is above ttl_max %d", key, t.Min, t.Max)
			}
			return t
		}
	}
	p.fail(`%s.ttl = %v: write seconds or "source"`, key, r.TTL)
	return TTL{}
}

func (p *configParser) source(i int, r *rawSource, zones []Name) Source {
	key := fmt.Sprintf("source[%d] (%s)", i, r.Name)
	p.sourceName(key+".name", r.Name)
	r.defaults()
	s := Source{
		Name: r.Name, URL: r.URL, AllowGNU: r.AllowGNU, Keyring: p.path(r.Keyring),
		TrailerOptional: r.TrailerOptional, AllowHTTP: r.AllowHTTP, TLS: r.TLS, CAFile: p.path(r.CAFile),
		User: r.User, PasswordFile: p.path(r.PasswordFile),
		IdentityFile: p.path(r.IdentityFile), KnownHostsFile: p.path(r.KnownHostsFile),
		StaleAfter:   p.duration(key+".stale_after", r.StaleAfter, time.Minute),
		AlarmAfter:   p.duration(key+".alarm_after", r.AlarmAfter, time.Minute),
		RaceDeadline: p.duration(key+".race_deadline", r.RaceDeadline, 0),
		MaxBytes:     int64(p.between(key+".max_bytes", r.MaxBytes, 1, 1<<30)),
		MaxFiles:     p.between(key+".max_files", r.MaxFiles, 1, 100000),
	}
	if s.AlarmAfter < s.StaleAfter {
		p.fail("%s: alarm_after %v is below stale_after %v; the warning comes first", key, s.AlarmAfter, s.StaleAfter)
	}
	p.sourceZones(key, r, zones, &s)
	p.sourceURL(key, &s)
	p.require(key, r, &s)
	p.legacy(key, r, &s)
	return s
}

func (p *configParser) sourceZones(key string, r *rawSource, zones []Name, s *Source) {
	switch v := r.Zones.(type) {
	case string:
		s.Listed = v == "listed"
		if s.Listed {
			s.Zones = zones
			return
		}
	case []any:
		var list []string
		for _, e := range v {
			list = append(list, fmt.Sprint(e))
		}
		s.Zones = p.names(key+".zones", list)
		for _, z := range s.Zones {
			if !slices.Contains(zones, z) {
				p.fail("%s.zones: %s is in no [[zones]] group", key, z)
			}
		}
		if len(s.Zones) > 0 {
			return
		}
	}
	p.fail(`%s.zones: write "listed" or a list of zones`, key)
}

func (p *configParser) sourceURL(key string, s *Source) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || u.Path == "" || !userAllowed(u) || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		p.fail("%s.url = %q: write scheme://host/path/{zone}-{name}, without query, user or password (user, password_file)", key, s.URL)
		return
	}
	switch u.Scheme {
	case "ftp", "https", "rsync", "rsync+ssh":
	case "http":
		if !s.AllowHTTP {
			p.fail("%s.url: http is refused; use https, or set allow_http = true", key)
		}
	default:
		p.fail("%s.url: scheme %q is not one of ftp, https, http, rsync, rsync+ssh", key, u.Scheme)
	}
	dir, base := u.Path[:strings.LastIndex(u.Path, "/")+1], u.Path[strings.LastIndex(u.Path, "/")+1:]
	if strings.ContainsAny(dir, "{}") || len(s.Zones) > 1 && s.FileName(s.Zones[0]) == s.FileName(s.Zones[1]) || base == "" {
		p.fail("%s.url: the file name must hold {zone}, {octet} or {octet3}, and no other path element may", key)
	}
	if strings.ContainsAny(s.FileName("1.in-addr.arpa."), "{}") {
		p.fail("%s.url: the only placeholders are {zone}, {octet}, {octet3} and {name}", key)
	}
	if s.TLS != "" && (s.TLS != "explicit" || u.Scheme != "ftp") {
		p.fail(`%s.tls = %q: only "explicit", and only for ftp`, key, s.TLS)
	}
}

// userAllowed reports whether a URL names no user, or one for ssh, and no
// password: secrets are in files of their own.
func userAllowed(u *url.URL) bool {
	if u.User == nil {
		return true
	}
	_, password := u.User.Password()
	return u.Scheme == "rsync+ssh" && !password
}

// FileName returns the base name under which the source publishes the zonelet
// of a parent zone: the last element of its URL with the placeholders filled
// in.
func (s *Source) FileName(zone Name) string {
	base := s.URL[strings.LastIndex(s.URL, "/")+1:]
	octet, octet3 := zone.File(), zone.File()
	if o, ok := strings.CutSuffix(zone.File(), ".in-addr.arpa"); ok {
		octet, octet3 = o, o
		if len(o) < 3 && !strings.Contains(o, ".") {
			octet3 = strings.Repeat("0", 3-len(o)) + o
		}
	}
	return strings.NewReplacer("{zone}", zone.File(), "{octet}", octet, "{octet3}", octet3, "{name}", s.Name).Replace(base)
}

func (p *configParser) require(key string, r *rawSource, s *Source) {
	for _, v := range r.Require {
		switch v {
		case "md5":
			s.RequireMD5 = true
		case "pgp":
			s.RequirePGP = true
		default:
			p.fail(`%s.require: %q is not one of "md5", "pgp"`, key, v)
		}
	}
	if s.RequirePGP && s.Keyring == "" {
		p.fail(`%s.keyring: a source that requires "pgp" needs a file with its public keys`, key)
	}
}

var fingerprint = regexp.MustCompile(`^([0-9A-F]{40}|[0-9A-F]{64})$`)

func (p *configParser) fingerprint(key, s string) string {
	s = strings.ToUpper(strings.ReplaceAll(s, " ", ""))
	if !fingerprint.MatchString(s) {
		p.fail("%s = %q: write a fingerprint of 40 or 64 hex digits", key, s)
	}
	return s
}

func (p *configParser) legacy(key string, r *rawSource, s *Source) {
	for _, l := range r.Legacy {
		out := Legacy{Allow: l.Allow, Until: l.Until.AsTime(time.UTC)}
		switch l.Allow {
		case "expired":
			out.Fingerprint = p.fingerprint(key+".legacy.fingerprint", l.Fingerprint)
		case "sha1", "dsa":
		default:
			p.fail(`%s.legacy.allow: %q is not one of "sha1", "dsa", "expired"`, key, l.Allow)
		}
		if l.Until.Year == 0 {
			p.fail("%s.legacy.until: a weakness is allowed until a date only; write until = 2027-06-30", key)
		}
		s.Legacy = append(s.Legacy, out)
	}
	for _, k := range r.Keys {
		w := KeyWindow{Fingerprint: p.fingerprint(key+".keys.fingerprint", k.Fingerprint)}
		if k.From.Year != 0 {
			w.From = k.From.AsTime(time.UTC)
		}
		if k.Until.Year != 0 {
			w.Until = k.Until.AsTime(time.UTC)
		}
		if !w.Until.IsZero() && !w.From.Before(w.Until) {
			p.fail("%s.keys: until is not after from for %s", key, w.Fingerprint)
		}
		s.KeyWindows = append(s.KeyWindows, w)
	}
}

func (p *configParser) fetch(r *rawFetch) FetchConfig {
	if len(r.Rsync) > 0 && r.Rsync[0] == "" {
		p.fail(`fetch.rsync: an empty command; write rsync = ["rsync"]`)
	}
	return FetchConfig{
		Parallel: p.between("fetch.parallel", r.Parallel, 1, 64), PerHost: p.between("fetch.per_host", r.PerHost, 1, 64),
		Connect: p.duration("fetch.connect", r.Connect, time.Millisecond), Idle: p.duration("fetch.idle", r.Idle, time.Millisecond),
		Total:   p.duration("fetch.total", r.Total, time.Millisecond),
		Retries: p.between("fetch.retries", r.Retries, 0, 10), Backoff: p.duration("fetch.backoff", r.Backoff, 0),
		Rsync: r.Rsync,
	}
}

var algorithms = map[string]uint8{"rsasha256": 8, "ecdsap256sha256": 13, "ed25519": 15}

func (p *configParser) signing(r *rawSigning) SigningConfig {
	s := SigningConfig{
		Algorithm: algorithms[r.Algorithm],
		Validity:  p.duration("signing.validity", r.Validity, time.Minute), Slot: p.duration("signing.slot", r.Slot, time.Second),
		Inception: p.duration("signing.inception", r.Inception, 0), Alarm: p.duration("signing.alarm", r.Alarm, 0),
		DNSKEYTTL: p.seconds("signing.dnskey_ttl", r.DNSKEYTTL), Denial: p.denial(r.Denial),
	}
	if s.Algorithm == 0 {
		p.fail(`signing.algorithm = %q: not one of "rsasha256", "ecdsap256sha256", "ed25519" (RFC 8624, section 3.1)`, r.Algorithm)
	}
	p.keyPolicy(&s, r)
	if s.Slot+s.Alarm > s.Validity {
		p.fail("signing: a signature has %v left when its slot of %v ends, less than the alarm of %v; lengthen validity or shorten slot", s.Validity-s.Slot, s.Slot, s.Alarm)
	}
	return s
}

func (p *configParser) denial(s string) Denial {
	i := slices.Index(denials, s)
	if i < 0 {
		p.fail(`signing.denial = %q: not one of "nsec", "nsec3"`, s)
	}
	return Denial(max(i, 0))
}

func (p *configParser) gates(r *rawGates) Limits {
	lim := Limits{
		Percent: p.percent("gates.percent", r.Percent), Least: p.between("gates.least", r.Least, 0, math.MaxInt32), Most: p.between("gates.most", r.Most, 1, math.MaxInt32),
		Last: r.Last, Wide4: p.between("gates.wide4", r.Wide4, 0, 32), Wide6: p.between("gates.wide6", r.Wide6, 0, 128),
		TotalPercent: p.percent("gates.total_percent", r.TotalPercent), Expires: p.duration("gates.accept_expires", r.Expires, time.Minute),
	}
	p.moreGates(r, &lim)
	return lim
}

func isPercent(v float64) bool { return v >= 0 && v <= 100 } // false for NaN

func (p *configParser) publish(r *rawPublish) PublishConfig {
	for _, argv := range r.Reload {
		if len(argv) == 0 || argv[0] == "" {
			p.fail(`publish.reload: an empty command; write reload = [["rndc", "reload", "{zone}"]]`)
		}
	}
	return PublishConfig{Keep: p.between("publish.keep", r.Keep, 2, 100000), Reload: r.Reload, Timeout: p.duration("publish.reload_timeout", r.Timeout, time.Second)}
}
