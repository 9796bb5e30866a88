package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"plumb/fleet"
)

// What was deleted leaves the file, what was kept stays, and a store that is
// open is not touched.
func TestCompactGivesBackWhatWasDeleted(t *testing.T) {
	cfg := testConfig(t.TempDir())
	o := start(t, cfg.Dir, testStep)
	value := make([]byte, 100_000)
	for i := range value {
		value[i] = '7'
	}
	for n := range 60 {
		at := day0.Add(time.Duration(n) * time.Minute)
		p := payload{Readings: []fleet.Readings{reading("s1", at, fleet.Int(int64(n)))}, Audit: []fleet.AuditEntry{{Who: "ann", At: at}}}
		for row := range 4 {
			p.Changes = append(p.Changes, fleet.Change{Target: fmt.Sprint("s", n%20), Row: fmt.Sprint(row), At: at, Value: value})
		}
		o.apply(t, p)
	}
	if _, _, err := Compact(t.Context(), cfg); !errors.Is(err, ErrInUse) {
		t.Errorf("Compact of an open store = %v", err)
	}
	o.stop()
	before, after, err := Compact(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if after > before-2<<20 { // 24 MB of rows are kept
		t.Errorf("%d bytes became %d", before, after)
	}
	s := start(t, cfg.Dir, testStep)
	m, err := s.Memory(t.Context())
	if err != nil || len(m.Latest()) != 80 {
		t.Errorf("%d rows, %v", len(m.Latest()), err)
	}
	if p := s.read(t, gauge, day0, day0.Add(2*time.Hour), 0); len(p) != 60 {
		t.Errorf("%d points", len(p))
	}
	s.apply(t, payload{Audit: []fleet.AuditEntry{{Who: "bob"}}}) // and it goes on
}
