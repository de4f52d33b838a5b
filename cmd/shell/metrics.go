package shell

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics collects gauges and writes them as a Prometheus textfile for the node
// exporter. A batch run writes it also when it fails: a missing sample says
// less than a bad one.
type Metrics struct {
	program string
	reg     *prometheus.Registry
	gauges  map[string]*prometheus.GaugeVec
}

// NewMetrics returns an empty collection. Every name gets the prefix
// "nirzone_<program>_".
func NewMetrics(program string) *Metrics {
	return &Metrics{program: program, reg: prometheus.NewRegistry(), gauges: map[string]*prometheus.GaugeVec{}}
}

// Set gives a gauge its value. Labels are pairs of name and value; the same
// gauge has the same label names in every call.
func (m *Metrics) Set(name, help string, value float64, labels ...string) {
	var names, values []string
	for i := 0; i+1 < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	g := m.gauges[name]
	if g == nil {
		g = prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "nirzone", Subsystem: m.program, Name: name, Help: help}, names)
		m.reg.MustRegister(g)
		m.gauges[name] = g
	}
	g.WithLabelValues(values...).Set(value)
}

// Finish records how and when a run ended. The time of the last success is
// carried over by the caller's own state, not by this file.
func (m *Metrics) Finish(code int, now time.Time, took time.Duration) {
	m.Set("exit_code", "Exit code of the last run.", float64(code))
	m.Set("last_run_timestamp_seconds", "When the last run started.", float64(now.Unix()))
	m.Set("duration_seconds", "How long the last run took.", took.Seconds())
}

// Write replaces dir/<program>.prom. It does nothing if dir is empty.
func (m *Metrics) Write(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing metrics: %w", err)
	}
	if err := prometheus.WriteToTextfile(filepath.Join(dir, m.program+".prom"), m.reg); err != nil {
		return fmt.Errorf("writing metrics: %w", err)
	}
	return nil
}
