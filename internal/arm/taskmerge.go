package arm

import "strings"

// mergeTask applies a change to a task, both with their secrets. Clients send
// empty objects for what they leave alone, and lists with what they change of
// them: lists are merged by the names in them, registries by their hosts.
func mergeTask(old, patch object) object {
	next := merge(old, without(patch, "properties", "tags"))
	if tags, there := patch["tags"]; there {
		next["tags"] = tags
	}
	change, ok := patch["properties"].(object)
	if !ok {
		return next
	}
	properties, _ := clone(child(next, "properties")).(object)
	next["properties"] = properties
	for key, value := range merge(properties, without(change, "step", "trigger", "credentials")) {
		properties[key] = value
	}
	for key, value := range change {
		if value == nil {
			delete(properties, key)
		}
	}
	if step, ok := change["step"].(object); ok {
		properties["step"] = mergeStep(child(properties, "step"), step)
	}
	if trigger, ok := change["trigger"].(object); ok {
		properties["trigger"] = mergeTriggers(child(properties, "trigger"), trigger)
	}
	if credentials, ok := change["credentials"].(object); ok {
		properties["credentials"] = mergeCredentials(child(properties, "credentials"), credentials)
	}
	return next
}

// mergeStep merges a step. One of another type replaces the old one, but for
// where its context is.
func mergeStep(old, change object) object {
	if kind := text(change, "type"); kind != "" && !strings.EqualFold(kind, text(old, "type")) {
		for _, key := range []string{"contextPath", "contextAccessToken"} {
			if v, there := old[key]; there && change[key] == nil {
				change[key] = v
			}
		}
		return change
	}
	next := merge(old, without(change, "arguments", "values"))
	for _, key := range []string{"arguments", "values"} {
		mergeNamed(next, change, key, func(_, element object) object { return element })
	}
	return next
}

func mergeTriggers(old, change object) object {
	next := merge(old, without(change, "sourceTriggers", "timerTriggers"))
	mergeNamed(next, change, "sourceTriggers", merge)
	mergeNamed(next, change, "timerTriggers", merge)
	return next
}

// mergeCredentials merges registries by their hosts; a credential is replaced as
// a whole, so that a password does not outlive the change to an identity.
func mergeCredentials(old, change object) object {
	next := merge(old, without(change, "customRegistries"))
	hosts, ok := change["customRegistries"].(object)
	if !ok {
		return next
	}
	registries := child(next, "customRegistries")
	for host, credential := range hosts {
		for known := range registries {
			if strings.EqualFold(known, host) {
				delete(registries, known)
			}
		}
		if credential != nil {
			registries[host] = credential
		}
	}
	return next
}

// mergeNamed merges a list whose elements have names into the one that is there:
// by join if there is one of the name, at its end if not. An empty list changes
// nothing; null removes all.
func mergeNamed(next, change object, key string, join func(old, element object) object) {
	elements, there := change[key]
	if !there {
		return
	}
	if elements == nil {
		delete(next, key)
		return
	}
	merged, _ := next[key].([]any)
	for _, e := range list(change, key) {
		element, _ := e.(object)
		found := false
		for i, o := range merged {
			old, _ := o.(object)
			if text(old, "name") == text(element, "name") {
				merged[i], found = join(old, element), true
			}
		}
		if !found {
			merged = append(merged, element)
		}
	}
	if merged != nil {
		next[key] = merged
	}
}

// without returns an object without some keys.
func without(o object, keys ...string) object {
	rest := object{}
	for key, value := range o {
		rest[key] = value
	}
	for _, key := range keys {
		delete(rest, key)
	}
	return rest
}
