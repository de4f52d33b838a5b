package nir

import "time"

// Rules are the numbers of the policy and the names of the registry that applies
// it: configuration, not law.
type Rules struct {
	RIR    string // code of the regional registry, of the claims: APNIC
	Source string // of its own whois objects
	Mntner string // that maintains them

	AllocationDays int                 // working days for an allocation request (APNIC-103, section 3.6)
	ResponseDays   int                 // working days for any other request
	SplitDays      int                 // over which requests of one member are summed up against the window
	QuarantineDays int                 // for which returned space is not allocated again
	ReserveDays    int                 // after which a reservation ends; 0: never
	Holidays       map[string][]string // of an economy, dates as 2006-01-02; the RIR's own under its code
	Zone           *time.Location      // in which a working day is a day; UTC if nil
	Local          []LocalRule         // what NIRs ask beyond the policy
}

// DefaultRules are what APNIC-103 says, and for what it leaves open the values
// that docs/allocation.md argues.
func DefaultRules() Rules {
	return Rules{
		RIR: "APNIC", Source: "APNIC", Mntner: "APNIC-HM",
		AllocationDays: 1, ResponseDays: 2, SplitDays: 30, QuarantineDays: 180,
	}
}

func (r Rules) isZero() bool { return r.RIR == "" }
