package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

// testPlanOvertaken: somebody changes the registry between the plan that a person
// looks at and the person's yes. Then nothing is done, and the new plan is there
// to be looked at.
func testPlanOvertaken(t *testing.T, w *dbWorld) {
	dir := t.TempDir()
	if err := w.copy(dir); err != nil {
		t.Fatal(err)
	}
	a := &app{Shell: &shell.Shell{Name: "nirctl", Clock: time.Now}, config: dir + "/nirzone.toml"}
	o, err := a.open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	request := func(x *nir.Tx) error {
		text := requestText{NIR: "JPNIC", Member: "M1", Ref: "R-50", Kind: "ipv4", Size: "/22", Type: "allocation", Netname: "X", Attested: true}
		q, err := text.ask(o, x.View)
		if err == nil {
			_, err = x.Submit(q)
		}
		return err
	}
	p, err := o.try(context.Background(), request)
	if err != nil {
		t.Fatal(err)
	}
	if out, errs, code := inProcess(dir, "request", "create", "--nir", "JPNIC", "--member", "M1", "--size", "/22", "--ref", "R-51", "--netname", "Y", "--attested", "--yes"); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	_, err = o.do(context.Background(), request, p, false)
	other, ok := err.(*otherPlan)
	if !ok || samePlan(p, other.plan) {
		t.Fatalf("done although another got the block: %v", err)
	}
	if out, _, _ := inProcess(dir, "request", "list", "-o", "name"); strings.Contains(out, "R-50") {
		t.Error("something was done")
	}
	done, err := o.do(context.Background(), request, other.plan, false)
	if err != nil || !slices.Equal(done.Effects, other.plan.Effects) {
		t.Errorf("the plan that was agreed to: %v", err)
	}
}
