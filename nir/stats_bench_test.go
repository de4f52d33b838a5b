package nir

import (
	"bytes"
	"fmt"
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
// synchronous=FULL: what is written is delegations, free blocks and the audit; and
// the same file with 20 000 made-up holders, which are members then and double the
// delegations of NIRs.
func BenchmarkImport(b *testing.B) {
	data := realStatistics(b)
	for _, form := range []string{"plain", "extended"} {
		b.Run(form, func(b *testing.B) {
			if form == "extended" {
				data = withHolders(data)
			}
			importAll(b, data)
		})
	}
}

func importAll(b *testing.B, data []byte) {
	records := 0
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

// withHolders adds an opaque-id to every record.
func withHolders(data []byte) []byte {
	var out []byte
	n := 0
	for l := range bytes.Lines(data) {
		l = bytes.TrimRight(l, "\n")
		out = append(out, l...)
		if bytes.HasSuffix(l, []byte("allocated")) || bytes.HasSuffix(l, []byte("assigned")) {
			out = fmt.Appendf(out, "|A%d", n*7919%20_000)
			n++
		}
		out = append(out, '\n')
	}
	return out
}
