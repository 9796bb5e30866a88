package console

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"plumb/console/notify"
	"plumb/console/remotewrite"
	"plumb/fleet"
	"plumb/probes"
	"plumb/store"
)

// Meters is what the metrics page reads. Nothing is counted twice: the page
// asks those who know when it is scraped.
type Meters struct {
	Snapshot func() *fleet.Snapshot
	Probes   func() probes.Stats
	Store    func() store.Stats
	Registry *Registry
	// Receivers is how it goes with those who are told of alerts.
	Receivers func() []notify.State
	Actions   func() map[ActionOutcome]uint64 // since the start; nil: none
	Dropped   func() uint64                   // lines of the event stream; nil: there is none
	Written   func() []remotewrite.Stats      // by receiver of readings; nil: there are none
	Ready     func() error                    // nil: ready
	Pages     *Pages                          // nil: there are none
}

// ActionOutcome is what came of an action, in the words of the audit log.
type ActionOutcome struct{ Action, Outcome string }

var (
	alertsDesc   = prometheus.NewDesc("plumb_alerts", "Alerts by state and severity; held ones stand by themselves.", []string{"state", "severity"}, nil)
	targetsDesc  = prometheus.NewDesc("plumb_targets", "Targets by wire and state.", []string{"source", "state"}, nil)
	pollsDesc    = prometheus.NewDesc("plumb_polls_total", "Polls that ended, by wire and result.", []string{"source", "result"}, nil)
	tookDesc     = prometheus.NewDesc("plumb_poll_duration_seconds", "How long polls took.", []string{"source"}, nil)
	lateDesc     = prometheus.NewDesc("plumb_poll_late_seconds", "How late the last poll began.", nil, nil)
	overdueDesc  = prometheus.NewDesc("plumb_poll_overdue", "Devices not seen for two of their intervals.", nil, nil)
	samplesDesc  = prometheus.NewDesc("plumb_samples_total", "Samples stored.", nil, nil)
	commitDesc   = prometheus.NewDesc("plumb_store_commit_seconds", "How long the last commit took.", nil, nil)
	bytesDesc    = prometheus.NewDesc("plumb_store_bytes", "Size of the store's files.", []string{"file"}, nil)
	queueDesc    = prometheus.NewDesc("plumb_store_queue", "Inputs that wait to be committed.", nil, nil)
	droppedDesc  = prometheus.NewDesc("plumb_samples_dropped_total", "Samples that were not kept, for want of room or because the disk failed.", nil, nil)
	freeDesc     = prometheus.NewDesc("plumb_store_free_bytes", "Bytes left on the store's disk for plumb.", nil, nil)
	ballastDesc  = prometheus.NewDesc("plumb_store_ballast", "1 while the room set aside for a full disk is there.", nil, nil)
	damagedDesc  = prometheus.NewDesc("plumb_store_damaged_total", "Records of the store that its housekeeping found damaged.", nil, nil)
	refusedDesc  = prometheus.NewDesc("plumb_store_refused_total", "Facts, events, jobs, notices and polls that were too large or malformed to be kept.", nil, nil)
	sessionsDesc = prometheus.NewDesc("plumb_sessions", "Sessions on the console, by role.", []string{"role"}, nil)
	notifiedDesc = prometheus.NewDesc("plumb_notifications_total", "Notices by receiver and result: sent retried refused expired dropped; heartbeats and what is said again beside them.", []string{"receiver", "result"}, nil)
	depthDesc    = prometheus.NewDesc("plumb_outbox_depth", "Notices that wait for a receiver.", []string{"receiver"}, nil)
	oldestDesc   = prometheus.NewDesc("plumb_outbox_oldest_seconds", "How old the oldest notice that waits for a receiver is; 0: none waits.", []string{"receiver"}, nil)
	failingDesc  = prometheus.NewDesc("plumb_receiver_failing_seconds", "Since when a receiver takes nothing; 0: it goes well.", []string{"receiver"}, nil)
	actionsDesc  = prometheus.NewDesc("plumb_actions_total", "Actions that ended, by what came of them.", []string{"action", "outcome"}, nil)
	writtenDesc  = prometheus.NewDesc("plumb_remote_write_samples_total", "Samples told to a receiver: sent, refused by it, or left out because their part left the inventory.", []string{"receiver", "result"}, nil)
	retriesDesc  = prometheus.NewDesc("plumb_remote_write_retries_total", "Requests that a receiver did not take and that were tried again.", []string{"receiver"}, nil)
	behindDesc   = prometheus.NewDesc("plumb_remote_write_behind_seconds", "How far a receiver is behind what is stored.", []string{"receiver"}, nil)
	streamDesc   = prometheus.NewDesc("plumb_events_dropped_total", "Lines of the event stream that its reader was too slow for.", nil, nil)
	scrapesDesc  = prometheus.NewDesc("plumb_scrapes_total", "Scrapes of /fleet: served, refused for want of a place or as too large, cut because the reader was too slow, left by the reader.", []string{"result"}, nil)
	framesDesc   = prometheus.NewDesc("plumb_frames_total", "Frames written to terminals.", nil, nil)
)

// Describe names every series (prometheus.Collector).
func (m *Meters) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{alertsDesc, targetsDesc, pollsDesc, tookDesc, lateDesc, overdueDesc, samplesDesc, commitDesc, bytesDesc, queueDesc, droppedDesc, freeDesc, ballastDesc, damagedDesc, refusedDesc, sessionsDesc, actionsDesc, streamDesc, writtenDesc, retriesDesc, behindDesc, framesDesc, scrapesDesc, notifiedDesc, depthDesc, oldestDesc, failingDesc} {
		to <- d
	}
}

