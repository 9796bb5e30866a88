// Package ipmi is one BMC as a probe: it reads a server's sensors, power,
// event log and identity over IPMI 2.0 (RMCP+, UDP 623), and carries out the
// actions plumb knows: power, the boot device, users, suites, the log, and the
// BMC's own restart.
//
// The one idea: a BMC is a small, slow, forgetful computer, so everything
// here is about asking it as little as possible. One session is kept open and
// kept alive; one command is in flight; the sensor records are read once and
// then only checked; a fast poll of N sensors is N + 2 datagrams each way
// (chassis status, log info, and one for the power meter where there is one).
//
// Who owns the wire: whoever holds the turn of a [BMC]. Observe, Act, Close
// and the keepalive each take it, so two commands never cross. Nothing else
// touches the session or what was learned.
//
// How it is built, from the wire up:
//
//   - wire.go and lanmsg.go are the packets (IPMI 2.0 sections 13.6 to 13.8);
//   - login.go and rakp.go open a session (sections 13.17 to 13.24), session.go
//     keeps it and exchanges one command with one answer;
//   - sdr.go, fru.go, sel.go and reading.go are decoders of hostile bytes:
//     pure, bounded, fuzzed;
//   - walk.go, sensors.go, log.go, inventory.go and parts.go ask for those
//     bytes;
//   - access.go, users.go and lan.go say what the BMC's doors look like: which
//     sessions and cipher suites it offers to a stranger, who may log in, how it
//     sits on its network. raise.go asks as OPERATOR where USER is refused;
//   - bmc.go owns the session and the turn; observe.go, act.go and knock.go are
//     what the rest of the house calls; act_*.go are the actions, params.go the
//     numbered settings that two of them change.
//
// go-ipmi gives the words of the standard (sensor types, event texts and
// their severity, manufacturers, linearisation) and the key derivation of
// RAKP. Its client is not used: it cannot be shared, reconnected, cancelled
// or classified.
//
// Sensors of other controllers (a record whose owner is not the BMC) are
// listed and not read: their number means another sensor on the BMC, and
// bridging is not spoken. The quirk assumebmcowner reads them all the same,
// for the models that only mislabel them.
//
// A poll only looks at the doors; shutting one is an action. What is told to
// strangers is asked without a session, some five datagrams; users and network cost
// two commands a slot and nine in all, in the slow lane. What the BMC lacks is an
// absent fact; what our account may not see is a fact itself (bmc.sees.users,
// bmc.sees.lan).
//
// What is never done: reading a community string, cipher suite 0, a second try of
// anything that is not idempotent, a second try of a password that was refused, and
// more than two sessions on one BMC (one to read, one to act).
package ipmi
