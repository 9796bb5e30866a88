// Package snmp looks at one SNMP agent: a switch, a router, a PDU, a UPS, a
// chassis or a Linux host, over v2c or v3.
//
// The one idea: the wire is ours, and a table is told as it was read. One
// exchange is one request id on one socket that lives for one poll; what does
// not carry that id, our community or our engine's signature is not an answer
// and costs nothing but the time to look at it. Tables are walked by
// multi-column GETBULK whose size follows what the device can bear. A walk
// that stops early is partial, one that never began is failed, one the device
// does not have is absent, and nobody above has to guess which it was. What was
// there before is absent only when two defining polls in a row miss it.
//
// The layers, from the wire up:
//
//	ber.go oid.go pdu.go    the subset of BER that SNMP uses (RFC 3416, RFC 3417)
//	community.go usm*.go    what goes around a PDU: v2c, or v3 with USM (RFC 3414, 3826, 7860)
//	exchange.go             one request and its answer over UDP, with retries and cancel
//	walk.go                 GETBULK walks
//	system.go ports.go ...  one MIB a file: which columns, and what they mean
//	arp.go lag.go bridge.go who answers where, what is bundled, what is switched together
//	door.go                 with what kind of credential the poll was let in
//	agent.go                lanes, what is remembered between polls, completeness
//	act.go act_*.go         what is done to ports and outlets: one SET, read back
//
// gosnmp localises v3 keys, in both key-extension dialects. Its decoder is not
// used on the wire: it accepts a v3 answer without looking at the signature,
// derives keys (12 ms of CPU) for any engine id a stranger sends, and loses a
// whole packet for one odd value.
//
// Port identity is ifName, never ifIndex. Every string that came from the
// device goes through fleet.Clean once, where it enters. Nothing here judges
// more than a sensor against its own limits, and nothing here writes but Act.
package snmp
