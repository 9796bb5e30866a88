// Package performance finds what works, and works worse than it did: a machine
// hotter than at this hour of other weeks, a fan that falls behind its siblings,
// a port whose errors began on Tuesday.
//
// The one idea: nothing here is broken, so nothing here pages. A finding ranks
// and explains, with numbers that can be looked up, and silence is the normal
// answer: a device is held against itself, at the same hour of other weeks, and
// against its like, at the same load, and only what is far outside of both its
// own noise and what a meter can be wrong by is said. One that has been seen for
// less than three weeks is held against the same hour of other days, and that is
// said with low confidence.
//
// What creeps is given a date where it has a limit to reach. A forecast is kept
// as it was made and scored when its day comes (forecast.go): a forecast that
// nobody checks is an opinion. A device has one open forecast of a class at a
// time, and a better one tomorrow does not replace it, or none would ever be
// wrong.
//
// Memory errors are the one thing here that is not of hours: they are counted as
// the event log tells them (memory.go).
//
// It sees hours (fleet.Past), not samples. Which series they are made of is said
// by [Keys], so that who reads the history and who judges it agree. What is not
// here: efficiency of power supplies and wear of disks and optics. No wire reads
// watts on both sides of a supply: the power reading of DCMI (section 6.6) is what
// most machines take from the wall, so the outlets less that is the error of two
// meters and no loss. Nor is wear read, and what cannot be seen is not judged.
package performance
