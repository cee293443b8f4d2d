//go:build azurecli

package walkthrough_test

import (
	"os"
	"testing"

	"github.com/drydockhq/drydock/test/walkthrough"
)

// By the Azure CLI as it is; AZ is where it is.
func TestWithAzureCLI(t *testing.T) {
	t.Parallel()
	az := os.Getenv("AZ")
	if az == "" {
		t.Fatal("AZ does not say where the Azure CLI is: make walkthrough gets one")
	}
	twice(t, "azure-cli", walkthrough.Set(t, options(t, az)))
}

// The overview of ACR Tasks, by the Azure CLI as it is.
func TestOverviewWithAzureCLI(t *testing.T) {
	t.Parallel()
	overview(t, walkthrough.Set(t, options(t, os.Getenv("AZ"))))
}
