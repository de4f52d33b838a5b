package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/inr"
	"nirzone/zone/seal"
)

func nirOnboardCommand(a *app) *cobra.Command {
	var n nir.NIR
	var windows []string
	var url, keyring string
	c := &cobra.Command{
		Use: "onboard CODE", Short: "Take in an NIR that is new: in probation, step by step",
		Long: `Onboard records an NIR in probation with its first windows, proposes its key for
a second person to confirm, and prints what to write into nirzone.toml so that
its zonelets are fetched. In probation it makes no requests, and what it asserts
is to be compared with what is published before any of it counts.

The key ceremony: you give the keyring that the NIR sent, and its fingerprint is
proposed. A second person gets the fingerprint from the NIR on another way, by
telephone or in person, compares, and signs: nirctl approve HASH.

Then: nirctl nir activate CODE says what is still missing, or does it.`,
		Example: `  nirctl nir onboard TWNIC --name "Taiwan Network Information Center" --economy TW --mntner MAINT-TW-TWNIC --email dns@twnic.example --window ipv4=/22 --window ipv6=/32 --window asn=1 --url ftp://ftp.twnic.example/pub/zones/{zone}-{name} --keyring twnic.asc
  nirctl nir onboard VNNIC --name "Vietnam Internet Network Information Center" --economy VN --mntner MAINT-VN-VNNIC --option 2 --window ipv4=/22 --dry-run`,
		Args: arguments(cobra.ExactArgs(1), "nirctl nir onboard --help"),
	}
	bind(c, nirFields, &n)
	f := c.Flags()
	f.IntVar(&n.Option, "option", 1, optionUsage)
	f.StringArrayVar(&windows, "window", nil, "`KIND=SIZE` of a first window; may be repeated")
	f.StringVar(&url, "url", "", "`URL` of its zonelets, with {zone} and {name} in it")
	f.StringVar(&keyring, "keyring", "", "`FILE` with the OpenPGP key that it signs them with")
	c.RunE = func(c *cobra.Command, args []string) error {
		b := nir.Onboarding{NIR: n}
		b.NIR.Code = args[0]
		if b.NIR.Source == "" {
			b.NIR.Source = args[0]
		}
		var err error
		if b.Windows, err = readWindows(windows); err != nil {
			return err
		}
		if b.Fingerprint, err = a.fingerprint(c, keyring); err != nil {
			return err
		}
		return a.onboard(c, b, url, keyring)
	}
	return a.writing(c)
}

func readWindows(list []string) (map[inr.Kind]nir.Size, error) {
	sizes := map[inr.Kind]nir.Size{}
	var bad []error
	for _, w := range list {
		word, size, ok := strings.Cut(w, "=")
		k, err := inr.ParseKind(word)
		if err != nil || !ok {
			bad = append(bad, fmt.Errorf("--window %s: not of the form KIND=SIZE", w))
			continue
		}
		sizes[k] = nir.Size(size)
	}
	if len(bad) > 0 {
		return nil, shell.Usage(errors.Join(bad...), "--window ipv4=/22 --window ipv6=/32 --window asn=1")
	}
	return sizes, nil
}

// fingerprint returns the one of the key in a keyring.
func (a *app) fingerprint(c *cobra.Command, keyring string) (string, error) {
	if keyring == "" {
		return "", nil
	}
	data, err := a.read(c.Context(), keyring, seal.MaxKeyring+1)
	if err != nil {
		return "", fmt.Errorf("reading the keyring: %w", err)
	}
	ring, err := seal.LoadKeyring(filepath.Base(keyring), data)
	if err != nil {
		return "", shell.Usage(err, "ask the NIR for its public key as text: gpg --armor --export FINGERPRINT")
	}
	prints := ring.Fingerprints()
	if len(prints) != 1 {
		return "", shell.Usage(fmt.Errorf("%s holds %s: give a keyring with the one that is to be confirmed", keyring, count(len(prints), "key")), "nirctl nir key CODE FINGERPRINT")
	}
	return prints[0], nil
}

