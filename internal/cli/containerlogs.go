package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/coder/websocket"

	"github.com/drydockhq/drydock"
)

// containerOf returns the name of a group's container: the given one, or the
// first. With only, a group of several has none without a name.
func (c *call) containerOf(group object, given string, only bool) (string, error) {
	containers, _ := at(group, "properties", "containers").([]any)
	switch {
	case given != "":
		return given, nil
	case len(containers) == 0:
		return "", drydock.Errorf(drydock.NotFound, "the container group has no containers")
	case only && len(containers) > 1:
		return "", usageError(c.cmd, fmt.Errorf("--container-name is required where a group has more than one container"))
	}
	return text(containers[0], "name"), nil
}

func containerLogs() command {
	var g containerFlags
	var container string
	var follow, times bool
	var tail int
	return command{
		use: "logs", short: "Show what a container wrote",
		flags: func(f *flags) {
			g.define(f)
			f.StringVar(&container, "container-name", "", "name of the container (default: the first)")
			f.BoolVar(&follow, "follow", false, "go on with what it writes until it has ended for good")
			f.IntVar(&tail, "tail", 0, "the last lines only, so many (default: all that is kept)")
			f.BoolVar(&times, "timestamps", false, "begin each line with its time")
		},
		run: func(c *call) (any, error) {
			a, group, err := g.get(c)
			if err != nil {
				return nil, err
			}
			name, err := c.containerOf(group, container, false)
			if err != nil {
				return nil, err
			}
			if follow {
				return nil, g.follow(c, a, name)
			}
			_, r, err := g.request(c, http.MethodGet, "/containers/"+escape(name)+"/logs")
			if err != nil {
				return nil, err
			}
			r.query = url.Values{"timestamps": {strconv.FormatBool(times)}}
			if tail > 0 {
				r.query.Set("tail", strconv.Itoa(tail))
			}
			logs, err := a.do(c.ctx, r)
			if err == nil {
				_, err = io.WriteString(c.Stdout, text(logs, "content"))
			}
			return nil, err
		},
	}
}

func containerAttach() command {
	var g containerFlags
	var container string
	return command{
		use: "attach", short: "Follow what a container writes",
		flags: func(f *flags) {
			g.define(f)
			f.StringVar(&container, "container-name", "", "name of the container (default: the first)")
		},
		run: func(c *call) (any, error) {
			a, group, err := g.get(c)
			if err != nil {
				return nil, err
			}
			name, err := c.containerOf(group, container, false)
			if err != nil {
				return nil, err
			}
			state := "Waiting"
			for _, e := range at(flatContainers(group), "containers").([]any) {
				if text(e, "name") == name && text(e, "instanceView", "currentState", "state") != "" {
					state = text(e, "instanceView", "currentState", "state")
				}
			}
			c.say("Container '%s' is in state '%s'...", name, state)
			return nil, g.follow(c, a, name)
		},
	}
}

// follow prints what a container wrote and writes, until it has ended for good.
func (g *containerFlags) follow(c *call, a *api, container string) error {
	_, r, err := g.request(c, http.MethodPost, "/containers/"+escape(container)+"/attach")
	if err != nil {
		return err
	}
	socket, err := a.socket(c, r)
	if err != nil {
		return err
	}
	defer socket.CloseNow()
	return receive(c, socket)
}

// socket opens the websocket that an answer names.
func (a *api) socket(c *call, r request) (*websocket.Conn, error) {
	console, err := a.do(c.ctx, r)
	if err != nil {
		return nil, err
	}
	// The address is one that this program may reach in its own way, as all of the
	// server's.
	client := *a.session.http
	client.Timeout = 0
	socket, _, err := websocket.Dial(c.ctx, text(console, "webSocketUri"), &websocket.DialOptions{
		HTTPClient: &client, HTTPHeader: http.Header{"Authorization": {text(console, "password")}},
	})
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "opening the stream of the container: %w", err)
	}
	socket.SetReadLimit(-1)
	return socket, nil
}

// receive prints what comes until the server closes the stream, which it does
// with the status of a command.
func receive(c *call, socket *websocket.Conn) error {
	for {
		_, data, err := socket.Read(c.ctx)
		if err == nil {
			if _, err := c.Stdout.Write(data); err != nil {
				return err
			}
			continue
		}
		if c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		return closed(err)
	}
}

// closed says what the end of a stream means.
func closed(err error) error {
	var end websocket.CloseError
	if !asCloseError(err, &end) {
		return drydock.Errorf(drydock.Unavailable, "the stream of the container broke off: %w", err)
	}
	status, isExit := strings.CutPrefix(end.Reason, "exit status ")
	switch {
	case end.Code == websocket.StatusNormalClosure && (!isExit || status == "0"):
		return nil
	case isExit:
		return drydock.Errorf(drydock.Failed, "the command ended with status %s", status)
	}
	return drydock.Errorf(drydock.Failed, "the stream of the container ended: %s", end.Reason)
}
