package dockercmd

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/go-units"
)

// images carries out `docker images` and `docker image ls`.
func (k *call) images(args []string) error {
	flags := k.flags()
	flags.BoolP("all", "a", false, "Accepted without meaning: there are no intermediate images")
	quiet := flags.BoolP("quiet", "q", false, "Only show image IDs")
	noTrunc := flags.Bool("no-trunc", false, "Don't truncate output")
	digests := flags.Bool("digests", false, "Show digests")
	format := flags.String("format", "", "'table', 'json', or a Go template")
	filters := flags.StringArrayP("filter", "f", nil, "dangling=BOOL, label=KEY[=VALUE], reference=PATTERN, before=IMAGE, since=IMAGE")
	args, err := k.parse(flags, args, 0, 1)
	if err != nil {
		return err
	}
	keep, err := k.imageFilter(*filters)
	if err != nil {
		return err
	}
	list, err := k.store.List(k.ctx)
	if err != nil {
		return err
	}
	var rows []imageRow
	for _, i := range slices.DeleteFunc(list, func(i Image) bool { return !keep(i) }) {
		withDigest := *digests || strings.Contains(*format, ".Digest")
		rows = append(rows, imageRows(i, withDigest, !*noTrunc, time.Now())...)
	}
	if len(args) == 1 {
		rows = slices.DeleteFunc(rows, func(r imageRow) bool { return !r.named(args[0]) })
	}
	return k.writeRows(rows, imageFormat(*format, *quiet, *digests))
}

// imageFormat returns the template of the list, of tables with "table " before.
func imageFormat(format string, quiet, digests bool) string {
	switch {
	case format == "json":
		return "{{json .}}"
	case quiet && (format == "" || format == "table"):
		return "{{.ID}}"
	case format != "" && format != "table":
		return format
	case digests:
		return "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
	default:
		return "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
	}
}

// imageRow is a line of `docker images`; its fields are those of docker's
// templates.
type imageRow struct {
	Containers, CreatedAt, CreatedSince, Digest, ID, Repository, SharedSize, Size, Tag, UniqueSize string
}

// imageHeader holds the column names.
func imageHeader() imageRow {
	return imageRow{
		Containers: "CONTAINERS", CreatedAt: "CREATED AT", CreatedSince: "CREATED", Digest: "DIGEST",
		ID: "IMAGE ID", Repository: "REPOSITORY", SharedSize: "SHARED SIZE", Size: "SIZE", Tag: "TAG",
		UniqueSize: "UNIQUE SIZE",
	}
}

// named reports whether the row belongs to what `docker images NAME` asks for.
func (r imageRow) named(pattern string) bool {
	repository, tag := pattern, ""
	if named, err := reference.ParseNormalizedNamed(pattern); err == nil {
		repository = reference.FamiliarName(named)
		if !reference.IsNameOnly(named) {
			tag = tagOrDigest(named)
		}
	}
	named, err := reference.ParseNormalizedNamed(r.Repository)
	if err != nil {
		return false
	}
	matches, err := reference.FamiliarMatch(repository, reference.TrimNamed(named))
	return err == nil && matches && (tag == "" || tag == r.Tag || tag == r.Digest)
}

// imageRows returns the lines of one image: one for each of its names.
func imageRows(i Image, withDigest, truncate bool, now time.Time) []imageRow {
	base := imageRow{
		Containers: "N/A", SharedSize: "N/A", UniqueSize: "N/A", Digest: "<none>", Repository: "<none>",
		Tag: "<none>", ID: i.ID, Size: units.HumanSizeWithPrecision(float64(i.Size), 3),
	}
	if truncate {
		base.ID = shortID(i.ID)
	}
	if created := i.created(); !created.IsZero() {
		base.CreatedAt = created.Format("2006-01-02 15:04:05 -0700 MST")
		base.CreatedSince = units.HumanDuration(now.Sub(created)) + " ago"
	}
	var rows []imageRow
	seen := map[string]bool{}
	for _, name := range i.Names {
		named, err := reference.ParseNormalizedNamed(name)
		if err != nil {
			continue
		}
		row := base
		row.Repository, row.Tag = reference.FamiliarName(named), tagOrDigest(named)
		if d := i.digestIn(named.Name()); withDigest && d != "" {
			row.Digest = d
		}
		seen[named.Name()] = true
		rows = append(rows, row)
	}
	rows = append(rows, digestRows(i, base, seen)...)
	if len(rows) == 0 {
		rows = []imageRow{base}
	}
	return rows
}

// digestRows returns the lines for repositories that know an image by digest only.
func digestRows(i Image, base imageRow, seen map[string]bool) []imageRow {
	var rows []imageRow
	for _, name := range i.Digests {
		named, err := reference.ParseNormalizedNamed(name)
		if err != nil || seen[named.Name()] {
			continue
		}
		seen[named.Name()] = true
		row := base
		row.Repository, row.Digest = reference.FamiliarName(named), tagOrDigest(named)
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b imageRow) int { return cmp.Compare(a.Repository, b.Repository) })
	return rows
}

// writeRows prints the rows by a template, with a header when it is a table.
func (k *call) writeRows(rows []imageRow, format string) error {
	layout, table := strings.CutPrefix(format, "table ")
	tmpl, err := parseTemplate(layout)
	if err != nil {
		return err
	}
	var lines []string
	if table {
		header, err := tableHeader(layout, imageHeader())
		if err != nil {
			return err
		}
		lines = append(lines, header)
	}
	for _, r := range rows {
		var b strings.Builder
		if err := tmpl.Execute(&b, r); err != nil {
			return fmt.Errorf("template parsing error: %w", err)
		}
		lines = append(lines, b.String())
	}
	k.printLines(lines, table)
	return nil
}
