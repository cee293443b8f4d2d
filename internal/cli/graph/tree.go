package graph

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Paint gives a text the colour of a state; nil leaves it.
type Paint func(s State, text string) string

// WriteTree writes a graph as text: each image with the tasks that are built
// from it, and theirs in turn.
func WriteTree(w io.Writer, g *Graph, paint Paint) error {
	if paint == nil {
		paint = func(_ State, text string) string { return text }
	}
	t := &tree{paint: paint, home: map[*TaskNode]*ImageNode{}, shown: map[*TaskNode]bool{}}
	t.findHomes(g)
	for _, image := range g.Images {
		if len(image.From) == 0 {
			t.image(image, "", "")
		}
	}
	// What is left is built from itself.
	for _, image := range g.Images {
		if slices.ContainsFunc(image.Into, func(u Use) bool { return !t.shown[u.Task] && t.home[u.Task] == image }) {
			t.image(image, "", "")
		}
	}
	var alone []*TaskNode
	for _, n := range g.Tasks {
		if !t.shown[n] {
			alone = append(alone, n)
		}
	}
	if len(alone) > 0 {
		if t.b.Len() > 0 {
			t.b.WriteByte('\n')
		}
		t.b.WriteString("Tasks that are built from no image that is known:\n")
		for i, n := range alone {
			t.task(Use{Task: n}, true, "", branch(i, len(alone)))
		}
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

// tree is a tree while it is written.
type tree struct {
	b     strings.Builder
	paint Paint
	home  map[*TaskNode]*ImageNode // below which a task is shown whole
	shown map[*TaskNode]bool
}

// findHomes sets below which of its images each task is shown whole: the one
// that is made last, of those that are watched if there are any.
func (t *tree) findHomes(g *Graph) {
	depth := map[*ImageNode]int{}
	var dive func(image *ImageNode, open map[*ImageNode]bool) int
	dive = func(image *ImageNode, open map[*ImageNode]bool) int {
		if d, known := depth[image]; known || open[image] {
			return d
		}
		open[image] = true
		d := 1
		for _, n := range image.From {
			for _, b := range n.BaseImages {
				d = max(d, 1+dive(g.image(b.Image), open))
			}
		}
		depth[image] = d
		delete(open, image)
		return d
	}
	best := map[*TaskNode]int{}
	for _, image := range g.Images {
		for _, use := range image.Into {
			d := 2 * dive(image, map[*ImageNode]bool{})
			if use.Base.Watched {
				d += 2 * len(g.Images)
			}
			if use.Base.Type != "BuildTime" {
				d++
			}
			if d > best[use.Task] {
				best[use.Task], t.home[use.Task] = d, image
			}
		}
	}
}

// branch returns what stands in front of the i-th of n.
func branch(i, n int) string {
	if i == n-1 {
		return "└─ "
	}
	return "├─ "
}

// under returns what stands in front of what is below something.
func under(branch string) string {
	switch branch {
	case "":
		return ""
	case "└─ ":
		return "   "
	}
	return "│  "
}

func (t *tree) line(prefix, branch, format string, args ...any) {
	fmt.Fprintf(&t.b, "%s%s%s\n", prefix, branch, fmt.Sprintf(format, args...))
}

func (t *tree) image(image *ImageNode, prefix, at string) {
	name := familiar(image.Name)
	if image.Digest != "" {
		name += "  " + t.paint(Unarmed, Short(image.Digest))
	}
	switch {
	case image.Problem != "":
		name += "  " + t.paint(Stale, "["+image.Problem+"]")
	case !image.Checked.IsZero():
		name += "  " + t.paint(Unarmed, "checked "+image.Checked.UTC().Format("2006-01-02 15:04 UTC"))
	}
	t.line(prefix, at, "%s", name)
	for i, use := range image.Into {
		t.task(use, t.home[use.Task] == image, prefix+under(at), branch(i, len(image.Into)))
	}
}

// task writes a task as it is built from an image, at its home with all that is
// below it, once.
func (t *tree) task(use Use, atHome bool, prefix, at string) {
	n := use.Task
	text := t.paint(n.State(), "task "+n.Name) + " in " + n.Registry
	if words := standing(use, atHome); words != "" {
		text += "  " + t.paint(n.State(), "["+words+"]")
	}
	switch {
	case t.shown[n]:
		text += "  (see above)"
	case !atHome:
		text += "  (see below)"
	}
	t.line(prefix, at, "%s", text)
	if t.shown[n] || !atHome {
		return
	}
	t.shown[n] = true
	prefix += under(at)
	rest := len(n.Starts()) + len(n.WaitsFor) + min(len(n.Other), 1) + len(n.Pushes)
	next := func() string { rest--; return branch(0, rest+1) }
	for _, start := range n.Starts() {
		t.line(prefix, next(), "starts on %s", start)
	}
	for _, w := range n.WaitsFor {
		t.line(prefix, next(), "waits: %s", w.Why)
	}
	if len(n.Other) > 0 {
		t.line(prefix, next(), "pushes %s", shorten(n.Other))
	}
	for _, image := range n.Pushes {
		t.image(image, prefix, next())
	}
}

// shorten lists some images.
func shorten(images []string) string {
	const most = 3
	names := make([]string, 0, most)
	for _, image := range images[:min(len(images), most)] {
		names = append(names, familiar(image))
	}
	text := strings.Join(names, ", ")
	if more := len(images) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// standing says how a task stands with regard to one of its images, and at its
// home how it stands at all.
func standing(use Use, atHome bool) string {
	n, base := use.Task, use.Base
	var parts []string
	if atHome {
		parts = append(parts, string(n.State()))
		if n.State() == Stale && n.StaleReason != "" {
			parts[0] += ", " + n.StaleReason
		}
	}
	if base.Type == "BuildTime" {
		parts = append(parts, "build time")
	}
	if base.Stale {
		parts = append(parts, "stands on "+Short(base.Digest))
	}
	switch {
	case n.State() == Disabled && atHome:
	case base.Image != "" && !base.Watched:
		parts = append(parts, "not watched: "+base.Note)
	case atHome && n.State() == Unarmed && n.Reason != "":
		parts[0] += ": " + n.Reason
	}
	return strings.Join(parts, ", ")
}
