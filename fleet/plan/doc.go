// Package plan says what an action would do before anybody does it: to which
// targets, in which waves, what would be lost with them, what speaks against
// it, and how it is taken back.
//
// The one idea: a plan is data, made by one function of one snapshot. The
// screen that asks, the person who approves and the executor that carries it
// out all read the same plan, and whoever makes it anew from a fleet that
// changed gets another hash. Guards never act and never remember: each is one
// question with an answer in words, which lets it pass, asks for a second
// person, or refuses.
//
// What is on its way counts as done: an action that was sent and has not been
// seen to end well is a loss, because two people who each take the last but one
// replica take the last one.
//
// What does not belong here: wires, leases, clocks, and anybody's opinion of
// whether the risk is worth it.
package plan
