// Package trace knows what hangs on what: utility, UPS, feed, PDU, outlet, PSU,
// server, NIC, switch port, uplink, region edge; and from the server up to
// instance and service.
//
// The one idea: a relation is believed for as long as somebody vouches for it,
// and says who. The inventory vouches for what people intended, LLDP, learned
// MACs and cloud APIs for what is there; where they disagree both are shown,
// because the disagreement is the finding.
//
// [Build] lays out the part that changes only with the inventory; what is alive
// is read from the snapshot when it is asked for. On that stand four questions:
// [Graph.Trace], what is above and below a part, [Graph.Blast], what is lost
// with it and what only loses redundancy, [Graph.Causes], which few parts
// explain what is wrong, and [Graph.SharedFate], what the replicas of a service
// have in common. [Links] lists what ends on one device.
//
// Two kinds of need make all of it. Any of: a server lives on one of its cords
// and is reached over one of its cables. All of: a PDU needs its feed, a guest
// its host. Power is a tree and is asked from below; the network has circles,
// so it is walked from the edge of its region.
//
// Silence proves nothing. A part that does not answer is neither dead nor
// healthy here; it is dead where others show it, as the engine's reasons say and
// as those that hang on it for power do.
//
// What does not belong here: a clock, the wire, and what to do about it.
package trace
