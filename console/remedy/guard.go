package remedy

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/plan"
)

// Why an action is refused. Denied is about the person, Refused about the
// moment: the same person may well do it later.
var (
	ErrDenied  = errors.New("denied")
	ErrRefused = errors.New("refused")
)

// Request is an action that a person confirmed.
type Request struct {
	User, From string
	Role       fleet.Role
	Action     fleet.ActionKind
	Target     string // device, or device/port
	Reason     string
}

// order is a request that passed: what to send, over which wire.
type order struct {
	device string
	source fleet.Source
	action fleet.Action
}

// guard judges a request against the present snapshot. What others have under
// way, and a snapshot may not show yet, counts as done.
func guard(s *fleet.Snapshot, r Request, now time.Time, underWay []plan.Step) (order, error) {
	o, err := fits(s, r, now)
	if err != nil {
		return order{}, err
	}
	for _, hit := range plan.Impact(s, []plan.Step{{Action: r.Action, Target: r.Target}}, underWay...) {
		if why := hit.Refusal(); why != "" {
			return order{}, fmt.Errorf("%w: %s", ErrRefused, why)
		}
	}
	return o, nil
}

// fits judges person, action and target by themselves.
func fits(s *fleet.Snapshot, r Request, now time.Time) (order, error) {
	danger := r.Action.Danger()
	switch {
	case danger > 2:
		return order{}, fmt.Errorf("%w: there is no action %q here", ErrDenied, fleet.Clean(string(r.Action), 40))
	case r.Role < fleet.RoleOperator:
		return order{}, fmt.Errorf("%w: needs role operator, you are %s", ErrDenied, r.Role)
	case danger > 1 && strings.TrimSpace(r.Reason) == "":
		return order{}, fmt.Errorf("%w: needs a reason", ErrRefused)
	}
	id, port, isPort := strings.Cut(r.Target, "/")
	d := s.Devices.Get(id)
	if d == nil {
		return order{}, fmt.Errorf("%w: %s is not in the inventory", ErrRefused, fleet.Clean(r.Target, 80))
	}
	if err := fresh(s, d, now); err != nil {
		return order{}, err
	}
	o := order{device: id, action: fleet.Action{Kind: r.Action, Target: r.Target, Serial: d.Facts.Get(fleet.FactSerial)}}
	if r.Action == fleet.ActPortUp || r.Action == fleet.ActPortDown {
		if !isPort {
			return order{}, fmt.Errorf("%w: %s names no port", ErrRefused, id)
		}
		o.source = fleet.SourceSNMP
		return o, portFits(d, port, r.Action)
	}
	if isPort {
		return order{}, fmt.Errorf("%w: %s is for a whole device", ErrRefused, r.Action)
	}
	o.source = fleet.SourceIPMI
	return o, powerFits(d, r.Action)
}

// fresh refuses what is not seen now: data older than two polls describes a
// machine that may no longer be there.
func fresh(s *fleet.Snapshot, d *fleet.Device, now time.Time) error {
	if d.Blind() {
		return fmt.Errorf("%w: %s is blind since %s: nobody knows what state it is in", ErrRefused, d.Spec.ID, d.BlindSince.UTC().Format("15:04:05"))
	}
	if limit := 2 * s.Intervals[fleet.LaneFast]; d.SeenAt.IsZero() || now.Sub(d.SeenAt) > limit {
		return fmt.Errorf("%w: %s was not seen within %s", ErrRefused, d.Spec.ID, limit)
	}
	return nil
}

func portFits(d *fleet.Device, name string, kind fleet.ActionKind) error {
	p := d.Port(name)
	want := strings.TrimPrefix(string(kind), "port-")
	switch {
	case p == nil:
		return fmt.Errorf("%w: %s has no port %s", ErrRefused, d.Spec.ID, fleet.Clean(name, 40))
	case p.Admin == want:
		return fmt.Errorf("%w: %s/%s is already admin %s", ErrRefused, d.Spec.ID, name, want)
	}
	return nil
}

func powerFits(d *fleet.Device, kind fleet.ActionKind) error {
	switch {
	case d.Spec.Kind != fleet.KindServer:
		return fmt.Errorf("%w: %s is a %s, not a server", ErrRefused, d.Spec.ID, d.Spec.Kind)
	case kind == fleet.ActIdentify:
		return nil
	case d.Power == fleet.PowerUnknown:
		return fmt.Errorf("%w: the power state of %s is not known", ErrRefused, d.Spec.ID)
	case kind == fleet.ActPowerOn && d.Power == fleet.PowerOn:
		return fmt.Errorf("%w: %s is already on", ErrRefused, d.Spec.ID)
	case kind != fleet.ActPowerOn && d.Power == fleet.PowerOff:
		return fmt.Errorf("%w: %s is off", ErrRefused, d.Spec.ID)
	}
	return nil
}
