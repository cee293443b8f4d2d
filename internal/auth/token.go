package auth

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// clockSkew is by how much the clocks of two servers may differ.
const clockSkew = 30 * time.Second

// maxTokenSize bounds what is parsed before anything is known about its sender.
const maxTokenSize = 16 << 10

// Claims are what a token says. Registered names are OpenID's and Azure's.
type Claims struct {
	jwt.Claims
	PersonClaims
	Tenant   string `json:"tid,omitempty"`
	ObjectID string `json:"oid,omitempty"`
	AppID    string `json:"appid,omitempty"`
	Azp      string `json:"azp,omitempty"`
	IDType   string `json:"idtyp,omitempty"`
	Version  string `json:"ver,omitempty"`
	// Run is the id of the run whose identity this is, RunCreated when that was
	// made, in nanoseconds since 1970, and Attempt which of its attempts.
	Run        string `json:"drydock_run,omitempty"`
	RunCreated int64  `json:"drydock_run_created,omitempty"`
	Attempt    int    `json:"drydock_attempt,omitempty"`
	// Confined says that the token is good only in requests that come out of
	// that run.
	Confined bool `json:"drydock_confined,omitempty"`
	// Survey is the id of the registry that the server reads with this.
	Survey string `json:"drydock_survey,omitempty"`
	// Access is what a registry token allows, Purpose what sort of one it is.
	Access  []RepositoryAccess `json:"access,omitempty"`
	Purpose string             `json:"grant_type,omitempty"`
	// Admin is set for a registry's admin user, and changes with its passwords.
	Admin string `json:"drydock_admin,omitempty"`
	scopedClaims
}

// RepositoryAccess is an entry of the scope of a registry token, as in the
// distribution project's token specification.
type RepositoryAccess struct {
	Type    string   `json:"type"` // "repository" or "registry"
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// TokenError says why a token is refused. Code is ARM's.
type TokenError struct {
	Code    string // AuthenticationFailed, InvalidAuthenticationToken, ExpiredAuthenticationToken, …
	Message string
}

// Error returns the message.
func (e *TokenError) Error() string { return e.Message }

func invalidToken(format string, args ...any) *TokenError {
	return &TokenError{Code: "InvalidAuthenticationToken", Message: fmt.Sprintf(format, args...)}
}

// sign returns a token with claims, which must be complete.
func (s *KeySet) sign(c Claims) (string, error) {
	signer, err := s.signer()
	if err != nil {
		return "", err
	}
	text, err := jwt.Signed(signer).Claims(c).Serialize()
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return text, nil
}

// open checks a token's signature, issuer and times, and that it is for one of
// the audiences. Its errors are *TokenError.
func (s *KeySet) open(text, issuer string, audiences []string, now time.Time) (Claims, error) {
	if len(text) > maxTokenSize {
		return Claims{}, invalidToken("The access token is longer than %d bytes.", maxTokenSize)
	}
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{signingAlgorithm})
	if err != nil {
		return Claims{}, invalidToken("The access token is not a JWT that is signed with %s.", signingAlgorithm)
	}
	keys := s.public.Key(token.Headers[0].KeyID)
	if len(keys) != 1 {
		return Claims{}, invalidToken("The access token is signed with a key that this server does not know.")
	}
	var c Claims
	if err := token.Claims(keys[0], &c); err != nil {
		return Claims{}, invalidToken("The signature of the access token is wrong.")
	}
	if c.Expiry == nil || c.NotBefore == nil {
		return Claims{}, invalidToken("The access token has no times.")
	}
	switch err := c.ValidateWithLeeway(jwt.Expected{Issuer: issuer, Time: now}, clockSkew); {
	case errors.Is(err, jwt.ErrExpired):
		return Claims{}, &TokenError{
			"ExpiredAuthenticationToken",
			"The access token expired at " + c.Expiry.Time().UTC().Format(time.RFC3339) + ".",
		}
	case errors.Is(err, jwt.ErrInvalidIssuer):
		return Claims{}, &TokenError{"InvalidAuthenticationTokenIssuer", fmt.Sprintf("The access token is from the wrong issuer: %q instead of %q.", c.Issuer, issuer)}
	case err != nil:
		return Claims{}, invalidToken("The access token is not valid yet.")
	}
	for _, a := range c.Audience {
		if knownResource(audiences, a) {
			return c, nil
		}
	}
	return Claims{}, &TokenError{"InvalidAuthenticationTokenAudience", fmt.Sprintf("The access token is for %q, which is not this service.", strings.Join(c.Audience, ", "))}
}

// knownResource compares without regard to case and to final slashes, since
// clients differ in both.
func knownResource(known []string, resource string) bool {
	for _, k := range known {
		if strings.EqualFold(strings.TrimRight(k, "/"), strings.TrimRight(resource, "/")) {
			return true
		}
	}
	return false
}
