package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/inr"
)

// maxJustification bounds what is sent with a second opinion request, in octets.
const maxJustification = 1 << 20

// A requestText is a request as people write it: in flags, or in a file.
type requestText struct {
	NIR           string `toml:"nir"`
	Ref           string `toml:"ref"`
	Member        string `toml:"member"`
	Kind          string `toml:"kind"`
	Size          string `toml:"size"`
	Type          string `toml:"type"`
	Netname       string `toml:"netname"`
	Descr         string `toml:"descr"`
	Economy       string `toml:"economy"`
	AdminC        string `toml:"admin_c"`
	TechC         string `toml:"tech_c"`
	Attested      bool   `toml:"attested"`
	SecondOpinion bool   `toml:"second_opinion"`
	Justification string `toml:"justification"`
	Assessment    string `toml:"assessment"`
	MemberName    string `toml:"member_name"`

	at string // file and line of the request, if it is from a file
}

func requestCreateCommand(a *app) *cobra.Command {
	t := requestText{}
	c := &cobra.Command{
		Use: "create", Short: "Request resources for a member",
		Long: `Create sends a request. Within the NIR's window it is allocated and registered at
once; above it the registry takes a second opinion request only, with
--second-opinion, a justification and the NIR's own assessment, and answers
within two working days.

--ref is the NIR's own reference. The same request with the same reference is the
same request: it can be repeated safely, and changes nothing the second time.
Economy and contacts are the member's own unless they are given.`,
		Example: `  nirctl request create --nir JPNIC --member M1 --size /22 --ref R-77 --netname EXAMPLE --admin-c AA1-JP --tech-c TT1-JP --attested --dry-run
  nirctl request create --nir JPNIC --member M1 --size /22 --ref R-77 --netname EXAMPLE --admin-c AA1-JP --tech-c TT1-JP --attested
  nirctl request create --nir JPNIC --member M1 --kind asn --size 1 --ref R-78 --netname EXAMPLE --admin-c AA1-JP --tech-c TT1-JP --attested
  nirctl request create --nir JPNIC --member M1 --size /16 --ref R-79 --netname EXAMPLE --admin-c AA1-JP --tech-c TT1-JP --attested   # exit code 7: above the window
  nirctl request create --nir JPNIC --member M1 --size /16 --ref R-80 --netname EXAMPLE --admin-c AA1-JP --tech-c TT1-JP --second-opinion --justification plan.txt --assessment review.txt   # exit code 8: it is evaluated`,
		Args: arguments(cobra.NoArgs, "nirctl request create --help"),
	}
	requestFlags(a, c, &t)
	var wait bool
	c.Flags().BoolVar(&wait, "wait", false, "wait until it is registered, or cannot be")
	w := waitFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := a.readTexts(c.Context(), &t); err != nil {
			return err
		}
		return a.submit(c, []requestText{t}, wait, w)
	}
	return a.writing(c)
}

func requestFlags(a *app, c *cobra.Command, t *requestText) {
	f := c.Flags()
	a.scopeFlag(c, &t.NIR, "`NIR` that asks (default: your own)")
	f.StringVar(&t.Ref, "ref", "", "the NIR's own `REFERENCE`")
	f.StringVar(&t.Member, "member", "", "`UID` of the member, as the NIR calls it")
	f.StringVar(&t.MemberName, "member-name", "", "`NAME` of a member that is new")
	f.StringVar(&t.Kind, "kind", "ipv4", "`KIND`: ipv4, ipv6 or asn")
	f.StringVar(&t.Size, "size", "", "`SIZE`: /22, or a number of addresses or ASNs")
	f.StringVar(&t.Type, "type", "allocation", "`TYPE`: allocation or assignment")
	f.StringVar(&t.Netname, "netname", "", "`NAME` of the network, for whois")
	f.StringVar(&t.Descr, "descr", "", "`TEXT` about the network, for whois")
	f.StringVar(&t.Economy, "economy", "", "`CODE` of the economy where it is used (default: the member's)")
	f.StringVar(&t.AdminC, "admin-c", "", "`HANDLE` of the administrative contact (default: the member's)")
	f.StringVar(&t.TechC, "tech-c", "", "`HANDLE` of the technical contact (default: the member's)")
	f.BoolVar(&t.Attested, "attested", false, "the NIR keeps the justification in its own records")
	f.BoolVar(&t.SecondOpinion, "second-opinion", false, "ask for a second opinion, above the window")
	f.StringVar(&t.Justification, "justification", "", "`FILE` with the full justification")
	f.StringVar(&t.Assessment, "assessment", "", "`FILE` with the NIR's evaluation of it, and the size it proposes")
	a.completes(c, "kind", "ipv4", "ipv6", "asn")
	a.completes(c, "type", "allocation", "assignment")
}

