package arm

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A secretVisitor is told of each place in a document where a secret may be:
// holder[key]. Names are stable while the document is changed elsewhere.
type secretVisitor func(name string, holder object, key string)

// taskSecrets visits the secrets of a task.
func taskSecrets(doc object, visit secretVisitor) {
	if step, ok := at(doc, "properties.step").(object); ok {
		visit("step.contextAccessToken", step, "contextAccessToken")
		valueSecrets("step.", step, visit)
	}
	for _, e := range list(doc, "properties.trigger.sourceTriggers") {
		trigger, _ := e.(object)
		if authorization, ok := at(trigger, "sourceRepository.sourceControlAuthProperties").(object); ok {
			name := "trigger " + text(trigger, "name")
			visit(name+" token", authorization, "token")
			visit(name+" refreshToken", authorization, "refreshToken")
		}
	}
	credentialSecrets(doc, "properties.credentials", visit)
	taskURLs(doc, visit)
}

// taskRunSecrets visits the secrets of a task run.
func taskRunSecrets(doc object, visit secretVisitor) {
	request, ok := at(doc, "properties.runRequest").(object)
	if !ok {
		return
	}
	valueSecrets("request.", request, visit)
	if step, ok := request["overrideTaskStepProperties"].(object); ok {
		valueSecrets("override.", step, visit)
	}
	credentialSecrets(request, "credentials", visit)
}

// valueSecrets visits the arguments and values that are marked as secret.
func valueSecrets(prefix string, holder object, visit secretVisitor) {
	for _, key := range []string{"arguments", "values"} {
		for _, e := range list(holder, key) {
			if v, ok := e.(object); ok && flag(v, "isSecret", false) {
				visit(prefix+key+" "+text(v, "name"), v, "value")
			}
		}
	}
}

// credentialSecrets visits the credentials that are not references to a vault.
func credentialSecrets(doc object, path string, visit secretVisitor) {
	registries, _ := at(doc, path+".customRegistries").(object)
	for host, e := range registries {
		credential, _ := e.(object)
		for _, key := range []string{"userName", "password"} {
			if part, ok := credential[key].(object); ok && !strings.EqualFold(text(part, "type"), "Vaultsecret") {
				visit("registry "+host+" "+key, part, "value")
			}
		}
	}
}

func resourcePurpose(st *stored) string { return "resource " + st.ID.Key() }

// hide takes the secrets out of a resource's document and seals them.
func (s *Server) hide(st *stored, secrets func(object, secretVisitor)) error {
	found := map[string]string{}
	secrets(st.doc, func(name string, holder object, key string) {
		v, _ := holder[key].(string)
		if strings.HasPrefix(name, urlSecret) {
			shown := shownURL(name, v)
			if shown != v {
				found[name], holder[key] = v, shown
			}
			return
		}
		if v != "" {
			found[name] = v
		}
		delete(holder, key)
	})
	st.Secrets = nil
	if len(found) == 0 {
		return nil
	}
	plain, err := json.Marshal(found)
	if err != nil {
		return fmt.Errorf("writing the secrets of %s: %w", st.ID.Name(), err)
	}
	st.Secrets = s.c.Sealer.Seal(plain, resourcePurpose(st))
	return nil
}

// reveal returns a resource's document with its secrets in their places.
func (s *Server) reveal(st *stored, secrets func(object, secretVisitor)) (object, error) {
	doc, _ := clone(st.doc).(object)
	if len(st.Secrets) == 0 {
		return doc, nil
	}
	plain, err := s.c.Sealer.Open(st.Secrets, resourcePurpose(st))
	if err != nil {
		return nil, fmt.Errorf("reading the secrets of %s: %w", st.ID.Name(), err)
	}
	var found map[string]string
	if err := json.Unmarshal(plain, &found); err != nil {
		return nil, fmt.Errorf("reading the secrets of %s: %w", st.ID.Name(), err)
	}
	secrets(doc, func(name string, holder object, key string) {
		if v, ok := found[name]; ok {
			holder[key] = v
		}
	})
	return doc, nil
}
