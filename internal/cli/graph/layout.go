package graph

import (
	"cmp"
	"slices"
)

// box is a node of a picture while it is laid out.
type box struct {
	width, height float64
	layer         int
	x, y          float64 // of the upper left corner
	column        float64 // width of its layer
	out           []*link
	in            []*link
	dummy         bool // a bend of a link, without a size
	done, open    bool // while circles are looked for
	order         float64
}

func (b *box) middle() float64 { return b.y + b.height/2 }

// link leads from a box to another.
type link struct {
	from, to *box
	path     []*box // from, bends, to
	back     bool   // against the others: it closes a circle
}

// layout is a picture while boxes are put into layers, from left to right, so
// that links are short and cross little. It goes the way of Sugiyama.
type layout struct {
	boxes  []*box
	links  []*link
	layers [][]*box
}

func (l *layout) link(from, to *box) *link {
	k := &link{from: from, to: to}
	l.links = append(l.links, k)
	from.out, to.in = append(from.out, k), append(to.in, k)
	return k
}

const (
	columnGap = 64.0
	rowGap    = 18.0
	sweeps    = 12
)

// arrange sets where the boxes are, and returns how large the picture is.
func (l *layout) arrange() (width, height float64) {
	if len(l.boxes) == 0 {
		return 0, 0
	}
	for _, b := range l.boxes {
		if !b.done {
			findCircles(b)
		}
	}
	l.assignLayers()
	l.bend()
	l.sort()
	return l.place()
}

// findCircles marks the links that lead back to a box which led to them.
func findCircles(b *box) {
	b.open = true
	for _, k := range b.out {
		switch {
		case k.to.open:
			k.back = true
		case !k.to.done:
			findCircles(k.to)
		}
	}
	b.open, b.done = false, true
}

// assignLayers puts each box behind all that lead to it, and those that nothing
// leads to right before the first that they lead to.
func (l *layout) assignLayers() {
	for changed := true; changed; {
		changed = false
		for _, k := range l.links {
			if !k.back && k.to.layer <= k.from.layer {
				k.to.layer, changed = k.from.layer+1, true
			}
		}
	}
	for _, b := range l.boxes {
		first := -1
		for _, k := range b.out {
			if !k.back && (first < 0 || k.to.layer < first) {
				first = k.to.layer
			}
		}
		if first > 0 && !slices.ContainsFunc(b.in, func(k *link) bool { return !k.back }) {
			b.layer = first - 1
		}
	}
}

// bend breaks links over several layers into pieces, and fills the layers.
func (l *layout) bend() {
	last := 0
	for _, b := range l.boxes {
		last = max(last, b.layer)
	}
	l.layers = make([][]*box, last+1)
	for _, b := range l.boxes {
		l.layers[b.layer] = append(l.layers[b.layer], b)
	}
	for _, k := range l.links {
		first, last := k.from.layer+1, k.to.layer-1
		if k.back {
			// It goes around both of its ends, so it needs a lane beside them too.
			first, last = k.to.layer, k.from.layer
		}
		var bends []*box
		for layer := first; layer <= last; layer++ {
			d := &box{layer: layer, dummy: true, height: 4}
			l.layers[layer] = append(l.layers[layer], d)
			bends = append(bends, d)
		}
		if k.back {
			slices.Reverse(bends)
		}
		k.path = append(append([]*box{k.from}, bends...), k.to)
	}
}

// neighbours returns the boxes that a box is linked to, by layers.
func (l *layout) neighbours() map[*box]map[int][]*box {
	near := map[*box]map[int][]*box{}
	join := func(a, b *box) {
		if near[a] == nil {
			near[a] = map[int][]*box{}
		}
		near[a][b.layer] = append(near[a][b.layer], b)
	}
	for _, k := range l.links {
		for i := range len(k.path) - 1 {
			if k.path[i].layer != k.path[i+1].layer {
				join(k.path[i], k.path[i+1])
				join(k.path[i+1], k.path[i])
			}
		}
	}
	return near
}

// sort orders the boxes of each layer by where those are that they are linked
// to, from the left and from the right by turns, and keeps the order with the
// fewest crossings.
func (l *layout) sort() {
	near := l.neighbours()
	number(l.layers)
	best, fewest := l.order(), l.crossings(near)
	for sweep := range sweeps {
		for i := range l.layers {
			at, beside := i, i-1
			if sweep%2 == 1 {
				at = len(l.layers) - 1 - i
				beside = at + 1
			}
			for _, b := range l.layers[at] {
				if there := near[b][beside]; len(there) > 0 {
					b.order = mean(there, func(b *box) float64 { return b.order })
				}
			}
			slices.SortStableFunc(l.layers[at], func(a, b *box) int { return cmp.Compare(a.order, b.order) })
			number(l.layers[at : at+1])
		}
		l.swap(near)
		if n := l.crossings(near); n < fewest {
			best, fewest = l.order(), n
		}
	}
	l.layers = best
	number(l.layers)
}

