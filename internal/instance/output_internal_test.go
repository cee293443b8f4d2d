package instance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What can't be kept stops no container and is told once; what can be again is.
func TestOutputThatIsLost(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "folder")
	if err := os.WriteFile(folder, nil, 0o600); err != nil { // where a folder has to be
		t.Fatal(err)
	}
	told := 0
	o := newOutput(filepath.Join(folder, "app.log"), time.Now, func(error) { told++ })
	say := func(text string) {
		if n, err := fmt.Fprintln(o, text); err != nil || n != len(text)+1 {
			t.Errorf("%s: %d, %v", text, n, err)
		}
	}
	say("one")
	say("two")
	if told != 1 {
		t.Errorf("it was told %d times that two lines are lost", told)
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	say("three")
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	// A file that is full turns into the older one; when it is gone, there is none.
	o.size = maxOutput
	say("four")
	say("five")
	o.close()
	if text, err := o.read(0, false); text != "four\nfive\n" || err != nil || told != 1 {
		t.Errorf("%q, %v, told %d times", text, err, told)
	}
}

// A full file that can't become the older one goes on, and is emptied before it
// holds more than both may; that is told once, until it can.
func TestOutputThatCannotTurn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	obstacle := path + ".1"
	told := 0
	o := newOutput(path, time.Now, func(error) { told++ })
	t.Cleanup(o.close)
	lines := 0
	write := func(bytes int64) {
		t.Helper()
		for written := int64(0); written < bytes; lines++ {
			n, err := fmt.Fprintf(o, "%d%s\n", lines, strings.Repeat(".", 10_000))
			if err != nil {
				t.Fatal(err)
			}
			written += int64(n)
		}
	}
	// kept returns the first and the last line of a file, whose numbers have to
	// follow each other.
	kept := func(path string) (first, last int) {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil || len(text) == 0 || len(text) > 2*maxOutput {
			t.Fatalf("%s has %d bytes: %v", path, len(text), err)
		}
		first = -1
		for line := range strings.Lines(string(text)) {
			n := 0
			_, line, _ = strings.Cut(line, " ")
			if _, err := fmt.Sscanf(line, "%d", &n); err != nil {
				t.Fatal(err)
			}
			if first >= 0 && n != last+1 {
				t.Fatalf("line %d comes after line %d", n, last)
			}
			if last = n; first < 0 {
				first = n
			}
		}
		return first, last
	}
	block := func() {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(obstacle, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	block()
	write(maxOutput * 3 / 2)
	if first, last := kept(path); first != 0 || last != lines-1 || told != 1 {
		t.Errorf("it has lines %d to %d of %d; told %d times", first, last, lines, told)
	}
	write(maxOutput * 3)
	if first, last := kept(path); first == 0 || last != lines-1 || told != 1 {
		t.Errorf("it has lines %d to %d of %d; told %d times", first, last, lines, told)
	}
	if err := os.RemoveAll(obstacle); err != nil {
		t.Fatal(err)
	}
	write(maxOutput)
	if first, last := kept(path); last != lines-1 || told != 1 {
		t.Errorf("it has lines %d to %d of %d; told %d times", first, last, lines, told)
	} else if _, older := kept(obstacle); older != first-1 {
		t.Errorf("the older file ends with line %d, the newer begins with %d", older, first)
	}
	if err := os.Remove(obstacle); err != nil {
		t.Fatal(err)
	}
	block()
	write(maxOutput)
	if told != 2 {
		t.Errorf("it was told %d times, not once more", told)
	}
}
