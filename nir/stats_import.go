package nir

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nirzone/nir/inr"
)

// An Import is a file of statistics that was brought into the registry, or one
// that people agreed to and that waits to be given again. Delegations that it made
// name it as their request.
type Import struct {
	Row
	File     string            `json:"file"`
	SHA256   string            `json:"sha256"`
	Registry string            `json:"registry"` // whose statistics they are
	Serial   string            `json:"serial"`
	Source   string            `json:"source"`          // of claims on the space, if another registry's; "" for one's own delegations
	NIRs     map[string]string `json:"nirs" col:"nirs"` // economy to the code of the NIR that manages what is delegated there
	Partial  bool              `json:"partial"`
	LeftOut  int               `json:"left_out"` // records with mistakes that were not imported
	Counts   []ImportCount     `json:"counts"`
	State    string            `json:"state"`
	Proposal string            `json:"proposal"` // hash of the one that confirmed it, "" for none
	Made     time.Time         `json:"made"`

	Mistakes error `json:"-" col:"-"` // of an import that is partial: what was left out, and why
}

// The states of an import.
const (
	ImportNothing  = "nothing to do" // the registry holds what the file says
	ImportPending  = "pending"       // it waits for a second person
	ImportApproved = "approved"      // it waits for the file
	ImportDone     = "done"
	ImportReplaced = "replaced" // approved, and approved or done anew since: the registry had changed
)

// An ImportCount says how many records of an NIR, economy and kind do what. NIR is
// the code of the NIR, the source of claims, or "" for the regional registry.
type ImportCount struct {
	NIR       string   `json:"nir"`
	Economy   string   `json:"economy"`
	Kind      inr.Kind `json:"kind"`
	Created   int      `json:"created,omitempty"`
	Updated   int      `json:"updated,omitempty"`   // economy, type, date or holder
	Moved     int      `json:"moved,omitempty"`     // from another registry, or in other pieces than before
	Ended     int      `json:"ended,omitempty"`     // delegations that gave way to what moved
	Unchanged int      `json:"unchanged,omitempty"` // there already
	Missing   int      `json:"missing,omitempty"`   // of an earlier import, not in this file: they stay
	Members   int      `json:"members,omitempty"`   // new, by opaque-id
}

// String returns the count as a line of a plan.
func (c ImportCount) String() string {
	who := c.NIR
	if who == "" {
		who = "direct members"
	}
	if c.Economy != "" {
		who += " (" + c.Economy + ")"
	}
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{
		{c.Created, "created"},
		{c.Updated, "updated"},
		{c.Moved, "moved"},
		{c.Ended, "ended"},
		{c.Unchanged, "unchanged"},
		{c.Missing, "of an earlier import not in the file: they stay"},
		{c.Members, strings.TrimPrefix(plural(c.Members, "new member"), strconv.Itoa(c.Members)+" ")},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.word))
		}
	}
	return fmt.Sprintf("%s, %s: %s", who, c.Kind, strings.Join(parts, ", "))
}

// CountLines are the lines of a plan for what an import counted: first what changes,
// then what the file does not name; what is there already is told in one line, the
// last.
func CountLines(counts []ImportCount) []string {
	var change, missing []string
	same, of := 0, 0
	for _, c := range counts {
		switch {
		case c.Created+c.Updated+c.Moved+c.Ended+c.Members > 0:
			change = append(change, c.String())
		case c.Missing > 0:
			missing = append(missing, c.String())
		default:
			same, of = same+c.Unchanged, of+1
		}
	}
	list := slices.Concat(change, missing)
	switch {
	case of == 1 && len(list) == 0:
		list = append(list, counts[0].String())
	case of > 0:
		list = append(list, fmt.Sprintf("all else: %d unchanged", same))
	}
	return list
}

var importRuns = newTable[Import]("import_run", "imp")

// ImportOptions say what a file means.
type ImportOptions struct {
	NIRs    map[string]string // economy to NIR; all else is of direct members
	Source  string            // the name in claims of the other registry whose statistics they are; "" for one's own
	Partial bool              // import what is right though some of the file is wrong
}

// Imports returns the imports, the newest first.
func (v *View) Imports() ([]Import, error) {
	return importRuns.find(v, "id <> '' ORDER BY made DESC, id")
}

// Import brings a file of statistics into the registry: the regional registry's
// own as delegations, another's as space that it manages. The same file again
// changes nothing. All mistakes of the file, and all contradictions to what the
// registry holds by other evidence, are told at once, and then nothing changes
// unless the options say partial.
//
// An import wants a second person ([Rules] ConfirmImports): the first call
// proposes it and answers [ImportPending]; when it is approved the same call, with
// the same file, carries it out. What was approved is a file's digest and what it
// would do: if the registry has changed since and it would do something else, it
// is proposed again.
func (x *Tx) Import(f *Statistics, o ImportOptions) (Import, error) {
	if err := x.Actor.need("import statistics", RegistryStaff, Admin); err != nil {
		return Import{}, err
	}
	p, err := x.planImport(f, o)
	if err != nil {
		return Import{}, err
	}
	im := p.Import
	switch {
	case p.changes() == 0:
		im.State = ImportNothing
		return im, nil
	case !x.Rules.ConfirmImports:
		if err := x.Actor.need("import without a second person", Admin); err != nil {
			return im, err
		}
		return im, x.runImport(p, &im)
	}
	if old, ok, err := x.approvedImport(&im); err != nil || ok {
		if err == nil {
			im.Row, im.Proposal = old.Row, old.Proposal
			err = x.runImport(p, &im)
		}
		return im, err
	}
	prop, err := x.propose("import", im.args())
	im.State, im.Proposal = ImportPending, prop.Hash
	return im, err
}

