package walkthrough

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// address returns that of the page.
func (p *Person) address(ctx context.Context) (string, error) {
	text, err := p.stage.ask(ctx, "container", "show", "-g", p.Names.Group+"-rg", "-n", p.Names.Group, "--query", "ipAddress.ip", "-o", "tsv")
	return strings.TrimSpace(text), err
}

// look looks at the page. It is there at once: the run that has made it is over.
func (p *Person) look(ctx context.Context) (said string, err error) {
	if p.looks++; p.looks == 1 {
		if err := errors.Join(
			p.expect(ctx, p.Names.Public, "node-public Manual Succeeded"), p.expect(ctx, p.Names.Team, "hello-world Manual Succeeded"),
		); err != nil {
			return "", err
		}
	}
	address, err := p.address(ctx)
	if err != nil {
		return "", err
	}
	if p.Page != "" && p.Page != address {
		return "", fmt.Errorf("the page has moved from %s to %s", p.Page, address)
	}
	p.Page = address
	if err := wantPage(ctx, address, p.colour, p.heading); err != nil {
		return "", err
	}
	sights, err := p.watch.see(ctx, p.pages)
	if err != nil {
		return "", err
	}
	if err := p.draw(ctx); err != nil {
		return "", err
	}
	said, err = p.delays(ctx, sights[len(sights)-1])
	if err != nil {
		return "", err
	}
	said = fmt.Sprintf("http://%s/ says %s, in %s\n%s", address, p.heading, p.colour, said)
	if p.looks == 5 { // the last one
		said, err = said+p.watch.story(), p.Check(ctx)
	}
	p.Seen += said
	return said, err
}

// draw keeps a picture of the page, if any are wanted.
func (p *Person) draw(ctx context.Context) error {
	if p.stage.o.Pictures == "" {
		return nil
	}
	file := filepath.Join(p.stage.o.Pictures, fmt.Sprintf("%s-%d-%s.png", p.picture, p.looks, strings.ToLower(p.colour)))
	return wantPicture(ctx, p.Page, p.colour, file)
}

// delays says how long after each push a page was there, if it is a new one.
func (p *Person) delays(ctx context.Context, s sight) (said string, err error) {
	if s.at.Before(p.pushed) {
		return "", nil
	}
	var b strings.Builder
	tell := func(what string, at time.Time) {
		fmt.Fprintf(&b, "  %.1fs after the push of %s\n", s.at.Sub(at).Seconds(), what)
	}
	if !p.pushed.IsZero() {
		tell("the commit", p.pushed)
	}
	images := []struct{ registry, repository string }{{p.base, "node"}, {p.Names.Team, "hello-world"}}
	for _, i := range images {
		if i.registry == "" {
			continue
		}
		tag, at, err := p.stage.newest(ctx, i.registry, i.repository)
		if err != nil {
			return "", err
		}
		tell(i.registry+"/"+i.repository+":"+tag, at)
	}
	return b.String(), nil
}

// newest returns the tag of a repository that was pushed last, and when.
func (s *Stage) newest(ctx context.Context, registry, repository string) (tag string, at time.Time, err error) {
	text, err := s.ask(ctx, "acr", "repository", "show-tags", "-n", registry, "--repository", repository,
		"--orderby", "time_desc", "--top", "1", "--detail", "--query", "[].[name,lastUpdateTime]", "-o", "tsv")
	if err != nil {
		return "", at, err
	}
	tag, when, _ := strings.Cut(strings.TrimSpace(text), "\t")
	at, err = time.Parse(time.RFC3339Nano, when)
	return tag, at, err
}
