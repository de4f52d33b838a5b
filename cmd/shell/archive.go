package shell

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"nirzone/zone"
)

// maxObject bounds one input.
const maxObject = 1 << 30

// Archive returns the reader of inputs by digest: the spool's objects, then the
// copies of the registry's files that zonebuild keeps in state/inputs. It
// refuses bytes that do not have the digest they are named by.
func Archive(c *zone.Config) zone.Archive {
	return func(sum string) ([]byte, error) {
		name := filepath.Join(c.Spool, zone.ObjectPath(sum))
		data, err := ReadFile(name, maxObject)
		if errors.Is(err, fs.ErrNotExist) {
			name = filepath.Join(c.State, "inputs", sum)
			data, err = ReadFile(name, maxObject)
		}
		if err != nil {
			return nil, err
		}
		if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
			return nil, fmt.Errorf("%s does not have the digest it is named by; restore it from a backup", name)
		}
		return data, nil
	}
}
