package nir

import (
	"crypto/md5" //nolint:gosec // the form that registries publish beside a file (policy APNIC-103, appendix)
	"fmt"
	"time"
)

// An ExportFile is a file of an export: its name, without a folder, and its bytes.
type ExportFile struct {
	Name string
	Data []byte
}

// A Signer makes the signature that is published beside a file, armoured: as
// [nirzone/zone/seal] does. The same arguments give the same signature.
type Signer interface {
	Sign(data []byte, at time.Time) ([]byte, error)
}

// seals returns the .md5 of a file, in BSD form, and the .asc if there is a signer.
func seals(f ExportFile, s Signer, at time.Time) ([]ExportFile, error) {
	list := []ExportFile{{f.Name + ".md5", fmt.Appendf(nil, "MD5 (%s) = %x\n", f.Name, md5.Sum(f.Data))}}
	if s == nil {
		return list, nil
	}
	sig, err := s.Sign(f.Data, at)
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", f.Name, err)
	}
	return append(list, ExportFile{f.Name + ".asc", sig}), nil
}
