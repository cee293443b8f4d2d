package arm

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

const (
	maxHeaders     = 50
	maxHeaderValue = 4096 // bytes
	// ourHeaders are those by which receivers know us.
	ourHeaders = "x-drydock-"
)

var (
	headerName  = regexp.MustCompile("^[0-9A-Za-z!#$%&'*+.^_`|~-]{1,128}$")
	headerValue = regexp.MustCompile(`^[^\x00-\x08\x0a-\x1f\x7f]*$`)
	// reservedHeaders are those of the connection and of the signature.
	reservedHeaders = []string{
		"host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade", "x-hub-signature-256",
	}
)

// checkWebhook checks a whole webhook.
func (s *Server) checkWebhook(doc object) error {
	if err := check(doc, wholeWebhookFields); err != nil {
		return err
	}
	if len(list(doc, "properties.actions")) == 0 {
		return badRequest("InvalidRequestContent", "A webhook must have an action: %s.", strings.Join(drydock.WebhookActions(), ", ")).about("properties.actions")
	}
	if err := s.checkServiceURI(text(doc, "properties.serviceUri"), "properties.serviceUri"); err != nil {
		return err
	}
	headers, _ := at(doc, "properties.customHeaders").(object)
	if len(headers) > maxHeaders {
		return badRequest("InvalidRequestContent", "A webhook can have %d headers of its own.", maxHeaders).about("properties.customHeaders")
	}
	for name, value := range headers {
		low := strings.ToLower(name)
		text := asText(value)
		if !headerName.MatchString(name) || !headerValue.MatchString(text) || len(text) > maxHeaderValue ||
			slices.Contains(reservedHeaders, low) || strings.HasPrefix(low, ourHeaders) {
			return badRequest("InvalidRequestContent", "The header '%s' can't be set.", shorten(name)).about("properties.customHeaders")
		}
	}
	return nil
}

// checkEndpoint checks where a task has updates of base images told.
func (s *Server) checkEndpoint(doc object) error {
	const path = "properties.trigger.baseImageTrigger.updateTriggerEndpoint"
	if text(doc, path) == "" {
		return nil
	}
	return s.checkServiceURI(text(doc, path), path)
}

// checkServiceURI refuses what nothing could be sent to. Names are looked up
// when something is sent.
func (s *Server) checkServiceURI(text, path string) error {
	bad := func(why string) error {
		u, err := url.Parse(text)
		shown := shorten(text)
		if err == nil {
			shown = shorten(u.Scheme + "://" + u.Host)
		}
		return badRequest("InvalidServiceUri", "The service URI '%s' can't be used: %s.", shown, why).about(path)
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return bad("it must begin with https:// or http:// and have a host")
	}
	if address, err := netip.ParseAddr(u.Hostname()); err == nil && drydock.Unreachable(address) != "" {
		return bad("nothing is sent to its address, which is " + drydock.Unreachable(address))
	}
	if s.c.RefusedReceiver == nil {
		return nil
	}
	if what := s.c.RefusedReceiver(u); what != "" {
		return bad("nothing is sent to its host, which is " + what)
	}
	return nil
}
