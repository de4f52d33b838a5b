package zone

import (
	"strings"
	"testing"
)

// tail is a good trailer for a zonelet with n NS records.
func tail(n string) string {
	return "TEST.202.in-addr.arpa.\tIN\tTXT\t\"Generated at 2026-03-17 14:24:01Z with " + n + " NS records from TEST.\"\n"
}

const (
	good = "1.202.in-addr.arpa. NS ns1.example.net.\n"
)

// badZonelets are refused whole, each with every mistake at its place.
var badZonelets = []struct {
	name, in string
	want     []string
}{
	{"empty", "", []string{"f: zero bytes: a zero-byte file is never valid; an empty zonelet has a trailer (policy APNIC-103, appendix)"}},
	{"newline only", "\n", []string{"f:1:1: the file ends without the trailer"}},
	{"cut short", good + good, []string{`f:2:40: the file ends without the trailer test.202.in-addr.arpa. TXT "Generated at …": was it cut short? (policy APNIC-103, appendix)`}},
	{"cut in a line", good + "1.202.in-addr.arpa. N", []string{`f:2:21: "N" is no type`, "f:2:22: the file ends without"}},
	{"cut in the trailer", good + tail("1")[:60], []string{"f:2:31: the quote that opens here is not closed", "f:2:61: the file ends without"}},
	{"nul", good + "1.202.in-addr.arpa. NS ns\x001.example.net.\n" + tail("1"), []string{"f:2:26: NUL octet"}},
	{"nul in comment", good + "; a\x00b\n" + tail("1"), []string{"f:2:4: NUL octet"}},
	{"escape in comment", good + "; a\x1bb\n" + tail("1"), []string{"f:2:4: control character 0x1b"}},
	{"del", good + "\x7f\n" + tail("1"), []string{"f:2:1: control character 0x7f"}},
	{"del in comment", good + "; a\x7f\n" + tail("1"), []string{"f:2:4: control character 0x7f"}},
	{"bare cr", good + "; a\rb\n" + tail("1"), []string{"f:2:4: carriage return without line feed"}},
	{"cr at end", good + tail("1") + "\r", []string{"f:3:1: carriage return"}},
	{"utf-8 bom", "\xef\xbb\xbf" + good + tail("1"), []string{"f:1:1: the file begins with a byte order mark"}},
	{"utf-16", "\xff\xfe$\x00T\x00", []string{"f:1:1: the file begins with a byte order mark", "f:1:4: NUL octet", "f:1:7: the file ends"}},
	{"latin owner", "\xe91.202.in-addr.arpa. NS a.b.\n" + tail("0"), []string{"f:1:1: octet 0xe9 outside quotes and comments"}},
	{"include", good + "$INCLUDE /etc/passwd\n" + tail("1"), []string{"f:2:1: $INCLUDE is refused: a zonelet stands for itself"}},
	{"include lower", good + "$include \"/etc/passwd\" ; x\n" + tail("1"), []string{"f:2:1: $INCLUDE is refused"}},
	{"generate", good + "$GENERATE 0-65535 $.202.in-addr.arpa. NS a.b.\n" + tail("1"), []string{"f:2:1: $GENERATE is refused"}},
	{"unknown directive", good + "$DATE x\n" + tail("1"), []string{"f:2:1: directive $DATE is not known"}},
	{"soa", "@ SOA a. b. 1 2 3 4 5\n" + good + tail("1"), []string{"f:1:3: SOA record: a zonelet has none (policy APNIC-103, appendix); remove it"}},
	{"soa as type6", "@ TYPE6 \\# 0\n" + tail("0"), []string{"f:1:3: SOA record"}},
	{"class", "1.202.in-addr.arpa. CH NS a.b.\n" + tail("0"), []string{"f:1:21: class CH: only IN is taken"}},
	{"class number", "1.202.in-addr.arpa. 5 CLASS3 NS a.b.\n" + tail("0"), []string{"f:1:23: class CLASS3: only IN"}},
	{"class none", "1.202.in-addr.arpa. NONE NS a.b.\n" + tail("0"), []string{"f:1:21: class NONE"}},
	{"class twice", "1.202.in-addr.arpa. IN IN NS a.b.\n" + tail("0"), []string{`f:1:24: "IN" is no type`}},
	{"ttl twice", "1.202.in-addr.arpa. 5 6 NS a.b.\n" + tail("0"), []string{`f:1:23: "6" is no type`}},
	{"outside", "1.203.in-addr.arpa. NS a.b.\n" + tail("0"), []string{"f:1:1: owner 1.203.in-addr.arpa. lies outside 202.in-addr.arpa. (policy APNIC-103, appendix)"}},
	{"outside by suffix", "1202.in-addr.arpa. NS a.b.\n" + tail("0"), []string{"f:1:1: owner 1202.in-addr.arpa. lies outside"}},
	{"outside by escape", "1\\.202.in-addr.arpa. NS a.b.\n" + tail("0"), []string{`f:1:1: owner 1\.202.in-addr.arpa. lies outside`}},
	{"outside under origin", "$ORIGIN .\n1.202 NS a.b.\n" + tail("0"), []string{"f:2:1: owner 1.202. lies outside"}},
	{"outside repeats silently", "1.203.in-addr.arpa. NS a.b.\n  NS b.b.\n" + tail("0"), []string{"f:1:1: owner 1.203.in-addr.arpa. lies outside"}},
	{"trailer missing", good, []string{"f:1:40: the file ends without the trailer"}},
	{"count", good + tail("2"), []string{"f:2:31: trailer: it states 2 NS records, the file has 1, duplicates counted (policy APNIC-103, appendix)"}},
	{"ds count", good + tail("1") + strings.Replace(tail("4"), "NS", "DS", 1), []string{"f:2:31: trailer: it states 4 DS records, the file has 0"}},
	{"no ns count", strings.Replace(tail("0"), "NS", "DS", 1), []string{"f:1:31: trailer: it states no number of NS records"}},
	{"trailer twice", good + tail("1") + tail("1"), []string{"f:3:31: trailer: the number of NS records is stated twice"}},
	{"trailer not last", tail("1") + good, []string{"f:2:1: record behind the trailer of line 1"}},
	{"two files joined", good + tail("1") + good + good + tail("1"), []string{"f:3:1: record behind the trailer of line 2", "f:5:31: trailer: the number of NS records is stated twice"}},
	{"foreign trailer", good + strings.ReplaceAll(tail("1"), "TEST", "OTHER"), []string{"f:2:97: the file ends without the trailer test.202.in-addr.arpa. TXT \"Generated at …\" (the trailer of line 2 is that of other.202.in-addr.arpa.)"}},
	{"trailer from another", good + strings.Replace(tail("1"), "from TEST", "from OTHER", 1), []string{"f:2:31: trailer: it speaks for \"OTHER\", the zonelet is of TEST"}},
	{"trailer garbled", good + strings.Replace(tail("1"), "with", "wih", 1), []string{`f:2:31: trailer: "Generated at 2026-03-17 14:24:01Z wih 1 NS records from TEST." is not "Generated at TIME with N NS records from TEST."`}},
	{"trailer time", good + strings.Replace(tail("1"), "2026-03-17 14:24:01Z", "noon", 1), []string{`f:2:31: trailer: time "noon" is not understood`}},
	{"ttl too large", "1.202.in-addr.arpa. 2147483648 NS a.b.\n" + tail("0"), []string{"f:1:21: TTL 2147483648 is over 2147483647 seconds (RFC 2181, section 8)"}},
	{"ttl huge", "1.202.in-addr.arpa. 99999999999999999999999w NS a.b.\n" + tail("0"), []string{"f:1:21: TTL 99999999999999999999999W is over"}},
	{"ttl mixed", "1.202.in-addr.arpa. 1h30 NS a.b.\n" + tail("0"), []string{`f:1:21: TTL "1H30" is not a number of seconds`}},
	{"$ttl garbage", "$TTL one\n" + good + tail("1"), []string{`f:1:6: $TTL: TTL "one" is not`}},
	{"$ttl twice", "$TTL 1 2\n" + good + tail("1"), []string{"f:1:1: $TTL with 2 arguments, it takes one"}},
	{"$ttl alone", "$TTL\n" + good + tail("1"), []string{"f:1:1: $TTL with 0 arguments"}},
	{"$origin alone", "$ORIGIN ; x\n1 NS a.\n" + good + tail("1"), []string{"f:1:1: $ORIGIN with 0 arguments"}},
	{"$origin garbage", "$ORIGIN a..b.\n1 NS a.\n" + good + tail("1"), []string{`f:1:9: $ORIGIN: name "a..b."`}},
	{"$origin quoted", "$ORIGIN \".\"\n" + good + tail("1"), []string{`f:1:9: $ORIGIN: "." is a quoted string`}},
	{"paren open", good + "2.202.in-addr.arpa. NS ( a.b.\n" + tail("1"), []string{"f:2:24: the parenthesis that opens here is not closed within 65536 octets"}},
	{"paren open twice", "1 NS (\n2 NS (\n" + tail("0"), []string{"f:1:6: the parenthesis that opens", "f:2:6: the parenthesis that opens"}},
	{"paren close", good + "2.202.in-addr.arpa. NS a.b. )\n" + tail("1"), []string{`f:2:29: ")" without "("`}},
	{"paren first", "( 1 NS a. )\n" + tail("0"), []string{`f:1:1: a line begins with its owner or a blank, not with "("`}},
	{"quote", good + "2.202.in-addr.arpa. TXT \"a\n" + tail("1"), []string{"f:2:25: the quote that opens here is not closed on its line"}},
	{"quote in word", "2.202.in-addr.arpa. TXT a\"b\"\n" + tail("0"), []string{"f:1:26: quote inside a word"}},
	{"quoted owner", "\"1\" NS a.\n" + tail("0"), []string{`f:1:1: owner: "1" is a quoted string, not a name`}},
	{"quoted type", "1 \"NS\" a.\n" + tail("0"), []string{`f:1:3: "NS" stands where TTL, class or type is expected`}},
	{"quoted target", "1 NS \"a.\"\n" + tail("0"), []string{"f:1:6: NS record: write the name or address without quotes"}},
	{"escape too large", "\\999.202.in-addr.arpa. NS a.\n" + tail("0"), []string{`f:1:1: escape "\\999" is not \DDD with a value up to 255`}},
	{"escape at end", "1 NS a\\\n" + tail("0"), []string{"f:1:7: a backslash escapes the printable character after it"}},
	{"no owner", "  NS a.\n" + tail("0"), []string{"f:1:3: the line begins with a blank, so it repeats the owner above it, and there is none"}},
	{"no type", "1.202.in-addr.arpa.\n1.202.in-addr.arpa. 5 IN ; x\n" + tail("0"), []string{"f:1:20: the line ends where a type such as NS is expected", "f:2:25: the line ends where"}},
	{"unknown type", "1 NSX a.\n" + tail("0"), []string{`f:1:3: "NSX" is no type`}},
	{"meta type", "1 ANY a.\n1 AXFR a.\n1 OPT a.\n1 TYPE0 \\# 0\n1 TYPE70000 x\n" + tail("0"), []string{"f:1:3: type ANY is no type of data", "f:2:3: type AXFR", "f:3:3: type OPT", "f:4:3: type TYPE0", `f:5:3: "TYPE70000" is no type`}},
	{"ns without data", "1 NS\n1 NS ; x\n" + tail("0"), []string{"f:1:5: NS record without data", "f:2:5: NS record without data"}},
	{"ns twice", "1 NS a. b.\n" + tail("0"), []string{`f:1:9: NS record: "b." follows the data`}},
	{"ns bad name", "1 NS a..b.\n" + tail("0"), []string{"f:1:6: NS record: "}},
	{"ns long label", "1 NS " + strings.Repeat("a", 64) + ".\n" + tail("0"), []string{"f:1:6: NS record: "}},
	{"owner long label", strings.Repeat("a", 64) + " NS a.\n" + tail("0"), []string{"f:1:1: owner: name"}},
	{"owner too long", strings.Repeat("a.", 120) + " NS a.\n" + strings.Repeat("a.", 120) + "b NS a.\n" + tail("0"), []string{"f:1:1: owner a.a.a", "f:2:1: owner: name"}},
	{"ds odd hex", "1 DS 1 8 2 abc\n" + tail("0"), []string{"f:1:12: DS record: digest of 3 hex digits"}},
	{"ds no hex", "1 DS 1 8 2 abxy\n" + tail("0"), []string{"f:1:14: DS record: digest: 'x' is no hex digit"}},
	{"ds short", "1 DS 1 8 2\n1 DS 1\n" + tail("0"), []string{"f:1:10: DS record: the digest is missing", "f:2:6: DS record: the algorithm is missing"}},
	{"ds without digest", "1 DS 1 8 2 \n1 DS 1 8 2 ; ab\n" + tail("0"), []string{"f:1:10: DS record: the digest is missing", "f:2:10: DS record: the digest is missing"}},
	{"ds numbers", "1 DS 65536 8 2 ab\n1 DS a 8 2 ab\n1 DS 1 256 2 ab\n1 DS 1 8 SHA256 ab\n1 DS -1 8 2 ab\n" + tail("0"), []string{`f:1:6: DS record: key tag "65536" is not a number up to 65535`, `f:2:6: DS record: key tag "a"`, `f:3:8: DS record: algorithm "256"`, `f:4:10: DS record: digest type "SHA256"`, `f:5:6: DS record: key tag "-1"`}},
	{"a address", "1 A 1.2.3\n1 A ::1\n1 AAAA 1.2.3.4\n" + tail("0"), []string{"f:1:5: A record: \"1.2.3\" is not such an address", "f:2:5: A record", "f:3:8: AAAA record"}},
	{"txt too long", "1 TXT " + strings.Repeat("a", 256) + "\n" + tail("0"), []string{"f:1:7: string of 256 octets"}},
	{"unknown type data", "1 TYPE65280 abcd\n" + tail("0"), []string{`f:1:13: type TYPE65280 is not known here: write its data as \# LENGTH HEX`}},
	{"generic length", "1 TYPE65280 \\# 3 abcd\n1 TYPE65280 \\#\n1 TYPE65280 \\# x\n1 TYPE65280 \\# 1 a\n1 TYPE65280 \\# 1 xx\n" + tail("0"), []string{"f:1:16: length 3, but there are 4 hex digits", `f:2:13: \# without a length`, `f:3:16: length "x"`, "f:4:16: length 1, but", "f:5:18: 'x' is no hex digit"}},
	{"generic ns", "1 NS \\# 0\n1 NS \\# 3 016100ff\n1 NS \\# 2 0161\n1 DS \\# 2 0102\n" + tail("0"), []string{"f:1:9: NS record without data", "f:2:9: length 3", "f:3:6: NS record: ", "f:4:6: DS record: "}},
	{"mx", "1 MX ten a.\n1 MX 10\n" + tail("0"), []string{"f:1:6: MX record: bad MX Pref", "f:2:6: MX record: bad MX Mx"}},
	{"several", "1.203.in-addr.arpa. NS a.\n$INCLUDE x\n1 NS\n" + tail("0"), []string{"f:1:1: owner", "f:2:1: $INCLUDE", "f:3:5: NS record without data"}},
}

func TestParseRefuses(t *testing.T) {
	for _, tc := range badZonelets {
		t.Run(tc.name, func(t *testing.T) {
			for _, slow := range []bool{false, true} {
				frag, err := parseFragment("TEST", "202.in-addr.arpa.", "f", []byte(tc.in), ParseOptions{}, slow)
				if frag != nil {
					t.Error("a refused file gave a fragment")
				}
				wantErrors(t, err, tc.want...)
			}
		})
	}
}
