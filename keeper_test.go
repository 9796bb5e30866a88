package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"plumb/store"
)

func TestAFullDiskIsSaidOnce(t *testing.T) {
	var log bytes.Buffer
	at := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	k := &keeper{log: slog.New(slog.NewTextHandler(&log, nil)), now: func() time.Time { return at }}
	full := fmt.Errorf("store: commit: write /secret/path/series.db: %w", syscall.ENOSPC)
	for range 500 {
		k.note(t.Context(), full, 1)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "make room") {
		t.Errorf("%d lines of log, want one with a hint:\n%s", n, log.String())
	}
	if got := k.trouble(); !strings.Contains(got, "14:00:00Z: no space left on device") || strings.Contains(got, "/secret") {
		t.Errorf("screens say %q", got)
	}
	if got := k.trouble(); !strings.HasPrefix(got, "shown, not kept since ") {
		t.Errorf("screens say %q", got)
	}
	at = at.Add(time.Second)
	k.note(t.Context(), nil, 1)
	k.note(t.Context(), full, 0)
	if n := strings.Count(log.String(), "\n"); n != 1 || k.trouble() == "" {
		t.Errorf("a small batch fitted in between: %d lines, screens %q", n, k.trouble())
	}
	at = at.Add(89 * time.Second)
	k.note(t.Context(), nil, 1)
	k.note(t.Context(), nil, 1)
	if k.trouble() != "" || !strings.Contains(log.String(), "after=1m30s polls_not_kept=500") || strings.Count(log.String(), "\n") != 2 {
		t.Errorf("once there is room: screens %q, log:\n%s", k.trouble(), log.String())
	}
	log.Reset()
	for range 3 {
		k.note(t.Context(), fmt.Errorf("store: commit: %w: %w", store.ErrReadings, syscall.ENOSPC), 1)
	}
	if got := k.trouble(); !strings.HasPrefix(got, "readings are not kept since ") || strings.Count(log.String(), "\n") != 1 {
		t.Errorf("only readings are not kept: screens %q, log:\n%s", got, log.String())
	}
	k.note(t.Context(), full, 1)
	k.note(t.Context(), full, 1)
	if got := k.trouble(); !strings.HasPrefix(got, "shown, not kept since ") || strings.Count(log.String(), "\n") != 2 {
		t.Errorf("it got worse: screens %q, log:\n%s", got, log.String())
	}
	at = at.Add(time.Minute)
	k.note(t.Context(), nil, 0)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if k.note(gone, full, 1); k.trouble() != "" {
		t.Error("a poll that was called off says nothing about the disk")
	}
}
