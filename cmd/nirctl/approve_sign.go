package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/sshsig"
)

// sshSign has ssh-keygen sign a proposal: it knows agents, hardware keys and how to
// ask for a passphrase.
func (a *app) sshSign(ctx context.Context, p *nir.Proposal, key string) (string, error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, "ssh-keygen", "-Y", "sign", "-f", key, "-n", sshsig.Namespace(string(p.Signs())))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(p.Text()), &out, &errs
	cmd.Env = os.Environ()
	if err := cmd.Run(); err != nil {
		return "", unsigned(key, errs.String(), err)
	}
	return out.String(), nil
}

// unsigned says why ssh-keygen did not sign: in its own words, if it has any.
func unsigned(key, said string, err error) error {
	hint := "ssh-add -l"
	if _, gone := os.Stat(key); errors.Is(gone, fs.ErrNotExist) {
		hint = "ls ~/.ssh"
	}
	said = strings.TrimSpace(said)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return &shell.Exit{Code: 1, Err: errors.New("signing: ssh-keygen is not installed on this host"), Hint: "nirctl approve --help shows how to sign on another"}
	case said == "":
		return &shell.Exit{Code: 1, Err: fmt.Errorf("signing with %s: ssh-keygen gave up without a word (%w)", key, err), Hint: hint}
	}
	return &shell.Exit{Code: 1, Err: fmt.Errorf("signing with %s: ssh-keygen says: %s", key, plain(said)), Hint: hint}
}
