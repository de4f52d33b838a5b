package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/zone"
	"nirzone/zone/publish"
)

const (
	shipTimeout = time.Hour // of the command that ships
	maxMark     = 200       // octets of a line with a mark
	maxShipped  = 1 << 16
)

// shipped is what another host has confirmed that it has.
type shipped struct {
	Version int       `json:"version"`
	Mark    nir.Mark  `json:"mark"`
	Time    time.Time `json:"time"`
}

// shipBy ships the audit to the command that nirzone.toml names, which runs "nirctl
// audit receive" on another host. It says what it has, gets what follows, and
// confirms. What was confirmed is noted: a host that has less than that later has
// lost something, or was robbed of it.
func (a *app) shipBy(ctx context.Context, o *opened, argv []string) error {
	before, err := readShipped(o.cfg)
	if err == nil {
		err = o.stillHas(ctx, before)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, shipTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stderr, cmd.WaitDelay = a.Stderr, 10*time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("shipping the audit: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("shipping the audit: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("shipping the audit by %s: %w", argv[0], err)
	}
	m, err := o.converse(ctx, in, out, before)
	if err != nil {
		cancel()
		_ = cmd.Wait() // why it ended is said already
		return fmt.Errorf("shipping the audit by %s: %w", argv[0], err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("shipping the audit by %s: %w", argv[0], err)
	}
	data := zone.EncodeJSON(shipped{1, m, o.actor.At})
	if err := publish.WriteFile(publish.OS, o.cfg.Nirctl.ArchiveState, data, 0o600); err != nil {
		return fmt.Errorf("noting what was shipped: %w", err)
	}
	a.Errorf("the other host has the audit up to event %d, hash %s", m.Seq, m.Hash)
	return nil
}

// stillHas proves that what the other host has confirmed is the beginning of the
// chain here: nothing of it was altered or exchanged since.
func (o *opened) stillHas(ctx context.Context, before nir.Mark) error {
	err := o.CheckMark(ctx, before)
	if nir.CodeOf(err) != nir.Conflict {
		return err
	}
	return &shell.Exit{
		Code: findings, Err: fmt.Errorf("the other host has confirmed event %d with hash %.16s…, and that is not event %d of this registry: the audit here was altered, or this is another registry", before.Seq, before.Hash, before.Seq),
		Hint: "nirctl audit verify there and here; to begin anew, remove archive_state",
	}
}

// converse is the talk with the other side.
func (o *opened) converse(ctx context.Context, in io.WriteCloser, out io.Reader, before nir.Mark) (nir.Mark, error) {
	r := bufio.NewReaderSize(out, maxMark)
	has, err := readMark(r)
	if err != nil {
		return has, fmt.Errorf("hearing what the other host has: %w", err)
	}
	if has.Seq < before.Seq {
		return has, &shell.Exit{
			Code: findings, Err: fmt.Errorf("the other host has events up to %d, and has confirmed %d: it has lost some, or another archive is there", has.Seq, before.Seq),
			Hint: "nirctl audit verify there and here; to begin anew, remove archive_state",
		}
	}
	last, err := o.ExportAudit(ctx, in, has)
	if err = errors.Join(err, in.Close()); err != nil {
		return has, err
	}
	done, err := readMark(r)
	if err == nil && done != last {
		err = fmt.Errorf("the other host confirms event %d, not %d", done.Seq, last.Seq)
	}
	return done, err
}

func readMark(r *bufio.Reader) (nir.Mark, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return nir.Mark{}, fmt.Errorf("no line with a mark: %w", err)
	}
	return nir.ParseMark(string(line))
}

func readShipped(cfg *zone.Config) (nir.Mark, error) {
	data, err := shell.ReadFile(cfg.Nirctl.ArchiveState, maxShipped)
	if errors.Is(err, fs.ErrNotExist) {
		return nir.Mark{}, nil
	}
	var s shipped
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err == nil && s.Version != 1 {
		err = fmt.Errorf("version %d, this program reads version 1", s.Version)
	}
	if err != nil {
		return nir.Mark{}, fmt.Errorf("reading what was shipped (nirctl.archive_state): %w", err)
	}
	return s.Mark, nil
}

func auditReceiveCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "receive FILE", Short: "Append the audit that another host ships to a file",
		Long: `Receive runs on the host that keeps the archive, behind the command that
archive_command names on the registry's: it writes what the file has to standard
output, proves and appends what comes, and confirms. It needs neither
configuration nor database, and only ever appends. For a key that may do nothing
else, in authorized_keys: restrict,command="nirctl audit receive FILE".`,
		Example: "  nirctl audit receive copy.jsonl < /dev/null",
		Args:    arguments(cobra.ExactArgs(1), "nirctl audit receive archive.jsonl"),
		RunE:    func(c *cobra.Command, args []string) error { return a.receive(c.Context(), args[0], os.Stdin) },
	}
}

func (a *app) receive(ctx context.Context, file string, r io.Reader) (err error) {
	release, err := publish.Lock(file + ".lock")
	if err != nil {
		return fmt.Errorf("opening the archive: %w", err)
	}
	defer func() { err = errors.Join(err, release()) }()
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("opening the archive: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	say := func(m nir.Mark) error {
		_, err := fmt.Fprintln(a.Stdout, m)
		return err
	}
	m, err := nir.ReceiveAudit(f, listen(ctx, r), say)
	if err != nil {
		return &shell.Exit{Code: findings, Err: fmt.Errorf("%s: %w", strings.TrimSpace(file), err)}
	}
	return say(m)
}
