package arm_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	acr "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm/armtest"
)

// sdk is a site with the clients of the Azure SDK, signed in as its admin.
type sdk struct {
	*armtest.Site
	groups *armresources.ResourceGroupsClient
	acr    *acr.ClientFactory
	token  string
}

func start(t *testing.T) *sdk {
	t.Helper()
	s := &sdk{Site: armtest.Start(t)}
	credential := s.Credential(t, s.Admin)
	var err error
	if s.groups, err = armresources.NewResourceGroupsClient(s.Subscription, credential, s.Options()); err != nil {
		t.Fatal(err)
	}
	if s.acr, err = acr.NewClientFactory(s.Subscription, credential, s.Options()); err != nil {
		t.Fatal(err)
	}
	s.token = s.Token(t, s.Admin)
	return s
}

// group makes the group "g".
func (s *sdk) group(t *testing.T) {
	t.Helper()
	if _, err := s.groups.CreateOrUpdate(t.Context(), "g", armresources.ResourceGroup{Location: to.Ptr("westeurope")}, nil); err != nil {
		t.Fatal(err)
	}
}

// registry makes the registry in the group "g".
func (s *sdk) registry(t *testing.T, name string) acr.Registry {
	t.Helper()
	s.group(t)
	poller, err := s.acr.NewRegistriesClient().BeginCreate(t.Context(), "g", name, acr.Registry{
		Location: to.Ptr("westeurope"), SKU: &acr.SKU{Name: to.Ptr(acr.SKUNameStandard)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	created, err := poller.PollUntilDone(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return created.Registry
}

// schedule queues a run.
func (s *sdk) schedule(t *testing.T, registry string, request acr.RunRequestClassification) acr.Run {
	t.Helper()
	poller, err := s.acr.NewRegistriesClient().BeginScheduleRun(t.Context(), "g", registry, request, nil)
	if err != nil {
		t.Fatal(err)
	}
	run, err := poller.PollUntilDone(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return run.Run
}

func linux() *acr.PlatformProperties {
	return &acr.PlatformProperties{OS: to.Ptr(acr.OSLinux), Architecture: to.Ptr(acr.ArchitectureAmd64)}
}

// What `acr build` does, with the Azure SDK.
func TestBuildWithTheSDK(t *testing.T) {
	t.Parallel()
	s := start(t)
	registry := s.registry(t, "contoso")
	if *registry.Properties.LoginServer != "contoso."+armtest.RegistryDomain || *registry.Properties.ProvisioningState != acr.ProvisioningStateSucceeded {
		t.Errorf("created %+v", registry.Properties)
	}
	ctx, registries, runs := t.Context(), s.acr.NewRegistriesClient(), s.acr.NewRunsClient()
	upload, err := registries.GetBuildSourceUploadURL(ctx, "g", "contoso", nil)
	if err != nil || !strings.HasPrefix(*upload.UploadURL, "https://") {
		t.Fatalf("%+v: %v", upload, err)
	}
	run := s.schedule(t, "contoso", &acr.DockerBuildRequest{
		Type: to.Ptr("DockerBuildRequest"), DockerFilePath: to.Ptr("Dockerfile"), SourceLocation: upload.RelativePath,
		Platform: linux(), ImageNames: []*string{to.Ptr("app:{{.Run.ID}}")}, IsPushEnabled: to.Ptr(true), IsArchiveEnabled: to.Ptr(true),
		Arguments: []*acr.Argument{
			{Name: to.Ptr("VERSION"), Value: to.Ptr("1")},
			{Name: to.Ptr("TOKEN"), Value: to.Ptr("hush"), IsSecret: to.Ptr(true)},
		},
	})
	p := run.Properties
	if *p.RunID != "ca1" || *p.Status != acr.RunStatusQueued || *p.RunType != acr.RunTypeQuickBuild || *p.Platform.OS != acr.OSLinux || !*p.IsArchiveEnabled {
		t.Errorf("scheduled %+v", p)
	}
	record, err := s.Store.Run(ctx, s.Scope("g", "registries", "contoso"), "ca1")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.requestOf(t, record); got.Source != *upload.RelativePath || got.Dockerfile != "Dockerfile" || !got.Push || !got.RegistryLogin ||
		got.OS != "linux" || got.Architecture != "amd64" || got.CPU != 2 || got.Timeout.Seconds() != 3600 ||
		!cmp.Equal(got.Arguments, []drydock.RunValue{{Name: "VERSION", Value: "1"}, {Name: "TOKEN", Value: "hush", Secret: true}}) {
		t.Errorf("queued %+v", got)
	}
	if strings.Contains(string(record.Request), "hush") || strings.Contains(string(record.Secrets), "hush") {
		t.Error("a secret is stored as it is")
	}
	shown, err := runs.Get(ctx, "g", "contoso", "ca1", nil)
	if err != nil || *shown.Name != "ca1" {
		t.Errorf("%+v: %v", shown, err)
	}
	log, err := runs.GetLogSasURL(ctx, "g", "contoso", "ca1", nil)
	if err != nil || !strings.Contains(*log.LogLink, "ca1") || log.LogArtifactLink != nil {
		t.Errorf("%+v: %v", log, err)
	}
	page, err := runs.NewListPager("g", "contoso", nil).NextPage(ctx)
	if err != nil || len(page.Value) != 1 {
		t.Errorf("%+v: %v", page, err)
	}
}

// requestOf returns the request of a run with its secrets.
func (s *sdk) requestOf(t *testing.T, r drydock.RunRecord) drydock.RunRequest {
	t.Helper()
	var request drydock.RunRequest
	if err := json.Unmarshal(r.Request, &request); err != nil {
		t.Fatal(err)
	}
	if len(r.Secrets) == 0 {
		return request
	}
	plain, err := s.Sealer.Open(r.Secrets, drydock.RunSecretsPurpose(r.Registry))
	if err != nil {
		t.Fatal(err)
	}
	var secrets drydock.RunSecrets
	if err := json.Unmarshal(plain, &secrets); err != nil {
		t.Fatal(err)
	}
	return request.Join(secrets)
}
