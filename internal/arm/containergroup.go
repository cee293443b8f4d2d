package arm

import (
	"context"
	"maps"
	"net/http"
	"reflect"
	"slices"
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

	// Await waits until a generation of a group is provisioned, has failed or is
	// stopped, or ctx ends.
	Await(ctx context.Context, id drydock.ResourceID, generation string)

	View(id drydock.ResourceID) drydock.ContainerGroupView
	Logs(id drydock.ResourceID, container string, tail int, times bool) (string, error)
	Console(r drydock.ConsoleRequest) (drydock.Console, error)
}

const (
	// checkWait is how long registries may take to answer for the images of a
	// group that is created.
	checkWait = 30 * time.Second
	// startWait is how long the answer to a creation waits for the containers, so
	// that most clients need not ask again.
	startWait = 3 * time.Second
	// stopWait is how long the answer to a stop waits: longer than containers may
	// take to end.
	stopWait = 15 * time.Second
)

func (s *Server) putContainerGroup(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	fillResources(doc)
	wanted, err := checkContainerGroup(req.scope, doc)
	if err != nil {
		return nil, err
	}
	ctx := req.Context()
	if err := s.findParents(ctx, req.scope); err != nil {
		return nil, err
	}
	if err := s.mutable(ctx, req.scope); err != nil {
		return nil, err
	}
	if err := s.labelFree(ctx, req.scope, doc); err != nil {
		return nil, err
	}
	if err := s.takeGroupIdentity(req, doc); err != nil {
		return nil, err
	}
	digests, err := s.checkImages(ctx, wanted)
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	st, err := s.change(ctx, req.scope, func(st *stored) error {
		if err := req.precondition(st); err != nil {
			return err
		}
		if !st.exists() {
			status = http.StatusCreated
		}
		return s.takeContainerGroup(st, doc, digests)
	})
	if err != nil {
		return nil, s.goneMeanwhile(ctx, req.scope, err)
	}
	if err := s.keepIdentity(ctx, st); err != nil {
		return nil, err
	}
	s.c.Instances.Sync(st.ID)
	s.awaitGroup(ctx, st, startWait)
	a, err := s.containerGroupAnswer(ctx, status, st)
	if err != nil {
		return nil, err
	}
	// Clients look for a failure only in the answers to later questions.
	if doc, ok := a.body.(object); ok && text(doc, "properties.provisioningState") == drydock.GroupFailed {
		child(doc, "properties")["provisioningState"] = drydock.GroupCreating
		delete(doc, "error")
	}
	return a, nil
}

// takeGroupIdentity checks the identities of a client's document, before anything
// is done as one of them.
func (s *Server) takeGroupIdentity(req *request, doc object) error {
	st, err := s.load(req.Context(), req.scope)
	if err != nil {
		return err
	}
	had := assigned(st.doc)
	st.doc = object{"identity": doc["identity"]}
	if err := s.takeIdentity(st); err != nil {
		return err
	}
	doc["identity"] = st.doc["identity"]
	return s.checkAssigned(req, had, st)
}

// checkContainerGroup says what is wrong with a client's document.
func checkContainerGroup(id drydock.ResourceID, doc object) (drydock.ContainerGroup, error) {
	if name := id.Name(); !containerName.MatchString(name) {
		return drydock.ContainerGroup{}, badRequest("InvalidContainerGroupName", "The name '%s' of the container group is invalid: 1 to 63 lower-case letters, digits and '-' are possible, and no '-' at its beginning and end.", shorten(name))
	}
	if err := check(doc, containerGroupFields); err != nil {
		return drydock.ContainerGroup{}, err
	}
	if err := refuseForeign(doc); err != nil {
		return drydock.ContainerGroup{}, err
	}
	return containerGroupOf(id, doc)
}

// checkImages asks for the images, so that what can't be had is said before
// anything is changed.
func (s *Server) checkImages(ctx context.Context, g drydock.ContainerGroup) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, checkWait)
	defer cancel()
	digests, err := s.c.Instances.Check(ctx, g)
	switch drydock.CodeOf(err) {
	case drydock.Denied, drydock.Failed, drydock.Invalid, drydock.NotFound:
		return nil, badRequest("InaccessibleImage", "An image of container group '%s' is not accessible. Please check the image and registry credential: %s.", g.ID.Name(), err)
	case drydock.Unavailable:
		return nil, conflict("RegistryErrorResponse", "An error response is received from the registry of an image of container group '%s'. Please retry later: %s.", g.ID.Name(), err)
	}
	return digests, err
}

// takeContainerGroup puts a client's document into a resource. One that says the
// same as before, of the same images, changes nothing that runs.
func (s *Server) takeContainerGroup(st *stored, doc object, digests map[string]string) error {
	next, _ := clone(doc).(object)
	if err := st.takeLocation(next, ""); err != nil {
		return err
	}
	delete(next, "location")
	cleanContainerGroup(next)
	if err := sealVolumes(next); err != nil {
		return err
	}
	old, err := s.reveal(st, containerGroupSecrets)
	if err != nil {
		return err
	}
	images := object{}
	for name, digest := range digests {
		images[name] = digest
	}
	same := st.exists() && !flag(st.ours, "stopped", false) && reflect.DeepEqual(at(old, "properties"), at(next, "properties")) &&
		sameIdentity(old, next) &&
		reflect.DeepEqual(st.ours["images"], images) && s.c.Instances.View(st.ID).State == drydock.GroupRunning
	st.doc = next
	if !same {
		st.ours["generation"], st.ours["stopped"], st.ours["images"] = s.c.NewID(), false, images
	}
	if err := s.takeIdentity(st); err != nil {
		return err
	}
	return s.hide(st, containerGroupSecrets)
}

// sameIdentity reports whether two documents have the same identities, as
// takeIdentity leaves them.
func sameIdentity(a, b object) bool {
	if a["identity"] == nil || b["identity"] == nil {
		return a["identity"] == nil && b["identity"] == nil
	}
	return systemAssigned(a) == systemAssigned(b) && reflect.DeepEqual(slices.Sorted(maps.Keys(assigned(a))), slices.Sorted(maps.Keys(assigned(b))))
}

// labelFree checks that no other group has the DNS label of one.
func (s *Server) labelFree(ctx context.Context, id drydock.ResourceID, doc object) error {
	label := groupLabel(doc)
	if label == "" {
		return nil
	}
	found, err := s.c.Resources.Resources(ctx, drydock.ResourceFilter{Below: s.subscriptionScope(), Type: containerGroupType})
	if err != nil {
		return err
	}
	for _, r := range found {
		other, err := open(r)
		if err != nil {
			return err
		}
		sameLocation := plainLocation(r.Location) == plainLocation(text(doc, "location")) || text(doc, "location") == ""
		if r.ID.Key() != id.Key() && groupLabel(other.doc) == label && sameLocation {
			return conflict("DnsNameLabelAlreadyExists", "The DNS name label '%s' is taken by another container group.", label).about("properties.ipAddress.dnsNameLabel")
		}
	}
	return nil
}

func (s *Server) awaitGroup(ctx context.Context, st *stored, wait time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	s.c.Instances.Await(ctx, st.ID, text(st.ours, "generation"))
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
