package plan

import (
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode/utf8"

	"github.com/drydockhq/drydock"
)

// walk calls f for n and every node below it.
func walk(n parse.Node, f func(parse.Node)) {
	switch v := n.(type) {
	case *parse.ListNode:
		if v == nil {
			return
		}
		f(n)
		for _, c := range v.Nodes {
			walk(c, f)
		}
	case *parse.ActionNode:
		f(n)
		walk(v.Pipe, f)
	case *parse.PipeNode:
		if v == nil {
			return
		}
		f(n)
		for _, c := range v.Cmds {
			walk(c, f)
		}
	case *parse.CommandNode:
		f(n)
		for _, c := range v.Args {
			walk(c, f)
		}
	case *parse.ChainNode:
		f(n)
		walk(v.Node, f)
	case *parse.IfNode:
		walkBranch(n, &v.BranchNode, f)
	case *parse.RangeNode:
		walkBranch(n, &v.BranchNode, f)
	case *parse.WithNode:
		walkBranch(n, &v.BranchNode, f)
	case *parse.TemplateNode:
		f(n)
		walk(v.Pipe, f)
	default:
		f(n)
	}
}

func walkBranch(n parse.Node, b *parse.BranchNode, f func(parse.Node)) {
	f(n)
	walk(b.Pipe, f)
	walk(b.List, f)
	walk(b.ElseList, f)
}

// find returns the first node for which f is true, or nil.
func find(t *template.Template, f func(parse.Node) bool) parse.Node {
	var found parse.Node
	for _, t := range t.Templates() {
		if t.Tree == nil {
			continue
		}
		walk(t.Root, func(n parse.Node) {
			if found == nil && f(n) {
				found = n
			}
		})
	}
	return found
}

// at puts an error where n stands in the template's text.
func at(e *drydock.Error, n parse.Node, text string) *drydock.Error {
	pos := min(int(n.Position()), len(text))
	start := strings.LastIndexByte(text[:pos], '\n') + 1
	return e.At(lineEnds(text).line(pos), utf8.RuneCountInString(text[start:pos])+1)
}

// findSecrets returns an error when a template uses .Secrets.
func findSecrets(t *template.Template, text string) error {
	n := find(t, usesSecrets)
	if n == nil {
		return nil
	}
	return at(drydock.Errorf(drydock.Invalid, "aliases can't use .Secrets: they are read before the secrets").
		WithHint("write {{.Secrets.…}} where the alias is used"), n, text)
}

// findReserved returns an error when a template calls the guard's functions.
func findReserved(t *template.Template, text string) error {
	n := find(t, func(n parse.Node) bool {
		id, ok := n.(*parse.IdentifierNode)
		return ok && strings.HasPrefix(id.Ident, "_")
	})
	if n == nil {
		return nil
	}
	return at(drydock.Errorf(drydock.Invalid, "template: function %q not defined", n.String()), n, text)
}

func usesSecrets(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.FieldNode:
		return n.Ident[0] == "Secrets"
	case *parse.VariableNode:
		return len(n.Ident) > 1 && n.Ident[0] == "$" && n.Ident[1] == "Secrets"
	case *parse.ChainNode:
		return slices.Contains(n.Field, "Secrets")
	}
	return false
}

// secretNames returns the names that a template may look up in .Secrets, as
// .Secrets.name or as index .Secrets "name".
func secretNames(t *template.Template) []string {
	var names []string
	for _, t := range t.Templates() {
		if t.Tree == nil {
			continue
		}
		walk(t.Root, func(n parse.Node) {
			switch n := n.(type) {
			case *parse.FieldNode:
				if usesSecrets(n) && len(n.Ident) > 1 {
					names = append(names, n.Ident[1])
				}
			case *parse.VariableNode:
				if usesSecrets(n) && len(n.Ident) > 2 {
					names = append(names, n.Ident[2])
				}
			case *parse.CommandNode:
				if !slices.ContainsFunc(n.Args, usesSecrets) {
					return
				}
				for _, arg := range n.Args {
					if arg, ok := arg.(*parse.StringNode); ok {
						names = append(names, arg.Text)
					}
				}
			}
		})
	}
	return names
}
