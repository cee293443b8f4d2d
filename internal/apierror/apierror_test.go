package apierror_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/apierror"
)

func TestOf(t *testing.T) {
	t.Parallel()
	table := map[drydock.Code]apierror.Kind{drydock.NotFound: {404, "Gone"}}
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("looking: %w", drydock.Errorf(drydock.NotFound, "no such thing").WithHint("look elsewhere")), "404 Gone no such thing (look elsewhere) true"},
		{drydock.Errorf(drydock.NotFound, "no such thing"), "404 Gone no such thing true"},
		{fmt.Errorf("reading: %w", context.Canceled), "503 ServiceUnavailable The request was cut off. true"},
		{errors.New("dial tcp 10.0.0.1: secret"), "500 InternalServerError The server met an error of its own. Its log says more under the id of this request. false"},
		{drydock.Errorf(drydock.Denied, "not in the table"), "500 InternalServerError The server met an error of its own. Its log says more under the id of this request. false"},
	} {
		got := apierror.Of(c.err, table)
		if text := fmt.Sprint(got.Status, " ", got.Code, " ", got.Message, " ", got.Known); text != c.want {
			t.Errorf("%v\n got %s\nwant %s", c.err, text, c.want)
		}
	}
}
