package sign

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/miekg/dns"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// A store's file, integers big-endian; what differs from it may stand in a file of
// changes beside it, see store_changes.go:
//
//	magic     "nirzone signature store\n"
//	version   4 octets, storeVersion
//	length    8 octets, of the index
//	index     see store_index.go: the zone, and of every block its key, verdict and
//	          lengths, and the SHA-256 of its data
//	sum       32 octets, SHA-256 of all before
//	seal      2 octets key tag, 2 octets length, and a key's signature of sealText
//	          and the sum, in the form of an RRSIG's
//	data      of the apex and of every block, in the order of the index: its text,
//	          then its wire form; and nothing after that
//
// So the sum covers every bit, through the digests in the index, and the seal says
// that it was made by somebody who may sign the zone: what is published unsigned,
// such as the NS of delegations, rests on a store no less than what is signed.
const (
	storeMagic   = "nirzone signature store\n"
	storeVersion = 1
	storeHead    = len(storeMagic) + 4 + 8
	maxStore     = 4 << 30
)

// sealText begins what a seal signs. No RRSIG is over such data: as the head of
// one, its third octet would be an algorithm that is none (RFC 4034, section 3.1).
const sealText = storeMagic

// OpenStore reads the store of a zone. It always returns one. With an error it is
// an empty one, to be rebuilt by the next [Store.Save], or, if only the file of
// changes was not good, the one without these; the error says what was wrong with
// the file: cut short, changed by a bit, of another zone or version, or sealed by
// none of the keys. A file that is not there is no error.
//
// It is [ReadStore] and [StoreFile.Open].
func OpenStore(fsys publish.FS, file string, name zone.Name, keys []Key) (*Store, error) {
	return ReadStore(fsys, file, name).Open(keys)
}

// A StoreFile is a store's file that was read, with the file of its changes. It can
// be read before the keys are known that both have to be sealed by; until then
// nothing in it can be used.
type StoreFile struct {
	file  string
	zone  zone.Name
	store *Store
	sealed
	err     error
	changes changesFile
}

// ReadStore reads the store of a zone, and checks all of it but the seals
// and the zone.
func ReadStore(fsys publish.FS, file string, name zone.Name) *StoreFile {
	f := &StoreFile{file: file, zone: name}
	if f.sealed, f.err = readSealed(fsys, file, storeMagic); f.err != nil {
		return f
	}
	if f.store, f.err = decodeIndex(f.index, f.data); f.err != nil {
		f.err = fmt.Errorf("its index: %w", f.err)
		return f
	}
	if f.err = checkSums(f.store.all()); f.err == nil {
		f.store.disk = &onDisk{file: file, sum: f.sum, tag: f.tag, blocks: f.store.all(), size: len(f.data)}
		f.changes = readChanges(fsys, f.store)
	}
	return f
}

// Open checks the seals, and returns what [OpenStore] does.
func (f *StoreFile) Open(keys []Key) (*Store, error) {
	err := f.err
	if errors.Is(err, fs.ErrNotExist) {
		return &Store{zone: f.zone}, nil
	}
	if err == nil {
		err = f.checkSeal(keys)
	}
	if err == nil && f.store.zone != f.zone {
		err = fmt.Errorf("it is of the zone %s", f.store.zone)
	}
	if err == nil {
		return f.changes.open(f.store, keys)
	}
	return &Store{zone: f.zone}, fmt.Errorf("reading signature store %s: %w; all signatures are made anew", f.file, err)
}

// A sealed is a file in parts of which the index is as it was written, with the
// seal that says by whom.
type sealed struct {
	index []byte
	sum   digest // of all before it
	tag   uint16
	seal  []byte
	data  []byte
}

