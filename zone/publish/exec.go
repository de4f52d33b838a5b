package publish

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// pipeDelay is how long output is awaited from what a command left running.
const pipeDelay = time.Second

// exec runs the command and fills in the result.
func (r *ReloadResult) exec(ctx context.Context, opt ReloadOptions) {
	limit := opt.Timeout
	if limit <= 0 {
		limit = DefaultTimeout
	}
	late := fmt.Errorf("%w after %v", ErrTimeout, limit)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, late)
	defer cancel()

	var out tail
	cmd := exec.CommandContext(ctx, r.Argv[0], r.Argv[1:]...)
	cmd.Dir, cmd.Env = opt.Dir, opt.Env
	cmd.Stdout, cmd.Stderr = &out, &out
	ownGroup(cmd)
	cmd.WaitDelay = pipeDelay
	err := cmd.Run()

	r.Output = out.String()
	if cmd.ProcessState != nil {
		r.ExitCode = cmd.ProcessState.ExitCode()
	}
	r.Err = reason(ctx, r.ExitCode, err)
}

// reason prefers why a command was killed to the signal it died of. A command
// that exited with 0 succeeded, also if something it started still has its output.
func reason(ctx context.Context, exitCode int, err error) error {
	switch {
	case err == nil || exitCode == 0 && errors.Is(err, exec.ErrWaitDelay):
		return nil
	case exitCode == -1 && errors.Is(context.Cause(ctx), ErrTimeout):
		return context.Cause(ctx)
	case exitCode == -1 && ctx.Err() != nil:
		return ctx.Err()
	}
	return err
}

// ownGroup puts the command into a process group and makes cancelling kill all
// of it: a script's children would otherwise outlive it.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
}

// tail keeps the last MaxOutput bytes written to it.
type tail struct {
	buf []byte
	cut bool
}

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p[max(0, len(p)-MaxOutput):]...)
	if over := len(t.buf) - MaxOutput; over > 0 {
		t.buf, t.cut = slices.Delete(t.buf, 0, over), true
	}
	t.cut = t.cut || len(p) > MaxOutput
	return len(p), nil
}

// String is the output, with "…" in front if there was more.
func (t *tail) String() string {
	s := strings.ToValidUTF8(string(t.buf), "�")
	if t.cut {
		return "…" + s
	}
	return s
}
