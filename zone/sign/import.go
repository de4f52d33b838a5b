package sign

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// Reading the keys of other signers. Their files are often readable by a group
// (named's, knot's), which LoadKeys refuses; here only others are.

const foreignForbidden fs.FileMode = 0o007

// ReadForeign reads the keys of a zone that another signer left in a folder, or
// in a folder in it that is named as the zone:
//
//   - of BIND: K<zone>+<algorithm>+<tag>.key and .private, with .state if named
//     keeps one;
//   - of Knot: <id>.pem, also in a folder keys, with what "keymgr -j <zone> list"
//     said of them in any file *.json (Knot 3.2).
//
// The keys come with the times that the signer noted. Nothing is written: see
// [Fit] and [Import].
func ReadForeign(dir string, name zone.Name) ([]Key, error) {
	var keys []Key
	for _, d := range []string{dir, filepath.Join(dir, name.File())} {
		if _, err := os.Stat(d); d != dir && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		for _, read := range []func(string, zone.Name) ([]Key, error){readBIND, readKnot} {
			found, err := read(d, name)
			if err != nil {
				return nil, fmt.Errorf("reading the keys of %s: %w", name, err)
			}
			keys = append(keys, found...)
		}
	}
	slices.SortFunc(keys, func(a, b Key) int { return cmp.Or(-cmp.Compare(a.Flags, b.Flags), cmp.Compare(a.Tag, b.Tag)) })
	keys = slices.CompactFunc(keys, func(a, b Key) bool { return a.ID == b.ID && bytes.Equal(a.Public, b.Public) })
	return keys, uniqueTags(keys)
}

func listDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	if len(entries) > 100*maxKeyFiles {
		return nil, fmt.Errorf("%s holds %d files, at most %d are read", dir, len(entries), 100*maxKeyFiles)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// readBIND reads the pairs of a zone in a folder of BIND's, which may hold those
// of other zones too.
func readBIND(dir string, name zone.Name) ([]Key, error) {
	names, err := listDir(dir)
	if err != nil {
		return nil, err
	}
	var keys []Key
	for _, n := range names {
		id, ok := strings.CutSuffix(n, ".private")
		if m := idForm.FindStringSubmatch(id); !ok || m == nil || m[1] != string(name) {
			continue
		}
		k, err := readBINDPair(filepath.Join(dir, id), id, name)
		if err != nil {
			return nil, fmt.Errorf("%s.private: %w", filepath.Join(dir, id), err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func readBINDPair(path, id string, name zone.Name) (Key, error) {
	k := Key{ID: id, Zone: name, owner: -1}
	data, _, err := readKeyFile(path+".private", foreignForbidden)
	if err != nil {
		return k, err
	}
	if err := k.takePrivate(data); err != nil {
		return k, err
	}
	if data, _, err = readKeyFile(path+".key", 0); err != nil {
		return k, fmt.Errorf("its .key: %w", err)
	}
	if err := k.matchPublic(data); err != nil {
		return k, fmt.Errorf("its .key: %w", err)
	}
	state, _, err := readKeyFile(path+".state", 0)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return k, fmt.Errorf("its .state: %w", err)
	}
	return k, k.takeState(state)
}

// takeState completes a key's times from what named notes in a .state file, for
// what the .private does not say. "Retired" and "Removed" there are plans of
// dnssec-policy as well as facts, as Inactive and Delete are.
func (k *Key) takeState(data []byte) error {
	fields := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if label, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && !strings.HasPrefix(label, ";") {
			fields[label] = strings.TrimSpace(value)
		}
	}
	for _, f := range []struct {
		label string
		time  *time.Time
	}{
		{"Generated", &k.Timing.Created},
		{"Published", &k.Timing.Publish},
		{"Active", &k.Timing.Active},
		{"Retired", &k.Timing.Retire},
		{"Removed", &k.Timing.Remove},
		{"DSPublish", &k.Timing.DSSeen},
	} {

		word, _, _ := strings.Cut(fields[f.label], " ")
		if word == "" || !f.time.IsZero() {
			continue
		}
		t, err := time.Parse(timeForm, word)
		if err != nil {
			return fmt.Errorf("its .state: %s is not a time such as 20261121000000", f.label)
		}
		*f.time = t
	}
	if k.Flags == FlagsZSK {
		k.Timing.DSSeen = time.Time{}
		if k.Timing.Ready.IsZero() {
			k.Timing.Ready = k.Timing.Active
		}
	}
	k.CSK = k.Flags == FlagsKSK && fields["KSK"] == "yes" && fields["ZSK"] == "yes"
	return nil
}

// A knotKey is what "keymgr -j ZONE list" says of a key (Knot 3.2). Times are
// seconds since 1970, 0 is none.
type knotKey struct {
	Zone       string `json:"zone"`
	ID         string `json:"id"`
	KSK        bool   `json:"ksk"`
	ZSK        bool   `json:"zsk"`
	Tag        int    `json:"tag"`
	Algorithm  int    `json:"algorithm"`
	PublicOnly bool   `json:"public-only"`
	PreActive  int64  `json:"pre-active"`
	Publish    int64  `json:"publish"`
	Ready      int64  `json:"ready"`
	Active     int64  `json:"active"`
	Retire     int64  `json:"retire"`
	PostActive int64  `json:"post-active"`
	Remove     int64  `json:"remove"`
}

// readKnot reads the keys that the lists in a folder name.
func readKnot(dir string, name zone.Name) ([]Key, error) {
	names, err := listDir(dir)
	if err != nil {
		return nil, err
	}
	var keys []Key
	for _, n := range names {
		if !strings.HasSuffix(n, ".json") {
			continue
		}
		list, err := readKnotList(filepath.Join(dir, n))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, n), err)
		}
		for _, e := range list {
			if z, err := zone.ParseName(e.Zone); err != nil || z != name || e.PublicOnly {
				continue
			}
			k, err := e.read(dir, name)
			if err != nil {
				return nil, err
			}
			keys = append(keys, k)
		}
	}
	return keys, nil
}

