// Package trace knows what hangs on what: feed, PDU, outlet, PSU, server, NIC,
// switch port, uplink, and from the server up to instance and service.
//
// The one idea: a relation is believed for as long as somebody vouches for it,
// and says who. The inventory vouches for what people intended, LLDP, learned
// MACs and cloud APIs for what is there; where they disagree both are shown,
// because the disagreement is the finding.
//
// Today it answers what the links of one device are. Root cause and blast
// radius grow from the same relations.
package trace
