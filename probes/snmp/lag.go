package snmp

import (
	"context"

	"plumb/fleet"
)

// IEEE8023-LAG-MIB (IEEE 802.1AX) dot3adAggPortTable by the port's ifIndex, and
// ifStackTable (RFC 2863) by higher and lower layer.
var (
	aggPort = oids("1.2.840.10006.300.43.1.2.1.1.12", "1.2.840.10006.300.43.1.2.1.1.13") // SelectedAggID AttachedAggID: an aggregate's ifIndex, 0: none
	ifStack = oids("1.3.6.1.2.1.31.1.2.1.3")                                             // ifStackStatus
)

const (
	stackActive = 1               // RowStatus
	typeLAG     = "ieee8023adLag" // IANAifType 161
)

// lags is the aggregate of each member, both by ifIndex.
type lags map[int]int

// readLAGs puts into the ports' definitions which aggregate they are a member
// of. A member is a port that is attached: one that LACP has only selected
// carries nothing, and a bundle that lost it has lost its capacity. Selected
// counts where an agent has no other column. An agent without the MIB may tell
// by its interface stack, which is asked only where there is an aggregate.
func (p *poll) readLAGs(ctx context.Context) {
	of, w := p.aggregates(ctx)
	w = p.confirm("IEEE8023-LAG-MIB", w)
	if w.is == fleet.Absent && p.hasLAG() {
		of, w = p.stacked(ctx)
		w = p.confirm("ifStackTable", w)
	}
	if w.is == fleet.Failed {
		return
	}
	for _, d := range p.ports.order {
		lag, told := of[d.def.Index]
		name := ""
		if lag != d.def.Index { // a port that is its own aggregate stands alone
			name = p.ports.name(lag)
		}
		if d.def.LAG != name && (told || w.is != fleet.Partial) {
			c := *d.def
			c.LAG = name
			d.def = &c
		}
	}
	p.redefinePorts()
}

// aggregates reads dot3adAggPortTable.
func (p *poll) aggregates(ctx context.Context) (lags, walked) {
	selected, attached := lags{}, lags{}
	w := p.walk(ctx, aggPort, 0, func(col int, index oid, v value) {
		if len(index) != 1 {
			return
		}
		if col == 0 {
			selected[int(index[0])] = v.small()
		} else {
			attached[int(index[0])] = v.small()
		}
	})
	if len(attached) == 0 {
		return selected, w
	}
	return attached, w
}

// stacked reads what lies below the interfaces that are aggregates.
func (p *poll) stacked(ctx context.Context) (lags, walked) {
	of := lags{}
	w := p.walk(ctx, ifStack, 0, func(_ int, index oid, v value) {
		if len(index) != 2 || v.small() != stackActive || index[1] == 0 {
			return
		}
		if d := p.ports.byIndex[int(index[0])]; d != nil && d.def.Type == typeLAG {
			of[int(index[1])] = int(index[0])
		}
	})
	return of, w
}

func (p *poll) hasLAG() bool {
	for _, d := range p.ports.order {
		if d.def.Type == typeLAG {
			return true
		}
	}
	return false
}
