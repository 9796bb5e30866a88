package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"plumb/console"
	"plumb/fleet"
	"plumb/store"
)

// What is done to a store that no plumb has open. The verbs are the same as
// beside a running one: who looks after a store at night need not know which
// of the two it is.

// worksClosed reports whether a verb works without a process.
func worksClosed(verb string) bool { return verb == "verify" || verb == "backup" }

// onClosed runs such a verb and returns the exit code.
func onClosed(ctx context.Context, dir string, args []string, s *streams) int {
	args, file := exported(args)
	words, asJSON, err := closedArgs(args)
	switch {
	case err != nil:
	case file != "":
		err = verifyExport(ctx, s, dir, file, asJSON)
	case args[0] == "verify":
		err = verifyClosed(ctx, s, dir, asJSON)
	default:
		err = backupClosed(ctx, s, dir, words[0], asJSON)
	}
	var code coded
	if err == nil || errors.As(err, &code) {
		return int(code)
	}
	err = explain(fmt.Errorf("%s: %w", args[0], unprefixed(err, args[0]+": ")))
	if !asJSON {
		return report(err, s.err)
	}
	console.WriteFailure(s.err, &console.Failure{Kind: "failed", Message: err.Error(), Hint: hintOf(err)})
	var h *hinted
	if errors.As(err, &h) {
		return h.code
	}
	return 1
}

// exported takes --audit FILE out of the words of verify.
func exported(args []string) (rest []string, file string) {
	for i := 0; i < len(args); i++ {
		name, is := strings.CutPrefix(args[i], "--audit=")
		switch {
		case args[0] != "verify":
			return args, ""
		case is:
			file = name
		case args[i] == "--audit" && i+1 < len(args):
			i++
			file = args[i]
		default:
			rest = append(rest, args[i])
		}
	}
	return rest, file
}

// closedArgs reads the words behind a verb: backup has one, verify none.
func closedArgs(args []string) (words []string, asJSON bool, err error) {
	for _, a := range args[1:] {
		switch {
		case a == "--json":
			asJSON = true
		case strings.HasPrefix(a, "-"):
			return nil, asJSON, usage(fmt.Errorf("%s: no such flag without a running plumb", fleet.Clean(a, 40)), "plumb help %s", args[0])
		default:
			words = append(words, a)
		}
	}
	switch want := map[string]int{"backup": 1}[args[0]]; {
	case len(words) > want:
		return nil, asJSON, usage(fmt.Errorf("too many arguments: %s", fleet.Clean(strings.Join(words[want:], " "), 80)), "plumb help %s", args[0])
	case len(words) < want:
		return nil, asJSON, usage(errors.New("needs one new directory"), "plumb backup DIR --db STORE")
	}
	return words, asJSON, nil
}

// explain gives errors of the store that say what, but not what to do here.
func explain(err error) error {
	var inUse *store.InUseError
	if errors.As(err, &inUse) && inUse.PID != 0 {
		return &running{err, fmt.Sprintf("pid %d has it and does not answer at its socket there; ask it over ssh, or stop it: kill -INT %d", inUse.PID, inUse.PID)}
	}
	if errors.Is(err, store.ErrExists) {
		var own interface{ Hint() string }
		if !errors.As(err, &own) {
			return &running{err, "name a directory that is not there yet; nothing is ever written over"}
		}
	}
	return err
}

// running is an error with a better hint than its own.
type running struct {
	err  error
	hint string
}

func (r *running) Error() string { return r.err.Error() }
func (r *running) Unwrap() error { return r.err }
func (r *running) Hint() string  { return r.hint }

func verifyClosed(ctx context.Context, s *streams, dir string, asJSON bool) error {
	var r store.Report
	err := working(s, "verify", func() (err error) {
		r, err = store.Examine(ctx, dir)
		return err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return reportJSON(s.out, r)
	}
	return printReport(s.out, r)
}

func backupClosed(ctx context.Context, s *streams, dir, to string, asJSON bool) error {
	to, err := filepath.Abs(to)
	if err == nil {
		err = working(s, "backup", func() error { return store.CopyClosed(ctx, dir, to) })
	}
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(s.out).Encode(struct {
			Schema int       `json:"schema"`
			At     time.Time `json:"at"`
			Dir    string    `json:"dir"`
		}{1, time.Now().UTC(), to})
	}
	_, err = fmt.Fprintln(s.out, "backup written to "+to)
	return err
}

