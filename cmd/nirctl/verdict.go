package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// A verdict is what the check found in one file. docs/nirctl.md has its JSON.
type verdict struct {
	File        string        `json:"file"`
	Zone        zone.Name     `json:"zone"`
	Source      string        `json:"source"`
	Accepted    bool          `json:"accepted"` // false: the file would be refused whole
	Findings    bool          `json:"findings"`
	Generated   time.Time     `json:"generated,omitzero"` // by its trailer
	NS          int           `json:"ns"`
	DS          int           `json:"ds"`
	Owners      int           `json:"owners"`
	Delegations int           `json:"delegations"` // that would be published
	Sum         string        `json:"sum,omitempty"`
	Signer      string        `json:"signer,omitempty"`
	SignedAt    time.Time     `json:"signed_at,omitzero"`
	Mistakes    []string      `json:"mistakes,omitempty"`
	Notices     []zone.Notice `json:"notices,omitempty"`
	Holds       []zone.Hold   `json:"holds,omitempty"`
	Unchecked   []string      `json:"not_checked,omitempty"`

	changes  []zone.SourceChange
	compared bool // with a previous zonelet
}

// findings reports whether somebody has to look: anything but information.
func (v *verdict) findings() bool {
	v.Findings = !v.Accepted || len(v.Holds) > 0
	for _, n := range v.Notices {
		v.Findings = v.Findings || n.Severity > zone.Info
	}
	return v.Findings
}

func (v *verdict) write(w io.Writer) {
	state := shell.Paint(w, shell.Good, "would be accepted")
	if !v.Accepted {
		state = shell.Paint(w, shell.Bad, "would be refused whole")
	} else if v.findings() {
		state = shell.Paint(w, shell.Care, "would be accepted, with findings")
	}
	fmt.Fprintf(w, "%s: %s\n", v.File, state)
	if v.Owners > 0 || !v.Generated.IsZero() {
		fmt.Fprintf(w, "  %d NS and %d DS records of %s; %s would be published in %s\n", v.NS, v.DS, count(v.Owners, "owner"), count(v.Delegations, "delegation"), v.Zone.File())
	}
	v.writeSeals(w)
	if counts := byCode(v.Notices); len(counts) > 0 {
		fmt.Fprintf(w, "  notices: %s\n", strings.Join(counts, ", "))
	}
	for _, m := range v.Mistakes {
		fmt.Fprintln(w, " ", shell.Paint(w, shell.Bad, m))
	}
	for _, n := range v.Notices {
		fmt.Fprintln(w, " ", n)
	}
	for _, h := range v.Holds {
		v.writeHold(w, h)
	}
	for _, u := range v.Unchecked {
		fmt.Fprintln(w, " ", shell.Paint(w, shell.Quiet, "not checked: "+u))
	}
}

func (v *verdict) writeSeals(w io.Writer) {
	var parts []string
	if v.Sum != "" {
		parts = append(parts, "sum good")
	}
	if v.Signer != "" {
		parts = append(parts, fmt.Sprintf("signed at %s by %s", v.SignedAt.Format(time.RFC3339), v.Signer))
	}
	if len(parts) > 0 {
		fmt.Fprintf(w, "  %s\n", strings.Join(parts, "; "))
	}
}

// shownLosses is how many names are listed of what would be lost; --json has
// all of them.
const shownLosses = 10

func (v *verdict) writeHold(w io.Writer, h zone.Hold) {
	what := fmt.Sprintf("the loss of %d of %d delegations", len(h.Losses), h.Before)
	if h.Kind != zone.KindRemoved {
		what = fmt.Sprintf("%s, of %d", h.Text(), h.Before)
	}
	fmt.Fprintf(w, "  %s %s: %s\n", shell.Paint(w, shell.Bad, "would be held:"), what, h.Rule)
	for i, n := range h.Losses {
		if i == shownLosses {
			fmt.Fprintf(w, "    and %d more\n", len(h.Losses)-i)
			break
		}
		fmt.Fprintf(w, "    - %s\n", n)
	}
}
