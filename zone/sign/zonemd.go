package sign

import (
	"bytes"
	"crypto/sha512"
	"hash"
)

// A transcript is a SHA-384 (RFC 8976, section 3.3) that remembers what it is of.
// ZONEMD has no short cut: it costs the same however little changed. So it is
// computed once, by the signer, and the verifier compares the wire form that it
// found, which for most of a zone is the store's, with what was digested.
type transcript struct {
	h     hash.Hash
	parts [][]byte
}

func newTranscript() *transcript { return &transcript{h: sha512.New384()} }

// write digests a part, which must not be changed after it.
func (t *transcript) write(part []byte) {
	t.h.Write(part)
	t.parts = append(t.parts, part)
}

func (t *transcript) sum() []byte { return t.h.Sum(nil) }

// maxTranscript is how many new signatures a transcript is kept for. Beyond, what
// it holds in memory matters more than the digest.
const maxTranscript = 10000

// keep returns the transcript, or nil if it is not worth its memory.
func (t *transcript) keep(made int) *transcript {
	if made > maxTranscript {
		return nil
	}
	return t
}

// of returns the digest of parts: that of the transcript if it is of the very same
// parts, otherwise a new one. The transcript may be nil.
func (t *transcript) of(parts [][]byte) []byte {
	if t != nil && len(t.parts) == len(parts) {
		same := true
		for i := 0; same && i < len(parts); i++ {
			same = bytes.Equal(t.parts[i], parts[i]) // at once where it is the same memory
		}
		if same {
			return t.sum()
		}
	}
	h := sha512.New384()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}
