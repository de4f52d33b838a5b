package nir

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
	"nirzone/zone"
)

// TestTextIsText: what is not UTF-8 or holds control characters enters by no field,
// and lines only where there may be some.
func TestTextIsText(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		later := day.Add(time.Hour)
		member := func(fn func(*Member)) func(*Tx) error {
			return func(x *Tx) error {
				m := Member{Name: "Example", Economy: "JP"}
				fn(&m)
				_, err := x.AddMember("JPNIC", "T1", m)
				return err
			}
		}
		for name, c := range map[string]struct {
			a    Actor
			fn   func(*Tx) error
			want string
		}{
			"not UTF-8":   {admin(later), member(func(m *Member) { m.Name = "Ex\xff" }), "name: \"Ex\\xff\" is not UTF-8 (RFC 3629)"},
			"escape":      {admin(later), member(func(m *Member) { m.Phone = "\x1b[31m" }), "phone: \"\\x1b[31m\" has a control character (U+001B)"},
			"C1":          {admin(later), member(func(m *Member) { m.IRT = "\u009b" }), "irt: \"\\u009b\" has a control character (U+009B)"},
			"delete":      {admin(later), member(func(m *Member) { m.Email = "a\x7f" }), "(U+007F)"},
			"bidi":        {admin(later), member(func(m *Member) { m.Name = "Ex\u202eample" }), "(U+202E)"},
			"isolate":     {admin(later), member(func(m *Member) { m.Name = "Ex\u2066ample" }), "(U+2066)"},
			"mark":        {admin(later), member(func(m *Member) { m.Name = "Ex\u200fample" }), "(U+200F)"},
			"no width":    {admin(later), member(func(m *Member) { m.Name = "Ex\u200bample" }), "has a format character, which is not seen (U+200B)"},
			"byte order":  {admin(later), member(func(m *Member) { m.Address = []string{"\ufeff1 Street"} }), "(U+FEFF)"},
			"in lines":    {admin(later), func(x *Tx) error { _, err := x.SetWindow("JPNIC", inr.IPv4, "/19", "a\nb\u2060c"); return err }, "(U+2060)"},
			"line break":  {admin(later), member(func(m *Member) { m.AdminC = "A\nmnt-by: EVIL" }), "admin_c: \"A\\nmnt-by: EVIL\" has a line break"},
			"in a list":   {admin(later), member(func(m *Member) { m.Address = []string{"1 Street", "a\nb"} }), "address: \"a\\nb\" has a line break"},
			"in a reason": {Actor{Name: "admin", Roles: []Role{Admin}, At: later, Reason: "a\xffb"}, member(func(*Member) {}), "reason: \"a\\xffb\" is not UTF-8"},
			"in a name":   {Actor{Name: "ad\x1bmin", Roles: []Role{Admin}, At: later}, member(func(*Member) {}), "actor:"},
			"of a window": {admin(later), func(x *Tx) error { _, err := x.SetWindow("JPNIC", inr.IPv4, "/19", "a\x00b"); return err }, "reason:"},
			"of a pool": {admin(later), func(x *Tx) error {
				_, err := x.AddPool(Pool{Range: rng(t, "61.0.0.0/16"), Purpose: Regional, Description: "a\x07"})
				return err
			}, "description:"},
			"in a proposal": {admin(later), func(x *Tx) error { _, err := x.propose("import", importArgs{File: "a\xff"}); return err }, "file:"},
			"a carriage return": {admin(later), func(x *Tx) error {
				_, err := x.SetWindow("JPNIC", inr.IPv4, "/19", "a\rb")
				return err
			}, "reason:"},
		} {
			t.Run(name, func(t *testing.T) { wantCode(t, do(db, c.a, c.fn), Invalid, c.want) })
		}
		update(t, db, admin(later), func(x *Tx) error {
			_, err := x.SetWindow("JPNIC", inr.IPv4, "/19", "Zürich,\r\nin\tlines �")
			return err
		})
		if _, err := db.VerifyAudit(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// TestTextThatStands: an object that came with such text before can be changed
// otherwise, and what it has had is no way in for more.
func TestTextThatStands(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	var m Member
	update(t, db, admin(day), func(x *Tx) (err error) {
		m, err = x.AddMember("JPNIC", "T1", Member{Name: "Example", Economy: "JP"})
		return err
	})
	if _, err := db.sql.Exec("UPDATE member SET name = ? WHERE id = ? AND until IS NULL", "old \x1b", m.ID); err != nil {
		t.Fatal(err)
	}
	change := func(fn func(*Member)) error {
		return do(db, admin(day.Add(time.Hour)), func(x *Tx) error {
			m, err := x.Member(m.ID)
			if err == nil {
				fn(&m)
				_, err = x.ChangeMember(m)
			}
			return err
		})
	}
	if err := change(func(m *Member) { m.Phone = "2" }); err != nil {
		t.Error(err)
	}
	wantCode(t, change(func(m *Member) { m.Name = "new \x1b" }), Invalid, "name:")
}

// TestTextOfStrangers: what a server or a file said is told, without what a terminal
// would obey.
func TestTextOfStrangers(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	f := &zone.NoticeFile{Source: "JPNIC", Time: day.Add(time.Hour), New: []zone.OpenNotice{{Notice: zone.Notice{Source: "JPNIC", Code: "fetch-failed", Text: "530 \x1b[31mgo\naway"}, Since: day}}}
	update(t, db, admin(day.Add(2*time.Hour)), func(x *Tx) error { _, err := x.ImportNotices([]*zone.NoticeFile{f}, false); return err })
	var b bytes.Buffer
	if _, err := db.ExportAudit(context.Background(), &b, Mark{}); err != nil || !strings.Contains(b.String(), `530  [31mgo\naway`) {
		t.Errorf("%v: %s", err, b.String())
	}
}