func (a *app) onboard(c *cobra.Command, b nir.Onboarding, url, keyring string) error {
	var p nir.Proposal
	err := a.change(c, change{
		fn: func(x *nir.Tx) (err error) {
			_, p, err = x.Onboard(b)
			return err
		},
		show: func(v *nir.View) error { return a.nirView(v, b.NIR.Code) },
	})
	if err != nil || a.dryRun {
		return err
	}
	steps := []string{}
	if b.NIR.Option == 1 {
		steps = append(steps, "tell zonebuild of the probation, before it reads anything of "+b.NIR.Code+": nirctl export", "write this into nirzone.toml:\n"+sourceText(b.NIR.Code, url, keyring))
	}
	if p.Hash != "" {
		steps = append(steps, fmt.Sprintf("a second person compares %s with what the NIR says on another way, and signs: nirctl approve %.12s", spaced(b.Fingerprint), p.Hash))
	} else if b.NIR.Option == 1 {
		steps = append(steps, "have its key confirmed: nirctl nir key "+b.NIR.Code+" FINGERPRINT")
	}
	if b.NIR.Option == 1 {
		steps = append(steps, "compare what it publishes with what is published: zonefetch; zonebuild; zonebuild held")
	}
	steps = append(steps, "nirctl nir activate "+b.NIR.Code+" && nirctl export")
	for i, s := range steps {
		a.Errorf("%d. %s", i+1, s)
	}
	return nil
}

// spaced writes a fingerprint as people read it to each other.
func spaced(s string) string {
	var groups []string
	for len(s) > 4 {
		groups, s = append(groups, s[:4]), s[4:]
	}
	return strings.Join(append(groups, s), " ")
}

// sourceText is the entry of a source in nirzone.toml.
func sourceText(code, url, keyring string) string {
	if url == "" {
		url = "ftp://ftp.nic.example/pub/zones/{zone}-{name}"
	}
	if keyring == "" {
		keyring = "keyrings/" + strings.ToLower(code) + ".asc"
	}
	return fmt.Sprintf("   [[source]]\n   name    = %q\n   url     = %q\n   zones   = \"listed\"\n   require = [\"md5\", \"pgp\"]\n   keyring = %q", code, url, keyring)
}

func nirKeyCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "key CODE FINGERPRINT", Short: "Propose the key of an NIR, for a second person to confirm", ValidArgsFunction: a.codes,
		Example: `  nirctl nir key JPNIC "AAAA BBBB CCCC DDDD EEEE 0000 1111 2222 3333 4444" -m "its new key"`,
		Args:    arguments(cobra.ExactArgs(2), "nirctl nir key JPNIC FINGERPRINT"),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.propose(c, func(_ *opened, x *nir.Tx) (nir.Proposal, error) {
			return x.ProposeKey(strings.ToUpper(args[0]), args[1])
		})
	}
	return a.writing(c)
}

func nirActivateCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "activate CODE", Short: "End the probation of an NIR", ValidArgsFunction: a.codes,
		Long:    "Activate makes an NIR take part: it may make requests. What is missing is told all\nat once: a window, the key that two persons confirmed, an address for notices.",
		Example: "  nirctl nir activate IDNIC   # exit code 6: its key is not confirmed yet",
		Args:    arguments(cobra.ExactArgs(1), "nirctl nir activate IDNIC"),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.nirStep(c, args[0], "", (*nir.Tx).Activate)
	}
	return a.writing(c)
}

func nirOffboardCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "offboard CODE", Short: "End the part of an NIR", ValidArgsFunction: a.codes,
		Long: `Offboard makes an NIR leaving: it makes no requests any more. Once its members and
delegations are transferred, offboard again records that it has left. Everything
that it did stays recorded.`,
		Example: `  nirctl nir offboard IDNIC --dry-run
  nirctl nir offboard IDNIC -m "merged into another"`,
		Args: arguments(cobra.ExactArgs(1), `nirctl nir offboard IDNIC -m "merged into another"`),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		code := strings.ToUpper(args[0])
		if err := a.nirStep(c, code, code, (*nir.Tx).Offboard); err != nil {
			return err
		}
		return a.sayLeft(c, code)
	}
	return a.writing(c)
}

func (a *app) sayLeft(c *cobra.Command, code string) error {
	return a.look(c, func(_ *opened, v *nir.View) error {
		l, err := v.LeftOf(code)
		if err == nil && l != (nir.LeftOf{}) {
			a.Errorf("%s still has %s, %s and %s", code, count(l.Delegations, "delegation"), count(l.Members, "member"), count(l.Requests, "open request"))
		}
		return err
	})
}

// nirStep takes an NIR to another state.
func (a *app) nirStep(c *cobra.Command, code, confirm string, step func(*nir.Tx, string) (nir.NIR, error)) error {
	return a.change(c, change{
		confirm: confirm,
		fn: func(x *nir.Tx) error {
			n, err := findNIR(x.View, code)
			if err == nil {
				_, err = step(x, n.Code)
			}
			return err
		},
		show: func(v *nir.View) error { return a.nirView(v, code) },
	})
}
