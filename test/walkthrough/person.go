package walkthrough

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Names are those of the registries, and of the container group.
type Names struct{ Public, Base, Team, Group, Vault string }

// Usual are the names that the article has.
func Usual() Names {
	return Names{Public: "publicregistry", Base: "contosobaseartifacts", Team: "contoso", Group: "hello-world-aci", Vault: "acr-task-credentials"}
}

// Person does what somebody does who follows the article, and checks what there is
// to see.
type Person struct {
	Names Names
	Words map[string]Word // that a script may ask for beside those of the walkthrough

	Page string // address of the page, when it was looked at last
	Seen string // what each look at it has told

	began   time.Time
	asked   int // what was asked of the hub before
	stage   *Stage
	watch   *watcher // of the page, all the time
	colour  string   // that the page should have
	heading string
	pages   []string // that there should have been, one after the other
	pushed  time.Time
	base    string // registry of the image that the page follows
	looks   int
	runs    map[string][]string // by registry, that should be there
	picture string              // beginning of the names of pictures

	mu   sync.Mutex
	errs []error
}

// Person returns one who has done nothing yet. The name is for the pictures of the
// page.
func (s *Stage) Person(name string) *Person {
	p := &Person{
		Names: Usual(), began: time.Now(), asked: len(s.hub.registry.Requests()), stage: s,
		colour: "Blue", heading: "Hello World", runs: map[string][]string{}, picture: name,
	}
	p.watch = newWatcher(p.address)
	p.base = p.Names.Public
	p.turned()
	return p
}

// turned says that the page should have changed.
func (p *Person) turned() { p.pages = append(p.pages, p.colour+", "+p.heading) }

// Expect says of runs that are to be there before those of the script.
func (p *Person) Expect(registry string, runs ...string) {
	p.runs[registry] = append(p.runs[registry], runs...)
}

// listen returns a program by which a script calls the person. It is to be called
// once; done ends it.
func (p *Person) listen(ctx context.Context) (program string, done func() error, err error) {
	dir := p.stage.t.TempDir()
	// The path of a socket may not be long.
	short, err := os.MkdirTemp("", "person-")
	if err != nil {
		return "", nil, err
	}
	socket := filepath.Join(short, "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(short))
	}
	program = filepath.Join(dir, "person")
	text := "#!/bin/sh\nexec curl --silent --show-error --fail-with-body --noproxy '*' --unix-socket " + socket + " -X POST http://person/$1\n"
	if err := os.WriteFile(program, []byte(text), 0o755); err != nil {
		return "", nil, errors.Join(err, listener.Close(), os.RemoveAll(short))
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said, err := p.do(ctx, strings.TrimPrefix(r.URL.Path, "/"))
		if err != nil {
			p.note(fmt.Errorf("%s: %w", r.URL.Path[1:], err))
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, said)
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	return program, func() error {
		err := server.Close()
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return errors.Join(err, os.RemoveAll(short))
	}, nil
}

func (p *Person) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errs = append(p.errs, err)
}

func (p *Person) problem() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.errs...)
}

// do does what the script asks for.
func (p *Person) do(ctx context.Context, what string) (said string, err error) {
	if word, ok := p.Words[what]; ok {
		return word(ctx)
	}
	switch what {
	case "look":
		return p.look(ctx)
	case "orange", "green", "red":
		return p.paint(ctx, strings.ToUpper(what[:1])+what[1:])
	case "hello":
		p.heading, p.pushed, p.base = "Hello Team", time.Now(), ""
		p.turned()
		if err := p.stage.trees[helloWorld].replace("server.js", "<h1>", "<h1>"+p.heading+"</h1>", "Greet the team"); err != nil {
			return "", err
		}
		return p.heading + "\n", p.expect(ctx, p.Names.Team, "hello-world Commit Succeeded")
	}
	return "", fmt.Errorf("the script asks for %q, which nobody can do", what)
}

// paint commits another colour of the public image, and waits for all that follows.
func (p *Person) paint(ctx context.Context, colour string) (said string, err error) {
	p.pushed = time.Now()
	if err := p.stage.trees[baseImage].replace("Dockerfile", "ENV BACKGROUND_COLOR", "ENV BACKGROUND_COLOR "+colour, colour); err != nil {
		return "", err
	}
	if err := p.expect(ctx, p.Names.Public, "node-public Commit Succeeded"); err != nil {
		return "", err
	}
	switch colour {
	case "Orange":
		err = p.expect(ctx, p.Names.Team, "hello-world Image Update Succeeded")
	case "Green":
		p.base = p.Names.Base
		err = errors.Join(
			p.expect(ctx, p.Names.Base, "base-import-node Manual Succeeded", "base-import-node Image Update Succeeded"),
			p.expect(ctx, p.Names.Team, "hello-world Manual Succeeded", "hello-world Image Update Succeeded"),
		)
	case "Red":
		return colour + "\n", p.expect(ctx, p.Names.Base, "base-import-node Image Update Failed")
	}
	p.colour = colour
	p.turned()
	return colour + "\n", err
}

// patience is how long runs may take.
const patience = 4 * time.Minute

// expect waits until the runs of a registry have ended: those that there were, and
// these, and no more.
func (p *Person) expect(ctx context.Context, registry string, more ...string) error {
	p.runs[registry] = append(p.runs[registry], more...)
	want := p.runs[registry]
	for deadline := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		got, ended, err := p.stage.list(ctx, registry)
		if err != nil {
			return err
		}
		if ended && slices.Equal(got, want) {
			return nil
		}
		if len(got) > len(want) || ended && len(got) == len(want) || time.Now().After(deadline) {
			return fmt.Errorf("the runs of %s are\n  %s\nnot\n  %s", registry, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
	}
}

// column separates the columns of a table.
var column = regexp.MustCompile(` {2,}`)

// list returns the runs of a registry, from the first one on, and whether all have
// ended.
func (s *Stage) list(ctx context.Context, registry string) (runs []string, ended bool, err error) {
	table, err := s.ask(ctx, "acr", "task", "list-runs", "-r", registry, "--top", "100", "-o", "table")
	if err != nil {
		return nil, false, err
	}
	ended = true
	lines := strings.Split(strings.TrimSpace(table), "\n")
	for i := len(lines) - 1; i >= 2; i-- { // below the head
		c := column.Split(strings.TrimSpace(lines[i]), -1)
		if len(c) < 5 {
			return nil, false, fmt.Errorf("not a line of a run: %q", lines[i])
		}
		task, status, trigger := c[1], c[3], c[4]
		ended = ended && status != "Queued" && status != "Started" && status != "Running"
		runs = append(runs, task+" "+trigger+" "+status)
	}
	return runs, ended, nil
}
