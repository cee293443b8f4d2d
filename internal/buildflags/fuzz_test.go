package buildflags_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
)

// FuzzParse holds that Parse doesn't panic, that what it accepts has a context
// and tags that are names, and that its errors hide a secret.
func FuzzParse(f *testing.F) {
	for _, args := range []string{
		"-t\na\n-f\nDockerfile\n.", "--build-arg=A=b\n--secret-build-arg\nT=SECRET\n.", "--secret\nid=x,src=y\n--ssh=default=/a,/b\n-", "--platform\nlinux/AMD64,linux\n-qtx\n--\n-a",
		"-o\ntype=image,name=a,push=true\n--cache-from\na,b\n.", "-m1g\n--cpus=1.5\n--ulimit\nnofile=1:2\n--add-host=a:::1\nhttps://h/r.git", "--provenance\n--squash\n--isolation=x\n.",
		"-secret-build-arg=SECRET", "--secret-build-arg\nA=my\nSECRET\n.",
	} {
		f.Add(args)
	}
	f.Fuzz(func(t *testing.T, text string) {
		args := strings.Split(text, "\n")
		b, err := buildflags.Parse(args)
		var e *drydock.Error
		switch {
		case err == nil && (b.Context == "" || buildflags.ContextKind(b.Context) == ""):
			t.Errorf("Parse(%q) has no context", args)
		case err == nil:
		case !errors.As(err, &e) || e.Code != drydock.Invalid:
			t.Errorf("Parse(%q): %v", args, err)
		}
		if err == nil {
			return
		}
		// The same with a secret that nothing else contains.
		const secret = "5up3r5ecre7"
		if _, err := buildflags.Parse(append([]string{"--secret-build-arg", "A=" + secret}, args...)); err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("Parse(%q) tells the secret: %v", args, err)
		}
	})
}
