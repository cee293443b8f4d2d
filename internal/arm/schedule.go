package arm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// scheduleRun queues a run.
func (s *Server) scheduleRun(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	ctx := req.Context()
	registry, err := s.registryForRuns(ctx, req.scope)
	if err != nil {
		return nil, err
	}
	run, err := s.schedule(ctx, registry.ID, doc)
	if err != nil {
		return nil, err
	}
	body, err := s.runDoc(ctx, run)
	if err != nil {
		return nil, err
	}
	return ok(body)
}

// registryForRuns returns a registry that takes new runs.
func (s *Server) registryForRuns(ctx context.Context, id drydock.ResourceID) (*stored, error) {
	registry, err := s.find(ctx, id)
	if err != nil {
		return nil, err
	}
	return registry, s.mutable(ctx, id)
}

// schedule checks a run request and queues its run.
func (s *Server) schedule(ctx context.Context, registry drydock.ResourceID, doc object) (drydock.RunRecord, error) {
	record, err := s.newRun(ctx, registry, doc)
	if err != nil {
		return record, err
	}
	return s.c.Queue.Enqueue(ctx, record)
}

// newRun makes the record of a run from a request as it comes from a client.
func (s *Server) newRun(ctx context.Context, registry drydock.ResourceID, doc object) (drydock.RunRecord, error) {
	return s.newRunAs(ctx, registry, doc, drydock.ResourceID{})
}

// newRunAs makes the record of a run that has the identities of a resource; with
// a zero one it has those of its task, if any.
func (s *Server) newRunAs(ctx context.Context, registry drydock.ResourceID, doc object, own drydock.ResourceID) (drydock.RunRecord, error) {
	fields := runRequestFields
	if strings.EqualFold(text(doc, "type"), taskRunRequest) {
		// The task says what is carried out and where.
		fields = optional(fields, "platform", "platform.os")
		fields = append(fields, field{path: "taskId", kind: aString, required: true})
	}
	if err := check(doc, fields); err != nil {
		return drydock.RunRecord{}, err
	}
	var (
		record  drydock.RunRecord
		request drydock.RunRequest
		err     error
	)
	if strings.EqualFold(text(doc, "type"), taskRunRequest) {
		record, request, err = s.taskRunOf(ctx, registry, doc)
	} else {
		record.Type = drydock.QuickRun
		if request, err = s.requestOf(doc); request.Kind == drydock.DockerBuildRun {
			record.Type = drydock.QuickBuild
		}
		record.Pool = text(doc, "agentPoolName")
	}
	if err != nil {
		return drydock.RunRecord{}, err
	}
	if err := s.checkPool(ctx, registry, record.Pool); err != nil {
		return drydock.RunRecord{}, err
	}
	if err := checkSource(request.Source); err != nil {
		return drydock.RunRecord{}, err
	}
	nameCaller(ctx, &request)
	if own.Subscription != "" {
		request.Identity = own
	}
	record.Registry, record.Status, record.Created = registry, drydock.RunQueued, s.c.Now()
	record.Updated = record.Created
	record.Archived = flag(doc, "isArchiveEnabled", false)
	if record.Trigger, err = s.askedFor(ctx); err != nil {
		return drydock.RunRecord{}, err
	}
	return record, s.fillRequest(&record, request)
}

// nameCaller notes who asks for a run that uses its registry as whoever did.
func nameCaller(ctx context.Context, request *drydock.RunRequest) {
	request.Caller = ""
	if caller, known := auth.PrincipalFrom(ctx); known && strings.EqualFold(request.RegistryIdentity, drydock.CallerIdentity) {
		request.Caller = caller.ID
	}
}

// fillRequest puts a request into a record, its secrets sealed.
func (s *Server) fillRequest(record *drydock.RunRecord, request drydock.RunRequest) error {
	public, secrets := request.Split()
	var err error
	if record.Request, err = json.Marshal(public); err != nil {
		return fmt.Errorf("writing a run request: %w", err)
	}
	if secrets.Empty() {
		return nil
	}
	plain, err := json.Marshal(secrets)
	if err != nil {
		return fmt.Errorf("writing the secrets of a run request: %w", err)
	}
	record.Secrets = s.c.Sealer.Seal(plain, drydock.RunSecretsPurpose(record.Registry))
	return nil
}

// checkPool refuses a pool that is not there: its runs would be queued forever.
func (s *Server) checkPool(ctx context.Context, registry drydock.ResourceID, pool string) error {
	if pool == "" {
		return nil
	}
	st, err := s.load(ctx, registry.Child("agentPools", pool))
	if err != nil {
		return err
	}
	if !st.exists() || st.deleting() {
		return badRequest("AgentPoolNotFound", "The registry '%s' has no agent pool '%s'.", registry.Name(), shorten(pool)).about("agentPoolName")
	}
	return nil
}

// checkSource refuses what can't be a source and would mislead who fetches it.
func checkSource(source string) error {
	bad := func(why string) error {
		return badRequest("InvalidSourceLocation", "The source location '%s' %s.", shorten(source), why).about("sourceLocation")
	}
	if len(source) > 4096 {
		return bad("is longer than 4096 characters")
	}
	if strings.ContainsAny(source, "\x00\r\n") {
		return bad("has control characters")
	}
	if !strings.Contains(source, "://") && strings.Contains("/"+source+"/", "/../") {
		return bad("leads out of where it begins")
	}
	return nil
}

// uploads is what the paths of uploads begin with.
const uploads = "source/"

// scpSource is the form of user@host:path.
var scpSource = regexp.MustCompile(`^[A-Za-z0-9_-]+@[A-Za-z0-9.-]+:`)

// checkTaskSource refuses a folder as the source of a task: runs that nobody is
// there to upload it for could only fail.
func checkTaskSource(source string) error {
	lower := strings.ToLower(source)
	switch {
	case source == "", lower == "/dev/null", strings.Contains(source, "://"), scpSource.MatchString(source),
		strings.HasPrefix(lower, "github.com/"), strings.HasPrefix(source, uploads):
		return checkSource(source)
	}
	return badRequest("InvalidSourceLocation", "The context '%s' of the task is a folder of the client. It can be the URL of a git repository or of a tarball, oci://…, or /dev/null; a folder is for one run: acr task run --context FOLDER.",
		shorten(source)).about("properties.step.contextPath")
}

// optional returns fields of which some need not be there.
func optional(fields []field, paths ...string) []field {
	all := slices.Clone(fields)
	for i := range all {
		if slices.Contains(paths, all[i].path) {
			all[i].required = false
		}
	}
	return all
}

// newUpload gives a client a place for its context.
func (s *Server) newUpload(req *request) (*answer, error) {
	registry, err := s.registryForRuns(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	upload, err := s.c.Blobs.NewUpload(req.Context(), registry.ID)
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, body: object{"uploadUrl": upload.URL, "relativePath": upload.RelativePath}}, nil
}
