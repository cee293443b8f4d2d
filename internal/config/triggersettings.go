package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// PollInterval is how long after one look at an image of another registry the
// next comes: a random time from Min to Max. Zero is never.
type PollInterval struct {
	Min, Max time.Duration
}

// defaultPoll is how often images are looked at, as in ACR.
const defaultPoll = "10m-1h"

// leastPoll is the shortest time between two looks at an image.
const leastPoll = time.Second

// triggerSettings say when runs start by themselves.
func triggerSettings() []*Setting {
	return []*Setting{
		{
			Name: "triggers.max-runs-per-update", Value: "NUMBER",
			Usage: "runs because of one change of a base image that are carried out at a time; the others wait (default: as many as there is room for)",
			set:   one(number(func(c *Config, n int) { c.MaxPerUpdate = n }, 1, 10_000)),
		},
		{
			Name: "triggers.poll", Value: "[HOST=]TIME[-TIME]", List: true,
			Usage:   "how long after one look at an image of another registry the next comes, for all or one HOST, or never",
			Default: []string{defaultPoll}, set: each(addPoll),
		},
	}
}

// Poll returns how often images of a registry are looked at. The host is as in
// drydock.ImageName.
func (c Config) Poll(host string) PollInterval {
	if i, ok := c.Polls[host]; ok {
		return i
	}
	if i, ok := c.Polls[""]; ok {
		return i
	}
	i, _ := parsePoll(defaultPoll) // one that is given for some hosts only
	return i
}

func addPoll(c *Config, v string) error {
	host, text, found := strings.Cut(v, "=")
	if !found {
		host, text = "", v
	} else if host == "" || strings.ContainsAny(host, "/ ") {
		return fmt.Errorf("%q is not a host", host)
	}
	interval, err := parsePoll(text)
	if err != nil {
		return err
	}
	if host != "" {
		host = drydock.RegistryHost(host)
	}
	if c.Polls == nil {
		c.Polls = map[string]PollInterval{}
	}
	c.Polls[host] = interval
	return nil
}

func parsePoll(text string) (PollInterval, error) {
	if text == "never" {
		return PollInterval{}, nil
	}
	first, last, two := strings.Cut(text, "-")
	if !two {
		last = first
	}
	var i PollInterval
	for _, part := range []struct {
		text string
		to   *time.Duration
	}{{first, &i.Min}, {last, &i.Max}} {
		err := duration(func(_ *Config, d time.Duration) { *part.to = d }, false)(nil, part.text)
		if err != nil {
			return i, errors.New("it is not of the form TIME or TIME-TIME, as 10m-1h, nor never")
		}
	}
	if i.Min < leastPoll || i.Max < i.Min {
		return i, fmt.Errorf("the times are %s at least, the shorter one first", leastPoll)
	}
	return i, nil
}
