package cli

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/drydockhq/drydock"
)

// explain turns errors of servers and of the network into ones for users.
func (a *app) explain(err error) error {
	var user *drydock.Error
	if errors.As(err, &user) {
		return err
	}
	var answer *azcore.ResponseError
	if errors.As(err, &answer) {
		return explainAnswer(answer, a.Name)
	}
	var refused *azidentity.AuthenticationFailedError
	if errors.As(err, &refused) && refused.RawResponse != nil {
		return explainSignIn(refused)
	}
	return explainNetwork(err, a.Name)
}

// explainAnswer gives an error of the resource manager or of a registry.
func explainAnswer(answer *azcore.ResponseError, program string) error {
	code, message := answer.ErrorCode, ""
	var said problem
	if answer.RawResponse != nil {
		said = problemOf(answer.RawResponse)
		message = said.Message
		if code == "" {
			code = said.Code
		}
	}
	if message == "" {
		message = http.StatusText(answer.StatusCode)
	}
	if code == "" {
		code = fmt.Sprint(answer.StatusCode)
	}
	e := drydock.Errorf(codeOf(answer.StatusCode), "(%s) %s", code, message)
	switch answer.StatusCode {
	case http.StatusUnauthorized:
		e.WithHint("sign in again with drydock login")
	case http.StatusForbidden:
		if !noRoleHelps(said.Inner.Code) {
			e.WithHint("%s", roleHint(message, program))
		}
	}
	return e
}

func codeOf(status int) drydock.Code {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return drydock.Denied
	case http.StatusNotFound:
		return drydock.NotFound
	case http.StatusConflict:
		return drydock.Conflict
	}
	// Not Invalid, whose exit status says that the command line is wrong.
	return drydock.Failed
}

// problem is what an answer says is wrong.
type problem struct {
	Code, Message string
	Inner         struct{ Code string } `json:"innererror"` // what exactly, of vaults
}

// problemOf finds it in an answer of the resource manager, of a registry, or of
// an authority.
func problemOf(answer *http.Response) (said problem) {
	text, err := runtime.Payload(answer)
	if err != nil {
		return said
	}
	var body struct {
		Error       json.RawMessage
		Errors      []problem
		Description string `json:"error_description"`
	}
	if json.Unmarshal(text, &body) != nil {
		return said
	}
	if json.Unmarshal(body.Error, &said) == nil && said.Message != "" {
		return said
	}
	if len(body.Errors) > 0 {
		return body.Errors[0]
	}
	return problem{Message: body.Description}
}

func explainSignIn(refused *azidentity.AuthenticationFailedError) error {
	message := problemOf(refused.RawResponse).Message
	if message == "" {
		message = refused.RawResponse.Status
	}
	return drydock.Errorf(drydock.Denied, "signing in: %s", message).
		WithHint("sign in again with drydock login --service-principal -u ID -p SECRET --tenant TENANT")
}

// saidByAuthority finds what an authority says is wrong in the text of an error
// of MSAL, which has nothing else of the answer.
var saidByAuthority = regexp.MustCompile(`"error_description":\s*("(?:[^"\\]|\\.)*")`)

// explainPerson gives an error in signing a person in.
func explainPerson(err error, flags string) error {
	found := saidByAuthority.FindStringSubmatch(err.Error())
	var message string
	if found == nil || json.Unmarshal([]byte(found[1]), &message) != nil {
		return err
	}
	return drydock.Errorf(drydock.Denied, "signing in: %s", message).WithHint("sign in again with drydock login%s", flags)
}

// namesHint says how the name of a server's host becomes known to a machine.
func namesHint(host string) string {
	_, domain, _ := strings.Cut(strings.TrimSuffix(host, "."), ".")
	return "drydockd serve --manage-hosts, or a DNS entry for *." + domain
}

// explainNetwork says what to do when a server can't be reached or trusted.
func explainNetwork(err error, program string) error {
	var authority x509.UnknownAuthorityError
	var name *net.DNSError
	switch {
	case errors.As(err, &authority):
		return drydock.Errorf(drydock.Unavailable, "%w", err).
			WithHint("trust the server's certificate: sudo drydockd trust where the server runs, or %s login --ca-file FILE", program)
	case errors.As(err, &name):
		return drydock.Errorf(drydock.Unavailable, "%w", err).
			WithHint("%s cloud show says where the server is; if that is right, this machine lacks its names: %s", program, namesHint(name.Name))
	case errors.Is(err, syscall.ECONNREFUSED):
		return drydock.Errorf(drydock.Unavailable, "%w", err).WithHint("is drydockd serve running there?")
	}
	return err
}
