// Package bmc is a server's BMC as its network sees it: RMCP+ over UDP, with
// sensors, SEL, FRU, DCMI power and chassis control of a simulated server.
//
// Sessions, key exchange, users and channels are those of go-ipmi's reference
// BMC; the loop around them is ours. The reference server starts a goroutine
// for every packet, so a panic in its decoder (one unauthenticated packet of 46
// bytes will do) ends the whole process, and it keeps two goroutines and a
// 4 KiB buffer per BMC awake. Here one goroutine owns one BMC: it checks
// length and type of every packet before anyone decodes it, handles it where it
// stands, and recovers; a bad packet costs its sender an answer and nobody else
// anything. Since nothing of a BMC is shared, nothing of it is locked.
//
// What a BMC says comes from [world.World] and is looked at once for a burst
// of requests; what it is told (power, identify, clearing the log) is done to
// the world.
//
// Not here: IPMI 1.5 sessions (refused), serial over LAN, firmware update.
package bmc
