package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// incident is one time that something was wrong with a target.
type incident struct {
	target     string
	cause      string // in words that like incidents share
	from, till time.Time
	open       bool // it was not seen to end
	severity   fleet.Severity
}

// incidents pairs what began with what ended, in plumb's own words. What
// becomes worse on the way is one incident; what is open at the end lasts until
// now.
func (in *Input) incidents() []incident {
	events := slices.Clone(in.Events)
	slices.SortStableFunc(events, func(a, b fleet.Event) int { return a.At.Compare(b.At) })
	open := map[string]int{} // by target and type
	var out []incident
	for i := range events {
		e := &events[i]
		if e.Source != "plumb" || !in.within(e.At) || !slices.Contains([]string{"state", "feed", "path"}, e.Type) {
			continue
		}
		key := e.Type + " " + e.Target
		n, is := open[key]
		switch {
		case e.Asserted && !is && e.Severity > fleet.SeverityInfo:
			open[key] = len(out)
			out = append(out, incident{target: e.Target, cause: in.cause(e.Target, e.Text), from: e.At.UTC(), open: true, severity: e.Severity})
		case e.Asserted && is:
			out[n].severity = max(out[n].severity, e.Severity)
		case !e.Asserted && is:
			out[n].till, out[n].open = e.At.UTC(), false
			delete(open, key)
		}
	}
	for i := range out {
		if out[i].open {
			out[i].till = in.Now.UTC()
		}
	}
	return out
}

// cause takes out of a sentence what is this incident's alone: the states, how
// many more, numbers, and the names of devices, which become their kinds.
func (in *Input) cause(target, text string) string {
	if _, after, ok := strings.Cut(text, "→ "); ok {
		_, text, _ = strings.Cut(after, ": ")
	}
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "also: "), "; ")
	words := strings.Fields(text)
	for i, w := range words {
		core := strings.Trim(w, "(),:;")
		id, _, _ := strings.Cut(core, "/")
		switch {
		case core == "":
		case in.Snap.Devices.Number(id) >= 0:
			words[i] = strings.Replace(w, core, string(in.Snap.Devices.Get(id).Spec.Kind), 1)
		case in.portOf(target, core):
			words[i] = strings.Replace(w, core, "port", 1)
		case in.Snap.Clouds.Number(core) >= 0:
			words[i] = strings.Replace(w, core, "cloud", 1)
		case in.Snap.Sites.Number(core) >= 0:
			words[i] = strings.Replace(w, core, "site", 1)
		case strings.Trim(core, "0123456789.:-") == "":
			words[i] = strings.Replace(w, core, "#", 1)
		}
	}
	if len(words) == 0 {
		return "not said"
	}
	return strings.Join(words, " ")
}

func (in *Input) portOf(target, name string) bool {
	d := in.Snap.Devices.Get(target)
	return d != nil && d.Port(name) != nil
}

// Incidents are all incidents of one cause.
type Incidents struct {
	Cause    string         `json:"cause"`
	Severity fleet.Severity `json:"severity"` // of the worst
	Count    int            `json:"count"`
	Open     int            `json:"open"`
	Targets  []string       `json:"targets"` // ids, each once
	First    time.Time      `json:"first"`
	Last     time.Time      `json:"last"` // when the newest began
	TotalS   int64          `json:"total_s"`
	LongestS int64          `json:"longest_s"`
}

// byCause groups incidents, those that lasted longest in sum first.
func byCause(list []incident) []Incidents {
	at, out := map[string]int{}, []Incidents{}
	for i := range list {
		x := &list[i]
		n, ok := at[x.cause]
		if !ok {
			n = len(out)
			at[x.cause] = n
			out = append(out, Incidents{Cause: x.cause, First: x.from, Targets: []string{}})
		}
		g, lasted := &out[n], int64(x.till.Sub(x.from).Seconds())
		g.Count, g.Last = g.Count+1, x.from
		g.TotalS, g.LongestS = g.TotalS+lasted, max(g.LongestS, lasted)
		g.Severity = max(g.Severity, x.severity)
		if x.open {
			g.Open++
		}
		if !slices.Contains(g.Targets, x.target) {
			g.Targets = append(g.Targets, x.target)
		}
	}
	slices.SortStableFunc(out, func(a, b Incidents) int {
		return cmp.Or(cmp.Compare(b.TotalS, a.TotalS), cmp.Compare(b.Count, a.Count))
	})
	return out
}
