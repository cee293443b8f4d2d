package arm

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/drydockhq/drydock"
)

// registryName is ACR's rule, without its capitals: a registry's name is part of
// a host name and of image names, which have none.
var registryName = regexp.MustCompile(`^[a-z0-9]{5,50}$`)

// nameFree checks a name for a new registry: names are global.
func (s *Server) nameFree(ctx context.Context, name string) error {
	if !registryName.MatchString(name) {
		return badRequest("InvalidResourceName", "The registry name '%s' is invalid. It has %d characters and must have 5 to 50, lower-case letters and digits only.", shorten(name), utf8.RuneCountInString(name))
	}
	found, err := s.c.Resources.Resources(ctx, drydock.ResourceFilter{Type: registryType, Name: name})
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return s.alreadyInUse(ctx, name)
	}
	return nil
}

func (s *Server) alreadyInUse(ctx context.Context, name string) *apiError {
	return conflict("AlreadyInUse", "The registry DNS name %s is already in use. You can check if the name is already claimed with checkNameAvailability.", s.loginServer(ctx, name))
}

// takenIfConflict words the store's answer to two creations at a time.
func (s *Server) takenIfConflict(ctx context.Context, err error, name string, status int) error {
	if status == http.StatusCreated && drydock.CodeOf(err) == drydock.Conflict {
		return s.alreadyInUse(ctx, name)
	}
	return err
}

// checkName says whether a registry can be created with a name.
func (s *Server) checkName(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	if err := check(doc, []field{{path: "name", kind: aString, required: true}, {path: "type", kind: aString}}); err != nil {
		return nil, err
	}
	switch err := s.nameFree(req.Context(), strings.ToLower(text(doc, "name"))); e := err.(type) {
	case nil:
		return ok(object{"nameAvailable": true})
	case *apiError:
		reason := "Invalid"
		if e.Status == http.StatusConflict {
			reason = "AlreadyExists"
		}
		return ok(object{"nameAvailable": false, "reason": reason, "message": e.Message})
	default:
		return nil, err
	}
}
