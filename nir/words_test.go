package nir

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nirzone/nir/inr"
)

// TestBackupWhere: a backup that cannot be made where it is to be names that place,
// not the database.
func TestBackupWhere(t *testing.T) {
	db, dir := approving(t), t.TempDir()
	file := filepath.Join(dir, "absent", "copy.db")
	err := db.Backup(context.Background(), file)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), file) {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestMissingSize: a request without a size is told that it is missing, one with
// nonsense what a size is.
func TestMissingSize(t *testing.T) {
	db := approving(t)
	for size, want := range map[Size]string{"": "size: it is missing", "x": "is no size"} {
		err := do(db, staff(day), func(x *Tx) error { _, err := x.Submit(ask("r1", "m1", inr.IPv4, size)); return err })
		wantCode(t, err, Invalid, want)
	}
}

// TestR_SEC_4_HintsAtRelease: what is not public is hinted at as nirctl takes it, with
// every item; of what is not there nothing is proposed.
func TestR_SEC_4_HintsAtRelease(t *testing.T) {
	db := approving(t)
	r := sendIn(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/24"))
	var d Disclosure
	update(t, db, hostmaster(day), func(x *Tx) (err error) { d, err = x.RecordDisclosure(police("A 1", CourtOrder)); return err })
	answer := func(fields ...string) error {
		items := []DisclosedItem{{"request", r.ID, []string{"size"}}, {"member", r.Member, fields}}
		return do(db, hostmaster(day), func(x *Tx) error { _, err := x.AnswerPublic(d.ID, items); return err })
	}
	var e *Error
	want := "nirctl disclosure release " + d.ID + " --item request:" + r.ID + ":size --item member:" + r.Member + ":name,phone"
	if err := answer("name", "phone"); !errors.As(err, &e) || e.Code != Forbidden || !strings.HasSuffix(e.Remedy, want) {
		t.Errorf("%v, %+v", err, e)
	}
	wantCode(t, answer("name", "colour"), Invalid, "no field")
}
