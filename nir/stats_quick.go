package nir

import (
	"slices"
	"strings"

	"nirzone/zone"
)

// A quickReader makes records of domain objects by the hundred thousand: of the
// usual ones, whose lines are whole and name servers only, without parsing all of
// RPSL; every other object is left to [WhoisObject.Records], which says the same of
// the usual ones. Name servers repeat, so each is read once.
type quickReader struct {
	hosts map[string]zone.Record // by their text
}

// mostHosts bounds what is remembered.
const mostHosts = 1 << 16

// records returns the records of an object, and whether it was a usual one.
func (q *quickReader) records(name zone.Name, text string) ([]zone.Record, bool) {
	if _, whole := name.Prefix(); !whole {
		return nil, false
	}
	list := make([]zone.Record, 0, 4)
	for line := range strings.Lines(text) {
		attr, value, ok := strings.Cut(line, ":")
		switch {
		case !ok || strings.ContainsAny(attr, " \t+#%") || strings.EqualFold(attr, "ds-rdata"):
			return nil, false
		case !strings.EqualFold(attr, "nserver"):
			continue
		}
		r, ok := q.server(name, strings.TrimSpace(value))
		if !ok || slices.Contains(list, r) || len(list) == 128 {
			return nil, false
		}
		list = append(list, r)
	}
	return list, len(list) > 0
}

// server returns the record of one name server.
func (q *quickReader) server(owner zone.Name, value string) (zone.Record, bool) {
	r, known := q.hosts[value]
	if !known {
		if strings.ContainsAny(value, " \t#") || strings.EqualFold(strings.TrimSuffix(value, "."), DummyServer) {
			return r, false
		}
		var err error
		if r, err = oneRecord("nserver", owner.File()+" NS "+value, owner); err != nil {
			return r, false
		}
		if q.hosts == nil || len(q.hosts) >= mostHosts {
			q.hosts = map[string]zone.Record{}
		}
		q.hosts[strings.Clone(value)] = r
	}
	if host, ok := r.Data.Host(); !ok || host.Within(owner) {
		return r, false
	}
	r.Name = owner
	return r, true
}
