package ipmi

import (
	"fmt"
	"testing"
)

// TestCoverAllocatesNothing: a poll is some fifty messages to each of thousands
// of BMCs; what covers them must work in the buffers it has.
func TestCoverAllocatesNothing(t *testing.T) {
	for _, s := range suites[:2] {
		t.Run(fmt.Sprint(s.id), func(t *testing.T) {
			key := make([]byte, 32)
			us, err := newSession(&link{}, &handshake{suite: s, console: 1, bmc: 2}, door{}, key, key)
			if err != nil {
				t.Fatal(err)
			}
			them, err := newSession(&link{}, &handshake{suite: s, console: 2, bmc: 1}, door{}, key, key)
			if err != nil {
				t.Fatal(err)
			}
			msg := putMessage(nil, command{fn: fnSensor, cmd: 0x2d, data: []byte{1}}, 1)
			if n := testing.AllocsPerRun(100, func() {
				if got, err := them.unseal(us.seal(msg)); err != nil || string(got) != string(msg) {
					t.Fatal(got, err)
				}
			}); n != 0 {
				t.Errorf("%v allocations to cover and uncover a message", n)
			}
		})
	}
}
