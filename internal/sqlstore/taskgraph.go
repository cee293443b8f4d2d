package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/drydockhq/drydock"
)

// AddOutput implements drydock.TaskImageStore.
func (s *Store) AddOutput(ctx context.Context, task drydock.ResourceID, image drydock.ImageName) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if _, err := resource(ctx, tx, task); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO task_outputs (task, image)
			SELECT t.task, $2 FROM task_images t WHERE t.task = $1 ON CONFLICT (task, image) DO NOTHING`, task.Key(), image.String())
		return err
	})
	if err != nil {
		return fmt.Errorf("storing that task %s pushes %s: %w", task.Name(), image, err)
	}
	return nil
}

// Producers implements drydock.TaskGraph.
func (s *Store) Producers(ctx context.Context, images ...drydock.ImageName) (map[drydock.ImageName][]drydock.ResourceID, error) {
	producers := map[drydock.ImageName][]drydock.ResourceID{}
	err := s.read(ctx, func(tx *sql.Tx) error {
		return inParts(imageTexts(images), func(c *conditions, part []string) error {
			in(c, "o.image", part)
			_, err := list(ctx, tx, func(row scanner) (struct{}, error) {
				task, image, err := scanOutput(row)
				if err != nil {
					return struct{}{}, err
				}
				id, err := resourceID(task)
				producers[image] = append(producers[image], id)
				return struct{}{}, err
			}, `SELECT resources.id, o.image FROM task_outputs o JOIN resources ON resources.key = o.task`+c.where()+
				` ORDER BY o.image, o.task`, c.args...)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("finding the tasks that push images: %w", err)
	}
	return producers, nil
}

// Foundations implements drydock.TaskGraph.
func (s *Store) Foundations(ctx context.Context, tasks ...drydock.ResourceID) ([]drydock.Foundation, error) {
	var all []drydock.Foundation
	err := s.read(ctx, func(tx *sql.Tx) error {
		return inParts(taskKeys(tasks), func(c *conditions, part []string) error {
			in(c, "b.task", part)
			found, err := list(ctx, tx, scanFoundation, `SELECT a.id, u.id, MAX(b.counts)
				FROM task_bases b JOIN task_outputs o ON o.image = b.image
				JOIN resources a ON a.key = b.task JOIN resources u ON u.key = o.task`+
				c.where()+` GROUP BY b.task, o.task ORDER BY b.task, o.task`, c.args...)
			all = append(all, found...)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("finding what tasks are built on: %w", err)
	}
	return all, nil
}

func scanFoundation(row scanner) (drydock.Foundation, error) {
	var (
		f        drydock.Foundation
		task, on string
		counts   int
	)
	err := row.Scan(&task, &on, &counts)
	if err != nil {
		return f, err
	}
	if f.Task, err = resourceID(task); err != nil {
		return f, err
	}
	f.On, err = resourceID(on)
	f.Counts = counts != 0
	return f, err
}

func imageTexts(images []drydock.ImageName) []string {
	texts := make([]string, len(images))
	for i, image := range images {
		texts[i] = image.String()
	}
	return texts
}
