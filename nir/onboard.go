package nir

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"nirzone/nir/inr"
)

// confirmKey is the operation by which a second person confirms the key that an
// NIR signs its zonelets with.
const confirmKey = "nir.key"

// A KeyOfNIR is what the proposal to confirm a key says. Who proposes it read the
// fingerprint from the keyring; who approves it has to have it from the NIR on
// another way: by telephone, or in person.
type KeyOfNIR struct {
	NIR         string `json:"nir"`
	Fingerprint string `json:"fingerprint"` // OpenPGP, upper-case hex
}

func init() {
	operations[confirmKey] = operation{
		role: Approver, signers: 1, effects: keyEffects,
		run: func(_ *Tx, p *Proposal) (string, error) { return "confirmed", nil }, // the proposal is the record
	}
}

var fingerprintForm = regexp.MustCompile(`^([0-9A-F]{40}|[0-9A-F]{64})$`)

// ProposeKey proposes that a key be confirmed as the one that an NIR signs its
// zonelets with: one person proposes it, another signs.
func (x *Tx) ProposeKey(code, fingerprint string) (Proposal, error) {
	if err := x.Actor.need("propose the key of an NIR", Admin, RegistryStaff); err != nil {
		return Proposal{}, err
	}
	fingerprint = strings.ToUpper(strings.Join(strings.Fields(fingerprint), ""))
	if !fingerprintForm.MatchString(fingerprint) {
		return Proposal{}, invalid("fingerprint", "%.80q is not 40 or 64 hexadecimal digits", fingerprint).remedy("gpg --show-keys --with-fingerprint KEYRING")
	}
	n, err := x.NIR(code)
	if err != nil {
		return Proposal{}, err
	}
	return x.propose(confirmKey, KeyOfNIR{n.Code, fingerprint})
}

func keyEffects(x *Tx, args json.RawMessage) ([]string, error) {
	var k KeyOfNIR
	if err := json.Unmarshal(args, &k); err != nil {
		return nil, fmt.Errorf("reading the proposal: %w", err)
	}
	return []string{
		fmt.Sprintf("%s signs its zonelets with %s", k.NIR, k.Fingerprint),
		"whoever signs this has compared the fingerprint with one that the NIR gave on another way than the key",
	}, nil
}

// KeyOfNIR returns the fingerprint of the key that two persons confirmed last; ""
// if they confirmed none.
func (v *View) KeyOfNIR(code string) (string, error) {
	list, err := proposals.find(v, "op = $1 AND state = $2 ORDER BY since DESC, id", confirmKey, ProposalDone)
	for _, p := range list {
		var k KeyOfNIR
		if err := json.Unmarshal(p.Args, &k); err != nil {
			return "", fmt.Errorf("reading proposal %s: %w", p.ID, err)
		}
		if k.NIR == code {
			return k.Fingerprint, nil
		}
	}
	return "", err
}

// An Onboarding is what is recorded of an NIR that is new: itself, in probation,
// its first windows, and its key for a second person to confirm.
type Onboarding struct {
	NIR         NIR
	Windows     map[inr.Kind]Size
	Fingerprint string // "" without a key (option 2 needs none)
}

// Onboard records an NIR in probation: what it asserts is compared and shown, and
// nothing of it published, until [Tx.Activate]. It returns the proposal to
// confirm its key, if it has one.
func (x *Tx) Onboard(o Onboarding) (NIR, Proposal, error) {
	o.NIR.State = Probation
	n, err := x.PutNIR(o.NIR)
	if err != nil {
		return n, Proposal{}, err
	}
	for _, k := range []inr.Kind{inr.IPv4, inr.IPv6, inr.ASN} {
		if size, ok := o.Windows[k]; ok {
			if _, err := x.SetWindow(n.Code, k, size, "onboarding"); err != nil {
				return n, Proposal{}, err
			}
		}
	}
	if o.Fingerprint == "" {
		return n, Proposal{}, nil
	}
	p, err := x.ProposeKey(n.Code, o.Fingerprint)
	return n, p, err
}

// Activate ends the probation of an NIR. Everything that is missing is told at
// once.
func (x *Tx) Activate(code string) (NIR, error) {
	if err := x.Actor.need("activate an NIR", Admin); err != nil {
		return NIR{}, err
	}
	n, err := x.NIR(code)
	if err != nil {
		return n, err
	}
	if n.State != Probation {
		return n, refuse(Conflict, "%s is not in probation, it is %s", n.Code, n.State)
	}
	if err := x.readyToActivate(&n); err != nil {
		return n, err
	}
	n.State = Active
	x.act("nir.activate")
	return n, nirs.put(x, &n)
}

func (v *View) readyToActivate(n *NIR) error {
	var m mistakes
	list, err := v.Windows(n.Code)
	m.add(err)
	if len(list) == 0 {
		m.add(refuse(Conflict, "%s has no window", n.Code).by("APNIC-103, section 3.2").remedy("nirctl window set " + n.Code + " ipv4 SIZE -m start"))
	}
	key, err := v.KeyOfNIR(n.Code)
	m.add(err)
	if key == "" && n.Option == 1 {
		m.add(keyless(n.Code))
	}
	if n.Email == "" {
		m.add(refuse(Conflict, "%s has no address for notices", n.Code).remedy("nirctl nir edit " + n.Code + " --email ADDRESS"))
	}
	return m.err()
}

func keyless(code string) error {
	return refuse(Conflict, "two persons have not confirmed the key of %s yet", code).remedy("nirctl nir key " + code + " FINGERPRINT")
}

// Offboard ends what an NIR takes part in: it becomes leaving, and makes no
// requests any more; once nothing is delegated to it and nobody its member, it
// has left. What it did stays recorded.
func (x *Tx) Offboard(code string) (NIR, error) {
	if err := x.Actor.need("end the part of an NIR", Admin); err != nil {
		return NIR{}, err
	}
	n, err := x.NIR(code)
	if err != nil {
		return n, err
	}
	if n.State == Left {
		return n, nil
	}
	left, err := x.LeftOf(n.Code)
	if err != nil {
		return n, err
	}
	state := Leaving
	if left == (LeftOf{}) {
		state = Left
	}
	if n.State == state {
		return n, nil
	}
	n.State = state
	x.act("nir.offboard")
	return n, nirs.put(x, &n)
}

// LeftOf counts what keeps an NIR from having left.
type LeftOf struct {
	Delegations int `json:"delegations"`
	Members     int `json:"members"`
	Requests    int `json:"requests"` // that are open
}

// LeftOf counts what an NIR still has.
func (v *View) LeftOf(code string) (LeftOf, error) {
	var l LeftOf
	for _, c := range []struct {
		into  *int
		query string
	}{
		{&l.Delegations, "SELECT count(*) FROM delegation WHERE " + v.standing() + " AND nir = $1"},
		{&l.Members, "SELECT count(*) FROM membership WHERE " + v.standing() + " AND nir = $1 AND ended = 0"},
		{&l.Requests, "SELECT count(*) FROM request WHERE " + v.standing() + " AND nir = $1 AND state IN ('evaluating', 'info-requested', 'held')"},
	} {
		if err := v.queryRow(c.query, code).Scan(c.into); err != nil {
			return l, fmt.Errorf("counting what %s has: %w", code, err)
		}
	}
	return l, nil
}
