package snmp

import "plumb/fleet"

// presence is what is remembered of one table of a MIB between polls.
type presence struct {
	there  bool // it had rows
	missed int  // number of the defining poll that did not find it; 0: none did
}

// confirm doubts that what was there before is gone. An agent whose subagent
// restarts, or that has just booted, answers "no such object" for tables that
// it has: absent would delete every row. So absence counts only when two polls
// in a row that read definitions find it; until then the table is partial.
func (p *poll) confirm(what string, w walked) walked {
	was := p.seen[what]
	switch {
	case w.is == fleet.Failed, w.is == fleet.Partial && w.cells == 0, w.is == fleet.Absent && !was.there:
		return w
	case w.is != fleet.Absent:
		if p.seen == nil {
			p.seen = map[string]presence{}
		}
		p.seen[what] = presence{there: true}
		return w
	case p.define && was.missed != 0 && was.missed != p.polls:
		delete(p.seen, what)
		return w
	}
	if p.define {
		p.seen[what] = presence{there: true, missed: p.polls}
	}
	w.is, w.why = fleet.Partial, "it was there before"
	return w
}
