package observe

import (
	"time"

	"nirzone/zone"
)

// ReportVersion is the version of the report's JSON form.
const ReportVersion = 1

// A Report is what one run saw: one struct, rendered as text, as JSON and as
// metrics. Zones are sorted by name, without the sets themselves.
type Report struct {
	Version    int                 `json:"version"`
	Run        uint64              `json:"run"`
	Time       time.Time           `json:"time"`
	Config     string              `json:"config"` // SHA-256
	Generation uint64              `json:"generation,omitempty"`
	DryRun     bool                `json:"dry_run,omitempty"`
	Recorded   bool                `json:"recorded"`
	Cancelled  bool                `json:"cancelled,omitempty"`
	Error      string              `json:"error,omitempty"` // why nothing was recorded
	Seconds    float64             `json:"seconds"`
	Questions  int64               `json:"questions"`
	Zones      []zone.ObservedZone `json:"zones"`
	Notices    []zone.Notice       `json:"notices"`
	Notes      []string            `json:"notes,omitempty"` // what hindered the run
	Off        []string            `json:"off,omitempty"`   // what does not work for want of configuration; nothing is wrong by it
}

// describe fills in what was seen of the zones that were looked at.
func (r *Report) describe(c *zone.Config, o *zone.Observations, zones []zone.Name, questions int64) {
	r.Run, r.Generation, r.Questions = o.Run, o.Generation, questions
	looked := *o
	looked.Zones = nil
	for _, name := range zones {
		if z := o.Zone(name); z != nil {
			looked.Zones = append(looked.Zones, *z)
		}
	}
	r.Notices = looked.Notices(c, r.Time)
	for _, z := range looked.Zones {
		z.Published, z.Servers, z.Delegation = nil, withoutSets(z.Servers), withoutSets(z.Delegation)
		r.Zones = append(r.Zones, z)
	}
}

func withoutSets(list []zone.Observation) []zone.Observation {
	out := make([]zone.Observation, len(list))
	for i, o := range list {
		o.Sets = nil
		out[i] = o
	}
	return out
}

func (r *Report) finish(err error, took time.Duration) {
	r.Seconds = took.Seconds()
	if r.Zones == nil {
		r.Zones = []zone.ObservedZone{}
	}
	if r.Notices == nil {
		r.Notices = []zone.Notice{}
	}
	if err != nil {
		r.Error = err.Error()
	}
}

// Differs reports whether somebody has to look: some server is not as it should be,
// or could not be asked. It is exit code 3.
func (r *Report) Differs() bool {
	for _, n := range r.Notices {
		if n.Severity >= zone.Warning {
			return true
		}
	}
	return len(r.Notes) > 0
}

// Encode returns the report as JSON, indented, with a final newline.
func (r *Report) Encode() []byte { return zone.EncodeJSON(r) }
