package nirtest

import (
	"fmt"
	"math/bits"
	"strings"

	"pgregory.net/rapid"

	"nirzone/nir"
)

// economyOf is the economy that an import takes for a registry's.
var economyOf = map[string]string{"AANIC": "JP", "BBNIC": "KR", "": "AU"}

// record is a line of statistics.
func record(kind, first, cells int, economy, holder string) string {
	start, value := fmt.Sprintf("1.0.%d.%d", first/16, first%16*16), 16*cells
	switch kind {
	case 1:
		start, value = fmt.Sprintf("2400:%x:%x000::", first/16, first%16), 36-bits.TrailingZeros(uint(cells))
	case 2:
		start, value = fmt.Sprint(131072+first), cells
	}
	return fmt.Sprintf("apnic|%s|%s|%s|%d|20100101|allocated|%s\n", economy, kindNames[kind], start, value, holder)
}

// bring imports a record of statistics, which a second person signs: what nobody
// holds becomes somebody's; what the registry has by another evidence it has (P5).
func (k *machine) bring(*rapid.T) {
	kind, first := k.kind(), rapid.IntRange(0, cellsOf-1).Draw(k.t, "cell")
	n := rapid.SampledFrom([]int{1, 2, 3, 4, 16}).Draw(k.t, "cells")
	if kind == 1 {
		n = 1 << rapid.IntRange(0, 4).Draw(k.t, "cells6")
		first = first / n * n
	}
	last := min(first+n, cellsOf) - 1
	registry := k.registry()
	holder := fmt.Sprint("h", registry, rapid.IntRange(1, 2).Draw(k.t, "holder"))
	ok, known := k.m.importable(kind, first, last, registry)
	if !known {
		k.t.Skip("what becomes of it is another model's")
	}
	text := "2|apnic|20260301|1|19830613|20260301|+0000\napnic|*|" + kindNames[kind] + "|*|1|summary\n" + record(kind, first, last-first+1, economyOf[registry], holder)
	f, err := nir.ReadStatistics("statistics", strings.NewReader(text))
	if err != nil {
		k.t.Fatal(err)
	}
	o := nir.ImportOptions{NIRs: map[string]string{"JP": "AANIC", "KR": "BBNIC"}}
	want := ""
	if !ok {
		want = refusal
	}
	var im nir.Import
	k.do(hostmaster(k.at), want, func(x *nir.Tx) (err error) {
		im, err = x.Import(f, o)
		return err
	})
	k.count("import", want)
	if want != "" {
		return
	}
	k.do(admin(k.at), string(nir.Forbidden), k.confirm(f, im, "hostmaster", registry, holder))
	k.do(admin(k.at), "", k.confirm(f, im, "anna", registry, holder))
	k.brought(kind, first, last, registry, holder)
}

// confirm signs an import and has it carried out; a holder that is new gets its
// contacts, and what came its whois objects.
func (k *machine) confirm(f *nir.Statistics, im nir.Import, who, registry, holder string) func(*nir.Tx) error {
	s := k.signature(who, im.Proposal, nir.Approver)
	return func(x *nir.Tx) error {
		x.With(f)
		if _, err := x.Approve(im.Proposal, s); err != nil {
			return err
		}
		m, _, err := x.MemberOf(registry, holder)
		if err != nil {
			return err
		}
		if k.ids[registry+"/"+holder] == "" {
			m.AdminC, m.TechC = "AA1-JP", "TT1-JP"
			if _, err := x.ChangeMember(m); err != nil {
				return err
			}
		}
		k.ids[registry+"/"+holder] = m.ID
		_, err = x.DescribeMissing(1000)
		return err
	}
}

// importable returns whether a record may be brought in, and whether the model
// knows: of what came by an import too, and of quarantine, it does not.
func (m *model) importable(kind, first, last int, registry string) (ok, known bool) {
	ok = true
	for c := first; c <= last; c++ {
		p, in := m.poolAt(kind, c)
		switch {
		case m.holder[kind][c] == resting, m.imported[kind][c] && m.holder[kind][c] > 0:
			return false, false
		case m.holder[kind][c] > 0, in && (p.purpose == "reserved" || p.purpose == "quarantine"):
			ok = false
		case in && p.purpose == "nir-existing" && (p.nir != registry || p.first > first || p.last < last):
			ok = false
		}
	}
	return ok, true
}

// brought gives cells to who holds them by the statistics.
func (k *machine) brought(kind, first, last int, registry, holder string) {
	i, there := k.m.member(registry, holder)
	if !there {
		i = k.m.newMember(registry, holder)
	}
	for c := first; c <= last; c++ {
		k.m.holder[kind][c], k.m.manager[kind][c], k.m.imported[kind][c] = i+1, registry, true
	}
	d := modelDel{first, last, registry}
	k.m.dels[kind] = append(k.m.dels[kind], d)
	k.m.describe(kind, d)
}
