// Package capacity says what is used, what is free, and what of the free can
// really be used.
//
// The one idea: room is what is left after the worst thing has happened. A rack
// with two feeds is not as large as both; it is as large as one of them with all
// that moves to it when the other one goes. So power is judged by failing each
// PDU, UPS and feed in turn and carrying every watt to where its cords lead, up
// the tree; hosts are judged after the biggest of a zone is lost, and quota
// after a zone is. The sum of A and B appears nowhere.
//
// Room is also where it can be used together. Free units above a full PDU are
// stranded: each rack is asked how many more machines like its own it takes by
// each resource, and the one that says least binds.
//
// Null is not known. A breaker without a rating has no share, a rack whose
// devices nobody weighed has no weight, and neither is full or empty. What the
// inventory cannot say yet, air and the weight of devices, is left null or left
// out, never guessed; and a bank of a PDU is judged by its own sensor, because
// which outlet lies on which bank is not read.
//
// The package is pure: rows are a function of a snapshot. History comes as
// points by the queries that [Asks] names; the dates it gives come from
// fleet/trend.
package capacity
