package nirtest

import (
	"bytes"
	"encoding/json"
	"errors"

	"nirzone/nir"
	"nirzone/zone"
)

// canary is in every text that the machine says and that is not public: why,
// justifications, questions, how registries number their members and requests.
const canary = "canary"

// checkPublic: P16. No canary is in what is published: claims, zones, statistics,
// answers of whois.
func (k *machine) checkPublic(v *nir.View) error {
	files := map[string][]byte{}
	x, err := v.Export(nir.ExportOptions{Zones: []zone.Name{"1.in-addr.arpa.", "0.0.4.2.ip6.arpa."}})
	if err != nil {
		return err
	}
	list := x.Registry
	for _, more := range x.NIRs {
		list = append(list, more...)
	}
	stats, err := v.Statistics(nir.StatisticsOptions{Day: k.at})
	list = append(list, stats...)
	for _, f := range list {
		files[f.Name] = f.Data
	}
	for kind := range kinds {
		for _, d := range k.m.dels[kind] {
			w, err := v.WhoisCovering(cellRange(kind, d.first, d.first))
			if err != nil {
				return errors.Join(err, errors.New("P16: what is delegated has no answer"))
			}
			public, err := nir.Public(&w)
			if err != nil {
				return err
			}
			text, err := json.Marshal(public)
			if err != nil {
				return err
			}
			files["whois of "+w.Key] = text
		}
	}
	for name, text := range files {
		if i := bytes.Index(text, []byte(canary)); i >= 0 {
			k.t.Fatalf("P16: %s publishes %q", name, text[max(0, i-40):min(len(text), i+40)])
		}
	}
	return err
}
