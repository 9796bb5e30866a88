// Package trial plays made-up days against alert rules, as promtool does for
// Prometheus: series and events go in, and the alerts that come out are held
// against those that were expected.
//
// The one idea: there is no second engine. A trial is an inventory and
// observations, and what judges them is fleet/engine with the same rules, the
// same retries and the same clock that production has; only that the clock is
// moved by hand, so that a week takes milliseconds.
//
// What does not belong here: reading files, which console/config does.
package trial
