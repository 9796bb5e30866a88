// Package auditlog tells the audit log outside as it grows: to a file, to a
// syslog server, or to both.
//
// The one idea: it reads behind the store. Each destination has a number up to
// which it is known to have everything; an exporter reads the entries after it,
// in order, sends them, and moves the number once they have arrived. So no
// commit ever waits for a disk or a server outside, nothing is left out when one
// of them is away for a day, and what was sent and not yet acknowledged is sent
// again: at least once, never not at all.
//
// Once an hour the head of the chain is signed with the host key and exported
// with it. Entries name the hash of the one before them, so whoever holds the
// export can check the whole chain by themselves; a signed head that is missing
// or disagrees shows that a tail was cut, which no chain shows by itself.
//
// What does not belong here: what is audited, and who may read it.
package auditlog
