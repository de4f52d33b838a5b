package stats

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nirzone/nir/inr"
)

const small = `# made by hand
2.3|apnic|20260618|6||20260617|+1000
apnic|*|asn|*|1|summary
apnic|*|ipv4|*|3|summary
apnic|*|ipv6|*|2|summary
apnic|JP|asn|2497|32|20020405|allocated|A91A7381
apnic|JP|ipv4|1.0.16.0|4096|20110412|allocated|A91A7381
apnic|AU|ipv4|1.2.3.0|768|00000000|assigned|A9
apnic||ipv4|1.4.0.0|256||available|
apnic|SG|ipv6|2400::|12|20241108|allocated|A1|e-stats|x

apnic||ipv6|2410::|20||reserved|
`

func readAll(t testing.TB, text string) (Header, []Record, error) {
	t.Helper()
	var list []Record
	h, err := Read("f", strings.NewReader(text), DefaultLimits(), func(r Record) error {
		list = append(list, r)
		return nil
	})
	return h, list, err
}

func TestRead(t *testing.T) {
	h, list, err := readAll(t, small)
	if err != nil {
		t.Fatal(err)
	}
	if h.Records != 6 || h.Registry != "apnic" || h.Version != "2.3" || h.Start != 0 || h.End != 20260617 || h.Offset != "+1000" {
		t.Errorf("%+v", h)
	}
	want := []string{
		"AS2497-AS2528 JP 20020405 allocated A91A7381 6", "1.0.16.0/20 JP 20110412 allocated A91A7381 7",
		"1.2.3.0-1.2.5.255 AU 00000000 assigned A9 8", "1.4.0.0/24  00000000 available  9",
		"2400::/12 SG 20241108 allocated A1 10", "2410::/20  00000000 reserved  12",
	}
	for i, r := range list {
		if got := fmt.Sprint(r.Range, " ", r.Economy, " ", r.Date, " ", r.Status, " ", r.Opaque, " ", r.Line); got != want[i] {
			t.Errorf("%s, want %s", got, want[i])
		}
	}
	if !slices.Equal(list[4].Extensions, []string{"e-stats", "x"}) {
		t.Errorf("extensions %q", list[4].Extensions)
	}
}

// TestReadMistakes: each is told with its line and what to write, and the lines
// around it are read.
func TestReadMistakes(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"2.3|apnic", "3|apnic", `f:2: version "3" of the format: this program reads 2 and 2.x`},
		{"2.3|apnic|20260618|6", "2.3|apnic|20260618|7", "f:2: the header says 7 records, there are 6"},
		{"2.3|apnic|2026", "2.3|apnic|x2026", `f:2: serial "x20260618" is not a number`},
		{"|+1000", "|10", `f:2: UTC offset "10"`},
		{"20260617", "20260631", `f:2: date "20260631"`},
		{"|ipv4|*|3", "|ipv4|*|4", "f:4: the summary says 4 records of ipv4, there are 3"},
		{"apnic|*|ipv6|*|2|summary\n", "", "there is no summary of the 2 records of ipv6"},
		{"|*|ipv4|*|3|summary", "|*|ipv4|*|3|summary\napnic|*|ipv4|*|3|summary", "f:5: summary of ipv4 stands in line 4 already"},
		{"apnic|JP|asn", "ripencc|JP|asn", `f:6: registry "ripencc" in a file of apnic`},
		{"apnic|JP|asn", "apnic|Jp|asn", `f:6: economy "Jp" is not two upper-case letters`},
		{"|asn|2497", "|as|2497", `f:6: type "as" is not asn, ipv4 or ipv6`},
		{"|4096|", "|0|", `f:7: value "0" of 1.0.16.0`},
		{"|1.0.16.0|", "|1.0.16|", "f:7: IPv4 address \"1.0.16\" has 3 of 4 octets"},
		{"|1.0.16.0|", "|2001:db8::|", "f:7: start \"2001:db8::\" is ipv6, and the record says ipv4"},
		{"|20110412|", "|20110432|", `f:7: date "20110432": write a day as yyyymmdd`},
		{"|2410::|20|", "|2410::|8|", "bits set behind its length"},
		{"|reserved|", "|free|", `f:12: status "free"`},
		{"|available|", "|available|a b", `f:9: field 8, "a b"`},
		{"apnic|AU|ipv4|1.2.3.0|768|00000000|assigned|A9", "apnic|AU|ipv4", "f:8: 3 fields: a record is"},
		{"|reserved|\n", "|reserved|", "f:12: the last line has no line end"},
		{"|A9\n", "|" + strings.Repeat("A", 2000) + "\n", "f:8: the line is longer than 1024 octets"},
		{small, "", "f: it has no header"},
		{"2.3|apnic|20260618|6||20260617|+1000\n", "", "f:2: the first line is no header"},
	} {
		text := strings.Replace(small, c.old, c.new, 1)
		if _, _, err := readAll(t, text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %s", c.new, err, c.want)
		}
	}
}

