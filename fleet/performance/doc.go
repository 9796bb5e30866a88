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
// Parts that wear are held against their own weeks: the light that arrives at an
// optic, the current of its laser, and what a power supply gives of what it takes
// at the load that it has now (parts.go, wear.go). Only what a wire tells is
// judged. The power reading of DCMI (section 6.6) is what a machine takes from
// the wall, as the outlets say too: the one less the other is the error of two
// meters and no loss, so a supply needs meters on both of its sides.
//
// It sees hours (fleet.Past, fleet.PartPast), not samples. Which series they are
// made of is said by [Keys] and [Wanted], so that who reads the history and who
// judges it agree. Every check is in one list ([Checks], [Unread]), with how much
// it sees, learns still and cannot see ([Coverage]): what cannot be seen is not
// judged, and not passed.
package performance
