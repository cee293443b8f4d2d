package auth

import (
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
)

// surveyIdentity is the principal that reads a registry for the server itself.
func surveyIdentity(registry drydock.ResourceID) drydock.Principal {
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte("survey "+registry.Key())).String()
	return drydock.Principal{ID: id, AppID: id, Kind: drydock.SurveyIdentity, Name: "survey of " + registry.Name(), Owner: registry}
}

// SurveyToken returns a token that reads the content of a registry, for at most
// lifetime: for the server itself, when it looks at what the runs of a task would
// read and there is no run yet.
func (a *Authority) SurveyToken(registry drydock.ResourceID, lifetime time.Duration) (string, error) {
	p := surveyIdentity(registry)
	c := a.claims(p.ID, a.c.Resources[Registry][0], lifetime)
	c.AppID, c.Azp = p.AppID, p.AppID
	c.Survey = registry.String()
	return a.c.Keys.sign(c)
}

func surveyPrincipal(c Claims) (drydock.Principal, error) {
	registry, err := drydock.ParseResourceID(c.Survey)
	if err != nil {
		return drydock.Principal{}, invalidToken("The access token names no registry.")
	}
	return surveyIdentity(registry), nil
}
