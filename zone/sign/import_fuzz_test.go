package sign

import "testing"

// FuzzBIND: what a private file says is written and read back as the same, and
// what a .state file adds leaves a ZSK without a DS.
func FuzzBIND(f *testing.F) {
	for _, alg := range []uint8{algECDSA, algEd25519, algRSA} {
		for _, k := range testKeys(f, testName, alg) {
			private, err := k.encodePrivate()
			must(f, err)
			f.Add(private, k.encodeState())
		}
	}
	f.Add([]byte("Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: AQ==\nPublish: 20261121000000\n"), []byte("KSK: yes\nZSK: yes\n"))
	f.Fuzz(func(t *testing.T, private, state []byte) {
		for _, flags := range []uint16{FlagsKSK, FlagsZSK} {
			k := Key{ID: idOf(private, flags), Zone: testName, owner: -1}
			if k.ID == "" || k.takePrivate(private) != nil {
				continue
			}
			text, err := k.encodePrivate()
			must(t, err)
			again := Key{ID: k.ID, Zone: testName, owner: -1}
			if err := again.takePrivate(text); err != nil || again.Timing != k.Timing || again.Digest() != k.Digest() {
				t.Errorf("%+v, read back %+v, %v", k, again, err)
			}
			if k.takeState(state) == nil && flags == FlagsZSK && (k.CSK || !k.Timing.DSSeen.IsZero()) {
				t.Errorf("a ZSK with a DS: %+v", k)
			}
		}
	})
}

// idOf returns the ID that a private file is to have, "" if it holds no key.
func idOf(private []byte, flags uint16) string {
	f, err := parsePrivate(private)
	if err != nil {
		return ""
	}
	alg, err := f.algorithm()
	if err != nil {
		return ""
	}
	s, err := f.signer(alg)
	if err != nil {
		return ""
	}
	public, err := publicBytes(s.Public())
	if err != nil {
		return ""
	}
	return keyID(string(testName), alg, keyTag(keyData(flags, alg, public)))
}
