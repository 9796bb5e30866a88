package week_test

import (
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/fleet/engine"
	"plumb/fleet/performance"
	"plumb/fleet/trace"
	"plumb/internal/week"
)

// run plays a week through the engine, minute by minute, and writes down when
// anything was said.
type run struct {
	world *week.World
	snap  *fleet.Snapshot
	graph *trace.Graph
	hours map[string]*hours

	findings map[string]*said // by finding
	causes   map[string]*said
	over     map[string]*said // capacity rows over their limit
	runs     map[string]*said // the longest free run of a rack, by rack and length
	all      []*said
	named    map[week.Moment][]trace.Cause // where anything was named
	ruled    map[*week.Event]bool
	out      fleet.Output // of the last step
	heard    func(out *fleet.Output, m week.Moment)
}

// said is one thing that was said, from when until when.
type said struct {
	engine        string
	kind          string // of a finding; the resource of a row
	target, facet string
	text          string
	from, last    week.Moment
}

const minuteStep = week.Moment(time.Minute)

func play(w *week.World, end week.Moment) *run {
	r := &run{world: w, hours: map[string]*hours{}, findings: map[string]*said{}, causes: map[string]*said{}, over: map[string]*said{}, runs: map[string]*said{},
		named: map[week.Moment][]trace.Cause{}, ruled: map[*week.Event]bool{}}
	inv, _ := w.Inventory(0)
	r.snap = engine.Restore(inv, fleet.Memory{}, w.Start)
	r.graph = trace.Build(r.snap)
	poller := week.NewPoller(w)
	for m := week.Moment(0); m < end; m += minuteStep {
		r.minute(poller, m)
	}
	return r
}

func (r *run) minute(poller *week.Poller, m week.Moment) {
	r.turn(poller, m)
	if time.Duration(m) < 2*week.Intervals[0] {
		return // not all was polled yet
	}
	r.watch(m)
}

// turn is what comes in at a minute, and the step that it makes.
func (r *run) turn(poller *week.Poller, m week.Moment) {
	var in []fleet.Input
	if inv, changed := r.world.Inventory(m); changed {
		in = append(in, fleet.Reload{Inventory: inv})
		defer func() { r.graph = trace.Build(r.snap) }()
	}
	for _, o := range poller.Poll(m) {
		in = append(in, o)
	}
	in = append(in, r.rulings(m)...)
	r.step(in, m)
	switch at := time.Duration(m); {
	case at == 10*time.Minute:
		r.remember(m)
	case at%(2*time.Hour) == 10*time.Minute && at > time.Hour:
		r.close(m)
	}
}

func (r *run) step(in []fleet.Input, m week.Moment) {
	r.snap, r.out = engine.Step(r.snap, in, r.world.Time(m))
	for i := range r.out.Readings {
		r.add(&r.out.Readings[i])
	}
	if r.heard != nil {
		r.heard(&r.out, m)
	}
}

// rulings are what people decide in this minute: they accept all that stands
// open on a machine that was replaced.
func (r *run) rulings(m week.Moment) (in []fleet.Input) {
	for i := range r.world.Plant {
		for k := range r.world.Plant[i].Each {
			e := &r.world.Plant[i].Each[k]
			if r.world.Clean || e.Accept == 0 || m < e.Accept || r.ruled[e] {
				continue
			}
			r.ruled[e] = true
			d := fleet.Decision{}
			for _, f := range r.snap.Devices.Get(e.On).Docket.Of() {
				d.Rulings = append(d.Rulings, fleet.Ruling{Target: e.On, Facet: f.Facet, Verdict: fleet.FindingAccepted, Value: f.Observed, By: "ann", Reason: "board replaced", At: r.world.Time(m)})
			}
			in = append(in, d)
		}
	}
	return in
}

