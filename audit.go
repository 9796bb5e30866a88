package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"plumb/console"
	"plumb/console/auditlog"
	"plumb/fleet"
	"plumb/store"
)

// exportAudit tells the audit log outside until the function that it returns is
// called.
func (h *house) exportAudit(ctx context.Context) (stop func()) {
	c := h.blueprint.audit
	if h.ssh != nil && h.ssh.HostKey != "" {
		key, err := console.HostKey(h.ssh.HostKey)
		if err != nil {
			h.log.Error("audit export: its head is not signed", "err", err)
		}
		c.Key = key
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for _, x := range auditlog.New(c, h.store, h.log, time.Now) {
		wg.Go(func() { x.Run(ctx) })
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

// verifyAudit holds an exported file against the store's chain.
func (h *house) verifyAudit(ctx context.Context, file string, w io.Writer) error {
	r, err := checkExport(ctx, file, h.store.Store)
	if err != nil {
		return err
	}
	return printExport(w, file, r, false)
}

// verifyExport is the same of a store that no plumb has open.
func verifyExport(ctx context.Context, s *streams, dir, file string, asJSON bool) error {
	c := store.Defaults()
	c.Dir, c.Ballast = dir, -1
	st, err := store.Open(ctx, c)
	if err != nil {
		return err
	}
	defer st.Close()
	r, err := checkExport(ctx, file, st)
	if err != nil {
		return err
	}
	return printExport(s.out, file, r, asJSON)
}

func checkExport(ctx context.Context, file string, st *store.Store) (auditlog.Report, error) {
	f, err := os.Open(file)
	if err != nil {
		return auditlog.Report{}, err
	}
	defer f.Close()
	return auditlog.Check(ctx, f, st.Audit)
}

func printExport(w io.Writer, file string, r auditlog.Report, asJSON bool) error {
	if asJSON {
		if err := json.NewEncoder(w).Encode(struct {
			Schema int       `json:"schema"`
			At     time.Time `json:"at"`
			auditlog.Report
		}{1, time.Now().UTC(), r}); err != nil {
			return err
		}
	} else {
		for _, p := range r.Problems {
			fmt.Fprintf(w, "%s: %s\n", filepath.Base(file), p)
		}
		fmt.Fprintf(w, "%s: %d entries, %d to %d of %d in the store; %d signed heads %s\n", filepath.Base(file), r.Entries, r.From, r.To, r.Chain, r.Heads, strings.Join(r.Keys, " "))
		if len(r.Problems) == 0 {
			fmt.Fprintln(w, "whole: it is the chain's own")
		}
	}
	if len(r.Problems) > 0 {
		return hint(fmt.Errorf("verify: %s in %s", fleet.Count(len(r.Problems), "problem"), filepath.Base(file)), "one of the two was changed: compare with another copy, and with the signed heads")
	}
	return nil
}
