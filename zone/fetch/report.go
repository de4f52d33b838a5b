package fetch

import (
	"time"

	"nirzone/zone"
)

// ReportVersion is the version of the report's JSON form.
const ReportVersion = 1

// A Report is what one run did: one struct, rendered as a table, as JSON and as
// metrics. Sources and zones are sorted by name; durations are in seconds.
type Report struct {
	Version      int            `json:"version"`
	Run          uint64         `json:"run"`
	Time         time.Time      `json:"time"`
	Config       string         `json:"config"` // SHA-256
	DryRun       bool           `json:"dry_run,omitempty"`
	Recorded     bool           `json:"recorded"` // the manifest was written
	Cancelled    bool           `json:"cancelled,omitempty"`
	Error        string         `json:"error,omitempty"` // why nothing was recorded
	Seconds      float64        `json:"seconds"`
	Pruned       int            `json:"pruned"`
	PruneSkipped string         `json:"prune_skipped,omitempty"`
	Sources      []SourceReport `json:"sources"`
	Notices      []zone.Notice  `json:"notices"`
}

// A SourceReport is one source of a run, or its whois database, as SOURCE/whois. Received and Sent are octets on the wire;
// with a configured rsync program, what it says.
type SourceReport struct {
	Name     string       `json:"name"`
	URL      string       `json:"url"`
	Outcome  zone.Outcome `json:"outcome"` // of reaching it; "cancelled" if the run was stopped meanwhile
	Reason   string       `json:"reason,omitempty"`
	Received int64        `json:"received"`
	Sent     int64        `json:"sent"`
	Retries  int          `json:"retries"`
	Seconds  float64      `json:"seconds"`
	// KeyEnd is when the last usable key of its keyring stops to count.
	KeyEnd time.Time    `json:"key_end,omitzero"`
	Zones  []ZoneReport `json:"zones"`
}

// outcomeCancelled is only in reports: the manifest keeps what the run before found.
const outcomeCancelled zone.Outcome = "cancelled"

// A ZoneReport is one zonelet of a run. Transferred counts the octets of the file
// and its seals that could not be taken from the spool. Checked is when its accepted
// version was last seen and verified.
type ZoneReport struct {
	Zone        zone.Name    `json:"zone,omitempty"` // none of a whois database
	File        string       `json:"file"`
	Outcome     zone.Outcome `json:"outcome"`
	Reason      string       `json:"reason,omitempty"`
	Since       time.Time    `json:"mismatch_since,omitzero"`
	SHA256      string       `json:"sha256,omitempty"` // of the accepted version
	Size        int64        `json:"size,omitempty"`
	Signer      string       `json:"signer,omitempty"`
	Transferred int64        `json:"transferred"`
	Checked     time.Time    `json:"last_checked,omitzero"`
}

// Failed reports whether some source kept its old version or has none: exit code 3.
// A race younger than its deadline is no failure.
func (r *Report) Failed() bool {
	for _, s := range r.Sources {
		if s.Failed() {
			return true
		}
	}
	return false
}

// Failed reports whether the source or one of its zonelets failed.
func (s *SourceReport) Failed() bool {
	if s.Outcome.Failed() || s.Outcome == outcomeCancelled {
		return true
	}
	for _, z := range s.Zones {
		if z.Outcome.Failed() {
			return true
		}
	}
	return false
}

// Encode returns the report as JSON, indented, with a final newline.
func (r *Report) Encode() []byte { return zone.EncodeJSON(r) }

func zoneReport(j job, e zone.ZoneEntry, obs observation) ZoneReport {
	z := ZoneReport{Zone: j.zone, File: j.file, Outcome: e.Last.Outcome, Reason: e.Last.Reason, Since: e.Last.MismatchSince, Transferred: obs.moved}
	if a := e.Accepted; a != nil {
		z.SHA256, z.Size, z.Signer, z.Checked = a.SHA256, a.Size, a.Signer, a.LastChecked
	}
	return z
}

// add fills in the sources that ran.
func (r *Report) add(results []sourceResult) {
	for _, res := range results {
		s := SourceReport{
			Name: res.entry.Name, URL: res.url, Outcome: res.entry.Last.Outcome, Reason: res.entry.Last.Reason,
			Received: res.received, Sent: res.sent, Retries: res.retries, Seconds: res.duration.Seconds(), KeyEnd: res.keyEnd, Zones: res.zones,
		}
		if res.cancelled {
			s.Outcome, s.Reason = outcomeCancelled, "the run was interrupted; what was accepted before stands"
		}
		if s.Zones == nil {
			s.Zones = []ZoneReport{}
		}
		r.Sources = append(r.Sources, s)
		r.Notices = append(r.Notices, res.notices...)
	}
	zone.SortNotices(r.Notices)
}

func (r *Report) finish(err error, took time.Duration) {
	r.Seconds = took.Seconds()
	if r.Sources == nil {
		r.Sources = []SourceReport{}
	}
	if r.Notices == nil {
		r.Notices = []zone.Notice{}
	}
	if err != nil {
		r.Error = err.Error()
	}
}
