package arm

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// Instances runs container groups. Its methods may be called from several
// goroutines.
type Instances interface {
	// Check returns what the images of a group stand for at the moment, by their
	// names, or what is wrong with one that can't be had.
	Check(ctx context.Context, g drydock.ContainerGroup) (digests map[string]string, err error)

	// Sync says that a group has changed.
	Sync(id drydock.ResourceID)

	// Await waits until a generation of a group is provisioned or has failed, or is
	// stopped, whichever is wanted, or ctx ends.
	Await(ctx context.Context, id drydock.ResourceID, generation string, stopped bool)

	View(id drydock.ResourceID) drydock.ContainerGroupView
	Logs(id drydock.ResourceID, container string, tail int, times bool) (string, error)
	Console(r drydock.ConsoleRequest) (drydock.Console, error)
}

const (
	// startWait is how long the answer to a creation waits for the containers, so
	// that most clients need not ask again.
	startWait = 3 * time.Second
	// stopWait is how long the answer to a stop waits: longer than containers may
	// take to end.
	stopWait = 15 * time.Second
)

func (s *Server) awaitGroup(ctx context.Context, st *stored, wait time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	s.c.Instances.Await(ctx, st.ID, text(st.ours, "generation"), flag(st.ours, "stopped", false))
}

// patchContainerGroup replaces the tags.
func (s *Server) patchContainerGroup(req *request) (*answer, error) {
	patch, err := req.decode()
	if err != nil {
		return nil, err
	}
	if err := check(patch, slicesOfTags); err != nil {
		return nil, err
	}
	if err := s.mutable(req.Context(), req.scope); err != nil {
		return nil, err
	}
	st, err := s.changeContainerGroup(req, func(st *stored) error {
		if tags, ok := patch["tags"]; ok {
			st.doc["tags"] = clone(tags)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.containerGroupAnswer(req.Context(), http.StatusOK, st)
}

// slicesOfTags are what can be changed of a group without making it anew.
var slicesOfTags = append(kinds(anObject, "tags"), kinds(aString, "tags{}")...)

// changeContainerGroup changes a group that must be there.
func (s *Server) changeContainerGroup(req *request, alter func(*stored) error) (*stored, error) {
	return s.change(req.Context(), req.scope, func(st *stored) error {
		if !st.exists() {
			_, err := s.find(req.Context(), req.scope)
			return err
		}
		if err := req.precondition(st); err != nil {
			return err
		}
		return alter(st)
	})
}

func (s *Server) showContainerGroup(req *request) (*answer, error) {
	st, err := s.find(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	return s.containerGroupAnswer(req.Context(), http.StatusOK, st)
}

func (s *Server) listContainerGroups(req *request) (*answer, error) {
	return s.listOf(req, containerGroupType, s.containerGroupDoc)
}

// deleteContainerGroup deletes a group and answers with it, as Azure does.
func (s *Server) deleteContainerGroup(req *request) (*answer, error) {
	st, err := s.load(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	var doc object
	if st.exists() {
		if doc, err = s.containerGroupDoc(req.Context(), st); err != nil {
			return nil, err
		}
	}
	a, err := s.beginDelete(req, deleteWait)
	if err == nil && a.status == http.StatusOK {
		a.body = doc
	}
	return a, err
}

// ContainerGroup returns a group as it is wanted, with its secrets: code NotFound
// for one that is not there, or on its way out.
func (s *Server) ContainerGroup(ctx context.Context, id drydock.ResourceID) (drydock.ContainerGroup, error) {
	r, err := s.c.Resources.Resource(ctx, id)
	if err != nil {
		return drydock.ContainerGroup{}, err
	}
	st, err := open(r)
	if err != nil {
		return drydock.ContainerGroup{}, err
	}
	if st.deleting() {
		return drydock.ContainerGroup{}, drydock.Errorf(drydock.NotFound, "the container group %s is being deleted", id.Name())
	}
	doc, err := s.reveal(st, containerGroupSecrets)
	if err != nil {
		return drydock.ContainerGroup{}, err
	}
	g, err := containerGroupOf(st.ID, doc)
	g.Generation, g.Stopped, g.Digests = text(st.ours, "generation"), flag(st.ours, "stopped", false), map[string]string{}
	images, _ := st.ours["images"].(object)
	for name := range images {
		g.Digests[name] = asText(images[name])
	}
	return g, err
}

// ContainerGroups returns the ids of all container groups.
func (s *Server) ContainerGroups(ctx context.Context) ([]drydock.ResourceID, error) {
	found, err := s.c.Resources.Resources(ctx, drydock.ResourceFilter{Below: s.subscriptionScope(), Type: containerGroupType})
	var ids []drydock.ResourceID
	for _, r := range found {
		ids = append(ids, r.ID)
	}
	return ids, err
}

// IsContainerGroup reports whether a resource is a container group.
func IsContainerGroup(id drydock.ResourceID) bool {
	return strings.EqualFold(id.Type(), containerGroupType)
}
