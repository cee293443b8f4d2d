package cli

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/coder/websocket"
	"golang.org/x/term"
)

// endOfInput is the key that ends the input of a terminal, Ctrl-D.
const endOfInput = 4

func asCloseError(err error, to *websocket.CloseError) bool { return errors.As(err, to) }

func containerExec() command {
	var g containerFlags
	var container, line string
	var rows, columns int
	return command{
		use: "exec", short: "Run a command in a container, on a terminal",
		example: "  drydock container exec -g demo -n hello --exec-command /bin/sh",
		flags: func(f *flags) {
			g.define(f)
			f.StringVar(&line, "exec-command", "", "the command, with arguments if it has any")
			f.StringVar(&container, "container-name", "", "name of the container (default: the only one)")
			f.IntVar(&rows, "terminal-row-size", 0, "height of the terminal (default: that of this one)")
			f.IntVar(&columns, "terminal-col-size", 0, "width of the terminal (default: that of this one)")
			f.need("exec-command")
		},
		run: func(c *call) (any, error) {
			a, group, err := g.get(c)
			if err != nil {
				return nil, err
			}
			name, err := c.containerOf(group, container, true)
			if err != nil {
				return nil, err
			}
			_, r, err := g.request(c, http.MethodPost, "/containers/"+escape(name)+"/exec")
			if err != nil {
				return nil, err
			}
			size := terminalSize(c.Stdout)
			if rows > 0 {
				size["rows"] = rows
			}
			if columns > 0 {
				size["cols"] = columns
			}
			r.body = object{"command": line, "terminalSize": size}
			socket, err := a.socket(c, r)
			if err != nil {
				return nil, err
			}
			defer socket.CloseNow()
			restore, err := rawTerminal(c.Stdin)
			if err != nil {
				return nil, err
			}
			defer restore()
			go func() {
				// Ends with the input, or with the process.
				_, err := io.Copy(typed{c, socket}, c.Stdin)
				if err == nil && !isTerminal(c.Stdin) {
					_, _ = typed{c, socket}.Write([]byte{endOfInput})
				}
			}()
			return nil, receive(c, socket)
		},
	}
}

// terminalSize returns the size of a terminal, and a usual one of what is none.
func terminalSize(stream any) object {
	if f, ok := stream.(*os.File); ok {
		if columns, rows, err := term.GetSize(int(f.Fd())); err == nil && rows > 0 && columns > 0 {
			return object{"rows": rows, "cols": columns}
		}
	}
	return object{"rows": 24, "cols": 80}
}

// rawTerminal lets all keys through to the other side, until what it returns is
// called.
func rawTerminal(stream any) (restore func(), err error) {
	f, ok := stream.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() {}, nil
	}
	old, err := term.MakeRaw(int(f.Fd()))
	if err != nil {
		return nil, fmt.Errorf("preparing the terminal: %w", err)
	}
	return func() { _ = term.Restore(int(f.Fd()), old) }, nil
}

// typed sends what is typed.
type typed struct {
	c      *call
	socket *websocket.Conn
}

// Write implements io.Writer.
func (t typed) Write(p []byte) (int, error) {
	if err := t.socket.Write(t.c.ctx, websocket.MessageBinary, p); err != nil {
		return 0, err
	}
	return len(p), nil
}
