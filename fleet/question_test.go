package fleet

import "testing"

func TestHeard(t *testing.T) {
	for _, c := range []struct {
		kind, text string
		on, ok     bool
	}{
		{"", "yes", true, true}, {"", "Y", true, true}, {"", "yes, kim is at the rack", true, true},
		{"", "no", false, true}, {"", "N", false, true}, {"", "no: not now", false, true},
		{"", "nope", false, false}, {"", "never", false, false}, {"", "", false, false}, {"", "maybe yes", false, false},
		{"7XK2P03", "7XK2P03", true, true}, {"7XK2P03", " 7XK2P03 ", true, true},
		{"7XK2P03", "7xk2p03", false, false}, {"7XK2P03", "yes", false, false}, {"7XK2P03", "no", false, true},
	} {
		q := Question{Type: c.kind}
		if on, ok := q.Heard(c.text); ok != c.ok || ok && on != c.on {
			t.Errorf("type %q, said %q: on %v ok %v, want %v %v", c.kind, c.text, on, ok, c.on, c.ok)
		}
	}
}
