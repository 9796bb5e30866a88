package engine

import (
	"maps"
	"slices"
	"time"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/fleet/performance"
)

// rowForecast begins the rows of forecasts in the table of baselines.
const rowForecast = "due "

// summarise takes what a closed block of history says of a device, and judges
// how it performs. It is done when a block closes, every two hours, and never
// for a poll.
func (s *step) summarise(x fleet.Summary) {
	i := s.next.Devices.Number(x.Target)
	if i < 0 {
		return
	}
	hours, parts := performance.Hours(s.devices.Peek(i), x), performance.PartHours(s.devices.Peek(i), x)
	if len(hours)+len(parts) == 0 {
		return
	}
	s.changed = true
	d := s.devices.At(i)
	if len(hours) > 0 {
		d.Past = d.Past.With(hours)
	}
	if len(parts) > 0 {
		d.Parts = fleet.PartsWith(d.Parts, parts)
	}
	s.compare(i)
}

// compare judges how a device performs, and keeps what is foretold.
func (s *step) compare(i int) {
	d := s.devices.At(i)
	s.gatherNorms()
	j := performance.Judge(performance.Case{Device: d, Past: d.Past, Norms: s.next.Norms[drift.CohortKey(d)], Now: s.now})
	s.settlePerformance(i, append(j.Looks, s.memory(d)...), time.Unix(d.Past.Until()*3600, 0))
	next, changed, gone := performance.Foretell(d.Forecasts, j.Forecasts, d.Past, s.now)
	d.Forecasts = next
	for k := range changed {
		s.change(d.Spec.ID, fleet.TableBaselines, forecastRow(&changed[k]), encode(&changed[k]))
	}
	for k := range gone {
		s.change(d.Spec.ID, fleet.TableBaselines, forecastRow(&gone[k]), nil)
	}
}

// settlePerformance folds what was said of how a device performs into its docket.
func (s *step) settlePerformance(i int, looks []fleet.Look, read time.Time) {
	d := s.devices.At(i)
	said := drift.Judgement{Kinds: []fleet.FindingKind{fleet.FindPerformance}, Looks: looks, LastRead: read, StaleAfter: 24 * time.Hour}
	if d.Docket != nil { // the coverage is that of what was read, not of its past
		said.Looked, said.Blind, said.Muted = d.Docket.Looked, d.Docket.Blind, d.Docket.Muted
	}
	s.settle(i, drift.Settle(d.Docket, d.Spec.ID, said, s.now), false)
}

// forecastRow names a forecast by what it is of and when it was made.
func forecastRow(f *fleet.Forecast) string {
	return rowForecast + f.Class.String() + " " + f.Made.UTC().Format(time.RFC3339)
}

// gatherNorms asks, once an hour, how the like of each device behave. It is one
// walk over the fleet: asked for each cohort alone it would be one for each.
func (s *step) gatherNorms() {
	if age := s.now.Sub(s.next.NormsAt); s.next.Norms != nil && age >= 0 && age < performance.NormEvery {
		return
	}
	peers := map[string][]performance.Peer{}
	for i := range s.devices.Len() {
		if d := s.devices.Peek(i); d.Past != nil {
			key := drift.CohortKey(d)
			peers[key] = append(peers[key], performance.PeerOf(d.Past))
		}
	}
	norms := make(map[string]fleet.Norms, len(peers))
	for _, key := range slices.Sorted(maps.Keys(peers)) {
		norms[key] = performance.NormsOf(peers[key])
	}
	s.next.Norms, s.next.NormsAt = norms, s.now
}

// recallForecasts puts back what was foretold.
func recallForecasts(rows *fleet.Rows) (out []fleet.Forecast) {
	if rows.Table != fleet.TableBaselines {
		return nil
	}
	for i, v := range rows.Values {
		if name := rows.Names[i]; len(name) < len(rowForecast) || name[:len(rowForecast)] != rowForecast {
			continue
		}
		if f := decode[fleet.Forecast](v); f != nil {
			out = append(out, *f)
		}
	}
	slices.SortStableFunc(out, func(a, b fleet.Forecast) int { return a.Made.Compare(b.Made) })
	return out
}
