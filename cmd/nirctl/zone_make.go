package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/seal"
)

// A maker is "zone make" with its flags.
type maker struct {
	*app
	zone, source, out, key, passphrase, claims string
	ttl                                        uint32
	dryRun, empty                              bool
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
  202.12.32.0/20 ns1.example.net ns2.example.net      all sixteen names of it

with # and ; before comments. With --empty, a file without such lines makes a
zonelet that says that nothing is delegated; without, it is refused.

All three files are written beside their places before any is replaced, so a full
disk replaces none. Then they are replaced one after the other, the zonelet last:
a reader that comes in between, or after a crash there, finds an old zonelet with
a sum that does not match, and tries again. Run make again after an error. The
same lines, key and --now give the same bytes.

The key file, and that of the passphrase, may not be readable by others.`,
		Example: `  nirctl zone make --zone 202.in-addr.arpa --source JPNIC delegations.txt
  nirctl zone make --zone 202.in-addr.arpa --source JPNIC --claims claims --dry-run delegations.txt
  nirctl zone make --zone 202.in-addr.arpa --source JPNIC --empty /dev/null
  nirctl zone make --zone 202.in-addr.arpa --source JPNIC --key jpnic-secret.asc --passphrase-file pass --out /srv/ftp/pub/zones -`,
		Args: arguments(cobra.ExactArgs(1), makeHint),
		RunE: func(c *cobra.Command, args []string) error { return m.make(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&m.zone, "zone", "", "parent `ZONE`")
	f.StringVar(&m.source, "source", "", "`NAME` of the NIR")
	f.StringVar(&m.out, "out", ".", "`FOLDER` to write to; it must be there")
	f.StringVar(&m.key, "key", "", "`FILE` with the OpenPGP secret key to sign with")
	f.StringVar(&m.passphrase, "passphrase-file", "", "`FILE` with the key's passphrase on one line")
	f.StringVar(&m.claims, "claims", "", "`FILE` with SOURCE<TAB>PREFIX lines: refuse what lies outside")
	f.Uint32Var(&m.ttl, "ttl", zone.DefaultTTL, "TTL in `SECONDS`, 1 to 2147483647")
	f.BoolVar(&m.empty, "empty", false, "make a zonelet that delegates nothing, if there are no lines")
	f.BoolVar(&m.dryRun, "dry-run", false, "say what would be written, write nothing")
	return c
}

const makeHint = "nirctl zone make --zone 202.in-addr.arpa --source JPNIC delegations.txt"

// A made is the result of "zone make".
type made struct {
	Version   int           `json:"version"`
	Zone      zone.Name     `json:"zone"`
	Source    string        `json:"source"`
	Generated time.Time     `json:"generated"`
	NS        int           `json:"ns"`
	DS        int           `json:"ds"`
	Owners    int           `json:"owners"`
	Signer    string        `json:"signer,omitempty"` // fingerprint
	DryRun    bool          `json:"dry_run"`
	Files     []madeFile    `json:"files"` // in the order in which they are replaced
	Notices   []zone.Notice `json:"notices,omitempty"`
}

type madeFile struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	Size   int    `json:"size"`
	path   string
	data   []byte
}

func (r *made) add(dir, base string, data []byte) {
	sum := sha256.Sum256(data)
	path := filepath.Join(dir, base)
	r.Files = append(r.Files, madeFile{path, hex.EncodeToString(sum[:]), len(data), path, data})
}

func (m *maker) make(ctx context.Context, file string) error {
	t, now, err := m.arguments()
	if err != nil {
		return err
	}
	if info, err := os.Stat(m.out); err != nil || !info.IsDir() {
		return &shell.Exit{Code: 1, Err: fmt.Errorf("there is no folder %s to write to", m.out), Hint: "mkdir -p " + shell.Quote(m.out)}
	}
	key, err := m.signer(ctx)
	if err != nil {
		return err
	}
	lines, err := m.lines(ctx, file)
	if err != nil {
		return err
	}
	notices, err := m.judge(ctx, t, file, lines)
	if err != nil {
		return err
	}
	r := &made{Version: 1, Zone: t.zone, Source: t.source, Generated: now, DryRun: m.dryRun, Notices: notices}
	records := make([]zone.Record, len(lines))
	for i, l := range lines {
		records[i] = l.Record
	}
	zonelet := zone.FormatZonelet(t.source, t.zone, now, m.ttl, records)
	if err := r.proof(t, zonelet, len(records)); err != nil {
		return err
	}
	if key != nil {
		sig, err := key.Sign(zonelet, now)
		if err != nil {
			return fmt.Errorf("signing with %s: %w", m.key, err)
		}
		r.Signer = key.Fingerprint()
		r.add(m.out, t.base+".asc", sig)
	}
	r.add(m.out, t.base+".md5", seal.FormatMD5(t.base, zonelet))
	r.add(m.out, t.base, zonelet)
	if !m.dryRun {
		if err := replace(ctx, publish.OS, r.Files); err != nil {
			return err
		}
	}
	return m.report(r, t.base)
}

// arguments reads the flags.
func (m *maker) arguments() (t target, now time.Time, err error) {
	if m.zone == "" || m.source == "" {
		return t, now, shell.Usage(fmt.Errorf("zone make needs --zone and --source"), makeHint)
	}
	if m.ttl == 0 || m.ttl > 1<<31-1 {
		return t, now, shell.Usage(fmt.Errorf("--ttl %d is not 1 to 2147483647 (RFC 2181, section 8)", m.ttl), "--ttl 86400")
	}
	if m.passphrase != "" && m.key == "" {
		return t, now, shell.Usage(fmt.Errorf("--passphrase-file without --key"), "--key FILE")
	}
	if t, err = newTarget("-", m.zone, m.source); err != nil {
		return t, now, err
	}
	now, err = m.Now(m.nowFlag)
	return t, now, err
}

// lines reads the delegation lines.
func (m *maker) lines(ctx context.Context, file string) ([]zone.Located, error) {
	data, err := m.read(ctx, file, zone.DefaultParseLimits.MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("reading delegations: %w", err)
	}
	lines, err := zone.ParseDelegations(delegationsName(file), data)
	if err != nil {
		m.Errorf("%v", err)
		return nil, &shell.Exit{Code: 3, Err: fmt.Errorf("%s holds lines that are no delegations; nothing was written", delegationsName(file)), Hint: "nirctl zone make --help shows the forms of a line"}
	}
	if len(lines) == 0 && !m.empty { // a pipe that broke before it must not withdraw all
		err := fmt.Errorf("%s has no delegations: the zonelet would say that nothing is delegated; nothing was written", delegationsName(file))
		return nil, &retyped{err: err, code: findings, more: []string{"--empty"}}
	}
	for i := range lines {
		lines[i].TTL = m.ttl
	}
	return lines, nil
}

// delegationsName is what messages call the file with the lines.
func delegationsName(file string) string {
	if file == "-" {
		return "standard input"
	}
	return filepath.Base(file)
}

// taken are the codes of warnings under which a delegation is published all the
// same.
var taken = map[string]bool{"single-ns": true, "no-address": true}

// judge has the merge say what would become of the lines, with their own line
// numbers. It refuses what would not be published.
func (m *maker) judge(ctx context.Context, t target, file string, lines []zone.Located) ([]zone.Notice, error) {
	claims := wholeZone(t.source, t.zone)
	if m.claims != "" {
		data, err := m.read(ctx, m.claims, maxClaims)
		if err != nil {
			return nil, fmt.Errorf("reading claims: %w", err)
		}
		if claims, err = zone.ParseClaims(filepath.Base(m.claims), data); err != nil {
			return nil, err
		}
	}
	f := &zone.Fragment{Source: t.source, Zone: t.zone, File: delegationsName(file), Records: lines}
	_, notices := zone.Merge(zone.MergeInput{Apex: bare(t.zone), Registry: "the registry", Claims: claims, Fragments: []*zone.Fragment{f}})
	refused := 0
	for _, n := range notices {
		m.Errorf("%s", n)
		if n.Severity > zone.Info && !taken[n.Code] {
			refused++
		}
	}
	if refused > 0 {
		return nil, &shell.Exit{Code: 3, Err: fmt.Errorf("the registry would not publish all of it (%s); nothing was written", count(refused, "finding")), Hint: "docs/notices.md says what each code means and what to do"}
	}
	return notices, nil
}

// proof reads the zonelet back as the registry will.
func (r *made) proof(t target, zonelet []byte, records int) error {
	f, err := zone.ParseFragment(t.source, t.zone, t.base, zonelet, zone.ParseOptions{Limits: zone.DefaultParseLimits})
	if err == nil && len(f.Records) != records {
		err = fmt.Errorf("%d of %d records came back", len(f.Records), records)
	}
	if err != nil {
		return &shell.Exit{Code: 3, Err: fmt.Errorf("the registry would refuse the zonelet, nothing was written: %w", err)}
	}
	v := verdict{}
	v.count(f)
	r.NS, r.DS, r.Owners = v.NS, v.DS, v.Owners
	return nil
}

func (m *maker) report(r *made, base string) error {
	if r.Signer == "" {
		what := "not signed"
		if !m.dryRun && isFile(filepath.Join(m.out, base+".asc")) {
			what = fmt.Sprintf("not signed, and %s.asc is of an earlier version", base)
		}
		m.Errorf("%s: give a key with --key, or: gpg --armor --detach-sign %s", what, filepath.Join(m.out, base))
	}
	if m.json {
		return m.encode(r)
	}
	for _, f := range r.Files {
		fmt.Fprintln(m.Stdout, f.path)
	}
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
