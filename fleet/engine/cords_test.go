package engine

import (
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// cordRoom is a room in which outlets of pa and the supplies on them measure
// watts. That of s1 moves from
// hour to hour, every other time.
type cordRoom struct {
	*room
	kept []fleet.Change
}

// poll reads everything in full n times, five minutes apart. crossed are the
// cords of s1 and s2.
func (r *cordRoom) poll(n int, crossed bool) {
	for range n {
		r.now = r.now.Add(5 * time.Minute)
		load := map[string]int64{"s1": 100 + 40*(r.now.Unix()/7200%2), "s2": 200, "s3": 300, "s4": 400}
		r.look(func(o *fleet.Observation) {
			o.Lane = fleet.LaneSlow
			if w, ok := load[o.Target]; ok {
				o.Sensors = append(o.Sensors, fleet.Sensor{SensorDef: &fleet.SensorDef{ID: "pin", Key: "pin", Name: "PSU1 Input Power", Class: fleet.ClassPower, Unit: "W"}, Value: fleet.Int(w), State: fleet.StateOK})
			}
			if o.Target == "pa" {
				feeds := []string{"s1", "s2", "s3", "s4"}
				if crossed {
					feeds[0], feeds[1] = feeds[1], feeds[0]
				}
				for i, id := range feeds {
					o.Outlets[i].PowerW = fleet.Int(load[id])
				}
			}
		})
		r.kept = append(r.kept, r.out.Changes...)
	}
}

// crossed are the outlets of pa that are found to have changed places, as each of
// them says it.
func (r *cordRoom) crossed() (out []string) {
	for _, f := range r.snap.Devices.Get("pa").Docket.Of() {
		if strings.HasSuffix(f.Facet, " cord") {
			out = append(out, f.Facet+": "+f.Observed)
		}
	}
	return out
}

// TestCordsArePutRight: crossed cords that are put right are no longer found,
// also where plumb was down meanwhile. Once the inventory has them as they hang
// that is so at once, and what hung before is not said the other way round.
func TestCordsArePutRight(t *testing.T) {
	for _, how := range []string{"seen", "down", "inventory"} {
		r := &cordRoom{room: newRoom(t)}
		r.poll(120, true)
		if want := []string{"outlet 1 cord: s2 PSU 1", "outlet 2 cord: s1 PSU 1"}; !slices.Equal(r.crossed(), want) {
			t.Fatalf("found %q, want %q", r.crossed(), want)
		}
		switch how {
		case "down":
			r.snap = Restore(roomInventory(), fleet.Memory{Version: r.snap.Version, Tables: fleet.Remember(r.kept)}, r.now)
			r.poll(1, true)
			if len(r.crossed()) != 2 {
				t.Errorf("after a restart found is %q", r.crossed())
			}
		case "inventory":
			inv := roomInventory()
			inv.Devices[0].Power[0].Outlet, inv.Devices[1].Power[0].Outlet = "pa/2", "pa/1"
			r.step(fleet.Reload{Inventory: inv})
			for range 40 {
				if len(r.crossed()) > 0 {
					t.Fatalf("the inventory has them as they hang, and found is %q", r.crossed())
				}
				r.poll(1, true)
			}
			r.poll(120, false) // somebody puts them where they were meant to be before
			if want := []string{"outlet 1 cord: s1 PSU 1", "outlet 2 cord: s2 PSU 1"}; !slices.Equal(r.crossed(), want) {
				t.Errorf("found %q, want %q", r.crossed(), want)
			}
			continue
		}
		r.poll(40, false)
		if len(r.crossed()) > 0 {
			t.Errorf("%s: they were put right, and found is %q", how, r.crossed())
		}
	}
}
