package views

import (
	"fmt"
	"strings"
	"time"

	"plumb/fleet"
)

// DeviceFilter compiles a filter of the `/` prompt for use off the screen: the
// verb devices takes the same words.
func DeviceFilter(text string, snap *fleet.Snapshot, now time.Time) func(*fleet.Device) bool {
	f, frame := parseFilter(text), Frame{Snap: snap, At: now, Live: true}
	return func(d *fleet.Device) bool { return f.match(deviceRecord{&frame, d}) }
}

// CheckDeviceFilter says which field, state or amount of a filter can match no
// device. At a prompt a wrong word just finds nothing, and one sees it; a
// script that asks for what does not exist must be told.
func CheckDeviceFilter(text string, snap *fleet.Snapshot) error {
	return checkFilter(text, "device", func(name string) bool { return deviceHas(name, snap) }, deviceAmounts, "age>1d, watts>300, inlet>30")
}

// ServiceFilter compiles a filter as the verb services takes it, or says which
// word of it can match no service. The name of a service means it alone, also
// where the names of others hold it.
func ServiceFilter(text string, snap *fleet.Snapshot) (func(*fleet.Service) bool, error) {
	if one := snap.Services.Get(text); one != nil {
		return func(s *fleet.Service) bool { return s == one }, nil
	}
	none := serviceRecord{&fleet.Service{Spec: &fleet.ServiceSpec{}}}
	has := func(name string) bool { _, ok := none.field(name); return ok }
	f := parseFilter(text)
	return func(s *fleet.Service) bool { return f.match(serviceRecord{s}) },
		checkFilter(text, "service", has, serviceAmounts, "running<3, latency>200")
}

// checkFilter says which field, state or amount of a filter no thing of a kind
// has.
func checkFilter(text, kind string, has func(field string) bool, amounts map[string]bool, example string) error {
	for _, w := range strings.Fields(text) {
		w = strings.TrimPrefix(w, "!")
		i := strings.IndexAny(w, ":<>")
		if i <= 0 {
			continue
		}
		field, value := strings.ToLower(w[:i]), w[i+1:]
		switch {
		case w[i] != ':':
			if _, ok := amountOf(value); !ok || !amounts[field] {
				return fmt.Errorf("%q: an amount is asked for as %s", fleet.Clean(w, 40), example)
			}
		case !has(field):
			return fmt.Errorf("no %s has a field %q", kind, fleet.Clean(field, 40))
		case field == "state" && value != "":
			if err := checkStates(value); err != nil {
				return err
			}
		}
	}
	return nil
}

// deviceAmounts are the fields that can be asked for with > and <.
var deviceAmounts = map[string]bool{"age": true, "seen": true, "blind": true, "watts": true, "w": true, "inlet": true, "c": true, "unit": true, "u": true, "drift": true}

var serviceAmounts = map[string]bool{"running": true, "replicas": true, "floor": true, "latency": true, "unplaced": true, "hosts": true}

// deviceHas reports whether a field is one of every device, or a tag of any.
func deviceHas(field string, snap *fleet.Snapshot) bool {
	f := Frame{Snap: snap, Live: true}
	if _, ok := deviceField(f, &fleet.Device{Spec: &fleet.DeviceSpec{}}, field); ok {
		return true
	}
	for _, d := range snap.Devices.All() {
		if _, ok := d.Spec.Tags[field]; ok {
			return true
		}
	}
	return false
}

func checkStates(list string) error {
	for _, w := range strings.Split(list, ",") {
		found := false
		for s := range fleet.State(fleet.NumStates) {
			found = found || holds(s.String(), w)
		}
		if !found {
			return fmt.Errorf("%q is no state: ok warn crit unknown off", fleet.Clean(w, 40))
		}
	}
	return nil
}
