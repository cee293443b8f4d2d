package plan

import (
	"fmt"
	"slices"
	"strconv"
	"text/template"
	"text/template/parse"
)

// instrument adds the guard's calls to a parsed template.
func (g *guard) instrument(t *template.Template, text string) {
	ends := lineEnds(text)
	calls := template.FuncMap{tickName: g.tick, enterName: g.enter, leaveName: g.leave}
	action := func(name string, line ...any) parse.Node {
		source := "{{" + name + fmt.Sprintln(append([]any{""}, line...)...) + "}}"
		return template.Must(template.New("").Funcs(calls).Parse(source)).Root.Nodes[0]
	}
	for _, t := range t.Templates() {
		if t.Tree == nil || t.Root == nil {
			continue
		}
		var loops []*parse.RangeNode // changed only after the walk, which would go into what is added
		walk(t.Root, func(n parse.Node) {
			switch n := n.(type) {
			case *parse.RangeNode:
				loops = append(loops, n)
			case *parse.ActionNode:
				if len(n.Pipe.Decl) == 0 {
					n.Pipe.Cmds = append(n.Pipe.Cmds, printed(n, ends.line(int(n.Pos))))
				}
			}
		})
		for _, n := range loops {
			n.List.Nodes = slices.Insert(n.List.Nodes, 0, action(tickName, ends.line(int(n.Pos))))
		}
		t.Root.Nodes = slices.Insert(t.Root.Nodes, 0, action(enterName, ends.line(int(t.Root.Pos))))
		t.Root.Nodes = append(t.Root.Nodes, action(leaveName))
	}
}

// printed returns the call that ends the pipeline of an action.
func printed(n *parse.ActionNode, line int) *parse.CommandNode {
	name, ok := plainField(n.Pipe)
	if !ok {
		return call(outName, n.Pos)
	}
	c := call(fieldName, n.Pos)
	c.Args = append(c.Args,
		&parse.StringNode{NodeType: parse.NodeString, Pos: n.Pos, Quoted: strconv.Quote(name), Text: name},
		&parse.NumberNode{NodeType: parse.NodeNumber, Pos: n.Pos, IsInt: true, Int64: int64(line), Text: strconv.Itoa(line)})
	return c
}

func call(name string, pos parse.Pos) *parse.CommandNode {
	return &parse.CommandNode{
		NodeType: parse.NodeCommand, Pos: pos,
		Args: []parse.Node{parse.NewIdentifier(name).SetPos(pos)},
	}
}
