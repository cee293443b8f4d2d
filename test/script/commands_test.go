package script_test

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

type command = func(ts *testscript.TestScript, neg bool, args []string)

func commands() map[string]command {
	return map[string]command{
		"drydockd":     program("drydockd"),
		"drydock":      program("drydock"),
		"az":           program("az"),
		"serve":        startServer,
		"stop":         positive(0, stopServer),
		"shared":       positive(0, useShared),
		"attach":       positive(3, attach),
		"status":       positive(1, status),
		"interrupt":    positive(-2, interrupt),
		"fresh":        positive(0, fresh),
		"repositories": positive(1, repositories),
		"tags":         positive(1, tags),
		"digest":       digest,
		"same":         positive(2, same),
		"sends":        positive(1, sends),
		"registry":     positive(-1, startRegistry),
		"outside":      positive(-1, outside),
		"repository":   positive(1, repository),
		"tarball":      positive(2, tarball),
		"push":         positive(2, push),
		"hidden":       hidden,
		"lines":        positive(-2, lines),
	}
}

// positive makes a command that has n arguments, or at least -n, and knows no
// negation.
func positive(n int, do func(ts *testscript.TestScript, args []string) error) command {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || n >= 0 && len(args) != n || len(args) < -n {
			ts.Fatalf("usage: see doc_test.go")
		}
		ts.Check(do(ts, args))
	}
}

// program runs a program by its name, and remembers how it ended.
func program(name string) command {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		w := of(ts)
		err := ts.Exec(name, args...)
		w.keep(ts)
		var exit *exec.ExitError
		switch {
		case err == nil:
			w.status = 0
		case errors.As(err, &exit):
			w.status = exit.ExitCode()
		default:
			ts.Fatalf("running %s: %v", name, err)
		}
		if (err != nil) != neg {
			ts.Fatalf("%s ended with status %d", name, w.status)
		}
	}
}

// keep remembers the outputs of the last call.
func (w *world) keep(ts *testscript.TestScript) {
	w.outputs.WriteString(ts.ReadFile("stdout"))
	w.outputs.WriteString(ts.ReadFile("stderr"))
}

func status(ts *testscript.TestScript, args []string) error {
	if want := args[0]; strconv.Itoa(of(ts).status) != want {
		return fmt.Errorf("the last program ended with status %d, want %s", of(ts).status, want)
	}
	return nil
}

func fresh(ts *testscript.TestScript, _ []string) error {
	w := of(ts)
	if err := removeData(w.data); err != nil {
		return err
	}
	return w.newData()
}

func repositories(ts *testscript.TestScript, args []string) error {
	r, _, err := of(ts).split(args[0])
	if err != nil {
		return err
	}
	all, err := r.Repositories()
	if err != nil {
		return err
	}
	out := ts.Stdout()
	// A repository whose push was never finished has a folder and no tag.
	for _, name := range all {
		tagged, err := r.Tags(name)
		if err != nil {
			return err
		}
		if len(tagged) > 0 {
			fmt.Fprintln(out, name)
		}
	}
	return nil
}

func tags(ts *testscript.TestScript, args []string) error {
	r, name, err := of(ts).split(args[0])
	if err != nil {
		return err
	}
	all, err := r.Tags(name)
	out := ts.Stdout()
	for _, tag := range all {
		fmt.Fprintln(out, tag)
	}
	return err
}

func digest(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] digest REFERENCE")
	}
	r, name, err := of(ts).split(args[0])
	ts.Check(err)
	found, err := r.Digest(name)
	ts.Check(err)
	if (found == "") != neg {
		ts.Fatalf("the digest of %s is %q", args[0], found)
	}
	fmt.Fprintln(ts.Stdout(), found)
}

func same(ts *testscript.TestScript, args []string) error {
	var manifests [2]string
	for i, reference := range args {
		r, name, err := of(ts).split(reference)
		if err != nil {
			return err
		}
		manifest, mediaType, err := r.Manifest(name)
		if err != nil {
			return err
		}
		manifests[i] = mediaType + "\n" + string(manifest)
	}
	if manifests[0] != manifests[1] {
		return fmt.Errorf("%s is\n%s\n%s is\n%s", args[0], manifests[0], args[1], manifests[1])
	}
	return nil
}

func sends(ts *testscript.TestScript, args []string) error {
	got := of(ts).own.sends()
	if args[0] == "some" && got > 0 || args[0] == strconv.Itoa(got) {
		return nil
	}
	return fmt.Errorf("%d blobs were uploaded, want %s", got, args[0])
}

func push(ts *testscript.TestScript, args []string) error {
	host, target, _ := strings.Cut(args[1], "/")
	return pushImage(of(ts).ctx, args[0], host, target)
}

// lines looks for lines of a stream, or a file, that match one pattern after the
// other.
func lines(ts *testscript.TestScript, args []string) error {
	text := strings.Split(ts.ReadFile(args[0]), "\n")
	for _, pattern := range args[1:] {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return err
		}
		for len(text) > 0 && !re.MatchString(text[0]) {
			text = text[1:]
		}
		if len(text) == 0 {
			return fmt.Errorf("no line matches %q after the lines before", pattern)
		}
		text = text[1:]
	}
	return nil
}
