package main

import (
	"bytes"
	"net"
	"os"
	"strconv"
	"testing"
)

// A demo that does not come up leaves nothing where nobody would look for it.
func TestAFailedDemoLeavesNothingBehind(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	base := <-blocks
	defer func() { blocks <- base }()
	for _, args := range [][]string{
		{"--fault", "no-such-fault"},
		{"--fault", "none", "--ssh", taken.Addr().String()},
		{"--fault", "none", "--config", "/no/such/file.yaml"},
	} {
		temp := t.TempDir()
		t.Setenv("TMPDIR", temp)
		var out bytes.Buffer
		code := run(append([]string{"demo", "--no-tui", "--racks", "1", "--port-base", strconv.Itoa(base)}, args...), &out, &out)
		left, err := os.ReadDir(temp)
		if code == 0 || err != nil || len(left) > 0 {
			t.Errorf("%v exits %d and leaves %v (%v)\n%s", args, code, left, err, out.String())
		}
	}
}
