package report

import (
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
)

// Input is what a report is made of.
type Input struct {
	Snap *fleet.Snapshot
	// Then is the fleet at the beginning of the period, nil where nobody knows.
	Then   *fleet.Snapshot
	Now    time.Time
	Since  time.Time     // the beginning that was asked for
	Events []fleet.Event // of the period, in any order
	Cut    bool          // there were more events: the oldest are left out
	Jobs   []fleet.Job   // newest first
	// Capacity is of now, with its runway where history gives one.
	Capacity []capacity.Row
}

// Period is what a report covers.
type Period struct {
	Since time.Time `json:"since"` // asked for
	// From is the oldest of what plumb itself saw in the period: before that
	// it did not look. Zero where it saw nothing.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until"`
}

func (in *Input) period() Period {
	p := Period{Since: in.Since.UTC(), Until: in.Now.UTC()}
	if in.Then != nil && !in.Cut {
		p.From = p.Since
		return p
	}
	for i := range in.Events {
		if e := &in.Events[i]; e.Source == "plumb" && in.within(e.At) && (p.From.IsZero() || e.At.Before(p.From)) {
			p.From = e.At.UTC()
		}
	}
	return p
}

func (in *Input) within(t time.Time) bool { return !t.Before(in.Since) && !t.After(in.Now) }

// months is the length of what was looked at, in months of 30 days.
func (p Period) months() float64 {
	if p.From.IsZero() {
		return 0
	}
	return p.Until.Sub(p.From).Hours() / (30 * 24)
}

// name is how people know a target: a name, with its id where that is another
// word.
func name(s *fleet.Snapshot, id string) string {
	device, part, isPart := strings.Cut(id, "/")
	switch {
	case s.Instances.Number(id) >= 0:
		if x := s.Instances.Get(id); x.Name != "" && x.Name != id {
			return x.Name + " (" + x.Cloud + ")"
		}
	case s.Devices.Number(id) >= 0:
		return deviceName(s.Devices.Get(id))
	case isPart && s.Devices.Number(device) >= 0:
		return deviceName(s.Devices.Get(device)) + "/" + part
	}
	return id
}

func deviceName(d *fleet.Device) string {
	if d.Spec.Name == "" || d.Spec.Name == d.Spec.ID {
		return d.Spec.ID
	}
	return d.Spec.Name + " (" + d.Spec.ID + ")"
}

// names are the first few of a list, each as people know it.
func names(s *fleet.Snapshot, ids []string) string {
	const most = 4
	out := make([]string, 0, most)
	for _, id := range ids[:min(len(ids), most)] {
		out = append(out, name(s, id))
	}
	return strings.Join(out, ", ") + more(len(ids)-most)
}
