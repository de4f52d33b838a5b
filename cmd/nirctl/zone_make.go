package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/seal"
)

// A maker is "zone make" with its flags.
type maker struct {
	*app
	zone, source, out, key, passphrase string
	ttl                                uint32
}

func zoneMakeCommand(a *app) *cobra.Command {
	m := &maker{app: a}
	c := &cobra.Command{
		Use: "make FILE", Short: "Write a zonelet with its .md5 and .asc from plain delegation lines",
		Long: `Make reads delegation lines and writes the zonelet that the policy asks for,
with its sum and, if a key is given, its signature. It writes nothing if the
registry would refuse or ignore any of it. FILE may be "-". A line is

  202.12.28.0/24 ns1.example.net ns2.example.net ds:10975,8,2,A1B2...
  28.12.202.in-addr.arpa NS ns1.example.net
  28.12.202.in-addr.arpa DS 10975 8 2 A1B2...

The three files replace older ones one after the other, the zonelet last; a
reader that comes in between finds a sum that does not match and tries again.`,
		Example: `  nirctl zone make --zone 202.in-addr.arpa --source JPNIC delegations.txt
  nirctl zone make --zone 202.in-addr.arpa --source JPNIC --key jpnic-secret.asc --passphrase-file pass --out /srv/ftp/pub/zones -`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return m.make(args[0]) },
	}
	f := c.Flags()
	f.StringVar(&m.zone, "zone", "", "parent `ZONE`")
	f.StringVar(&m.source, "source", "", "`NAME` of the NIR")
	f.StringVar(&m.out, "out", ".", "`FOLDER` to write to")
	f.StringVar(&m.key, "key", "", "`FILE` with the OpenPGP secret key to sign with")
	f.StringVar(&m.passphrase, "passphrase-file", "", "`FILE` with the key's passphrase on one line")
	f.Uint32Var(&m.ttl, "ttl", zone.DefaultTTL, "TTL in `SECONDS`")
	return c
}

func (m *maker) make(file string) error {
	if m.zone == "" || m.source == "" {
		return shell.Usage(fmt.Errorf("zone make needs --zone and --source"), "nirctl zone make --zone 202.in-addr.arpa --source JPNIC delegations.txt")
	}
	z, source, err := nameAndZone("-", m.zone, m.source)
	if err != nil {
		return err
	}
	now, err := m.Now(m.nowFlag)
	if err != nil {
		return err
	}
	data, err := (&checker{app: m.app}).read(file)
	if err != nil {
		return err
	}
	records, err := zone.ParseDelegations(filepath.Base(file), data)
	if err != nil {
		return &shell.Exit{Code: 3, Err: err}
	}
	for i := range records {
		records[i].TTL = m.ttl
	}
	key, err := m.signer()
	if err != nil {
		return err
	}
	base := z.File() + "-" + source
	zonelet := zone.FormatZonelet(source, z, now, m.ttl, records)
	if err := m.proof(base, source, z, zonelet); err != nil {
		return err
	}
	files := []string{base + ".md5", base}
	contents := map[string][]byte{base: zonelet, base + ".md5": seal.FormatMD5(base, zonelet)}
	if key != nil {
		if contents[base+".asc"], err = key.Sign(zonelet, now); err != nil {
			return fmt.Errorf("signing: %w", err)
		}
		files = []string{base + ".asc", base + ".md5", base}
	}
	for _, f := range files {
		if err := publish.WriteFile(publish.OS, filepath.Join(m.out, f), contents[f], 0o644); err != nil {
			return err
		}
		fmt.Fprintln(m.Stdout, filepath.Join(m.out, f))
	}
	if key == nil {
		m.Errorf("not signed: give a key with --key, or sign %s yourself: gpg --armor --detach-sign %s", base, base)
	}
	return nil
}

// proof reads the zonelet back as the registry will.
func (m *maker) proof(base, source string, z zone.Name, zonelet []byte) error {
	f, err := zone.ParseFragment(source, z, base, zonelet, zone.ParseOptions{Limits: zone.DefaultParseLimits})
	if err != nil {
		return &shell.Exit{Code: 3, Err: fmt.Errorf("the registry would refuse it; nothing was written: %w", err)}
	}
	in := zone.MergeInput{Apex: bare(z), Registry: "", Claims: wholeZone(source, z), Fragments: []*zone.Fragment{f}}
	_, notices := zone.Merge(in)
	if s, any := worst(notices); any && s >= zone.Warning {
		for _, n := range notices {
			m.Errorf("%s", n)
		}
		if s >= zone.Error {
			return &shell.Exit{Code: 3, Err: fmt.Errorf("the registry would not publish all of it; nothing was written")}
		}
	}
	return nil
}

// signer reads the secret key, nil if none is given. It refuses one that others
// can read.
func (m *maker) signer() (*seal.Key, error) {
	if m.key == "" {
		return nil, nil
	}
	info, err := os.Stat(m.key)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, &shell.Exit{Code: 1, Err: fmt.Errorf("%s can be read by others", m.key), Hint: "chmod 600 " + m.key}
	}
	data, err := shell.ReadFile(m.key, maxFile)
	if err != nil {
		return nil, err
	}
	var pass []byte
	if m.passphrase != "" {
		if pass, err = shell.ReadFile(m.passphrase, 4096); err != nil {
			return nil, err
		}
		pass = []byte(strings.TrimRight(string(pass), "\r\n"))
	}
	return seal.ParseKey(filepath.Base(m.key), data, pass)
}
