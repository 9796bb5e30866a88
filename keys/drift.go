package keys

import "plumb/fleet"

// driftCommands are what people decide about findings. Each asks for a reason
// before anything is decided, so that a key by itself never writes.
func driftCommands() []Command {
	return []Command{
		bind("drift.revert", "r", "revert", "the action that puts back what was expected; it asks like any other", in("drift", "finding"), rank(20), func(c *Command) {
			c.Needs, c.Writes = fleet.RoleOperator, true
			c.why = whyNoRevert
		}),
		ruling("drift.accept", "A", "accept", "what is observed is the baseline from now on; asks why", 20),
		ruling("drift.waive", "V", "waive", "leave it until a date; asks for how long and why", 21),
		ruling("drift.ignore", "I", "ignore", "do not count it any more, whatever it is; asks why", 23),
		ruling("drift.reopen", "O", "reopen", "take back what was decided about it; asks why", 28),
	}
}

func whyNoRevert(s Scene) string {
	if !s.Reverts {
		return "no action of plumb's writes that"
	}
	return ""
}

func ruling(id, letter, title, help string, place int) Command {
	return bind(id, letter, title, help, in("drift", "finding"), params("reason"), rank(place), func(c *Command) {
		c.Danger = 1
		c.Needs = fleet.RoleOperator
		c.Writes = true
		c.why = needsTarget
	})
}
