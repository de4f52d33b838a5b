package main

import (
	"strings"

	"github.com/spf13/cobra"

	"nirzone/nir"
)

func noticeMailsCommand(a *app) *cobra.Command {
	code := ""
	c := &cobra.Command{
		Use: "mails", Short: "List the mails in which notices were told", Args: arguments(cobra.NoArgs, "nirctl notice mails --nir JPNIC"),
		Long:    "Mails lists what nirctl deliver made: for whom, whether a mail server took it, and\nits answer where it did not. The newest of each NIR comes first.",
		Example: "  nirctl notice mails --nir JPNIC\n  nirctl notice mails --filter state=failed -o name",
	}
	a.scopeFlag(c, &code, "only those to `NIR`")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			scope, err := o.scope(v, code)
			if err != nil {
				return err
			}
			var rows []mailRow
			for _, n := range scope {
				list, err := v.Digests(n)
				if err != nil {
					return err
				}
				for i := range list {
					rows = append(rows, mailRowOf(v.Rules, &list[i]))
				}
			}
			return showList(a, &mailColumns, rows)
		})
	}
	return a.listing(c)
}

func noticeResendCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "resend DIGEST", Short: "Send a mail again that was given up, to the addresses that the NIR has now",
		Long:    "Resend makes a mail due again: nirctl deliver sends it to the addresses that its NIR\nhas now. Who got it is not sent it again.",
		Example: "  nirctl notice resend dig_none   # exit code 5: there is no such mail",
		Args:    arguments(cobra.ExactArgs(1), "nirctl notice resend $(nirctl notice mails --filter state=failed -o name)"),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.changeWith(c, func(o *opened) change {
			var d nir.Digest
			return change{
				fn: func(x *nir.Tx) (err error) {
					d, err = x.ResendDigest(strings.TrimSpace(args[0]), mailPolicy(o.cfg))
					return err
				},
				show: func(v *nir.View) error { return showOne(a, &mailColumns, mailRowOf(v.Rules, &d), nil) },
			}
		})
	}
	return a.writing(c)
}
