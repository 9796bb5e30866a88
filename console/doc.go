// Package console lets people in over SSH and shows them the fleet.
//
// The one idea: a session is a guest that can cost only itself. It gets a
// bounded share of everything (a connection slot before its handshake, a few
// environment variables, two screens of eight-byte cells, one frame on its
// way to the terminal, a query or two in flight) and nothing in the house ever
// waits for it. A snapshot reaches it through a bell of capacity one, a frame
// leaves it through a slot of capacity one, and whoever stops reading loses
// the connection and not the server.
//
// A connection goes a straight path: [gate] counts it before a byte is read,
// [directory] says who it is, [channelRequests] sifts what its channel asks
// for, and the router sends a command to a verb and a terminal to a screen.
// The screen is [Session], an ordinary bubbletea model, drawn by [Screen],
// which writes only the cells that changed.
//
// Verbs are written once ([Verbs]) and reached over SSH and over the control socket
// of a running plumb ([ServeSocket]). What machines read of it is here too: metrics,
// the readings for Prometheus and the stream of events.
//
// What does not belong here: what a view looks like (package views), which key
// means what (package keys), whether an action may happen (console/remedy), what
// leaves the house by itself (console/notify, console/remotewrite,
// console/auditlog), and what a config file looks like (console/config).
package console
