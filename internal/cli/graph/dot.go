package graph

import (
	"fmt"
	"io"
	"strings"
)

// fills are the colours of tasks, by their states.
var fills = map[State]string{
	Current: "#e6f4ea", Due: "#fff4d6", Waiting: "#fff4d6", Stale: "#fde7d9", Unarmed: "#f1f3f5", Disabled: "#e9ecef",
}

// WriteDOT writes a graph for Graphviz.
func WriteDOT(w io.Writer, g *Graph) error {
	var b strings.Builder
	b.WriteString("digraph tasks {\n\trankdir=LR;\n\tnode [fontname=\"Helvetica\", fontsize=11];\n\tedge [color=\"#868e96\"];\n")
	for i, image := range g.Images {
		label := familiar(image.Name)
		if image.Digest != "" {
			label += "\n" + Short(image.Digest)
		}
		fmt.Fprintf(&b, "\ti%d [shape=cylinder, label=%s];\n", i, quote(label))
	}
	number := map[*TaskNode]int{}
	for i, n := range g.Tasks {
		number[n] = i
		label := n.Name + "\n" + n.Registry + "\n" + string(n.State())
		fmt.Fprintf(&b, "\tt%d [shape=box, style=\"rounded,filled\", fillcolor=%s, label=%s, tooltip=%s];\n",
			i, quote(fills[n.State()]), quote(label), quote(n.Reason))
	}
	for i, image := range g.Images {
		for _, use := range image.Into {
			style := "solid"
			if !use.Base.Watched {
				style = "dashed"
			}
			fmt.Fprintf(&b, "\ti%d -> t%d [style=%s, tooltip=%s];\n", i, number[use.Task], style, quote(use.Base.Note))
		}
		for _, n := range image.From {
			fmt.Fprintf(&b, "\tt%d -> i%d;\n", number[n], i)
		}
	}
	for i, n := range g.Tasks {
		if len(n.Other) > 0 {
			fmt.Fprintf(&b, "\to%d [shape=note, label=%s];\n\tt%d -> o%d;\n", i, quote(shorten(n.Other)), i, i)
		}
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// quote writes a string of DOT.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
}
