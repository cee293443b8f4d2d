package upstream

import (
	"fmt"
	"testing"

	"github.com/drydockhq/drydock"
)

// What is remembered of hosts and repositories does not grow for ever.
func TestRemembered(t *testing.T) {
	t.Parallel()
	var r Registries
	for i := range 3 * mostRemembered / 2 {
		r.transport(fmt.Sprint("host", i))
		r.keys.accept(fmt.Sprint("host/", i), drydock.Credential{})
	}
	if len(r.transports) > mostRemembered || len(r.keys.good) > mostRemembered {
		t.Errorf("remembered are %d and %d", len(r.transports), len(r.keys.good))
	}
}
