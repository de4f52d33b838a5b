package nir

import (
	"context"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// world is a registry with one NIR, a window of /20 and a pool of a /8.
func world(t testing.TB, db *DB) {
	t.Helper()
	update(t, db, admin(day), func(x *Tx) error {
		if _, err := x.PutNIR(NIR{Code: "JPNIC", Name: "Japan", Economy: "JP", Source: "JPNIC", Mntner: "MAINT-JPNIC", Option: 1}); err != nil {
			return err
		}
		for k, s := range map[inr.Kind]Size{inr.IPv4: "/20", inr.IPv6: "/32", inr.ASN: "1"} {
			if _, err := x.SetWindow("JPNIC", k, s, "start"); err != nil {
				return err
			}
		}
		for _, text := range []string{"202.0.0.0/8", "2400::/12", "AS131072-AS139577"} {
			r, err := inr.ParseRange(text)
			if err != nil {
				return err
			}
			if _, err := x.AddPool(Pool{Range: r, Purpose: Regional}); err != nil {
				return err
			}
		}
		return nil
	})
}

func staff(at time.Time) Actor {
	return Actor{Name: "staff", Roles: []Role{NIRStaff}, NIR: "JPNIC", At: at}
}

func ask(ref, uid string, k inr.Kind, size Size) Ask {
	return Ask{
		Request: Request{
			NIR: "JPNIC", Ref: ref, Act: Allocation, Kind: k, Size: size, Type: "allocation", UID: uid, Netname: "EXAMPLE-NET",
			Economy: "JP", AdminC: "AA1-JP", TechC: "TT1-JP", Attested: true,
		},
		Who: Member{Name: "Example " + uid, Economy: "JP"},
	}
}

// TestR_NIR_4_WithinTheWindow: at the window and below it what is asked for is
// allocated, above it nothing is.
func TestR_NIR_4_WithinTheWindow(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		for _, c := range []struct {
			kind  inr.Kind
			size  Size
			above bool
		}{
			{inr.IPv4, "/21", false},
			{inr.IPv4, "/20", false},
			{inr.IPv4, "4097", true},
			{inr.IPv4, "/19", true},
			{inr.IPv6, "/32", false},
			{inr.IPv6, "/31", true},
			{inr.ASN, "1", false},
			{inr.ASN, "2", true},
		} {
			ref := c.kind.String() + string(c.size)
			err := db.Update(context.Background(), staff(day.Add(time.Hour)), func(x *Tx) error {
				r, err := x.Submit(ask(ref, "m"+ref[len(ref)-2:len(ref)-1]+c.kind.String(), c.kind, c.size))
				if err == nil && (r.State != Registered || len(r.Ranges) == 0 || r.Ranges[0].Count().Cmp(c.size.Count(c.kind)) != 0) {
					t.Errorf("%s %s: %+v", c.kind, c.size, r)
				}
				return err
			})
			if c.above != (CodeOf(err) == SecondOpinion) || !c.above && err != nil {
				t.Errorf("%s %s: %v", c.kind, c.size, err)
			}
		}
		if _, err := db.VerifyAudit(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
