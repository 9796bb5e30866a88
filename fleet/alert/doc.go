// Package alert judges who is called, and why.
//
// The one idea: an alert is a small state machine that is fed with looks. A look
// says that a problem is there, that it is not, or that nobody can tell; looks
// come from rules, which are expressions over what the fleet shows. Everything
// else, whom it is told and in whose company, whether it is held because
// something else explains it, is asked afterwards of alerts that stand, so that
// it can be shown and changed without touching what is true.
//
// Truth has three values. A number that is not known makes a comparison unknown,
// and unknown travels through and, or and not as Kleene has it: "a > 80 or b"
// is true where b is, whatever a may be. Unknown never raises an alert and never
// resolves one.
//
// Expressions are those of expr-lang, which parses them and checks their types
// against the fields that [Reference] lists; what is left is compiled to closures
// here. Only comparisons, arithmetic, logic, text operators and a few functions may
// be used: there is no loop and no clock, so that an expression costs what it is
// long.
//
// Causes come first. The graph (fleet/trace) says which few parts explain what
// is wrong; those are subjects of rules like others, and what they explain is
// held by them. It is shown as held, and let go when it outlives its cause and
// a fresh poll says so.
//
// What people say (an ack, a silence, a maintenance) changes whether somebody is
// told and never what is true.
//
// [Compile] reads the rules, [Step] moves the alerts on, and [Explain] says why one
// is as it is. What does not belong here: made-up days (fleet/trial), sending, which
// is fed by the notices (console/notify), and the judgements of drift, security and
// capacity, which are subjects.
package alert
