package resolver

import (
	"strings"
	"testing"
	"time"
)

var procedures = map[string]func() *scenario{
	"standing": standing, "ZSK": zskRoll, "KSK": kskRoll, "algorithm": algorithmRoll, "CSK": cskRoll,
}

// TestProcedures: what the RFCs prescribe, with times that are just enough, is
// never bogus.
func TestProcedures(t *testing.T) {
	for name, make := range procedures {
		if s := make().first(t); s != nil {
			t.Errorf("%s: %s", name, s)
		}
	}
}

const (
	noKey   = "no signature of the data is by a key of the DNSKEY set"
	noDS    = "no DS of algorithm"
	expired = "have expired"
	early   = "are not valid before"
)

// TestSeededFaults: a procedure that is wrong in one place, by one second where
// it is a matter of time, is found out.
func TestSeededFaults(t *testing.T) {
	second := time.Second
	for _, c := range []struct {
		name, procedure, want string
		fault                 func(s *scenario)
	}{
		{"ZSK signs before every cache has it", "ZSK", noKey, func(s *scenario) { s.keys[2].publish += second }},
		{"ZSK signs unpublished", "ZSK", noKey, func(s *scenario) { s.keys[2].publish = 23 * day }},
		{"ZSK published and active at once", "ZSK", noKey, func(s *scenario) { s.keys[2].publish = s.keys[2].active }},
		{"ZSK removed while signatures are cached", "ZSK", noKey, func(s *scenario) { s.keys[1].remove -= second }},
		{"ZSK removed one TTL early", "ZSK", noKey, func(s *scenario) { s.keys[1].remove -= s.dataTTL }},
		{"ZSK removed before its slots end", "ZSK", noKey, func(s *scenario) { s.keys[1].remove -= s.slot }},
		{"ZSK removed when it retires", "ZSK", noKey, func(s *scenario) { s.keys[1].remove = s.keys[1].retire }},
		{"DNSKEY TTL ignored", "ZSK", noKey, func(s *scenario) { s.keys[2].publish += s.dnskeyTTL }},
		{"DNSKEY TTL longer than planned with", "ZSK", noKey, func(s *scenario) { s.dnskeyTTL += second }},
		{"data TTL longer than planned with", "ZSK", noKey, func(s *scenario) { s.dataTTL *= 2 }},
		{"propagation slower than planned with", "ZSK", noKey, func(s *scenario) { s.delay += second }},
		{"a standby signer has another ZSK", "standing", noKey, func(s *scenario) {
			s.keys[1].retire = 40 * day
			s.keys = append(s.keys, life{key: key(9, 13), publish: 50 * day, active: 40 * day, retire: -1, remove: -1, dsFrom: -1})
		}},
		{"a standby signer has other keys", "standing", noKey, func(s *scenario) {
			s.keys[0].remove, s.keys[1].remove, s.keys[1].retire = 40*day, 40*day, 40*day
			s.keys = append(s.keys, life{key: key(8, 13), ksk: true, publish: 40 * day, active: 40 * day, remove: -1, dsFrom: -1},
				life{key: key(9, 13), publish: 40 * day, active: 40 * day, retire: -1, remove: -1, dsFrom: -1})
		}},
		{"one tag, two keys", "ZSK", noKey, func(s *scenario) {
			s.keys[2].key.Tag, s.keys[2].publish = s.keys[1].key.Tag, s.keys[2].active
		}},
		{"KSK removed before the old DS is out of caches", "KSK", noDS, func(s *scenario) { s.keys[0].remove -= second }},
		{"KSK removed when the new DS is seen", "KSK", noDS, func(s *scenario) { s.keys[0].remove = s.keys[2].dsFrom }},
		{"KSK removed, DS left", "KSK", noDS, func(s *scenario) { s.keys[0].dsUntil = -1; s.keys[2].dsFrom, s.keys[2].dsUntil = -1, -1 }},
		{"DS removed late", "KSK", noDS, func(s *scenario) { s.keys[0].dsUntil += 2 * day; s.keys[2].dsFrom += 2 * day }},
		{"DS too soon", "KSK", noDS, func(s *scenario) { s.keys[2].dsFrom -= second; s.keys[0].dsUntil -= second }},
		{"DS before the key", "KSK", noDS, func(s *scenario) { s.keys[2].dsFrom -= 5 * day; s.keys[0].dsUntil -= 5 * day }},
		{"DS TTL longer than planned with", "KSK", noDS, func(s *scenario) { s.dsTTL += second }},
		{"parent slower than planned with", "KSK", noDS, func(s *scenario) { s.parentDelay += second }},
		{"KSK published, not signing", "KSK", noDS, func(s *scenario) { s.keys[2].active = 40 * day }},
		{"algorithm: keys with the signatures", "algorithm", noKey, func(s *scenario) {
			s.keys[2].publish, s.keys[2].active, s.keys[3].publish = 30*day, 30*day, 30*day
		}},
		{"algorithm: keys before the last old signature is gone", "algorithm", noKey, func(s *scenario) {
			s.keys[2].publish -= second
			s.keys[3].publish -= second
		}},
		{"algorithm: DS with the keys", "algorithm", noDS, func(s *scenario) {
			s.keys[2].dsFrom, s.keys[0].dsUntil = s.keys[2].publish, s.keys[2].publish
		}},
		{"algorithm: old keys gone with the old DS", "algorithm", noDS, func(s *scenario) {
			s.keys[0].remove, s.keys[1].remove = s.keys[0].dsUntil, s.keys[0].dsUntil
		}},
		{"algorithm: old signatures gone with the old keys", "algorithm", noKey, func(s *scenario) {
			s.keys[1].retire = s.keys[1].remove - s.slot - s.delay - s.dataTTL
		}},
		{"CSK signs data at once", "CSK", noKey, func(s *scenario) { s.keys[3].active, s.keys[1].retire = s.keys[3].publish, s.keys[3].publish }},
		{"CSK removed with its DS", "CSK", noKey, func(s *scenario) {
			s.keys[0].remove = s.keys[0].dsUntil + s.parentDelay + s.dsTTL
			s.keys[1].remove = s.keys[0].remove
		}},
		{"signatures expire", "standing", expired, func(s *scenario) { s.validity = s.slot }},
		{"signatures outlive the run by less than propagation", "standing", expired, func(s *scenario) { s.validity = s.slot + s.delay - second }},
		{"signatures from the future", "standing", early, func(s *scenario) { s.inception = -second }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := procedures[c.procedure]()
			c.fault(s)
			got := s.first(t)
			if got == nil || !strings.Contains(got.Why, c.want) {
				t.Fatalf("got %v, want %q", got, c.want)
			}
			t.Log(got)
		})
	}
}
