package publish

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// Placeholder in an element of a reload command stands for a changed zone.
const Placeholder = "{zone}"

const (
	// DefaultTimeout is a reload command's time limit when none is given.
	DefaultTimeout = 30 * time.Second
	// MaxOutput is how many bytes of a command's output are kept: the last.
	MaxOutput = 4 << 10
)

// ErrTimeout is the error of a reload command that was killed for its time.
var ErrTimeout = errors.New("timed out")

// ReloadOptions is how reload commands run.
type ReloadOptions struct {
	Timeout  time.Duration // of each command; 0 means DefaultTimeout
	Parallel int           // how many zones' commands run at once; less than 1 means 1
	Dir      string        // working directory; empty means ours
	Env      []string      // KEY=value; nil means ours
}

// ReloadResult is how one command ended.
type ReloadResult struct {
	Zone     string   // empty for a command without the placeholder
	Argv     []string // as it ran
	ExitCode int      // -1 if it did not start or was killed
	Output   string   // the end of stdout and stderr together: valid UTF-8, control characters and all
	Err      error    // nil if it exited with 0; ErrTimeout, ctx's error, or what went wrong
}

// Reload tells the name servers about the changed zones. Each command is an
// argument vector, run without a shell: once for every zone if an element contains
// the placeholder, otherwise once, and not at all when no zone changed. One
// command follows another, whatever became of it. A command that passes its time,
// or is running when ctx ends, is killed with its process group; the rest are then
// reported with ctx's error. The results are in the order of commands and, in
// that, of zones.
func Reload(ctx context.Context, commands [][]string, zones []string, opt ReloadOptions) []ReloadResult {
	var results []ReloadResult
	for _, argv := range commands {
		batch := plan(argv, zones)
		run(ctx, batch, opt)
		results = append(results, batch...)
	}
	return results
}

// plan is the runs of one command, as results not yet filled in.
func plan(argv, zones []string) (batch []ReloadResult) {
	if len(zones) == 0 {
		return nil
	}
	if !slices.ContainsFunc(argv, hasPlaceholder) {
		return []ReloadResult{{Argv: argv, ExitCode: -1}}
	}
	for _, zone := range zones {
		r := ReloadResult{Zone: zone, ExitCode: -1, Err: checkZoneName(zone)}
		for _, arg := range argv {
			r.Argv = append(r.Argv, strings.ReplaceAll(arg, Placeholder, zone))
		}
		batch = append(batch, r)
	}
	return batch
}

func hasPlaceholder(arg string) bool { return strings.Contains(arg, Placeholder) }

func run(ctx context.Context, batch []ReloadResult, opt ReloadOptions) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, max(opt.Parallel, 1))
	for i := range batch {
		slots <- struct{}{}
		wg.Go(func() {
			batch[i].run(ctx, opt)
			<-slots
		})
	}
	wg.Wait()
}

func (r *ReloadResult) run(ctx context.Context, opt ReloadOptions) {
	switch {
	case r.Err != nil:
	case len(r.Argv) == 0 || r.Argv[0] == "":
		r.Err = errors.New("the command is empty")
	case ctx.Err() != nil:
		r.Err = ctx.Err()
	default:
		r.exec(ctx, opt)
	}
}
