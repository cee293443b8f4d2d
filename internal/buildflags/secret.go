package buildflags

import (
	"encoding/csv"
	"strings"
)

// addSecret reads the comma-separated form id=…,src=…,env=…,type=….
func addSecret(secrets *[]Secret, v string) error {
	fields, err := csvFields(v)
	if err != nil {
		return err
	}
	var s Secret
	kind := ""
	for _, field := range fields {
		key, value, ok := strings.Cut(field, "=")
		if !ok {
			return invalid("a field has no value").WithHint("write id=NAME,src=FILE or id=NAME,env=VARIABLE")
		}
		switch key := strings.ToLower(strings.TrimSpace(key)); key {
		case "id":
			s.ID = value
		case "src", "source":
			s.Src = value
		case "env":
			s.Env = value
		case "type":
			kind = value
		default:
			return invalid("unknown key %q", key).WithHint("the keys are id, src, env and type")
		}
	}
	if s, err = s.resolve(kind); err != nil {
		return err
	}
	*secrets = append(*secrets, s)
	return nil
}

// resolve applies a type, with which src may name a variable.
func (s Secret) resolve(kind string) (Secret, error) {
	switch {
	case s.ID == "":
		return s, invalid("the id is missing").WithHint("write id=NAME,src=FILE or id=NAME,env=VARIABLE")
	case kind != "" && kind != "file" && kind != "env":
		return s, invalid("unknown type %q", kind).WithHint("it is file or env")
	case kind == "env" && s.Env == "":
		s.Src, s.Env = "", s.Src
	}
	if s.Src != "" && s.Env != "" {
		return s, invalid("the secret %q has both src and env", s.ID).WithHint("give one of them")
	}
	return s, nil
}

// addSSH reads ID or ID=PATH[,PATH…].
func addSSH(list *[]SSH, v string) error {
	id, paths, ok := strings.Cut(v, "=")
	if id == "" {
		return invalid("the id is empty").WithHint("write default, or ID=SOCKET or ID=KEY")
	}
	s := SSH{ID: id}
	if ok && paths != "" {
		s.Paths = strings.Split(paths, ",")
	}
	*list = append(*list, s)
	return nil
}

// csvFields splits one line of comma-separated values.
func csvFields(v string) ([]string, error) {
	fields, err := csv.NewReader(strings.NewReader(v)).Read()
	if err != nil {
		return nil, invalid("its value is not a list with commas")
	}
	return fields, nil
}
