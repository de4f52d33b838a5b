package sign

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
)

const (
	keyDirPerm  fs.FileMode = 0o700
	keyFilePerm fs.FileMode = 0o600

	// makeAttempts bounds the search for a free key tag. With 100 keys a tag
	// is taken once in 160 times; this many in a row is a broken random source.
	makeAttempts = 100
)

// Init gives every zone the keys that [Plan] finds missing and returns the steps
// taken, also with an error. It never replaces a file, makes files 0600 and
// folders 0700, and keeps tags unique over all keys of the zone, with and
// without the revoke bit (RFC 5011). Keys come from random, except RSA keys,
// which the standard library draws from the system. The caller holds the lock.
func Init(fsys publish.FS, dir string, zones []zone.Name, p zone.SigningConfig, now time.Time, random io.Reader) ([]Step, error) {
	var done []Step
	for _, name := range zones {
		steps, err := initZone(fsys, dir, name, p, now, random)
		done = append(done, steps...)
		if err != nil {
			return done, fmt.Errorf("making keys of %s: %w", name, err)
		}
	}
	return done, nil
}

func initZone(fsys publish.FS, dir string, name zone.Name, p zone.SigningConfig, now time.Time, random io.Reader) ([]Step, error) {
	folder := filepath.Join(dir, name.File())
	if err := publish.MkdirAll(fsys, folder, keyDirPerm); err != nil {
		return nil, err
	}
	// A temporary file of a crashed run holds a key that nobody ever used.
	if _, err := publish.SweepTemp(fsys, folder); err != nil {
		return nil, err
	}
	// A pair that is there may be in the page cache only: the run that made it may
	// have been killed before it synced the folder.
	if err := fsys.SyncDir(folder); err != nil {
		return nil, err
	}
	done, err := completePairs(fsys, folder, name)
	if err != nil {
		return done, err
	}
	keys, err := LoadKeys(dir, name)
	if err != nil {
		return done, err
	}
	for _, s := range Plan(keys, Policy{SigningConfig: p}, Evidence{}, name, now) {
		k, err := makeKey(s, keys, now, random)
		if err == nil {
			err = writePair(fsys, folder, &k)
		}
		if err != nil {
			return done, err
		}
		s.Key = k.ID
		keys, done = append(keys, k), append(done, s)
	}
	return done, nil
}

// completePairs writes the .key that a crash in writePair left out.
func completePairs(fsys publish.FS, dir string, name zone.Name) ([]Step, error) {
	var done []Step
	f, err := scanFolder(dir)
	if err != nil {
		return nil, err
	}
	for _, id := range f.ids {
		if !f.half[id] {
			continue
		}
		k, err := loadPrivate(dir, id, name)
		if err != nil {
			return done, fmt.Errorf("%s.private, which has no .key: %w", filepath.Join(dir, id), err)
		}
		if err := publish.WriteFile(fsys, filepath.Join(dir, id+".key"), k.encodePublic(), keyFilePerm); err != nil {
			return done, err
		}
		done = append(done, Step{Zone: name, Action: ActionComplete, Flags: k.Flags, Algorithm: k.Algorithm, Key: id, Why: "its .key was not written before a crash"})
	}
	return done, nil
}

// makeKey draws a key that is published, ready and active at once: right for a
// zone without keys, which no cache has yet.
func makeKey(s Step, keys []Key, now time.Time, random io.Reader) (Key, error) {
	t := now.UTC().Truncate(time.Second)
	for range makeAttempts {
		signer, err := generate(s.Algorithm, random)
		if err != nil {
			return Key{}, err
		}
		public, err := publicBytes(signer.Public())
		if err != nil {
			return Key{}, err
		}
		k := Key{Zone: s.Zone, Algorithm: s.Algorithm, Flags: s.Flags, Public: public, owner: -1}
		k.Timing = Timing{Created: t, Publish: t, Ready: t, Active: t}
		k.signer = func() crypto.Signer { return signer }
		k.Tag = keyTag(k.rdata())
		k.ID = keyID(string(s.Zone), k.Algorithm, k.Tag)
		if tagFree(k, keys) {
			return k, nil
		}
	}
	return Key{}, fmt.Errorf("%d keys in a row had tags that are taken: the random source repeats itself", makeAttempts)
}

// tagFree reports whether the key can be told from all others by its tag, now
// and after any of them is revoked (RFC 5011, section 2.1).
func tagFree(k Key, keys []Key) bool {
	taken := map[uint16]bool{}
	for _, o := range keys {
		taken[o.Tag], taken[o.revokedTag()] = true, true
	}
	return !taken[k.Tag] && !taken[k.revokedTag()]
}

func (k Key) revokedTag() uint16 {
	return keyTag(keyData(k.Flags|flagRevoke, k.Algorithm, k.Public))
}

// writePair writes both files of a key, the private one first: from it the
// other can be made again.
func writePair(fsys publish.FS, dir string, k *Key) error {
	private, err := k.encodePrivate()
	if err != nil {
		return err
	}
	base := filepath.Join(dir, k.ID)
	for _, suffix := range [...]string{".private", ".key"} {
		if _, err := fsys.Stat(base + suffix); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s%s is already there: %w", base, suffix, fs.ErrExist)
		}
	}
	if err := publish.WriteFile(fsys, base+".private", private, keyFilePerm); err != nil {
		return err
	}
	// A crash here leaves half a pair: LoadKeys refuses it, completePairs ends it.
	return publish.WriteFile(fsys, base+".key", k.encodePublic(), keyFilePerm)
}
