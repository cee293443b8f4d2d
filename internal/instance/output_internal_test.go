package instance

import (
	"fmt"
	"os"
	"path/filepath"
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
	// A file that is full turns into the older one, which is gone here: the output
	// is lost until the next line makes a new file.
	o.size = maxOutput
	say("four")
	say("five")
	o.close()
	if text, err := o.read(0, false); text != "five\n" || err != nil || told != 2 {
		t.Errorf("%q, %v, told %d times", text, err, told)
	}
}
