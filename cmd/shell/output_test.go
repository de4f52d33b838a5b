package shell

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestFinishUnwritten(t *testing.T) {
	var log bytes.Buffer
	s := Shell{Name: "prog", Stdout: full{}, Stderr: &log}
	s.Watch()
	_, _ = s.Stdout.Write([]byte("an answer"))
	if code := s.Finish(nil); code != 1 || !strings.Contains(log.String(), "prog: error: writing the output: no space left") {
		t.Errorf("exit %d, %s", code, log.String())
	}
	_, _ = s.Stdout.Write([]byte("an answer"))
	if err := s.OutputError(); err == nil {
		t.Error("no error")
	}
	if code := s.Finish(nil); code != 0 { // somebody has answered for it
		t.Errorf("exit %d", code)
	}
}

func TestFinishJSON(t *testing.T) {
	var out, log bytes.Buffer
	s := Shell{Name: "prog", Stdout: &out, Stderr: &log}
	s.Watch()
	if code := s.FinishJSON(&Exit{Code: 5, Err: errors.New("not there"), Hint: "look"}); code != 5 {
		t.Errorf("exit %d", code)
	}
	var f Failure
	if err := json.Unmarshal(out.Bytes(), &f); err != nil || f != (Failure{1, 5, "not there", "look"}) {
		t.Errorf("%+v, %v", f, err)
	}
	out.Reset()
	_, _ = s.Stdout.Write([]byte("{}\n")) // a result of its own
	if s.FinishJSON(&Exit{Code: 3}); out.String() != "{}\n" {
		t.Errorf("%q", out.String())
	}
}
