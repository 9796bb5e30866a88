// Package remedy carries out what a person confirmed. It is the only caller of
// a probe's Act, so that there is one door between a key and a power button.
//
// The one idea: nothing is believed that came through the door. The role, the
// target, its identity, its freshness and its present state are judged again
// here; the audit log has to take "begun" before anything happens, and if it
// does not, nothing happens. After the wire said yes a job is accepted, no
// more; it is verified when an ordinary poll shows it (fleet/engine).
//
// An action is sent once. If the wire does not say what came of it, the job is
// unknown and stays so until somebody looks: a power command that is repeated
// blindly is worse than one that is lost.
package remedy
