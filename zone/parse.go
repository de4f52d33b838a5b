package zone

// ParseLimits bounds what [ParseFragment] takes from one file. Zero values take
// those of [DefaultParseLimits].
type ParseLimits struct {
	MaxBytes   int64 // of the file
	MaxRecords int   // trailers not counted
	MaxLine    int   // octets of a logical line: parentheses join lines into one
	MaxErrors  int   // mistakes kept; more are counted
}

// DefaultParseLimits are ten times what the largest real zonelet needs.
var DefaultParseLimits = ParseLimits{MaxBytes: 64 << 20, MaxRecords: 2_000_000, MaxLine: 64 << 10, MaxErrors: 50}

// ParseOptions says how strict [ParseFragment] is with one source.
type ParseOptions struct {
	Limits          ParseLimits
	TrailerOptional bool // take a file without trailer; one that is there is still checked
}

// ParseFragment reads the zonelet of source for a parent zone.
func ParseFragment(source string, zone Name, file string, data []byte, opt ParseOptions) (*Fragment, error) {
	return nil, &SyntaxErrors{Errors: []*SyntaxError{{Pos{File: file}, "not written yet"}}}
}
