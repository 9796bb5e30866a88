package performance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// Bounds of what is remembered of one machine: a log is read in bursts of
// hundreds, and a machine has a few dozen modules.
const (
	maxModules = 48
	maxRecords = 3
)

// A bit that flips now and then is what memory does, and is corrected for that.
const (
	someErrors = 10 // in a day: worth a word
	rising     = 3  // times the mean of the days before: worth a warning
)

// memoryFacet begins the facets of what is found of memory.
const memoryFacet = "performance memory "

// IsMemory reports whether a facet is one of memory errors, which are read off
// the event log and not off hours.
func IsMemory(facet string) bool { return strings.HasPrefix(facet, memoryFacet) }

// CountMemory adds the memory errors among events, which come in the order of
// their log, to those that are known. One that was counted already is not
// counted again. Where there is nothing to add it returns what it was given.
func CountMemory(have *fleet.MemoryErrors, events []fleet.Event, now time.Time) *fleet.MemoryErrors {
	next := have
	for i := range events {
		e := &events[i]
		m := e.Memory
		if m == nil || !e.Asserted {
			continue
		}
		if next != nil && !isNew(next, e) {
			continue
		}
		if next == have {
			next = &fleet.MemoryErrors{}
			if have != nil {
				next.At, next.Modules = have.At, slices.Clone(have.Modules)
			}
		}
		next.Epoch, next.Record = m.Epoch, m.Record
		if m.Timed && e.At.After(next.At) {
			next.At = e.At
		}
		count(next, e, now)
	}
	if next == have {
		return have
	}
	return AgeMemory(next, now)
}

// isNew reports whether a record was not counted yet: it stands behind the last
// one in the same log, or is newer than any. Numbers of records go round, so the
// half before the last one is what was there; and a machine may begin its log
// anew without saying when.
func isNew(m *fleet.MemoryErrors, e *fleet.Event) bool {
	x := e.Memory
	switch {
	case x.Timed && e.At.After(m.At):
		return true
	case x.Epoch == m.Epoch:
		return int16(x.Record-m.Record) > 0
	}
	return !x.Timed
}

// count adds one error. A clock that runs ahead does not make it news for
// longer than it is.
func count(m *fleet.MemoryErrors, e *fleet.Event, now time.Time) {
	at := e.At
	if at.After(now) {
		at = now
	}
	if now.Sub(at) >= fleet.MemoryErrorsFor {
		return
	}
	x := module(m, moduleName(e))
	x.Hours = slices.Clone(x.Hours)
	k, found := slices.BinarySearchFunc(x.Hours, fleet.HourOf(at), func(h fleet.MemoryHour, hour int64) int { return cmp.Compare(h.Hour, hour) })
	if !found {
		x.Hours = slices.Insert(x.Hours, k, fleet.MemoryHour{Hour: fleet.HourOf(at)})
	}
	switch e.Memory.Error {
	case fleet.MemoryCorrected:
		x.Hours[k].Corrected++
	case fleet.MemoryUncorrected:
		x.Hours[k].Uncorrected++
	case fleet.MemoryLimit:
		x.Limit = at
	}
	if at.After(x.Last) {
		x.Last = at
	}
	text := fmt.Sprintf("%04xh %s %s", e.Memory.Record, at.UTC().Format("2006-01-02 15:04:05Z"), e.Text)
	x.Records = append(slices.Clone(x.Records[max(0, len(x.Records)-maxRecords+1):]), text)
}

// moduleName is the module that a record names, beside the sensor that tells it.
func moduleName(e *fleet.Event) string {
	return strings.TrimSpace(e.Sensor + " " + e.Memory.Module)
}

// module finds a module or makes room for it; beyond the bound all are one.
func module(m *fleet.MemoryErrors, name string) *fleet.MemoryModule {
	find := func(name string) (int, bool) {
		return slices.BinarySearchFunc(m.Modules, name, func(x fleet.MemoryModule, name string) int { return cmp.Compare(x.Name, name) })
	}
	k, found := find(name)
	if !found && len(m.Modules) >= maxModules {
		k, found = find("others")
		name = "others"
	}
	if !found {
		m.Modules = slices.Insert(m.Modules, k, fleet.MemoryModule{Name: name})
	}
	return &m.Modules[k]
}

