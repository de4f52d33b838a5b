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

// BenchmarkWhois is a lookup by address, beside a bare query by primary key.
func BenchmarkWhois(b *testing.B) {
	db := openSQLite(b, filepath.Join(b.TempDir(), "r.db"))
	world(b, db)
	var ids []string
	var at []inr.Range
	for i := range 200 {
		a := ask(fmt.Sprint("r", i), fmt.Sprint("m", i%50), inr.IPv4, "/24")
		if err := db.Update(context.Background(), staff(day), func(x *Tx) error {
			r, err := x.Submit(a)
			if err == nil {
				at = append(at, inr.Range{Kind: inr.IPv4, First: r.Ranges[0].Last, Last: r.Ranges[0].Last})
			}
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
	view(b, db, func(v *View) error {
		return whoisObjects.each(v, "id <> ''", nil, func(w *WhoisObject) error { ids = append(ids, w.ID); return nil })
	})
	b.Run("key", func(b *testing.B) {
		for i := range b.N {
			view(b, db, func(v *View) error {
				var text string
				return v.queryRow("SELECT text FROM whois_object WHERE id = $1 AND since > 0", ids[i%len(ids)]).Scan(&text)
			})
		}
	})
	b.Run("address", func(b *testing.B) {
		for i := range b.N {
			view(b, db, func(v *View) error {
				_, err := v.WhoisCovering(at[i%len(at)])
				return err
			})
		}
	})
}
