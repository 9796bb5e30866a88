package console

import (
	"testing"
)

// TestPlaceRequestIsChecked holds that a shape which cannot be is refused with
// an example, and is never rounded to one that can.
func TestPlaceRequestIsChecked(t *testing.T) {
	s := testSnapshot(1)
	for _, c := range []struct {
		words []string
		flags map[string]string
		ok    bool
	}{
		{[]string{"12"}, map[string]string{"watts": "450"}, true},
		{[]string{"12"}, map[string]string{"watts": "450", "u": "1.5", "ports": "2x25G", "spread": "3", "single-cord": "true"}, true},
		{[]string{"12"}, map[string]string{}, false},
		{nil, map[string]string{"watts": "450"}, false},
		{[]string{"0"}, map[string]string{"watts": "450"}, false},
		{[]string{"12"}, map[string]string{"watts": "NaN"}, false},
		{[]string{"12"}, map[string]string{"watts": "450", "u": "1.3"}, false},
		{[]string{"12"}, map[string]string{"watts": "450", "ports": "2x25"}, false},
		{[]string{"12"}, map[string]string{"watts": "450", "ports": "-1x25G"}, false},
		{[]string{"12"}, map[string]string{"watts": "450", "spread": "13"}, false},
		{[]string{"12"}, map[string]string{"watts": "450", "region": "nowhere"}, false},
	} {
		call := &verbCall{words: c.words, flags: c.flags}
		call.Args = []string{"place"}
		if _, err := placeRequest(s, call); (err == nil) != c.ok {
			t.Errorf("%v %v: %v", c.words, c.flags, err)
		}
	}
}
