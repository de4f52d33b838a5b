package zone

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// finish brings what was read into order and looks whether all of it was there.
func (p *servedParser) finish(transfer bool) error {
	s := p.s
	switch {
	case p.soas == 0:
		return fmt.Errorf("there is no SOA record of %s in it (RFC 1035, section 5.2)", s.Origin)
	case transfer && p.soas < 2:
		return errors.New("a transfer ends with the SOA record it began with, this one does not (RFC 5936, section 2.2): it was cut short; make it again")
	}
	slices.SortStableFunc(s.Records, Record.Compare)
	s.Records = slices.CompactFunc(s.Records, func(a, b Record) bool { return a.Name == b.Name && a.Type == b.Type && a.Data == b.Data })
	for _, by := range p.signers {
		s.Signatures.By = append(s.Signatures.By, *by)
	}
	slices.SortFunc(s.Signatures.By, func(a, b ServedSigner) int {
		return (int(a.Algorithm)-int(b.Algorithm))<<17 + int(a.Tag) - int(b.Tag)
	})
	switch {
	case len(p.nsec3) > 0:
		if s.Denial = p.param; p.param == "" {
			s.Denial = "NSEC3"
		}
		return p.checkChain(p.nsec3, "NSEC3")
	case len(p.nsec) > 0:
		s.Denial = "NSEC"
		if err := p.checkChain(p.nsec, "NSEC"); err != nil {
			return err
		}
		return p.checkTypes()
	}
	s.Denial = "none"
	return nil
}

const notWhole = "the file is not whole, or was not signed as a whole; get the zone again"

// checkChain refuses a chain that does not close (RFC 4034, section 4.1.1; RFC
// 5155, section 3.1.7).
func (p *servedParser) checkChain(chain []chainLink, kind string) error {
	slices.SortStableFunc(chain, func(a, b chainLink) int { return strings.Compare(a.owner, b.owner) })
	for i, l := range chain {
		if next := chain[(i+1)%len(chain)]; l.next != next.owner {
			at := string(l.name)
			if at == "" {
				at = l.owner
			}
			return fmt.Errorf("the %s record of %s names another than the next one in the file: %s", kind, at, notWhole)
		}
	}
	return nil
}

// checkTypes refuses NSEC records that say of NS or DS other than the file has.
func (p *servedParser) checkTypes() error {
	type has struct{ ns, ds bool }
	said := make(map[Name]has, len(p.nsec))
	for _, l := range p.nsec {
		said[l.name] = has{l.ns, l.ds}
	}
	got := make(map[Name]has, len(p.nsec))
	for _, r := range p.s.Records {
		g := got[r.Name]
		switch r.Type {
		case TypeNS:
			g.ns = true
		case TypeDS:
			g.ds = true
		default:
			continue
		}
		got[r.Name] = g
	}
	for _, l := range p.nsec {
		if got[l.name] != said[l.name] {
			return fmt.Errorf("the NSEC record of %s does not name the types that stand there: %s", l.name, notWhole)
		}
	}
	return nil
}