// readTexts replaces the names of files by what they say.
func (a *app) readTexts(ctx context.Context, t *requestText) error {
	for _, s := range []*string{&t.Justification, &t.Assessment} {
		if *s == "" {
			continue
		}
		data, err := a.read(ctx, *s, maxJustification)
		if err != nil {
			return fmt.Errorf("reading what goes with the request: %w", err)
		}
		name := *s
		if *s = strings.TrimSpace(string(data)); *s == "" {
			return shell.Usage(fmt.Errorf("%s says nothing: it goes with the request", name), "ls -l "+shell.Quote(name))
		}
	}
	return nil
}

// ask makes the registry's request of what people wrote. It fills in what the
// member's record says.
func (t *requestText) ask(o *opened, v *nir.View) (nir.Ask, error) {
	if t.NIR == "" {
		t.NIR = o.actor.NIR
	}
	if n, uid, ok := strings.Cut(t.Member, "/"); ok {
		t.Member = uid
		if t.NIR == "" {
			t.NIR = n
		}
	}
	if t.NIR == "" {
		return nir.Ask{}, shell.Usage(fmt.Errorf("--nir: it is missing"), "--nir JPNIC, or --nir "+v.Rules.RIR+" for a direct member")
	}
	code, err := registryOf(v, t.NIR)
	if err != nil {
		return nir.Ask{}, err
	}
	kind, err := inr.ParseKind(t.Kind)
	if err != nil {
		return nir.Ask{}, shell.Usage(err, "--kind ipv4")
	}
	q := nir.Ask{Request: nir.Request{
		NIR: code, Ref: t.Ref, Act: nir.Allocation, Kind: kind, Size: nir.Size(t.Size), Type: t.Type, UID: t.Member, Netname: t.Netname, Descr: t.Descr,
		Economy: t.Economy, AdminC: t.AdminC, TechC: t.TechC, Attested: t.Attested, Justification: t.Justification, Assessment: t.Assessment,
	}}
	if t.SecondOpinion {
		q.Act = nir.SecondOpinionAct
	}
	return q, t.complete(o, v, &q)
}

// complete takes from the member's record what the request does not say.
func (t *requestText) complete(o *opened, v *nir.View, q *nir.Ask) error {
	m, _, err := v.MemberOf(q.NIR, q.UID)
	if err != nil && nir.CodeOf(err) != nir.NotFound {
		return err
	}
	if nir.CodeOf(err) == nir.NotFound {
		var other *misnamed
		if t.MemberName == "" && errors.As(o.absent(v, memberNaming, q.NIR, q.UID), &other) && other.meant != "" {
			return other
		}
		if t.MemberName == "" && q.UID != "" {
			return &shell.Exit{Code: notFound, Err: fmt.Errorf("%s has no member %s", registryName(v, q.NIR), q.UID), Hint: "nirctl member create " + registryName(v, q.NIR) + "/" + q.UID + " --name NAME --economy CODE, or --member-name NAME"}
		}
		m = nir.Member{}
	}
	for _, f := range []struct {
		to   *string
		from string
	}{{&q.Economy, m.Economy}, {&q.AdminC, m.AdminC}, {&q.TechC, m.TechC}} {
		if *f.to == "" {
			*f.to = f.from
		}
	}
	if n, err := v.NIR(q.NIR); err == nil && q.Economy == "" {
		q.Economy = n.Economy
	}
	q.Who = nir.Member{Name: t.MemberName, Economy: q.Economy, AdminC: q.AdminC, TechC: q.TechC}
	return nil
}
