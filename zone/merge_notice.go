package zone

import (
	"fmt"
	"strings"
)

// The codes of the notices that Merge gives. They are stable: people filter by
// them, and generation.json names them in what was kept.
const (
	codeApex          = "apex"
	codeBadDS         = "bad-ds"
	codeBadNS         = "bad-ns"
	codeBelow24       = "below-24"
	codeClaimsMoved   = "claims-moved"
	codeClaimsOverlap = "claims-overlap"
	codeClassless     = "classless-hidden"
	codeCNAME         = "cname-conflict"
	codeDSWithoutNS   = "ds-without-ns"
	codeDuplicate     = "duplicate"
	codeGlue          = "glue-ignored"
	codeHeld          = "held"
	codeHidden        = "hidden"
	codeInactive      = "inactive"
	codeMissingGlue   = "missing-glue"
	codeMore          = "more-notices"
	codeNoAddress     = "no-address"
	codeNoRange       = "no-range"
	codeOutsideClaims = "outside-claims"
	codeOutsideZone   = "outside-zone"
	codeOverRegistry  = "over-registry"
	codeOverridden    = "overridden"
	codeSecondFile    = "second-file"
	codeShadowed      = "shadowed"
	codeSingleNS      = "single-ns"
	codeTooLarge      = "set-too-large"
	codeTTL           = "ttl-differs"
	codeType          = "type-ignored"
)

// A CodeDoc documents a notice code of this package.
type CodeDoc struct {
	Code     string
	Severity Severity
	Kept     bool   // whether published state may stand under this code
	Meaning  string // what happened
	Remedy   string // what to do
}

var codeDocs = []CodeDoc{
	{codeApex, Warning, false, "records of the parent zone's own name were ignored; the apex is the registry's (RFC 1034, section 4.2.1)", "leave them out of the zonelet"},
	{codeBadDS, Error, true, "a DS record has an unknown digest type, a digest of the wrong length or all zero (RFC 4034, section 5.1); the owner keeps its published state", "make the DS again from the key, with digest type 2 or 4"},
	{codeBadNS, Error, true, "an NS record names an address or no host name (RFC 1035, section 3.3.11; RFC 1123, section 2.1); the owner keeps its published state", "write the name of the server"},
	{codeBelow24, Warning, false, "an owner longer than a /24 was ignored", "delegate inside the /24's own zone (RFC 2317)"},
	{codeClaimsMoved, Warning, true, "a published delegation is no longer inside the claims of its source, which asserts it still; it stands as published", "the new manager asserts it, or the registry's staff release it"},
	{codeClaimsOverlap, Error, true, "sources claim the same range; what is published there stands, nothing new gets in", "the registry's staff correct the claims"},
	{codeClassless, Warning, false, "names of RFC 2317 were left out because their /24 is delegated as a whole", "keep either the delegation or the names"},
	{codeCNAME, Error, true, "a CNAME stands beside other records (RFC 1034, section 3.6.2) or points at no useful name; the owner keeps its published state", "keep one CNAME, or the delegation"},
	{codeDSWithoutNS, Error, true, "an owner has DS but no NS records (RFC 4035, section 2.4); it keeps its published state", "add its name servers, or drop the DS"},
	{codeDuplicate, Info, false, "records stand more than once in the file; the text says how many", "write each record once"},
	{codeGlue, Warning, false, "addresses were ignored: their host is no name server of a delegation in this zone, or lies below no delegation of the same source (RFC 9471)", "leave them out"},
	{codeHeld, Error, true, "an owner would hide a delegation whose loss is held, and is not published; delegations whose loss is held stand under this code", "zonebuild held: accept the loss, or mend the feed"},
	{codeHidden, Error, false, "a name of the registry is not in the zone because published state of another source above it stands", "settle with that source who delegates the range"},
	{codeInactive, Info, false, "an owner names the dummy server remove.this.nserver.to.enable.zone.at.apnic.net; it yields nothing and overrides nothing", "put real name servers in its place to delegate it"},
	{codeMissingGlue, Error, true, "a name server inside its own delegation has no address in the file (RFC 9471, section 3); the owner keeps its published state", "add A or AAAA records for it"},
	{codeMore, Warning, false, "a source has more than 10 000 notices in a zone; the others were counted, not kept. The severity is that of the gravest", "correct what is told; the next run tells of the rest"},
	{codeNoAddress, Warning, false, "a name server lies in the parent zone and below no delegation, so it can have no address", "name a server that exists"},
	{codeNoRange, Warning, false, "an owner stands for no range of addresses on an octet or nibble boundary (RFC 1035, section 3.5; RFC 3596, section 2.5) and was ignored", "delegate whole octets or nibbles"},
	{codeOutsideClaims, Warning, false, "an owner is not wholly inside its source's claims (partly outside is outside) and was ignored (policy APNIC-103, appendix)", "leave it out, or ask the registry to correct the claims"},
	{codeOutsideZone, Warning, false, "an owner is not below the parent zone and was ignored", "write it into its own parent zone's zonelet"},
	{codeOverRegistry, Error, true, "an owner would hide a name of the registry below it; it keeps its published state", "delegate the ranges beside the registry's name one by one"},
	{codeOverridden, Warning, false, "the registry has an object at or above this owner, whose NS and DS count (policy APNIC-103, appendix)", "leave it out, or ask the registry to give it up"},
	{codeTooLarge, Error, true, "an owner has more than 64 records of a type; name servers refuse a zone for one such set. It keeps its published state", "use fewer records"},
	{codeSecondFile, Alarm, false, "a second file of a source for one zone was given to the merge and ignored", "give the merge one file a source; correct the configuration"},
	{codeShadowed, Warning, false, "an owner lies below another delegation of the same source or class, which hides it", "leave one of the two out"},
	{codeSingleNS, Warning, false, "an owner has a single name server (RFC 2182, section 5); it was taken", "add a second name server elsewhere"},
	{codeTTL, Info, false, "the records of a set differ in TTL (RFC 2181, section 5.2); the lowest counts", "give the set one TTL"},
	{codeType, Warning, false, "records of types other than NS, DS and glue were ignored (policy APNIC-103, appendix)", "leave them out"},
}

