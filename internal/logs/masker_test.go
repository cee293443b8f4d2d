package logs_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/logs"
)

func TestMaskerString(t *testing.T) {
	t.Parallel()
	const secret = `p@ss/w "or<d>+1`
	quoted, _ := json.Marshal(secret)
	tests := map[string]struct {
		secrets    []string
		text, want string
	}{
		"none":             {nil, "hello", "hello"},
		"plain":            {[]string{"hunter2"}, "pw=hunter2!", "pw=***!"},
		"twice":            {[]string{"hunter2"}, "hunter2hunter2", "******"},
		"too short":        {[]string{"ab"}, "ab", "ab"},
		"three bytes":      {[]string{"abc"}, "xabcx", "x***x"},
		"part of another":  {[]string{"pass", "password"}, "a password, a pass", "a ***, a ***"},
		"overlapping":      {[]string{"abcd", "cdef"}, "xabcdefx", "x***x"},
		"inside":           {[]string{"abcdefgh", "cde"}, "abcdefgh cde abcdefg", "*** *** ab***fg"},
		"self-overlapping": {[]string{"abab"}, "xababab", "x***"},
		"fails over":       {[]string{"aab", "abx1"}, "aaabx1", "a***"},
		"base64":           {[]string{secret}, base64.StdEncoding.EncodeToString([]byte(secret)), "***"},
		"base64 url":       {[]string{"??>>~~~"}, base64.URLEncoding.EncodeToString([]byte("??>>~~~")), "***"},
		"base64 raw":       {[]string{"s3cr3t!!"}, base64.RawStdEncoding.EncodeToString([]byte("s3cr3t!!")) + " x", "*** x"},
		"json":             {[]string{secret}, `{"a":` + string(quoted) + "}", `{"a":"***"}`},
		"query":            {[]string{secret}, "?q=" + url.QueryEscape(secret) + "&r", "?q=***&r"},
		"path":             {[]string{secret}, "/" + url.PathEscape(secret) + "/r", "/***/r"},
		"lower-case hex":   {[]string{"a/b:c"}, "a%2fb%3ac", "***"},
		"whole lines":      {[]string{"line one\nline two\n"}, "line one\nline two\n", "***"},
		"each line":        {[]string{"line one\r\nline two\n"}, "2: line two; 1: line one", "2: ***; 1: ***"},
		"trimmed":          {[]string{"  padded\n"}, "it is padded.", "it is ***."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := logs.NewMasker(test.secrets...).String(test.text); got != test.want {
				t.Errorf("String(%q) = %q, want %q", test.text, got, test.want)
			}
		})
	}
}

func TestMaskerFindsSecretInsideBase64(t *testing.T) {
	t.Parallel()
	const secret = "correct horse battery"
	m := logs.NewMasker(secret)
	for _, before := range []string{"", "u", "u:", "usr:", "user:"} {
		text := base64.StdEncoding.EncodeToString([]byte(before + secret + " staple"))
		masked := m.String(text)
		if !strings.Contains(masked, logs.Mask) {
			t.Errorf("after %q: %s is not masked", before, text)
		}
		if rest := len(masked) - len(logs.Mask); rest > len(text)-len(secret)*4/3+2 {
			t.Errorf("after %q: too much of %s is left: %s", before, text, masked)
		}
	}
}

func TestMaskerFindsBrokenBase64(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("0123456789abcdef", 10)
	text := base64.StdEncoding.EncodeToString([]byte(secret))
	for _, width := range []int{64, 76} {
		var lines []string
		for rest := text; rest != ""; {
			n := min(width, len(rest))
			lines, rest = append(lines, rest[:n]), rest[n:]
		}
		if got := logs.NewMasker(secret).String(strings.Join(lines, "\n")); strings.Trim(got, "*\n") != "" {
			t.Errorf("width %d: left %q", width, got)
		}
	}
}

