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
// refuses bytes that do not have the digest they are named by, and takes the
// other copy if there is one.
func Archive(c *zone.Config) zone.Archive {
	return func(sum string) ([]byte, error) {
		var bad error
		for _, name := range []string{filepath.Join(c.Spool, zone.ObjectPath(sum)), filepath.Join(c.State, "inputs", sum)} {
			data, err := readObject(name, sum)
			if err == nil {
				return data, nil
			}
			if !errors.Is(err, fs.ErrNotExist) && bad == nil {
				bad = err
			}
		}
		if bad == nil {
			bad = fmt.Errorf("input %s is neither in %s nor in %s; restore it from a backup: %w", sum, filepath.Join(c.Spool, "objects"), filepath.Join(c.State, "inputs"), fs.ErrNotExist)
		}
		return nil, bad
	}
}

func readObject(name, sum string) ([]byte, error) {
	data, err := ReadFile(name, maxObject)
	if err != nil {
		return nil, err
	}
	if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
		return nil, fmt.Errorf("%s does not have the digest it is named by; restore it from a backup", name)
	}
	return data, nil
}
