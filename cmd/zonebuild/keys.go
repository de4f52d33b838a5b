package main

import (
	"crypto/rand"
	"fmt"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone/sign"
)

func keysCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "keys", Short: "Show the zones' keys", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.keys() },
	}
	c.AddCommand(&cobra.Command{
		Use: "init [ZONE...]", Short: "Make a KSK and a ZSK for every zone that has none",
		RunE: func(_ *cobra.Command, args []string) error { return a.keysInit(args) },
	})
	return c
}

// keyRow is a key as "keys --json" shows it.
type keyRow struct {
	Zone      string `json:"zone"`
	Key       string `json:"key"`
	Role      string `json:"role"`
	Tag       uint16 `json:"tag"`
	Algorithm uint8  `json:"algorithm"`
	State     string `json:"state"`
	DS        string `json:"ds,omitempty"` // for the parent, of a KSK
}

func (a *app) keys() error {
	if err := a.open(); err != nil {
		return err
	}
	rows := []keyRow{}
	for _, z := range a.cfg.Zones() {
		keys, err := sign.LoadKeys(a.cfg.Keys, z)
		if err != nil {
			return err
		}
		for _, k := range keys {
			r := keyRow{Zone: z.File(), Key: k.ID, Role: k.Role(), Tag: k.Tag, Algorithm: k.Algorithm, State: k.State(a.now).String()}
			if r.Role == "KSK" {
				r.DS = k.DS().Text()
			}
			rows = append(rows, r)
		}
	}
	if a.json {
		_, err := a.Stdout.Write(encode(rows))
		return err
	}
	t := shell.Table{Header: []string{"zone", "role", ">tag", ">algorithm", "state", "DS for the parent"}}
	for _, r := range rows {
		t.Add(r.Zone, r.Role, fmt.Sprint(r.Tag), fmt.Sprint(r.Algorithm), r.State, r.DS)
	}
	t.Render(a.Stdout)
	if len(rows) == 0 {
		a.Errorf("there are no keys yet")
		a.Errorf("hint: zonebuild keys init")
	}
	return nil
}

func (a *app) keysInit(args []string) error {
	if err := a.open(); err != nil {
		return err
	}
	release, err := a.lock()
	if err != nil {
		return err
	}
	defer release()
	zones, err := zoneArgs(args)
	if err != nil {
		return err
	}
	for _, z := range zones {
		if a.cfg.Group(z) == nil {
			return shell.Usage(fmt.Errorf("%s is in no [[zones]] group of the configuration", z.File()), "")
		}
	}
	if len(zones) == 0 {
		zones = a.cfg.Zones()
	}
	if a.dryRun {
		return a.keysPlan()
	}
	steps, err := sign.Init(a.fs, a.cfg.Keys, zones, a.cfg.Signing, a.now, rand.Reader)
	for _, s := range steps {
		fmt.Fprintln(a.Stdout, s)
	}
	if err == nil && len(steps) == 0 {
		a.Errorf("every zone has its keys")
	}
	return err
}

func (a *app) keysPlan() error {
	for _, z := range a.cfg.Zones() {
		keys, err := sign.LoadKeys(a.cfg.Keys, z)
		if err != nil {
			return err
		}
		for _, s := range sign.Plan(keys, a.cfg.Signing, z, a.now) {
			fmt.Fprintln(a.Stdout, "would:", s)
		}
	}
	return nil
}
