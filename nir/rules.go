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
	ProposalDays   int                 // for which a proposal may be approved; 0: 30
	ReserveDays    int                 // after which a reservation ends; 0: never
	Holidays       map[string][]string // of an economy, dates as 2006-01-02; the RIR's own under its code
	Zone           *time.Location      // in which a working day is a day, and a date of statistics; UTC if nil
	Peers          []string            // codes of the other regional registries; nil for the four that there are
	Fees           Fees                // how what is held becomes units of a fee, and tiers; the zero value is [DefaultFees]
	Local          []LocalRule         // what NIRs ask beyond the policy

	ConfirmImports bool   // an import waits for a second person; off for tests and for loading a new registry
	Statistics     string // the regional registry's name in statistics files; "" for its code in lower case

	Whois WhoisRules
}

// WhoisRules are numbers for whois objects. A zero is the value in brackets.
type WhoisRules struct {
	MirrorPercent int           // of an NIR's objects that its dump may lose without being held [5]
	MirrorLeast   int           // … if they are as many as this [10]
	MirrorMost    int           // objects that are held in any case [100]
	MirrorStale   time.Duration // after which a mirror is late [24 h]
	ValidateDays  int           // after which an irt object has to be said to be right again [180]
}

func (r WhoisRules) filled() WhoisRules {
	for _, f := range []struct {
		v *int
		d int
	}{{&r.MirrorPercent, 5}, {&r.MirrorLeast, 10}, {&r.MirrorMost, 100}, {&r.ValidateDays, 180}} {
		if *f.v == 0 {
			*f.v = f.d
		}
	}
	if r.MirrorStale == 0 {
		r.MirrorStale = 24 * time.Hour
	}
	return r
}

// DefaultRules are what APNIC-103 says, and for what it leaves open the values
// that docs/allocation.md argues.
func DefaultRules() Rules {
	return Rules{
		RIR: "APNIC", Source: "APNIC", Mntner: "APNIC-HM",
		AllocationDays: 1, ResponseDays: 2, SplitDays: 30, QuarantineDays: 180,
		ConfirmImports: true,
	}
}

func (r Rules) isZero() bool { return r.RIR == "" }
