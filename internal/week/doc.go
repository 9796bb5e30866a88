// Package week makes a week of a fleet that does not exist and whose truth is
// known: three sites, 300 devices, and a script that says what happens to them,
// when, and what must be found of it.
//
// The one idea: truth comes first. The script (testdata/week/script.yaml) was
// written from the rules of plumb's words and is fixed with its seed; this
// package only carries it out. It knows no engine: it says what probes would
// have said, as [fleet.Observation], and the tests beside it hand that to the
// engines and hold what they find against the script.
//
// Everything that is measured is a function of the seed and of the time: noise
// comes out of a hash, counters are integrals in closed form. So a week can be
// asked for any of its minutes, and the planted week and the clean one are the
// same but for what was planted. What a poller remembers (facts that only the
// slow lane reads, a read that is owed after silence) lives in [Poller].
//
// Only tests import it.
package week
