// Package views holds the screens of plumb, one a file.
//
// The one idea: a view is a value. It knows what the caret stands on, how its
// table is sorted and filtered and which pane has the focus, and nothing else;
// [View.Draw] reads a [Frame] and writes cells, [View.Handle] returns the next
// value and an [Intent]. Because views are values, going back restores them
// exactly, a test needs no terminal, and the wall, the console and a recording
// draw the same screen.
//
// [Compose] draws a whole screen: header, the view's body, the time strip, the
// alert or prompt row and the key hints. [Dispatch] is what a key leads to:
// the view first, then what every view can do (open another, follow what the
// caret stands on, act on it). [Follow] is the one place that knows which
// screen shows which kind of thing, so that every id on every screen can be
// entered.
//
// A view that needs the past names [fleet.Query] values in Needs; the session
// fetches them off the screen's loop, and until then the view says "loading".
// A judgement over the whole fleet that is too dear for a frame is such a query
// too ([Derivation]): it is made once for all screens.
//
// What was not seen is drawn as not seen: blind, partial and stale are said in
// words, with the error and what to do about it. Nothing is drawn that no
// observation stands behind.
//
// What does not belong here: I/O of any kind, the clock (Frame.At is the
// time), roles (the command says them), and judgements, which are fleet/*.
package views
