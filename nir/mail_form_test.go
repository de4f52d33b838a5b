package nir

import (
	"testing"

	"nirzone/nir/mail"
)

// TestAddressesAsTheyAreSent: an address that a record may have is one that a
// letter can be sent to.
func TestAddressesAsTheyAreSent(t *testing.T) {
	for text, good := range map[string]bool{
		"a@jpnic.example":                   true,
		"Hostmaster <a+b@jpnic.example>":    true,
		"a@[192.0.2.1]":                     true,
		"a@jp_nic.example":                  false,
		"\"a b\"@jpnic.example":             false,
		"a@jpnic.example!":                  false,
		"ä@jpnic.example":                   false,
		"\"" + long64 + "x\"@jpnic.example": false,
	} {
		_, err := mail.ParseAddress(text)
		n := NIR{Code: "JPNIC", Name: "J", Economy: "JP", Source: "JPNIC", Mntner: "M", Option: 1, Email: text}
		if ours := n.check(); (ours == nil) != (err == nil) || (err == nil) != good {
			t.Errorf("%s: the record says %v, the letter %v", text, ours, err)
		}
	}
	if _, err := domainOf("registry@[192.0.2.1]"); err == nil {
		t.Error("a sender without a domain for the Message-ID")
	}
}

const long64 = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
