package cli

import (
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/drydockhq/drydock"
)

// defaultTaskFile is the task file of a source.
const defaultTaskFile = "acb.yaml"

type quickRun struct {
	registry registryFlags
	run      runFlags
	file     string
	command  string
	values   string
	set      []string
	secrets  []string
}

func acrRun() command {
	var q quickRun
	return command{
		use: "run SOURCE", short: "Carry out a task file, or one command", args: cobra.ExactArgs(1), table: runTable,
		example: "  drydock acr run -r contoso -f acr-task.yaml .\n  drydock acr run -r contoso --cmd 'bash echo hello' /dev/null",
		flags: func(f *flags) {
			q.registry.byRegistry(f)
			f.StringVarP(&q.file, "file", "f", "", "the task file in the source, or - for standard input (default acb.yaml)")
			f.StringVar(&q.command, "cmd", "", "a command to carry out instead of a task file")
			f.StringVar(&q.values, "values", "", "file of values in the source")
			f.StringArrayVar(&q.set, "set", nil, "NAME[=VALUE]; may be given several times")
			f.StringArrayVar(&q.secrets, "set-secret", nil, "NAME[=VALUE] that is kept secret; may be given several times")
			q.run.define(f)
		},
		run: q.schedule,
	}
}

func (q *quickRun) schedule(c *call) (any, error) {
	if q.command != "" && q.file != "" {
		return nil, usageError(c.cmd, fmt.Errorf("either --cmd COMMAND /dev/null or --file FILE SOURCE, not both"))
	}
	r, err := q.registry.find(c)
	if err != nil {
		return nil, err
	}
	src, err := c.source(c.args[0], "", false)
	if err != nil {
		return nil, err
	}
	encoded := q.command != "" || q.file == "-" || (src.folder == "" && src.remote == "")
	kind := "FileTaskRunRequest"
	if encoded {
		kind = "EncodedTaskRunRequest"
	}
	body, err := q.run.body(c, kind)
	if err != nil {
		return nil, err
	}
	if err := q.step(c, body, encoded); err != nil {
		return nil, err
	}
	location, err := src.send(c, r)
	if err != nil {
		return nil, err
	}
	if location != nil {
		body["sourceLocation"] = location
	}
	return q.run.schedule(c, r, body, "run")
}

// step says what is carried out: a file of the source, or one that is sent with
// the request.
func (q *quickRun) step(c *call, body object, encoded bool) error {
	if values := append(c.namedValues(q.set, false), c.namedValues(q.secrets, true)...); len(values) > 0 {
		body["values"] = values
	}
	if !encoded {
		body["taskFilePath"] = filepath.ToSlash(q.file)
		if q.file == "" {
			body["taskFilePath"] = defaultTaskFile
		}
		if q.values != "" {
			body["valuesFilePath"] = filepath.ToSlash(q.values)
		}
		return nil
	}
	task, err := c.taskText(q.command, q.file, q.run.timeout)
	if err != nil {
		return err
	}
	body["encodedTaskContent"] = base64.StdEncoding.EncodeToString(task)
	if q.values != "" {
		values, err := os.ReadFile(q.values)
		if err != nil {
			return drydock.Errorf(drydock.Invalid, "reading the values: %w", err)
		}
		body["encodedValuesContent"] = base64.StdEncoding.EncodeToString(values)
	}
	return nil
}

// taskText returns a task file: one with a command as its only step, or the
// content of a file.
func (a *app) taskText(command, file string, timeout int) ([]byte, error) {
	if command != "" {
		step := map[string]any{"cmd": command}
		if timeout > 0 {
			step["timeout"] = timeout
		}
		return yaml.Marshal(map[string]any{"version": "v1.1.0", "steps": []any{step}})
	}
	if file == "-" {
		text, err := io.ReadAll(a.Stdin)
		if err == nil && len(text) == 0 {
			return nil, drydock.Errorf(drydock.Invalid, "the task file on standard input is empty")
		}
		return text, err
	}
	if file == "" {
		file = defaultTaskFile
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "reading the task file: %w", err).WithHint("name it with --file/-f, or give a command with --cmd")
	}
	return text, nil
}
