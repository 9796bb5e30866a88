// Package terraform reads what a Terraform state says a cloud should hold.
//
// The one idea: the state is an intention, no observation. It is read from the
// output of `terraform show -json` (state representation, format 1), which is
// the documented one; the state file itself is not. Only the few attributes
// that a probe can observe as well are taken, and of these none that the state
// marks as sensitive: what is not taken can be neither stored nor shown.
//
// It does not run Terraform, and it does not compare: see fleet/drift.
package terraform