// Collect reads everybody's figures (prometheus.Collector).
func (m *Meters) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	m.collectFleet(gauge)
	if m.Receivers != nil {
		collectReceivers(m.Receivers(), time.Now(), gauge, count)
	}
	if m.Probes != nil {
		st := m.Probes()
		gauge(lateDesc, st.Late.Seconds())
		for src, by := range st.Polls {
			for result, n := range by {
				count(pollsDesc, float64(n), string(src), result)
			}
			to <- histogram(st, src)
		}
	}
	if m.Store != nil {
		st := m.Store()
		count(samplesDesc, float64(st.Samples))
		gauge(commitDesc, st.LastCommit.Seconds())
		gauge(queueDesc, float64(st.QueueDepth))
		count(droppedDesc, float64(st.Dropped))
		if st.Free >= 0 {
			gauge(freeDesc, float64(st.Free))
		}
		ballast := 0.0
		if st.Ballast {
			ballast = 1
		}
		gauge(ballastDesc, ballast)
		count(damagedDesc, float64(st.Broken))
		count(refusedDesc, float64(st.Refused))
		gauge(bytesDesc, float64(st.StateBytes), "state.db")
		gauge(bytesDesc, float64(st.SeriesBytes), "series.db")
		gauge(bytesDesc, float64(st.JournalBytes), "journal")
	}
	if m.Actions != nil {
		for a, n := range m.Actions() {
			count(actionsDesc, float64(n), a.Action, a.Outcome)
		}
	}
	if m.Written != nil {
		for _, w := range m.Written() {
			count(writtenDesc, float64(w.Sent), w.Name, "sent")
			count(writtenDesc, float64(w.Refused), w.Name, "refused")
			count(writtenDesc, float64(w.Nameless), w.Name, "nameless")
			count(retriesDesc, float64(w.Failed), w.Name)
			gauge(behindDesc, w.Behind.Seconds(), w.Name)
		}
	}
	if m.Dropped != nil {
		count(streamDesc, float64(m.Dropped()))
	}
	if m.Pages != nil {
		for result, n := range m.Pages.Results() {
			count(scrapesDesc, float64(n), result)
		}
	}
	if m.Registry != nil {
		for role, n := range m.Registry.ByRole() {
			gauge(sessionsDesc, float64(n), role.String())
		}
		frames, _ := m.Registry.Frames()
		count(framesDesc, float64(frames))
	}
}

// collectAlerts counts alerts: "pending", "firing", and "held" for those that
// fire and that another one explains. All are there, also those that are zero.
func collectAlerts(b *fleet.AlertBook, gauge func(*prometheus.Desc, float64, ...string)) {
	by := map[string][3]int{"pending": {}, "firing": {}, "held": {}}
	if b != nil {
		for _, a := range b.List {
			state := string(a.State)
			if a.State == fleet.AlertFiring && a.Held != nil {
				state = "held"
			}
			if n, ok := by[state]; ok {
				n[min(int(a.Severity), 2)]++
				by[state] = n
			}
		}
	}
	for state, n := range by {
		for severity, count := range n {
			gauge(alertsDesc, float64(count), state, fleet.Severity(severity).String())
		}
	}
}

// collectReceivers counts what was told. The results that people ask for are
// there from the start, so that a rate of the first one is seen.
func collectReceivers(list []notify.State, now time.Time, gauge, count func(*prometheus.Desc, float64, ...string)) {
	since := func(t time.Time) float64 {
		if t.IsZero() {
			return 0
		}
		return max(now.Sub(t).Seconds(), 0)
	}
	for i := range list {
		s := &list[i]
		for _, result := range []string{notify.ResultSent, notify.ResultRetried, notify.ResultRefused, notify.ResultExpired, notify.ResultDropped, notify.ResultReplaced} {
			count(notifiedDesc, float64(s.Counts[result]), s.Name, result)
			delete(s.Counts, result)
		}
		for result, n := range s.Counts {
			count(notifiedDesc, float64(n), s.Name, result)
		}
		gauge(depthDesc, float64(s.Waiting), s.Name)
		gauge(oldestDesc, since(s.Oldest), s.Name)
		gauge(failingDesc, since(s.Failing), s.Name)
	}
}

func (m *Meters) collectFleet(gauge func(*prometheus.Desc, float64, ...string)) {
	s := m.Snapshot()
	if s == nil {
		return
	}
	collectAlerts(s.Alerts, gauge)
	type key struct {
		source fleet.Source
		state  fleet.State
	}
	by, overdue := map[key]int{}, 0
	for _, d := range s.Devices.All() {
		for _, e := range d.Spec.Endpoints {
			by[key{e.Source, d.State}]++
		}
		if !d.SeenAt.IsZero() && s.At.Sub(d.SeenAt) > 2*s.Intervals[fleet.LaneFast] {
			overdue++
		}
	}
	for _, c := range s.Clouds.All() {
		by[key{c.Spec.Endpoint.Source, c.State}]++
	}
	for k, n := range by {
		gauge(targetsDesc, float64(n), string(k.source), k.state.String())
	}
	gauge(overdueDesc, float64(overdue))
}

func histogram(st probes.Stats, src fleet.Source) prometheus.Metric {
	buckets, total := map[float64]uint64{}, uint64(0)
	for i, n := range st.Took[src] {
		total += n
		if i < len(probes.Buckets) {
			buckets[probes.Buckets[i]] = total
		}
	}
	return prometheus.MustNewConstHistogram(tookDesc, total, st.TookSum[src].Seconds(), buckets, string(src))
}

// Handler serves /metrics, /healthz and /readyz, and the pages of the fleet.
func (m *Meters) Handler() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	if m.Pages != nil {
		m.Pages.Register(mux)
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if m.Ready != nil {
			if err := m.Ready(); err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
		}
		w.Write([]byte("ok\n"))
	})
	return mux
}