func readKnotList(path string) ([]knotKey, error) {
	data, _, err := readKeyFile(path, 0)
	if err != nil {
		return nil, err
	}
	var list []knotKey
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("it is not what \"keymgr -j ZONE list\" writes: %w", err)
	}
	return list, nil
}

// read reads the key's PEM file and holds it against the list.
func (e knotKey) read(dir string, name zone.Name) (Key, error) {
	base := filepath.Base(e.ID) + ".pem"
	path := filepath.Join(dir, base)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		path = filepath.Join(dir, "keys", base)
	}
	data, _, err := readKeyFile(path, foreignForbidden)
	if err != nil {
		return Key{}, fmt.Errorf("%s: %w", path, err)
	}
	k, err := e.key(data, name)
	if err != nil {
		return Key{}, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

func (e knotKey) key(data []byte, name zone.Name) (Key, error) {
	k := Key{Zone: name, Algorithm: uint8(e.Algorithm), Flags: FlagsZSK, owner: -1}
	if e.KSK {
		k.Flags, k.CSK = FlagsKSK, e.ZSK
	}
	if err := checkAlgorithm(k.Algorithm); err != nil {
		return k, err
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PRIVATE KEY" {
		return k, errors.New("it holds no private key in PKCS #8 form (RFC 5208)")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return k, errors.New("it holds no private key in PKCS #8 form (RFC 5208)") // the cause may quote it
	}
	s, ok := parsed.(crypto.Signer)
	if !ok {
		return k, fmt.Errorf("it holds a key of type %T, which cannot sign", parsed)
	}
	if k.Public, err = publicBytes(s.Public()); err != nil {
		return k, err
	}
	k.signer = func() crypto.Signer { return s }
	if k.Tag = keyTag(k.rdata()); int(k.Tag) != e.Tag {
		return k, fmt.Errorf("the key in it has tag %d as a %s, the list says %d (RFC 4034, appendix B)", k.Tag, k.Role(), e.Tag)
	}
	k.ID = keyID(string(name), k.Algorithm, k.Tag)
	k.Timing = e.timing()
	return k, nil
}

// timing maps Knot's times. Its KSK signs the DNSKEY set from ready on and is
// active when the parent has its DS; its pre-active and post-active are about
// rolling the algorithm and are judged by what is served.
func (e knotKey) timing() Timing {
	at := func(s int64) time.Time {
		if s <= 0 {
			return time.Time{}
		}
		return time.Unix(s, 0).UTC()
	}
	t := Timing{Created: at(e.Publish), Publish: at(e.Publish), Ready: at(e.Ready), Active: at(e.Active), Retire: at(e.Retire), Remove: at(e.Remove)}
	if e.KSK && e.Ready > 0 {
		t.Active, t.DSSeen = t.Ready, at(e.Active)
	}
	if t.Ready.IsZero() {
		t.Ready = t.Active
	}
	return t
}

// Import writes keys that are not in the zone's folder yet, as pairs with their
// times. It replaces nothing: a key that is there stands with its times, and one
// that is there with other content is an error. The caller holds the lock. A
// crash leaves some keys written; the next Import writes the others.
func Import(fsys publish.FS, dir string, name zone.Name, keys []Key) (written []string, err error) {
	folder := filepath.Join(dir, name.File())
	if err := publish.MkdirAll(fsys, folder, keyDirPerm); err != nil {
		return nil, err
	}
	if _, err := publish.SweepTemp(fsys, folder); err != nil {
		return nil, err
	}
	if _, err := completePairs(fsys, folder, name); err != nil {
		return nil, err
	}
	there, err := LoadKeys(dir, name)
	if err != nil {
		return nil, err
	}
	if err := uniqueTags(slices.Concat(there, slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return k.in(there) }))); err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.in(there) {
			continue
		}
		if err := writePair(fsys, folder, &k); err != nil {
			return written, fmt.Errorf("importing key %s: %w", k.ID, err)
		}
		written = append(written, k.ID)
	}
	return written, nil
}

// LoadInterrupted reads the keys of a zone as [LoadKeys] does, and those too of
// which a crash in [Import] or [Work.Perform] left the private file alone. They are for
// looking at: Import completes the pair before anything signs with it.
func LoadInterrupted(dir string, name zone.Name) ([]Key, error) {
	f, err := scanFolder(filepath.Join(dir, name.File()))
	if err == nil {
		err = checkRoot(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the keys of %s: %w", name, err)
	}
	var keys []Key
	for _, id := range f.ids {
		load := loadPair
		if f.half[id] {
			load = loadPrivate
		}
		k, err := load(f.dir, id, name)
		if err != nil {
			return nil, fmt.Errorf("reading the keys of %s: %w", name, err)
		}
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b Key) int { return cmp.Or(-cmp.Compare(a.Flags, b.Flags), cmp.Compare(a.Tag, b.Tag)) })
	return keys, uniqueTags(keys)
}

// in reports whether the same key is in a list, whatever its times.
func (k Key) in(keys []Key) bool {
	return slices.ContainsFunc(keys, func(o Key) bool { return o.ID == k.ID && bytes.Equal(o.rdata(), k.rdata()) })
}
