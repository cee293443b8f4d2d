package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/drydockhq/drydock"
)

var _ drydock.WatchedImageStore = (*Store)(nil)

// fromWatched selects the bases, as b, that a trigger is for, of registries that
// hold their triggers too. Those that are pinned to a digest have an @.
const fromWatched = ` FROM task_bases b JOIN task_images t ON t.task = b.task
	WHERE (t.base_trigger = 'All' OR t.base_trigger = b.kind) AND b.image NOT LIKE '%@%'`

// WatchedImages implements drydock.WatchedImageStore.
func (s *Store) WatchedImages(ctx context.Context) ([]drydock.ImageName, error) {
	var images []drydock.ImageName
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		images, err = list(ctx, tx, func(row scanner) (drydock.ImageName, error) {
			var text string
			if err := row.Scan(&text); err != nil {
				return drydock.ImageName{}, err
			}
			return drydock.ParseImageName(text)
		}, `SELECT DISTINCT b.image`+fromWatched+` ORDER BY b.image`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading which images are watched: %w", err)
	}
	return images, nil
}

// ImageWatchers implements drydock.WatchedImageStore.
func (s *Store) ImageWatchers(ctx context.Context, image drydock.ImageName) ([]drydock.ResourceID, error) {
	var tasks []drydock.ResourceID
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		tasks, err = list(ctx, tx, func(row scanner) (drydock.ResourceID, error) {
			var text string
			if err := row.Scan(&text); err != nil {
				return drydock.ResourceID{}, err
			}
			return resourceID(text)
		}, `SELECT (SELECT id FROM resources WHERE key = b.task)`+fromWatched+` AND b.image = $1 ORDER BY b.task`, image.String())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading which tasks watch %s: %w", image, err)
	}
	return tasks, nil
}
