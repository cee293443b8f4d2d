package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/drydockhq/drydock"
)

// metrics are what Prometheus reads.
type metrics struct {
	handler  http.Handler
	runs     *prometheus.CounterVec
	waits    prometheus.Histogram
	steps    *prometheus.HistogramVec
	requests *prometheus.CounterVec
}

func newMetrics(d *daemon) *metrics {
	m := &metrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "drydock_runs_total", Help: "Runs that have ended, by status and trigger.",
		}, []string{"status", "trigger"}),
		waits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "drydock_run_wait_seconds", Help: "Time that runs waited for their start.",
			Buckets: []float64{.01, .05, .1, .5, 1, 5, 30, 120, 600, 3600},
		}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "drydock_step_seconds", Help: "Time that steps took, by status.",
			Buckets: []float64{.1, .5, 1, 5, 15, 60, 300, 1200, 3600},
		}, []string{"status"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "drydock_http_requests_total", Help: "Requests, by kind of host, method and status.",
		}, []string{"host", "method", "code"}),
	}
	r := prometheus.NewRegistry()
	r.MustRegister(m.runs, m.waits, m.steps, m.requests, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r.MustRegister(newQueueCollector(d))
	r.MustRegister(newCacheCollector(d))
	m.handler = promhttp.HandlerFor(r, promhttp.HandlerOpts{})
	return m
}

// ended counts a run that has ended.
func (m *metrics) ended(r drydock.RunRecord, steps []drydock.StepResult) {
	m.runs.WithLabelValues(string(r.Status), triggerOf(r)).Inc()
	if !r.Started.IsZero() {
		m.waits.Observe(max(r.Started.Sub(r.Created), 0).Seconds())
	}
	for _, s := range steps {
		if s.Status != drydock.StepSkipped {
			m.steps.WithLabelValues(string(s.Status)).Observe(s.Elapsed.Seconds())
		}
	}
}

// count counts the requests that a handler answers.
func (m *metrics) count(next *hostRouter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, found, _, _ := next.names.find(r.Host)
		kind := string(found)
		if kind == "" {
			kind = "own"
		}
		s := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			m.requests.WithLabelValues(kind, knownMethod(r.Method), strconv.Itoa(s.status)).Inc()
		}()
		next.ServeHTTP(s, r)
	})
}

// knownMethod bounds the values of a label that clients choose.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodPatch, http.MethodDelete:
		return method
	}
	return "other"
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
	wrote  bool
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if !w.wrote && status >= 200 {
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(p []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush is for handlers that look for it.
func (w *statusWriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// cacheCollector measures the engine's cache when it is asked, but not each
// time: to look takes a while.
type cacheCollector struct {
	d       *daemon
	desc    *prometheus.Desc
	measure chan cacheSize // holds the last measurement
}

type cacheSize struct {
	bytes float64
	at    time.Time
}

func newCacheCollector(d *daemon) *cacheCollector {
	c := &cacheCollector{
		d: d, measure: make(chan cacheSize, 1),
		desc: prometheus.NewDesc("drydock_engine_cache_bytes", "What the caches of builds and images hold.", nil, nil),
	}
	c.measure <- cacheSize{}
	return c
}

// Describe implements prometheus.Collector.
func (c *cacheCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

// Collect implements prometheus.Collector.
func (c *cacheCollector) Collect(ch chan<- prometheus.Metric) {
	size := <-c.measure
	if now := c.d.now(); now.Sub(size.at) > time.Minute {
		size = cacheSize{c.d.cacheBytes(), now}
	}
	c.measure <- size
	ch <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, size.bytes)
}
