package sign

import (
	"errors"

	"nirzone/zone"
)

// LoadKeys reads the keys of a zone from <dir>/<zone file name>, sorted by role
// (KSK first) and tag. A missing folder holds no keys. It refuses private files
// that group or others may read or write, symbolic links, pairs that do not
// belong together or are half there, algorithms other than 8, 13 and 15 (RFC
// 8624, section 3.1), and two keys with one tag.
func LoadKeys(dir string, name zone.Name) ([]Key, error) {
	return nil, errors.New("not yet")
}

// Notices returns what staff should know of keys that were loaded: files owned
// by somebody else.
func Notices(keys []Key) []zone.Notice { return nil }
