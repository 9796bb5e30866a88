package console

import "testing"

// TestABareReasonGoesOn: ssh host act identify s01 --reason 'which one is it'
// arrives without its quotes.
func TestABareReasonGoesOn(t *testing.T) {
	for _, c := range []struct {
		bare   bool
		args   []string
		reason string
		words  int
	}{
		{true, []string{"act", "identify", "s01", "--reason", "which", "one", "is", "it"}, "which one is it", 2},
		{true, []string{"act", "identify", "s01", "--reason", "which", "one", "--wait"}, "which one", 2},
		{true, []string{"act", "identify", "s01", "--reason=which", "s02"}, "which", 3},
		{false, []string{"act", "identify", "--reason", "which", "s01"}, "which", 2},
		{true, []string{"act", "identify", "--reason", "which", "s01"}, "which s01", 1}, // refused: it names no target
	} {
		v := &verbCall{VerbCall: VerbCall{Args: c.args, Bare: c.bare}, flags: map[string]string{}}
		if err := v.parse(verb{}); err != nil || v.flags["reason"] != c.reason || len(v.words) != c.words {
			t.Errorf("%v bare %v: %q with %d words, %v; want %q with %d", c.args, c.bare, v.flags["reason"], len(v.words), err, c.reason, c.words)
		}
	}
}
