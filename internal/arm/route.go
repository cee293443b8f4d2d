package arm

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/drydockhq/drydock"
)

// route is one operation of the API.
type route struct {
	method string
	// path has a "{name}" for each part that differs. Parts are compared without
	// regard to case.
	path string
	// action is what the principal must be allowed to do; with an empty one,
	// anybody who has signed in may.
	action string
	// somewhere makes it enough to be allowed on something below the path: the
	// answer then shows what may be read and no more.
	somewhere bool
	what      string // one sentence for docs/api.md
	handle    func(*request) (*answer, error)
	unserved  bool // answers 501
}

// nameForm is what a part of a path may be: the characters of ARM's names, and
// spaces for locations.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9_().:~ -]{1,260}$`)

// maxName is how long it may be.
const maxName = 260

// route finds the route of a request and the values of its path.
func (s *Server) route(r *http.Request) (*route, map[string]string, error) {
	parts, err := pathParts(r.URL)
	if err != nil {
		return nil, nil, err
	}
	var methods []string
	for i := range s.routes {
		candidate := &s.routes[i]
		params, ok := candidate.match(parts)
		if !ok {
			continue
		}
		if candidate.method == r.Method {
			return candidate, params, nil
		}
		methods = append(methods, candidate.method)
	}
	if len(methods) > 0 {
		slices.Sort(methods)
		allow := strings.Join(slices.Compact(methods), ", ")
		return nil, nil, &apiError{
			Status: http.StatusMethodNotAllowed, Code: "HttpMethodNotAllowed", Allow: allow,
			Message: "The request uses the method " + shorten(r.Method) + " where only " + allow + " is possible.",
		}
	}
	return nil, nil, notFound("InvalidResourceType", "There is no resource type or operation at '%s'. docs/api.md lists what this server has.", shorten(r.URL.Path))
}

// pathParts splits a path. Names that could mislead whoever stores or shows them
// are refused here, once.
func pathParts(u *url.URL) ([]string, error) {
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	for i, part := range parts {
		text, err := url.PathUnescape(part)
		if err != nil || text == "." || text == ".." || !nameForm.MatchString(text) && !operationForm(parts, i) {
			if len(text) > maxName {
				return nil, badRequest("InvalidResourceName", "'%s' can't be a part of a path: it has %d characters, and %d are the most.", shorten(text), utf8.RuneCountInString(text), maxName)
			}
			return nil, badRequest("InvalidResourceName", "'%s' can't be a part of a path: letters, digits, '-', '_', '.' and parentheses can.", shorten(text))
		}
		parts[i] = text
	}
	return parts, nil
}

// operationForm lets through the ids of operations, which are long.
func operationForm(parts []string, i int) bool {
	return i == 3 && strings.EqualFold(parts[2], "operationresults") && operationID.MatchString(parts[i])
}

func shorten(s string) string {
	if runes := []rune(s); len(runes) > 120 {
		return string(runes[:120]) + "…"
	}
	return s
}

func (rt *route) match(parts []string) (map[string]string, bool) {
	pattern := strings.Split(strings.Trim(rt.path, "/"), "/")
	if len(pattern) != len(parts) {
		return nil, false
	}
	params := map[string]string{}
	for i, p := range pattern {
		if name, ok := placeholder(p); ok {
			params[name] = parts[i]
		} else if !strings.EqualFold(p, parts[i]) {
			return nil, false
		}
	}
	return params, true
}

func placeholder(part string) (string, bool) {
	name, ok := strings.CutPrefix(part, "{")
	return strings.TrimSuffix(name, "}"), ok
}

// scope returns the id of what the path names: without the list or the action
// that it may end with, and zero outside of a subscription.
func (rt *route) scope(params map[string]string) drydock.ResourceID {
	pattern := strings.Split(strings.Trim(rt.path, "/"), "/")
	end := len(pattern)
	for end > 0 && !strings.HasPrefix(pattern[end-1], "{") {
		end--
	}
	var path strings.Builder
	for _, p := range pattern[:end] {
		if name, ok := placeholder(p); ok {
			p = params[name]
		}
		path.WriteString("/" + p)
	}
	id, err := drydock.ParseResourceID(path.String())
	if err != nil {
		return drydock.ResourceID{Subscription: params["subscriptionId"]}
	}
	return id
}
