package egress_test

import (
	"os/exec"
	"testing"

	"github.com/drydockhq/drydock/internal/source/egress"
)

// A shell reads the command, and another one what ssh makes of the option.
func TestSSHCommand(t *testing.T) {
	t.Parallel()
	command := egress.SSHCommand("printf %s", "/it's 1%/drydockd")
	out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf() { shift 2; command printf %s \"$1\"; }; "+command).CombinedOutput()
	if want := `ProxyCommand='/it'\''s 1%%/drydockd' connect %h %p`; err != nil || string(out) != want {
		t.Errorf("%q %v, want %q", out, err, want)
	}
}
