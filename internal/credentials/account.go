package credentials

import (
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/drydockhq/drydock"
)

// account is the user behind sudo.
type account struct {
	name, home string
	credential *syscall.Credential
}

// caller returns the user who called sudo, nil when nobody did. Only root can
// act for somebody else, so the variables of sudo mean nothing to others.
func (e Environment) caller() (*account, error) {
	name := e.get("SUDO_USER")
	if e.EUID != 0 || name == "" || name == "root" {
		return nil, nil
	}
	lookup := e.LookupUser
	if lookup == nil {
		lookup = lookupUser
	}
	u, groups, err := lookup(name)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "looking up the user behind sudo: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "looking up the user behind sudo: user id %q: %w", u.Uid, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "looking up the user behind sudo: group id %q: %w", u.Gid, err)
	}
	a := &account{name: u.Username, home: u.HomeDir, credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	for _, g := range groups {
		if id, err := strconv.ParseUint(g, 10, 32); err == nil {
			a.credential.Groups = append(a.credential.Groups, uint32(id))
		}
	}
	return a, nil
}

// lookupUser asks the machine for a user.
func lookupUser(name string) (*user.User, []string, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, nil, err
	}
	groups, err := u.GroupIds()
	return u, groups, err
}

// environment returns env as the user would have it: helpers look into the home,
// and reach the session's keyring by its runtime folder.
func (a *account) environment(env []string) []string {
	uid := strconv.FormatUint(uint64(a.credential.Uid), 10)
	runtime := filepath.Join("/run/user", uid)
	own := []string{
		"HOME=" + a.home, "USER=" + a.name, "LOGNAME=" + a.name, "XDG_RUNTIME_DIR=" + runtime,
		"DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(runtime, "bus"),
	}
	kept := slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.HasPrefix(name, "SUDO_") || slices.ContainsFunc(own, func(o string) bool { return strings.HasPrefix(o, name+"=") })
	})
	return append(kept, own...)
}
