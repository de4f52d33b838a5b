package sign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

const timeForm = "20060102150405" // RFC 4034, section 3.2

// keyID returns the base name of a key's files, as dnssec-keygen makes it.
func keyID(zone string, alg uint8, tag uint16) string {
	return fmt.Sprintf("K%s+%03d+%05d", zone, alg, tag)
}

// timingFields are the lines of a private file for the times of a key. Ready
// has no line of its own in BIND's format: a KSK's is SyncPublish.
func (k *Key) timingFields() []timingField {
	f := []timingField{
		{"Created", &k.Timing.Created},
		{"Publish", &k.Timing.Publish},
		{"Activate", &k.Timing.Active},
		{"Inactive", &k.Timing.Retire},
		{"Delete", &k.Timing.Remove},
	}
	if k.Flags == FlagsKSK {
		f = append(f,
			timingField{"DSPublish", &k.Timing.DSSeen},
			timingField{"SyncPublish", &k.Timing.Ready},
			timingField{"SyncDelete", &k.Timing.Unsync})
	}
	return f
}

type timingField struct {
	label string
	time  *time.Time
}

// encodePublic returns the .key file: the DNSKEY record below comments as
// dnssec-keygen writes them.
func (k *Key) encodePublic() []byte {
	var b bytes.Buffer
	kind := map[string]string{"KSK": "key-signing", "ZSK": "zone-signing", "CSK": "key-signing"}[k.Role()]
	fmt.Fprintf(&b, "; This is a %s key, keyid %d, for %s\n", kind, k.Tag, k.Zone)
	for _, f := range k.timingFields() {
		if !f.time.IsZero() {
			fmt.Fprintf(&b, "; %s: %s\n", f.label, f.time.UTC().Format(timeForm))
		}
	}
	fmt.Fprintf(&b, "%s IN DNSKEY %d 3 %d %s\n", k.Zone, k.Flags, k.Algorithm, base64.StdEncoding.EncodeToString(k.Public))
	return b.Bytes()
}

// encodePrivate returns the .private file, format v1.3. The caller writes it
// 0600 and shows it to nobody.
func (k *Key) encodePrivate() ([]byte, error) {
	var b bytes.Buffer
	field := func(label string, v []byte) {
		fmt.Fprintf(&b, "%s: %s\n", label, base64.StdEncoding.EncodeToString(v))
	}
	fmt.Fprintf(&b, "Private-key-format: v1.3\nAlgorithm: %d (%s)\n", k.Algorithm, algorithmNames[k.Algorithm])
	switch s := k.Signer().(type) {
	case *ecdsa.PrivateKey:
		d, err := s.Bytes()
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.ID, err)
		}
		field("PrivateKey", d)
	case ed25519.PrivateKey:
		field("PrivateKey", s.Seed())
	case *rsa.PrivateKey:
		s.Precompute()
		field("Modulus", s.N.Bytes())
		field("PublicExponent", big.NewInt(int64(s.E)).Bytes())
		field("PrivateExponent", s.D.Bytes())
		field("Prime1", s.Primes[0].Bytes())
		field("Prime2", s.Primes[1].Bytes())
		field("Exponent1", s.Precomputed.Dp.Bytes())
		field("Exponent2", s.Precomputed.Dq.Bytes())
		field("Coefficient", s.Precomputed.Qinv.Bytes())
	default:
		return nil, fmt.Errorf("key %s: a key of type %T cannot be written to a file", k.ID, s)
	}
	for _, f := range k.timingFields() {
		if !f.time.IsZero() {
			fmt.Fprintf(&b, "%s: %s\n", f.label, f.time.UTC().Format(timeForm))
		}
	}
	return b.Bytes(), nil
}

// A privateFile is the content of a .private file by label. Its values must not
// reach an error message.
type privateFile map[string]string

func parsePrivate(data []byte) (privateFile, error) {
	f := privateFile{}
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == ';' {
			continue
		}
		label, value, ok := strings.Cut(line, ":")
		if _, twice := f[label]; !ok || twice {
			return nil, fmt.Errorf("line %d: not \"Label: value\", or a label that stands twice", i+1)
		}
		f[label] = strings.TrimSpace(value)
	}
	if v := f["Private-key-format"]; v != "v1.2" && v != "v1.3" {
		return nil, errors.New(`it does not begin with "Private-key-format: v1.3" (or v1.2)`)
	}
	return f, nil
}

// algorithm returns the number from "13 (ECDSAP256SHA256)".
func (f privateFile) algorithm() (uint8, error) {
	number, _, _ := strings.Cut(f["Algorithm"], " ")
	alg, err := strconv.ParseUint(number, 10, 8)
	if err != nil {
		return 0, errors.New(`it has no "Algorithm: NUMBER (NAME)"`)
	}
	return uint8(alg), checkAlgorithm(uint8(alg))
}

// bytes decodes a field, without repeating it in the error.
func (f privateFile) bytes(label string) ([]byte, error) {
	v, err := base64.StdEncoding.DecodeString(f[label])
	if err != nil || len(v) == 0 {
		return nil, fmt.Errorf("its %s is missing or not base64", label)
	}
	return v, nil
}

// signer returns the private key with the public half derived from it.
func (f privateFile) signer(alg uint8) (crypto.Signer, error) {
	if alg == algRSA {
		return f.rsa()
	}
	d, err := f.bytes("PrivateKey")
	if err != nil {
		return nil, err
	}
	if len(d) > 32 || alg == algEd25519 && len(d) != 32 {
		return nil, fmt.Errorf("its PrivateKey has %d octets, 32 are right for algorithm %d", len(d), alg)
	}
	if alg == algEd25519 {
		return ed25519.NewKeyFromSeed(d), nil
	}
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), append(make([]byte, 32-len(d)), d...))
	if err != nil {
		return nil, errors.New("its PrivateKey is no scalar of P-256 (RFC 6605, section 4)")
	}
	return k, nil
}

func (f privateFile) rsa() (crypto.Signer, error) {
	v := map[string]*big.Int{}
	for _, label := range [...]string{"Modulus", "PublicExponent", "PrivateExponent", "Prime1", "Prime2"} {
		b, err := f.bytes(label)
		if err != nil {
			return nil, err
		}
		v[label] = new(big.Int).SetBytes(b)
	}
	if n := v["Modulus"].BitLen(); n < rsaBits || n > 4096 || !v["PublicExponent"].IsInt64() {
		return nil, fmt.Errorf("its modulus has %d bits, %d to 4096 are allowed", n, rsaBits)
	}
	k := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: v["Modulus"], E: int(v["PublicExponent"].Int64())},
		D:         v["PrivateExponent"], Primes: []*big.Int{v["Prime1"], v["Prime2"]},
	}
	if err := k.Validate(); err != nil {
		return nil, fmt.Errorf("its numbers do not belong together: %w", err)
	}
	k.Precompute()
	return k, nil
}

// timing fills in the key's times.
func (f privateFile) timing(k *Key) error {
	for _, field := range k.timingFields() {
		v := f[field.label]
		if v == "" {
			continue
		}
		t, err := time.Parse(timeForm, v)
		if err != nil {
			return fmt.Errorf("its %s is not a time such as 20261121000000", field.label)
		}
		*field.time = t
	}
	if k.Flags == FlagsZSK {
		k.Timing.Ready = k.Timing.Active
	}
	return nil
}
