package main

import (
	"cmp"

	"github.com/prometheus/client_golang/prometheus"
)

// queueCollector tells how much there is to do for each pool of agents.
type queueCollector struct {
	d                            *daemon
	waiting, busy, slots, oldest *prometheus.Desc
}

// defaultPool is the label of the pool that all registries share.
const defaultPool = "default"

func newQueueCollector(d *daemon) *queueCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("drydock_queue_"+name, help+", by agent pool and the registry that it is of; the pool \"default\" is of none.",
			[]string{"registry", "pool"}, nil)
	}
	return &queueCollector{
		d:       d,
		waiting: desc("waiting_runs", "Runs that wait for a slot"),
		busy:    desc("busy_slots", "Slots in use"),
		slots:   desc("slots", "Slots"),
		oldest:  desc("oldest_seconds", "How long the oldest run has waited for a slot"),
	}
}

// Describe implements prometheus.Collector.
func (c *queueCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.waiting, c.busy, c.slots, c.oldest} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *queueCollector) Collect(ch chan<- prometheus.Metric) {
	now := c.d.now()
	for _, l := range c.d.queue.Loads() {
		gauge := func(desc *prometheus.Desc, value float64) {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, l.Registry, cmp.Or(l.Pool, defaultPool))
		}
		gauge(c.waiting, float64(l.Waiting))
		gauge(c.busy, float64(l.Busy))
		gauge(c.slots, float64(l.Slots))
		age := 0.0
		if !l.Oldest.IsZero() {
			age = max(now.Sub(l.Oldest).Seconds(), 0)
		}
		gauge(c.oldest, age)
	}
}
