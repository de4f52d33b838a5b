package nir

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// BenchmarkAllocate is a durable allocation, beside a bare durable commit of a row.
func BenchmarkAllocate(b *testing.B) {
	for _, bare := range []bool{true, false} {
		b.Run(map[bool]string{true: "commit", false: "allocate"}[bare], func(b *testing.B) {
			db := openSQLite(b, filepath.Join(b.TempDir(), "r.db"))
			world(b, db)
			if bare {
				if _, err := db.sql.Exec("CREATE TABLE bare (id INTEGER PRIMARY KEY, text TEXT)"); err != nil {
					b.Fatal(err)
				}
			}
			for i := range b.N {
				if bare {
					if _, err := db.sql.Exec("INSERT INTO bare (text) VALUES ($1)", "a row of the usual size"); err != nil {
						b.Fatal(err)
					}
					continue
				}
				a := ask(fmt.Sprint("r", i), fmt.Sprint("m", i%1000), inr.IPv4, "/24")
				if err := db.Update(context.Background(), staff(day.Add(time.Hour)), func(x *Tx) error { _, err := x.Submit(a); return err }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
