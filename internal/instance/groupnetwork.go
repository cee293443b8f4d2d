package instance

import "github.com/drydockhq/drydock"

// openNetwork makes the network of a group that has none.
func (g *group) openNetwork(wanted drydock.ContainerGroup) (err error) {
	if g.network != nil {
		return nil
	}
	spec := NetworkSpec{ID: "group-" + shortKey(g.id), Public: wanted.Public, Want: g.notes.Address}
	if spec.Hosts, err = g.m.hosts(g.ctx, wanted); err != nil {
		return err
	}
	g.network, err = g.m.c.Engine.Open(g.ctx, spec)
	if err != nil {
		return err
	}
	g.public = wanted.Public
	address := g.network.Address()
	if address == g.notes.Address || !wanted.Public {
		return nil
	}
	g.mu.Lock()
	g.notes.Address = address
	g.mu.Unlock()
	return g.save()
}

func (g *group) closeNetwork() error {
	if g.network == nil {
		return nil
	}
	err := g.network.Close()
	g.network = nil
	return err
}
