package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdEvil opens a small world that means no good, and names it to the script:
// $SILENT swallows every datagram, $RANDOM_BYTES answers each with noise, and
// below $WEB lie answers that are garbage, go in circles, or have no end. It
// also names the demo's sound devices: $BMC, $SNMP and $CLOUD.
func cmdEvil(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 0 || neg {
		ts.Fatalf("usage: evil")
	}
	silent, noise := udp(ts), udp(ts)
	go func() {
		in := make([]byte, 1<<16)
		for {
			_, from, err := noise.ReadFrom(in)
			if err != nil {
				return
			}
			for size := 1; size < 2000; size *= 4 {
				out := make([]byte, size)
				_, _ = rand.Read(out)
				_, _ = noise.WriteTo(out, from)
			}
		}
	}()
	web, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	mux := http.NewServeMux()
	mux.HandleFunc("/garbage/", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "{\"token\": {\"\x1b[31mcatalog\": [[[[")
	})
	mux.HandleFunc("/loop/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/huge/", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"token":{"x":"`)
		for mb := strings.Repeat("x", 1<<20); ; {
			if _, err := io.WriteString(w, mb); err != nil {
				return
			}
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(web) }()
	ts.Defer(func() { silent.Close(); noise.Close(); server.Close() })
	port, err := freePort()
	ts.Check(err)
	yaml, err := os.ReadFile(filepath.Join(ts.Getenv("DB"), "plumb.yaml"))
	ts.Check(err)
	for name, value := range map[string]string{
		"SILENT": silent.LocalAddr().String(), "RANDOM_BYTES": noise.LocalAddr().String(), "WEB": "http://" + web.Addr().String(),
		"METRICS": "127.0.0.1:" + strconv.Itoa(port),
		"BMC":     found(ts, yaml, `fra1-r01-s01, .*bmc: {address: "127.0.0.1:(\d+)"`),
		"BMC2":    found(ts, yaml, `fra1-r01-s02, .*bmc: {address: "127.0.0.1:(\d+)"`),
		"PDU":     found(ts, yaml, `fra1-r01-pa, .*snmp: {address: "127.0.0.1:(\d+)"`),
		"SNMP":    found(ts, yaml, `fra1-r01-swa, .*snmp: {address: "127.0.0.1:(\d+)"`),
		"CLOUD":   found(ts, yaml, `provider: openstack, .*endpoint: "([^"]*)"`),
	} {
		ts.Setenv(name, value)
	}
}

func udp(ts *testscript.TestScript) net.PacketConn {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	ts.Check(err)
	return c
}

func found(ts *testscript.TestScript, text []byte, pattern string) string {
	m := regexp.MustCompile(pattern).FindSubmatch(text)
	if m == nil {
		ts.Fatalf("the demo's configuration has no %s", pattern)
	}
	return string(m[1])
}

// cmdExpand is: expand FILE...  It puts the script's variables into files.
func cmdExpand(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

// cmdWaitfor is: waitfor SECONDS PATTERN COMMAND...  It runs the command again
// and again until its output holds the pattern.
func cmdWaitfor(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 || neg {
		ts.Fatalf("usage: waitfor SECONDS PATTERN COMMAND...")
	}
	seconds, err := strconv.Atoi(args[0])
	ts.Check(err)
	want := regexp.MustCompile(args[1])
	deadline := time.Now().Add(time.Duration(seconds) * time.Second)
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ts.Exec(args[2], args[3:]...)
		if out := ts.ReadFile("stdout"); want.MatchString(out) {
			return
		} else if time.Now().After(deadline) {
			ts.Fatalf("%q did not show within %d s; last: %v\n%s%s", args[1], seconds, err, out, ts.ReadFile("stderr"))
		}
		<-tick.C
	}
}

// cmdCapture is: capture NAME stdout|stderr PATTERN  It puts the group of a
// pattern in what was said last into a variable.
func cmdCapture(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 || neg {
		ts.Fatalf("usage: capture NAME stdout|stderr PATTERN")
	}
	said := ts.ReadFile(args[1])
	m := regexp.MustCompile(args[2]).FindStringSubmatch(said)
	if len(m) != 2 {
		ts.Fatalf("%s holds no %q:\n%s", args[1], args[2], said)
	}
	ts.Setenv(args[0], m[1])
}

// cmdCrowd is: crowd N  An operator asks for something to be done to N targets,
// and is refused.
func cmdCrowd(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	command := "act power-off" + strings.Repeat(" fra1-r01-s01", n) + " --reason mine"
	out, errOut, err := sshRun(ts.Getenv("SSH"), filepath.Join(ts.Getenv("DB"), "keys"), "operator", command)
	fmt.Fprint(ts.Stdout(), out)
	fmt.Fprint(ts.Stderr(), errOut)
	if err == nil || neg {
		ts.Fatalf("%d targets at once are taken", n)
	}
}

// cmdHostile asks for something with control characters in every place that
// takes text.
func cmdHostile(ts *testscript.TestScript, _ bool, _ []string) {
	const evil = "'\x1b]0;owned\x07\x1b[2J'"
	for _, command := range []string{
		"act " + evil + " fra1-r01-s01 --reason mine", "act power-off " + evil + " --reason mine", "act port-alias fra1-r01-swa/" + evil + " alias=x --reason mine",
		"act port-alias fra1-r01-swa/Ethernet1 alias=" + evil + " --reason mine", "act outlet-off fra1-r01-pa/1 --serial " + evil + " --reason " + evil,
		"approve " + evil, "cancel " + evil, "refuse " + evil + " --reason " + evil, "undo " + evil, "freeze --reason " + evil + " --for " + evil, evil,
	} {
		out, errOut, err := sshRun(ts.Getenv("SSH"), filepath.Join(ts.Getenv("DB"), "keys"), "operator", command)
		fmt.Fprint(ts.Stdout(), out)
		fmt.Fprint(ts.Stderr(), errOut)
		if err == nil {
			ts.Fatalf("%q is taken", command)
		}
	}
}

// cmdHup is: hup DIR  It asks the process that owns the store to reload.
func cmdHup(ts *testscript.TestScript, neg bool, args []string) { tell(ts, neg, args, syscall.SIGHUP) }

// cmdTerm is: term DIR  It tells that process to stop, as a service manager does.
func cmdTerm(ts *testscript.TestScript, neg bool, args []string) {
	tell(ts, neg, args, syscall.SIGTERM)
}

func tell(ts *testscript.TestScript, neg bool, args []string, what syscall.Signal) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: hup|term DIR")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(filepath.Join(args[0], "lock"))))
	ts.Check(err)
	ts.Check(syscall.Kill(pid, what))
}

// cmdGet is: get URL  It prints what a web address answers.
func cmdGet(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: get URL")
	}
	client := http.Client{Timeout: 5 * time.Second}
	r, err := client.Get(args[0])
	ts.Check(err)
	defer r.Body.Close()
	if ok := r.StatusCode == http.StatusOK; ok == neg {
		ts.Check(errors.New(r.Status))
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s", body)
}
