package cli

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock/internal/cli/output"
)

func webhookConfig() command {
	var w webhookFlags
	return command{
		use: "get-config", short: "Show the URL, the headers and the signing secret of a webhook", flags: w.define,
		table: func(item any) output.Row {
			headers := ""
			if o, ok := at(item, "customHeaders").(object); ok && len(o) > 0 {
				text, err := json.Marshal(o)
				if err == nil {
					headers = string(text)
				}
			}
			return output.Row{cell("SERVICE URI", item, "serviceUri"), {Column: "HEADERS", Value: shown(headers)}, cell("SECRET", item, "secret")}
		},
		run: func(c *call) (any, error) { return w.do(c, http.MethodPost, "/getCallbackConfig", nil) },
	}
}

func webhookPing() command {
	var w webhookFlags
	return command{
		use: "ping", short: "Send a message to try a webhook", flags: w.define,
		table: func(item any) output.Row { return output.Row{cell("ID", item, "id")} },
		run:   func(c *call) (any, error) { return w.do(c, http.MethodPost, "/ping", nil) },
	}
}

func webhookEvents() command {
	var w webhookFlags
	return command{
		use: "list-events", short: "List the newest messages of a webhook, and what became of them", flags: w.define, table: eventTable,
		run: func(c *call) (any, error) {
			list, err := w.do(c, http.MethodPost, "/listEvents", nil)
			if err != nil {
				return nil, err
			}
			events, _ := list["value"].([]any)
			if events == nil {
				events = []any{}
			}
			return events, nil
		},
	}
}

func eventTable(item any) output.Row {
	content := at(item, "eventRequestMessage", "content")
	image := text(content, "target", "repository")
	if tag := text(content, "target", "tag"); image != "" && tag != "" {
		image += ":" + tag
	}
	answer := at(item, "eventResponseMessage")
	status := strings.TrimSpace(text(answer, "statusCode") + " " + text(answer, "reasonPhrase"))
	return output.Row{
		cell("ID", item, "id"), cell("ACTION", content, "action"),
		{Column: "IMAGE", Value: shown(image)},
		cell("RUN", content, "run", "runId"),
		{Column: "HTTP STATUS", Value: shown(status)},
		cell("STATE", item, "state"),
		{Column: "TIMESTAMP", Value: shown(when(text(content, "timestamp")))},
	}
}
