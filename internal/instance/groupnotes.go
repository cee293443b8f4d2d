package instance

import (
	"encoding/json"
	"fmt"
	"net/netip"

	"github.com/drydockhq/drydock"
)

// notes are what of a group outlives the server.
type notes struct {
	Address    netip.Addr
	Generation string            // that the digests are of
	Digests    map[string]string // by image
}

func (g *group) load() {
	var n notes
	data, err := g.m.c.States.Instance(g.ctx, g.id)
	if err == nil {
		err = json.Unmarshal(data, &n)
	}
	g.mu.Lock()
	g.notes = n
	g.mu.Unlock()
	if err != nil && drydock.CodeOf(err) != drydock.NotFound {
		g.m.c.Log.WarnContext(g.ctx, "reading the notes of a container group", "group", g.id.Name(), "error", err)
	}
}

func (g *group) save() error {
	g.mu.Lock()
	data, err := json.Marshal(g.notes)
	g.mu.Unlock()
	if err != nil {
		return fmt.Errorf("writing the notes of %s: %w", g.id.Name(), err)
	}
	return g.m.c.States.PutInstance(g.ctx, g.id, data)
}

// pulled notes the digests of a deployment.
func (g *group) pulled(generation string, digests map[string]string) error {
	g.mu.Lock()
	g.notes.Generation, g.notes.Digests = generation, digests
	g.mu.Unlock()
	return g.save()
}