// Codes returns the documentation of every code that Merge gives, sorted by
// code.
func Codes() []CodeDoc {
	docs := append([]CodeDoc(nil), codeDocs...)
	sortCodes(docs)
	return docs
}

var severities = func() map[string]Severity {
	m := map[string]Severity{}
	for _, d := range codeDocs {
		m[d.Code] = d.Severity
	}
	return m
}()

// at returns the say with another line to point at.
func (s say) at(line uint32) say {
	s.line = line
	return s
}

// maxNotices is how many notices one source gets in one zone: a file may hold two
// million records, and something wrong with each must not cost the memory that the
// zones of everybody else are built in.
const maxNotices = 10_000

// A told counts the notices of one source: those that were given, and those above the
// limit with the gravest severity of them.
type told struct {
	given, more int
	worst       Severity
}

// mayTell reports whether a source gets one more notice, and counts it. Texts above the
// limit are not even made.
func (m *merger) mayTell(source, code string) bool {
	t := m.told[source]
	if t == nil {
		t = &told{}
		m.told[source] = t
	}
	if t.given < maxNotices {
		t.given++
		return true
	}
	t.more, t.worst = t.more+1, max(t.worst, severities[code])
	return false
}

// noteMore tells every source that has more notices than it gets how many those are.
func (m *merger) noteMore() {
	for source, t := range m.told { // sorted later
		if t.more > 0 {
			m.notices = append(m.notices, Notice{
				Code: codeMore, Severity: max(t.worst, severities[codeMore]), Source: source, Zone: m.in.Apex.Origin,
				Text: fmt.Sprintf("%s not shown, %d are; correct those first", plural(t.more, "more notice is", "more notices are"), t.given),
			})
		}
	}
}

// note tells a source of an owner in its own file.
func (m *merger) note(code string, s say, format string, args ...any) {
	f := m.frags[s.frag]
	if !m.mayTell(f.Source, code) {
		return
	}
	m.notices = append(m.notices, Notice{
		Code: code, Severity: severities[code], Source: f.Source, Zone: m.in.Apex.Origin, Name: s.name,
		Pos: Pos{File: f.File, Line: int(s.line)}, Text: fmt.Sprintf(format, args...),
	})
}

// noteHeld tells the source that an owner's records are from, be they of its
// present file or published ones.
func (m *merger) noteHeld(code string, o owner, format string, args ...any) {
	if o.state != held {
		m.note(code, o.say, format, args...)
		return
	}
	if !m.mayTell(o.source, code) {
		return
	}
	e := m.pub.zone.Entries[o.pub.from]
	m.notices = append(m.notices, Notice{
		Code: code, Severity: severities[code], Source: o.source, Zone: m.in.Apex.Origin, Name: o.say.name,
		Pos: Pos{File: m.pub.zone.input(e).File, Line: int(e.Line)}, Text: fmt.Sprintf(format, args...),
	})
}

// noteOverlaps tells the registry which claims overlap in the zone.
func (m *merger) noteOverlaps(overlaps []overlap) {
	var texts []string
	count := 0
	for _, o := range overlaps {
		by := o.without(m.in.Registry)
		if len(by) < 2 {
			continue
		}
		if count++; count <= 3 {
			texts = append(texts, o.String()+" by "+strings.Join(by, " and "))
		}
	}
	if count > len(texts) {
		texts = append(texts, plural(count-len(texts), "more range", "more ranges"))
	}
	m.notices = append(m.notices, Notice{
		Code: codeClaimsOverlap, Severity: severities[codeClaimsOverlap], Source: m.in.Registry, Zone: m.in.Apex.Origin,
		Text: "claims overlap: " + strings.Join(texts, ", ") + "; what is published there stands and nothing new gets in until the claims are corrected",
	})
}
