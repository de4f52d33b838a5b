package sign

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

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

// Draw makes the key pair of a step that makes one, with a tag that no other key
// of the zone has.
func Draw(s Step, keys []Key, random io.Reader) (Key, error) {
	for range makeAttempts {
		signer, err := generate(s.Algorithm, random)
		if err != nil {
			return Key{}, err
		}
		public, err := publicBytes(signer.Public())
		if err != nil {
			return Key{}, err
		}
		k := Key{Zone: s.Zone, Algorithm: s.Algorithm, Flags: s.Flags, CSK: s.CSK, Public: public, Timing: s.Timing, owner: -1}
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

// writePair writes the files of a new key. The private one comes before the
// public one, which can be made from it again; before both comes the state file,
// which alone says whether a key is a CSK.
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
	if k.CSK {
		if err := publish.WriteFile(fsys, base+".state", k.encodeState(), keyFilePerm); err != nil {
			return err
		}
	}
	// A crash here leaves a state file, which nobody reads without its key.
	if err := publish.WriteFile(fsys, base+".private", private, keyFilePerm); err != nil {
		return err
	}
	// A crash here leaves half a pair: LoadKeys refuses it, completePairs ends it.
	return publish.WriteFile(fsys, base+".key", k.encodePublic(), keyFilePerm)
}

// rewrite writes the files of a key with its times as they are now, the private
// one first: its times count.
func rewrite(fsys publish.FS, dir string, k *Key) error {
	private, err := k.encodePrivate()
	if err != nil {
		return err
	}
	base := filepath.Join(dir, k.ID)
	if err := publish.WriteFile(fsys, base+".private", private, keyFilePerm); err != nil {
		return err
	}
	return refresh(fsys, dir, k)
}

// refresh brings the times in the other files of a key to those of the private
// one, if a crash or another program left them behind.
func refresh(fsys publish.FS, dir string, k *Key) error {
	base := filepath.Join(dir, k.ID)
	if k.commented(base + ".key") {
		if err := publish.WriteFile(fsys, base+".key", k.encodePublic(), keyFilePerm); err != nil {
			return err
		}
	}
	if k.stated(base + ".state") {
		return publish.WriteFile(fsys, base+".state", k.encodeState(), keyFilePerm)
	}
	return nil
}