// AgeMemory forgets what is older than a week. Where that is nothing it returns
// what it was given.
func AgeMemory(m *fleet.MemoryErrors, now time.Time) *fleet.MemoryErrors {
	if m == nil {
		return nil
	}
	since := fleet.HourOf(now.Add(-fleet.MemoryErrorsFor))
	old := func(h fleet.MemoryHour) bool { return h.Hour < since }
	lapsed := func(x *fleet.MemoryModule) bool {
		return slices.ContainsFunc(x.Hours, old) || !x.Limit.IsZero() && fleet.HourOf(x.Limit) < since
	}
	if !slices.ContainsFunc(m.Modules, func(x fleet.MemoryModule) bool { return lapsed(&x) }) {
		return m
	}
	next := &fleet.MemoryErrors{Epoch: m.Epoch, Record: m.Record, At: m.At}
	for _, x := range m.Modules {
		x.Hours = slices.DeleteFunc(slices.Clone(x.Hours), old)
		if fleet.HourOf(x.Limit) < since {
			x.Limit = time.Time{}
		}
		if len(x.Hours) > 0 || !x.Limit.IsZero() {
			next.Modules = append(next.Modules, x)
		}
	}
	return next
}

// Memory looks at every module that showed errors within a week. known is false
// where the log cannot be read, or is full: that nothing came then says nothing.
func Memory(m *fleet.MemoryErrors, known bool, now time.Time) (out []fleet.Look) {
	if m == nil {
		return nil
	}
	for i := range m.Modules {
		x := &m.Modules[i]
		look := fleet.Look{Facet: memoryFacet + x.Name, Found: memory(x, now)}
		look.Known = known || look.Found != nil
		out = append(out, look)
	}
	return out
}

// tally is what one module showed: within a day, and in the six days before.
type tally struct{ day, before, bad int }

func tallied(x *fleet.MemoryModule, now time.Time) (t tally) {
	day := fleet.HourOf(now) - 23
	for _, h := range x.Hours {
		t.bad += h.Uncorrected
		if h.Hour >= day {
			t.day += h.Corrected
		} else {
			t.before += h.Corrected
		}
	}
	return t
}

// rises reports whether the last day is out of all proportion to those before.
func (t tally) rises() bool { return t.day >= someErrors && 6*t.day >= rising*t.before }

// memory says what is wrong with a module; nil: nothing.
func memory(x *fleet.MemoryModule, now time.Time) *fleet.Finding {
	t := tallied(x, now)
	f := &fleet.Finding{Kind: fleet.FindPerformance, Class: fleet.ClassChanged, Confidence: fleet.ConfidenceHigh,
		Observed: fmt.Sprintf("%d corrected in a day, %d in 7 days, %d uncorrected", t.day, t.day+t.before, t.bad),
		Evidence: "records of the event log: " + strings.Join(x.Records, ", "),
		Fix:      "drain the machine, reseat or exchange the module, then clear its log",
		Baselines: []fleet.Baseline{{Name: fleet.BaseLastWeek,
			Expected: fmt.Sprintf("%.1f corrected a day", float64(t.before)/6)}},
	}
	var what string
	switch {
	case t.bad > 0:
		f.Severity, what = fleet.SeverityCrit, fleet.Count(t.bad, "uncorrected memory error")+" within 7 days"
	case !x.Limit.IsZero():
		f.Severity, what = fleet.SeverityWarn, "so many corrected memory errors that its log takes no more of them since "+x.Limit.UTC().Format("2006-01-02 15:04Z")
	case t.rises():
		f.Severity, what = fleet.SeverityWarn, "corrected memory errors rise"
	case t.day >= someErrors:
		f.Severity, what = fleet.SeverityInfo, "corrected memory errors keep coming"
	default:
		return nil
	}
	first := time.Unix(3600*firstHour(x), 0).UTC()
	f.Text = fmt.Sprintf("%s: %s: %d corrected in 24 h, %.1f a day before; the first of this week on %s", x.Name, what, t.day, float64(t.before)/6, first.Format("2006-01-02 about 15:04Z"))
	return f
}

// firstHour is the hour of the first record that is remembered.
func firstHour(x *fleet.MemoryModule) int64 {
	if len(x.Hours) == 0 {
		return fleet.HourOf(x.Limit)
	}
	return x.Hours[0].Hour
}
