// Package plan knows what an action would take away before anybody acts: which
// services lose replicas, and which would fall below their floor.
//
// The one idea: the screen that asks and the guard that refuses must not judge
// by rules of their own, so both ask here. What is on its way counts as done:
// an action that was sent and has not been seen to end well is a loss, because
// two people who each take the last but one replica take the last one. What
// hangs on what is not known here: fleet/trace says what dies with a part.
package plan
