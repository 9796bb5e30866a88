package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"
)

// profileEvery writes one profile of the processor and one of the heap for
// each minute into the directory that PLUMB_PROFILE names, for whoever wants
// to know what a running plumb spends. Without that variable it does nothing.
func profileEvery(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	go func() {
		for minute := 1; ; minute++ {
			if err := profile(dir, minute); err != nil {
				fmt.Fprintf(os.Stderr, "plumb: no more profiles: %v\n", err)
				return
			}
		}
	}()
	return nil
}

// profile spends a minute on one pair of profiles: DIR/cpu-N.pprof is of that
// minute, DIR/heap-N.pprof of its end.
func profile(dir string, minute int) error {
	cpu, err := os.Create(filepath.Join(dir, fmt.Sprintf("cpu-%d.pprof", minute)))
	if err != nil {
		return err
	}
	defer cpu.Close()
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return err
	}
	time.Sleep(time.Minute)
	pprof.StopCPUProfile()
	heap, err := os.Create(filepath.Join(dir, fmt.Sprintf("heap-%d.pprof", minute)))
	if err != nil {
		return err
	}
	defer heap.Close()
	return pprof.Lookup("heap").WriteTo(heap, 0)
}
