package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

const whyHint = "nirctl why 28.12.202.in-addr.arpa, nirctl why 202.12.28.0/24 or nirctl why 202.12.28.7"

func whyCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "why NAME", Short: "Explain why a name is, or is not, in a published zone",
		Long: `Why shows what is published at a name of the reverse tree, who said so and
where: source, file and line, digest, signer and time; every other source that
spoke of it or of a name above it, with what became of that; the claims, the open
notices, and what a newer file that is not published yet would say. Then the
registry: who has the numbers, by which request, second opinion, transfer, import
or pool, who evaluated it, and who signed with which key. Without a registry it
says that in a line, and all else as with one. NAME is a name (also of RFC 2317,
or of a parent zone itself), an address or a prefix. What is published is computed
again from the generation's inputs.

It exits with 5 if nothing is delegated at or above NAME.`,
		Example: `  nirctl why 28.12.202.in-addr.arpa
  nirctl why 202.12.28.0/24
  nirctl why 202.12.28.7
  nirctl why 2400:1::/32
  nirctl why 202.in-addr.arpa
  nirctl why --json 28.12.202.in-addr.arpa`,
		Args: arguments(cobra.ExactArgs(1), whyHint),
		RunE: func(c *cobra.Command, args []string) error { return a.why(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&a.as, "as", "", "ask the registry as `ACCOUNT`: for an admin only")
	return c
}

func (a *app) why(ctx context.Context, arg string) error {
	name, err := nameOf(arg)
	if err != nil {
		return err
	}
	cfg, g, err := a.published()
	if err != nil {
		return err
	}
	e, err := newExplainer(a, cfg, g, name)
	if err != nil {
		return err
	}
	ans, err := e.explain(ctx)
	if err != nil {
		return err
	}
	if a.json {
		err = a.encode(ans)
	} else {
		ans.write(shell.Folded(a.Stdout, maxWidth))
	}
	if err == nil && !ans.reached() {
		return &shell.Exit{Code: notFound}
	}
	return err
}

// nameOf reads a name of the reverse tree, a prefix, or an address, which stands
// for its own name.
func nameOf(s string) (zone.Name, error) {
	if strings.Contains(s, "/") && !strings.Contains(strings.ToLower(s), "arpa") {
		return prefixName(s)
	}
	if ip, err := netip.ParseAddr(s); err == nil {
		if ip = ip.Unmap(); ip.Zone() != "" {
			return "", shell.Usage(fmt.Errorf("%s: an address with a scope has no name", s), whyHint)
		}
		return zone.ReverseName(netip.PrefixFrom(ip, ip.BitLen()))
	}
	n, err := zone.ParseName(strings.ToLower(s))
	if err != nil {
		return "", shell.Usage(err, whyHint)
	}
	for _, root := range []zone.Name{"in-addr.arpa.", "ip6.arpa."} {
		if n.Within(root) {
			return n, nil
		}
	}
	return "", shell.Usage(fmt.Errorf("%s is not in the reverse tree (in-addr.arpa, ip6.arpa)", n.File()), whyHint)
}

// prefixName reads a prefix. Between two boundaries of the tree a prefix is
// several names, and inside a /24 it is one that only its owner can tell.
func prefixName(s string) (zone.Name, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return "", shell.Usage(fmt.Errorf("%s is no prefix", s), whyHint)
	}
	p = p.Masked()
	step := 8
	if p.Addr().Is6() {
		step = 4
	}
	if p.Bits()%step == 0 {
		return zone.ReverseName(p)
	}
	if p.Addr().Is4() && p.Bits() > 24 {
		whole, _ := p.Addr().Prefix(24)
		n, _ := zone.ReverseName(whole)
		o := p.Addr().As4()
		last := int(o[3]) + 1<<(32-p.Bits()) - 1
		return "", shell.Usage(fmt.Errorf("%s is inside a /24: its delegation has a name of its own (RFC 2317)", p),
			fmt.Sprintf("nirctl why %d-%d.%s, nirctl why %d/%d.%s or nirctl why %s", o[3], last, n.File(), o[3], p.Bits(), n.File(), whole))
	}
	bits := (p.Bits()/step + 1) * step
	first, _ := p.Addr().Prefix(bits)
	count := 1 << (bits - p.Bits())
	return "", shell.Usage(fmt.Errorf("%s is %d names of the reverse tree, each a /%d", p, count, bits),
		fmt.Sprintf("nirctl why %s, and so on up to %s", first, lastOf(p, bits)))
}

// lastOf returns the last prefix of so many bits inside p.
func lastOf(p netip.Prefix, bits int) netip.Prefix {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < bits; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return netip.PrefixFrom(a, bits)
}
