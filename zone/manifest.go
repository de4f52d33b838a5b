package zone

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"time"
)

// ManifestVersion is the version of spool/manifest.json that this program
// writes. It reads this one and the one before.
const ManifestVersion = 1

// A Manifest is spool/manifest.json: all that zonebuild knows of what zonefetch
// did. Sources and their zones are sorted by name.
type Manifest struct {
	Version int           `json:"version"`
	Run     uint64        `json:"run"`  // grows by one a run of zonefetch
	Time    time.Time     `json:"time"` // start of that run
	Sources []SourceEntry `json:"sources"`
	// Dumps are the whois databases of sources, sorted by source. What builds zones
	// does not look at them.
	Dumps []DumpEntry `json:"dumps,omitempty"`
}

// A DumpEntry is the state of a source's whois database, as a [ZoneEntry] is that
// of a zonelet.
type DumpEntry struct {
	Source   string    `json:"source"`
	Accepted *Accepted `json:"accepted,omitempty"`
	Last     Attempt   `json:"last"`
}

// A SourceEntry is the state of one source. Last is the attempt to list and
// reach the source as a whole.
type SourceEntry struct {
	Name  string      `json:"name"`
	Last  Attempt     `json:"last"`
	Zones []ZoneEntry `json:"zones"`
}

// A ZoneEntry is the state of one zonelet of a source. Accepted is the newest
// version that passed verification, nil if none ever did; it stays when later
// attempts fail.
type ZoneEntry struct {
	Zone     Name      `json:"zone"`
	Accepted *Accepted `json:"accepted,omitempty"`
	Last     Attempt   `json:"last"`
}

// Accepted is a version of a zonelet whose sum and signature were verified. Its
// bytes are the spool object SHA256; those of its seals, if any, are MD5Object
// and SignatureObject, so that anyone can verify them again.
type Accepted struct {
	SHA256          string    `json:"sha256"` // hex
	Size            int64     `json:"size"`
	File            string    `json:"file"` // base name as published
	URL             string    `json:"url"`
	FirstSeen       time.Time `json:"first_seen"`
	LastChecked     time.Time `json:"last_checked"` // last time the source was seen to publish these bytes, verified
	Run             uint64    `json:"run"`          // the run that accepted it
	MD5Object       string    `json:"md5_object,omitempty"`
	SignatureObject string    `json:"signature_object,omitempty"`
	Signer          string    `json:"signer,omitempty"` // fingerprint, upper-case hex, and user id
	SignedAt        time.Time `json:"signed_at,omitzero"`
	Validators      string    `json:"validators,omitempty"` // what a conditional fetch compares; the transport's own form
}

// An Attempt is what happened the last time a source or zonelet was tried.
// MismatchSince is set while a file and its seals do not match, from the first
// run that saw it (the publication race).
type Attempt struct {
	Time          time.Time `json:"time"`
	Outcome       Outcome   `json:"outcome"`
	Reason        string    `json:"reason,omitempty"`
	MismatchSince time.Time `json:"mismatch_since,omitzero"`
}

// An Outcome is one word for how an attempt ended.
type Outcome string

// The outcomes. Kept means that the source failed and its last good version
// stands; Race means a mismatch younger than the source's deadline, which is no
// failure yet; Absent means that there was no good version to keep.
const (
	OutcomeNew       Outcome = "new"
	OutcomeUnchanged Outcome = "unchanged"
	OutcomeRace      Outcome = "race"
	OutcomeKept      Outcome = "kept"
	OutcomeAbsent    Outcome = "absent"
)

// Failed reports whether the outcome makes zonefetch exit 3.
func (o Outcome) Failed() bool { return o == OutcomeKept || o == OutcomeAbsent }

// ObjectPath returns the slash-separated path of an object below the spool.
func ObjectPath(sha256 string) string { return path.Join("objects", sha256) }

// ParseManifest reads spool/manifest.json. It refuses unknown keys, a newer
// version, digests that are not 64 hex digits, files that are no base names,
// and sources and zones named twice.
func ParseManifest(file string, data []byte) (*Manifest, error) {
	var m Manifest
	if err := decodeVersioned(file, data, ManifestVersion, &m); err != nil {
		return nil, err
	}
	sources := map[string]bool{}
	for _, s := range m.Sources {
		if sources[s.Name] {
			return nil, fmt.Errorf("%s: source %.80q stands twice", file, s.Name)
		}
		sources[s.Name] = true
		seen := map[Name]bool{}
		for _, z := range s.Zones {
			if n, err := ParseName(string(z.Zone)); err != nil || n != z.Zone {
				return nil, fmt.Errorf("%s: source %s: zone %.80q is not a canonical name", file, s.Name, z.Zone)
			}
			if seen[z.Zone] {
				return nil, fmt.Errorf("%s: source %s: zone %s stands twice", file, s.Name, z.Zone)
			}
			seen[z.Zone] = true
			if err := z.Accepted.check(); err != nil {
				return nil, fmt.Errorf("%s: source %s: zone %s: %w", file, s.Name, z.Zone, err)
			}
		}
	}
	dumps := map[string]bool{}
	for _, d := range m.Dumps {
		if dumps[d.Source] {
			return nil, fmt.Errorf("%s: the whois database of %.80q stands twice", file, d.Source)
		}
		dumps[d.Source] = true
		if err := d.Accepted.check(); err != nil {
			return nil, fmt.Errorf("%s: whois database of %s: %w", file, d.Source, err)
		}
	}
	return &m, nil
}

