package main

import (
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// managers are the sockets of scripts, by the script's directory.
var managers sync.Map

// cmdManager is: manager FILE  It listens where a service manager would.
func cmdManager(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: manager FILE")
	}
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: ts.MkAbs(args[0]), Net: "unixgram"})
	ts.Check(err)
	managers.Store(ts.Getenv("WORK"), l)
	ts.Defer(func() { managers.Delete(ts.Getenv("WORK")); l.Close() })
}

// cmdHeard is: heard SECONDS WORDS  It waits until the manager is told the words.
func cmdHeard(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: heard SECONDS WORDS")
	}
	seconds, err := strconv.Atoi(args[0])
	ts.Check(err)
	l, ok := managers.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("heard: no manager")
	}
	conn := l.(*net.UnixConn)
	ts.Check(conn.SetReadDeadline(time.Now().Add(time.Duration(seconds) * time.Second)))
	var all []string
	for b := make([]byte, 1024); ; {
		n, err := conn.Read(b)
		if err != nil {
			ts.Fatalf("%q was not said within %d s: %q", args[1], seconds, all)
		}
		all = append(all, string(b[:n]))
		if strings.HasPrefix(all[len(all)-1], args[1]) {
			return
		}
	}
}
