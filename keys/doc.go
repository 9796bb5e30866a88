// Package keys makes commands values. A command carries its id, its keys, its
// words for footer and help, its danger, the role it needs and the reason it
// is disabled, so that the key handler, the footer, the palette, the help page,
// the role gate and the generated documentation read one list and cannot
// disagree.
//
// A disabled command is shown grey with its reason and never hidden: at three
// in the morning "needs role operator" is an answer, a missing line is not.
//
// What a command does is not here: a view's Handle or the session turns it
// into an intent. This package knows no screen, no session and no wire.
package keys
