package nir

import (
	"path/filepath"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// realPools are pools over part of the real file's space.
func realPools(x *Tx) error {
	for _, text := range []string{"202.0.0.0/8", "103.0.0.0/8", "2400::/12", "AS131072-AS153913"} {
		r, err := inr.ParseRange(text)
		if err == nil {
			_, err = x.AddPool(Pool{Range: r, Purpose: Regional})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkImport imports the whole real file into an empty registry in SQLite,
// synchronous=FULL: what is written is delegations, free blocks and the audit.
func BenchmarkImport(b *testing.B) {
	data := realStatistics(b)
	var records int
	for range b.N {
		b.StopTimer()
		db := openSQLite(b, filepath.Join(b.TempDir(), "r.db"))
		unconfirmed(db)
		update(b, db, admin(day), sevenNIRs)
		update(b, db, admin(day), realPools)
		b.StartTimer()
		f, err := ParseStatistics("delegated", data)
		if err != nil {
			b.Fatal(err)
		}
		im := doImport(b, db, admin(day.Add(time.Hour)), f, ImportOptions{NIRs: economies})
		records += im.sum().Created
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(peak(), "peak-MB")
}
