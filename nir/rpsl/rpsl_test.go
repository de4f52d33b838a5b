package rpsl

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

const sample = `% This is the EXAMPLE database.
# with remarks of both kinds

inetnum:        192.0.2.0 - 192.0.2.255
netname:        EXAMPLE-NET
descr:          Beispiel, 東京
+
	 second paragraph   # of two
Country:	JP
admin-c:        aa1-ex, bb2-ex
tech-c:         AA1-EX
status:         ALLOCATED PORTABLE
mnt-by:         MAINT-EX
changed:        hm@example.net 20260101
source:         EXAMPLE


% between
person: A. A.
nic-hdl: AA1-EX
` + "source:EXAMPLE # \r\n   \t\n# the end"

func TestLossless(t *testing.T) {
	f, err := Parse("sample", strings.NewReader(sample), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got := f.String(); got != sample {
		t.Errorf("printed:\n%q\nread:\n%q", got, sample)
	}
	if len(f.Objects) != 2 || f.Objects[0].Line != 4 || f.Objects[1].Line != 19 {
		t.Fatalf("%+v", f.Objects)
	}
	o := f.Objects[0]
	for name, want := range map[string]string{
		"inetnum": "192.0.2.0 - 192.0.2.255", "descr": "Beispiel, 東京 second paragraph", "country": "JP", "source": "EXAMPLE", "none": "",
	} {
		if got := o.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := o.Words("admin-c"); !slices.Equal(got, []string{"aa1-ex", "bb2-ex"}) {
		t.Errorf("admin-c: %q", got)
	}
	var refs []string
	for _, r := range o.Refs() {
		refs = append(refs, r.Types[0]+" "+r.Key)
	}
	if want := []string{"person AA1-EX", "person BB2-EX", "mntner MAINT-EX"}; !slices.Equal(refs, want) {
		t.Errorf("refers to %q, want %q", refs, want)
	}
}

func TestEditKeepsTheRest(t *testing.T) {
	o, err := ParseObject("x", "domain: 28.12.202.in-addr.arpa\nremarks:  odd   spacing # kept\nnserver: a.example\nnserver: b.example\nsource: X\n")
	if err != nil {
		t.Fatal(err)
	}
	o.Set("nserver", "c.example")
	o.Set("ds-rdata", "1 13 2 AB")
	want := "domain: 28.12.202.in-addr.arpa\nremarks:  odd   spacing # kept\nnserver:        c.example\nds-rdata:       1 13 2 AB\nsource: X\n"
	if got := o.Text(); got != want {
		t.Errorf("got\n%s want\n%s", got, want)
	}
	o.Set("nserver")
	if o.Get("nserver") != "" || o.Get("ds-rdata") == "" {
		t.Errorf("after taking out: %s", o.Text())
	}
	if got := Attr("descr", "one\n\ntwo").Text(); got != "descr:          one\n+\n                two\n" {
		t.Errorf("%q", got)
	}
	if got := Attr("a-very-long-attribute", "x").Text(); got != "a-very-long-attribute: x\n" {
		t.Errorf("%q", got)
	}
}

func TestKey(t *testing.T) {
	for _, c := range []struct{ class, value, want string }{
		{"inetnum", "192.0.2.0-192.0.2.255", "192.0.2.0 - 192.0.2.255"},
		{"inetnum", "192.0.2.0  -   192.0.2.255", "192.0.2.0 - 192.0.2.255"},
		{"inetnum", "192.0.2.0/25", "192.0.2.0 - 192.0.2.127"},
		{"inetnum", "192.0.2.1", "192.0.2.1 - 192.0.2.1"},
		{"inetnum", "192.0.2.9 - 192.0.2.1", "!"},
		{"inetnum", "192.0.2.9 - ", "!"},
		{"inetnum", "2001:db8::/32", "!"},
		{"inetnum", "192.0.2.1/24", "!"},
		{"inet6num", "2001:0DB8:0000::/32", "2001:db8::/32"},
		{"inet6num", "2001:db8::1/32", "!"},
		{"inet6num", "192.0.2.0/24", "!"},
		{"inet6num", "::ffff:192.0.2.0/120", "!"},
		{"aut-num", "as064496", "AS64496"},
		{"aut-num", "AS1.10", "AS65546"},
		{"aut-num", "AS4294967296", "!"},
		{"aut-num", "64496", "!"},
		{"aut-num", "AS", "!"},
		{"as-block", "AS1-AS5", "AS1 - AS5"},
		{"as-block", "AS5 - AS1", "!"},
		{"route", "192.0.2.0/24 AS64496", "192.0.2.0/24AS64496"},
		{"route6", "2001:DB8::/32AS64496", "2001:db8::/32AS64496"},
		{"route6", "2001:db8:a::/48 as64496", "2001:db8:a::/48AS64496"},
		{"route", "192.0.2.0/24", "!"},
		{"domain", "28.12.202.IN-ADDR.arpa.", "28.12.202.in-addr.arpa"},
		{"person", "aa1-ex", "AA1-EX"},
		{"mntner", "", "!"},
		{"unheard-of", "some  thing", "SOME THING"},
	} {
		got, err := Key(c.class, c.value)
		if err != nil {
			got = "!"
		}
		if got != c.want {
			t.Errorf("%s %q: %q, want %q (%v)", c.class, c.value, got, c.want, err)
		}
	}
}

func TestMistakes(t *testing.T) {
	const text = "inetnum: 192.0.2.0\nno attribute\n\n continued\n\nper son: x\nremarks: \x01\n\nrole: ok\nx: \xff\n"
	_, err := Parse("f", strings.NewReader(text), Limits{})
	var m *Mistakes
	if !errors.As(err, &m) || len(m.List) != 5 {
		t.Fatalf("%v", err)
	}
	for i, want := range []string{"f:2: ", "f:4: ", "f:6: ", "f:7: ", "f:10: "} {
		if got := m.List[i].Error(); !strings.HasPrefix(got, want) || !strings.Contains(got, ":") {
			t.Errorf("mistake %d is %q, want one of %s", i, got, want)
		}
	}
	_, err = Parse("f", strings.NewReader(text), Limits{Mistakes: 2})
	if !errors.As(err, &m) || len(m.List) != 2 || m.More != 3 {
		t.Errorf("with a limit: %v", err)
	}
	if _, err := Parse("f", strings.NewReader("role: \xe9\n"), Limits{Latin1: true}); err != nil {
		t.Errorf("ISO 8859-1: %v", err)
	}
}

func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		lim  Limits
		want string
	}{
		"line":       {"descr: " + strings.Repeat("x", 200), Limits{Line: 100}, "a line of more than 100"},
		"object":     {strings.Repeat("descr: x\n", 20), Limits{Object: 100}, "an object of more than 100"},
		"lead":       {strings.Repeat("% x\n", 50), Limits{Object: 100}, "an object of more than 100"},
		"attributes": {strings.Repeat("descr: x\n", 20), Limits{Attributes: 10}, "more than 10 attributes"},
		"objects":    {strings.Repeat("role: x\n\n", 20), Limits{Objects: 10}, "more than 10 objects"},
		"bytes":      {strings.Repeat("role: x\n\n", 20), Limits{Bytes: 100}, "more than 100 octets"},
	} {
		_, err := Parse("f", strings.NewReader(c.text), c.lim)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "f:") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func pack(t testing.TB, text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGzip(t *testing.T) {
	f, err := Parse("f.gz", bytes.NewReader(pack(t, sample)), Limits{})
	if err != nil || f.String() != sample {
		t.Errorf("%v", err)
	}
	bomb := pack(t, strings.Repeat("remarks: "+strings.Repeat("a", 90)+"\n\n", 400_000))
	if _, err := Parse("bomb.gz", bytes.NewReader(bomb), Limits{}); err == nil || !strings.Contains(err.Error(), "expand") {
		t.Errorf("a bomb of %d octets: %v", len(bomb), err)
	}
	cut := pack(t, sample)
	if _, err := Parse("cut.gz", bytes.NewReader(cut[:len(cut)-9]), Limits{}); err == nil || !strings.Contains(err.Error(), "fetch it again") {
		t.Errorf("cut off: %v", err)
	}
}

func TestCheck(t *testing.T) {
	good, err := ParseObject("f", "mntner: MAINT-EX\ndescr: x\nadmin-c: AA1-EX\nupd-to: a@example.net\nauth: PGPKEY-1\nmnt-by: MAINT-EX\nsource: EXAMPLE")
	if err != nil || good.Check() != nil {
		t.Errorf("%v, %v", err, good.Check())
	}
	bad, err := ParseObject("f", "mntner: MAINT-EX\nsource: A\nsource: B\nnserver: x\nauth:\n")
	if err != nil {
		t.Fatal(err)
	}
	got := bad.Check().Error()
	for _, want := range []string{"one source at most", "no attribute nserver", "auth has no value", "needs the attribute descr", "needs the attribute mnt-by"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	odd, err := ParseObject("f", "poetic-form: haiku\nany: thing\n")
	if err != nil || odd.Check() != nil || odd.Public() != nil {
		t.Errorf("a type that is not known: %v, %v, %v", err, odd.Check(), odd.Public())
	}
}

// TestR_SEC_3_PrivateAttributes fills every attribute of every class that is not
// for the public, and unknown ones, with a word that may not come out.
func TestR_SEC_3_PrivateAttributes(t *testing.T) {
	const canary = "canary@secret.example"
	for _, name := range Classes() {
		c, _ := ClassOf(name)
		var b strings.Builder
		shown := 0
		for _, r := range c.Rules {
			v := "open"
			if r.Private {
				v = canary + "\n  " + canary + "\n# " + canary
			} else {
				shown++
			}
			b.WriteString(r.Name + ": " + v + "\n")
		}
		b.WriteString("x-own: " + canary + "\n")
		o, err := ParseObject(name, b.String())
		if err != nil {
			t.Fatal(err)
		}
		p := o.Public()
		if strings.Contains(p.String(), "secret") || strings.Count(p.String(), "open") != shown {
			t.Errorf("%s shows\n%s", name, p)
		}
		for _, must := range []string{"notify", "changed"} {
			if r, ok := c.Rule(must); !ok || !r.Private {
				t.Errorf("%s: %s is public", name, must)
			}
		}
	}
}

// FuzzLossless: what is read is printed octet by octet, and reading never goes
// beyond its limits.
func FuzzLossless(f *testing.F) {
	for _, s := range []string{
		sample, "", "\n\n%\n#", "role: x", "role: x\r\n +\r\n", "a:b\n\tc\n+\n#d\n\n\ne:f#g", "inet6num: 2001:DB8::/32\nsource: X\n% a\nperson: y\n", "x\n", "a:\x00",
	} {
		f.Add(s)
	}
	lim := Limits{Bytes: 1 << 16, Object: 1 << 14, Line: 1 << 12, Attributes: 500, Objects: 500}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse("f", strings.NewReader(text), lim)
		if err != nil {
			return
		}
		if strings.HasPrefix(text, "\x1f\x8b") {
			return
		}
		if got := file.String(); got != text {
			t.Fatalf("printed %q, read %q", got, text)
		}
		for _, o := range file.Objects {
			again, err := ParseObject("f", o.Text())
			if err != nil || again.Text() != terminated(o.Text()) {
				t.Fatalf("object %q: %v", o.Text(), err)
			}
			key, err := o.Key()
			if err == nil {
				class := o.Class()
				if twice, err := Key(class, key); err != nil || twice != key {
					t.Fatalf("%s: key %q reads back as %q, %v", class, key, twice, err)
				}
			}
			_ = o.Check()
			if p := o.Public(); p != nil {
				if _, err := ParseObject("f", p.Text()); err != nil {
					t.Fatalf("public %q: %v", p.Text(), err)
				}
			}
		}
	})
}
