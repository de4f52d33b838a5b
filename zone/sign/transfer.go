package sign

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nirzone/zone/publish"
)

// Import copies the keys of the zone from a folder of BIND's into its own: pairs
// of .key and .private, with .state if there is one. csk says that keys with the
// flags 257 sign the zone too, if no .state says what they are for. Keys that are
// in use by ev keep their times; the others count as spare ones, which Plan
// publishes when their turn comes. Keys that are there already are left as they
// are. It returns what it copied as steps, or, if dry, would copy; the folder
// itself is not changed.
func (w *Work) Import(from string, csk bool, ev Evidence, dry bool) ([]Step, error) {
	keys, err := w.readPairs(from, csk)
	if err != nil {
		return nil, fmt.Errorf("importing keys of %s: %w", w.Zone, err)
	}
	if !dry {
		if _, err := w.Recover(); err != nil {
			return nil, err
		}
	}
	have, err := LoadKeys(w.Dir, w.Zone)
	if err != nil {
		return nil, err
	}
	var done []Step
	for i := range keys {
		k := &keys[i]
		if slices.ContainsFunc(have, func(h Key) bool { return h.Digest() == k.Digest() }) {
			continue
		}
		if !tagFree(*k, have) {
			return done, fmt.Errorf("importing key %s: another key of the zone has its tag, now or once revoked (RFC 4034, appendix B)", k.ID)
		}
		why := "with its times"
		if ev.Published != nil && findRecord(ev.Published.Keys, k) == nil {
			k.Timing, why = Timing{Created: k.Timing.Created}, "as a spare key, which the next roll takes instead of a new one"
		}
		s := Step{Zone: w.Zone, Action: ActionMake, Flags: k.Flags, CSK: k.CSK, Algorithm: k.Algorithm, Key: k.ID, Timing: k.Timing, Why: why, New: k}
		if dry {
			have = append(have, *k)
		} else if s, have, err = w.Perform(have, s); err != nil {
			return done, err
		}
		done = append(done, s)
	}
	return done, nil
}

// readPairs reads the zone's keys in a folder that may hold those of others.
func (w *Work) readPairs(dir string, csk bool) ([]Key, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	if len(entries) > 100*maxKeyFiles {
		return nil, fmt.Errorf("%s holds %d files, at most %d are read", dir, len(entries), 100*maxKeyFiles)
	}
	var keys []Key
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ".private")
		if m := idForm.FindStringSubmatch(id); !ok || m == nil || m[1] != string(w.Zone) {
			continue
		}
		k, err := loadPair(dir, id, w.Zone)
		if err != nil {
			return nil, err
		}
		if _, err := os.Lstat(filepath.Join(dir, id+".state")); os.IsNotExist(err) {
			k.CSK = csk && k.Flags == FlagsKSK
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s holds no pair of files K%s+ALGORITHM+TAG.key and .private", dir, w.Zone)
	}
	return keys, uniqueTags(keys)
}

// Export writes the zone's keys that are not removed into a folder, with state
// files, as BIND takes them. The folder is made 0700, the files 0600; files that
// are there already are not replaced.
func (w *Work) Export(to string, keys []Key) ([]Key, error) {
	if err := publish.MkdirAll(w.FS, to, keyDirPerm); err != nil {
		return nil, fmt.Errorf("exporting keys of %s: %w", w.Zone, err)
	}
	var done []Key
	for i := range keys {
		k := &keys[i]
		if !k.Timing.Remove.IsZero() {
			continue
		}
		err := writePair(w.FS, to, k)
		if err == nil && !k.CSK {
			err = publish.WriteFile(w.FS, filepath.Join(to, k.ID+".state"), k.encodeState(), keyFilePerm)
		}
		if err != nil {
			return done, fmt.Errorf("exporting key %s: %w", k.ID, err)
		}
		done = append(done, *k)
	}
	return done, nil
}
