package nir

import (
	"path/filepath"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// TestNothingOfOtherPools: what no request may be met from is not, though it is all
// that is free: reserved pools, those in quarantine, what another NIR has of old.
func TestNothingOfOtherPools(t *testing.T) {
	for _, p := range []Pool{
		{Purpose: Reserved},
		{Purpose: Quarantine},
		{Purpose: NIRExisting, NIR: "KRNIC"},
	} {
		t.Run(string(p.Purpose), func(t *testing.T) {
			db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
			p.Range = rng(t, "202.0.0.0/16")
			update(t, db, admin(day), func(x *Tx) error {
				for code, economy := range map[string]string{"JPNIC": "JP", "KRNIC": "KR"} {
					if _, err := x.PutNIR(NIR{Code: code, Name: code, Economy: economy, Source: code, Mntner: "MAINT-" + code, Option: 1}); err != nil {
						return err
					}
				}
				if _, err := x.SetWindow("JPNIC", inr.IPv4, "/20", "start"); err != nil {
					return err
				}
				_, err := x.AddPool(p)
				return err
			})
			update(t, db, staff(day.Add(time.Hour)), func(x *Tx) error {
				r, err := x.Submit(ask("a", "m1", inr.IPv4, "/22"))
				if len(r.Ranges) > 0 || r.State != HeldRequest {
					t.Errorf("%v of a pool that is %s, state %s", r.Ranges, p.Purpose, r.State)
				}
				return err
			})
		})
	}
}
