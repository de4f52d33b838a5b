package fetch

import (
	"net/url"
	"strings"
	"testing"
)

var fuzzNames = []string{file202, "203.in-addr.arpa-JPNIC"}

// onlyWanted fails the test if anything was found that was not asked for.
func onlyWanted(t *testing.T, found map[string]bool) {
	t.Helper()
	for name := range found {
		if name != fuzzNames[0] && name != fuzzNames[1] {
			t.Errorf("%q was found", name)
		}
	}
}

// FuzzListing reads the same bytes as an NLST reply, as rsync's listing and as an HTML
// index: nothing but the expected names may come of it.
func FuzzListing(f *testing.F) {
	for _, seed := range []string{
		"202.in-addr.arpa-JPNIC\r\n203.in-addr.arpa-JPNIC\r\n",
		"../../etc/passwd\r\n/pub/zones/202.in-addr.arpa-JPNIC\r\n\r\n.\r\n..\r\n",
		"-rw-r--r--      376,953 2026/11/21 11:00:01 202.in-addr.arpa-JPNIC\ndrwxr-xr-x 4096 2026/11/21 11:00:01 .\n",
		"-rw-r--r-- 99999999999999999999 2026/11/21 11:00:01 x\n-rw-r--r--  1 2026/11/21 11:00:01 ../x\n",
		`<html><a href="202.in-addr.arpa-JPNIC">x</a><a href="/z/203.in-addr.arpa-JPNIC">`,
		`<a href="//elsewhere.example/z/203.in-addr.arpa-JPNIC"><a href="%2e%2e/x"><a href=203.in-addr.arpa-JPNIC?C=M;O=A>`,
		`<a href="javascript:x"><!-- <a href="202.in-addr.arpa-JPNIC"> --><title><a href='x'>`,
	} {
		f.Add(seed)
	}
	page := &url.URL{Scheme: "https", Host: "ftp.nic.example", Path: "/z/"}
	f.Fuzz(func(t *testing.T, s string) {
		onlyWanted(t, matchNames(strings.Split(s, "\n"), fuzzNames))
		files, err := parseRsyncList([]byte(s))
		for name, st := range files {
			if err == nil && (name == "" || strings.ContainsAny(name, "/\n") || st.size < 0) {
				t.Errorf("rsync: %q %+v", name, st)
			}
		}
		found, _ := matchIndex(strings.NewReader(s), maxListing, page, fuzzNames)
		onlyWanted(t, found)
	})
}

// TestListings is the listing parsers on what real servers say.
func TestListings(t *testing.T) {
	nlst := matchNames([]string{file202 + "\r", "./203.in-addr.arpa-JPNIC", "x"}, fuzzNames)
	if len(nlst) != 2 {
		t.Errorf("NLST: %v", nlst)
	}
	list, err := parseRsyncList([]byte("drwxr-xr-x          4,096 2026/11/21 11:00:01 .\n" +
		"-rw-r--r--        376,953 2026/11/21 11:00:01 202.in-addr.arpa-JPNIC\n" +
		"lrwxrwxrwx             11 2026/11/21 11:00:01 203.in-addr.arpa-JPNIC -> /etc/passwd\n" +
		"-rw-r--r--             64 2026/11/21 11:00:01 old/203.in-addr.arpa-JPNIC\n"))
	if err != nil || len(list) != 1 || list[file202].validators() != "376953 2026/11/21 11:00:01" {
		t.Errorf("rsync: %v, %v", list, err)
	}
}

// FuzzValidators: what a manifest or a server says as validators never fails.
func FuzzValidators(f *testing.F) {
	f.Add("etag=%22x%22&modified=Sat%2C+21+Nov+2026+12%3A00%3A00+GMT")
	f.Add("%zz")
	f.Add("etag=a%0d%0ab")
	f.Fuzz(func(_ *testing.T, s string) { conditions(s) })
}
