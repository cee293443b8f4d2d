package graph

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
)

// colours are those of a state: of the bar and the words, and of the card.
type colours struct{ ink, card string }

var stateColours = map[State]colours{
	Current:  {"#2b8a3e", "#ffffff"},
	Due:      {"#b25f00", "#fff9e8"},
	Waiting:  {"#b25f00", "#fff9e8"},
	Stale:    {"#c92a2a", "#fff5f5"},
	Unarmed:  {"#6c757d", "#f8f9fa"},
	Disabled: {"#868e96", "#f1f3f5"},
}

// The colours of links.
const (
	watchedInk   = "#4263eb"
	unwatchedInk = "#adb5bd"
	pushInk      = "#495057"
	staleInk     = "#e8590c"
)

const (
	margin    = 32.0
	headSpace = 64.0
	footSpace = 56.0
	padding   = 12.0
	bar       = 5.0
	longest   = 44 // characters of a line
)

// The widths of a character, as parts of its size, in the fonts that are likely.
const (
	plainWidth = 0.54
	boldWidth  = 0.58
	monoWidth  = 0.605
)

const style = `text{font-family:Inter,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:#212529}
.h{font-size:18px;font-weight:600}.s{font-size:12px;fill:#6c757d}.n{font-size:13px;font-weight:600}
.r{font-size:11px;fill:#6c757d}.w{font-size:11px;font-weight:600}
.i{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12px;fill:#1c3d7a}
.d{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:10px;fill:#748196}
path.l{fill:none;stroke-width:1.6}`

// line is a line of text in a card.
type line struct {
	class, text, fill string
	size, width       float64 // of the font, and of a character as a part of that
}

func (l line) length() float64 { return float64(len([]rune(l.text))) * l.size * l.width }

// card is a node of the picture.
type card struct {
	*box
	lines []line
	tip   string
	task  *TaskNode // nil for an image
	soft  bool      // an image that nothing watches
}

// picture is a graph while it is drawn.
type picture struct {
	b      strings.Builder
	layout layout
	cards  []*card
	arrows []arrow
	alone  []*card // tasks that are linked to nothing
}

// arrow is a link with how it looks.
type arrow struct {
	*link
	ink    string
	dashed bool
	tip    string
}

