// Package world is the demo fleet as physics: 24 racks, 414 servers, the
// switches, PDUs and UPSes around them, the hypervisors and 600 instances on
// them, and what goes wrong with them.
//
// The one idea: the world is a function of a seed and a time. Load follows the
// hour of the day as a few sines, so that its integral (octets on a port), its
// answer through a thermal mass (a temperature that lags) and its past (the
// history nobody polled) are closed forms too: nothing ticks, nothing has to
// be simulated forward, and a restart goes on where the clock is.
//
// What does not follow from seed and time is kept: the faults that were
// injected, what people did (power, ports, instances), and for every link the
// octets it had carried when its rate last changed. Such a change makes one
// new [run], an immutable picture of what is alive and how fast it goes, which
// is published behind an atomic pointer. Every question is answered from the
// layout, which never changes, and one run: no lock is held, and the wires
// around it may ask from as many goroutines as they like.
//
// Not here: protocols, sockets, files, goroutines, clocks. Callers pass the
// time; package sim keeps the state in a file and speaks the protocols.
package world
