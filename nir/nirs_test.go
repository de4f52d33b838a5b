package nir

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

func TestR_NIR_3_WindowOfAnyPastTime(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		update(t, db, admin(day), func(x *Tx) error {
			_, err := x.PutNIR(NIR{Code: "JPNIC", Name: "Japan", Economy: "JP", Source: "JPNIC", Mntner: "MAINT-JPNIC", Option: 1})
			return err
		})
		set := func(at time.Time, size Size) {
			update(t, db, admin(at), func(x *Tx) error {
				_, err := x.SetWindow("JPNIC", inr.IPv4, size, "review")
				return err
			})
		}
		set(day.Add(time.Hour), "/20")
		set(day.Add(48*time.Hour), "/19")
		for _, c := range []struct {
			at   time.Duration
			want Size
		}{{time.Hour, "/20"}, {47 * time.Hour, "/20"}, {48 * time.Hour, "/19"}, {500 * time.Hour, "/19"}} {
			err := db.AsOf(context.Background(), day.Add(c.at), func(v *View) error {
				w, err := v.Window("JPNIC", inr.IPv4)
				if w.Size != c.want {
					t.Errorf("after %v the window is %q, want %q", c.at, w.Size, c.want)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		err := db.AsOf(context.Background(), day.Add(time.Minute), func(v *View) error {
			_, err := v.Window("JPNIC", inr.IPv4)
			return err
		})
		if CodeOf(err) != NotFound {
			t.Errorf("before the first window: %v", err)
		}
		if s, err := db.VerifyAudit(context.Background()); err != nil || s.Events != 3 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

// TestCodeOfAnNIRStays: windows, members and delegations name it.
func TestCodeOfAnNIRStays(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	err := db.Update(context.Background(), admin(day), func(x *Tx) error {
		n, err := x.NIR("JPNIC")
		if err != nil {
			return err
		}
		n.Code = "JNIC"
		_, err = x.PutNIR(n)
		return err
	})
	if CodeOf(err) != Conflict || !strings.Contains(err.Error(), "a code stays") {
		t.Error(err)
	}
}

// TestServedByNobody: the refusal does not name a registry that does not serve.
func TestServedByNobody(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	update(t, db, staff(day), func(x *Tx) error { _, err := x.Submit(ask("r1", "m1", inr.ASN, "1")); return err })
	update(t, db, admin(day), func(x *Tx) error {
		_, s, err := x.MemberOf("JPNIC", "m1")
		if err != nil {
			return err
		}
		s.Serves = false
		return memberships.put(x, &s)
	})
	err := db.Update(context.Background(), staff(day), func(x *Tx) error { _, err := x.Submit(ask("r2", "m1", inr.ASN, "1")); return err })
	if CodeOf(err) != Conflict || !strings.Contains(err.Error(), "by nobody") {
		t.Error(err)
	}
}
