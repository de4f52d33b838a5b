package seal

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// MaxMD5 is the largest .md5 file, in octets.
const MaxMD5 = 4096

// A Sum is what a .md5 file says.
type Sum struct {
	File   string // base name of the .md5 file, for messages
	Name   string // of the file that was summed, unescaped
	Digest [md5.Size]byte
	GNU    bool // was in GNU form
}

var (
	bsdForm = regexp.MustCompile(`^(\\?)MD5 \(([^\x00\n]+)\) = ([0-9a-fA-F]{32})\r?\n?$`)
	gnuForm = regexp.MustCompile(`^(\\?)([0-9a-fA-F]{32}) [ *]([^\x00\r\n]+)\r?\n?$`)
	bareSum = regexp.MustCompile(`^[0-9a-fA-F]{32}\s*$`)
)

// ParseMD5 reads the .md5 file called file. With allowGNU it takes the GNU form
// too. Errors are of type [*Error] and Kind Malformed or GNUForm.
func ParseMD5(file string, data []byte, allowGNU bool) (Sum, error) {
	fail := func(k Kind, format string, args ...any) (Sum, error) {
		return Sum{}, &Error{File: file, Kind: k, Msg: fmt.Sprintf(format, args...)}
	}
	const want = `; want one line "MD5 (name) = 32 hex digits" (policy APNIC-103, appendix)`
	text := string(data)
	if len(data) > MaxMD5 {
		return fail(Malformed, "%d octets are no sum; at most %d are read", len(data), MaxMD5)
	}
	if strings.TrimSpace(text) == "" {
		return fail(Malformed, "empty"+want)
	}
	if m := bsdForm.FindStringSubmatch(text); m != nil {
		return newSum(file, m[1], m[2], m[3], false)
	}
	if m := gnuForm.FindStringSubmatch(text); m != nil {
		if !allowGNU {
			return fail(GNUForm, `the sum is in GNU form, the policy wants BSD form (md5sum --tag); to take it anyway set allow_gnu_md5 = true for the source`)
		}
		return newSum(file, m[1], m[3], m[2], true)
	}
	switch {
	case strings.Count(strings.TrimRight(text, "\r\n"), "\n") > 0:
		return fail(Malformed, "more than one line"+want)
	case bareSum.MatchString(text):
		return fail(Malformed, "a digest without a name, which binds it to no file"+want)
	}
	return fail(Malformed, "not a sum: %.60q"+want, text)
}

// newSum makes a Sum of the parts that a form's expression found.
func newSum(file, escaped, name, digest string, gnu bool) (Sum, error) {
	s := Sum{File: file, Name: name, GNU: gnu}
	if escaped != "" {
		var ok bool
		if s.Name, ok = unescape(name); !ok {
			return Sum{}, &Error{File: file, Kind: Malformed, Msg: fmt.Sprintf(`name %.80q: after a leading backslash only \\, \n and \r are escapes`, name)}
		}
	}
	_, err := hex.Decode(s.Digest[:], []byte(digest))
	if err != nil {
		panic("seal: the expression lets hex digits through only")
	}
	return s, nil
}

var escapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)

// unescape undoes escapes; it reports false for an unknown or open escape.
func unescape(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		if i == len(s) || !strings.ContainsRune(`\nr`, rune(s[i])) {
			return "", false
		}
		b.WriteByte(map[byte]byte{'\\': '\\', 'n': '\n', 'r': '\r'}[s[i]])
	}
	return b.String(), true
}

// Check binds the sum to a file by its base name and the MD5 digest of its
// octets. Errors are of type [*Error] and Kind WrongName or WrongSum.
func (s Sum) Check(base string, digest [md5.Size]byte) error {
	if s.Name != base {
		return &Error{File: s.File, Kind: WrongName, Msg: fmt.Sprintf("the sum is of %.80q, not of %q; make it in the file's own folder: md5sum --tag %s (policy APNIC-103, appendix)", s.Name, base, base)}
	}
	if s.Digest != digest {
		return &Error{File: s.File, Kind: WrongSum, Msg: fmt.Sprintf("the sum of %s is %x, but its octets have %x; one of the two was damaged or published without the other: publish both again", base, s.Digest, digest)}
	}
	return nil
}

// FormatMD5 returns the .md5 file of data: BSD form, one line ended by LF.
func FormatMD5(base string, data []byte) []byte {
	return formatSum(base, md5.Sum(data))
}

func formatSum(name string, digest [md5.Size]byte) []byte {
	mark, escaped := "", escapes.Replace(name)
	if escaped != name {
		mark = `\`
	}
	return fmt.Appendf(nil, "%sMD5 (%s) = %x\n", mark, escaped, digest)
}