// readSealed reads a file and checks everything but the seal and the data.
func readSealed(fsys publish.FS, file, magic string) (s sealed, err error) {
	info, err := fsys.Stat(file)
	if err != nil {
		return s, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxStore {
		return s, fmt.Errorf("it is no file of at most %d octets", int64(maxStore))
	}
	data, err := fsys.ReadFile(file)
	if err != nil {
		return s, err
	}
	return cutSealed(data, magic)
}

func cutSealed(data []byte, magic string) (s sealed, err error) {
	head := len(magic) + 12
	if len(data) < head || string(data[:len(magic)]) != magic {
		return s, errors.New("it is no signature store, or cut short")
	}
	if v := binary.BigEndian.Uint32(data[len(magic):]); v != storeVersion {
		return s, fmt.Errorf("it is of version %d, not %d", v, storeVersion)
	}
	length := binary.BigEndian.Uint64(data[head-8:])
	if length > uint64(len(data)-head) || len(data)-head-int(length) < sha256.Size+4 {
		return s, errors.New("it is cut short")
	}
	end := head + int(length)
	s.index, s.sum = data[head:end], digest(data[end:end+sha256.Size])
	if sha256.Sum256(data[:end]) != s.sum {
		return s, errors.New("its index has another SHA-256 than it was written with")
	}
	return s, s.cutSeal(data[end+sha256.Size:])
}

// cutSeal takes the seal and the data apart.
func (s *sealed) cutSeal(b []byte) error {
	length := int(binary.BigEndian.Uint16(b[2:]))
	s.tag, b = binary.BigEndian.Uint16(b), b[4:]
	if length > len(b) {
		return errors.New("it is cut short")
	}
	s.seal, s.data = b[:length], b[length:]
	return nil
}

// checkSeal holds the seal to the zone's keys.
func (s *sealed) checkSeal(keys []Key) error {
	message := append([]byte(sealText), s.sum[:]...)
	for _, k := range keys {
		if k.Tag == s.tag && k.verifies(message, s.seal) {
			return nil
		}
	}
	return fmt.Errorf("it is not sealed by a key of the zone: its seal claims the key tag %d", s.tag)
}

// verifies reports whether sig is the key's signature of a message.
func (k Key) verifies(message, sig []byte) bool {
	p, err := newPublicKey(&dns.DNSKEY{Flags: k.Flags, Protocol: 3, Algorithm: k.Algorithm, PublicKey: base64.StdEncoding.EncodeToString(k.Public)})
	return err == nil && p.verify(message, sig)
}

// checkSums holds blocks to their digests.
func checkSums(list []*block) error {
	bad := make([]bool, len(list))
	shares(len(list), func(from, to int) {
		for i := from; i < to; i++ {
			bad[i] = list[i].digest() != list[i].sum
		}
	})
	for i := range bad {
		if bad[i] {
			return fmt.Errorf("its block %d has another SHA-256 than it was written with", i)
		}
	}
	return nil
}

// Save writes the store, sealed by one of the zone's keys that can sign at now,
// if it differs from the one that was opened: what changed into a file beside it,
// as long as that is little, and else the whole. It replaces a file in one step,
// with mode 0600, but without waiting for the disk: a power loss may leave a torn
// file, which OpenStore refuses. A crash leaves the old store or the new one, and
// either is right for any generation, as what is found in it has the digest of
// what is asked for.
func (st *Store) Save(fsys publish.FS, file string, keys []Key, now time.Time) (written bool, err error) {
	if st.unchanged() {
		return false, nil
	}
	st.sums()
	if index, fresh, few := st.changes(file, sealer(keys, now)); few {
		err = saveSealed(fsys, ChangesName(file), changesMagic, index, fresh, keys, now)
	} else if err = saveSealed(fsys, file, storeMagic, st.encodeIndex(), st.all(), keys, now); err == nil {
		// A crash here, or a file that cannot be removed, leaves the changes of another
		// store, which nobody takes: the store is written, whatever becomes of them.
		_ = fsys.Remove(ChangesName(file))
	}
	if err != nil {
		return false, fmt.Errorf("writing signature store %s: %w", file, err)
	}
	return true, nil
}

func saveSealed(fsys publish.FS, file, magic string, index []byte, blocks []*block, keys []Key, now time.Time) error {
	head, err := sealedHead(magic, index, keys, now)
	if err != nil {
		return err
	}
	return publish.WriteCache(fsys, file, 0o600, func(w io.Writer) error { return writeSealed(w, head, blocks) })
}

// sealedHead returns all that comes before the data.
func sealedHead(magic string, index []byte, keys []Key, now time.Time) ([]byte, error) {
	b := make([]byte, 0, len(magic)+len(index)+1024)
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint32(b, storeVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(len(index)))
	b = append(b, index...)
	sum := sha256.Sum256(b)
	tag, seal, err := makeSeal(sum, keys, now)
	b = append(b, sum[:]...)
	b = binary.BigEndian.AppendUint16(b, tag)
	b = binary.BigEndian.AppendUint16(b, uint16(len(seal)))
	return append(b, seal...), err
}

// makeSeal signs with the key that sealer returns.
func makeSeal(sum digest, keys []Key, now time.Time) (tag uint16, seal []byte, err error) {
	best := sealer(keys, now)
	if best == nil {
		return 0, nil, errors.New("no key is active to seal it")
	}
	s, err := newWireSigner(*best)
	if err != nil {
		return 0, nil, err
	}
	seal, err = s.sign(nil, append([]byte(sealText), sum[:]...))
	return best.Tag, seal, err
}

// sealer returns the key that will be there longest: the one that became active
// last, of those that sign the zone if there are such; nil if none is active.
func sealer(keys []Key, now time.Time) (best *Key) {
	for i := range keys {
		k := &keys[i]
		if !k.published(now) || !reached(k.Timing.Active, now) || k.Signer() == nil {
			continue
		}
		if best == nil || k.Flags < best.Flags || k.Flags == best.Flags && k.Timing.Active.After(best.Timing.Active) {
			best = k
		}
	}
	return best
}

// writeSealed writes a file. Blocks that came from one file and stay neighbours are
// written at once.
func writeSealed(out io.Writer, head []byte, blocks []*block) error {
	w := bufio.NewWriterSize(out, 1<<20)
	w.Write(head) // errors stay until Flush
	var run []byte
	for _, b := range blocks {
		switch {
		case b.data == nil:
			w.Write(run)
			run = nil
			w.Write(b.text)
			w.Write(b.wire)
		case len(run) > 0 && len(b.data) > 0 && cap(run) >= len(run)+len(b.data) && &run[:len(run)+1][len(run)] == &b.data[0]:
			run = run[:len(run)+len(b.data)]
		default:
			w.Write(run)
			run = b.data
		}
	}
	w.Write(run)
	return w.Flush()
}
