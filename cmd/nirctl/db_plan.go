package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

// shownEffects is how many lines of a plan's area are shown; JSON has all.
const shownEffects = 30

// candidateNote is said of a plan that names a block before it is allocated.
const candidateNote = "the block is a candidate, not held: another request may get it first"

// showPlan writes the plan of a change that is not made: it is the command's
// result.
func (a *app) showPlan(o *opened, p *nir.Plan, candidate bool) error {
	if a.output.form != "json" && a.output.form != "yaml" {
		_, err := fmt.Fprintln(a.Stdout, planText(a.Stdout, o, p, candidate))
		return err
	}
	note := ""
	if candidate && namesBlock(p) {
		note = candidateNote
	}
	return a.structured("plan", struct {
		*nir.Plan
		DryRun bool   `json:"dry_run"`
		Note   string `json:"note,omitempty"`
	}{p, true, note})
}

// planText is a plan for people, in colours if w shows them.
func planText(w io.Writer, o *opened, p *nir.Plan, candidate bool) string {
	if p.Objects == 0 {
		return "plan: nothing to do, the registry says so already"
	}
	text := fmt.Sprintf("plan: %s by %s%s\n", strings.ReplaceAll(p.Act, " ", ", "), describeActor(o.actor), because(p.Reason)) + effectsText(w, p)
	if candidate && namesBlock(p) {
		text += "  " + shell.Paint(w, shell.Care, candidateNote)
	}
	return strings.TrimRight(shell.Fold(w, maxWidth-len(stderrMark), text), "\n")
}

// stderrMark stands before each line of a plan that is asked about.
const stderrMark = "nirctl: "

// namesBlock reports whether a plan takes a block out of a pool: a second opinion
// request takes none before it is approved.
func namesBlock(p *nir.Plan) bool {
	return slices.ContainsFunc(p.Effects, func(e nir.Effect) bool { return e.Area == nir.OnDelegations })
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + plain(reason)
}

// effectsText has a line for each effect, the area before the first of its lines.
func effectsText(w io.Writer, p *nir.Plan) string {
	var b strings.Builder
	area, n := "", 0
	for i, e := range p.Effects {
		if e.Area != area {
			area, n = e.Area, 0
		}
		n++
		label := ""
		if n == 1 {
			label = area
		}
		if n <= shownEffects {
			fmt.Fprintf(&b, "  %-13s %s\n", label, paintEffect(w, plain(e.Text)))
		} else if i+1 == len(p.Effects) || p.Effects[i+1].Area != area {
			fmt.Fprintf(&b, "  %-13s and %d more: -o json has all\n", "", n-shownEffects)
		}
	}
	return b.String()
}

func paintEffect(w io.Writer, s string) string {
	switch {
	case strings.HasPrefix(s, "- "), strings.HasPrefix(s, "end "):
		return shell.Paint(w, shell.Bad, s)
	case strings.HasPrefix(s, "+ "), strings.HasPrefix(s, "create "):
		return shell.Paint(w, shell.Good, s)
	case strings.HasPrefix(s, "change "):
		return shell.Paint(w, shell.Care, s)
	}
	return s
}

func whatIfCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "what-if COMMAND...", Short: "Show what a command would change",
		Long: `What-if shows every effect that a command would have if it were done now: on
the objects of the registry, pools, delegations, whois, claims, zones,
certificates, statistics, fees and notices. It changes nothing, and is the same
as the command with --dry-run. A block that it names is a candidate: nobody
holds it for you.`,
		Example: `  nirctl what-if window set JPNIC ipv4 /19 -m "review of March"
  nirctl what-if request create --nir JPNIC --member M1 --size /22 --ref R-77 --netname EXAMPLE --attested`,
		DisableFlagParsing: true,
	}
	c.RunE = func(c *cobra.Command, args []string) error { return a.whatIf(c, args) }
	return c
}

// whatIf runs the command that args name, with --dry-run.
func (a *app) whatIf(c *cobra.Command, args []string) error {
	if len(args) == 0 || args[0] == "--help" || args[0] == "-h" {
		return c.Help()
	}
	root := command(a)
	target, rest, err := root.Find(args)
	if err != nil {
		return shell.Usage(err, "nirctl --help")
	}
	if _, ok := target.Annotations[writes]; !ok {
		return shell.Usage(fmt.Errorf("%s changes nothing in the registry", target.CommandPath()), "nirctl what-if nir option CODE 2")
	}
	path := strings.Fields(target.CommandPath())[1:]
	root.SetArgs(append(append(path, rest...), "--dry-run"))
	return root.ExecuteContext(c.Context())
}
