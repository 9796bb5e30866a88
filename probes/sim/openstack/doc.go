// Package openstack is an OpenStack for the demo: the identity, compute,
// placement, network and image APIs of one small cloud on loopback, as real HTTP.
//
// The one idea: the package speaks the protocol and owns nothing that it
// speaks of. What hosts and servers there are comes as plain values from
// [Config.State], asked anew for every request, so the cloud is always what
// the world around it is at that moment. The package itself remembers only
// what an API has to: who logged in, and which accepted actions have not taken
// effect yet.
//
// It is strict where a client can be wrong: tokens expire and are checked on
// every call, a project member sees only the own project, a page never holds
// more than its limit, microversions outside of the range are refused, and
// each service answers errors in its own JSON shape. A stranger's client has
// to be able to read it without complaint, and has to fail against it for the
// reasons it would fail against a real cloud.
//
// Like a real cloud it answers 202 to an action at once, also when the host
// under the server is dead; then the action never takes effect.
//
// Shapes follow the API references of Keystone v3, Nova 2.1 to 2.96,
// Placement 1.0 to 1.39 and Neutron v2.0. What does not belong here: physics,
// faults' meaning, scheduling. Bind it to loopback only.
package openstack
