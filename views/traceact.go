package views

import "plumb/fleet/trace"

// acts implements actor: on a line that leads to a device by one of its outlets
// or ports it is that outlet or port which can be acted on; a PDU or a switch
// as a whole is not switched.
func (v Trace) acts(f Frame) Actions {
	kind, id := v.Selected(f)
	if r := v.at(f); r != nil && r.node != nil && r.twig != nil {
		for i := len(r.twig.before) - 1; i >= 0; i-- {
			n := r.twig.before[i].Node
			if hostOf(n.ID) == hostOf(r.node.ID) && (n.Kind == trace.Outlet || n.Kind == trace.Port) {
				return Actions{kind: string(n.Kind), id: n.ID}
			}
		}
	}
	switch trace.Kind(kind) {
	case trace.PSU, trace.NIC, trace.BMC: // a piece: its device
		kind, id = KindDevice, hostOf(id)
	}
	return Actions{kind: kind, id: id}
}
