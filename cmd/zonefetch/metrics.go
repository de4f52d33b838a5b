package main

import (
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/fetch"
)

const successHelp = "1 if the run was recorded and no source failed."

// writeMetrics writes zonefetch.prom, for a failed run too: then the ages tell how
// long it has been so.
func writeMetrics(c *zone.Config, r *fetch.Report, code int) error {
	m := shell.NewMetrics("zonefetch")
	m.Finish(code, r.Time, time.Duration(r.Seconds*float64(time.Second)))
	m.Set("success", successHelp, truth(code == 0))
	m.Set("recorded", "1 if the run was recorded in the spool.", truth(r.Recorded))
	m.Set("run", "Number of the run.", float64(r.Run))
	m.Set("pruned_objects", "Objects that were removed from the spool.", float64(r.Pruned))
	for i := range r.Sources {
		sourceMetrics(m, &r.Sources[i], r.Time)
	}
	return m.Write(c.Metrics)
}

func sourceMetrics(m *shell.Metrics, s *fetch.SourceReport, now time.Time) {
	label := []string{"source", s.Name}
	m.Set("source_success", "1 if the source was reached and none of its zonelets failed.", truth(!s.Failed()), label...)
	m.Set("source_received_bytes", "Octets received from the source.", float64(s.Received), label...)
	m.Set("source_duration_seconds", "How long the source took.", s.Seconds, label...)
	m.Set("source_retries", "Tries after the first.", float64(s.Retries), label...)
	if !s.KeyEnd.IsZero() {
		m.Set("source_key_expiry_days", "Days until no key of the source's keyring counts any more.", s.KeyEnd.Sub(now).Hours()/24, label...)
	}
	for i, n := range counts(s) {
		m.Set("source_zonelets", "Zonelets by outcome.", float64(n), "source", s.Name, "outcome", string(outcomes[i]))
	}
	var oldest time.Time
	for _, z := range s.Zones {
		if !z.Checked.IsZero() && (oldest.IsZero() || z.Checked.Before(oldest)) {
			oldest = z.Checked
		}
	}
	if !oldest.IsZero() {
		m.Set("source_age_seconds", "Time since the source's oldest accepted zonelet was last seen and verified.", now.Sub(oldest).Seconds(), label...)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
