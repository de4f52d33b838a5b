package nir

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"nirzone/nir/inr"
	"nirzone/nir/stats"
)

// An importPlan is what an import would do: which delegations end, are written
// anew, or are new. It is made of the file and of one state of the registry.
type importPlan struct {
	Import
	x       *Tx
	file    *Statistics
	end     []Delegation
	put     []Delegation // with the identifier of the one that changes
	add     []Delegation
	members *importMembers
	space   *foreignPlan // of another registry's file
	counts  map[countKey]*ImportCount
	bad     stats.Mistakes
	codes   map[string]NIR // that economies map to
	pools   []Pool         // by kind and first
	touched inr.Builder    // what the delegations above are of
}

type countKey struct {
	nir, economy string
	kind         inr.Kind
}

func (p *importPlan) count(nir, economy string, k inr.Kind) *ImportCount {
	key := countKey{nir, economy, k}
	c := p.counts[key]
	if c == nil {
		c = &ImportCount{NIR: nir, Economy: economy, Kind: k}
		p.counts[key] = c
	}
	return c
}

// fail notes a mistake. It returns false, the answer of the checks that use it.
func (p *importPlan) fail(line int, format string, args ...any) bool {
	p.bad.Add(maxMistakes, p.file.File, line, format, args...)
	return false
}