// Dump returns the entry of a source's whois database, nil if there is none.
func (m *Manifest) Dump(source string) *DumpEntry {
	for i := range m.Dumps {
		if m.Dumps[i].Source == source {
			return &m.Dumps[i]
		}
	}
	return nil
}

func (a *Accepted) check() error {
	if a == nil {
		return nil
	}
	for _, d := range []string{a.SHA256, a.MD5Object, a.SignatureObject} {
		if err := checkDigest(d); err != nil && (d != "" || d == a.SHA256) {
			return err
		}
	}
	if a.Size < 0 {
		return fmt.Errorf("size %d is negative", a.Size)
	}
	if !baseName(a.File) {
		return fmt.Errorf("file %.80q is not a base name", a.File)
	}
	return nil
}

// checkDigest refuses what is not 64 lower-case hex digits: digests become
// file names.
func checkDigest(d string) error {
	b, err := hex.DecodeString(d)
	if err != nil || len(b) != 32 || hex.EncodeToString(b) != d {
		return fmt.Errorf("digest %.80q is not 64 lower-case hex digits", d)
	}
	return nil
}

// Source returns the entry of a source, nil if there is none.
func (m *Manifest) Source(name string) *SourceEntry {
	for i := range m.Sources {
		if m.Sources[i].Name == name {
			return &m.Sources[i]
		}
	}
	return nil
}

// Zone returns the entry of a zone, nil if there is none.
func (s *SourceEntry) Zone(n Name) *ZoneEntry {
	for i := range s.Zones {
		if s.Zones[i].Zone == n {
			return &s.Zones[i]
		}
	}
	return nil
}

// Encode returns the file's bytes.
func (m *Manifest) Encode() []byte { return encodeJSON(m) }

// EncodeJSON returns v as nirzone writes JSON files: indented, one final newline, no
// HTML escapes. v is a type of our own that always encodes; it panics if not.
func EncodeJSON(v any) []byte { return encodeJSON(v) }

func encodeJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic("zone: encoding " + fmt.Sprintf("%T: %v", v, err)) // our own types always encode
	}
	return b.Bytes()
}

// decodeVersioned reads a JSON file of version 1 to version, strictly.
func decodeVersioned(file string, data []byte, version int, v any) error {
	v0, err := headVersion(data)
	if err != nil {
		return jsonError(file, data, err)
	}
	if v0 > version || v0 < max(1, version-1) {
		return fmt.Errorf("%s: version %d, this program reads version %d; use the nirzone release that wrote it", file, v0, version)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return jsonError(file, data, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%s: something follows the JSON value", file)
	}
	return nil
}

// jsonError says where in the file a mistake is, if the decoder knows.
func jsonError(file string, data []byte, err error) error {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	offset := int64(0)
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &typ):
		offset = typ.Offset
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		offset, err = int64(len(data)), errors.New("unexpected end of JSON input")
	default:
		return fmt.Errorf("%s: %w", file, err)
	}
	before := data[:min(max(offset-1, 0), int64(len(data)))] // the offset is behind the octet that is wrong
	at := Pos{file, 1 + bytes.Count(before, []byte("\n")), len(before) - bytes.LastIndexByte(before, '\n')}
	return fmt.Errorf("%s: %w; was the file cut short or edited?", at, err)
}

// headVersion returns the version of a JSON file. Ours begin with it: then the
// rest, which may be long, is not read here.
func headVersion(data []byte) (int, error) {
	var version int
	if rest, ok := bytes.CutPrefix(data, []byte("{\n  \"version\": ")); ok {
		if n, err := fmt.Sscanf(string(rest[:min(len(rest), 20)]), "%d,\n", &version); n == 1 && err == nil {
			return version, nil
		}
	}
	var head struct {
		Version int `json:"version"`
	}
	err := json.Unmarshal(data, &head)
	return head.Version, err
}
