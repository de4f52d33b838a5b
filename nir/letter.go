package nir

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A digestFile is the attachment of a mail: the same as the text, for programs.
type digestFile struct {
	Version   int             `json:"version"`
	Registry  string          `json:"registry"`
	NIR       string          `json:"nir"`
	Digest    string          `json:"digest"`
	MessageID string          `json:"message_id"`
	Made      time.Time       `json:"made"`
	Messages  []digestMessage `json:"messages"`
}

type digestMessage struct {
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`
	Code     string          `json:"code"`
	Severity string          `json:"severity"`
	Subject  string          `json:"subject"`
	Text     string          `json:"text"`
	Event    int64           `json:"event"` // of the audit
	Created  time.Time       `json:"created"`
	Notice   string          `json:"notice,omitempty"`
	Data     json.RawMessage `json:"data"` // the notice, if it is about one
}

const (
	digestVersion = 1
	maxEntries    = 200  // messages that the text tells one by one
	maxLine       = 72   // characters of a line of the text
	maxEntryText  = 1500 // characters of one message's text
)

// compose writes the mail of a digest. The same digest gives the same mail. What
// others wrote (texts, subjects, names from a zone file) becomes part of a line,
// never a line or a header of its own.
func compose(d Digest, list []Message, registry string) (Letter, error) {
	l := Letter{
		MessageID: d.MessageID, From: d.Sender, ReplyTo: d.ReplyTo, Recipients: d.open(), Date: d.Made,
		Subject: letterSubject(d, list, registry), Text: letterText(d, list, registry),
		File: "notices-" + cmp.Or(d.NIR, registry) + "-" + d.Made.UTC().Format("20060102T150405Z") + ".json",
	}
	for _, a := range d.Addressees {
		l.To = append(l.To, a.Address)
	}
	f := digestFile{digestVersion, registry, d.NIR, d.ID, d.MessageID, d.Made.UTC(), make([]digestMessage, len(list))}
	for i, m := range list {
		f.Messages[i] = digestMessage{m.ID, m.Kind, m.Code, m.Severity, m.Subject, m.Text, m.Event, m.Created, m.Notice, m.Data}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(f); err != nil {
		return l, fmt.Errorf("encoding digest %s: %w", d.ID, err)
	}
	l.JSON = b.Bytes()
	return l, nil
}

// letterSubject says who tells whom how much, and how bad the worst is.
func letterSubject(d Digest, list []Message, registry string) string {
	s := fmt.Sprintf("%s to %s: %s", registry, cmp.Or(d.NIR, registry), plural(len(list), "message"))
	if parts := letterCounts(list); parts != "" {
		s += " (" + parts + ")"
	}
	worst := map[string]int{}
	for _, m := range list {
		if m.Kind != NoticeClosed {
			worst[severities[rank(m.Severity)]]++
		}
	}
	for _, w := range []string{"alarm", "error"} {
		if worst[w] > 0 {
			return oneLine(s + ", " + plural(worst[w], w))
		}
	}
	return oneLine(s)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// A chapter is the messages of one kind.
type chapter struct {
	title, word string
	list        []Message
}

// chapters splits messages by what happened. A notice that opened and closed
// between two mails is told as such.
func chapters(list []Message) []chapter {
	other, fresh := chapter{title: "Reminders and other messages", word: "other"}, chapter{title: "New notices", word: "new"}
	worse, over := chapter{title: "Grown worse", word: "worse"}, chapter{title: "Closed: what they said holds no longer", word: "closed"}
	done := chapter{title: "Allocated and registered", word: "registered"}
	brief := chapter{title: "Opened and closed since the last mail", word: "come and gone"}
	opened, closed := map[string]bool{}, map[string]bool{}
	for _, m := range list {
		opened[m.Notice] = opened[m.Notice] || m.Kind == NoticeOpened
		closed[m.Notice] = closed[m.Notice] || m.Kind == NoticeClosed
	}
	for _, m := range list {
		both := m.Notice != "" && opened[m.Notice] && closed[m.Notice]
		switch {
		case both && m.Kind == NoticeClosed:
			brief.list = append(brief.list, m)
		case both: // told with its end
		case m.Kind == NoticeOpened:
			fresh.list = append(fresh.list, m)
		case m.Kind == NoticeRaised:
			worse.list = append(worse.list, m)
		case m.Kind == RequestRegistered:
			done.list = append(done.list, m)
		case m.Kind == NoticeClosed:
			over.list = append(over.list, m)
		default:
			other.list = append(other.list, m)
		}
	}
	return []chapter{other, fresh, worse, over, brief, done} // the counted rest of a flood first
}

// letterCounts is "2 new, 1 closed".
func letterCounts(list []Message) string {
	var parts []string
	for _, s := range chapters(list) {
		if len(s.list) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", len(s.list), s.word))
		}
	}
	return strings.Join(parts, ", ")
}

func letterText(d Digest, list []Message, registry string) string {
	var b strings.Builder
	wrapWords(&b, "", fmt.Sprintf("%s tells %s, %s: %s.", registry, cmp.Or(d.NIR, "its own staff"), d.Made.UTC().Format("2006-01-02 15:04 UTC"), letterCounts(list)))
	left := maxEntries
	for _, s := range chapters(list) {
		if len(s.list) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n%s\n", s.title, strings.Repeat("-", len(s.title)))
		for i, m := range s.list {
			if left == 0 {
				wrapWords(&b, "", fmt.Sprintf("… and %d more: the attachment has them all.", len(s.list)-i))
				break
			}
			left--
			letterEntry(&b, m)
		}
	}
	b.WriteString("\n")
	wrapWords(&b, "", "The attachment has the same as JSON. What is open, and how to say that you have seen it:")
	who := ""
	if d.NIR != "" {
		who = " --nir " + d.NIR
	}
	fmt.Fprintf(&b, "  nirctl notice log%s\n  nirctl notice ack ID\n\n", who)
	wrapWords(&b, "", "Digest "+d.ID+". A second mail with the Message-ID of this one is the same mail, sent again because no answer came back.")
	return b.String()
}

func letterEntry(b *strings.Builder, m Message) {
	fmt.Fprintf(b, "\n")
	wrapWords(b, "", fmt.Sprintf("%s: %s: %s", severities[rank(m.Severity)], oneLine(m.Code), oneLine(m.Subject)))
	wrapWords(b, "  ", shorten(oneLine(m.Text), maxEntryText))
	var n Notice
	if m.Notice == "" || json.Unmarshal(m.Data, &n) != nil {
		return
	}
	where := ""
	if n.Place != "" {
		where = "at " + oneLine(n.Place) + ", "
	}
	when := "open since " + n.Opened.UTC().Format("2006-01-02 15:04 UTC")
	if m.Kind == NoticeClosed {
		when = "open from " + n.Opened.UTC().Format("2006-01-02 15:04") + " to " + n.Closed.UTC().Format("2006-01-02 15:04 UTC")
	}
	wrapWords(b, "  ", "("+where+when+", notice "+m.Notice+")")
}

// oneLine makes one printable line of what others wrote: control characters, line and
// paragraph separators and characters that turn the direction of the text become
// spaces, what is not UTF-8 becomes U+FFFD.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r != ' ' && (!unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// wrapWords writes a line's words in lines of maxLine characters behind an indent. A
// word that is longer has a line of its own, so that it can be copied.
func wrapWords(b *strings.Builder, indent, s string) {
	n := 0
	for _, w := range strings.Fields(s) {
		k := utf8.RuneCountInString(w)
		switch {
		case n == 0:
			b.WriteString(indent)
			n = len(indent)
		case n+1+k > maxLine:
			b.WriteString("\n" + indent)
			n = len(indent)
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(w)
		n += k
	}
	b.WriteByte('\n')
}
