package hostsfile_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/drydockhq/drydock/internal/hostsfile"
)

func TestBlock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hosts")
	const own = "127.0.0.1 localhost\n# mine\n10.0.0.1 other" // without a final newline
	if err := os.WriteFile(path, []byte(own), 0o640); err != nil {
		t.Fatal(err)
	}
	check := func(want string) {
		t.Helper()
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("%v\n%s\nwant\n%s", err, got, want)
		}
	}
	a, b := hostsfile.Open(path, "a.test", "127.0.0.1"), hostsfile.Open(path, "b.test", "::1")
	for _, err := range []error{
		a.Set([]string{"y.a.test", "x.a.test", "x.a.test"}), b.Set([]string{"b.test"}), a.Set([]string{"z.a.test"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	const blockB = "# begin drydock b.test\n::1 b.test\n# end drydock b.test\n"
	check(own + "\n" + blockB + "# begin drydock a.test\n127.0.0.1 z.a.test\n# end drydock a.test\n")
	if err := a.Remove(); err != nil {
		t.Fatal(err)
	}
	check(own + "\n" + blockB)
	for _, name := range []string{"", "evil\n1.2.3.4 bank.example", "evil bank.example", "evil\vbank.example", "evil\fbank.example", "evil\x00", "evil#", "evil\u2028bank"} {
		if err := a.Set([]string{name}); err == nil {
			t.Errorf("%q is taken for a name", name)
		}
		if err := a.Set(nil, hostsfile.Host{Name: name, Address: netip.MustParseAddr("192.0.2.1")}); err == nil {
			t.Errorf("%q is taken for the name of another host", name)
		}
	}
	check(own + "\n" + blockB)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Error(info.Mode(), err)
	}
}

func TestBlockWithoutAnEnd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(path, []byte("# begin drydock a\n10.0.0.1 mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := hostsfile.Open(path, "a", "127.0.0.1").Remove(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "10.0.0.1 mine\n" {
		t.Errorf("%q", got)
	}
}

func FuzzBlock(f *testing.F) {
	f.Add("127.0.0.1 localhost\n")
	f.Add("# begin drydock a\n# begin drydock a\n# end drydock a\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "hosts")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		h := hostsfile.Open(path, "a", "127.0.0.1")
		if err := h.Remove(); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(path)
		if err := h.Set([]string{"x"}); err != nil {
			t.Fatal(err)
		}
		if err := h.Remove(); err != nil {
			t.Fatal(err)
		}
		after, _ := os.ReadFile(path)
		if string(after) != string(before) && string(after) != string(before)+"\n" {
			t.Errorf("%q became %q", before, after)
		}
	})
}
