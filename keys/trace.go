package keys

import "iter"

// traceCommands ask what hangs on what. None of them changes anything.
func traceCommands() []Command {
	return []Command{
		bind("trace", "t", "trace", "what a part stands on, what it carries, and what it is down for", params("part"), rank(22)),
		bind("whatif", "x", "what-if", "what is lost if it fails, or all that is marked; in a what-if: in or out", params("part"), rank(22)),
		bind("whatif.add", "+", "add", "one part more that fails, by its id", in("whatif"), params("part"), rank(20)),
		bind("trace.way", "u", "up/down", "what it stands on, what it carries, or both", in("trace"), rank(20)),
		bind("trace.fold", "z", "fold", "fold what hangs on the caret's part, or open it", in("trace"), rank(27)),
		bind("page", "o", "page", "the page of what the caret stands on", in("trace", "whatif"), why(needsTarget), rank(30)),
		bind("export", "e", "export", "copy the whole of it as Markdown (OSC 52)", in("trace", "whatif", "report"), rank(31)),
	}
}

// parts yields what has an id of its own; a piece of a device is traced by
// "DEVICE/PIECE" all the same.
func (s Scene) parts() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, all := range []iter.Seq[string]{ids(s.Snap.Feeds.All()), ids(s.Snap.Racks.All()), ids(s.Snap.Services.All()), ids(s.Snap.Devices.All()),
			ids(s.Snap.Sites.All()), ids(s.Snap.Regions.All()), ids(s.Snap.Clouds.All()), ids(s.Snap.Instances.All())} {
			for id := range all {
				if !yield(id) {
					return
				}
			}
		}
	}
}
