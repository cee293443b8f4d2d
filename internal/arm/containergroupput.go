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

// checkWait is how long registries may take to answer for the images of a group
// that is created.
const checkWait = 30 * time.Second

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
	if err := s.mayPutContainerGroup(req, doc); err != nil {
		return nil, err
	}
	digests, err := s.checkImages(req.Context(), wanted)
	if err != nil {
		return nil, err
	}
	st, status, err := s.storeContainerGroup(req, doc, digests)
	if err != nil {
		return nil, err
	}
	s.c.Instances.Sync(st.ID)
	s.awaitGroup(req.Context(), st, startWait)
	a, err := s.containerGroupAnswer(req.Context(), status, st)
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

// checkContainerGroup says what is wrong with a client's document.
func checkContainerGroup(id drydock.ResourceID, doc object) (drydock.ContainerGroup, error) {
	if name := id.Name(); !containerName.MatchString(name) {
		return drydock.ContainerGroup{}, badRequest("InvalidContainerGroupName", "The name '%s' of the container group is invalid: 1 to 63 lower-case letters, digits and '-' are possible, and no '-' at its beginning and end.", shorten(name))
	}
	if err := check(doc, containerGroupFields); err != nil {
		return drydock.ContainerGroup{}, err
	}
	if err := refuseForeignGroup(doc); err != nil {
		return drydock.ContainerGroup{}, err
	}
	return containerGroupOf(id, doc)
}

// mayPutContainerGroup says what stands in the way of a document that is fine in
// itself, before registries are asked, and before anything is done as one of its
// identities.
func (s *Server) mayPutContainerGroup(req *request, doc object) error {
	ctx := req.Context()
	if err := s.findParents(ctx, req.scope); err != nil {
		return err
	}
	if err := s.mutable(ctx, req.scope); err != nil {
		return err
	}
	st, err := s.load(ctx, req.scope)
	if err != nil {
		return err
	}
	if err := s.admitContainerGroup(req, st, doc); err != nil {
		return err
	}
	return s.takeGroupIdentity(req, st, doc)
}

// admitContainerGroup checks what a client wants of a group as it is stored, and
// gives it its place and its name.
func (s *Server) admitContainerGroup(req *request, st *stored, doc object) error {
	if err := req.precondition(st); err != nil {
		return err
	}
	if err := st.takeLocation(doc, ""); err != nil {
		return err
	}
	st.Alias = groupAlias(doc, st.Location)
	return s.labelFree(req.Context(), st.Resource)
}

// takeGroupIdentity checks the identities of a client's document, and puts them
// there as they are kept.
func (s *Server) takeGroupIdentity(req *request, st *stored, doc object) error {
	had := assigned(st.doc)
	st.doc = object{"identity": doc["identity"]}
	if err := s.takeIdentity(st); err != nil {
		return err
	}
	doc["identity"] = st.doc["identity"]
	return s.checkAssigned(req, had, st)
}

// labelFree checks that no other group has the DNS label of one at its place.
func (s *Server) labelFree(ctx context.Context, r drydock.Resource) error {
	if r.Alias == "" {
		return nil
	}
	found, err := s.c.Resources.Resources(ctx, drydock.ResourceFilter{Type: containerGroupType, Alias: r.Alias})
	if err != nil {
		return err
	}
	for _, other := range found {
		if other.ID.Key() != r.ID.Key() {
			return labelTaken(r.Alias)
		}
	}
	return nil
}

func labelTaken(alias string) error {
	label, _, _ := strings.Cut(alias, ".")
	return conflict("DnsNameLabelAlreadyExists", "The DNS name label '%s' is taken by another container group.", label).about("properties.ipAddress.dnsNameLabel")
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

// storeContainerGroup keeps a client's document; the status says whether the group
// is new.
func (s *Server) storeContainerGroup(req *request, doc object, digests map[string]string) (st *stored, status int, err error) {
	ctx, alias := req.Context(), ""
	st, err = s.change(ctx, req.scope, func(st *stored) error {
		if status = http.StatusOK; !st.exists() {
			status = http.StatusCreated
		}
		if err := s.admitContainerGroup(req, st, doc); err != nil {
			return err
		}
		alias = st.Alias
		// Registries took their time, and containers of a group that is replaced while
		// what it is in is deleted would never end.
		st.also = func(ctx context.Context) error { return s.mutable(ctx, st.ID) }
		return s.takeContainerGroup(st, doc, digests)
	})
	switch {
	case err == nil:
		return st, status, s.keepIdentity(ctx, st)
	case drydock.CodeOf(err) == drydock.Conflict && alias != "":
		return nil, 0, labelTaken(alias) // by a creation at the same time
	}
	return nil, 0, s.goneMeanwhile(ctx, req.scope, err)
}

// takeContainerGroup puts a client's document into a resource. One that says the
// same as before, of the same images, changes nothing that runs.
func (s *Server) takeContainerGroup(st *stored, doc object, digests map[string]string) error {
	next, _ := clone(doc).(object)
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
