// Package health asks a service's workload how it is: over HTTP, by a TCP
// connection, by a program, or by a query to Prometheus.
//
// The one idea: it stands where a user stands. What a user would meet, a refused
// connection, no answer, a page of 500, a certificate of somebody else, is the
// workload's own word, and it is crit. What stops plumb alone, a name that does
// not resolve, a network that this machine has no way to, a Prometheus that is
// down, is no word at all: then nobody knows, and nobody is healthy either.
//
// A look that got no proper answer is half an observation: the word is there and
// so is the error, which says whether anything was heard. The engine needs that
// to tell a workload that died from a way that was cut.
//
// Nothing is kept open between two looks: whoever comes new has to get in.
// Everything that comes back is bounded and cleaned, no proxy of the environment
// is used, and a redirect is an answer, not an order, unless the user says so;
// then it leads nowhere but to the same host, because the secrets go with it.
//
// What does not belong here: how many bad looks make a state, and what the state
// of a service is. That is the engine's.
package health
