package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"plumb": func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the stories in testdata/script: the real binary, the demo
// fleet over its real wires, and people who come in over real ssh.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			p, err := freePort()
			if err != nil {
				return err
			}
			base := <-blocks
			e.Defer(func() { blocks <- base })
			e.Setenv("SSH", "127.0.0.1:"+strconv.Itoa(p))
			if p, err = freePort(); err != nil {
				return err
			}
			e.Setenv("SSH2", "127.0.0.1:"+strconv.Itoa(p))
			e.Setenv("BASE", strconv.Itoa(base))
			e.Setenv("DB", filepath.Join(e.WorkDir, "db"))
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"ssh":      cmdSSH,
			"until":    cmdUntil,
			"code":     cmdCode,
			"contract": cmdContract,
			"evil":     cmdEvil, "expand": cmdExpand, "waitfor": cmdWaitfor, "hup": cmdHup, "term": cmdTerm, "get": cmdGet,
			"chain": cmdChain, "capture": cmdCapture, "paged": cmdPaged, "crowd": cmdCrowd, "killsteps": cmdKillSteps, "hostile": cmdHostile, "manager": cmdManager, "heard": cmdHeard,
		},
	})
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// blocks hands out port bases that scripts running side by side do not share: the
// one given back longest ago comes first.
var blocks = make(chan int, 20)

func init() {
	for i := range cap(blocks) {
		blocks <- 24000 + i*100
	}
}

// cmdSSH is: ssh ROLE VERB...  It logs in with the demo's key of the role and
// runs the verb; ROLE may be KEY:USER to come in under another name. With a
// negation the verb must fail, or the door stay shut.
func cmdSSH(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: ssh ROLE VERB...")
	}
	out, errOut, err := sshRun(ts.Getenv("SSH"), filepath.Join(ts.Getenv("DB"), "keys"), args[0], strings.Join(args[1:], " "))
	fmt.Fprint(ts.Stdout(), out)
	fmt.Fprint(ts.Stderr(), errOut)
	if neg == (err == nil) {
		ts.Fatalf("ssh %s: %v\n%s%s", strings.Join(args, " "), err, out, errOut)
	}
	if err != nil {
		fmt.Fprintln(ts.Stderr(), err)
	}
}

func sshRun(addr, keys, who, command string) (out, errOut string, err error) {
	key, user, named := strings.Cut(who, ":")
	if !named {
		user = key
	}
	pem, err := os.ReadFile(filepath.Join(keys, key))
	if err != nil {
		return "", "", err
	}
	signer, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		return "", "", err
	}
	client, err := ssh.Dial("tcp", addr, &ssh.ClientConfig{User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 10 * time.Second})
	if err != nil {
		return "", "", err
	}
	defer client.Close()
	s, err := client.NewSession()
	if err != nil {
		return "", "", err
	}
	defer s.Close()
	var o, e bytes.Buffer
	s.Stdout, s.Stderr = &o, &e
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { client.Close() })
	defer stop()
	err = s.Run(command)
	return o.String(), e.String(), err
}

// cmdUntil is: until SECONDS PATTERN ROLE VERB...  It runs the verb over ssh
// again and again until its output holds the pattern.
func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 4 || neg {
		ts.Fatalf("usage: until SECONDS PATTERN ROLE VERB...")
	}
	seconds, err := strconv.Atoi(args[0])
	ts.Check(err)
	deadline := time.Now().Add(time.Duration(seconds) * time.Second)
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		out, errOut, err := sshRun(ts.Getenv("SSH"), filepath.Join(ts.Getenv("DB"), "keys"), args[2], strings.Join(args[3:], " "))
		if strings.Contains(out+errOut, args[1]) {
			fmt.Fprint(ts.Stdout(), out)
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%q did not show within %d s; last: %v\n%s%s", args[1], seconds, err, out, errOut)
		}
		<-tick.C
	}
}

// cmdCode is: code N COMMAND...  The command must exit with N.
func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: code N COMMAND...")
	}
	var exit *exec.ExitError
	got := 0
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("%s exits with %d, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}
