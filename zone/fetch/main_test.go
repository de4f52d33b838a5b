package fetch

import (
	"os"
	"testing"
)

// TestMain lets the test binary be the rsync child too.
func TestMain(m *testing.M) {
	Child()
	os.Exit(m.Run())
}
