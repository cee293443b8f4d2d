package graph

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// Config is what a Server needs.
type Config struct {
	Authority    Authority
	Directory    Directory
	Secrets      Secrets
	Principals   Principals
	People       People
	Logins       drydock.PeopleStore
	Groups       Groups
	Issuer       string // of the provider of identities whose groups there can be; "" for none
	Roles        auth.Assignments
	Subscription string // GUID of the one subscription, whose Owners may do everything
	Log          *slog.Logger
	Now          func() time.Time
	NewID        func() string // returns a fresh GUID
}

// Server answers requests to the host of Graph.
type Server struct {
	c       Config
	routes  []route
	handler http.Handler
}

// New returns a Server.
func New(c Config) *Server {
	s := &Server{c: c}
	s.routes = s.table()
	s.handler = c.Authority.Require(auth.Graph, http.HandlerFunc(s.serve), s.deny, s.writeError)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Server) deny(w http.ResponseWriter, r *http.Request, refused *auth.TokenError) {
	s.writeError(w, r, &apiError{Status: http.StatusUnauthorized, Code: "InvalidAuthenticationToken", Message: refused.Message})
}

// ownersAction is what principals must be allowed to do on the subscription to
// look others up and to change them. Who may give any role there could take any
// right all the same; of the roles only Owner allows it.
const ownersAction = "Microsoft.Authorization/roleAssignments/write"

func (s *Server) subscription() drydock.ResourceID {
	return drydock.ResourceID{Subscription: s.c.Subscription}
}
