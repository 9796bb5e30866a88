package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// The canonical form is written out here by hand, so that a change of it is
// seen: it is a promise to everyone who checks the chain.
func TestAuditHashVectors(t *testing.T) {
	at := time.Date(2026, 11, 22, 13, 14, 15, 120_000_000, time.FixedZone("", 3600))
	for _, c := range []struct {
		entry fleet.AuditEntry
		json  string
	}{
		{
			fleet.AuditEntry{Seq: 1, At: at, Who: "ann", From: "10.0.0.1:22", Action: "power-off", Target: "s1", Outcome: "begun", Reason: "r"},
			`{"action":"power-off","at":"2026-11-22T12:14:15.120000000Z","from":"10.0.0.1:22","outcome":"begun","reason":"r","seq":1,"target":"s1","who":"ann"}`,
		},
		{
			fleet.AuditEntry{Seq: 18446744073709551615, At: at.Truncate(time.Second), Reason: "a \"b\" \\ </é€😀"},
			`{"action":"","at":"2026-11-22T12:14:15.000000000Z","from":"","outcome":"","reason":"a \"b\" \\ </é€😀","seq":18446744073709551615,"target":"","who":""}`,
		},
		{
			fleet.AuditEntry{At: at.Truncate(time.Second), Who: "\x01\b\t\n\f\r\x1f"},
			`{"action":"","at":"2026-11-22T12:14:15.000000000Z","from":"","outcome":"","reason":"","seq":0,"target":"","who":"\u0001\b\t\n\f\r\u001f"}`,
		},
	} {
		if got := string(CanonicalAudit(c.entry)); got != c.json {
			t.Errorf("canonical\n%s\nwant\n%s", got, c.json)
		}
		if !json.Valid(CanonicalAudit(c.entry)) {
			t.Errorf("not JSON: %s", CanonicalAudit(c.entry))
		}
		c.entry.Prev = strings.Repeat("0", 64)
		sum := sha256.Sum256([]byte(c.entry.Prev + "\n" + c.json))
		if got := AuditHash(c.entry); got != hex.EncodeToString(sum[:]) {
			t.Errorf("hash %s, want %x", got, sum)
		}
	}
}

func TestAuditChainShowsEveryChange(t *testing.T) {
	dir := t.TempDir()
	o := start(t, dir, testStep)
	for _, who := range []string{"ann", "bob\u2028\x1b[31m", "eve"} {
		if err := o.Apply(t.Context(), fleet.Decision{Audit: []fleet.AuditEntry{{Who: who, Action: "a"}, {Who: who, Action: "b", At: day0}}}); err != nil {
			t.Fatal(err)
		}
	}
	head, err := o.VerifyAudit(t.Context())
	if err != nil || head.Seq != 6 {
		t.Fatalf("VerifyAudit = %+v, %v", head, err)
	}
	all, err := o.Audit(t.Context(), 0, 0)
	if err != nil || len(all) != 6 || all[0].Prev != strings.Repeat("0", 64) || all[5].Hash != head.Hash || all[2].Who != "bob[31m" || all[0].At.IsZero() {
		t.Fatalf("Audit = %+v, %v", all, err)
	}
	if some, err := o.Audit(t.Context(), 4, 2); err != nil || len(some) != 2 || some[0].Seq != 4 || some[0].Prev != all[2].Hash {
		t.Errorf("from 4: %+v, %v", some, err)
	}
	o.stop()

	s, err := Open(t.Context(), testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// An attacker who can also make good checksums.
	forge := func(seq uint64, change func(*fleet.AuditEntry)) {
		e := all[seq-1]
		change(&e)
		v, err := json.Marshal(e)
		if err == nil {
			err = s.state.Update(func(tx *bbolt.Tx) error { return put(tx.Bucket(bucketAudit), seqKey(seq), v) })
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	fails := func(what, where string) {
		t.Helper()
		if _, err := s.VerifyAudit(context.Background()); err == nil || !strings.Contains(err.Error(), where) {
			t.Errorf("%s: VerifyAudit = %v, want it to name %q", what, err, where)
		}
	}
	forge(3, func(e *fleet.AuditEntry) { e.Who = "nobody" })
	fails("changed", "entry 3")
	forge(3, func(e *fleet.AuditEntry) { e.Who = "nobody"; e.Hash = AuditHash(*e) })
	fails("changed and hashed again", "entry 4")
	forge(3, func(*fleet.AuditEntry) {})
	if _, err := s.VerifyAudit(context.Background()); err != nil {
		t.Errorf("put back: %v", err)
	}
	cut := func(seq uint64) {
		if err := s.state.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketAudit).Delete(seqKey(seq)) }); err != nil {
			t.Fatal(err)
		}
	}
	cut(6)
	fails("the tail cut off", "ends at 5")
	cut(4)
	fails("one removed", "entry 3 is followed by 5")
}
