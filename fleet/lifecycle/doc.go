// Package lifecycle knows what is not broken and will cost: support that ends,
// firmware waves that stand half done, troubles that come back, machines that
// nobody owns or uses, feeds out of balance, and services that stand on too
// little.
//
// The one idea: a finding stands where somebody can decide about it. Forty
// servers whose support ends in May are one decision of their region, two
// feeds out of balance one of their rack, an anti-affinity that is broken one of
// the cloud; only what is one machine's own, such as a trouble that comes back
// to it, stands against the machine. So [Survey] walks the fleet once a minute
// and speaks of regions, racks, feeds, services and clouds, and [Device] judges
// one machine when it was read.
//
// Each finding says what it rests on, and in its fix what doing it would save:
// watts, units, a count. What changes with every reading stands in the fix
// alone, so that a finding that stays says the same all day.
//
// Nothing here is crit that users do not feel yet: support that ended breaks
// nothing by itself. Severe is what would take a service below its floor.
//
// Checks whose facts no wire brings are listed as not visible ([Unread]), and
// so is each part of a check that could not be made. That a guest stands above
// a dead host is not said here: the engine says it as the guest's state.
package lifecycle
