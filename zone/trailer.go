package zone

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A trailer is one or two TXT records at <source>.<zone>, in any of three forms:
//
//	"Generated at TIME with N NS records from SOURCE."   and a line for DS
//	"Generated at TIME with N NS records from SOURCE, M DS records from SOURCE."
//	"Generated at TIME with N NS records."               (policy APNIC-103, appendix)

// trailerState is what is known of the trailer while a file is read.
type trailerState struct {
	owner         Name // <source>.<zone>
	lines         int
	line, col     int // of the first line's text
	hasNS, hasDS  bool
	ns, ds        int
	generated     time.Time
	foreign       Name // a trailer of another source, for the message
	foreignLine   int
	afterReported bool
	bad           bool // a trailer line was refused already
}

const trailerCount = `(\d{1,9}) (NS|DS) records?(?: from ([^\s,]+?))?`

var trailerForm = regexp.MustCompile(`^Generated at (.{1,64}) with ` + trailerCount + `(?:, ` + trailerCount + `)?\.?$`)

// trailerLine takes a TXT record if it is a line of the trailer. Any other TXT
// record is an ordinary one.
func (p *parser) trailerLine(data Data, t token) bool {
	text := joinStrings(data)
	s := &p.trailer
	if !strings.HasPrefix(text, "Generated at ") {
		return false
	}
	if p.owner != s.owner {
		if trailerForm.MatchString(text) && p.owner.Parent() == p.f.Zone && s.foreign == "" {
			s.foreign, s.foreignLine = p.owner, t.line
		}
		return false
	}
	if s.lines == 0 {
		s.line, s.col = t.line, t.col
	}
	s.lines++
	if err := s.read(text, p.f.Source); err != nil {
		s.bad = true
		p.fail(t.line, t.col, "trailer: %v", err)
	}
	return true
}

// read takes the counts and the time of one line.
func (s *trailerState) read(text, source string) error {
	m := trailerForm.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf(`%.100q is not "Generated at TIME with N NS records from %s." (policy APNIC-103, appendix)`, text, source)
	}
	at, err := parseTrailerTime(m[1])
	if err != nil {
		return err
	}
	if at.After(s.generated) {
		s.generated = at
	}
	for i := 2; i <= 5 && m[i] != ""; i += 3 {
		if err := s.count(m[i], m[i+1], m[i+2], source); err != nil {
			return err
		}
	}
	return nil
}

func (s *trailerState) count(number, typ, from, source string) error {
	if from != "" && !strings.EqualFold(from, source) {
		return fmt.Errorf("it speaks for %.40q, the zonelet is of %s (policy APNIC-103, appendix)", from, source)
	}
	n, has := &s.ns, &s.hasNS
	if typ == "DS" {
		n, has = &s.ds, &s.hasDS
	}
	if *has {
		return fmt.Errorf("the number of %s records is stated twice; state it once (policy APNIC-103, appendix)", typ)
	}
	*has = true
	*n, _ = strconv.Atoi(number) // up to nine digits
	return nil
}

// trailerTimes are the forms of time that are read: the one seen in real files
// first, then what date(1), C and the mail RFCs give. Only UTC has a name.
var trailerTimes = []string{
	trailerTime, time.RFC3339, "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05", "2006-01-02T15:04:05",
	"2006-01-02 15:04:05 -0700", "2006-01-02 15:04", "2006-01-02", time.ANSIC, time.UnixDate,
	"Mon Jan _2 15:04:05 -0700 2006", "Mon Jan _2 15:04:05 2006 -0700",
	time.RFC1123, time.RFC1123Z, "Mon, _2 Jan 2006 15:04:05 -0700", "20060102150405", "20060102",
}

func parseTrailerTime(s string) (time.Time, error) {
	for _, form := range trailerTimes {
		t, err := time.Parse(form, s)
		if err != nil {
			continue
		}
		if zone, offset := t.Zone(); strings.Contains(form, "MST") && zone != "UTC" && zone != "GMT" && offset == 0 {
			continue // an abbreviation says nothing certain
		}
		return t.UTC(), nil
	}
	return time.Time{}, fmt.Errorf("time %.70q is not understood; write it as 2006-01-02 15:04:05Z", s)
}

// joinStrings returns the text of a TXT record (RFC 1035, section 3.3.14).
func joinStrings(d Data) string {
	var b strings.Builder
	for len(d) > 0 {
		n := min(int(d[0]), len(d)-1)
		b.WriteString(string(d[1 : 1+n]))
		d = d[1+n:]
	}
	return b.String()
}

// afterTrailer refuses records behind the trailer, once.
func (p *parser) afterTrailer(t token) {
	if !p.trailer.afterReported {
		p.trailer.afterReported = true
		p.fail(t.line, t.col, "record behind the trailer of line %d: the trailer is the last record (policy APNIC-103, appendix); were two files joined?", p.trailer.line)
	}
}

// finishTrailer checks the trailer against the records. With other mistakes in
// the file its counts say nothing.
func (p *parser) finishTrailer(optional bool) {
	s := &p.trailer
	if s.lines == 0 {
		if !optional && !p.stopped {
			p.noTrailer()
		}
		return
	}
	p.f.Trailer = Trailer{Generated: s.generated, NS: s.ns, DS: s.ds, Lines: s.lines}
	if !s.hasNS && !s.bad {
		p.fail(s.line, s.col, "trailer: it states no number of NS records (policy APNIC-103, appendix)")
	}
	if len(p.errs) > 0 {
		return
	}
	if s.ns != p.ns {
		p.countWrong("NS", s.ns, p.ns)
	}
	if s.hasDS && s.ds != p.ds {
		p.countWrong("DS", s.ds, p.ds)
	}
}

func (p *parser) countWrong(typ string, stated, found int) {
	p.fail(p.trailer.line, p.trailer.col, "trailer: it states %d %s records, the file has %d, duplicates counted (policy APNIC-103, appendix); was the file cut short or edited? Write file and trailer again", stated, typ, found)
}

// noTrailer says that there is none, at the end of the file's last line.
func (p *parser) noTrailer() {
	text := bytes.TrimSuffix(p.data, []byte("\n"))
	line := 1 + bytes.Count(text, []byte("\n"))
	col := len(text) - bytes.LastIndexByte(text, '\n')
	hint := ""
	if p.trailer.foreign != "" {
		hint = fmt.Sprintf(" (the trailer of line %d is that of %s)", p.trailer.foreignLine, p.trailer.foreign)
	}
	p.fail(line, col, `the file ends without the trailer %s TXT "Generated at …"%s: was it cut short? (policy APNIC-103, appendix); publish the whole file, the trailer last`, p.trailer.owner, hint)
}
