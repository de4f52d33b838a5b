package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/zone"
)

func nirOptionCommand(a *app) *cobra.Command {
	removes := 0
	adopt := false
	c := &cobra.Command{
		Use: "option CODE 1|2", Short: "Switch how an NIR manages its reverse zones", ValidArgsFunction: a.codes,
		Long: `Option switches between a zonelet of the NIR's own (1) and domain objects in this
registry (2; APNIC-103, section 3.4). To 2, the delegations of its members get
their domain objects; --adopt gives them the name servers that are published
today, so that none is lost between two systems. To 1, all its domain objects go:
its own zonelet has to assert them before, and --removes names how many are
active.`,
		Example: "  nirctl nir option JPNIC 2 --dry-run\n  nirctl nir option JPNIC 2 -m \"as it asked\"",
		Args:    arguments(cobra.ExactArgs(2), "nirctl nir option JPNIC 2 --dry-run"),
	}
	c.Flags().IntVar(&removes, "removes", 0, "`NUMBER` of active domain objects that go")
	c.Flags().BoolVar(&adopt, "adopt", false, "give the domain objects the name servers of the current generation")
	c.RunE = func(c *cobra.Command, args []string) error {
		to := slices.Index([]string{"", "1", "2"}, args[1])
		if to < 1 {
			return shell.Usage(errors.New("the option is 1 or 2"), "nirctl nir option JPNIC 2")
		}
		var zones []nir.PublishedZone
		if adopt {
			var err error
			if zones, err = a.publishedZones(strings.ToUpper(args[0])); err != nil {
				return err
			}
		}
		return a.change(c, change{
			confirm: strings.ToUpper(args[0]),
			fn: func(x *nir.Tx) error {
				n, err := findNIR(x.View, args[0])
				if err != nil {
					return err
				}
				return x.SwitchOption(n.Code, to, zones, removes)
			},
			show: func(v *nir.View) error { return a.nirView(v, args[0]) },
		})
	}
	return a.writing(c)
}

// publishedZones returns what a source has in the zones that are published: they
// are computed again from the inputs of the current generation.
func (a *app) publishedZones(source string) ([]nir.PublishedZone, error) {
	cfg, g, err := a.published()
	if err != nil {
		return nil, err
	}
	archive := shell.Archive(cfg)
	at := map[zone.Name]*nir.PublishedZone{}
	for i := range g.Zones {
		if err := adoptZone(at, &g.Zones[i], cfg, archive, source); err != nil {
			return nil, fmt.Errorf("computing %s again: %w", g.Zones[i].Zone.File(), err)
		}
	}
	var list []nir.PublishedZone
	for _, name := range slices.Sorted(maps.Keys(at)) {
		list = append(list, *at[name])
	}
	return list, nil
}

func adoptZone(at map[zone.Name]*nir.PublishedZone, gz *zone.GenerationZone, cfg *zone.Config, archive zone.Archive, source string) error {
	data, err := archive(gz.Claims)
	if err != nil {
		return err
	}
	claims, err := zone.ParseClaims("claims", data)
	if err != nil {
		return err
	}
	z, _, _, err := gz.Replay(bare(gz.Zone), cfg.RIR, claims, archive, cfg.ParseOptions)
	if err != nil {
		return err
	}
	for _, e := range z.Entries {
		if z.Source(e) != source {
			continue
		}
		p := at[e.Name]
		if p == nil {
			p = &nir.PublishedZone{Name: e.Name.File()}
			at[e.Name] = p
		}
		text := e.Text()
		if e.Type == zone.TypeNS {
			p.NS = append(p.NS, text)
		} else if e.Type == zone.TypeDS {
			p.DS = append(p.DS, text)
		}
	}
	return nil
}
