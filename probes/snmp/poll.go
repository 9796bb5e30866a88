package snmp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"plumb/fleet"
)

// poll is one Observe: the connection, what is remembered, and the
// observation that grows.
type poll struct {
	*conn
	*known
	cfg  *Config
	lane fleet.Lane
	obs  *fleet.Observation
	op   string   // the step at hand, for errors
	odd  []string // why tables are partial, in the order they were read
	err  error    // the first failure of the wire or of a whole table
	// define says that this poll reads definitions: the slow lane, the first
	// poll, and whenever the device shows that they changed.
	define bool
}

// run reads what the lane asks for. A table that fails does not keep the next
// one from being read, unless the device is gone.
func (p *poll) run(ctx context.Context) error {
	p.op = "get system"
	p.polls++
	p.define = p.lane == fleet.LaneSlow || !p.defined
	if p.define && p.defined {
		p.link.grow()
	}
	if err := p.readPulse(ctx); err != nil {
		return err
	}
	if p.define {
		p.readSystem(ctx)
		p.tellDoor()
	}
	p.readPorts(ctx)
	p.readSensors(ctx)
	p.readOutlets(ctx)
	if p.lane >= fleet.LaneTables || p.define {
		p.readLAGs(ctx)
		p.readBridge(ctx)
		p.readNeighbors(ctx)
		p.readARP(ctx)
	}
	if p.define {
		p.readIdentity(ctx)
		p.factsDone()
		p.defined = !p.dead
		p.obs.Lane = fleet.LaneSlow // whoever asked: what was read now is not read again before that lane's turn
	}
	if err := ctx.Err(); err != nil && p.err != nil {
		return err
	}
	return p.err
}

// note records how reading a table went, and returns it as it was recorded;
// several walks may make one table.
func (p *poll) note(t fleet.TableID, what string, w walked) walked {
	w = p.confirm(what, w)
	is := w.is
	if before, named := p.obs.Tables[t]; named {
		is = join(before, is)
	}
	p.obs.SetTable(t, is)
	if w.why != "" {
		p.odd = append(p.odd, fleet.Clean(fmt.Sprintf("%s: %s", what, w.why), fleet.MaxText))
	}
	switch {
	case p.err != nil:
	case w.err != nil:
		p.op, p.err = "walk "+what, w.err
	case w.is == fleet.Failed:
		p.op, p.err = "walk "+what, fmt.Errorf("%w: %s", fleet.ErrProtocol, w.why)
	}
	return w
}

// join combines the completeness of two parts of one table.
func join(a, b fleet.Completeness) fleet.Completeness {
	switch {
	case a == b, b == fleet.Absent:
		return a
	case a == fleet.Absent:
		return b
	}
	return fleet.Partial
}

// both makes one result of two walks that only mean something together.
func both(a, b walked) walked {
	if a.why == "" {
		a.why = b.why
	}
	if a.err == nil {
		a.err = b.err
	}
	a.is, a.cells = join(a.is, b.is), a.cells+b.cells
	return a
}

// giveUp marks what this poll should have read and did not.
func (p *poll) giveUp() {
	asked := []fleet.TableID{fleet.TablePorts, fleet.TableSensors, fleet.TableOutlets}
	if p.lane >= fleet.LaneTables {
		asked = append(asked, fleet.TableNeighbors, fleet.TableFDB, fleet.TableVLANs, fleet.TableARP)
	}
	if p.lane == fleet.LaneSlow {
		asked = append(asked, fleet.TableFacts, fleet.TableEntities)
	}
	for _, t := range asked {
		if _, named := p.obs.Tables[t]; !named {
			p.obs.SetTable(t, fleet.Failed)
		}
	}
}

// factsDone closes the fact table: it is partial where what the machine is was
// readable before and is not now. What is partial for a reason that will not
// pass says so as a fact, so that the device's page can show it.
func (p *poll) factsDone() {
	for _, name := range []string{fleet.FactModel, fleet.FactSerial, fleet.FactFirmware} {
		w := walked{is: fleet.Absent}
		if p.obs.Facts.Get(name) != "" {
			w.is = fleet.Complete
		}
		if p.confirm(name, w).is == fleet.Partial && p.obs.Tables[fleet.TableFacts] == fleet.Complete {
			p.obs.SetTable(fleet.TableFacts, fleet.Partial)
		}
	}
	slices.Sort(p.odd)
	p.obs.Facts.Set("snmp.partial", fleet.Clean(strings.Join(slices.Compact(p.odd), "; "), 4*fleet.MaxText))
}