// TestWriterSplits checks that no division into writes changes the result.
func TestWriterSplits(t *testing.T) {
	t.Parallel()
	secrets := []string{"abcd", "cdef", "secret", "secretary", "xyzxyz", "multi\nline"}
	text := "abcdef secretar secretary xyzxyzxyz abab cdsecret multi\nlin multi\nline abc"
	want := logs.NewMasker(secrets...).String(text)
	for i := range len(text) {
		for j := i; j <= len(text); j++ {
			var b bytes.Buffer
			w := logs.NewMasker(secrets...).Writer(&b)
			for _, part := range []string{text[:i], text[i:j], text[j:]} {
				if n, err := io.WriteString(w, part); n != len(part) || err != nil {
					t.Fatalf("Write = %d, %v", n, err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if b.String() != want {
				t.Fatalf("split at %d and %d: %q, want %q", i, j, b.String(), want)
			}
		}
	}
}

func TestWriterHoldsBackOnlyWhatMayBeSecret(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := logs.NewMasker("hunter2").Writer(&b)
	for _, step := range []struct{ write, want string }{
		{"Password: ", "Password: "},
		{"hun", "Password: "},
		{"ger; ", "Password: hunger; "},
		{"hunter2", "Password: hunger; ***"},
	} {
		_, _ = io.WriteString(w, step.write)
		if b.String() != step.want {
			t.Errorf("after %q: %q, want %q", step.write, b.String(), step.want)
		}
	}
}

func TestMaskerAddDuringStream(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	m := logs.NewMasker("abcdefgh")
	w := m.Writer(&b)
	_, _ = io.WriteString(w, "token abcdef")
	m.Add("cdef-late")
	_, _ = io.WriteString(w, "-late and cdef-late")
	_ = w.Close()
	if want := "token ab*** and ***"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestWriterAddInsideMask(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	m := logs.NewMasker("abcd", "cdefgh")
	w := m.Writer(&b)
	_, _ = io.WriteString(w, "abcd")
	m.Add("other")
	_, _ = io.WriteString(w, "ef other")
	_ = w.Close()
	if want := "***ef ***"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestWriterReportsErrors(t *testing.T) {
	t.Parallel()
	r, pipe := io.Pipe()
	_ = r.Close()
	if _, err := io.WriteString(logs.NewMasker("abc").Writer(pipe), "text"); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("err = %v", err)
	}
}

func TestMaskerError(t *testing.T) {
	t.Parallel()
	m := logs.NewMasker("hunter2")
	cause := fmt.Errorf("login as root:hunter2: %w", io.ErrUnexpectedEOF)
	err := fmt.Errorf("run: %w", &drydock.Error{Code: drydock.Denied, Message: "hunter2 is wrong", Hint: "not hunter2", Err: cause})
	masked := m.Error(err)
	if masked.Error() != "run: *** is wrong (not ***)" {
		t.Errorf("text = %q", masked)
	}
	if !errors.Is(masked, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	var e *drydock.Error
	if !errors.As(masked, &e) || e.Code != drydock.Denied {
		t.Fatalf("As = %v", e)
	}
	if text := fmt.Sprintf("%s %s %v", e.Message, e.Hint, e.Err); strings.Contains(text, "hunter2") {
		t.Errorf("As gave %q", text)
	}
	plain := errors.New("nothing to hide")
	if m.Error(plain) != plain {
		t.Error("an error without secrets was changed")
	}
	if m.Error(nil) != nil {
		t.Error("Error(nil) is not nil")
	}
}

func TestMaskerErrorHidesReason(t *testing.T) {
	t.Parallel()
	err := logs.NewMasker("hunter2").Error(&drydock.ExitError{Status: 3, Reason: "hunter2"})
	var exit *drydock.ExitError
	if !errors.As(err, &exit) || exit.Status != 3 || exit.Reason != logs.Mask {
		t.Errorf("As = %+v", exit)
	}
}

func FuzzWriter(f *testing.F) {
	f.Add("abc", "bcd", "xabcdx", 3)
	f.Add("aab", "aaab", "aaaab", 2)
	f.Add("a\nb c", "b c d", "a\nb c d", 4)
	f.Fuzz(func(t *testing.T, one, two, text string, split int) {
		split = max(0, min(split, len(text)))
		m := logs.NewMasker(one, two)
		var b bytes.Buffer
		w := m.Writer(&b)
		_, _ = io.WriteString(w, text[:split])
		_, _ = io.WriteString(w, text[split:])
		_ = w.Close()
		if whole := m.String(text); whole != b.String() {
			t.Fatalf("in two writes %q, in one %q", b.String(), whole)
		}
		for _, secret := range []string{one, two} {
			if len(secret) < logs.MinSecret || strings.Contains(text+secret, "*") {
				continue
			}
			if strings.Contains(b.String(), secret) {
				t.Fatalf("%q is visible in %q", secret, b.String())
			}
		}
	})
}

// BenchmarkWriter masks 1 MiB of build output with 20 secrets per operation.
func BenchmarkWriter(b *testing.B) {
	var secrets []string
	for i := range 20 {
		secrets = append(secrets, strings.ToUpper(fmt.Sprintf("s%dcr%d-%032d", i, i*7, i*i)))
	}
	line := "#12 4.031 Get:17 http://deb.example/debian bookworm/main amd64 libssl3 amd64 3.0.15-1~deb12u1 [2025 kB]\n"
	chunk := []byte(strings.Repeat(line, 32*1024/len(line)))
	w := logs.NewMasker(secrets...).Writer(io.Discard)
	b.SetBytes(1 << 20)
	for b.Loop() {
		for range 1 << 20 / len(chunk) {
			_, _ = w.Write(chunk)
		}
	}
}

// BenchmarkAdd learns a secret of 25 KiB, the most that a key vault keeps.
func BenchmarkAdd(b *testing.B) {
	secret := strings.Repeat("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7/+VJTUt9Us8cKj\n", 25<<10/69)
	b.ReportAllocs()
	for b.Loop() {
		logs.NewMasker(secret)
	}
}

func TestMaskerIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	m := logs.NewMasker("first")
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			var b bytes.Buffer
			w := m.Writer(&b)
			for n := range 200 {
				secret := fmt.Sprintf("secret-%d-%d", i, n)
				m.Add(secret)
				_, _ = io.WriteString(w, secret[:5])
				_, _ = io.WriteString(w, secret[5:]+"\n")
			}
			_ = w.Close()
			if strings.Trim(b.String(), "*\n") != "" {
				t.Errorf("left %.100q", b.String())
			}
		})
	}
	wg.Wait()
}
