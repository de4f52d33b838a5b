package nir

// A TracedDomain is a domain object that is kept here, and the event that wrote it
// as it is: by it the registry itself delegates a name.
type TracedDomain struct {
	Key      string      `json:"key"`
	Source   string      `json:"source"`
	Manager  string      `json:"manager"` // code of the NIR, or the regional registry's
	State    string      `json:"state"`
	Recorded TracedEvent `json:"recorded,omitzero"`
}

// TraceDomain returns the domain object of a name, without the final dot; nil if
// none is kept here. Who wrote it is left out for who may not see that.
func (v *View) TraceDomain(who Actor, key string) (*TracedDomain, error) {
	w, err := v.kept("domain", key)
	if err != nil || w == nil {
		return nil, err
	}
	d := &TracedDomain{Key: w.Key, Source: w.Source, Manager: v.registryName(w.NIR), State: w.State}
	if who.sees(w.NIR) {
		d.Recorded, err = v.tracedEvent(w.Since)
	}
	return d, err
}
