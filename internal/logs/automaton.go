package logs

// automaton finds all needles of a set in a text, byte by byte (Aho and
// Corasick, 1975). It does not change once it is made.
type automaton struct {
	nodes []node
	roots [256]int32           // the children of node 0
	wide  map[edge]int32       // further children of the other nodes that have more than one
	pairs [1 << 16 / 64]uint64 // a bit for each two bytes that a needle begins with
}

// node is a prefix of one or more needles; node 0 is the empty one.
type node struct {
	next  int32 // the first child; 0 for none
	fail  int32 // the longest proper suffix that is a node too
	depth int32 // length of the prefix
	open  int32 // length of the longest suffix that more can follow
	match int32 // length of the longest needle that ends here; 0 for none
	char  byte  // leads to next
	many  bool  // there are more children, in wide
}

type edge struct {
	from int32
	char byte
}

// newAutomaton makes an automaton for needles of at least two bytes each.
func newAutomaton(needles []string) *automaton {
	a := &automaton{nodes: make([]node, 1), wide: make(map[edge]int32)}
	for _, needle := range needles {
		a.add(needle)
	}
	a.link()
	return a
}

func (a *automaton) add(needle string) {
	at := int32(0)
	for i := range len(needle) {
		to := a.child(at, needle[i])
		if to == 0 {
			to = a.grow(at, needle[i])
		}
		at = to
	}
	a.nodes[at].match = int32(len(needle))
	pair := int(needle[0])<<8 | int(needle[1])
	a.pairs[pair/64] |= 1 << (pair % 64)
}

func (a *automaton) grow(from int32, char byte) int32 {
	to := int32(len(a.nodes))
	a.nodes = append(a.nodes, node{depth: a.nodes[from].depth + 1})
	parent := &a.nodes[from]
	switch {
	case from == 0:
		a.roots[char] = to
	case parent.next == 0:
		parent.next, parent.char = to, char
	default:
		parent.many = true
		a.wide[edge{from, char}] = to
	}
	return to
}

// child returns the node that char leads to, or 0.
func (a *automaton) child(from int32, char byte) int32 {
	if from == 0 {
		return a.roots[char]
	}
	n := &a.nodes[from]
	switch {
	case n.next != 0 && n.char == char:
		return n.next
	case n.many:
		return a.wide[edge{from, char}]
	default:
		return 0
	}
}

// link sets fail and open and inherits matches, nearest nodes first.
func (a *automaton) link() {
	for _, e := range a.breadthFirst() {
		n := &a.nodes[a.child(e.from, e.char)]
		if e.from != 0 {
			n.fail = a.step(a.nodes[e.from].fail, e.char)
		}
		if n.match == 0 {
			n.match = a.nodes[n.fail].match
		}
		n.open = n.depth
		if n.next == 0 {
			n.open = a.nodes[n.fail].open
		}
	}
}

func (a *automaton) breadthFirst() []edge {
	order := make([]edge, 0, len(a.nodes))
	for char, to := range a.roots {
		if to != 0 {
			order = append(order, edge{0, byte(char)})
		}
	}
	further := make(map[int32][]edge)
	for e := range a.wide {
		further[e.from] = append(further[e.from], e)
	}
	for i := 0; i < len(order); i++ {
		at := a.child(order[i].from, order[i].char)
		if n := &a.nodes[at]; n.next != 0 {
			order = append(order, edge{at, n.char})
		}
		if a.nodes[at].many {
			order = append(order, further[at]...)
		}
	}
	return order
}

// step returns the longest suffix of the text so far, char included, that is a
// prefix of a needle.
func (a *automaton) step(at int32, char byte) int32 {
	for {
		if to := a.child(at, char); to != 0 {
			return to
		}
		if at == 0 {
			return 0
		}
		at = a.nodes[at].fail
	}
}

// skip returns the first index from i on at which a needle may begin. The last
// byte of text always may.
func (a *automaton) skip(text []byte, i int) int {
	for ; i+1 < len(text); i++ {
		pair := int(text[i])<<8 | int(text[i+1])
		if a.pairs[pair/64]&(1<<(pair%64)) != 0 {
			return i
		}
	}
	return i
}
