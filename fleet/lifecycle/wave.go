package lifecycle

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/drift"
)

// wave is the firmware of the machines of one model in one region.
type wave struct {
	runs   map[string][]int // devices by version
	unread int
	moved  time.Time // when the last of them changed, where that was within a week
}

// run puts a device into the wave of its model.
func (r *region) run(i int, d *fleet.Device) {
	model := cmp.Or(d.Spec.Model, d.Facts.Get(fleet.FactModel))
	if model == "" || len(d.Spec.Endpoints) == 0 {
		return
	}
	w := r.models[model]
	if w == nil {
		w = &wave{runs: map[string][]int{}}
		r.models[model] = w
	}
	version := d.Facts.Get(fleet.FactFirmware)
	if version == "" {
		w.unread++
		return
	}
	w.runs[version] = append(w.runs[version], i)
	if d.Docket != nil {
		for _, p := range d.Docket.Past {
			if p.Facet == fleet.FactFirmware && p.At.After(w.moved) {
				w.moved = p.At
			}
		}
	}
}

// astray is how many machines with one other version than the majority make a
// wave: one alone is that machine's drift.
const astray = 2

// underWay is how long after its last step a wave is taken to go on.
const underWay = 24 * time.Hour

// waves speaks of models of which some run one firmware and some another.
func (v *survey) waves(r *region) (looks []fleet.Look) {
	for _, model := range slices.Sorted(maps.Keys(r.models)) {
		w := r.models[model]
		v.blind(FirmwareWave, w.unread)
		if len(w.runs) == 0 {
			continue
		}
		all := slices.Concat(slices.Collect(maps.Values(w.runs))...)
		if f := v.wave(r, model, w); f != nil {
			looks = v.about(looks, r, FirmwareWave+" "+model, f, all)
		} else {
			v.pass(FirmwareWave, len(all))
		}
	}
	return looks
}

func (v *survey) wave(r *region, model string, w *wave) *fleet.Finding {
	versions := slices.SortedFunc(maps.Keys(w.runs), func(a, b string) int { return drift.CompareVersions(b, a) })
	total, most, others := 0, versions[0], 0
	for _, x := range versions {
		total += len(w.runs[x])
		if len(w.runs[x]) > len(w.runs[most]) {
			most = x
		}
	}
	for _, x := range versions {
		if x != most {
			others = max(others, len(w.runs[x]))
		}
	}
	if others < astray {
		return nil
	}
	words := make([]string, len(versions))
	for i, x := range versions {
		words[i] = fmt.Sprintf("%d on %s", len(w.runs[x]), x)
	}
	newest := versions[0]
	left := total - len(w.runs[newest])
	f := finding(FirmwareWave, strings.Join(words, ", "), "")
	f.Baselines = []fleet.Baseline{{Name: fleet.BaseCohort, Expected: most}}
	f.Text = fmt.Sprintf("%s of %s: %s; ", model, r.name, f.Observed)
	switch {
	case w.moved.IsZero():
		f.Text += "none of them changed within a week"
	case v.now.Sub(w.moved) < underWay:
		f.Severity = fleet.SeverityInfo
		f.Text += "a wave is under way, the last changed at " + stamp(w.moved)
	default:
		f.Text += "a wave stands half done, the last changed at " + stamp(w.moved)
	}
	if w.unread > 0 {
		f.Text += fmt.Sprintf("; %d not read", w.unread)
	}
	f.Fix = fmt.Sprintf("%d are left to flash with %s, or %d to take back", left, newest, len(w.runs[newest]))
	if newest != most {
		f.Fix += "; most run " + most
	}
	return f
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }
