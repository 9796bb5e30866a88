// Package sim is the demo fleet on loopback: real protocol servers around one
// simulated world.
//
// The one idea: nothing here knows that it is watched by plumb. [Start] opens
// a UDP socket for every BMC and SNMP agent and one TCP socket for the cloud,
// and [Fleet.ConfigYAML] describes them in the configuration that any user
// would write; the ordinary probes read them through the ordinary wire, and a
// stranger's ipmitool or snmpbulkwalk reads them too.
//
// What the devices are and do is computed by package world; packages bmc, agent
// and openstack speak for them. This package gives them ports, secrets and a
// file: DIR/sim.json holds what does not follow from seed and time, so that a
// restart continues the same fleet.
//
// It binds to 127.0.0.1 only and must never do otherwise: its devices can be
// switched off by whoever knows their secrets, and some faults publish those.
package sim
