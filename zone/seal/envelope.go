package seal

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// MaxSignature is the largest detached signature file, in octets.
const MaxSignature = 64 << 10

// SignatureLimit returns how large the signature file over a file of size
// octets may be, of whatever form: a clear-signed one holds the text itself,
// with CRLF and escapes at worst.
func SignatureLimit(size int64) int64 { return MaxSignature + 2*size }

// maxSignatures is how many signatures of one file are read.
const maxSignatures = 8

// A Form is how a signature file is written.
type Form string

// The forms.
const (
	Detached  Form = "detached"  // ASCII armour (RFC 9580, section 6)
	ClearSign Form = "clearsign" // around the text itself (section 7)
	Binary    Form = "binary"    // bare packets
)

// Types of OpenPGP packets (RFC 9580, section 5).
const (
	tagSignature = 2
	tagSecretKey = 5
	tagPublicKey = 6
	tagSecretSub = 7
	tagMarker    = 10
)

// An envelope is a signature file, opened: its signature packets and the octets
// that they are to be over.
type envelope struct {
	form    Form
	packets []*packet.OpaquePacket
	signed  []byte
}

func malformed(format string, args ...any) *Error {
	return &Error{Kind: Malformed, Msg: fmt.Sprintf(format, args...)}
}

// openEnvelope reads a signature file over data in any form.
func openEnvelope(sig, data []byte) (*envelope, *Error) {
	text := bytes.TrimSpace(sig)
	switch {
	case int64(len(sig)) > SignatureLimit(int64(len(data))):
		return nil, malformed("%d octets are no signature; at most %d are read", len(sig), SignatureLimit(int64(len(data))))
	case len(text) == 0:
		return nil, malformed("empty; want an OpenPGP signature (gpg --armor --detach-sign)")
	case bytes.HasPrefix(text, []byte(beginMark+blockClear)):
		return openClear(sig, data)
	case len(sig) > MaxSignature:
		return nil, malformed("%d octets are no detached signature; at most %d are read", len(sig), MaxSignature)
	case bytes.HasPrefix(text, []byte(beginMark)):
		return openArmoured(sig, data)
	case sig[0]&0x80 != 0: // every packet starts so (RFC 9580, section 4.2)
		e := &envelope{form: Binary, signed: data}
		return e, e.add(sig)
	}
	return nil, malformed("no OpenPGP signature: it starts with %.40q; nothing may stand before it", text)
}

// openArmoured reads one or more blocks of armour.
func openArmoured(sig, data []byte) (*envelope, *Error) {
	blocks, outside, err := armourBlocks(sig)
	if err != nil {
		return nil, err
	}
	if outside != "" {
		return nil, malformed("%.40q stands outside of the signature; nothing may stand before or after it", outside)
	}
	e := &envelope{form: Detached, signed: data}
	for _, b := range blocks {
		if b.kind != blockSig {
			return nil, malformed("holds a PGP %.40q; want a detached signature (gpg --armor --detach-sign)", b.kind)
		}
		if err := e.add(b.octets); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// openClear reads a clear-signed text. The decoder skips what stands before
// the text, so that must be nothing.
func openClear(sig, data []byte) (*envelope, *Error) {
	if !bytes.HasPrefix(sig, []byte(beginMark)) {
		return nil, malformed("something stands before the clear-signed text; nothing may")
	}
	b, rest := clearsign.Decode(sig)
	if b == nil {
		return nil, malformed("not a whole clear-signed text (RFC 9580, section 7)")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, malformed("%.40q stands after the clear-signed text; nothing may", rest)
	}
	if want, got := "PGP "+blockSig, b.ArmoredSignature.Type; got != want {
		return nil, malformed("a clear-signed text ends in a %.40q; want a %s", got, want)
	}
	text, err := clearText(data)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(text, b.Plaintext) {
		return nil, &Error{Kind: BadSignature, Msg: "the clear-signed text is not the file's"}
	}
	packets, rerr := io.ReadAll(b.ArmoredSignature.Body)
	if rerr != nil {
		return nil, malformed("armour: %v", rerr)
	}
	e := &envelope{form: ClearSign, signed: b.Bytes}
	return e, e.add(packets)
}

// clearText returns data as a clear-signed text shows it: LF between lines and
// none at the end. Blanks at the end of a line are refused, for they would not
// be covered.
func clearText(data []byte) ([]byte, *Error) {
	lines := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	for i, l := range lines {
		lines[i] = bytes.TrimSuffix(l, []byte("\r"))
		if n := len(lines[i]); n > 0 && strings.IndexByte(" \t\r", lines[i][n-1]) >= 0 {
			return nil, malformed("line %d of the file ends in blanks, which a clear signature does not cover (RFC 9580, section 7.1); make a detached one", i+1)
		}
	}
	return bytes.Join(lines, []byte("\n")), nil
}

// add takes the signature packets of a stream and refuses any other.
func (e *envelope) add(stream []byte) *Error {
	r := packet.NewOpaqueReader(bytes.NewReader(stream))
	before := len(e.packets)
	for {
		p, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return malformed("reading signature: %v; is it whole?", err)
		}
		switch p.Tag {
		case tagMarker:
			continue
		case tagSignature:
			e.packets = append(e.packets, p)
		default:
			return malformed("holds an OpenPGP packet of type %d, not just signatures; want a detached signature (gpg --armor --detach-sign)", p.Tag)
		}
		if len(e.packets) > maxSignatures {
			return malformed("holds more than %d signatures", maxSignatures)
		}
	}
	if len(e.packets) == before {
		return malformed("holds no signature")
	}
	return nil
}
