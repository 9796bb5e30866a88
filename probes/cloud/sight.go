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
	callActions   call = "actions" // who did what to a server
	callFlavors   call = "flavors"
	callZones     call = "zones"
	callQuota     call = "quota"
	callPlacement call = "placement"

	callSecurityGroups call = "security_groups"
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

// always reports a thing that every compute API has. An answer that there is
// no such call is a proxy's or a moment's: a failure like any other, and the
// next look asks again.
func (c call) always() bool { return c == callInstances || c == callHosts }

// look reads one thing unless the target is gone, or it is known to be
// invisible and this is not the slow lane, which asks again. Servers are asked
// for in every look: without them there is nothing to look at.
func (l *look) look(what call, read func() error) {
	if l.halt {
		return
	}
	was := l.memory.sees[what]
	invisible := was == sightDenied && what != callInstances || was == unsupported && !what.always()
	if invisible && l.lane < fleet.LaneSlow {
		return
	}
	l.asked[what] = true
	err := read()
	if err == nil {
		l.memory.sees[what], l.read[what] = seen, true
		return
	}
	is := sightOf(err, was)
	if is != "" {
		l.memory.sees[what] = is
	}
	switch {
	case denied(err) && what != callInstances: // the account may not: that is no failure
	case errors.Is(err, fleet.ErrUnsupported) && is == unsupported && !what.always(): // nor is an API that has no such call
	default:
		l.fail("read "+string(what), err)
	}
}

// sightOf says how well a thing can be seen after a try that failed. What was
// seen before is not gone because one answer says so: it is stale until it is
// seen again. Only the catalog can take an API away.
func sightOf(err error, was sight) sight {
	switch {
	case denied(err):
		return sightDenied
	case errors.Is(err, errNoPlacement), errors.Is(err, errNoNetwork):
		return unsupported
	case was == seen || was == stale:
		return stale
	case errors.Is(err, fleet.ErrUnsupported):
		return unsupported
	}
	return was
}

// table notes how complete the table is that one call fills. What is denied
// was not read: it is failed, and the fact sees.CALL says why. Neither table is
// ever absent: one wrong answer of a proxy would delete every server. What this
// look did not ask is not named.
func (l *look) table(t fleet.TableID, what call, rows int, partial string) {
	switch {
	case l.read[what] && partial == "":
		l.obs.SetTable(t, fleet.Complete)
	case rows > 0:
		l.obs.SetTable(t, fleet.Partial)
	case l.asked[what] || l.halt:
		l.obs.SetTable(t, fleet.Failed)
	}
}
