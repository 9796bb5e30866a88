// Package probes keeps looking at every target, for years, without hurting one.
//
// The one idea: a target has one owner. One goroutine owns a target's probe,
// so that it is never polled twice at once, never acted on in the middle of a
// poll, and its session is opened and closed in one place. Everything else is
// when that owner may go: its lanes, spread by a hash of its id so that a
// thousand BMCs do not wake together; a deadline, so that a device that hangs
// costs its own slot and nothing else; backoff and a lane of their own for the
// dead; a long pause after a refused password, because the next try may lock
// the account.
//
// The wires live in the packages below; this one knows them only to build them
// from the inventory. It keeps nothing of what was seen: an observation goes
// to the sink, and the sink is the only back-pressure.
package probes