// watch writes down what stands now.
func (r *run) watch(m week.Moment) {
	for f := range r.snap.Findings() {
		if f.Open() {
			r.see(r.findings, f.ID(), m, func() *said {
				return &said{engine: engineOf(f.Kind), kind: string(f.Kind), target: f.Target, facet: f.Facet, text: f.Text}
			})
		}
	}
	causes := r.graph.Causes(r.snap, r.world.Time(m))
	if len(causes) > 0 {
		r.named[m] = causes
	}
	for _, c := range causes {
		r.see(r.causes, c.ID, m, func() *said {
			return &said{engine: "trace", kind: string(c.Kind), target: c.ID, facet: "cause", text: first(c.Evidence)}
		})
	}
	if time.Duration(m)%week.Intervals[0] == 0 {
		r.rooms(m)
	}
	for _, list := range []map[string]*said{r.findings, r.causes, r.over, r.runs} {
		for id, x := range list {
			limit := minuteStep
			if x.engine == "capacity" && x.facet != "" {
				limit = week.Moment(week.Intervals[0])
			}
			if m-x.last >= limit {
				delete(list, id)
			}
		}
	}
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// rooms writes down which capacity rows are over, and the longest runs.
func (r *run) rooms(m week.Moment) {
	rows := capacity.Of(r.snap)
	for i := range rows {
		x := &rows[i]
		id := string(x.Scope) + " " + x.ID + " " + string(x.Resource) + " " + x.Class
		row := func() *said {
			return &said{engine: "capacity", kind: string(x.Resource), target: x.ID, facet: string(x.Scope) + " " + x.Class, text: x.Worst}
		}
		switch {
		case x.Resource == capacity.Contiguous && x.Scope == capacity.ScopeRack:
			r.see(r.runs, id+x.Free.String(), m, func() *said {
				s := row()
				s.text = x.Free.String()
				return s
			})
		case x.Over:
			r.see(r.over, id, m, row)
		}
	}
}

func (r *run) see(list map[string]*said, id string, m week.Moment, make func() *said) {
	if x := list[id]; x != nil {
		x.last = m
		return
	}
	x := make()
	x.from, x.last = m, m
	list[id] = x
	r.all = append(r.all, x)
}

// engineOf is the engine that makes findings of a kind.
func engineOf(k fleet.FindingKind) string {
	switch k {
	case fleet.FindSecurity, fleet.FindPerformance:
		return string(k)
	case fleet.FindFirmware, fleet.FindConfig, fleet.FindCabling, fleet.FindInventory:
		return "drift"
	}
	return "capacity"
}

// hours are the running means of a device's series, closed every two hours as
// the store merges its windows: a gauge's mean is that of its samples, a
// counter's its rate per second.
type hours struct {
	wanted map[fleet.SeriesKey]bool
	cells  map[fleet.SeriesKey]map[int64]*mean
	last   map[fleet.SeriesKey]sample
}

type mean struct {
	sum, n float64
}

type sample struct {
	at time.Time
	n  int64
}

func (r *run) add(x *fleet.Readings) {
	h := r.hours[x.Target]
	if h == nil {
		return
	}
	for i, k := range x.Keys {
		v := x.Values[i]
		if !v.Known || !h.wanted[k] {
			continue
		}
		value := v.Float()
		if k.Kind() == fleet.Counter {
			was, ok := h.last[k]
			h.last[k] = sample{x.At, v.N}
			if !ok || v.N < was.n {
				continue
			}
			value = float64(v.N-was.n) / x.At.Sub(was.at).Seconds()
		}
		if h.cells[k] == nil {
			h.cells[k] = map[int64]*mean{}
		}
		c := h.cells[k][fleet.HourOf(x.At)]
		if c == nil {
			c = &mean{}
			h.cells[k][fleet.HourOf(x.At)] = c
		}
		c.sum, c.n = c.sum+value, c.n+1
	}
}

// remember hands in the past of every device, once its sensors are known.
func (r *run) remember(m week.Moment) {
	for id, d := range r.snap.Devices.All() {
		h := &hours{wanted: map[fleet.SeriesKey]bool{}, cells: map[fleet.SeriesKey]map[int64]*mean{}, last: map[fleet.SeriesKey]sample{}}
		for _, k := range performance.Wanted(d) {
			h.wanted[k] = true
		}
		r.hours[id] = h
		if past := r.world.Past(id); len(past.Series) > 0 {
			r.step([]fleet.Input{past}, m)
		}
	}
}

// close hands in the hours that are over, eight devices a step.
func (r *run) close(m week.Moment) {
	var in []fleet.Input
	now := fleet.HourOf(r.world.Time(m))
	for id := range r.snap.Devices.All() {
		h := r.hours[id]
		if h == nil {
			continue
		}
		sum := fleet.Summary{Target: id}
		for k, cells := range h.cells {
			for hour, c := range cells {
				if hour >= now {
					continue
				}
				v := fleet.FromFloat(c.sum/c.n, 6)
				from := time.Unix(hour*3600, 0).UTC()
				sum.Series = append(sum.Series, fleet.SeriesSummary{Key: k, From: from, To: from.Add(time.Hour), Count: int(c.n), Min: v, Max: v, Mean: v})
				delete(cells, hour)
			}
		}
		if len(sum.Series) == 0 {
			continue
		}
		if in = append(in, sum); len(in) == 8 {
			r.step(in, m)
			in = nil
		}
	}
	if len(in) > 0 {
		r.step(in, m)
	}
}
