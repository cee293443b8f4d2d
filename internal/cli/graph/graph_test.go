package graph_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/drydockhq/drydock/internal/cli/graph"
)

var update = flag.Bool("update", false, "write what comes out into testdata")

// TestGraphs draws the tasks of each archive in testdata as a tree and for
// Graphviz.
func TestGraphs(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata: ", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			g := read(t, archive.Files[0].Data)
			for i := range archive.Files {
				f := &archive.Files[i]
				var b bytes.Buffer
				switch f.Name {
				case "tree":
					err = graph.WriteTree(&b, g, nil)
				case "dot":
					err = graph.WriteDOT(&b, g)
				default:
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(string(f.Data), b.String()); d != "" && !*update {
					t.Errorf("%s (-want +got):\n%s", f.Name, d)
				}
				f.Data = b.Bytes()
			}
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			checkSVG(t, g)
		})
	}
}

func read(t *testing.T, text []byte) *graph.Graph {
	t.Helper()
	var list any
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	tasks, err := graph.Read(list)
	if err != nil {
		t.Fatal(err)
	}
	return graph.New(tasks)
}

// rect is a card of a picture.
type rect struct{ x, y, width, height float64 }

// checkSVG checks that a picture can be read, and that no card lies on another
// or out of the picture.
func checkSVG(t *testing.T, g *graph.Graph) {
	t.Helper()
	var b bytes.Buffer
	if err := graph.WriteSVG(&b, g, "Tasks of <contoso> & others"); err != nil {
		t.Fatal(err)
	}
	var cards []rect
	var size rect
	depth := 0
	for d := xml.NewDecoder(&b); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			depth++
			attributes := map[string]float64{}
			for _, a := range e.Attr {
				var v float64
				if _, err := fmt.Sscanf(a.Value, "%f", &v); err == nil {
					attributes[a.Name.Local] = v
				}
			}
			r := rect{attributes["x"], attributes["y"], attributes["width"], attributes["height"]}
			if e.Name.Local == "svg" {
				size = r
			}
			if e.Name.Local == "rect" && r.width > 50 && depth > 3 {
				cards = append(cards, r)
			}
		case xml.EndElement:
			depth--
		}
	}
	if want := len(g.Images) + len(g.Tasks); len(cards) < want {
		t.Errorf("%d cards for %d tasks and images", len(cards), want)
	}
	for i, a := range cards {
		if a.x < 0 || a.y < 0 || a.x+a.width > size.width || a.y+a.height > size.height {
			t.Errorf("%v is out of %v", a, size)
		}
		for _, c := range cards[i+1:] {
			if a.x < c.x+c.width && c.x < a.x+a.width && a.y < c.y+c.height-0.01 && c.y < a.y+a.height-0.01 {
				t.Errorf("%v lies on %v", a, c)
			}
		}
	}
}

// A graph of many tasks is drawn in a moment.
func TestLargeGraph(t *testing.T) {
	t.Parallel()
	var tasks []graph.Task
	for i := range 2000 {
		tasks = append(tasks, graph.Task{
			ID: fmt.Sprint("/t", i), Name: fmt.Sprint("task", i), Registry: "contoso", Armed: true,
			BaseImages: []graph.Base{{Image: fmt.Sprintf("x.test/image%d:1", i/3), Watched: true, Type: "Runtime"}},
			Outputs:    []string{fmt.Sprintf("x.test/image%d:1", i+1)},
		})
	}
	g := graph.New(tasks)
	var b bytes.Buffer
	if err := graph.WriteSVG(&b, g, "Many"); err != nil {
		t.Fatal(err)
	}
	if err := graph.WriteTree(&b, g, nil); err != nil {
		t.Fatal(err)
	}
}

func TestPaintedTree(t *testing.T) {
	t.Parallel()
	g := graph.New([]graph.Task{{ID: "/t", Name: "app", Registry: "contoso", Due: true, Armed: true, BaseImages: []graph.Base{{Image: "docker.io/library/node:20", Due: true, Stale: true, Watched: true, Digest: "sha256:1"}}}})
	var b strings.Builder
	if err := graph.WriteTree(&b, g, func(s graph.State, text string) string { return "<" + string(s) + ">" + text }); err != nil {
		t.Fatal(err)
	}
	if want := "node:20\n└─ <due>task app in contoso  <due>[due, stands on sha256:1]\n"; b.String() != want {
		t.Error(b.String())
	}
}
