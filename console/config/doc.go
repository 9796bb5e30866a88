// Package config reads plumb's one configuration file, with the files it
// includes, into the settings of each part of the house and a checked
// [fleet.Inventory].
//
// The one idea: a mistake is found here, by its place, or not at all. The file
// becomes a tree of YAML nodes once; a small decoder walks that tree into Go
// structs and knows the line and column of everything it meets. Then the
// references between things are resolved, so that nobody after this package
// meets a rack without its feed or a device without its credential. Errors are
// collected, not thrown one by one: each names the file, the line, the column,
// what is wrong, why, and the closest name that would have been right.
//
// Secrets are not in the file. A credential says where its secret is (an
// environment variable, a file, a command) and fetches it when it is used; what
// is held here prints as "(secret)" however it is printed.
//
// What does not belong here: what a setting does. Packages own their Config,
// its defaults and its Validate; this one fills them in. It starts nothing,
// connects nowhere and never changes a file.
package config
