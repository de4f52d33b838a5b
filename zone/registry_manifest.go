package zone

import (
	"fmt"
	"io/fs"
	"path"
	"time"
)

// RegistryManifestVersion is the version of registry/manifest.json that this
// program writes. It reads this one and the one before.
const RegistryManifestVersion = 1

// A RegistryManifest is registry/manifest.json: what one export of the registry
// consists of, so that a reader notices an export that is half done. Files are
// sorted by name. A registry folder written by hand may do without it.
type RegistryManifest struct {
	Version int            `json:"version"`
	Time    time.Time      `json:"time"`
	Event   uint64         `json:"event"` // the registry's event number at the export
	Files   []RegistryFile `json:"files"`
}

// A RegistryFile is one file of an export: claims, or a zonelet.
type RegistryFile struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// ParseRegistryManifest reads registry/manifest.json. It refuses unknown keys,
// a newer version, digests that are not 64 hex digits and names with a slash.
func ParseRegistryManifest(file string, data []byte) (*RegistryManifest, error) {
	var m RegistryManifest
	if err := decodeVersioned(file, data, RegistryManifestVersion, &m); err != nil {
		return nil, err
	}
	for _, f := range m.Files {
		if !baseName(f.File) {
			return nil, fmt.Errorf("%s: file %.80q is not a base name", file, f.File)
		}
		if err := checkDigest(f.SHA256); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, f.File, err)
		}
	}
	return &m, nil
}

// baseName reports whether a name is that of a file in a folder, and of none
// elsewhere.
func baseName(s string) bool { return s != "." && fs.ValidPath(s) && path.Base(s) == s }

// Encode returns the file's bytes.
func (m *RegistryManifest) Encode() []byte { return encodeJSON(m) }
