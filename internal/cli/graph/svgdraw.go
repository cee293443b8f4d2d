package graph

import (
	"fmt"
	"html"
)

func (p *picture) text(x, y float64, class, fill, text string) {
	colour := ""
	if fill != "" {
		colour = ` style="fill:` + fill + `"`
	}
	fmt.Fprintf(&p.b, `<text x="%.1f" y="%.1f" class="%s"%s>%s</text>`+"\n", x, y, class, colour, html.EscapeString(text))
}

// draw draws the links, and the cards over them.
func (p *picture) draw() {
	for _, a := range p.arrows {
		p.arrow(a)
	}
	for _, c := range p.cards {
		p.card(c)
	}
	for _, c := range p.alone {
		p.card(c)
	}
}

func (p *picture) arrow(a arrow) {
	dash := ""
	if a.dashed {
		dash = ` stroke-dasharray="5 4"`
	}
	way := forward(a.path)
	if a.back {
		way = backward(a.path)
	}
	fmt.Fprintf(&p.b, `<path class="l" d="%s" stroke="%s"%s marker-end="url(#a%s)"><title>%s</title></path>`+"\n",
		way, a.ink, dash, a.ink[1:], html.EscapeString(a.tip))
}

// forward is the way of a link to the right. It bends between the columns only,
// so that it crosses no card.
func forward(path []*box) string {
	from := path[0]
	d := fmt.Sprintf("M%.1f,%.1fH%.1f", from.x+from.width, from.middle(), from.x+from.column)
	for i, b := range path[1:] {
		before := path[i]
		x, half := before.x+before.column, columnGap/2
		d += fmt.Sprintf("C%.1f,%.1f %.1f,%.1f %.1f,%.1f", x+half, before.middle(), b.x-half, b.middle(), b.x, b.middle())
		if b.dummy {
			d += fmt.Sprintf("H%.1f", b.x+b.column)
		}
	}
	return d
}

// loop is how far a link that goes back reaches over its ends.
const loop = 24.0

// backward is the way of a link that closes a circle: around its ends, and to
// the left in lanes between the cards.
func backward(path []*box) string {
	from, to := path[0], path[len(path)-1]
	lanes := path[1 : len(path)-1]
	x, y := from.x+from.column, lanes[0].middle()
	d := fmt.Sprintf("M%.1f,%.1fH%.1fC%.1f,%.1f %.1f,%.1f %.1f,%.1f",
		from.x+from.width, from.middle(), x, x+loop, from.middle(), x+loop, y, x, y)
	for i, lane := range lanes {
		if i > 0 {
			x, half := lane.x+lane.column, columnGap/2
			d += fmt.Sprintf("C%.1f,%.1f %.1f,%.1f %.1f,%.1f", lanes[i-1].x-half, lanes[i-1].middle(), x+half, lane.middle(), x, lane.middle())
		}
		d += fmt.Sprintf("H%.1f", lane.x)
	}
	y = lanes[len(lanes)-1].middle()
	return d + fmt.Sprintf("C%.1f,%.1f %.1f,%.1f %.1f,%.1f", to.x-loop, y, to.x-loop, to.middle(), to.x, to.middle())
}

func (p *picture) card(c *card) {
	fmt.Fprintf(&p.b, "<g><title>%s</title>\n", html.EscapeString(c.tip))
	fill, border, dash := "#eef3fe", "#c5d3f5", ""
	switch {
	case c.task != nil:
		fill, border = stateColours[c.task.State()].card, "#ced4da"
		if c.task.State() == Disabled {
			dash = ` stroke-dasharray="4 3"`
		}
	case len(c.in) > 0 && len(c.out) == 0:
		fill, border = "#f4f6f8", "#d8dee6"
	case c.soft:
		fill, border, dash = "#f5f7fa", "#ced4da", ` stroke-dasharray="4 3"`
	}
	corner := 7.0
	if c.task == nil {
		corner = min(18, c.height/2)
	}
	fmt.Fprintf(&p.b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%.0f" fill="%s" stroke="%s"%s/>`+"\n",
		c.x, c.y, c.width, c.height, corner, fill, border, dash)
	if c.task != nil {
		fmt.Fprintf(&p.b, `<rect x="%.1f" y="%.1f" width="%.0f" height="%.1f" rx="2.5" fill="%s"/>`+"\n",
			c.x+4, c.y+7, bar-1, c.height-14, stateColours[c.task.State()].ink)
	}
	y := c.y + padding
	for _, l := range c.lines {
		y += l.size
		p.text(c.x+padding+bar, y-1.5, l.class, l.fill, l.text)
		y += 5
	}
	p.b.WriteString("</g>\n")
}

// legend says what the colours mean.
func (p *picture) legend(y float64) {
	x := margin
	for _, s := range []State{Current, Due, Stale, Unarmed, Disabled} {
		fmt.Fprintf(&p.b, `<rect x="%.1f" y="%.1f" width="5" height="14" rx="2.5" fill="%s"/>`+"\n", x, y-11, stateColours[s].ink)
		p.text(x+11, y, "r", "", string(s))
		x += 26 + float64(len(s))*11*plainWidth
	}
	for _, l := range []struct{ ink, dash, text string }{
		{watchedInk, "", "watches"}, {staleInk, "", "stands on an older one"}, {unwatchedInk, ` stroke-dasharray="5 4"`, "built from, not watched"}, {pushInk, "", "pushes"},
	} {
		fmt.Fprintf(&p.b, `<path class="l" d="M%.1f,%.1fh26" stroke="%s"%s marker-end="url(#a%s)"/>`+"\n", x, y-4, l.ink, l.dash, l.ink[1:])
		p.text(x+34, y, "r", "", l.text)
		x += 50 + float64(len(l.text))*11*plainWidth
	}
}
