// Package cloud looks at one region of one OpenStack account: its instances,
// the hypervisors under them and what the account may still use, with what stands open to the world: addresses
// and security groups.
//
// The one idea: a cloud shows each account something else, so what can be seen
// is itself an observation. Every call the probe makes is seen, denied,
// unsupported or stale, and the facts say which ("sees.hosts" and its like).
// What is denied is asked again only in the slow lane, and is never turned into
// an empty list: a table that could not be read says so.
//
// The wire is gophercloud's: its identity client, its tokens that renew
// themselves once when a call answers 401, its microversion headers. The lists
// are read here, page by page, because a fleet console must not believe them:
// an answer is bounded in bytes, a page's marker has to lead somewhere new,
// pages are capped, one bad row costs that row, and a link in an answer is
// taken for its marker only, never for its host, so that a token goes nowhere
// but to the endpoints of the catalog. Redirects are not followed for the same
// reason.
//
// Capacity comes from placement, not from the hypervisors, which stopped
// saying it with compute 2.88.
//
// What is done here is little: instances are started, stopped, rebooted and built
// again elsewhere, and a rule is taken out of a security group. What is sent once
// is never sent again; a lost answer is followed by a look.
//
// What does not belong here: when to poll and when to try again (the
// scheduler), and what a dead host means for its guests (the engine).
package cloud