// replaces notes that an import takes the place of those of the same file that
// were approved before it, when they would have done something else.
func (x *Tx) replaces(im *Import) error {
	list, err := importRuns.find(x.View, "sha256 = $1 AND state = 'approved' AND id <> $2", im.SHA256, im.ID)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].Source != im.Source {
			continue
		}
		list[i].State = ImportReplaced
		if err := importRuns.put(x, &list[i]); err != nil {
			return err
		}
	}
	return nil
}

// With gives a file to the transaction, so that an approval of its import can
// carry it out at once.
func (x *Tx) With(f *Statistics) {
	if x.files == nil {
		x.files = map[string]*Statistics{}
	}
	x.files[f.SHA256] = f
}

// importArgs is what people agree to.
type importArgs struct {
	File     string            `json:"file"`
	SHA256   string            `json:"sha256"`
	Registry string            `json:"registry"`
	Serial   string            `json:"serial"`
	Source   string            `json:"source"`
	NIRs     map[string]string `json:"nirs"`
	Partial  bool              `json:"partial"`
	LeftOut  int               `json:"left_out"`
	Counts   []ImportCount     `json:"counts"`
}

func (im *Import) args() importArgs {
	return importArgs{im.File, im.SHA256, im.Registry, im.Serial, im.Source, im.NIRs, im.Partial, im.LeftOut, im.Counts}
}

// same reports whether two imports are one file that does one thing.
func (im *Import) same(o *Import) bool {
	a, b := im.args(), o.args()
	a.File, b.File = "", ""
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

func (x *Tx) approvedImport(im *Import) (Import, bool, error) {
	list, err := importRuns.find(x.View, "sha256 = $1 AND state = 'approved'", im.SHA256)
	for i := range list {
		if list[i].same(im) {
			return list[i], true, nil
		}
	}
	return Import{}, false, err
}

func init() {
	operations["import"] = operation{role: Approver, signers: 1, effects: importEffects, run: runApproved}
}

// importEffects tells what was counted: the counts are of the file and of the
// registry as it was when the import was proposed.
func importEffects(_ *Tx, args json.RawMessage) ([]string, error) {
	var a importArgs
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, fmt.Errorf("decoding an import: %w", err)
	}
	list := []string{fmt.Sprintf("import %s of %s, serial %s, SHA-256 %s", a.File, a.Registry, a.Serial, a.SHA256)}
	if a.Source != "" {
		list = append(list, "as space that "+a.Source+" manages")
	}
	if a.LeftOut > 0 {
		list = append(list, "left out, with mistakes: "+plural(a.LeftOut, "record"))
	}
	created := 0
	for _, c := range a.Counts {
		created += c.Created
	}
	list = append(list, CountLines(a.Counts)...)
	if created > 0 && a.Source == "" {
		list = append(list, describedLater)
	}
	return list, nil
}

// describedLater is what a plan of an import says of whois.
const describedLater = "what is created gets its whois objects afterwards: nirctl whois describe"

// runApproved carries an import out if the file is at hand, or records that it may
// be.
func runApproved(x *Tx, p *Proposal) (string, error) {
	var a importArgs
	if err := json.Unmarshal(p.Args, &a); err != nil {
		return "", fmt.Errorf("decoding an import: %w", err)
	}
	im := Import{
		File: a.File, SHA256: a.SHA256, Registry: a.Registry, Serial: a.Serial, Source: a.Source, NIRs: a.NIRs, Partial: a.Partial,
		LeftOut: a.LeftOut, Counts: a.Counts, State: ImportApproved, Proposal: p.Hash, Made: x.Actor.At,
	}
	f := x.files[a.SHA256]
	if f == nil {
		if err := x.replaces(&im); err != nil {
			return "", err
		}
		return "it waits for the file: import it again", importRuns.put(x, &im)
	}
	plan, err := x.planImport(f, ImportOptions{NIRs: a.NIRs, Source: a.Source, Partial: a.Partial})
	if err != nil {
		return "", err
	}
	if !plan.Import.same(&im) {
		return "", refuse(Conflict, "the registry has changed since it was proposed: the import would do something else").remedy("propose it again: nirctl import stats " + a.File)
	}
	err = x.runImport(plan, &im)
	return im.ID, err
}

// sortCounts orders counts by NIR, economy and kind: direct members first.
func sortCounts(list []ImportCount) {
	slices.SortFunc(list, func(a, b ImportCount) int {
		if c := strings.Compare(a.NIR, b.NIR); c != 0 {
			return c
		}
		if c := strings.Compare(a.Economy, b.Economy); c != 0 {
			return c
		}
		return int(a.Kind) - int(b.Kind)
	})
}
