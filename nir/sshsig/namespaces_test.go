package sshsig

import (
	"strings"
	"testing"
)

// TestUnknownNamespaces: a namespace that matches nothing that is asked for is told of
// by line; patterns and what decides against are as in OpenSSH.
func TestUnknownNamespaces(t *testing.T) {
	key := publicOf(t, keys()["ed25519"])
	for names, want := range map[string]string{
		"approver@nirzone":                    "",
		"accept@nirzone,approver@nirzone":     "",
		"*@nirzone,!nobody@nirzone":           "",
		"?pprover@nirzone":                    "",
		"aprover@nirzone":                     `f:2: nobody asks for signatures in the namespace "aprover@nirzone": there are approver@nirzone, accept@nirzone`,
		"approver@nirzone,git":                `namespace "git"`,
		"approver@nirzon*,accept@nirzone.org": `namespace "accept@nirzone.org"`,
	} {
		s, err := ParseSigners("f", []byte("# who\nanna namespaces=\""+names+"\" "+key+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		err = s.Unknown([]string{"approver@nirzone", "accept@nirzone"})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", names, err, want)
		}
	}
}
