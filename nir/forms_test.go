package nir

import (
	"errors"
	"path/filepath"
	"testing"
	"time"
)

// TestFormsOfAnNIR: an economy is one that there is, and a maintainer has a name
// that an object can have.
func TestFormsOfAnNIR(t *testing.T) {
	good := NIR{Code: "JPNIC", Name: "Japan", Economy: "JP", Source: "JPNIC", Mntner: "MAINT-JPNIC", Option: 1}
	if err := good.check(); err != nil {
		t.Error(err)
	}
	for economy, want := range map[string]string{"JN": "economy: there is no economy JN (ISO 3166-1)", "XX": "no economy XX", "jp": "not two upper-case letters", "P J": "not two"} {
		n := good
		n.Economy = economy
		wantCode(t, n.check(), Invalid, want)
		m := Member{Name: "Example", Economy: economy}
		wantCode(t, m.check(), Invalid, "economy: ")
	}
	for _, mntner := range []string{"not a mntner!", "MAINT-", "-M", "9M", "MAINT\nmnt-by: X"} {
		n := good
		n.Mntner = mntner
		wantCode(t, n.check(), Invalid, "mntner: ")
		m := Member{Name: "Example", Economy: "JP", Mntner: mntner}
		wantCode(t, m.check(), Invalid, "mntner: ")
	}
}

// TestImportSaysWhoManages: records of an NIR's economy are of direct members only
// if somebody says so.
func TestImportSaysWhoManages(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	smallWorld(t, db)
	f := statisticsOf(t, "apnic", "JP|ipv4|202.12.0.0|4096|20010101|allocated", "AU|ipv4|202.20.0.0|256|20010101|assigned")
	run := func(nirs map[string]string) (im Import, err error) {
		err = do(db, admin(day.Add(time.Hour)), func(x *Tx) error {
			im, err = x.Import(f, ImportOptions{NIRs: nirs})
			return err
		})
		return im, err
	}
	_, err := run(nil)
	wantCode(t, err, Invalid, "economy_of: JP is the economy of JPNIC")
	var e *Error
	if !errors.As(err, &e) || e.Hint() != "nirctl import stats "+f.File+" --economy-of JP=JPNIC" {
		t.Errorf("%v", e)
	}
	_, err = run(map[string]string{"JP": "JPNIC", "JN": "JPNIC"})
	wantCode(t, err, Invalid, "there is no economy JN")
	if im, err := run(map[string]string{"JP": "APNIC"}); err != nil || im.sum().Created != 2 {
		t.Errorf("%+v, %v", im, err)
	}
	want(t, managers(t, db), `
rir-member 202.12.0.0/20  JP allocation 20010101
rir-member 202.20.0.0/24  AU assignment 20010101
rir-nir 61.0.0.0/16 JPNIC  allocation 20260304`)
}
