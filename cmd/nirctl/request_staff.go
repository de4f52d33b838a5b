package main

import (
	"strings"

	"github.com/spf13/cobra"

	"nirzone/nir"
)

// onRequest is a verb that takes a request a step further.
func (a *app) onRequest(c *cobra.Command, needs bool, do func(x *nir.Tx, id string) (nir.Request, error)) *cobra.Command {
	first, _, _ := strings.Cut(strings.TrimSpace(c.Example), "\n")
	c.Args = arguments(cobra.ExactArgs(1), first)
	c.RunE = func(c *cobra.Command, args []string) error {
		if needs {
			if err := a.needMessage(); err != nil {
				return err
			}
		}
		return a.changeWith(c, func(o *opened) change {
			var r nir.Request
			return change{
				fn: func(x *nir.Tx) error {
					found, err := o.requestToShow(x.View, args[0])
					if err == nil {
						r, err = do(x, found.ID)
					}
					return err
				},
				show: func(v *nir.View) error { return a.requestView(v, &r) },
			}
		})
	}
	return a.writing(c)
}

func requestAnswerCommand(a *app) *cobra.Command {
	return a.onRequest(&cobra.Command{
		Use: "answer REQUEST", Short: "Answer a question of the registry",
		Long:    "Answer answers what the registry asked: -m is the answer. The clock of the\nrequest goes on.",
		Example: `  nirctl request answer JPNIC/R-3 -m "the plan covers two years"`,
	}, true, func(x *nir.Tx, id string) (nir.Request, error) { return x.Answer(id, a.reason) })
}

func requestWithdrawCommand(a *app) *cobra.Command {
	return a.onRequest(&cobra.Command{
		Use: "withdraw REQUEST", Short: "End a request that is open",
		Example: `  nirctl request withdraw JPNIC/R-2 -m "the customer needs no more"`,
	}, false, func(x *nir.Tx, id string) (nir.Request, error) { return x.Withdraw(id, a.reason) })
}

func requestCloseCommand(a *app) *cobra.Command {
	return a.onRequest(&cobra.Command{
		Use: "close REQUEST", Short: "Say that nothing is left to do about a request", Example: "  nirctl request close JPNIC/R-1",
	}, false, (*nir.Tx).CloseRequest)
}

func requestAskCommand(a *app) *cobra.Command {
	applicant := false
	c := a.onRequest(&cobra.Command{
		Use: "ask REQUEST", Short: "Ask the NIR about its second opinion request (registry staff)",
		Long: "Ask asks the NIR, or the applicant through the NIR: -m is the question. The clock\nof the request stands still until it is answered.",
		Example: `  nirctl request ask JPNIC/R-2 -m "which part of it is in use today?"
  nirctl request ask JPNIC/R-6 --applicant -m "please send the network plan"`,
	}, true, func(x *nir.Tx, id string) (nir.Request, error) {
		if applicant {
			return x.AskAbout(id, nir.AskApplicant, a.reason)
		}
		return x.AskAbout(id, nir.AskNIR, a.reason)
	})
	c.Flags().BoolVar(&applicant, "applicant", false, "the question is for the applicant")
	return c
}

func requestRefuseCommand(a *app) *cobra.Command {
	return a.onRequest(&cobra.Command{
		Use: "refuse REQUEST", Short: "End a second opinion request without an allocation (registry staff)",
		Example: `  nirctl request refuse JPNIC/R-2 -m "not justified by the plan"`,
	}, true, func(x *nir.Tx, id string) (nir.Request, error) { return x.Refuse(id, a.reason) })
}

func requestRetryCommand(a *app) *cobra.Command {
	return a.onRequest(&cobra.Command{
		Use: "retry REQUEST", Short: "Allocate what a held request asks for, if there is room now (registry staff)",
		Example: "  nirctl request retry JPNIC/R-4",
	}, false, (*nir.Tx).RetryHeld)
}

func requestApproveCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "approve REQUEST", Short: "Propose to approve a second opinion request (registry staff)",
		Long: `Approve proposes that a second opinion request be approved. An approver who is
neither you nor the one who submitted it signs the proposal: nirctl approve HASH.
With the signature, and in the same event, the resources are allocated.`,
		Example: `  nirctl request approve JPNIC/R-2 -m "the plan justifies it"`,
		Args:    arguments(cobra.ExactArgs(1), `nirctl request approve JPNIC/R-2 -m "the plan justifies it"`),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.propose(c, func(o *opened, x *nir.Tx) (nir.Proposal, error) {
			r, err := o.requestToShow(x.View, args[0])
			if err != nil {
				return nir.Proposal{}, err
			}
			return x.ProposeApproval(r.ID)
		})
	}
	return a.writing(c)
}