// TestReadTellsAll: all mistakes at once, in the order of the lines, the good
// records besides.
func TestReadTellsAll(t *testing.T) {
	text := strings.NewReplacer("|JP|asn", "|J|asn", "|768|00000000", "|x|99999999").Replace(small)
	_, list, err := readAll(t, text)
	m, ok := err.(*Mistakes)
	if !ok || len(m.List) != 3 || m.List[0].Line != 6 || m.List[1].Line != 8 || m.List[2].Line != 8 || len(list) != 4 {
		t.Errorf("%d records, %v", len(list), err)
	}
	lim := DefaultLimits()
	lim.Mistakes = 1
	_, err = Read("f", strings.NewReader(text), lim, func(Record) error { return nil })
	if m, ok := err.(*Mistakes); !ok || len(m.List) != 1 || m.More != 2 || !strings.Contains(m.Error(), "and 2 more") {
		t.Errorf("with a limit: %v", err)
	}
}

func TestReadLimits(t *testing.T) {
	lim := DefaultLimits()
	lim.Records = 3
	n := 0
	_, err := Read("f", strings.NewReader(small), lim, func(Record) error { n++; return nil })
	if n != 3 || err == nil || !strings.Contains(err.Error(), "f:9: more than 3 records") {
		t.Errorf("%d records, %v", n, err)
	}
	broken := io.MultiReader(strings.NewReader(small[:200]), failing{})
	if _, err := Read("f", broken, DefaultLimits(), func(Record) error { return nil }); err == nil || !strings.Contains(err.Error(), "reading f: the disk") {
		t.Errorf("a reader that fails: %v", err)
	}
	if _, err := Read("f", strings.NewReader(small), DefaultLimits(), func(Record) error { return io.ErrShortWrite }); err != io.ErrShortWrite {
		t.Errorf("fn's error became %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, fmt.Errorf("the disk failed") }

// TestWrite shows the rules of order, and what each form leaves out.
func TestWrite(t *testing.T) {
	h, list, err := readAll(t, small)
	if err != nil {
		t.Fatal(err)
	}
	r, err := inr.ParseRange("2401::-2401:2:ffff:ffff:ffff:ffff:ffff:ffff")
	if err != nil {
		t.Fatal(err)
	}
	list = append(list, Record{Registry: "apnic", Economy: "VN", Range: r, Status: Assigned, Opaque: "A2"})
	slices.Reverse(list)
	for form, want := range map[Form]string{
		Plain: `# hello
2|apnic|20260618|6||20260617|+1000
apnic|*|asn|*|1|summary
apnic|*|ipv4|*|2|summary
apnic|*|ipv6|*|3|summary
apnic|JP|asn|2497|32|20020405|allocated
apnic|JP|ipv4|1.0.16.0|4096|20110412|allocated
apnic|AU|ipv4|1.2.3.0|768|00000000|assigned
apnic|SG|ipv6|2400::|12|20241108|allocated
apnic|VN|ipv6|2401::|31|00000000|assigned
apnic|VN|ipv6|2401:2::|32|00000000|assigned
`,
		Extended: `# hello
2.3|apnic|20260618|8||20260617|+1000
apnic|*|asn|*|1|summary
apnic|*|ipv4|*|3|summary
apnic|*|ipv6|*|4|summary
apnic|JP|asn|2497|32|20020405|allocated|A91A7381
apnic|JP|ipv4|1.0.16.0|4096|20110412|allocated|A91A7381
apnic|AU|ipv4|1.2.3.0|768|00000000|assigned|A9
apnic||ipv4|1.4.0.0|256||available|
apnic|SG|ipv6|2400::|12|20241108|allocated|A1|e-stats|x
apnic|VN|ipv6|2401::|31|00000000|assigned|A2
apnic|VN|ipv6|2401:2::|32|00000000|assigned|A2
apnic||ipv6|2410::|20||reserved|
`,
	} {
		h.Version = ""
		var b bytes.Buffer
		if err := Write(&b, File{Form: form, Header: h, Comments: []string{" hello"}}, list); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("got\n%swant\n%s", b.String(), want)
		}
	}
	list[0].Opaque = "a|b"
	if err := Write(io.Discard, File{Header: h}, list); err == nil {
		t.Error("a record that cannot be read back was written")
	}
}

// realFile returns the statistics of one real day, or skips the test.
func realFile(t testing.TB) []byte {
	t.Helper()
	for dir := ".."; ; dir = filepath.Join("..", dir) {
		name := filepath.Join(dir, "shared", "data", "delegated-apnic-latest-20260618.txt")
		if data, err := os.ReadFile(name); err == nil {
			return data
		}
		if abs, err := filepath.Abs(dir); err != nil || filepath.Dir(abs) == abs {
			t.Skip("SKIPPED: no ../shared/data with a real statistics file")
		}
	}
}

// TestRealRoundTrip: what is read of a real file, written again, is the file, but
// for comments and, within one type, the order of the records.
func TestRealRoundTrip(t *testing.T) {
	data := realFile(t)
	h, list, err := readAll(t, string(data))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 85300 {
		t.Errorf("%d records", len(list))
	}
	var b bytes.Buffer
	if err := Write(&b, File{Header: h}, list); err != nil {
		t.Fatal(err)
	}
	got, want := strings.Split(b.String(), "\n"), withoutComments(string(data))
	t.Logf("in the order of the file: %v", slices.Equal(got, want))
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Error("the lines are not the same")
	}
}

func withoutComments(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n"), func(s string) bool { return strings.HasPrefix(s, "#") })
}

// FuzzRead: nothing breaks the reader, and what it takes without a mistake is
// written and read back as the same records.
func FuzzRead(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("2|nro|1|1|||\nnro|*|asn|*|1|summary\narin|US|asn|1|1|19910101|assigned\n"))
	f.Add([]byte("2|apnic|20260618|0|19830613|20260617|+1000\n"))
	f.Add([]byte("apnic|*|ipv4|*|54666|summary\n\n#\n|||||||\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, list, err := readAll(t, string(data))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := Write(&b, File{Form: Extended, Header: h}, list); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		_, again, err := readAll(t, b.String())
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, b.String())
		}
		slices.SortStableFunc(list, Record.Compare)
		if x, y := plain(list), plain(again); !slices.Equal(x, y) {
			t.Fatalf("%q became %q", x, y)
		}
	})
}

func plain(list []Record) []string {
	var out []string
	for _, r := range list {
		r.Line = 0
		out = append(out, fmt.Sprint(r))
	}
	return out
}

func BenchmarkRead(b *testing.B) {
	data := realFile(b)
	b.SetBytes(int64(len(data)))
	for range b.N {
		if _, err := Read("f", bytes.NewReader(data), DefaultLimits(), func(Record) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
