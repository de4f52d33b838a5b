package zone

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// keyPolicy reads the part of [signing] that is about the life of keys. As
// defaults, a KSK is rolled by command only, because its DS is in other hands;
// servers follow a commit within the SOA's refresh and retry (2.5 h), and a roll
// that takes longer costs nothing.
func (p *configParser) keyPolicy(s *SigningConfig, r *rawSigning) {
	s.CSK, s.ManualKeys = r.Profile == "csk", r.Keys == "manual"
	if !s.CSK && r.Profile != "ksk+zsk" {
		p.fail(`signing.profile = %q: not one of "ksk+zsk", "csk"`, r.Profile)
	}
	if !s.ManualKeys && r.Keys != "automatic" {
		p.fail(`signing.keys = %q: not one of "automatic", "manual"`, r.Keys)
	}
	if s.Propagation = p.duration("signing.propagation", r.Propagation, 0); s.Propagation == 0 { // what cannot be parsed is told already
		if d, err := parseDuration(r.Propagation); err == nil && d == 0 {
			p.fail(`signing.propagation = %q: no change is on every server at once; write how long the slowest one takes, such as "6h" (RFC 7583, section 3.2.1: Dprp)`, r.Propagation)
		}
	}
	s.DSTTL = p.duration("signing.ds_ttl", r.DSTTL, 0)
	// A key that lives shorter than its slots is never rid of its predecessor.
	s.ZSKLifetime = p.lifetime("signing.zsk_lifetime", r.ZSKLifetime, 2*s.Slot)
	s.KSKLifetime = p.lifetime("signing.ksk_lifetime", r.KSKLifetime, 2*s.Slot)
	for i := range r.Freeze {
		s.Freezes = append(s.Freezes, p.freeze(&r.Freeze[i]))
	}
	slices.SortStableFunc(s.Freezes, func(a, b Freeze) int { return a.From.Compare(b.From) })
}

func (p *configParser) lifetime(key, s string, least time.Duration) time.Duration {
	if s == "off" {
		return 0
	}
	return p.duration(key, s, max(least, time.Second))
}

func (p *configParser) freeze(r *rawFreeze) Freeze {
	f := Freeze{From: r.From.AsTime(time.UTC), Until: r.Until.AsTime(time.UTC), Reason: r.Reason}
	if r.From == (toml.LocalDate{}) || r.Until == (toml.LocalDate{}) || !f.From.Before(f.Until) {
		p.fail("signing.freeze: from = %s, until = %s: write two dates, the later one in until", r.From, r.Until)
	}
	return f
}

// Frozen returns the freeze that now is in, nil if it is in none.
func (s *SigningConfig) Frozen(now time.Time) *Freeze {
	for i := range s.Freezes {
		if f := &s.Freezes[i]; !now.Before(f.From) && now.Before(f.Until) {
			return f
		}
	}
	return nil
}

// ParseAlgorithm reads the word that the configuration has for an algorithm, or
// its number.
func ParseAlgorithm(s string) (uint8, error) {
	for word, n := range algorithms {
		if s == word || s == strconv.Itoa(int(n)) {
			return n, nil
		}
	}
	return 0, fmt.Errorf(`algorithm %.40q: not one of "rsasha256", "ecdsap256sha256", "ed25519" (RFC 8624, section 3.1)`, s)
}
