package zone

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func drawNotices(t *rapid.T) []OpenNotice {
	text := rapid.OneOf(rapid.StringMatching(`[ -~]{0,20}`), rapid.String(), rapid.SampledFrom([]string{"", "\xff", `a": "b`, "\u2028<&>", "\n  ]", "\n    {"}))
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) OpenNotice {
		return OpenNotice{
			Notice{
				Code: text.Draw(t, "code"), Severity: Severity(rapid.IntRange(0, 3).Draw(t, "severity")), Source: text.Draw(t, "source"),
				Zone: Name(text.Draw(t, "zone")), Name: Name(text.Draw(t, "name")),
				Pos:  Pos{text.Draw(t, "file"), rapid.IntRange(-1, 3).Draw(t, "line"), rapid.IntRange(0, 2).Draw(t, "column")},
				Text: text.Draw(t, "text"),
			},
			time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "since"), rapid.SampledFrom([]int64{0, 0, 5000}).Draw(t, "nanoseconds")).UTC(),
		}
	}), 0, 4).Draw(t, "notices")
}

// Whatever notices say: the file is the one that encoding/json would write, and
// is read as encoding/json would read it.
func TestNoticeJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := someGeneration()
		g.Notices = drawNotices(t)
		data := g.Encode()
		if d := cmp.Diff(string(encodeJSON(g)), string(data)); d != "" {
			t.Fatalf("(-encoding/json +ours):\n%s", d)
		}
		var want Generation
		if err := decodeVersioned("g", data, GenerationVersion, &want); err != nil {
			t.Fatal(err)
		}
		got, err := ParseGeneration("g", data)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want.Notices, got.Notices); d != "" {
			t.Fatalf("(-encoding/json +ours):\n%s", d)
		}
		f := &NoticeFile{Version: 1, Source: "s", New: g.Notices, Closed: []OpenNotice{}, Open: drawNotices(t)}
		if d := cmp.Diff(string(encodeJSON(f)), string(f.Encode())); d != "" {
			t.Fatalf("notice file (-encoding/json +ours):\n%s", d)
		}
	})
}

// A list in any other form is read by encoding/json, and refused by it.
func TestNoticeJSONEdited(t *testing.T) {
	g := someGeneration()
	g.Notices = []OpenNotice{{Notice{Code: "a", Source: "S", Text: "b"}, g.Time}, {Notice{Code: "c", Source: "S", Text: "d"}, g.Time}}
	data := string(g.Encode())
	if _, list := cutNotices([]byte(data)); !readWhole(list) {
		t.Fatal("our own form is not known")
	}
	for _, tc := range []struct{ old, new, err string }{
		{`"code": "a"`, `"code":"a"`, ""},
		{`"code": "a",`, `"code": "x", "code": "a",`, ""},
		{"      \"text\": \"b\",\n", "", "-"},
		{`"code": "a"`, `"kode": "a"`, "unknown field"},
		{`"text": "b"`, `"text": "b`, "invalid character"},
		{`"severity": "info"`, `"severity": "bad"`, "severity"},
	} {
		text := strings.Replace(data, tc.old, tc.new, 1)
		if text == data {
			t.Fatalf("%q is not in\n%s", tc.old, data)
		}
		got, err := ParseGeneration("g", []byte(text))
		switch {
		case tc.err == "-":
			if err != nil || got.Notices[0].Text != "" {
				t.Errorf("%q: %v, %v", tc.new, got, err)
			}
		case tc.err == "":
			if err != nil || !cmp.Equal(got.Notices, g.Notices) {
				t.Errorf("%q: %v, %v", tc.new, got, err)
			}
		case err == nil || !strings.Contains(err.Error(), tc.err):
			t.Errorf("%q: %v", tc.new, err)
		}
	}
}

func readWhole(list func() ([]OpenNotice, bool)) bool {
	if list == nil {
		return false
	}
	_, ok := list()
	return ok
}
