package console

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

	queue   scrapeQueue
	shelf   shelf
	stall   time.Duration // how long a reader may take for spoolChunk
	unzips  sync.Mutex    // held by who unzips for a reader that cannot
	results [len(scrapeResults)]atomic.Uint64
}

const maxWords = 64 // of a filter

// NewPages returns the pages.
func NewPages(snapshot func() *fleet.Snapshot, now func() time.Time) *Pages {
	return &Pages{Snapshot: snapshot, Now: now, shelf: shelf{room: maxSpooled}, stall: stallWithin}
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
	p.serve(w, r, func(to io.Writer, now time.Time) error {
		s := p.Snapshot() // of now, however long the scrape waited
		return export.WriteFleet(to, s, stockOf(s, filter), filter, now)
	})
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
