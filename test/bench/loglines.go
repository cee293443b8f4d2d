package main

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/drydockhq/drydock/test/images"
)

// logLines measures how long a line takes from the container that says it to
// the output of the client.
func (l *lab) logLines(s *server, lines int) (comparison, error) {
	source, err := l.folder("loglines", map[string]string{
		"acb.yaml": fmt.Sprintf("steps:\n- cmd: %s/%s bash -c 'for ((i = 0; i < %d; i++)); do echo at $EPOCHREALTIME; sleep 0.01; done'\n",
			l.public.Host, images.Bash, lines),
	})
	return comparison{title: "a line of a container's output to that of the client", noRatio: true, contenders: []contender{{
		rows: []row{{name: "median"}, {name: "p99"}},
		do: func(ctx context.Context, _ int) ([]float64, error) {
			late, err := s.follow(ctx, source)
			return []float64{median(late), percentile(late, 0.99)}, err
		},
	}}}, err
}

// follow runs a task with the client and returns how late each line was.
func (s *server) follow(ctx context.Context, source string) ([]float64, error) {
	cmd := exec.CommandContext(ctx, s.client.Program, "acr", "run", "-r", "contoso", source)
	cmd.Env = s.client.Env
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var problems strings.Builder
	cmd.Stderr = &problems
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var late []float64
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		now := time.Now()
		said, ok := strings.CutPrefix(lines.Text(), "at ")
		if !ok {
			continue
		}
		micros, err := strconv.ParseInt(strings.ReplaceAll(said, ".", ""), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("reading a line of the log: %w", err)
		}
		late = append(late, milliseconds(now.Sub(time.UnixMicro(micros))))
	}
	return late, wrapOutput(cmd.Wait(), cmd, problems.String())
}
