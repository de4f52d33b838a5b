package observe

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"slices"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// maxLine bounds a line of a published file, and maxGeneration generation.json.
const (
	maxLine       = 1 << 18
	maxGeneration = 512 << 20
)

// Published is what public/current says of one zone: what its servers should
// answer.
type published struct {
	serial zone.Serial
	apex   []*zone.RRset // SOA, NS, DNSKEY, ZONEMD with their signatures, if they could be read
	sample []delegation
}

// A delegation is what the zone holds at one owner.
type delegation struct {
	owner zone.Name
	ns    *zone.RRset
	ds    *zone.RRset // nil: none
}

// readGeneration returns what is published, nil if nothing is, with its folder.
func readGeneration(fsys publish.FS, root string) (*zone.Generation, string, error) {
	g, err := publish.Tree{Root: root, FS: fsys}.Current()
	if errors.Is(err, publish.ErrNone) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("finding the current generation: %w", err)
	}
	name := filepath.Join(g.Dir, "generation.json")
	info, err := fsys.Stat(name)
	if err != nil {
		return nil, "", fmt.Errorf("reading the current generation: %w", err)
	}
	if info.Size() > maxGeneration {
		return nil, "", fmt.Errorf("reading the current generation: %s has over %d octets", name, maxGeneration)
	}
	data, err := fsys.ReadFile(name)
	if err != nil {
		return nil, "", fmt.Errorf("reading the current generation: %w", err)
	}
	gen, err := zone.ParseGeneration(name, data)
	return gen, g.Dir, err
}

// readPublished reads a published zone file, once through, without holding it in
// memory. Delegations that something was wrong with the last time are in the sample
// again, so that a notice does not close because nobody looked.
func readPublished(dir string, z *zone.GenerationZone, run uint64, sample int, again map[zone.Name]bool) (*published, error) {
	f, err := os.Open(filepath.Join(dir, z.Zone.File()))
	if err != nil {
		return nil, fmt.Errorf("reading the published zone: %w", err)
	}
	defer f.Close()
	p := &published{serial: z.Serial}
	if err := p.read(f, z.Zone, sampler{run: run, zone: z.Zone, size: sample, again: again}); err != nil {
		return nil, fmt.Errorf("reading the published zone %s: %w", z.Zone.File(), err)
	}
	return p, nil
}

func (p *published) read(r io.Reader, z zone.Name, s sampler) error {
	var apex []zone.Record
	in := bufio.NewReaderSize(r, 1<<16)
	for {
		line, err := readLine(in)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		owner, typ := lineHead(line)
		if string(owner) != string(z) {
			s.take(owner, typ, line)
			continue
		}
		switch string(typ) {
		case "SOA", "NS", "DNSKEY", "ZONEMD", "RRSIG":
			r, err := zone.ParseRecord(string(line))
			if err != nil {
				return err
			}
			apex = append(apex, r)
		}
	}
	s.end()
	for _, typ := range apexTypes {
		if set := setOf(apex, z, typ); set != nil {
			p.apex = append(p.apex, set)
		}
	}
	return p.fill(append(s.best, s.kept...))
}

// apexTypes are what is asked of a zone's servers, the SOA first: without it nothing
// else is asked.
var apexTypes = []zone.Type{zone.TypeSOA, zone.TypeNS, zone.TypeDNSKEY, zone.TypeZONEMD}

func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if err == nil {
		return line[:len(line)-1], nil
	}
	if err == io.EOF && len(line) > 0 {
		return line, nil
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	long := slices.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) && len(long) <= maxLine {
		line, err = in.ReadSlice('\n')
		long = append(long, line...)
	}
	if len(long) > maxLine {
		return nil, fmt.Errorf("a line has over %d octets", maxLine)
	}
	if err == io.EOF {
		err = nil
	}
	return bytes.TrimSuffix(long, []byte("\n")), err
}

// lineHead returns owner and type of a line as zonebuild writes it: owner, TTL,
// class, type and data, with tabs between them.
func lineHead(line []byte) (owner, typ []byte) {
	var f [4][]byte
	for i := range f {
		j := bytes.IndexByte(line, '\t')
		if j < 0 {
			if i == 3 {
				f[3] = line
			}
			break
		}
		f[i], line = line[:j], line[j+1:]
	}
	return f[0], f[3]
}

// setOf returns a set of the records with its signatures, nil if it is not there.
func setOf(records []zone.Record, name zone.Name, typ zone.Type) *zone.RRset {
	s := &zone.RRset{Name: name, Type: typ}
	for _, r := range records {
		switch {
		case r.Name != name:
		case r.Type == typ:
			s.TTL = r.TTL
			s.Data = append(s.Data, []byte(r.Data))
		case r.Type == zone.TypeRRSIG && len(r.Data) > 2 && zone.Type(r.Data[0])<<8|zone.Type(r.Data[1]) == typ:
			s.Signatures = append(s.Signatures, []byte(r.Data))
		}
	}
	if len(s.Data) == 0 {
		return nil
	}
	slices.SortFunc(s.Data, bytes.Compare)
	slices.SortFunc(s.Signatures, bytes.Compare)
	return s
}

// A sampler picks the delegations whose hash is lowest, so that every run has
// others and none needs to know how many there are.
type sampler struct {
	run   uint64
	zone  zone.Name
	size  int
	owner string
	lines []string // of the owner: its NS and DS
	best  []sampled
	again map[zone.Name]bool
	kept  []sampled // those of again
}

type sampled struct {
	hash  uint64
	owner string
	lines []string
}

func (s *sampler) take(owner, typ, line []byte) {
	if string(owner) != s.owner {
		s.end()
		s.owner = string(owner)
	}
	if t := string(typ); (s.size > 0 || len(s.again) > 0) && (t == "NS" || t == "DS") {
		s.lines = append(s.lines, string(line))
	}
}

// end judges the owner whose lines have all been read.
func (s *sampler) end() {
	lines := s.lines
	s.lines = nil
	if len(lines) == 0 {
		return
	}
	if s.again[zone.Name(s.owner)] {
		s.kept = append(s.kept, sampled{0, s.owner, lines})
		return
	}
	if s.size == 0 {
		return
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s|%d|%s", s.owner, s.run, s.zone)
	c := sampled{h.Sum64(), s.owner, lines}
	if len(s.best) == s.size && c.hash >= s.best[len(s.best)-1].hash {
		return
	}
	i, _ := slices.BinarySearchFunc(s.best, c, func(a, b sampled) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.owner, b.owner))
	})
	s.best = slices.Insert(s.best, i, c)
	s.best = s.best[:min(len(s.best), s.size)]
}

// fill decodes the sample. What has no NS set is no delegation.
func (p *published) fill(best []sampled) error {
	for _, b := range best {
		var records []zone.Record
		for _, line := range b.lines {
			r, err := zone.ParseRecord(line)
			if err != nil {
				return err
			}
			records = append(records, r)
		}
		d := delegation{owner: records[0].Name}
		d.ns, d.ds = setOf(records, d.owner, zone.TypeNS), setOf(records, d.owner, zone.TypeDS)
		if d.ns != nil {
			p.sample = append(p.sample, d)
		}
	}
	slices.SortFunc(p.sample, func(a, b delegation) int { return a.owner.Compare(b.owner) })
	return nil
}
