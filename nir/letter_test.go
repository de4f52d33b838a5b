package nir

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"nirzone/nir/mail"
)

// asMessage is what a program makes of a letter to send it.
func asMessage(l Letter) mail.Message {
	return mail.Message{
		ID: l.MessageID, From: l.From, ReplyTo: l.ReplyTo, To: l.To, Recipients: l.Recipients, Subject: l.Subject, Date: l.Date, Text: l.Text,
		Attachments: []mail.Attachment{{Name: l.File, Type: "application/json", Data: l.JSON}},
	}
}

func letterOf(t testing.TB, list ...Message) Letter {
	t.Helper()
	for i := range list {
		list[i].ID = fmt.Sprintf("msg_%d", i)
	}
	sortMessages(list)
	d := Digest{
		Row: Row{ID: "dig_x"}, NIR: "JPNIC", MessageID: "dig_x@registry.test", Sender: "Registry <registry@registry.test>",
		Addressees: []Addressee{{Address: "a@jpnic.test"}}, Messages: len(list), Made: day,
	}
	l, err := compose(d, list, "APNIC")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func noticed(kind string, n Notice) Message {
	data, _ := json.Marshal(n)
	return Message{NIR: "JPNIC", Kind: kind, Code: n.Code, Subject: n.Subject, Severity: n.Severity, Text: n.Text, Notice: n.ID, Data: data, Event: 7, Created: day}
}

// TestLetterText is the mail as people read it.
func TestLetterText(t *testing.T) {
	l := letterOf(t,
		noticed(NoticeClosed, Notice{Row: Row{ID: "not_a"}, Code: "stale", Subject: "JPNIC", Severity: "warning", Text: "no verified copy was seen for 3 days", Opened: day.Add(-time.Hour), Closed: day}),
		noticed(NoticeOpened, Notice{
			Row: Row{ID: "not_b"}, Code: "overridden", Subject: "28.12.202.in-addr.arpa. in 202.in-addr.arpa.", Severity: "warning", Place: "202-JPNIC:12:1", Opened: day,
			Text: "the registry has an object at this owner, whose NS and DS count (policy APNIC-103, appendix); leave it out, or ask the registry to give it up",
		}),
		noticed(NoticeOpened, Notice{Row: Row{ID: "not_c"}, Code: "overdue", Subject: "JPNIC", Severity: "alarm", Text: "no verified copy was seen for 7 days", Opened: day}),
	)
	want := `APNIC tells JPNIC, 2026-03-04 09:00 UTC: 2 new, 1 closed.

New notices
-----------

alarm: overdue: JPNIC
  no verified copy was seen for 7 days
  (open since 2026-03-04 09:00 UTC, notice not_c)

warning: overridden: 28.12.202.in-addr.arpa. in 202.in-addr.arpa.
  the registry has an object at this owner, whose NS and DS count
  (policy APNIC-103, appendix); leave it out, or ask the registry to
  give it up
  (at 202-JPNIC:12:1, open since 2026-03-04 09:00 UTC, notice not_b)

Closed: what they said holds no longer
--------------------------------------

warning: stale: JPNIC
  no verified copy was seen for 3 days
  (open from 2026-03-04 08:00 to 2026-03-04 09:00 UTC, notice not_a)

The attachment has the same as JSON. What is open, and how to say that
you have seen it:
  nirctl notice log --nir JPNIC
  nirctl notice ack ID

Digest dig_x. A second mail with the Message-ID of this one is the same
mail, sent again because no answer came back.
`
	if l.Text != want {
		t.Errorf("got\n%s", l.Text)
	}
	if l.Subject != "APNIC to JPNIC: 3 messages (2 new, 1 closed), 1 alarm" || l.File != "notices-JPNIC-20260304T090000Z.json" {
		t.Errorf("%q, %q", l.Subject, l.File)
	}
	var f digestFile
	if err := json.Unmarshal(l.JSON, &f); err != nil || f.Version != 1 || len(f.Messages) != 3 || f.MessageID != l.MessageID {
		t.Errorf("%+v, %v", f, err)
	}
	var n Notice
	if err := json.Unmarshal(f.Messages[0].Data, &n); err != nil || n.ID != "not_c" {
		t.Errorf("%+v, %v", n, err)
	}
}

// FuzzLetter: whatever others wrote into codes, subjects, texts and places, the
// mail has the headers, the parts and the recipients of one with harmless words.
func FuzzLetter(f *testing.F) {
	for _, s := range []string{
		"harmless", "a\r\nBcc: evil@example.test\r\n\r\nbody", "\n.\nRCPT TO:<evil@example.test>", "x\x00y", "\u2028Subject: no", "\u0085X: y", "=?utf-8?q?=0D=0ABcc:_evil?=",
		"--boundary", "\xff\xfe", "\u202egnp.exe", strings.Repeat("long ", 5000), strings.Repeat("x", 5000), "From me", "日本語の文", "\"}],\"version\":9",
	} {
		f.Add(s, s, s, s)
	}
	plain := headersOf(f, letterOf(f, noticed(NoticeOpened, Notice{Row: Row{ID: "not_a"}, Code: "c", Subject: "s", Severity: "alarm", Text: "t", Place: "p", Opened: day})))
	f.Fuzz(func(t *testing.T, code, subject, text, place string) {
		n := Notice{Row: Row{ID: "not_a"}, Code: code, Subject: subject, Severity: "alarm", Text: text, Place: place, Opened: day}
		l := letterOf(t, noticed(NoticeOpened, n))
		if got := headersOf(t, l); got != plain {
			t.Fatalf("headers\n%s\nwant\n%s", got, plain)
		}
		for s := range strings.SplitSeq(l.Text, "\n") {
			if utf8.RuneCountInString(s) > maxLine && strings.Count(strings.TrimSpace(s), " ") > 0 {
				t.Errorf("a line of %d characters: %q", utf8.RuneCountInString(s), s)
			}
			if strings.ContainsAny(s, "\r\x00\u0085\u2028\u2029\u202e") {
				t.Errorf("a control character in %q", s)
			}
		}
		if l2 := letterOf(t, noticed(NoticeOpened, n)); l2.Text != l.Text || !bytes.Equal(l2.JSON, l.JSON) {
			t.Error("the same digest makes another mail")
		}
	})
}

// headersOf sends a letter through the builder of messages and a reader that knows
// nothing of it, compares text and attachment with what they were, and returns the
// headers.
func headersOf(t testing.TB, l Letter) string {
	t.Helper()
	raw, err := asMessage(l).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range bytes.Split(raw, []byte("\r\n")) {
		if len(s) > 998 || bytes.ContainsAny(s, "\r\n\x00") || bytes.ContainsFunc(s, func(r rune) bool { return r > '~' }) {
			t.Fatalf("line %d of the message is %q", i, s)
		}
	}
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	body := func(want string, decode func(io.Reader) io.Reader) {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(decode(p))
		if err != nil || string(got) != want {
			t.Fatalf("a part is %q, %v; want %q", got, err, want)
		}
	}
	body(strings.ReplaceAll(l.Text, "\n", "\r\n"), func(r io.Reader) io.Reader { return quotedprintable.NewReader(r) })
	body(string(l.JSON), func(r io.Reader) io.Reader { return base64.NewDecoder(base64.StdEncoding, r) })
	if _, err := parts.NextRawPart(); err != io.EOF {
		t.Fatalf("a third part: %v", err)
	}
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	return string(head)
}

func TestWrap(t *testing.T) {
	var b strings.Builder
	wrapWords(&b, "  ", strings.Repeat("word ", 40)+strings.Repeat("x", 100)+" end")
	for s := range strings.SplitSeq(strings.TrimSuffix(b.String(), "\n"), "\n") {
		if !strings.HasPrefix(s, "  ") || len(s) > maxLine && strings.TrimSpace(s) != strings.Repeat("x", 100) {
			t.Errorf("%q", s)
		}
	}
}
