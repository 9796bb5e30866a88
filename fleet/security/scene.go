package security

import (
	"time"

	"plumb/fleet"
)

// Scene is what a check may know beside its target.
type Scene struct {
	Now       time.Time
	Intervals [3]time.Duration // of the lanes
	Policies  *fleet.Policies  // nil: the defaults
	Instances *fleet.Table[fleet.InstanceState]
	Cohorts   map[string]fleet.Tally // those of sites among them
	// Cabled is what is meant to hang on a port, see [fleet.Topology]. Device
	// and Number are those of the snapshot's devices.
	Cabled map[string]fleet.Attachment
	Number func(id string) int
	Device func(n int) *fleet.Device
}

// SceneOf is the scene of a snapshot as of its own time.
func SceneOf(s *fleet.Snapshot) *Scene {
	sc := &Scene{Now: s.At, Intervals: s.Intervals, Instances: &s.Instances, Cohorts: s.Cohorts, Number: s.Devices.Number, Device: s.Devices.At}
	if s.Topology != nil {
		sc.Policies, sc.Cabled = s.Policies, s.Cabled
	}
	return sc
}

var defaults fleet.Policies

func (sc *Scene) policies() *fleet.Policies {
	if sc.Policies == nil {
		return &defaults
	}
	return sc.Policies
}

// policy is what the user said of a check.
func (sc *Scene) policy(c *Check) fleet.CheckPolicy { return sc.policies().Checks[c.ID] }

// young reports whether what a lane read is not older than two of its
// intervals: older, it says what was.
func (sc *Scene) young(at time.Time, lane fleet.Lane) bool {
	return fleet.Young(at, sc.Now, sc.Intervals[lane])
}

// wholeTable reports whether the last read of a cloud's table was complete and
// is young.
func (sc *Scene) wholeTable(t *fleet.TableState) bool {
	return t.Is == fleet.Complete && sc.young(t.At, t.Lane)
}
