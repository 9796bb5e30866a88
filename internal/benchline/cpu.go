//go:build unix

package benchline

import (
	"fmt"
	"syscall"
	"time"
)

// CPU is the processor time this process has used on all cores, the garbage
// collector's part with it.
func CPU() time.Duration { return used(syscall.RUSAGE_SELF) }

// Wall is the time of the machine's clock, also in a bubble of testing/synctest.
func Wall() time.Duration {
	var v syscall.Timeval
	if err := syscall.Gettimeofday(&v); err != nil {
		panic(fmt.Sprintf("gettimeofday: %v", err))
	}
	return time.Duration(v.Nano())
}

// Children is the processor time of the child processes that have ended.
func Children() time.Duration { return used(syscall.RUSAGE_CHILDREN) }

func used(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		panic(fmt.Sprintf("getrusage: %v", err))
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
