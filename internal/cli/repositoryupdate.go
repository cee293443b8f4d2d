package cli

import (
	"fmt"
	"net/http"

	"github.com/drydockhq/drydock/internal/cli/args"
)

// locks are the attributes that can be changed.
type locks struct{ delete, list, read, write args.Bool }

func (l *locks) define(f *flags) {
	l.delete.Var(f.FlagSet, "delete-enabled", "whether it may be deleted")
	l.list.Var(f.FlagSet, "list-enabled", "whether it is listed")
	l.read.Var(f.FlagSet, "read-enabled", "whether it may be read")
	l.write.Var(f.FlagSet, "write-enabled", "whether it may be written")
}

func (l *locks) body() object {
	o := object{}
	for key, flag := range map[string]args.Bool{
		"deleteEnabled": l.delete, "listEnabled": l.list, "readEnabled": l.read, "writeEnabled": l.write,
	} {
		if flag.Given {
			o[key] = flag.Value
		}
	}
	return o
}

// lock changes attributes and shows them.
func (d *dataPlane) lock(c *call, t target, l locks) (any, error) {
	if body := l.body(); len(body) > 0 {
		_, err := d.do(c.ctx, dataRequest{
			method: http.MethodPatch, path: t.path(), scope: repositoryScope(t.repository, "metadata_write,metadata_read"), body: body,
		})
		if err != nil {
			return nil, fmt.Errorf("changing attributes: %w", err)
		}
	}
	return d.show(c, t)
}

func repositoryUpdate() command {
	var t targetFlags
	var l locks
	return command{
		use: "update", short: "Change the attributes of a repository or an image",
		flags: func(f *flags) {
			t.define(f)
			l.define(f)
		},
		run: func(c *call) (any, error) {
			target, err := t.parse(c)
			if err != nil {
				return nil, err
			}
			p, err := t.open(c)
			if err != nil {
				return nil, err
			}
			return p.lock(c, target, l)
		},
	}
}
