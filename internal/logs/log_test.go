package logs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drydockhq/drydock/internal/logs"
)

var at = time.Date(2020, 10, 30, 4, 57, 39, 0, time.FixedZone("", 3600))

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func setup(secrets ...string) (*logs.Log, *buffer) {
	var b buffer
	return logs.New(logs.Options{
		Renderer: logs.NewText(&b),
		Masker:   logs.NewMasker(secrets...),
		Now:      func() time.Time { return at },
	}), &b
}

func write(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if n, err := io.WriteString(w, text); n != len(text) || err != nil {
		t.Fatalf("Write = %d, %v", n, err)
	}
}

func expect(t *testing.T, b *buffer, want string) {
	t.Helper()
	if b.String() != want {
		t.Fatalf("log is\n%q, want\n%q", b.String(), want)
	}
}

func TestPrintf(t *testing.T) {
	t.Parallel()
	log, b := setup("hunter2")
	log.Printf("Launching container with name: %s", "hunter2")
	expect(t, b, "2020/10/30 03:57:39 Launching container with name: ***\n")
}

func TestStreamLines(t *testing.T) {
	t.Parallel()
	log, b := setup("hunter2")
	s := log.Stream("a", "stdout")
	write(t, s, "one\ntw")
	expect(t, b, "one\n")
	write(t, s, "o\r\n\n\x1b[31mhun")
	expect(t, b, "one\ntwo\r\n\n")
	write(t, s, "ter2\x1b[0m")
	_ = s.Close()
	_ = s.Close()
	expect(t, b, "one\ntwo\r\n\n\x1b[31m***\x1b[0m\n")
	write(t, s, "late\n")
	expect(t, b, "one\ntwo\r\n\n\x1b[31m***\x1b[0m\n")
}

func TestStreamOfNothing(t *testing.T) {
	t.Parallel()
	log, b := setup()
	_ = log.Stream("a", "stdout").Close()
	expect(t, b, "")
}

func TestStreamIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, b := setup("hunter2")
		s := log.Stream("a", "stdout")
		write(t, s, "Password: \xe2\x82")
		time.Sleep(99 * time.Millisecond)
		expect(t, b, "")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		expect(t, b, "Password: ")
		write(t, s, "\xac hunt")
		time.Sleep(time.Second)
		synctest.Wait()
		expect(t, b, "Password: € ")
		write(t, s, "er2\nnext")
		_ = s.Close()
		expect(t, b, "Password: € ***\nnext\n")
	})
}

func TestStreamBreaksOpenLineOfOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, b := setup()
		one, two := log.Stream("one", "stdout"), log.Stream("two", "stdout")
		write(t, one, "50%")
		time.Sleep(time.Second)
		synctest.Wait()
		write(t, two, "ready\n")
		expect(t, b, "50%\nready\n")
		write(t, one, "\n")
		expect(t, b, "50%\nready\n")
		write(t, one, "\nmore")
		time.Sleep(time.Second)
		synctest.Wait()
		log.Printf("end")
		_, _ = one.Close(), two.Close()
		expect(t, b, "50%\nready\n\nmore\n2020/10/30 03:57:39 end\n")
	})
}

func TestStreamsOfOneStepShareALine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, b := setup()
		out, errs := log.Stream("one", "stdout"), log.Stream("one", "stderr")
		write(t, out, "name? ")
		time.Sleep(time.Second)
		synctest.Wait()
		write(t, errs, "none given\n")
		_, _ = out.Close(), errs.Close()
		expect(t, b, "name? none given\n")
	})
}

func TestStreamLongLine(t *testing.T) {
	t.Parallel()
	log, b := setup()
	s := log.Stream("a", "stdout")
	write(t, s, strings.Repeat("x", 64<<10-1))
	expect(t, b, "")
	write(t, s, "xy")
	expect(t, b, strings.Repeat("x", 64<<10)+"y")
	_ = s.Close()
}

// TestStreamEndlessLine sends 64 MiB without a newline through a log and
// looks at what it allocates on the way, so no other test runs beside it.
func TestStreamEndlessLine(t *testing.T) {
	var seen countingWriter
	log := logs.New(logs.Options{Renderer: logs.NewText(&seen), Masker: logs.NewMasker("hunter2", "aaaab")})
	s := log.Stream("a", "stdout")
	chunk := bytes.Repeat([]byte("a"), 32<<10)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 64 << 20 / len(chunk) {
		_, _ = s.Write(chunk)
	}
	_ = s.Close()
	runtime.ReadMemStats(&after)
	if want := countingWriter(64<<20 + 1); seen != want {
		t.Errorf("%d bytes came out, want %d", seen, want)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 8<<20 {
		t.Errorf("allocated %d bytes", allocated)
	}
}

type countingWriter int64

func (c *countingWriter) Write(p []byte) (int, error) {
	*c += countingWriter(len(p))
	return len(p), nil
}

func TestStreamsKeepLinesWhole(t *testing.T) {
	t.Parallel()
	log, b := setup()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s := log.Stream(fmt.Sprint(i), "stdout")
			for range 200 {
				write(t, s, strings.Repeat(fmt.Sprint(i), 5))
				write(t, s, strings.Repeat(fmt.Sprint(i), 5)+"\n")
			}
			_ = s.Close()
		})
	}
	wg.Wait()
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) < 8*200 {
		t.Errorf("%d lines, want at least %d", len(lines), 8*200)
	}
	for _, line := range lines {
		if strings.Trim(line, line[:1]) != "" {
			t.Fatalf("a mixed line: %q", line)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log := logs.New(logs.Options{
		Renderer: logs.NewJSON(&b),
		Masker:   logs.NewMasker(`pa"ss`),
		Now:      func() time.Time { return at },
	})
	log.Printf("start <%s>", `pa"ss`)
	s := log.Stream("a", "stderr")
	write(t, s, "x\xff pa\"ss\r\n"+strings.Repeat("é", 32<<10))
	write(t, s, "!\n\n")
	write(t, log.Stream("", ""), "\nRun ID: ca4 was successful after 1s\n")
	log.Printf("\n[]")
	var got []map[string]any
	for dec := json.NewDecoder(&b); dec.More(); {
		var line map[string]any
		if err := dec.Decode(&line); err != nil {
			t.Fatal(err)
		}
		got = append(got, line)
	}
	const when = "2020-10-30T03:57:39Z"
	want := []map[string]any{
		{"time": when, "line": "start <***>"},
		{"time": when, "step": "a", "stream": "stderr", "line": "x\ufffd ***"},
		{"time": when, "step": "a", "stream": "stderr", "line": strings.Repeat("é", 32<<10), "partial": true},
		{"time": when, "step": "a", "stream": "stderr", "line": "!"},
		{"time": when, "step": "a", "stream": "stderr", "line": ""},
		{"time": when, "line": "Run ID: ca4 was successful after 1s"},
		{"time": when, "line": "[]"},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %.400v", got)
	}
}

type fullDisk struct{}

var errFull = errors.New("disk full")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestLogErr(t *testing.T) {
	t.Parallel()
	log := logs.New(logs.Options{Renderer: logs.NewText(fullDisk{})})
	if log.Err() != nil {
		t.Fatal("an error before the first write")
	}
	write(t, log.Stream("a", "stdout"), "line\n")
	if !errors.Is(log.Err(), errFull) {
		t.Errorf("Err = %v", log.Err())
	}
}
