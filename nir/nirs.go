package nir

import (
	"fmt"
	"regexp"
	"strconv"

	"nirzone/nir/inr"
)

// A NIR is a national Internet registry (APNIC-103, section 2.3). Its code names it
// everywhere: in claims, in file names, in the sources of zonefetch.
type NIR struct {
	Row
	Code    string `json:"code"`    // JPNIC
	Name    string `json:"name"`    // in full
	Economy string `json:"economy"` // ISO 3166-1 alpha-2
	Source  string `json:"source"`  // of whois answers about its space
	Mntner  string `json:"mntner"`  // that maintains its objects
	Option  int    `json:"option"`  // of reverse DNS, 1 or 2 (APNIC-103, section 3.4)
	Port43  string `json:"port43"`  // its own whois server, "" for none
	RDAP    string `json:"rdap"`    // base of its own RDAP service, "" for none
	Email   string `json:"email"`   // where notices go: addresses, separated by commas
	State   string `json:"state"`
}

// The states of an NIR. In probation everything it asserts is held and shown
// against what is published; one that left keeps its records.
const (
	Probation = "probation"
	Active    = "active"
	Leaving   = "leaving"
	Left      = "left"
)

var nirs = newTable[NIR]("nir", "nir")

// A Window is the largest allocation of a kind that an NIR may make without a
// second opinion (APNIC-103, section 3.2).
type Window struct {
	Row
	NIR    string   `json:"nir"`
	Kind   inr.Kind `json:"kind"`
	Size   Size     `json:"size"`
	Reason string   `json:"reason" text:"lines"`
	SetBy  string   `json:"set_by"`
}

var windows = newTable[Window]("allocation_window", "win")

var codeForm = regexp.MustCompile(`^[A-Z][A-Z0-9-]{1,19}$`)

func (n *NIR) check() error {
	var m mistakes
	if !codeForm.MatchString(n.Code) {
		m.add(invalid("code", "%.40q is not 2 to 20 upper-case letters, digits and hyphens", n.Code))
	}
	m.add(checkEconomy("economy", n.Economy))
	if !codeForm.MatchString(n.Source) {
		m.add(invalid("source", "%.40q is not 2 to 20 upper-case letters, digits and hyphens", n.Source).by("APNIC-103, section 3.3"))
	}
	if n.Option != 1 && n.Option != 2 {
		m.add(invalid("option", "%d is not 1 or 2", n.Option).by("APNIC-103, section 3.4"))
	}
	if _, err := parseAddresses(n.Email); err != nil {
		m.add(invalid("email", "%v", err))
	}
	m.need("name", n.Name, "")
	m.need("mntner", n.Mntner, "APNIC-103, section 3.4.2")
	m.add(checkMntner(n.Mntner))
	return m.err()
}

// NIR returns the NIR of a code.
func (v *View) NIR(code string) (NIR, error) {
	return recall(&v.recalled.nirs, code, func() (NIR, error) {
		n, ok, err := nirs.one(v, "code = $1", code)
		if err == nil && !ok {
			err = refuse(NotFound, "there is no NIR %.40q", code).remedy("nirctl nir list")
		}
		return n, err
	})
}

// NIRs returns all NIRs, by code.
func (v *View) NIRs() ([]NIR, error) { return nirs.find(v, "id <> '' ORDER BY code") }

// NIRVersions returns every version of an NIR, the oldest first.
func (v *View) NIRVersions(id string) ([]NIR, error) { return nirs.versions(v, id) }

// PutNIR records a new NIR, or the changed record of one. The same record again
// changes nothing.
func (x *Tx) PutNIR(n NIR) (NIR, error) {
	if err := x.Actor.need("change an NIR", Admin); err != nil {
		return n, err
	}
	if n.State == "" {
		n.State = Active
	}
	if err := n.check(); err != nil {
		return n, err
	}
	other, found, err := nirs.one(x.View, "(code = $1 OR source = $2) AND id <> $3", n.Code, n.Source, n.ID)
	switch {
	case err != nil:
		return n, err
	case found && n.ID == "" && other.Code == n.Code:
		return n, refuse(Conflict, "%s is there already", n.Code).in("code").remedy("nirctl nir edit " + n.Code)
	case found:
		return n, refuse(Conflict, "NIR %s has code %s and source %s: both have to be its own", other.Name, other.Code, other.Source)
	case n.Code == x.Rules.RIR:
		return n, invalid("code", "%s is the regional registry itself", n.Code)
	}
	before, known, err := nirs.one(x.View, "id = $1", n.ID)
	if err != nil {
		return n, err
	}
	if known && before.Code != n.Code {
		return n, refuse(Conflict, "%s is what windows, members and delegations name: a code stays", before.Code).in("code").
			remedy("nirctl nir onboard CODE, and transfer what it is to hold")
	}
	if known && before.Option != n.Option {
		return n, refuse(Conflict, "%s has Option %d: it is switched by a plan", n.Code, before.Option).in("option").
			by("APNIC-103, section 3.4").remedy("nirctl nir option " + n.Code + " " + strconv.Itoa(n.Option))
	}
	if n.Row = before.Row; known && n == before {
		return n, nil
	}
	x.act("nir.put")
	if err := nirs.put(x, &n); err != nil {
		return n, err
	}
	if known && (before.Source != n.Source || before.Mntner != n.Mntner) {
		return n, x.renamed(before, n)
	}
	return n, nil
}

// Window returns the allocation window of an NIR for a kind.
func (v *View) Window(code string, k inr.Kind) (Window, error) {
	return recall(&v.recalled.windows, code+" "+k.String(), func() (Window, error) {
		w, ok, err := windows.one(v, "nir = $1 AND kind = $2", code, k.String())
		if err == nil && !ok {
			err = refuse(NotFound, "%s has no allocation window for %s", code, k).remedy("nirctl window set " + code + " " + k.String() + " SIZE -m start")
		}
		return w, err
	})
}

// Windows returns the windows of an NIR, or of all if the code is empty.
func (v *View) Windows(code string) ([]Window, error) {
	return windows.find(v, "($1 = '' OR nir = $1) ORDER BY nir, kind", code)
}

// SetWindow sets the allocation window of an NIR for a kind. The one before stays
// in the history: requests are judged by the one in force when they came. The size
// that it has already changes nothing, whatever the reason.
func (x *Tx) SetWindow(code string, k inr.Kind, size Size, reason string) (Window, error) {
	if err := x.Actor.need("set a window", Admin, RegistryStaff); err != nil {
		return Window{}, err
	}
	if _, err := x.NIR(code); err != nil {
		return Window{}, err
	}
	size, err := ParseSize(k, string(size))
	if err != nil {
		return Window{}, err
	}
	w, found, err := windows.one(x.View, "nir = $1 AND kind = $2", code, k.String())
	if err != nil || found && w.Size == size {
		return w, err
	}
	w.NIR, w.Kind, w.Size, w.Reason, w.SetBy = code, k, size, reason, x.Actor.Name
	x.act("window.set")
	if err := windows.put(x, &w); err != nil {
		return w, fmt.Errorf("setting the window: %w", err)
	}
	return w, nil
}
