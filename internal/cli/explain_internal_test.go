package cli

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/drydockhq/drydock"
)

// Who is refused is told of roles only where one helps.
func TestRolesAreHintedAtWhereTheyHelp(t *testing.T) {
	t.Parallel()
	for inner, helps := range map[string]bool{
		"": true, "AccessDenied": true, "ForbiddenByRbac": true, "SecretDisabled": false, "PurgeProtected": false,
	} {
		body := fmt.Sprintf(`{"error":{"code":"Forbidden","message":"No.","innererror":{"code":%q}}}`, inner)
		a := &app{Surroundings: Surroundings{Name: "drydock"}}
		err := a.explain(runtime.NewResponseError(&http.Response{
			StatusCode: http.StatusForbidden, Body: io.NopCloser(strings.NewReader(body)), Request: &http.Request{URL: &url.URL{}},
		}))
		var e *drydock.Error
		if !errors.As(err, &e) || e.Code != drydock.Denied || !strings.HasPrefix(e.Error(), "(Forbidden) No.") || strings.Contains(e.Hint, "role assignment") != helps {
			t.Errorf("%q: %+v", inner, e)
		}
	}
}
