package sign

import (
	"bytes"
	"cmp"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"nirzone/zone"
)

// LoadKeys reads the keys of a zone from <dir>/<zone file name>, sorted by role
// (KSK first) and tag. A missing folder holds no keys. It refuses private files
// that group or others may read or write, symbolic links, pairs that do not
// belong together or are half there, algorithms other than 8, 13 and 15 (RFC
// 8624, section 3.1), and two keys with one tag.
func LoadKeys(dir string, name zone.Name) ([]Key, error) {
	f, err := scanFolder(filepath.Join(dir, name.File()))
	if err == nil {
		err = checkRoot(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the keys of %s: %w", name, err)
	}
	var keys []Key
	for _, id := range f.ids {
		if !f.half[id] {
			k, err := loadPair(f.dir, id, name)
			if err != nil {
				return nil, fmt.Errorf("reading the keys of %s: %w", name, err)
			}
			keys = append(keys, k)
			continue
		}
		return nil, fmt.Errorf("reading the keys of %s: %s.private has no .key beside it; zonebuild keys init completes the pair", name, filepath.Join(f.dir, id))
	}
	slices.SortFunc(keys, func(a, b Key) int {
		return cmp.Or(-cmp.Compare(a.Flags, b.Flags), cmp.Compare(a.Tag, b.Tag))
	})
	return keys, uniqueTags(keys)
}

// uniqueTags refuses two keys with one tag: a validator may take the wrong one
// (RFC 4034, appendix B), and a signer did.
func uniqueTags(keys []Key) error {
	seen := map[uint16]string{}
	for _, k := range keys {
		if other, ok := seen[k.Tag]; ok {
			return fmt.Errorf("keys %s and %s of %s have one key tag, %d; take one of them away (RFC 4034, appendix B)", other, k.ID, k.Zone, k.Tag)
		}
		seen[k.Tag] = k.ID
	}
	return nil
}

// loadPair reads both files of a key and holds them against each other.
func loadPair(dir, id string, name zone.Name) (Key, error) {
	path := filepath.Join(dir, id)
	k, err := loadPrivate(dir, id, name)
	if err != nil {
		return k, fmt.Errorf("%s.private: %w", path, err)
	}
	data, _, err := readKeyFile(path+".key", 0)
	if err != nil {
		return k, fmt.Errorf("%s.key: %w", path, err)
	}
	if err := k.matchPublic(data); err != nil {
		return k, fmt.Errorf("%s.key: %w", path, err)
	}
	k.stale = k.stale || differ(labels(data, "; "), k.timingFields())
	return k, nil
}

var idForm = regexp.MustCompile(`^K(.+)\+(\d{3})\+(\d{5})$`)

// loadPrivate reads a private file of our own folder, and the key's role.
func loadPrivate(dir, id string, name zone.Name) (Key, error) {
	k := Key{ID: id, Zone: name, owner: -1}
	data, uid, err := readKeyFile(filepath.Join(dir, id+".private"), 0o077)
	if err != nil {
		return k, err
	}
	if uid != os.Geteuid() {
		k.owner = uid
	}
	if err := k.takePrivate(data); err != nil {
		return k, err
	}
	return k, k.readRole(dir)
}

// takePrivate takes the content of a private file. All of the key follows from it
// and the ID: the public half is derived, and the flags are those that give the tag.
func (k *Key) takePrivate(data []byte) error {
	f, err := parsePrivate(data)
	if err != nil {
		return err
	}
	if k.Algorithm, err = f.algorithm(); err != nil {
		return err
	}
	s, err := f.signer(k.Algorithm)
	if err != nil {
		return err
	}
	return k.adopt(f, s)
}

// adopt takes the private half and its times, and derives all else from it and
// the ID.
func (k *Key) adopt(f privateFile, s crypto.Signer) error {
	m := idForm.FindStringSubmatch(k.ID)
	if m == nil || m[1] != string(k.Zone) || m[2] != fmt.Sprintf("%03d", k.Algorithm) {
		return fmt.Errorf("its name is not K%s+%03d+TAG, as it should be for its zone and algorithm", k.Zone, k.Algorithm)
	}
	public, err := publicBytes(s.Public())
	if err != nil {
		return err
	}
	k.Public, k.signer = public, func() crypto.Signer { return s }
	for _, flags := range [...]uint16{FlagsKSK, FlagsZSK} {
		k.Flags, k.Tag = flags, keyTag(keyData(flags, k.Algorithm, public))
		if m[3] == fmt.Sprintf("%05d", k.Tag) {
			return f.timing(k)
		}
	}
	return fmt.Errorf("the key in it has not the tag %s, neither as KSK nor as ZSK (RFC 4034, appendix B)", m[3])
}

// matchPublic holds a .key file against the key derived from its .private.
func (k *Key) matchPublic(data []byte) error {
	p := dns.NewZoneParser(bytes.NewReader(data), "", "")
	p.SetDefaultTTL(0) // BIND writes none
	rr, ok := p.Next()
	d, isKey := rr.(*dns.DNSKEY)
	if !ok || !isKey {
		return errors.New("it does not hold a DNSKEY record")
	}
	if _, more := p.Next(); more || p.Err() != nil {
		return errors.New("something follows the DNSKEY record")
	}
	if !strings.EqualFold(d.Hdr.Name, string(k.Zone)) {
		return fmt.Errorf("its DNSKEY is of %s, not of %s", d.Hdr.Name, k.Zone)
	}
	public, err := base64.StdEncoding.DecodeString(d.PublicKey)
	if err != nil || d.Protocol != 3 || string(keyData(d.Flags, d.Algorithm, public)) != string(k.rdata()) {
		return errors.New("its DNSKEY is not the public half of the .private beside it; restore the pair from a backup")
	}
	return nil
}

// Notices returns what staff should know of keys that were loaded: private
// files that belong to somebody else, who can change their permissions.
func Notices(keys []Key) []zone.Notice {
	var ns []zone.Notice
	for _, k := range keys {
		if k.owner >= 0 && k.signer != nil {
			ns = append(ns, zone.Notice{
				Code: "key-owner", Severity: zone.Warning, Zone: k.Zone, Pos: zone.Pos{File: k.ID + ".private"},
				Text: fmt.Sprintf("the private key file belongs to user %d, not to user %d who signs with it; chown it", k.owner, os.Geteuid()),
			})
		}
	}
	return ns
}
