package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/sshsig"
)

// sshSign has ssh-keygen sign a text: it knows agents, hardware keys and how to
// ask for a passphrase.
func (a *app) sshSign(ctx context.Context, text []byte, key string) (string, error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, "ssh-keygen", "-Y", "sign", "-f", key, "-n", sshsig.Namespace(string(nir.Approver)))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &out, &errs
	cmd.Env = os.Environ()
	if err := cmd.Run(); err != nil {
		return "", &shell.Exit{Code: 1, Err: fmt.Errorf("signing with %s: %w: %s", key, err, strings.TrimSpace(errs.String())), Hint: "ssh-add -l"}
	}
	return out.String(), nil
}
