// Package export writes what plumb knows for machines and for pipes: JSON,
// NDJSON, CSV, Markdown and plain columns, all from one row type per noun.
//
// The one idea: a row is a struct whose JSON tags are the contract. Every other
// format is read off those same tags, so a field cannot be in one and missing
// in another. Null is not known, [] is known to be none, 0 is a measured zero.
//
// What does not belong here: deciding anything. Rows are filled from the
// snapshot by plain copying.
package export
