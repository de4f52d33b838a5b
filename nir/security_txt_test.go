package nir

import (
	"strings"
	"testing"
	"time"
)

func aContact() SecurityContact {
	return SecurityContact{
		Contact: []string{"mailto:security@registry.example", "https://registry.example/report"}, Encryption: []string{"openpgp4fpr:5F2DE5521C63A801AB59CCB603D49DE44B29100F"},
		Policy: []string{"https://registry.example/policy"}, Canonical: []string{"https://registry.example/.well-known/security.txt"},
		Languages: []string{"en", "pt-BR"}, ValidFor: 90 * 24 * time.Hour,
	}
}

// TestR_SEC_6_SecurityTxt: the file says where vulnerabilities are reported, in the
// form of RFC 9116, and expires in less than a year from the day it was made.
func TestR_SEC_6_SecurityTxt(t *testing.T) {
	c := aContact()
	const want = `Contact: mailto:security@registry.example
Contact: https://registry.example/report
Expires: 2026-06-02T00:00:00Z
Preferred-Languages: en, pt-BR
Encryption: openpgp4fpr:5F2DE5521C63A801AB59CCB603D49DE44B29100F
Canonical: https://registry.example/.well-known/security.txt
Policy: https://registry.example/policy
`
	for _, at := range []time.Time{day, day.Add(14 * time.Hour), day.In(time.FixedZone("", 9*3600))} {
		got, err := c.Text(at)
		if err != nil || string(got) != want {
			t.Errorf("at %s, %v:\n%s want\n%s", at, err, got, want)
		}
	}
	expires := time.Date(2026, 6, 2, 0, 0, 0, 0, time.UTC)
	if got, err := CheckSecurityText([]byte(want), expires.Add(-time.Second)); err != nil || !got.Equal(expires) {
		t.Errorf("the file that was made: %s, %v", got, err)
	}
	if _, err := CheckSecurityText([]byte(want), expires); CodeOf(err) != Invalid || !strings.Contains(err.Error(), "expired") {
		t.Errorf("when it has expired: %v", err)
	}
}

// TestR_SEC_6_Refuses: what no researcher could use is refused, all of it at once.
func TestR_SEC_6_Refuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*SecurityContact)
		want   string
	}{
		"no contact":      {func(c *SecurityContact) { c.Contact = nil }, "contact: it is missing"},
		"bare address":    {func(c *SecurityContact) { c.Contact[0] = "security@registry.example" }, "contact: "},
		"http":            {func(c *SecurityContact) { c.Policy[0] = "http://registry.example/policy" }, "policy: "},
		"key by mail":     {func(c *SecurityContact) { c.Encryption[0] = "mailto:key@registry.example" }, "encryption: "},
		"another line":    {func(c *SecurityContact) { c.Contact[0] = "mailto:a@b.example\nExpires: 2030-01-01T00:00:00Z" }, "blanks"},
		"nothing behind":  {func(c *SecurityContact) { c.Canonical[0] = "https:" }, "names nothing"},
		"nothing to mail": {func(c *SecurityContact) { c.Contact[0] = "mailto:" }, "names nothing"},
		"language":        {func(c *SecurityContact) { c.Languages[1] = "English, please" }, "languages: "},
		"for ever":        {func(c *SecurityContact) { c.ValidFor = 400 * 24 * time.Hour }, "valid_for: "},
		"no time":         {func(c *SecurityContact) { c.ValidFor = 0 }, "valid_for: "},
	} {
		s := aContact()
		c.change(&s)
		if text, err := s.Text(day); CodeOf(err) != Invalid || !strings.Contains(err.Error(), c.want) || text != nil {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if _, err := (&SecurityContact{Policy: []string{"x"}}).Text(day); strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("not all mistakes at once: %v", err)
	}
	for name, text := range map[string]string{
		"empty": "", "no contact": "Expires: 2027-01-01T00:00:00Z\n", "no expiry": "Contact: mailto:a@b.example\n", "no field": "Contact: mailto:a@b.example\nExpires 2027\n",
		"two": "Contact: mailto:a@b.example\nExpires: 2027-01-01T00:00:00Z\nExpires: 2028-01-01T00:00:00Z\n", "no time": "Contact: mailto:a@b.example\nExpires: soon\n",
	} {
		if _, err := CheckSecurityText([]byte(text), day); CodeOf(err) != Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := CheckSecurityText([]byte("# hello\r\n\r\nContact: mailto:a@b.example\r\nexpires: 2027-01-01T00:00:00Z\r\n"), day); err != nil {
		t.Error(err)
	}
}
