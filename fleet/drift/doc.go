// Package drift finds what is no longer as it was meant, accepted, or was last
// week, or is among its like.
//
// The one idea: a facet is judged only when it was read, and a finding has a
// life of its own. A judge (here, or any other that speaks in [fleet.Look])
// says what it sees now; [Settle] holds that against what stood before, so that
// a finding keeps the time when it was first seen and what people decided, and
// so that half an answer neither finds nor clears.
//
// A facet is held against up to four truths, and those that disagree are named:
// what the inventory intends, what a person last accepted, what the target
// itself had a week ago, and what at least four fifths of its like have. What a
// field is, and whose, stands in one table of rules (rules.go) that the user's
// policies go before.
//
// Everything here is a pure function of values. What the past says comes as
// [fleet.Former]: the engine notes a value when it changes, so that no history
// is read to know what was there last week.
package drift
