package zone

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestKeyBook(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	digest := strings.Repeat("ab", 32)
	who := BookDecision{Time: now, By: "somebody", Message: "why"}
	b := &KeyBook{
		Zone: "27.in-addr.arpa.", Approvals: []BookApproval{{Hash: digest, Step: "remove", BookDecision: who}},
		Trust: &BookTrust{Digests: []string{digest}, Expires: now.Add(time.Hour), BookDecision: who}, DeleteDS: &who,
	}
	b.Add(BookKey{Key: "K1", Digest: digest, How: "made", Time: now})
	b.Add(BookKey{Key: "K2", Digest: digest, How: "imported", Time: now})
	data := b.Encode()
	got, err := ParseKeyBook("f", b.Zone, data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b, got); diff != "" {
		t.Error(diff)
	}
	if len(got.Keys) != 1 || !got.Knows(digest) || got.Knows(digest[1:]) || len(got.Approved()) != 1 {
		t.Errorf("%+v", got)
	}
	for at, want := range map[time.Duration]int{-time.Second: 0, 0: 1, 59 * time.Minute: 1, time.Hour: 0} {
		if n := len(got.Trusted(now.Add(at))); n != want {
			t.Errorf("after %v %d keys are trusted", at, n)
		}
	}
	for old, text := range map[string]string{
		`"version": 1`: `"version": 2`, "27.in-addr": "42.in-addr", `"how"`: `"who"`, digest: digest[2:],
	} {
		if _, err := ParseKeyBook("f", b.Zone, []byte(strings.Replace(string(data), old, text, 1))); err == nil || !strings.HasPrefix(err.Error(), "f") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
