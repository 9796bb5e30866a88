package views

import (
	"fmt"
	"strings"
	"time"

	"plumb/fleet"
)

// findingRecord lets a filter ask a finding; what the finding does not have is
// asked of its device: rack, region, owner, model, tags.
type findingRecord struct {
	f *Frame
	x *fleet.Finding
}

func (r findingRecord) field(name string) (string, bool) {
	x := r.x
	switch name {
	case "severity":
		return x.Severity.String(), true
	case "kind":
		return string(x.Kind), true
	case "class":
		return string(x.Class), true
	case "state":
		return string(x.State), true
	case "confidence":
		return x.Confidence.String(), true
	case "facet", "setting":
		return x.Facet, true
	case "observed":
		return x.Observed, true
	case "target", "device":
		return x.Target, true
	case "who":
		return x.Who, true
	}
	if d := r.f.Snap.Devices.Get(x.Target); d != nil {
		return deviceField(*r.f, d, name)
	}
	return "", false
}

func (r findingRecord) amount(name string) (float64, bool) {
	if name == "age" {
		return seconds(*r.f, r.x.Since)
	}
	return 0, false
}

func (r findingRecord) word(w string) bool {
	return holds(r.x.Target, w) || holds(r.x.Facet, w) || holds(r.x.Observed, w) || holds(r.x.Text, w)
}

// FindingFilter compiles a filter of the `/` prompt for findings, for use off
// the screen: the verb drift takes the same words.
func FindingFilter(text string, snap *fleet.Snapshot, now time.Time) func(*fleet.Finding) bool {
	f, frame := parseFilter(text), Frame{Snap: snap, At: now, Live: true}
	return func(x *fleet.Finding) bool { return f.match(findingRecord{&frame, x}) }
}

// CheckFindingFilter says which field or amount of a filter can match no
// finding, as [CheckDeviceFilter] does for devices.
func CheckFindingFilter(text string, snap *fleet.Snapshot) error {
	frame := Frame{Snap: snap, Live: true}
	for _, w := range strings.Fields(text) {
		w = strings.TrimPrefix(w, "!")
		i := strings.IndexAny(w, ":<>")
		if i <= 0 {
			continue
		}
		field, value := strings.ToLower(w[:i]), w[i+1:]
		if w[i] != ':' {
			if _, ok := amountOf(value); !ok || field != "age" {
				return fmt.Errorf("%q: the only amount of a finding is its age: age>1d", fleet.Clean(w, 40))
			}
			continue
		}
		if _, ok := (findingRecord{&frame, &fleet.Finding{}}).field(field); !ok && !deviceHas(field, snap) {
			return fmt.Errorf("no finding and no device has a field %q", fleet.Clean(field, 40))
		}
	}
	return nil
}
