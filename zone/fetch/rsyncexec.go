package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A programRunner is the fallback: the configured rsync program does everything.
// Its bytes are not counted where they arrive but as it reports them.
type programRunner struct {
	p    *place
	argv []string // program and options that are the same for all runs
	base string   // remote folder as rsync takes it
	env  []string
}

func newRsyncProgram(p *place) (rsyncRunner, error) {
	if strings.ContainsAny(p.dir, "*?[\n") {
		return nil, final("url of source %s: the path holds characters that rsync would expand", p.source.Name)
	}
	idle := strconv.Itoa(max(1, int(p.limits.Idle.Seconds())))
	r := &programRunner{p: p, argv: append(slices.Clone(p.limits.Rsync), "--timeout="+idle, "--no-motd")}
	// Neither RSYNC_RSH nor a locale that formats numbers may leak in.
	r.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TZ=UTC", "LC_ALL=C"}
	host := p.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if p.user != "" {
		host = p.user + "@" + host
	}
	if p.scheme == "rsync+ssh" {
		return r, r.overSSH(host)
	}
	password, err := p.password()
	if err != nil {
		return nil, err
	}
	if password != "" {
		r.env = append(r.env, "RSYNC_PASSWORD="+password)
	}
	r.argv = append(r.argv, "--contimeout="+strconv.Itoa(max(1, int(p.limits.Connect.Seconds()))))
	r.base = "rsync://" + host + ":" + p.portOr("873") + p.dir
	return r, nil
}

// overSSH makes ssh as strict as the built-in one is.
func (r *programRunner) overSSH(host string) error {
	s := r.p.source
	if r.p.user == "" || s.IdentityFile == "" || s.KnownHostsFile == "" {
		return final("source %s: rsync+ssh needs user, identity_file and known_hosts_file", s.Name)
	}
	for _, f := range []string{s.IdentityFile, s.KnownHostsFile} {
		if strings.ContainsAny(f, " \t\n'\"\\") {
			return final("%q: with fetch.rsync set, a path for ssh holds no space or quote", f)
		}
	}
	r.argv = append(r.argv, "-e", strings.Join([]string{
		"ssh", "-F/dev/null", "-p", r.p.portOr("22"), "-i", s.IdentityFile, "-oIdentitiesOnly=yes", "-oBatchMode=yes",
		"-oStrictHostKeyChecking=yes", "-oUserKnownHostsFile=" + s.KnownHostsFile, "-oGlobalKnownHostsFile=/dev/null",
		"-oConnectTimeout=" + strconv.Itoa(max(1, int(r.p.limits.Connect.Seconds()))),
	}, " "))
	r.base = host + ":" + strings.TrimPrefix(r.p.dir, "/~/")
	return nil
}

func (r *programRunner) close() {}

func (r *programRunner) list(ctx context.Context) ([]byte, error) {
	return r.run(ctx, "--list-only", "--", r.base)
}

func (r *programRunner) pull(ctx context.Context, names []string, dir string, _, largest int64) error {
	args := []string{"-t", "--stats", "--inplace", "--max-size=" + strconv.FormatInt(largest, 10), "--"}
	for _, n := range names {
		args = append(args, r.base+n)
	}
	out, err := r.run(ctx, append(args, dir+"/")...)
	if m := bytesReceived.FindSubmatch(out); m != nil {
		n, _ := strconv.ParseInt(strings.ReplaceAll(string(m[1]), ",", ""), 10, 64)
		r.p.meter.in.Add(n)
	}
	return err
}

var bytesReceived = regexp.MustCompile(`(?m)^Total bytes received: ([0-9,]+)$`)

// rsync's exit codes that are not worth another try.
var rsyncFinal = map[int]string{1: "syntax or usage", 2: "protocol incompatibility", 4: "requested action not supported", 5: "refused by the daemon: module, user or password", 14: "could not start ssh"}

func (r *programRunner) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, r.argv[0], append(slices.Clone(r.argv[1:]), args...)...)
	ownGroup(cmd)
	stdout, stderr := &tail{max: maxListing}, &tail{max: 4 << 10}
	cmd.Env, cmd.Stdout, cmd.Stderr = r.env, stdout, stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return stdout.bytes(), nil
	case !errors.As(err, &exit):
		return nil, finalError{fmt.Errorf("running %s: %w", r.argv[0], err)}
	}
	said := printable(strings.TrimSpace(stderr.String()))
	if why := rsyncFinal[exit.ExitCode()]; why != "" {
		return nil, final("%s ended with %d (%s): %s", r.argv[0], exit.ExitCode(), why, said)
	}
	return nil, fmt.Errorf("%s ended with %d: %s", r.argv[0], exit.ExitCode(), said)
}
