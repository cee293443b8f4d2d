package dockercmd

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/drydockhq/drydock/internal/credentials"
)

// maxPassword bounds what is read for --password-stdin, in bytes.
const maxPassword = 1 << 20

// login carries out `docker login`.
func (k *call) login(args []string) error {
	flags := k.flags()
	user := flags.StringP("username", "u", "", "Username")
	password := flags.StringP("password", "p", "", "Password or access token")
	stdin := flags.Bool("password-stdin", false, "Take the password from standard input")
	args, err := k.parse(flags, args, 0, 1)
	if err != nil {
		return err
	}
	given := flags.Changed("password")
	switch {
	case given && *stdin:
		return errors.New("conflicting options: cannot specify both --password and --password-stdin")
	case *stdin && *user == "":
		return errors.New("the --password-stdin option requires --username to be set")
	case given && *password == "":
		return errors.New("password is empty")
	case *user == "" || !given && !*stdin:
		return errors.New("docker login asks nothing in a run: give --username and --password-stdin")
	}
	if given {
		k.errorf("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n")
	} else if *password, err = k.readPassword(); err != nil {
		return err
	}
	if err := k.store.Login(k.ctx, registry(args), *user, *password); err != nil {
		return err
	}
	k.printf("Login Succeeded\n")
	return nil
}

// readPassword reads standard input up to its end, without the last newline.
func (k *call) readPassword() (string, error) {
	if k.in.Stdin == nil {
		return "", errors.New("standard input is empty: --password-stdin needs the password there")
	}
	data, err := io.ReadAll(io.LimitReader(k.in.Stdin, maxPassword+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("reading the password: %w", err)
	case len(data) > maxPassword:
		return "", fmt.Errorf("the password on standard input is longer than %d bytes", maxPassword)
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if password == "" {
		return "", errors.New("password is empty")
	}
	return password, nil
}

// logout carries out `docker logout`.
func (k *call) logout(args []string) error {
	args, err := k.parse(k.flags(), args, 0, 1)
	if err != nil {
		return err
	}
	host := registry(args)
	was, err := k.store.Logout(k.ctx, host)
	if err != nil {
		return err
	}
	if was {
		k.printf("Removing login credentials for %s\n", host)
	} else {
		k.printf("Not logged in to %s\n", host)
	}
	return nil
}

// registry returns the host that a login is about.
func registry(args []string) string {
	if len(args) == 0 {
		return credentials.DockerHub
	}
	return credentials.Host(args[0])
}