// unprefixed keeps what failed from being said twice.
func unprefixed(err error, prefix string) error {
	if !strings.HasPrefix(err.Error(), prefix) {
		return err
	}
	return &reworded{err, strings.TrimPrefix(err.Error(), prefix)}
}

type reworded struct {
	err  error
	text string
}

func (r *reworded) Error() string { return r.text }
func (r *reworded) Unwrap() error { return r.err }

type restoreCmd struct {
	From string `arg:"" help:"Directory of a backup."`
	DB   string `name:"db" required:"" help:"An empty or new directory."`
}

// Run verifies a backup and copies it into an empty place.
func (c restoreCmd) Run(ctx context.Context, s *streams) error {
	var r store.Report
	err := working(s, "restore", func() (err error) {
		r, err = store.Restore(ctx, c.From, c.DB)
		return err
	})
	for _, p := range r.Problems {
		fmt.Fprintf(s.out, "problem: %s\n", p)
	}
	if err != nil && !r.OK() {
		return &running{fmt.Errorf("restore: %w", err), "take another backup; plumb verify --db " + c.From + " says what is damaged and what still reads"}
	}
	if err != nil {
		return explain(fmt.Errorf("restore: %w", unprefixed(err, "backup: ")))
	}
	return printReport(s.out, r)
}

// working runs something long, and says on a terminal that it is at work.
func working(s *streams, what string, do func() error) error {
	if !isTerminal(s.err) {
		return do()
	}
	began, done := time.Now(), make(chan error, 1)
	go func() { done <- do() }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			fmt.Fprint(s.err, "\r\x1b[K")
			return err
		case <-tick.C:
			fmt.Fprintf(s.err, "\r%s: at work for %v \x1b[K", what, time.Since(began).Round(time.Second))
		}
	}
}

// printReport says what a full check found; problems are an error.
func printReport(w io.Writer, r store.Report) error {
	if r.Walked {
		fmt.Fprintln(w, "the store cannot be opened; each record that its pages lead to was looked at by itself")
	} else {
		fmt.Fprintf(w, "batch %d, %d blocks, %d values, %d audit entries\n", r.Batch, r.Blocks, r.Samples, r.Audit.Seq)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Records)) {
		fmt.Fprintf(w, "  %-24s %d\n", name, r.Records[name])
	}
	if r.Unfinished > 0 {
		fmt.Fprintf(w, "%d batches were under way when it stopped; the next start drops them\n", r.Unfinished)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(w, "problem: %s\n", p)
	}
	if r.OK() {
		_, err := fmt.Fprintln(w, "whole")
		return err
	}
	n := 0
	for _, has := range r.Records {
		n += has
	}
	fmt.Fprintf(w, "everything else reads: %d records, as counted above\n", n)
	return hint(fmt.Errorf("verify: %s", fleet.Count(len(r.Problems), "problem")), "plumb restore BACKUP --db NEW puts the last backup into a new place; keep this directory for what it still holds")
}

// reportJSON is printReport for scripts.
func reportJSON(w io.Writer, r store.Report) error {
	type problem struct {
		File  string `json:"file"`
		Where string `json:"where"`
		What  string `json:"what"`
		Error string `json:"error"`
	}
	problems := []problem{}
	for _, p := range r.Problems {
		problems = append(problems, problem{p.File, p.Where, p.What, p.Err.Error()})
	}
	if err := json.NewEncoder(w).Encode(struct {
		Schema     int            `json:"schema"`
		At         time.Time      `json:"at"`
		Whole      bool           `json:"whole"`
		Batch      uint64         `json:"batch"`
		Unfinished int            `json:"unfinished"`
		Records    map[string]int `json:"records"`
		Problems   []problem      `json:"problems"`
	}{1, time.Now().UTC(), r.OK(), r.Batch, r.Unfinished, r.Records, problems}); err != nil {
		return err
	}
	if !r.OK() {
		return coded(1)
	}
	return nil
}
