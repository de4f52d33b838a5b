package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/zone"
)

// expiresSoon is how long before its end a security.txt has to be written anew.
const expiresSoon = 7 * 24 * time.Hour

func exportSecurityCommand(a *app) *cobra.Command {
	check := ""
	c := &cobra.Command{
		Use: "security-txt", Short: "Write security.txt: where vulnerabilities are to be reported (RFC 9116)",
		Long: `Security-txt writes the file that a web server answers with at
/.well-known/security.txt, from the section [nirctl.security] of nirzone.toml. It
changes once a day: run it from cron, because it expires. --check looks at one
that is published instead, and exits with 3 if it is wrong, or expires within
seven days.`,
		Example: "  nirctl export security-txt > security.txt\n  nirctl export security-txt --check security.txt",
		Args:    arguments(cobra.NoArgs, "nirctl export security-txt"),
	}
	c.Flags().StringVar(&check, "check", "", "look at `FILE` instead of writing one")
	c.RunE = func(c *cobra.Command, _ []string) error {
		now, err := a.Now(a.nowFlag)
		if err != nil {
			return err
		}
		if check != "" {
			return a.checkSecurity(c, check, now)
		}
		cfg, err := shell.LoadConfig(a.config)
		if err != nil {
			return err
		}
		text, err := securityContact(cfg).Text(now)
		if err != nil {
			return &shell.Exit{Code: 2, Err: fmt.Errorf("section [nirctl.security] of %s: %w", cfg.File, err), Hint: "write it as nirzone.example.toml shows"}
		}
		_, err = a.Stdout.Write(text)
		return err
	}
	return c
}

func securityContact(cfg *zone.Config) *nir.SecurityContact {
	s := nir.SecurityContact(cfg.Nirctl.Security)
	return &s
}

func (a *app) checkSecurity(c *cobra.Command, file string, now time.Time) error {
	data, err := a.read(c.Context(), file, 1<<20)
	if err != nil {
		return fmt.Errorf("reading security.txt: %w", err)
	}
	const remedy = "nirctl export security-txt"
	expires, err := nir.CheckSecurityText(data, now)
	if err != nil {
		return &shell.Exit{Code: findings, Err: fmt.Errorf("%s: %w", file, err), Hint: remedy}
	}
	fmt.Fprintf(a.Stdout, "%s is right until %s\n", file, stamp(expires))
	if expires.Sub(now) < expiresSoon {
		return &shell.Exit{Code: findings, Err: errors.New("it expires soon"), Hint: remedy}
	}
	return nil
}
