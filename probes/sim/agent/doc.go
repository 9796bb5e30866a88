// Package agent is the SNMP agent of the simulated fleet: a real v2c and v3
// command responder on a UDP socket, one per simulated device, that strangers'
// clients (net-snmp, gosnmp) read without complaint.
//
// The one idea: what a device says is a plain value. A [Switch], [PDU] or [UPS]
// holds the state of this moment; the world makes it, the agent serves it. Each
// kind of device has one static object tree, shared by all agents of that kind
// and sorted once: an object is a column with a function that writes its value
// straight from the state into the answer. A GETNEXT is two binary searches, a
// GETBULK one search and then steps; an agent keeps no copy of any value, one
// goroutine that waits in a read, and two buffers of a message each.
//
// What goes wrong on the wire is answered as the standards say: RFC 3416 for
// operations and errors, RFC 3412 and 3414 for v3 messages, reports and time
// windows, RFC 3826 and 7860 for AES and SHA-2, and the two customs of the
// field for keys longer than a digest. Messages are hostile until proven
// otherwise: lengths are checked before use, decoding runs inside recover, and
// no answer is larger than the smaller of the two sides' message sizes.
//
// What does not belong here: physics, faults and clocks (the world computes
// the state and [Config].Device hands it over), notifications, v1, and any
// device that is not simulated.
package agent