// planImport compares a file with the registry. The error is all that is wrong,
// unless the import is partial.
func (x *Tx) planImport(f *Statistics, o ImportOptions) (*importPlan, error) {
	p := &importPlan{x: x, file: f, counts: map[countKey]*ImportCount{}, bad: f.mistakes, codes: map[string]NIR{}}
	p.bad.List = slices.Clone(p.bad.List)
	p.Import = Import{
		File: f.File, SHA256: f.SHA256, Registry: f.Header.Registry, Serial: f.Header.Serial, Source: o.Source, NIRs: o.NIRs,
		Partial: o.Partial, Made: x.Actor.At,
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	var err error
	if p.pools, err = x.Pools(); err == nil && o.Source != "" {
		err = p.planForeign()
	} else if err == nil {
		err = p.planOwn()
	}
	if err != nil {
		return nil, err
	}
	p.LeftOut = p.bad.Len()
	if err := p.bad.Err(); err != nil {
		if !o.Partial {
			return nil, &importMistakes{p.bad}
		}
		p.Mistakes = err
	}
	for _, c := range p.counts {
		p.Counts = append(p.Counts, *c)
	}
	sortCounts(p.Counts)
	return p, nil
}

// importMistakes are the mistakes of a file as an [Error] of this package.
type importMistakes struct{ stats.Mistakes }

// Unwrap makes [CodeOf] answer Invalid.
func (m *importMistakes) Unwrap() []error {
	return []error{invalid("file", "nothing was imported").remedy("mend the file, or import what is right in it with --partial"), &m.Mistakes}
}

// check refuses options that cannot be meant.
func (p *importPlan) check() error {
	var m mistakes
	own := p.Registry == p.x.Rules.statistics()
	switch {
	case p.Registry == "": // the file's own mistakes say why
	case p.Registry == "nro":
		m.add(invalid("file", "%s is the statistics of all registries in one", p.File).remedy("import each registry's own file"))
	case p.Source == "" && !own:
		m.add(invalid("source", "%s is the statistics of %s", p.File, p.Registry).remedy("say under which name it stands in claims: --source NAME"))
	case p.Source != "" && own:
		m.add(invalid("source", "%s is this registry's own statistics, not those of %s", p.File, p.Source))
	}
	switch {
	case p.Source == "":
	case !codeForm.MatchString(p.Source):
		m.add(invalid("source", "%.40q is no name of a registry: capital letters and digits", p.Source))
	case p.Source == p.x.Rules.RIR:
		m.add(invalid("source", "%s is this registry, and no other", p.Source))
	case len(p.NIRs) > 0:
		m.add(invalid("source", "what %s manages is of no NIR here: --source or --economy-of, not both", p.Source))
	}
	for _, economy := range sortedKeys(p.NIRs) {
		m.add(checkEconomy("economy_of", economy))
		if p.NIRs[economy] == p.x.Rules.RIR {
			continue // said to be of direct members
		}
		n, err := p.x.NIR(p.NIRs[economy])
		m.add(err)
		p.codes[n.Code] = n
	}
	if p.Source == "" {
		m.add(p.unsaid())
	}
	return m.err()
}

// unsaid refuses records of an NIR's economy of which the options do not say who
// manages them: they would come to be of direct members, and nobody would have said
// so.
func (p *importPlan) unsaid() error {
	list, err := p.x.NIRs()
	if err != nil {
		return err
	}
	all := maps.Clone(p.NIRs)
	if all == nil {
		all = map[string]string{}
	}
	count := map[string]int{}
	for i := range p.file.records {
		count[p.file.records[i].Economy]++
	}
	var unsaid []NIR
	for _, n := range list {
		if _, said := p.NIRs[n.Economy]; !said && count[n.Economy] > 0 && n.State != Left {
			all[n.Economy] = n.Code
			unsaid = append(unsaid, n)
		}
	}
	command := "nirctl import stats " + p.File
	for _, economy := range sortedKeys(all) {
		command += " --economy-of " + economy + "=" + all[economy]
	}
	var m mistakes
	for _, n := range unsaid {
		m.add(invalid("economy_of", "%s is the economy of %s, and records of %s are of it (%d): say who manages them; %s=%s, if they are of direct members",
			n.Economy, n.Code, p.File, count[n.Economy], n.Economy, p.x.Rules.RIR).remedy(command))
	}
	return m.err()
}

// changes counts what the import would write.
func (p *importPlan) changes() int {
	n := len(p.end) + len(p.put) + len(p.add)
	if p.space != nil {
		n += len(p.space.end) + len(p.space.add)
	}
	return n
}

// opaque is what statistics call a holder of whom they are to say nothing else.
func opaque(id string) string {
	sum := sha256.Sum256([]byte("nirzone opaque-id " + id))
	return hex.EncodeToString(sum[:5])
}

// handle is what statistics call a member.
func (m *Member) handle() string {
	if m.Opaque != "" {
		return m.Opaque
	}
	return opaque(m.ID)
}

// importMembers are the members by what statistics call them, and those that an
// import adds. The registry that manages a member is part of the key: an NIR's
// members and direct members are apart.
type importMembers struct {
	known map[[2]string]string // nir and opaque-id to member
	add   []Member
	join  []Membership
}

func (x *Tx) importMembers() (*importMembers, error) {
	m := &importMembers{known: map[[2]string]string{}}
	handles := map[string]string{}
	err := members.each(x.View, "id <> ''", nil, func(r *Member) error {
		handles[r.ID] = r.handle()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m, memberships.each(x.View, "id <> ''", nil, func(r *Membership) error {
		m.known[[2]string{r.NIR, handles[r.Member]}] = r.Member
		m.known[[2]string{r.NIR, r.UID}] = r.Member
		return nil
	})
}

// member returns the member that a record names, a new one if none has that name;
// "" if the record names nobody.
func (p *importPlan) member(w *wanted) string {
	if w.holder == "" {
		return ""
	}
	key := [2]string{w.nir, w.holder}
	if id, ok := p.members.known[key]; ok {
		return id
	}
	id := p.x.newID(members.prefix)
	economy := w.Economy
	if economy == "" {
		economy = "ZZ" // user-assigned in ISO 3166-1: unknown
	}
	p.members.add = append(p.members.add, Member{Row: Row{ID: id}, Name: "Holder " + w.holder, Economy: economy, Opaque: w.holder})
	p.members.join = append(p.members.join, Membership{Member: id, NIR: w.nir, UID: w.holder, Serves: true, Began: p.x.Actor.At})
	p.members.known[key] = id
	p.count(w.nir, w.Economy, w.Range.Kind).Members++
	return id
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
