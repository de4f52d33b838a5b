package zone

import (
	"fmt"
	"slices"
	"time"
)

// ParentHold is how long a server of a parent, and each of its addresses, must
// still be asked after it was last named: a list that shrank leaves nobody out
// before that.
const ParentHold = 7 * 24 * time.Hour

// MaxParentLists bounds the NS sets that are kept of a parent. With so many the
// earlier ones may be lost, and no list counts.
const MaxParentLists = 512

// An ObservedParent is a zone above the registry's and what its own servers say
// of who serves it. Whoever one of the lists names must be asked for a DS.
type ObservedParent struct {
	Zone Name `json:"zone"`
	// Named says that the configuration names its servers ([[observe.parent]]):
	// then these are all.
	Named bool `json:"named,omitempty"`
	// NS are the NS sets of its apex that its servers gave, with signatures, seen
	// last no longer ago than ParentHold.
	NS []SeenSet `json:"ns,omitempty"`
}

func (p *ObservedParent) check(sets map[string]bool) error {
	if err := checkName(p.Zone); err != nil {
		return err
	}
	if len(p.NS) > MaxParentLists {
		return fmt.Errorf("%d NS sets, at most %d are allowed", len(p.NS), MaxParentLists)
	}
	return checkSeen(p.NS, sets)
}

// Parent returns the entry of a parent zone, nil if there is none.
func (o *Observations) Parent(n Name) *ObservedParent {
	for i := range o.Parents {
		if o.Parents[i].Zone == n {
			return &o.Parents[i]
		}
	}
	return nil
}

// Hosts returns the hosts that an NS set names, sorted.
func (s *RRset) Hosts() []Name {
	var hosts []Name
	for _, r := range s.Records() {
		if host, ok := r.Data.Host(); ok && r.Type == TypeNS {
			hosts = append(hosts, host)
		}
	}
	slices.SortFunc(hosts, Name.Compare)
	return slices.Compact(hosts)
}

// Hosts returns when each server was last named by a list that was seen after
// since, and when the newest list was seen. sets are those of [Observations.Index].
func (p *ObservedParent) Hosts(sets map[string]*RRset, since time.Time) (hosts map[Name]time.Time, last time.Time) {
	hosts = map[Name]time.Time{}
	for _, seen := range p.NS {
		s := sets[seen.Set]
		if s == nil || s.Name != p.Zone || !seen.Last.After(since) {
			continue
		}
		for _, h := range s.Hosts() {
			if hosts[h].Before(seen.Last) {
				hosts[h] = seen.Last
			}
		}
		if last.Before(seen.Last) {
			last = seen.Last
		}
	}
	return hosts, last
}
