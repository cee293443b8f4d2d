package arm

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// containerGroupDoc shows a container group: what its client wrote, and how it
// stands.
func (s *Server) containerGroupDoc(ctx context.Context, st *stored) (object, error) {
	doc := st.envelope()
	fill(doc, object{"tags": object{}, "properties": object{"restartPolicy": "Always", "osType": "Linux", "sku": "Standard"}})
	view := s.c.Instances.View(st.ID)
	properties := child(doc, "properties")
	properties["provisioningState"] = s.groupProvisioning(st, view)
	properties["instanceView"] = object{"state": view.State, "events": eventDocs(view.Events)}
	if address, ok := properties["ipAddress"].(object); ok {
		if view.Address.IsValid() {
			address["ip"] = view.Address.String()
		}
		if host := s.ContainerGroupHost(st.Resource); host != "" {
			address["fqdn"] = host
		}
	}
	for _, e := range list(doc, "properties.volumes") {
		if v := asObject(e); v["emptyDir"] == nil && v["secret"] == nil {
			v["secret"] = object{} // whose files are nobody's business
		}
	}
	showContainers(doc, "containers", view.Containers)
	showContainers(doc, "initContainers", view.Init)
	return doc, s.showIdentity(ctx, st, doc)
}

// groupProvisioning is the state that clients wait for the end of.
func (s *Server) groupProvisioning(st *stored, view drydock.ContainerGroupView) string {
	switch {
	case st.deleting():
		return deletingState
	case view.Generation != text(st.ours, "generation"):
		// What is seen is what was there before.
		return drydock.GroupPending
	}
	return view.Provisioning
}

func (s *Server) containerGroupAnswer(ctx context.Context, status int, st *stored) (*answer, error) {
	doc, err := s.containerGroupDoc(ctx, st)
	if err != nil {
		return nil, err
	}
	a := st.answer(status, doc)
	if text(doc, "properties.provisioningState") == drydock.GroupFailed {
		// Clients that wait for the end show it.
		if problem := s.c.Instances.View(st.ID).Problem; problem != "" {
			doc["error"] = object{"code": "ContainerGroupFailed", "message": problem}
		}
	}
	return a, nil
}

// showContainers adds how the containers stand.
func showContainers(doc object, key string, views []drydock.ContainerView) {
	byName := map[string]drydock.ContainerView{}
	for _, v := range views {
		byName[v.Name] = v
	}
	for _, e := range list(doc, "properties."+key) {
		container := asObject(e)
		properties := child(container, "properties")
		for _, name := range []string{"environmentVariables", "ports"} {
			if properties[name] == nil {
				properties[name] = []any{}
			}
		}
		v, ok := byName[text(container, "name")]
		if !ok {
			continue
		}
		shown := object{"restartCount": v.Restarts, "currentState": stateDoc(v.Current), "events": eventDocs(v.Events)}
		if v.Previous != nil {
			shown["previousState"] = stateDoc(*v.Previous)
		}
		properties["instanceView"] = shown
	}
}

func stateDoc(s drydock.ContainerState) object {
	doc := object{"state": s.State, "detailStatus": s.Detail}
	if !s.Started.IsZero() {
		doc["startTime"] = instant(s.Started)
	}
	if s.State == drydock.ContainerTerminated {
		doc["exitCode"], doc["finishTime"] = s.ExitCode, instant(s.Finished)
	}
	return doc
}

func eventDocs(events []drydock.InstanceEvent) []any {
	docs := []any{}
	for _, e := range events {
		docs = append(docs, object{
			"name": e.Name, "type": e.Type, "message": e.Message, "count": e.Count,
			"firstTimestamp": instant(e.First), "lastTimestamp": instant(e.Last),
		})
	}
	return docs
}

// instant writes a time as Azure's container instances do.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (s *Server) startContainerGroup(req *request) (*answer, error) {
	// Containers that were stopped a moment ago may still have to end.
	return s.switchGroup(req, stopWait, func(st *stored) {
		if flag(st.ours, "stopped", false) {
			st.ours["generation"], st.ours["stopped"] = s.c.NewID(), false
		}
	})
}

func (s *Server) stopContainerGroup(req *request) (*answer, error) {
	return s.switchGroup(req, stopWait, func(st *stored) { st.ours["stopped"] = true })
}

func (s *Server) restartContainerGroup(req *request) (*answer, error) {
	return s.switchGroup(req, stopWait, func(st *stored) {
		st.ours["generation"], st.ours["stopped"] = s.c.NewID(), false
		delete(st.ours, "images")
	})
}

// switchGroup starts or stops the containers of a group, and waits for that for
// a while.
func (s *Server) switchGroup(req *request, wait time.Duration, alter func(*stored)) (*answer, error) {
	if err := s.mutable(req.Context(), req.scope); err != nil {
		return nil, err
	}
	st, err := s.changeContainerGroup(req, func(st *stored) error {
		alter(st)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.c.Instances.Sync(st.ID)
	s.awaitGroup(req.Context(), st, wait)
	return &answer{status: http.StatusNoContent}, nil
}

// hasContainer checks that a group and a container in it are there.
func (s *Server) hasContainer(req *request) (*stored, string, error) {
	scope := req.scope
	id := scope.Parent()
	st, err := s.find(req.Context(), id)
	if err != nil {
		return nil, "", err
	}
	name := req.params["containerName"]
	for _, key := range []string{"containers", "initContainers"} {
		for _, e := range list(st.doc, "properties."+key) {
			if strings.EqualFold(text(asObject(e), "name"), name) {
				return st, text(asObject(e), "name"), nil
			}
		}
	}
	return nil, "", notFound("ContainerNotFound", "The container '%s' was not found in container group '%s'.", shorten(name), st.ID.Name())
}