// WriteSVG writes a graph as a picture that needs nothing else. The title says
// what it is of.
func WriteSVG(w io.Writer, g *Graph, title string) error {
	p := &picture{}
	p.fill(g)
	width, height := p.layout.arrange()
	width = max(width, p.grid(max(width, 860), height))
	for _, c := range p.alone {
		height = max(height, c.y+c.height)
	}
	width, height = max(width, 860)+2*margin, height+headSpace+footSpace+margin
	fmt.Fprintf(&p.b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(&p.b, "<title>%s</title>\n<style>%s</style>\n<defs>\n", html.EscapeString(title), style)
	for _, ink := range []string{watchedInk, unwatchedInk, pushInk, staleInk} {
		fmt.Fprintf(&p.b, `<marker id="a%s" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0,0.6L7.5,4L0,7.4z" fill="%s"/></marker>`+"\n", ink[1:], ink)
	}
	fmt.Fprintf(&p.b, "</defs>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fcfcfd\"/>\n")
	p.text(margin, 36, "h", "", title)
	p.text(margin, 56, "s", "", fmt.Sprintf("%s, %s", count(len(g.Tasks), "task"), count(len(g.Images), "base image")))
	fmt.Fprintf(&p.b, `<g transform="translate(%.0f,%.0f)">`+"\n", margin, headSpace+margin/2)
	if len(p.alone) > 0 {
		p.text(0, p.alone[0].y-10, "s", "", "Built from no image that is known")
	}
	p.draw()
	p.b.WriteString("</g>\n")
	p.legend(height - footSpace/2)
	p.b.WriteString("</svg>\n")
	_, err := io.WriteString(w, p.b.String())
	return err
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// fill makes the cards and the links between them.
func (p *picture) fill(g *Graph) {
	images, tasks := map[*ImageNode]*card{}, map[*TaskNode]*card{}
	for _, image := range g.Images {
		images[image] = p.imageCard(image)
	}
	for _, n := range g.Tasks {
		c := newCard(taskLines(n))
		c.task, c.tip = n, strings.Join(append([]string{n.ID, string(n.State()), n.Reason}, n.Starts()...), "\n")
		tasks[n] = c
		if len(n.BaseImages) == 0 && len(n.Pushes) == 0 {
			p.alone = append(p.alone, c)
			continue
		}
		p.keep(c)
		if len(n.Other) > 0 {
			out := p.keep(newCard(outputLines(n.Other)))
			out.tip = strings.Join(n.Other, "\n")
			p.arrows = append(p.arrows, arrow{link: p.layout.link(c.box, out.box), ink: pushInk})
		}
	}
	for _, image := range g.Images {
		for _, n := range image.From {
			p.arrows = append(p.arrows, arrow{link: p.layout.link(tasks[n].box, images[image].box), ink: pushInk, tip: n.Name + " pushes " + image.Name})
		}
		for _, use := range image.Into {
			a := arrow{link: p.layout.link(images[image].box, tasks[use.Task].box), ink: watchedInk, tip: use.Task.Name + " is built from " + image.Name}
			switch {
			case !use.Base.Watched:
				a.ink, a.dashed, a.tip = unwatchedInk, true, a.tip+": "+use.Base.Note
			case use.Base.Stale:
				a.ink, a.tip = staleInk, a.tip+", and stands on "+use.Base.Digest
			}
			p.arrows = append(p.arrows, a)
		}
	}
}

func (p *picture) keep(c *card) *card {
	p.layout.boxes = append(p.layout.boxes, c.box)
	p.cards = append(p.cards, c)
	return c
}

func newCard(lines []line) *card {
	c := &card{box: &box{}, lines: lines}
	for _, l := range lines {
		c.width = max(c.width, l.length())
		c.height += l.size + 5
	}
	c.width, c.height = max(c.width+2*padding+bar, 130), c.height+2*padding-5
	return c
}

func (p *picture) imageCard(image *ImageNode) *card {
	host, rest, _ := strings.Cut(image.Name, "/")
	name, digest, pinned := strings.Cut(rest, "@")
	if host == "docker.io" {
		name = strings.TrimPrefix(name, "library/")
	}
	lines := []line{{class: "r", text: cut(host), size: 11, width: plainWidth}, {class: "i", text: cut(name), size: 12, width: monoWidth}}
	digest = cmp.Or(image.Digest, digest)
	switch {
	case pinned:
		lines = append(lines, line{class: "d", text: "pinned to " + Short(digest), size: 10, width: monoWidth})
	case digest != "":
		lines = append(lines, line{class: "d", text: Short(digest), size: 10, width: monoWidth})
	}
	if image.Problem != "" {
		for _, text := range wrap(image.Problem) {
			lines = append(lines, line{class: "w", text: text, fill: stateColours[Stale].ink, size: 11, width: boldWidth})
		}
	}
	c := p.keep(newCard(lines))
	c.tip = image.Name + "\n" + digest + "\n" + image.Problem
	c.soft = !slices.ContainsFunc(image.Into, func(u Use) bool { return u.Base.Watched })
	return c
}

func taskLines(n *TaskNode) []line {
	state := n.State()
	word := string(state)
	switch {
	case state == Unarmed && n.Reason != "":
		word += ": " + n.Reason
	case state == Waiting:
		word += ": " + n.WaitsFor[0].Why
	}
	lines := []line{
		{class: "n", text: cut(n.Name), size: 13, width: boldWidth},
		{class: "r", text: cut(n.Registry), size: 11, width: plainWidth},
	}
	for _, text := range wrap(word) {
		lines = append(lines, line{class: "w", text: text, fill: stateColours[state].ink, size: 11, width: boldWidth})
	}
	for _, start := range n.Starts() {
		start, _, _ = strings.Cut(start, ", ")
		lines = append(lines, line{class: "r", text: cut("starts on " + start), size: 11, width: plainWidth})
	}
	return lines
}

func outputLines(images []string) []line {
	const most = 3
	var lines []line
	for _, image := range images[:min(len(images), most)] {
		lines = append(lines, line{class: "d", text: cut(familiar(image)), size: 10, width: monoWidth})
	}
	if more := len(images) - most; more > 0 {
		lines = append(lines, line{class: "d", text: fmt.Sprintf("and %d more", more), size: 10, width: monoWidth})
	}
	return lines
}

// wrap breaks a sentence into lines, three at most.
func wrap(sentence string) []string {
	const long, most = 38, 3
	lines := []string{""}
	for _, word := range strings.Fields(sentence) {
		last := len(lines) - 1
		switch {
		case lines[last] == "":
			lines[last] = cut(word)
		case len(lines[last])+1+len(word) <= long:
			lines[last] += " " + word
		case len(lines) == most:
			lines[last] += " …"
			return lines
		default:
			lines = append(lines, cut(word))
		}
	}
	return lines
}

// cut shortens a text in its middle.
func cut(text string) string {
	runes := []rune(text)
	if len(runes) <= longest {
		return text
	}
	return string(runes[:longest/2]) + "…" + string(runes[len(runes)-longest/2+1:])
}

// grid places the tasks that are linked to nothing in rows below the rest.
func (p *picture) grid(width, height float64) (used float64) {
	x, y, tallest := 0.0, height, 0.0
	if len(p.alone) > 0 {
		y += 3 * rowGap
	}
	for _, c := range p.alone {
		if x > 0 && x+c.width > width {
			x, y, tallest = 0, y+tallest+rowGap, 0
		}
		c.x, c.y = x, y
		x += c.width + rowGap
		tallest, used = max(tallest, c.height), max(used, x-rowGap)
	}
	return used
}
