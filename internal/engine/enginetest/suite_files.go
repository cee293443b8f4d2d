package enginetest

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/drydockhq/drydock"
)

// source makes a context with a file, a folder, and a link that leads out.
func source(t *testing.T) (dir, outside string) {
	t.Helper()
	dir, outside = t.TempDir(), t.TempDir()
	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, "file"), []byte("from the source\n"), 0o644),
		os.Mkdir(filepath.Join(dir, "sub"), 0o755),
		os.Symlink(outside, filepath.Join(dir, "link")),
		os.WriteFile(filepath.Join(outside, "secret"), []byte("of the host"), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	return dir, outside
}

func testWorkspace(t *testing.T, s *suite) {
	dir, _ := source(t)
	spec := s.newSpec()
	spec.Source = dir
	session := s.open(t, spec)
	c, _, _ := s.sh("one", "cat file; echo changed > file; echo new > sub/made")
	wantText(t, "what the first step read", mustRun(t, session, c), "from the source\n")
	c, _, _ = s.sh("two", "cat file sub/made")
	wantText(t, "what the second step read", mustRun(t, session, c), "changed\nnew\n")
	content, err := os.ReadFile(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	wantText(t, "the source", string(content), "from the source\n")
	if _, err := os.Stat(filepath.Join(dir, "sub", "made")); !os.IsNotExist(err) {
		t.Errorf("the source was written to: %v", err)
	}
}

func testRunsAreSeparate(t *testing.T, s *suite) {
	one, two := s.open(t, s.newSpec()), s.open(t, s.newSpec())
	c, _, _ := s.sh("step", "echo mine > file")
	mustRun(t, one, c)
	c, _, _ = s.sh("step", "cat file")
	wantStatus(t, two.Run(t.Context(), c), 1)
}

func testOpenFile(t *testing.T, s *suite) {
	dir, _ := source(t)
	spec := s.newSpec()
	spec.Source = dir
	session := s.open(t, spec)
	writeFile := func(dir, name, text string, flag int) {
		t.Helper()
		f, err := session.OpenFile(dir, name, os.O_WRONLY|os.O_CREATE|flag, 0o644)
		if err != nil {
			t.Fatalf("opening %s in %q: %v", name, dir, err)
		}
		_, err = io.WriteString(f, text)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	writeFile("sub", "out", "one\n", os.O_TRUNC)
	writeFile("/workspace", "sub/out", "two\n", os.O_APPEND)
	writeFile("/workspace/sub", "../up", "three\n", os.O_TRUNC)
	writeFile("", "/workspace/abs", "four\n", os.O_TRUNC)
	writeFile("", "/dev/null", "five\n", os.O_TRUNC)
	c, _, _ := s.sh("reader", "cat sub/out up abs")
	wantText(t, "what a step reads", mustRun(t, session, c), "one\ntwo\nthree\nfour\n")

	f, err := session.OpenFile("/workspace", "file", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	wantText(t, "the file", string(content), "from the source\n")
}

func testOpenFileOutside(t *testing.T, s *suite) {
	dir, outside := source(t)
	spec := s.newSpec()
	spec.Source = dir
	session := s.open(t, spec)
	for _, name := range []string{
		"../made", "sub/../../made", "/etc/passwd", "/made", "/workspace/../made",
		"link/made", "link/secret", outside + "/secret", "/dev/zero", "/acb/home/made",
	} {
		for _, flag := range []int{os.O_RDONLY, os.O_WRONLY | os.O_CREATE | os.O_TRUNC} {
			if f, err := session.OpenFile("/workspace", name, flag, 0o644); err == nil {
				_ = f.Close()
				t.Errorf("%s was opened with flags %#x", name, flag)
			}
		}
	}
	content, err := os.ReadFile(filepath.Join(outside, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	wantText(t, "the file outside", string(content), "of the host")
	if _, err := os.Stat(filepath.Join(outside, "made")); !os.IsNotExist(err) {
		t.Errorf("a file was made outside: %v", err)
	}
}

func testHome(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	c, _, _ := s.sh("writer", `echo "$HOME" > "$HOME/file"`)
	mustRun(t, session, c)
	c, _, _ = s.sh("reader", "cat /acb/home/file")
	wantText(t, "the file", mustRun(t, session, c), "/acb/home\n")
	other, _, _ := s.sh("reader", "cat /acb/home/file")
	wantStatus(t, s.open(t, s.newSpec()).Run(t.Context(), other), 1)
}

func testVolume(t *testing.T, s *suite) {
	spec := s.newSpec()
	spec.Volumes = []drydock.Volume{
		{Name: "keys", Files: map[string][]byte{"id": []byte("hunter2\n"), "pub": []byte("public\n")}},
		{Name: "conf", Files: map[string][]byte{"a.json": []byte("{}\n")}},
	}
	session := s.open(t, spec)
	c, _, _ := s.sh("reader", "cat /run/keys/id /run/keys/pub /etc/conf/a.json")
	c.Mounts = []drydock.VolumeMount{{Name: "keys", MountPath: "/run/keys"}, {Name: "conf", MountPath: "/etc/conf"}}
	wantText(t, "output", mustRun(t, session, c), "hunter2\npublic\n{}\n")
	c, _, _ = s.sh("other", "cat /run/keys/id")
	wantStatus(t, session.Run(t.Context(), c), 1)
}
