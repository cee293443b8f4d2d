package cli

import (
	"net/http"
	"strings"
)

// poolFlags say which agent pool a command is about.
type poolFlags struct {
	registryFlags
	name   string
	count  int
	noWait bool
}

func (p *poolFlags) define(f *flags) {
	f.StringVarP(&p.name, "name", "n", "", "name of the agent pool")
	p.byRegistry(f)
	f.need("name")
}

func (p *poolFlags) defineChange(f *flags) {
	p.define(f)
	f.IntVarP(&p.count, "count", "c", 1, "how many runs at a time it carries out")
	noWaitFlag(f, &p.noWait)
}

// operate carries out a request for the pool, or for something below it.
func (p *poolFlags) operate(c *call, r *registry, method, below string, body any) (any, error) {
	q := request{method: method, path: r.path + "/agentPools/" + escape(p.name) + below, version: tasksVersion, body: body}
	done, err := r.operate(c.ctx, q, method != http.MethodGet && !p.noWait)
	return flat(done), err
}

func agentpoolCreate() command {
	var p poolFlags
	var tier, subnet string
	return command{
		use: "create", short: "Create an agent pool: a name with a number of slots", table: poolTable,
		flags: func(f *flags) {
			p.defineChange(f)
			f.StringVar(&tier, "tier", "S1", "size of its machines, which is kept and gates nothing")
			f.StringVar(&subnet, "subnet-id", "", "id of its subnet, which is kept and gates nothing")
		},
		run: func(c *call) (any, error) {
			r, err := p.find(c)
			if err != nil {
				return nil, err
			}
			registry, err := r.get(c)
			if err != nil {
				return nil, err
			}
			properties := with("tier", strings.ToUpper(tier), "os", "Linux", "virtualNetworkSubnetResourceId", subnet)
			properties["count"] = p.count
			return p.operate(c, r, http.MethodPut, "", object{"location": registry["location"], "properties": properties})
		},
	}
}

func agentpoolUpdate() command {
	var p poolFlags
	return command{
		use: "update", short: "Change an agent pool", table: poolTable,
		flags: func(f *flags) {
			p.defineChange(f)
			f.need("count")
		},
		run: func(c *call) (any, error) {
			r, err := p.find(c)
			if err != nil {
				return nil, err
			}
			return p.operate(c, r, http.MethodPatch, "", object{"properties": object{"count": p.count}})
		},
	}
}

func agentpoolShow() command {
	var p poolFlags
	var queue bool
	return command{
		use: "show", short: "Show an agent pool", table: poolTable,
		flags: func(f *flags) {
			p.define(f)
			f.BoolVar(&queue, "queue-count", false, "show how many runs wait for it")
		},
		run: func(c *call) (any, error) {
			r, err := p.find(c)
			if err != nil {
				return nil, err
			}
			if queue {
				return p.operate(c, r, http.MethodPost, "/listQueueStatus", nil)
			}
			return p.operate(c, r, http.MethodGet, "", nil)
		},
	}
}

func agentpoolList() command {
	var r registryFlags
	return command{use: "list", short: "List agent pools", table: poolTable, flags: r.byRegistry, run: func(c *call) (any, error) {
		registry, err := r.find(c)
		if err != nil {
			return nil, err
		}
		list, err := registry.list(c.ctx, request{path: registry.path + "/agentPools", version: tasksVersion}, 0)
		return flat(list), err
	}}
}

func agentpoolDelete() command {
	var p poolFlags
	var yes bool
	return command{
		use: "delete", short: "Delete an agent pool",
		flags: func(f *flags) {
			p.define(f)
			noWaitFlag(f, &p.noWait)
			yesFlag(f, &yes)
		},
		run: func(c *call) (any, error) {
			r, err := p.find(c)
			if err != nil {
				return nil, err
			}
			if err := c.confirm(yes, "Delete the agent pool %q of the registry %q, and cancel the runs that wait for it?", p.name, r.name); err != nil {
				return nil, err
			}
			_, err = p.operate(c, r, http.MethodDelete, "", nil)
			return nil, err
		},
	}
}
