package sign

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"
)

// stateFields are the lines of a .state file for the times of a key.
func (k *Key) stateFields() []timingField {
	f := []timingField{
		{"Generated", &k.Timing.Created},
		{"Published", &k.Timing.Publish},
		{"Active", &k.Timing.Active},
		{"Retired", &k.Timing.Retire},
		{"Removed", &k.Timing.Remove},
	}
	if k.Flags == FlagsKSK {
		f = append(f,
			timingField{"DSPublish", &k.Timing.DSSeen},
			timingField{"PublishCDS", &k.Timing.Ready},
			timingField{"DeleteCDS", &k.Timing.Unsync})
	}
	return f
}

// encodeState returns the .state file, in which BIND keeps what a key is for. It
// leaves out how far a key is known to resolvers: BIND finds that from the times.
func (k *Key) encodeState() []byte {
	yes := map[bool]string{true: "yes", false: "no"}
	bits := map[uint8]int{algRSA: 8 * (len(k.Public) - 4), algECDSA: 256, algEd25519: 256}[k.Algorithm]
	var b bytes.Buffer
	fmt.Fprintf(&b, "; This is the state of key %d, for %s\n", k.Tag, k.Zone)
	fmt.Fprintf(&b, "Algorithm: %d\nLength: %d\nLifetime: 0\n", k.Algorithm, bits)
	fmt.Fprintf(&b, "KSK: %s\nZSK: %s\n", yes[k.SignsKeys()], yes[k.SignsZone()])
	for _, f := range k.stateFields() {
		if !f.time.IsZero() {
			t := f.time.UTC()
			fmt.Fprintf(&b, "%s: %s (%s)\n", f.label, t.Format(timeForm), t.Format(time.ANSIC))
		}
	}
	return b.Bytes()
}

// readRole learns from the .state file beside a key, if there is one, whether it
// is a CSK.
func (k *Key) readRole(dir string) error {
	data, _, err := readKeyFile(filepath.Join(dir, k.ID+".state"), 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s.state: %w", filepath.Join(dir, k.ID), err)
	}
	v := labels(data, "")
	if v["KSK"] == "" || v["ZSK"] == "" {
		return fmt.Errorf("%s.state: it does not say KSK: and ZSK: yes or no; restore it, or remove it if the key is no CSK", filepath.Join(dir, k.ID))
	}
	k.CSK = k.Flags == FlagsKSK && v["KSK"] == "yes" && v["ZSK"] == "yes"
	k.stale = differ(v, k.stateFields())
	return nil
}

// commented reports whether the comments of a .key file show other times than the
// key has. A file that shows none is left as it is.
func (k *Key) commented(path string) bool {
	data, _, err := readKeyFile(path, 0)
	return err == nil && differ(labels(data, "; "), k.timingFields())
}

// stated reports the same of a .state file. None counts as one of other times for
// a CSK only, which needs it.
func (k *Key) stated(path string) bool {
	data, _, err := readKeyFile(path, 0)
	if err != nil {
		return k.CSK && errors.Is(err, fs.ErrNotExist)
	}
	return differ(labels(data, ""), k.stateFields())
}

// labels returns the first word of every line "Label: value" that begins with
// prefix.
func labels(data []byte, prefix string) map[string]string {
	v := map[string]string{}
	for line := range strings.Lines(string(data)) {
		rest, ok := strings.CutPrefix(line, prefix)
		label, value, found := strings.Cut(rest, ": ")
		if f := strings.Fields(value); ok && found && len(f) > 0 {
			v[label] = f[0]
		}
	}
	return v
}

// differ reports whether the times of a file are not those of the fields. Having
// none is no difference.
func differ(have map[string]string, fields []timingField) bool {
	if have[fields[0].label] == "" {
		return false
	}
	for _, f := range fields {
		want := ""
		if !f.time.IsZero() {
			want = f.time.UTC().Format(timeForm)
		}
		if have[f.label] != want {
			return true
		}
	}
	return false
}
