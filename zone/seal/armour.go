package seal

import (
	"bytes"
	"io"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

const (
	beginMark  = "-----BEGIN PGP "
	endMark    = "-----END PGP "
	lineMark   = "-----"
	blockSig   = "SIGNATURE"
	blockClear = "SIGNED MESSAGE"
)

// A block is one block of armour, decoded.
type block struct {
	kind   string // what follows "PGP " in its first line
	octets []byte
}

// armourBlocks finds the blocks of armour in a file and returns the first text
// outside of them, if any. A block without its last line is an error: the
// library would take what is there for the whole.
func armourBlocks(data []byte) (blocks []block, outside string, err *Error) {
	var start, end int
	inside := ""
	for end < len(data) {
		begin := end
		end = len(data)
		if i := bytes.IndexByte(data[begin:], '\n'); i >= 0 {
			end = begin + i + 1
		}
		line := strings.TrimSpace(string(data[begin:end]))
		switch {
		case inside == "" && isMark(line, beginMark):
			inside, start = strings.TrimSuffix(strings.TrimPrefix(line, beginMark), lineMark), begin
		case inside == "":
			if outside == "" {
				outside = line
			}
		case line == endMark+inside+lineMark:
			b, err := armour(inside, data[start:end])
			if err != nil {
				return nil, "", err
			}
			blocks, inside = append(blocks, b), ""
		case strings.HasPrefix(line, lineMark):
			return nil, "", malformed("%.60q inside of a PGP %.40q", line, inside)
		}
	}
	if inside != "" {
		return nil, "", malformed("the PGP %.40q has no end line; is the file whole?", inside)
	}
	return blocks, outside, nil
}

func isMark(line, mark string) bool {
	return strings.HasPrefix(line, mark) && strings.HasSuffix(line, lineMark) && len(line) > len(mark)+len(lineMark)
}

// armour decodes one block. Its checksum is not looked at, as RFC 9580, section
// 6.1, has it: what is inside vouches for itself.
func armour(kind string, data []byte) (block, *Error) {
	b, err := armor.Decode(bytes.NewReader(data))
	if err != nil {
		return block{}, malformed("PGP %.40q: no armour inside (RFC 9580, section 6.2)", kind)
	}
	octets, err := io.ReadAll(b.Body)
	if err != nil {
		return block{}, malformed("PGP %.40q: %v (RFC 9580, section 6)", kind, err)
	}
	return block{kind, octets}, nil
}
