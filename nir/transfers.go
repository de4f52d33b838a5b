package nir

import (
	"slices"
	"time"

	"nirzone/nir/inr"
)

// A Transfer moves resources that a member holds to the management of another
// registry, to another holder, or both (APNIC-103, section 4): from the regional
// registry to an NIR, back, between NIRs, and to and from another regional
// registry. It consists of lines, each with a time of its own, so that it may be
// gradual.
//
// At every instant exactly one registry manages a number. A line is carried out in
// one event: delegations, source and maintainer of the whois objects, and who may
// speak for the range in reverse DNS follow from the same rows and change together.
// A crash leaves the state before or the one after.
//
// The registry moves the claims and nothing else. That a delegation which is
// published stays so until the new manager asserts or declines it (make before
// break) is what zonebuild does with claims that moved.
type Transfer struct {
	Row
	Type        TransferType `json:"type"`
	Source      string       `json:"source"`      // code of the NIR that manages it, "" for this registry, or that of another regional one
	Destination string       `json:"destination"` // likewise, of the one that will
	Member      string       `json:"member"`      // who holds it; "" if it comes from another regional registry
	Receiver    string       `json:"receiver"`    // who will: the same, unless it is named; "" for one that is new, or if it leaves
	UID         string       `json:"uid"`         // what the destination calls the receiver
	Who         Member       `json:"who"`         // data of a receiver that is new
	Whole       bool         `json:"whole"`       // everything the member has under the source, and its membership there ends
	Serve       bool         `json:"serve"`       // from the first line on the destination serves the receiver's requests
	Whois       WhoisAction  `json:"whois"`
	Reason      string       `json:"reason" text:"lines"`
	Ticket      string       `json:"ticket"`
	State       string       `json:"state"` // scheduled while a line is; then done, or cancelled if no line was carried out
	Submitter   string       `json:"submitter"`
	Made        time.Time    `json:"made"`
}

// A TransferLine is a range of a transfer: all or a part of one delegation, or of
// several.
type TransferLine struct {
	Row
	Transfer string    `json:"transfer"`
	Range    inr.Range `json:"range"`
	Due      time.Time `json:"due"` // the instant from which the destination manages it
	State    string    `json:"state"`
	Done     time.Time `json:"done"` // when it was carried out

	Type    string       `json:"type"` // of what comes from another regional registry: allocation or assignment
	Economy string       `json:"economy"`
	Date    time.Time    `json:"date"` // of its delegation there, which is kept
	Parts   []MovedRange `json:"parts"`
}

// A MovedRange says what a line made of a delegation to a member: Now is the
// identifier of what it is since, "" if it left for another regional registry.
type MovedRange struct {
	Range inr.Range `json:"range"`
	Was   string    `json:"was"`
	Now   string    `json:"now"`
}

// A TransferType is why resources change hands.
type TransferType string

// The types of transfers.
const (
	NormalTransfer TransferType = "normal"
	MergerTransfer TransferType = "m&a" // merger or acquisition
)

// A WhoisAction is what happens to the objects below a range that is transferred
// or returned: those that its holder made.
type WhoisAction string

// The actions.
const (
	KeepWhois   WhoisAction = "keep"
	DeleteWhois WhoisAction = "delete"
)

// The states of a transfer and of its lines.
const (
	TransferScheduled = "scheduled"
	TransferDone      = "done"
	TransferCancelled = "cancelled"
)

var (
	transfers     = newTable[Transfer]("transfer", "trf")
	transferLines = newTable[TransferLine]("transfer_line", "trl")
)

// defaultPeers are the other regional registries.
var defaultPeers = []string{"AFRINIC", "ARIN", "LACNIC", "RIPE"}

// peer reports whether a code is that of another regional registry.
func (r Rules) peer(code string) bool {
	list := r.Peers
	if list == nil {
		list = defaultPeers
	}
	return slices.Contains(list, code)
}

// rule names the section of the policy that a transfer is by.
func (r Rules) rule(t *Transfer) string {
	switch {
	case t.Source == "" && !r.peer(t.Destination):
		return "APNIC-103, section 4.1"
	case t.Destination == "" && !r.peer(t.Source):
		return "APNIC-103, section 4.2"
	}
	return "APNIC-103, section 4"
}

// Transfer returns the transfer of an identifier, with its lines by range.
func (v *View) Transfer(id string) (Transfer, []TransferLine, error) {
	t, err := transfers.get(v, id)
	if err != nil {
		return t, nil, err
	}
	lines, err := v.linesOf(id)
	return t, lines, err
}

func (v *View) linesOf(transfer string) ([]TransferLine, error) {
	return transferLines.find(v, "transfer = $1 ORDER BY kind, first, due, id", transfer)
}

// A Direction is how a party of a transfer sees it.
type Direction string

// The directions.
const (
	Inbound  Direction = "in"
	Outbound Direction = "out"
	BothWays Direction = "both" // both parties are the same
)

// A ListedTransfer is a transfer as one of its parties sees it.
type ListedTransfer struct {
	Transfer
	Direction Direction      `json:"direction"`
	Lines     []TransferLine `json:"lines"`
}

// Transfers returns all transfers, the newest first. In and out are as this registry
// sees them: what NIRs give each other has no direction.
func (v *View) Transfers() ([]ListedTransfer, error) {
	list, err := transfers.find(v, "id <> '' ORDER BY made DESC, id")
	if err != nil {
		return nil, err
	}
	return v.listed(list, func(t *Transfer) Direction {
		if t.Source != "" && t.Destination != "" {
			return ""
		}
		return direction(t.Source == "", t.Destination == "")
	})
}

// TransfersOf returns the transfers to and from a registry, the newest first: both
// parties have a transfer in their list. The code is that of an NIR, "" for this
// registry, or that of another regional one.
func (v *View) TransfersOf(code string) ([]ListedTransfer, error) {
	list, err := transfers.find(v, "(source = $1 OR destination = $1) ORDER BY made DESC, id", code)
	if err != nil {
		return nil, err
	}
	return v.listed(list, func(t *Transfer) Direction { return direction(t.Source == code, t.Destination == code) })
}

// TransfersOfMember returns the transfers in which a member gives or takes, the
// newest first. A member that changes its registry and keeps its resources does
// both.
func (v *View) TransfersOfMember(id string) ([]ListedTransfer, error) {
	list, err := transfers.find(v, "(member = $1 OR receiver = $1) ORDER BY made DESC, id", id)
	if err != nil {
		return nil, err
	}
	return v.listed(list, func(t *Transfer) Direction { return direction(t.Member == id, t.Receiver == id) })
}

func direction(gives, takes bool) Direction {
	switch {
	case gives && takes:
		return BothWays
	case gives:
		return Outbound
	}
	return Inbound
}

func (v *View) listed(list []Transfer, d func(*Transfer) Direction) ([]ListedTransfer, error) {
	all := make([]ListedTransfer, len(list))
	for i, t := range list {
		lines, err := v.linesOf(t.ID)
		if err != nil {
			return nil, err
		}
		all[i] = ListedTransfer{t, d(&t), lines}
	}
	return all, nil
}
