package nir

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A SecurityContact is where vulnerabilities of the registry's services are to be
// reported: the fields of security.txt (RFC 9116, section 2.5), which a web server
// answers with at /.well-known/security.txt. Lists are in order of preference.
type SecurityContact struct {
	Contact         []string // URIs: mailto:, https: or tel:; at least one
	Encryption      []string // URIs of keys: https:, dns: or openpgp4fpr:
	Acknowledgments []string // https: URIs of pages, and so on
	Policy          []string
	Hiring          []string
	Canonical       []string      // where the file is to be found
	Languages       []string      // that reports may be in (RFC 5646)
	ValidFor        time.Duration // until the file expires
}

// maxSecurityLife bounds how long a security.txt says that it is right (RFC 9116,
// section 2.5.5: less than a year is recommended).
const maxSecurityLife = 365 * 24 * time.Hour

const securityRule = "RFC 9116, section 2.5"

var languageForm = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)

// A securityField is a field of security.txt and the URIs that it takes.
type securityField struct {
	name, config string
	schemes      []string
	values       []string
}

func (s *SecurityContact) fields() (before, after []securityField) {
	web := []string{"https"}
	return []securityField{{"Contact", "contact", []string{"mailto", "https", "tel"}, s.Contact}},
		[]securityField{
			{"Encryption", "encryption", []string{"https", "dns", "openpgp4fpr"}, s.Encryption},
			{"Acknowledgments", "acknowledgments", web, s.Acknowledgments},
			{"Canonical", "canonical", web, s.Canonical},
			{"Policy", "policy", web, s.Policy},
			{"Hiring", "hiring", web, s.Hiring},
		}
}

// Text writes the file as of a time. It is the same all day long (UTC): a run of
// cron changes it once a day. All mistakes are told at once.
func (s *SecurityContact) Text(now time.Time) ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	write := func(list []securityField) {
		for _, f := range list {
			for _, v := range f.values {
				fmt.Fprintf(&b, "%s: %s\n", f.name, v)
			}
		}
	}
	before, after := s.fields()
	write(before)
	fmt.Fprintf(&b, "Expires: %s\n", now.UTC().Truncate(24*time.Hour).Add(s.ValidFor).Format(time.RFC3339))
	if len(s.Languages) > 0 {
		fmt.Fprintf(&b, "Preferred-Languages: %s\n", strings.Join(s.Languages, ", "))
	}
	write(after)
	return b.Bytes(), nil
}

func (s *SecurityContact) check() error {
	var m mistakes
	if len(s.Contact) == 0 {
		m.add(invalid("contact", "it is missing: say where vulnerabilities are to be reported").by("RFC 9116, section 2.5.3"))
	}
	before, after := s.fields()
	for _, f := range append(before, after...) {
		for _, v := range f.values {
			m.add(checkURI(f, v))
		}
	}
	for _, l := range s.Languages {
		if !languageForm.MatchString(l) {
			m.add(invalid("languages", "%.40q is no language tag", l).by("RFC 5646, section 2.1"))
		}
	}
	if s.ValidFor < 48*time.Hour || s.ValidFor > maxSecurityLife {
		m.add(invalid("valid_for", "%s is not 2 to 365 days", s.ValidFor).by("RFC 9116, section 2.5.5"))
	}
	return m.err()
}

// checkURI refuses what is no absolute URI of a scheme that the field takes: pages
// are fetched over TLS, and an address without mailto: is none.
func checkURI(f securityField, value string) error {
	u, err := url.Parse(value)
	switch {
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
		return invalid(f.config, "%.80q has blanks, or characters that have to be escaped", value).by(securityRule)
	case err != nil || !slices.Contains(f.schemes, u.Scheme):
		return invalid(f.config, "%.80q is no URI that begins with %s:", value, strings.Join(f.schemes, ": or ")).by(securityRule)
	case u.Scheme == "https" && u.Host == "" || u.Scheme != "https" && u.Opaque == "" && u.Path == "" && u.Host == "":
		return invalid(f.config, "%.80q names nothing behind the scheme", value).by(securityRule)
	}
	return nil
}

// CheckSecurityText judges a security.txt that is published: it has to have one
// time of expiry, which is to come, and a contact, and no field twice that may be
// there once. The time of expiry is returned whenever there is one.
func CheckSecurityText(data []byte, now time.Time) (time.Time, error) {
	var m mistakes
	var expires time.Time
	seen := map[string]int{}
	for n, line := range strings.Split(string(data), "\n") {
		line = strings.TrimRight(line, "\r")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			m.add(invalid("file", "line %d: %.80q is no field", n+1, line).by("RFC 9116, section 2.2"))
			continue
		}
		name = strings.ToLower(name)
		seen[name]++
		if name == "expires" {
			var err error
			if expires, err = time.Parse(time.RFC3339, value); err != nil {
				m.add(invalid("file", "line %d: %.40q is no time", n+1, value).by("RFC 9116, section 2.5.5"))
			}
		}
	}
	switch {
	case seen["contact"] == 0:
		m.add(invalid("file", "it has no Contact").by("RFC 9116, section 2.5.3"))
	case seen["expires"] != 1 || seen["preferred-languages"] > 1:
		m.add(invalid("file", "it has Expires %d times and Preferred-Languages %d times", seen["expires"], seen["preferred-languages"]).by(securityRule))
	case !expires.IsZero() && !now.Before(expires):
		m.add(invalid("file", "it expired at %s", expires.Format(time.RFC3339)).by("RFC 9116, section 2.5.5"))
	}
	return expires, m.err()
}
