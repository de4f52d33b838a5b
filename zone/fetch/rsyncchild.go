package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gokrazy/rsync/rsyncclient"
	"github.com/landlock-lsm/go-landlock/landlock"
	llsyscall "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// childEnv makes this program an rsync child instead of what it is: its value is
// a childJob. It is an environment variable so that no argument of a person or a
// server can ever mean it.
const childEnv = "NIRZONE_RSYNC_CHILD"

// A childJob tells the child what to do with the stream on its standard input
// (from the server) and file 3 (to the server).
type childJob struct {
	Dir       string `json:"dir,omitempty"` // where files go; "" lists to standard output
	Largest   int64  `json:"largest,omitempty"`
	Negotiate bool   `json:"negotiate,omitempty"` // ssh: protocol versions are still to be exchanged
	CPU       uint64 `json:"cpu,omitempty"`       // seconds
}

const (
	childMemory = 1 << 30
	childFiles  = 64
	childPanic  = 2 // exit status of a Go program that panics
)

// Child must be called first thing by main (and TestMain) of every program that
// uses this package with rsync sources. It returns at once, unless the process was
// started by this package as the child that speaks rsync's protocol: then it does
// that and never returns.
func Child() {
	value := os.Getenv(childEnv)
	if value == "" {
		return
	}
	if err := childMain(value); err != nil {
		fmt.Fprintf(os.Stderr, "\n%s%v\n", childError, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// childError begins the child's last line.
const childError = "rsync-child-error: "

// childMain gives up all it does not need before it reads the first byte of the
// server. The library restricts itself once more.
func childMain(value string) error {
	var job childJob
	if err := json.Unmarshal([]byte(value), &job); err != nil {
		return fmt.Errorf("reading the child's job: %w", err)
	}
	if err := confine(job); err != nil {
		return err
	}
	options := []rsyncclient.Option{}
	if !job.Negotiate {
		options = append(options, rsyncclient.WithoutNegotiate())
	}
	args := []string{"-t"}
	if job.Dir == "" {
		args = []string{"-rt"}
	}
	client, err := rsyncclient.New(args, options...)
	if err != nil {
		return fmt.Errorf("starting the rsync client: %w", err)
	}
	stream := childStream{os.Stdin, os.NewFile(3, "to-server")}
	_, err = client.Run(context.Background(), stream, []string{job.Dir})
	return err
}

// confine sets resource limits, which a hostile server can reach for, and leaves
// only the private folder, without network.
func confine(job childJob) error {
	limits := map[int]uint64{unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: childFiles, unix.RLIMIT_CPU: max(job.CPU, 1), unix.RLIMIT_FSIZE: uint64(job.Largest)}
	if !raceEnabled { // the race detector's own memory would count
		limits[unix.RLIMIT_DATA] = childMemory
	}
	for which, n := range limits {
		if err := unix.Setrlimit(which, &unix.Rlimit{Cur: n, Max: n}); err != nil {
			return fmt.Errorf("limiting the child: %w", err)
		}
	}
	var rules []landlock.Rule
	if job.Dir != "" {
		rules = append(rules, landlock.RWDirs(job.Dir).WithRefer())
	}
	config := landlock.V3
	if v, err := llsyscall.LandlockGetABIVersion(); err == nil && v >= 4 {
		config = landlock.V4
	}
	// An old kernel has no Landlock; the other walls stand there too.
	if err := config.BestEffort().Restrict(rules...); err != nil {
		return fmt.Errorf("confining the child: %w", err)
	}
	return nil
}

type childStream struct{ in, out *os.File }

func (s childStream) Read(b []byte) (int, error)  { return s.in.Read(b) }
func (s childStream) Write(b []byte) (int, error) { return s.out.Write(b) }
func (s childStream) Close() error                { return errors.Join(s.in.Close(), s.out.Close()) }

// runChild lets a child speak rsync over an open stream: r is what the server
// sends, conn takes what it is sent and is closed at the end. It returns the
// child's standard output. The child's process group is killed when ctx ends.
func (p *place) runChild(ctx context.Context, job childJob, r io.Reader, conn io.WriteCloser) ([]byte, error) {
	job.CPU = uint64(p.limits.Total/time.Second) + 1
	value, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	toServer, childOut, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer toServer.Close()
	cmd := exec.CommandContext(ctx, p.exe)
	ownGroup(cmd)
	cmd.Env = []string{childEnv + "=" + string(value), "TZ=UTC", "GOTRACEBACK=none", "GOMAXPROCS=2"}
	if raceEnabled {
		cmd.Env = append(cmd.Env, "GORACE=atexit_sleep_ms=0")
	}
	cmd.ExtraFiles = []*os.File{childOut}
	stdout, stderr := &tail{max: maxListing}, &tail{max: 16 << 10}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		childOut.Close()
		return nil, err
	}
	err = cmd.Start()
	childOut.Close()
	if err != nil {
		return nil, finalError{fmt.Errorf("starting the rsync child: %w", err)}
	}
	read, written := relay(stdin, r, conn, toServer)
	err = cmd.Wait()
	// The child's last words still go to the server; if it does not take them, its
	// connection's guard ends this.
	<-written
	_ = conn.Close()
	streamErr := <-read
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, childFailed(err, streamErr, stderr.String())
	}
	return stdout.bytes(), nil
}

// relay copies both ways until the child or the server ends; what reading from the
// server ended with is sent on read, and written is closed when no more will be
// written to it.
func relay(stdin io.WriteCloser, r io.Reader, conn io.Writer, toServer io.Reader) (read <-chan error, written <-chan struct{}) {
	ended, done := make(chan error, 1), make(chan struct{})
	go func() {
		_, err := io.Copy(stdin, r)
		_ = stdin.Close()
		ended <- err
	}()
	go func() {
		_, _ = io.Copy(conn, toServer)
		close(done)
	}()
	return ended, done
}

// ownGroup makes the command the leader of a process group that is killed as a
// whole, and that dies with this process.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
}

// childFailed says why: a reason of the stream's guard, the child's own last line,
// or how it died.
func childFailed(err, streamErr error, stderr string) error {
	var exit *exec.ExitError
	if streamErr != nil && (isFinal(streamErr) || errors.Is(streamErr, os.ErrDeadlineExceeded)) {
		return streamErr
	}
	if !errors.As(err, &exit) {
		return fmt.Errorf("running the rsync child: %w", err)
	}
	if _, line, ok := cutLast(stderr, childError); ok {
		if strings.Contains(line, syscall.ENOSPC.Error()) { // the line names a file of ours
			return atHome("receiving by rsync", syscall.ENOSPC)
		}
		return fmt.Errorf("speaking rsync: %s", printable(strings.TrimSpace(line)))
	}
	if exit.ExitCode() == childPanic {
		return final("the rsync child crashed (%s): %s", printable(panicLine(stderr)), improper)
	}
	return final("the rsync child ended with %v: it passed a limit on memory, time or file size", exit)
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func panicLine(stderr string) string {
	for _, mark := range []string{"panic: ", "fatal error: "} {
		if _, after, ok := strings.Cut(stderr, mark); ok {
			line, _, _ := strings.Cut(after, "\n")
			return mark + line
		}
	}
	return "no message"
}

// A tail keeps the last max bytes written to it, at the cost of at most twice as
// many.
type tail struct {
	max int
	mu  sync.Mutex
	buf []byte
}

// Write never fails.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if len(t.buf) > 2*t.max {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-t.max:]...)
	}
	return len(b), nil
}

// String is what is kept.
func (t *tail) String() string { return string(t.bytes()) }

func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.buf)
}
