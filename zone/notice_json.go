package zone

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Notices are most of what generation.json holds, and it is read and written in
// every run. This file reads and writes lists of them in the one form in which
// encoding/json, as encodeJSON uses it, writes them; what has another form is
// left to encoding/json.

// appendNotices appends a list of notices as a JSON array that stands at a depth
// of one, and is a value of a key.
func appendNotices(b []byte, list []OpenNotice) []byte {
	b = append(b, '[')
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, "\n    {\n"...)
		b = appendMember(b, 6, "code", n.Code)
		b = appendMember(b, 6, "severity", n.Severity.String())
		b = appendMember(b, 6, "source", n.Source)
		if n.Zone != "" {
			b = appendMember(b, 6, "zone", string(n.Zone))
		}
		if n.Name != "" {
			b = appendMember(b, 6, "name", string(n.Name))
		}
		b = appendPos(b, n.Pos)
		b = appendMember(b, 6, "text", n.Text)
		b = append(b, `      "since": "`...)
		b = n.Since.AppendFormat(b, time.RFC3339Nano)
		b = append(b, "\"\n    }"...)
	}
	return append(b, "\n  ]"...)
}

func appendPos(b []byte, p Pos) []byte {
	if p == (Pos{}) {
		return b
	}
	b = append(b, "      \"pos\": {"...)
	if p.File != "" {
		b = appendMember(append(b, '\n'), 8, "file", p.File)
		b = b[:len(b)-2]
	}
	for _, m := range [...]struct {
		key   string
		value int
	}{{"line", p.Line}, {"column", p.Column}} {
		if m.value == 0 {
			continue
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(append(append(b, "\n        \""...), m.key...), "\": "...)
		b = strconv.AppendInt(b, int64(m.value), 10)
	}
	return append(b, "\n      },\n"...)
}

// appendMember appends a key and its string on a line that goes on with a comma.
func appendMember(b []byte, indent int, key, value string) []byte {
	b = append(append(append(append(b, "        "[:indent]...), '"'), key...), "\": "...)
	return append(appendString(b, value), ",\n"...)
}

func appendString(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			var q bytes.Buffer
			e := json.NewEncoder(&q)
			e.SetEscapeHTML(false)
			if err := e.Encode(s); err != nil {
				panic("zone: encoding a string: " + err.Error()) // strings always encode
			}
			return append(b, bytes.TrimRight(q.Bytes(), "\n")...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// marker is a list of one notice that nobody gives: where it stands in a file
// that encodeJSON wrote, another list is put.
func marker(name string) []OpenNotice {
	return []OpenNotice{{Notice: Notice{Code: "\x00" + name}}}
}

// putNotices writes a list in the place of the marker of that name.
func putNotices(data []byte, name string, list []OpenNotice) []byte {
	before, after, ok := bytes.Cut(data, appendNotices(nil, marker(name)))
	if !ok {
		panic("zone: the place of the notices is lost")
	}
	out := make([]byte, 0, len(data)+512*len(list))
	out = append(out, before...)
	return append(appendNotices(out, list), after...)
}

// noticesKey begins the list in generation.json.
const noticesKey = "\n  \"notices\": ["

// cutNotices takes the list out of a generation.json and returns the rest, and
// what returns the list, which is read meanwhile: that reports false if the list
// is not in the form in which it is written, as is seen by writing it again. It
// is nil if there is no list.
func cutNotices(data []byte) (rest []byte, list func() ([]OpenNotice, bool)) {
	start := bytes.Index(data, []byte(noticesKey+"\n"))
	if start < 0 {
		return data, nil
	}
	start += len(noticesKey) - 1
	end := bytes.Index(data[start:], []byte("\n  ]"))
	if end < 0 {
		return data, nil
	}
	end += start + len("\n  ]")
	list = sync.OnceValues(func() ([]OpenNotice, bool) {
		l, ok := readNotices(string(data[start:end]))
		return l, ok && string(appendNotices(make([]byte, 0, end-start), l)) == string(data[start:end])
	})
	go list()
	rest = append(append(append(rest, data[:start]...), "[]"...), data[end:]...)
	return rest, list
}

// readNotices reads what appendNotices wrote, line by line. What it makes of
// anything else is for its caller to find out.
func readNotices(text string) ([]OpenNotice, bool) {
	var list []OpenNotice
	for line := range strings.SplitSeq(text, "\n") {
		key, value, found := strings.Cut(line, ": ")
		if !found {
			if strings.TrimLeft(line, " ") == "{" {
				list = append(list, OpenNotice{})
			}
			continue
		}
		if len(list) == 0 || !list[len(list)-1].set(strings.Trim(key, ` "`), strings.TrimSuffix(value, ",")) {
			return nil, false
		}
	}
	return list, true
}

// set takes one member as it is written.
func (o *OpenNotice) set(key, value string) bool {
	switch key {
	case "pos":
		return true
	case "line":
		n, err := strconv.Atoi(value)
		o.Pos.Line = n
		return err == nil
	case "column":
		n, err := strconv.Atoi(value)
		o.Pos.Column = n
		return err == nil
	}
	s, ok := readString(value)
	var err error
	switch key {
	case "code":
		o.Code = s
	case "severity":
		err = o.Severity.UnmarshalText([]byte(s))
	case "source":
		o.Source = s
	case "zone":
		o.Zone = Name(s)
	case "name":
		o.Name = Name(s)
	case "file":
		o.Pos.File = s
	case "text":
		o.Text = s
	case "since":
		err = o.Since.UnmarshalText([]byte(s))
	default:
		return false
	}
	return ok && err == nil
}

func readString(literal string) (string, bool) {
	if len(literal) >= 2 && literal[0] == '"' && literal[len(literal)-1] == '"' && !strings.Contains(literal, `\`) {
		return literal[1 : len(literal)-1], true
	}
	var s string
	err := json.Unmarshal([]byte(literal), &s)
	return s, err == nil
}
