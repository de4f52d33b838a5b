package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKeysDSWithout: no DS at all is said, not shown as nothing.
func TestKeysDSWithout(t *testing.T) {
	tr := newTree(t)
	tr.lose("keys")
	tr.must(0, "keys", "ds")
	tr.says("zones that have no keys yet: ", "hint: zonebuild keys init")
}

// TestGarbledKeyHint: what to do about a key that cannot be read is said also where
// keys are made.
func TestGarbledKeyHint(t *testing.T) {
	tr := published(t)
	key := must2(filepath.Glob(tr.path("keys/" + fileA + "/*.private")))[0]
	must(t, os.WriteFile(key, []byte("garbage"), 0o600))
	tr.must(1, "keys", "init")
	tr.says("hint: mend it, or restore ", " from a backup")
}

// TestHeldBegins: what a command shows begins with its first line.
func TestHeldBegins(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 20))
	tr.must(3)
	tr.must(0, "held")
	if out := tr.out.String(); !strings.HasPrefix(out, "held: ") {
		t.Errorf("held begins with %.20q", out)
	}
}

// TestNeverFetchedButPublished: of what is published nobody says that it is not here.
func TestNeverFetchedButPublished(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.manifest.Sources = nil
	tr.feed("KRNIC", zoneB, owners(zoneB, 10, 40))
	tr.must(3)
	tr.says("the spool has nothing of JPNIC any more; what is published of it stands")
}

// TestPublicLost: that nothing is there is not that nothing ever was.
func TestPublicLost(t *testing.T) {
	tr := published(t)
	tr.lose("public")
	for command, code := range map[string]int{"rollback": 1, "reload": 1, "history": 0} {
		tr.must(code, command)
		tr.says("any more")
		tr.notSays("nothing is published yet", "zonebuild init")
	}
	tr.must(2, "keys", "rol")
	tr.says("the zones are " + fileA + ", " + fileB)
	tr.must(2, "held", "show")
	tr.says("zonebuild held show was given 0 arguments", "hint: zonebuild held show HASH\n")
}
