package zone

import "time"

// SecurityConfig is where vulnerabilities are to be reported: the fields of
// security.txt (RFC 9116), as package nir judges them.
type SecurityConfig struct {
	Contact         []string // URIs; none: there is no security.txt
	Encryption      []string
	Acknowledgments []string
	Policy          []string
	Hiring          []string
	Canonical       []string
	Languages       []string
	ValidFor        time.Duration
}

type rawSecurity struct {
	Contact         []string `toml:"contact"`
	Encryption      []string `toml:"encryption"`
	Acknowledgments []string `toml:"acknowledgments"`
	Policy          []string `toml:"policy"`
	Hiring          []string `toml:"hiring"`
	Canonical       []string `toml:"canonical"`
	Languages       []string `toml:"languages"`
	ValidFor        string   `toml:"valid_for"`
}

func (p *configParser) security(r *rawSecurity) SecurityConfig {
	return SecurityConfig{
		Contact: r.Contact, Encryption: r.Encryption, Acknowledgments: r.Acknowledgments, Policy: r.Policy, Hiring: r.Hiring,
		Canonical: r.Canonical, Languages: r.Languages,
		ValidFor: p.duration("nirctl.security.valid_for", r.ValidFor, 48*time.Hour),
	}
}
