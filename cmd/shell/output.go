package shell

import (
	"io"
	"runtime/debug"
)

// An output is standard output with a memory: a command whose answer did not
// arrive has not done its work, even if nobody looked at what Write returned.
type output struct {
	w     io.Writer
	err   error // the first one
	wrote bool
	said  *bool // of colours; nil: nobody said
}

// Write passes p on.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	o.wrote = o.wrote || n > 0
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// Unwrap returns what it writes to, which may be a terminal.
func (o *output) Unwrap() io.Writer { return o.w }

func (o *output) hue() *bool { return o.said }

// A hued writer is told whether to show colours.
type hued struct {
	io.Writer
	said bool
}

// Unwrap returns what it writes to, which may be a terminal.
func (h *hued) Unwrap() io.Writer { return h.Writer }

func (h *hued) hue() *bool { return &h.said }

// SetColours says for both streams whether they are coloured, whatever they are.
func (s *Shell) SetColours(on bool) {
	if o, ok := s.Stdout.(*output); ok {
		o.said = &on
	} else {
		s.Stdout = &hued{s.Stdout, on}
	}
	s.Stderr = &hued{s.Stderr, on}
}

// Watch makes Finish notice what could not be written to standard output.
func (s *Shell) Watch() { s.Stdout = &output{w: s.Stdout} }

// OutputError returns what went wrong with writing to standard output, once: the
// command that asks answers for it.
func (s *Shell) OutputError() error {
	o, ok := s.Stdout.(*output)
	if !ok {
		return nil
	}
	err := o.err
	o.err = nil
	return err
}

// A Failure is what --json shows of a command that has no other result.
type Failure struct {
	Version int    `json:"version"`
	Exit    int    `json:"exit"`
	Error   string `json:"error"`
	Hint    string `json:"hint,omitempty"`
}

// FinishJSON is Finish for a command that was asked for JSON: if it failed before
// it wrote any, a [Failure] is its result.
func (s *Shell) FinishJSON(err error) int {
	code := s.Finish(err)
	if o, ok := s.Stdout.(*output); ok && err != nil && !o.wrote {
		_ = WriteJSON(s.Stdout, Failure{Version: 1, Exit: code, Error: err.Error(), Hint: HintOf(err)})
	}
	return code
}

// Version returns the version that --version shows: the module's, or the commit
// it was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version, at := info.Main.Version, ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && (version == "" || version == "(devel)"):
			version = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			at = " with local changes"
		}
	}
	return version + at + ", " + info.GoVersion
}
