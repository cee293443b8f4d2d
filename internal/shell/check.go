package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// checker refuses what is not part of the language.
type checker struct {
	src   string
	call  func(*syntax.CallExpr) // told every simple command in the order of the text; may be nil
	calls int
}

func (c *checker) stmts(list []*syntax.Stmt) error {
	for _, s := range list {
		if err := c.stmt(s); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) stmt(s *syntax.Stmt) error {
	if s.Background || s.Coprocess || s.Disown {
		return errorAt(c.src, int(s.Semicolon.Offset()), "`&` can't put a command in the background").
			WithHint("give it a step of its own with `detach: true`, or let a shell inside the container do it: bash -c '…'")
	}
	if s.Cmd != nil {
		if err := c.command(s.Cmd); err != nil {
			return err
		}
	}
	for _, r := range s.Redirs {
		if err := c.redirect(r); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) command(cmd syntax.Command) error {
	switch cmd := cmd.(type) {
	case *syntax.CallExpr:
		return c.simple(cmd)
	case *syntax.BinaryCmd:
		if err := c.stmt(cmd.X); err != nil {
			return err
		}
		return c.stmt(cmd.Y)
	case *syntax.Block:
		return c.stmts(cmd.Stmts)
	case *syntax.Subshell:
		return c.stmts(cmd.Stmts)
	default:
		return errorAt(c.src, int(cmd.Pos().Offset()), "%s is not part of the command language", construct(cmd)).
			WithHint("%s", hintBash)
	}
}

// construct names a command as users know it.
func construct(cmd syntax.Command) string {
	switch cmd := cmd.(type) {
	case *syntax.IfClause:
		return "`if`"
	case *syntax.WhileClause:
		if cmd.Until {
			return "`until`"
		}
		return "`while`"
	case *syntax.ForClause:
		if cmd.Select {
			return "`select`"
		}
		return "`for`"
	case *syntax.CaseClause:
		return "`case`"
	case *syntax.FuncDecl:
		return "a function"
	case *syntax.ArithmCmd:
		return "`((`"
	case *syntax.TestClause:
		return "`[[`"
	case *syntax.DeclClause:
		return "`" + cmd.Variant.Value + "`"
	case *syntax.LetClause:
		return "`let`"
	case *syntax.TimeClause:
		return "`time`"
	case *syntax.CoprocClause:
		return "`coproc`"
	default:
		return "this"
	}
}

func (c *checker) simple(call *syntax.CallExpr) error {
	for _, a := range call.Assigns {
		if err := c.assign(a); err != nil {
			return err
		}
	}
	for i, w := range call.Args {
		if err := c.word(w); err != nil {
			return err
		}
		if lit, ok := literal(w); ok && i == 0 {
			if err := c.image(w, lit); err != nil {
				return err
			}
		}
	}
	if c.call != nil {
		c.call(call)
	}
	if len(call.Args) == 0 {
		return nil
	}
	if c.calls++; c.calls > MaxCommands {
		return errorAt(c.src, int(call.Pos().Offset()), "the command is a list of more than %d", MaxCommands).
			WithHint("put them into a script in the context and run that")
	}
	return nil
}

// image refuses a command word that can't be an image.
func (c *checker) image(w *syntax.Word, name string) error {
	at := int(w.Pos().Offset())
	switch {
	case name == "":
		return errorAt(c.src, at, "the command word is empty").
			WithHint("it must name an image")
	case strings.HasPrefix(name, "-") && c.calls == 0:
		return errorAt(c.src, at, "`%s` stands where the image belongs; options of `docker run` can't be given in front of it", name).
			WithHint("%s", runFlag(name))
	case strings.HasPrefix(name, "-"):
		return errorAt(c.src, at, "`%s` stands where an image belongs", name).
			WithHint("every command of the list begins with an image")
	}
	return nil
}
