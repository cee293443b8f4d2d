package arm

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

// childName is the rule for what is below a registry.
var childName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,50}$`)

var taskFields = slices.Concat(
	kinds(anObject, "properties", "tags", "properties.step", "properties.trigger", "properties.trigger.baseImageTrigger",
		"properties.trigger.sourceTriggers[]", "properties.trigger.timerTriggers[]",
		"properties.trigger.sourceTriggers[].sourceRepository",
		"properties.trigger.sourceTriggers[].sourceRepository.sourceControlAuthProperties"),
	kinds(aString, "tags{}", "properties.step.contextPath", "properties.step.contextAccessToken",
		"properties.trigger.sourceTriggers[].sourceTriggerEvents[]", "properties.trigger.sourceTriggers[].paths[]",
		"properties.trigger.sourceTriggers[].sourceRepository.repositoryUrl",
		"properties.trigger.sourceTriggers[].sourceRepository.branch",
		"properties.trigger.sourceTriggers[].sourceRepository.sourceControlAuthProperties.token",
		"properties.trigger.sourceTriggers[].sourceRepository.sourceControlAuthProperties.refreshToken",
		"properties.trigger.sourceTriggers[].sourceRepository.sourceControlAuthProperties.scope",
		"properties.trigger.timerTriggers[].schedule", "properties.trigger.baseImageTrigger.updateTriggerEndpoint"),
	kinds(aBool, "properties.isSystemTask", "properties.trigger.sourceTriggers[].cancelSuperseded",
		"properties.trigger.sourceTriggers[].forkSecrets"),
	kinds(aList, "properties.trigger.sourceTriggers", "properties.trigger.timerTriggers",
		"properties.trigger.sourceTriggers[].sourceTriggerEvents", "properties.trigger.sourceTriggers[].paths"),
	[]field{
		{path: "location", kind: aString, min: 1, max: 90},
		anyOf("properties.status", "Enabled", "Disabled"),
		anyOf("properties.step.type", "Docker", "FileTask", "EncodedTask"),
		{path: "properties.trigger.sourceTriggers[].name", kind: aString, required: true, min: 1, max: 64},
		{path: "properties.trigger.timerTriggers[].name", kind: aString, required: true, min: 1, max: 64},
		anyOf("properties.trigger.sourceTriggers[].status", "Enabled", "Disabled"),
		anyOf("properties.trigger.sourceTriggers[].sourceTriggerEvents[]", "commit", "pullrequest"),
		anyOf("properties.trigger.sourceTriggers[].sourceRepository.sourceControlType", "Github", "VisualStudioTeamService"),
		anyOf("properties.trigger.sourceTriggers[].sourceRepository.sourceControlAuthProperties.tokenType", "PAT", "OAuth"),
		anyOf("properties.trigger.timerTriggers[].status", "Enabled", "Disabled"),
		{path: "properties.trigger.baseImageTrigger.name", kind: aString, min: 1, max: 64},
		anyOf("properties.trigger.baseImageTrigger.baseImageTriggerType", "All", "Runtime"),
		anyOf("properties.trigger.baseImageTrigger.status", "Enabled", "Disabled"),
		anyOf("properties.trigger.baseImageTrigger.updateTriggerPayloadType", "Default", "Token"),
	},
	machineFields("properties."), stepFields("properties.step."), credentialFields("properties.credentials"), identityFields,
)

// wholeTaskFields must be there in a task, though not in a change of one.
var wholeTaskFields = []field{
	{path: "properties", kind: anObject, required: true},
	{path: "properties.step.type", kind: aString, required: true},
	{path: "properties.trigger.sourceTriggers[].sourceRepository", kind: anObject, required: true},
	{path: "properties.trigger.sourceTriggers[].sourceRepository.repositoryUrl", kind: aString, required: true},
	{path: "properties.trigger.sourceTriggers[].sourceTriggerEvents", kind: aList, required: true},
	{path: "properties.trigger.timerTriggers[].schedule", kind: aString, required: true},
	{path: "properties.trigger.baseImageTrigger.name", kind: aString, required: true},
	{path: "properties.trigger.baseImageTrigger.baseImageTriggerType", kind: aString, required: true},
}

var computedOfTask = []string{"provisioningState", "creationDate"}

// stepKinds are the kinds of run that steps of tasks make.
var stepKinds = map[string]drydock.RunRequestKind{
	"docker": drydock.DockerBuildRun, "filetask": drydock.FileTaskRun, "encodedtask": drydock.EncodedTaskRun,
}

// checkTask checks a whole task: also that it could be run.
func (s *Server) checkTask(ctx context.Context, id drydock.ResourceID, doc object) error {
	if err := check(doc, wholeTaskFields); err != nil {
		return err
	}
	if err := s.checkPool(ctx, id.Parent(), text(doc, "properties.agentPoolName")); err != nil {
		return err
	}
	if err := checkTimers(doc); err != nil {
		return err
	}
	if err := checkSources(doc); err != nil {
		return err
	}
	if err := s.checkEndpoint(doc); err != nil {
		return err
	}
	if flag(doc, "properties.isSystemTask", false) {
		return nil
	}
	if _, ok := at(doc, "properties.step").(object); !ok {
		return badRequest("InvalidRequestContent", "The property 'properties.step' is required.").about("properties.step")
	}
	if err := checkTaskSource(text(doc, "properties.step.contextPath")); err != nil {
		return err
	}
	_, err := s.taskRequest(doc)
	return err
}

// taskRequest returns the request of a run of a task, whose document has its
// secrets.
func (s *Server) taskRequest(doc object) (drydock.RunRequest, error) {
	r := drydock.RunRequest{
		Kind:        stepKinds[strings.ToLower(text(doc, "properties.step.type"))],
		Source:      text(doc, "properties.step.contextPath"),
		SourceToken: text(doc, "properties.step.contextAccessToken"),
		RunRegistry: text(doc, "properties.runRegistry"),
		LogTemplate: text(doc, "properties.logTemplate"),
	}
	if err := s.takeMachine(&r, doc, "properties."); err != nil {
		return r, err
	}
	if err := checkSource(r.Source); err != nil {
		return r, err
	}
	takeCredentials(&r, doc, "properties.credentials")
	return r, takeStep(&r, doc, "properties.step.")
}

// putTask answers 200 also when it creates: some clients know no other answer.
func (s *Server) putTask(req *request) (*answer, error) {
	return s.putChild(req, taskFields, func(ctx context.Context, st *stored, next object) error {
		if err := s.checkTask(ctx, st.ID, next); err != nil {
			return err
		}
		st.doc = withoutComputed(next, computedOfTask...)
		forgetDependencies(st.doc)
		return nil
	}, s.finishTask, s.taskDoc)
}

func (s *Server) patchTask(req *request) (*answer, error) {
	return s.patchChild(req, taskFields, func(ctx context.Context, st *stored, patch object) error {
		old, err := s.reveal(st, taskSecrets)
		if err != nil {
			return err
		}
		withoutComputed(patch, computedOfTask...)
		forgetDependencies(patch)
		foldIdentities(old, patch)
		next := mergeTask(old, patch)
		keepURLs(old, next)
		if err := s.checkTask(ctx, st.ID, next); err != nil {
			return err
		}
		st.doc = next
		return nil
	}, s.finishTask, s.taskDoc)
}

// finishTask makes a task ready to be stored.
func (s *Server) finishTask(st *stored) error {
	if err := s.takeIdentity(st); err != nil {
		return err
	}
	return s.hide(st, taskSecrets)
}

func (s *Server) taskDoc(ctx context.Context, st *stored) (object, error) {
	known, err := s.c.Images.TaskImages(ctx, st.ID)
	if err != nil {
		return nil, err
	}
	return s.taskDocOf(ctx, st, known[0])
}

func (s *Server) taskDocOf(ctx context.Context, st *stored, known drydock.TaskImages) (object, error) {
	doc := st.envelope()
	fillTask(doc)
	properties := child(doc, "properties")
	properties["creationDate"], properties["provisioningState"] = timestamp(st.Created), st.state()
	showDependencies(doc, known)
	return doc, s.showIdentity(ctx, st, doc)
}

// fillTask adds the defaults that Azure shows.
func fillTask(doc object) {
	properties := child(doc, "properties")
	fill(properties, object{"status": "Enabled", "timeout": defaultTimeout, "isSystemTask": false})
	if flag(doc, "properties.isSystemTask", false) {
		return
	}
	fill(properties, object{"platform": object{"os": "Linux", "architecture": "amd64"}})
	if text(doc, "properties.agentPoolName") == "" {
		fill(properties, object{"agentConfiguration": object{"cpu": 2}})
	}
	if step, ok := properties["step"].(object); ok && strings.EqualFold(text(step, "type"), "Docker") {
		fill(step, object{"isPushEnabled": true, "noCache": false})
	}
	for _, kind := range []string{"sourceTriggers", "timerTriggers"} {
		for _, e := range list(properties, "trigger."+kind) {
			if trigger, ok := e.(object); ok {
				fill(trigger, object{"status": "Enabled"})
			}
		}
	}
	if trigger, ok := at(properties, "trigger.baseImageTrigger").(object); ok {
		fill(trigger, object{"status": "Enabled", "updateTriggerPayloadType": "Default"})
	}
}

// detailTask shows a task with its secrets.
func (s *Server) detailTask(req *request) (*answer, error) {
	st, err := s.find(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	if st.doc, err = s.reveal(st, taskSecrets); err != nil {
		return nil, err
	}
	return s.childAnswer(req.Context(), st, s.taskDoc)
}

func (s *Server) showTask(req *request) (*answer, error) { return s.showChild(req, s.taskDoc) }

func (s *Server) listTasks(req *request) (*answer, error) {
	found, err := s.c.Images.RegistryImages(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	known := map[string]drydock.TaskImages{}
	for _, t := range found {
		known[t.Task.Key()] = t
	}
	return s.listOf(req, taskType, func(ctx context.Context, st *stored) (object, error) {
		return s.taskDocOf(ctx, st, known[st.ID.Key()])
	})
}

// childAnswer answers with a resource below a registry.
func (s *Server) childAnswer(ctx context.Context, st *stored, show shower) (*answer, error) {
	doc, err := show(ctx, st)
	if err != nil {
		return nil, err
	}
	return st.answer(http.StatusOK, doc), nil
}
