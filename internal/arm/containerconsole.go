package arm

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/google/shlex"

	"github.com/drydockhq/drydock"
)

// maxTerminal bounds the rows and columns of a terminal.
const maxTerminal = 10_000

func (s *Server) showContainerLogs(req *request) (*answer, error) {
	st, name, err := s.hasContainer(req)
	if err != nil {
		return nil, err
	}
	tail := 0
	if given := req.query.Get("tail"); given != "" {
		if tail, err = strconv.Atoi(given); err != nil || tail < 0 {
			return nil, badRequest("InvalidTail", "The value of tail must be a whole number from 0 on, not '%s'.", shorten(given)).about("tail")
		}
	}
	content, err := s.c.Instances.Logs(st.ID, name, tail, strings.EqualFold(req.query.Get("timestamps"), "true"))
	if err != nil {
		return nil, err
	}
	return ok(object{"content": content})
}

func (s *Server) execContainer(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	if err := check(doc, execFields); err != nil {
		return nil, err
	}
	st, name, err := s.hasContainer(req)
	if err != nil {
		return nil, err
	}
	command, err := shlex.Split(text(doc, "command"))
	if err != nil || len(command) == 0 {
		return nil, badRequest("InvalidCommand", "The command '%s' can't be split into words.", shorten(text(doc, "command"))).about("command")
	}
	return s.console(req, drydock.ConsoleRequest{
		Group: st.ID, Container: name, Command: command,
		// Terminals that know no size say 0.
		Rows: cmp.Or(number(doc, "terminalSize.rows", 0), 24), Columns: cmp.Or(number(doc, "terminalSize.cols", 0), 80),
	})
}

var execFields = append(kinds(anObject, "terminalSize"),
	field{path: "command", kind: aString, min: 1, max: maxText, required: true},
	field{path: "terminalSize.rows", kind: anInt, max: maxTerminal},
	field{path: "terminalSize.cols", kind: anInt, max: maxTerminal},
)

func (s *Server) attachContainer(req *request) (*answer, error) {
	st, name, err := s.hasContainer(req)
	if err != nil {
		return nil, err
	}
	return s.console(req, drydock.ConsoleRequest{Group: st.ID, Container: name})
}

// console answers with a stream that the client opens next.
func (s *Server) console(req *request, r drydock.ConsoleRequest) (*answer, error) {
	console, err := s.c.Instances.Console(r)
	if err != nil {
		return nil, err
	}
	uri := "ws" + strings.TrimPrefix(baseURL(req.Request), "http") + console.Path
	return ok(object{"webSocketUri": uri, "password": console.Password})
}
