package cloud

import (
	"errors"

	"plumb/fleet"
)

// call names a thing that an account may or may not see. The facts carry each
// as sees.CALL.
type call string

// What is looked at.
const (
	callInstances call = "instances"
	callHosts     call = "hosts"
	callServices  call = "services"
	callGroups    call = "groups"
	callFlavors   call = "flavors"
	callZones     call = "zones"
	callQuota     call = "quota"
	callPlacement call = "placement"
)

// sight says how well a thing can be seen.
type sight string

// Sights. What was never asked has none.
const (
	seen        sight = "seen"
	sightDenied sight = "denied"      // 403: not with these credentials
	unsupported sight = "unsupported" // not in the catalog, or an API that has no such call
	stale       sight = "stale"       // seen before; the last try failed
)

// look reads one thing unless the target is gone, or it is known to be
// invisible and this is not the slow lane, which asks again.
func (l *look) look(what call, read func() error) {
	if l.halt {
		return
	}
	was := l.memory.sees[what]
	if (was == sightDenied || was == unsupported) && l.lane < fleet.LaneSlow {
		return
	}
	l.asked[what] = true
	err := read()
	switch {
	case err == nil:
		l.memory.sees[what] = seen
		l.read[what] = true
	case denied(err):
		l.memory.sees[what] = sightDenied
	case errors.Is(err, fleet.ErrUnsupported):
		l.memory.sees[what] = unsupported
	default:
		if was == seen {
			l.memory.sees[what] = stale
		}
		l.fail("read "+string(what), err)
		return
	}
	if err != nil && what == callInstances { // without servers there is nothing to look at
		l.fail("read "+string(what), err)
	}
}

// table notes how complete the table is that one call fills. What is denied
// was not read: it is failed, and the fact sees.CALL says why. An API without
// the call has no such table. What this look did not ask is not named.
func (l *look) table(t fleet.TableID, what call, rows int, partial string) {
	switch {
	case l.memory.sees[what] == unsupported && l.asked[what]:
		l.obs.SetTable(t, fleet.Absent)
	case l.read[what] && partial == "":
		l.obs.SetTable(t, fleet.Complete)
	case rows > 0:
		l.obs.SetTable(t, fleet.Partial)
	case l.asked[what] || l.halt:
		l.obs.SetTable(t, fleet.Failed)
	}
}
