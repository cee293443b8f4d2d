package arm

import "strings"

// urlSecret begins the names of secrets that are URLs: what is not secret of them
// stays where it is, for all to see.
const urlSecret = "url "

// endpointSecret begins the names of those of which the query is secret too.
const endpointSecret = urlSecret + "endpoint "

// taskURLs visits the URLs of a task in which passwords or tokens may be.
func taskURLs(doc object, visit secretVisitor) {
	if step, ok := at(doc, "properties.step").(object); ok {
		visit(urlSecret+"step.contextPath", step, "contextPath")
	}
	for _, e := range list(doc, "properties.trigger.sourceTriggers") {
		trigger, _ := e.(object)
		if repository, ok := trigger["sourceRepository"].(object); ok {
			visit(urlSecret+"trigger "+text(trigger, "name")+" repositoryUrl", repository, "repositoryUrl")
		}
	}
	if trigger, ok := at(doc, "properties.trigger.baseImageTrigger").(object); ok {
		visit(endpointSecret+"updateTriggerEndpoint", trigger, "updateTriggerEndpoint")
	}
}

// shownURL returns a URL without what is secret of it, else as it was written. It
// need not be a valid one. The user of SSH is part of an address.
func shownURL(name, written string) string {
	scheme, rest, ok := strings.Cut(written, "://")
	if !ok {
		return written
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, rest := rest[:end], rest[end:]
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		user, _, _ := strings.Cut(authority[:i], ":")
		authority = authority[i+1:]
		if strings.EqualFold(scheme, "ssh") && user != "" {
			authority = user + "@" + authority
		}
	}
	if strings.HasPrefix(name, endpointSecret) {
		rest, _, _ = strings.Cut(rest, "?")
		rest, _, _ = strings.Cut(rest, "#")
	}
	return scheme + "://" + authority + rest
}

// keepURLs gives back to a changed task the secrets of URLs that its client wrote
// as they are shown.
func keepURLs(old, next object) {
	known := map[string]string{}
	taskURLs(old, func(name string, holder object, key string) { known[name] = text(holder, key) })
	taskURLs(next, func(name string, holder object, key string) {
		if v, ok := known[name]; ok && text(holder, key) == shownURL(name, v) {
			holder[key] = v
		}
	})
}
