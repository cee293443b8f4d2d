// Package graph draws what tasks are built from and what they push: as a tree of
// text, for Graphviz, or as a picture.
package graph

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Task is a task as the resource manager tells of it.
type Task struct {
	ID          string
	Name        string
	Registry    string
	LoginServer string
	Status      string // Enabled, Disabled
	Armed       bool   // a base image can start a run of it
	Reason      string // why not
	Due         bool   // a base image that counts has changed
	Stale       bool   // a base image has changed
	StaleReason string // why it was not rebuilt, if it was tried
	Paused      bool
	BaseImages  []Base
	Outputs     []string
	WaitsFor    []Wait

	TimerTriggers  []Timer
	SourceTriggers []Source
}

// Base is an image that a task is built from.
type Base struct {
	Image         string
	Type          string // Runtime, BuildTime
	Digest        string // that the newest run stands on, or the last that succeeded
	CurrentDigest string // that the tag points at
	Watched       bool
	Note          string // why not
	Stale, Due    bool
	Producers     []string // ids of tasks that push it
	// Of an image in a registry elsewhere: when that was last asked, and why it
	// could not be.
	Checked time.Time
	Problem string
}

// Wait is a task that a run waits for.
type Wait struct{ Task, Why string }

// Timer is a timer of a task.
type Timer struct {
	Name, Schedule, Status string
	NextOccurrence         time.Time
}

// Source is a source trigger of a task.
type Source struct {
	Name, Status, RepositoryURL, Branch string
	Events                              []string
	// Watch is how the repository is watched, as "Polling"; Failure is why it
	// could not be looked at.
	Watch, Failure string
}

// Read reads the tasks from what encoding/json makes of the resource manager's
// list.
func Read(list any) ([]Task, error) {
	text, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	var tasks []Task
	if err := json.Unmarshal(text, &tasks); err != nil {
		return nil, fmt.Errorf("reading the tasks: %w", err)
	}
	slices.SortStableFunc(tasks, func(a, b Task) int {
		return cmp.Or(strings.Compare(a.Registry, b.Registry), strings.Compare(a.Name, b.Name))
	})
	return tasks, nil
}

// Graph is how tasks and images hang together: images go into tasks, which push
// images.
type Graph struct {
	Tasks  []*TaskNode
	Images []*ImageNode // ordered by their names
}

// TaskNode is a task in a graph.
type TaskNode struct {
	Task
	Pushes []*ImageNode // those that other tasks of the graph are built from
	Other  []string     // images that it pushes and that no other task is built from
}

// ImageNode is an image that tasks are built from.
type ImageNode struct {
	Name    string
	Digest  string // that it points at, as far as is known
	Checked time.Time
	Problem string
	From    []*TaskNode // that push it
	Into    []Use
}

// Use is how an image goes into a task.
type Use struct {
	Task *TaskNode
	Base Base
}

// New makes a graph of tasks.
func New(tasks []Task) *Graph {
	g := &Graph{}
	nodes := map[string]*TaskNode{}
	for _, t := range tasks {
		n := &TaskNode{Task: t}
		g.Tasks = append(g.Tasks, n)
		nodes[strings.ToLower(t.ID)] = n
	}
	images := map[string]*ImageNode{}
	for _, n := range g.Tasks {
		for _, b := range n.BaseImages {
			image := images[b.Image]
			if image == nil {
				image = &ImageNode{Name: b.Image}
				images[b.Image] = image
				g.Images = append(g.Images, image)
			}
			image.Digest = cmp.Or(image.Digest, b.CurrentDigest)
			image.Checked, image.Problem = b.Checked, b.Problem
			image.Into = append(image.Into, Use{n, b})
			for _, id := range b.Producers {
				if from := nodes[strings.ToLower(id)]; from != nil {
					from.push(image)
				}
			}
		}
	}
	for _, n := range g.Tasks {
		for _, name := range n.Outputs {
			if image := images[name]; image != nil {
				n.push(image)
			} else {
				n.Other = append(n.Other, name)
			}
		}
	}
	slices.SortFunc(g.Images, func(a, b *ImageNode) int { return strings.Compare(a.Name, b.Name) })
	return g
}

// image returns an image by its name.
func (g *Graph) image(name string) *ImageNode {
	i, _ := slices.BinarySearchFunc(g.Images, name, func(n *ImageNode, name string) int { return strings.Compare(n.Name, name) })
	return g.Images[i]
}

// push says that a task pushes an image.
func (n *TaskNode) push(image *ImageNode) {
	if !slices.Contains(n.Pushes, image) {
		n.Pushes = append(n.Pushes, image)
		image.From = append(image.From, n)
	}
}

// State is how a task stands.
type State string

// The states of tasks, the first that holds.
const (
	Disabled State = "disabled"
	Waiting  State = "waiting" // due, and waits for others
	Due      State = "due"
	Stale    State = "stale" // a base image has changed that starts no run, or its run failed
	Unarmed  State = "not armed"
	Current  State = "up to date"
)

// State returns how a task stands.
func (n *TaskNode) State() State {
	switch {
	case n.Status == "Disabled":
		return Disabled
	case n.Due && len(n.WaitsFor) > 0:
		return Waiting
	case n.Due:
		return Due
	case n.Stale:
		return Stale
	case !n.Armed:
		return Unarmed
	}
	return Current
}

// StandsOn returns the bases of a task that have changed since its newest run.
func (n *TaskNode) StandsOn() []Base {
	return slices.DeleteFunc(slices.Clone(n.BaseImages), func(b Base) bool { return !b.Stale })
}

// Starts says in words what starts runs of a task beside base images.
func (n *TaskNode) Starts() []string {
	var all []string
	for _, s := range n.SourceTriggers {
		if s.Status == "Disabled" {
			continue
		}
		for _, event := range s.Events {
			what := map[string]string{"commit": "commits", "pullrequest": "pull requests"}[event]
			text := cmp.Or(what, event) + " to " + cmp.Or(s.Branch, s.RepositoryURL)
			switch {
			case s.Failure != "":
				text += " (can't be looked at)"
			case s.Watch == "Polling":
				text += " (polled)"
			}
			all = append(all, text)
		}
	}
	for _, t := range n.TimerTriggers {
		if t.Status == "Disabled" {
			continue
		}
		text := fmt.Sprintf("timer %s (%s)", t.Name, t.Schedule)
		if !t.NextOccurrence.IsZero() {
			text += ", next " + t.NextOccurrence.UTC().Format("2006-01-02 15:04 UTC")
		}
		all = append(all, text)
	}
	return all
}

// Short shortens a digest.
func Short(digest string) string {
	algorithm, hex, ok := strings.Cut(digest, ":")
	if !ok || len(hex) <= 12 {
		return digest
	}
	return algorithm + ":" + hex[:12]
}

// familiar leaves out what all images of Docker Hub have in common, and the end
// of a digest.
func familiar(image string) string {
	name, digest, pinned := strings.Cut(image, "@")
	if rest, ok := strings.CutPrefix(name, "docker.io/"); ok {
		name = strings.TrimPrefix(rest, "library/")
	}
	if pinned {
		name += "@" + Short(digest)
	}
	return name
}
