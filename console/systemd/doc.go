// Package systemd tells the service manager how plumb fares: that it is ready,
// that it reloads, that it stops, in one line how the fleet is, and, for as long
// as its heart beats, that it lives (sd_notify(3), sd_watchdog_enabled(3)).
//
// The one idea: a word is a datagram to the socket that the manager named, and
// nobody waits for it. Where no manager named one, a nil [Notifier] takes every
// word and says nothing, so that callers need not know.
//
// What does not belong here: what a heartbeat is. The caller hands it in.
package systemd