// number gives the boxes of layers their places.
func number(layers [][]*box) {
	for _, layer := range layers {
		for place, b := range layer {
			b.order = float64(place)
		}
	}
}

// order returns a copy of the layers.
func (l *layout) order() [][]*box {
	layers := make([][]*box, len(l.layers))
	for i, layer := range l.layers {
		layers[i] = slices.Clone(layer)
	}
	return layers
}

// large is how many boxes a layer has whose crossings are not looked at one by
// one.
const large = 200

// crossings counts the pairs of links between neighbouring layers that cross.
func (l *layout) crossings(near map[*box]map[int][]*box) int {
	n := 0
	for _, layer := range l.layers[:len(l.layers)-1] {
		if len(layer) > large {
			continue
		}
		for i, a := range layer {
			for _, b := range layer[i+1:] {
				n += crossed(near[a][a.layer+1], near[b][b.layer+1])
			}
		}
	}
	return n
}

// crossed counts the pairs of which the one of the upper box ends below the one
// of the lower box.
func crossed(upper, lower []*box) int {
	n := 0
	for _, a := range upper {
		for _, b := range lower {
			if a.order > b.order {
				n++
			}
		}
	}
	return n
}

// swap changes the places of neighbours whose links cross less then.
func (l *layout) swap(near map[*box]map[int][]*box) {
	for _, layer := range l.layers {
		if len(layer) > large {
			continue
		}
		for i := range len(layer) - 1 {
			a, b := layer[i], layer[i+1]
			now, then := 0, 0
			for _, beside := range []int{a.layer - 1, a.layer + 1} {
				now += crossed(near[a][beside], near[b][beside])
				then += crossed(near[b][beside], near[a][beside])
			}
			if then < now {
				layer[i], layer[i+1] = b, a
				a.order, b.order = b.order, a.order
			}
		}
	}
}

func mean(boxes []*box, of func(*box) float64) float64 {
	sum := 0.0
	for _, b := range boxes {
		sum += of(b)
	}
	return sum / float64(len(boxes))
}

// place sets the coordinates.
func (l *layout) place() (width, height float64) {
	near := l.neighbours()
	x := 0.0
	for _, layer := range l.layers {
		column, y := 0.0, 0.0
		for _, b := range layer {
			column = max(column, b.width)
			b.y = y
			y += b.height + rowGap
		}
		for _, b := range layer {
			b.x, b.column = x, column
		}
		x += column + columnGap
	}
	for sweep := range 4 * sweeps {
		for i := range l.layers {
			at := i
			if sweep%2 == 1 {
				at = len(l.layers) - 1 - i
			}
			pull(l.layers[at], near)
		}
	}
	top := l.layers[0][0].y
	for _, layer := range l.layers {
		top = min(top, layer[0].y)
	}
	for _, layer := range l.layers {
		for _, b := range layer {
			b.y -= top
			height = max(height, b.y+b.height)
		}
	}
	return x - columnGap, height
}

// run is a number of boxes of a layer that touch, so that they move together.
type run struct {
	boxes       []*box
	y, height   float64 // of all with the gaps between them
	sum, weight float64 // of where they would like to begin
}

// pull moves the boxes of a layer towards those that they are linked to, as far
// as their order and the gaps between them let it.
func pull(layer []*box, near map[*box]map[int][]*box) {
	var runs []*run
	for _, b := range layer {
		want := b.y
		if there := slices.Concat(near[b][b.layer-1], near[b][b.layer+1]); len(there) > 0 {
			want = mean(there, (*box).middle) - b.height/2
		}
		runs = append(runs, &run{boxes: []*box{b}, y: want, height: b.height, sum: want, weight: 1})
		for len(runs) > 1 {
			last, before := runs[len(runs)-1], runs[len(runs)-2]
			if last.y >= before.y+before.height+rowGap {
				break
			}
			// Each box says where the first of the joined run should be.
			offset := before.height + rowGap
			before.boxes = append(before.boxes, last.boxes...)
			before.sum += last.sum - offset*last.weight
			before.weight += last.weight
			before.height = offset + last.height
			before.y = before.sum / before.weight
			runs = runs[:len(runs)-1]
		}
	}
	for _, r := range runs {
		y := r.y
		for _, b := range r.boxes {
			b.y = y
			y += b.height + rowGap
		}
	}
}
