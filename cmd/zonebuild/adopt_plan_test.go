package main

import (
	"strings"
	"testing"

	"nirzone/zone"
)

// keyData is a DNSKEY's data; its tag follows from the last octet.
func keyData(last byte) zone.Data { return zone.Data([]byte{1, 0, 3, 13, 0, last}) }

func servedKeys(last ...byte) *zone.Served {
	s := &zone.Served{Origin: zoneA}
	for _, l := range last {
		s.Records = append(s.Records, zone.Record{Name: zoneA, Type: zone.TypeDNSKEY, Data: keyData(l)})
	}
	return s
}

func signedBy(s *zone.Served, keys, zones int, last ...byte) *zone.Served {
	for _, l := range last {
		id := servedKeys(l).KeyTags()[0]
		s.Signatures.By = append(s.Signatures.By, zone.ServedSigner{Tag: uint16(id), Algorithm: 13, Keys: keys, Zone: zones})
		s.Signatures.Count++
	}
	return s
}

func TestCheckSigners(t *testing.T) {
	for name, tt := range map[string]struct {
		served, ours *zone.Served
		want         string
	}{
		"the same":            {signedBy(servedKeys(1, 2), 1, 0, 1), signedBy(servedKeys(1, 2), 1, 0, 1), ""},
		"another ZSK of both": {signedBy(servedKeys(1, 2), 0, 9, 1), signedBy(servedKeys(1, 2), 0, 9, 2), ""},
		"unsigned before":     {servedKeys(), signedBy(servedKeys(1, 2), 1, 9, 1), ""},
		"an unknown signer":   {signedBy(servedKeys(1), 1, 0, 1), signedBy(servedKeys(1, 2), 1, 1, 1, 2), "would sign and is not in the served DNSKEY set"},
		"a signer leaves":     {signedBy(servedKeys(1, 2), 0, 9, 1, 2), signedBy(servedKeys(1), 0, 9, 1), "would leave the DNSKEY set"},
		"a KSK signs no more": {signedBy(servedKeys(1, 2), 1, 0, 1, 2), signedBy(servedKeys(1, 2), 1, 0, 1), "although the parent's DS may name it"},
	} {
		var z adoptZone
		z.checkSigners(tt.served, tt.ours)
		if all := strings.Join(z.Blocks, "\n"); (all == "") != (tt.want == "") || !strings.Contains(all, tt.want) {
			t.Errorf("%s: %q, want %q", name, all, tt.want)
		}
	}
}
