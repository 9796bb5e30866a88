// Package remedy carries out what a person confirmed. It is the only caller of
// a probe's Act, so that there is one door between a key and a power button.
//
// The one idea: nothing is believed that came through the door. The plan is
// made again here, from what is true now; where it says stop, nothing happens,
// and where it asks for a second person, it waits for one. Before each target
// is touched the audit log has to take "begun", and if it does not, nothing is
// done. After the wire said yes a target is accepted, no more; it is verified
// when an ordinary poll shows it (fleet/engine), and the next wave waits for
// that.
//
// An action is sent once. If the wire does not say what came of it, the target
// is unknown and stays so until somebody looks: a power command that is
// repeated blindly is worse than one that is lost. The first surprise stops the
// rest: what was not begun is not begun.
package remedy
