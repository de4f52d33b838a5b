package fetch

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestGuardLimit: a connection on which more comes than was agreed to closes itself
// and says so, and gives what was agreed to.
func TestGuardLimit(t *testing.T) {
	addr := listen(t, func(c net.Conn) {
		_, _ = c.Write(make([]byte, 100))
		_ = c.Close()
	})
	for limit, whole := range map[int64]bool{100: true, 99: false} {
		p := &place{meter: &meter{}}
		p.limits.Connect, p.limits.Idle = 10*time.Second, 10*time.Second
		g, err := p.dial(t.Context(), addr)
		if err != nil {
			t.Fatal(err)
		}
		g.limit(limit)
		n, err := io.Copy(io.Discard, g)
		if (err == nil) != whole || whole && n != 100 || !whole && !strings.Contains(err.Error(), "over 99 bytes") {
			t.Errorf("limit %d: %d bytes, %v", limit, n, err)
		}
		_ = g.Close()
	}
}
