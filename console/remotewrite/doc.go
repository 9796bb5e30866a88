// Package remotewrite tells the fleet's readings to engines that keep history
// for long: Prometheus remote write 1.0, which Prometheus, VictoriaMetrics, Mimir
// and Thanos take.
//
// The one idea: the store is the queue. A [Writer] follows the store's batches
// with a place of its own, which is kept with them; what a receiver did not take
// stays where it is anyway, for as long as samples are kept. So an outage costs
// no memory, a process that is killed misses nothing, and nothing that polls
// waits: a writer only reads.
//
// Samples of one series leave in the order of their times. A request that may
// not have arrived is sent again, and after a process was killed the last seconds
// are; receivers know a sample that they have. Where a receiver takes a request
// as a whole or not at all, one that it refuses is cut in two until what it does
// not want is alone. That is dropped, counted, and said in the timeline. A
// receiver that is away, is busy, or does not let us in is tried until it does.
//
// What does not belong here: the names of metrics, which are those of /fleet
// (views/export).
package remotewrite
