package console

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/views/export"
)

// Pages is what Prometheus reads of the fleet itself: /fleet, the readings, and
// /sd, where its own exporters find the management addresses. Both are made of
// the snapshot when they are asked for.
type Pages struct {
	Snapshot func() *fleet.Snapshot
	Now      func() time.Time

	scrapes chan struct{} // places of scrapes under way
}

// Bounds of a scrape: how many at once, and how long its reader may take.
const (
	maxScrapes   = 2
	scrapeWithin = 2 * time.Minute
	maxWords     = 64 // of a filter
)

// NewPages returns the pages.
func NewPages(snapshot func() *fleet.Snapshot, now func() time.Time) *Pages {
	return &Pages{Snapshot: snapshot, Now: now, scrapes: make(chan struct{}, maxScrapes)}
}

// Register adds the pages to a server.
func (p *Pages) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /fleet", p.fleet)
	mux.HandleFunc("GET /sd", p.discover)
}

// fleet writes the readings, filtered by device=GLOB, region=NAME and class=WORD.
func (p *Pages) fleet(w http.ResponseWriter, r *http.Request) {
	filter, err := fleetFilter(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s := p.Snapshot()
	if s == nil {
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return
	}
	if filter.Region != "" && s.Regions.Get(filter.Region) == nil {
		http.Error(w, fmt.Sprintf("region=%s: no such region", fleet.Clean(filter.Region, 80)), http.StatusBadRequest)
		return
	}
	select {
	case p.scrapes <- struct{}{}:
		defer func() { <-p.scrapes }()
	default:
		http.Error(w, fmt.Sprintf("%d scrapes are under way: give each class a job of its own, or scrape less often", maxScrapes), http.StatusServiceUnavailable)
		return
	}
	// A fleet is larger than what the server's own limit is meant for. Where the
	// limit cannot be changed the server's holds.
	_ = http.NewResponseController(w).SetWriteDeadline(p.Now().Add(scrapeWithin))
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	out, done := zipped(w, r)
	defer done()
	_ = export.WriteFleet(out, s, stockOf(s, filter), filter, p.Now()) // the reader left
}

// fleetFilter reads a filter. What is not known is an error: a scrape that
// silently brings nothing looks like a fleet that is well.
func fleetFilter(q url.Values) (f export.FleetFilter, err error) {
	for name := range q {
		if !slices.Contains([]string{"device", "region", "class"}, name) {
			return f, fmt.Errorf("%s: no such filter: device, region and class are", fleet.Clean(name, 40))
		}
	}
	globs, classes := words(q["device"]), words(q["class"])
	if len(globs) > maxWords || len(classes) > maxWords || len(q["region"]) > 1 {
		return f, fmt.Errorf("too many words in a filter, at most %d, and one region", maxWords)
	}
	f.Region = q.Get("region")
	for _, g := range globs {
		if _, err := path.Match(g, ""); err != nil {
			return f, fmt.Errorf("device=%s: %w", fleet.Clean(g, 80), err)
		}
	}
	if len(globs) > 0 {
		f.Device = func(d *fleet.DeviceSpec) bool {
			return slices.ContainsFunc(globs, func(g string) bool { return fleet.Like(g, d.ID) })
		}
	}
	known := export.Classes()
	for _, c := range classes {
		if !slices.Contains(known, c) {
			return f, fmt.Errorf("class=%s: no such class: %s", fleet.Clean(c, 40), strings.Join(known, " "))
		}
	}
	if len(classes) > 0 {
		f.Class = func(c string) bool { return slices.Contains(classes, c) }
	}
	return f, nil
}

// words splits values at commas.
func words(values []string) (out []string) {
	for _, v := range values {
		for w := range strings.SplitSeq(v, ",") {
			if w != "" {
				out = append(out, w)
			}
		}
	}
	return out
}

// stockOf is the capacity that a filter lets through.
func stockOf(s *fleet.Snapshot, f export.FleetFilter) []export.Stock {
	if f.Device != nil || f.Region != "" || f.Class != nil && !f.Class(export.ClassCapacity) {
		return nil
	}
	rows := capacity.Of(s)
	out := make([]export.Stock, len(rows))
	for i, r := range rows {
		out[i] = export.Stock{Scope: string(r.Scope), ID: r.ID, Resource: string(r.Resource), Class: r.Class, Unit: r.Unit, Used: r.Used, Total: r.Total}
	}
	return out
}

var zips = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // a level that there is
	return z
}}

// zipped returns where to write what the reader takes zipped, or as it is; done
// is called after the last byte.
func zipped(w http.ResponseWriter, r *http.Request) (out io.Writer, done func()) {
	w.Header().Set("Vary", "Accept-Encoding")
	if !acceptsGzip(r.Header.Get("Accept-Encoding")) {
		return w, func() {}
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := zips.Get().(*gzip.Writer)
	z.Reset(w)
	return z, func() {
		_ = z.Close() // the reader left
		z.Reset(nil)
		zips.Put(z)
	}
}

func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" && strings.TrimSpace(q) != "q=0" {
			return true
		}
	}
	return false
}
