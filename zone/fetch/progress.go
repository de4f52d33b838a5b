package fetch

import (
	"sync"
	"time"
)

// A teller gives the events of all sources to one function, one call at a time, and
// repeats a source's last event while its bytes come in.
type teller struct {
	to   func(Event)
	mu   sync.Mutex
	last map[string]Event
}

// tick is how often bytes alone are worth an event.
const tick = 200 * time.Millisecond

// start begins to tell; the function it returns ends it.
func (t *teller) start(to func(Event), plans []sourcePlan) (stop func()) {
	if to == nil {
		return func() {}
	}
	t.to, t.last = to, map[string]Event{}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				t.refresh(plans)
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}

func (t *teller) tell(e Event) {
	if t.to == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last[e.Source] = e
	t.to(e)
}

// refresh repeats the last event of the sources whose bytes have changed.
func (t *teller) refresh(plans []sourcePlan) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range plans {
		e, ok := t.last[p.source.Name]
		if !ok || p.place == nil || e.Stage == StageDone || e.Stage == StageRetry {
			continue
		}
		if n := p.place.meter.in.Load(); n != e.Bytes {
			e.Bytes = n
			t.last[e.Source] = e
			t.to(e)
		}
	}
}
