package console

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views/export"
)

// notifyCall carries out notify with words, and returns what it prints.
func notifyCall(t *testing.T, v *Verbs, scope *fleet.Scope, format export.Format, words ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	c := &verbCall{VerbCall: VerbCall{Caller: Caller{User: "ann", Role: fleet.RoleAdmin, Scope: scope}, Args: append([]string{"notify"}, words...), Stdout: &out}, words: words, format: format, now: time.Now()}
	err := runNotify(t.Context(), v, c)
	return out.String(), err
}

// Where there are no receivers people read a sentence, and programs an empty list.
func TestNotifyWithoutReceivers(t *testing.T) {
	v := &Verbs{Receivers: func() []export.Receipt { return nil }}
	if text, err := notifyCall(t, v, nil, export.Text); err != nil || text != "no receivers: nobody is told of alerts, they are shown on screens only\n" {
		t.Errorf("%q, %v", text, err)
	}
	if text, err := notifyCall(t, v, nil, export.JSON); err != nil || !strings.Contains(text, `[]`) || strings.Contains(text, "nobody") {
		t.Errorf("%q, %v", text, err)
	}
}

// A receiver tells of the whole fleet: who has a scope does not send it anything,
// and the try is on record.
func TestNotifyTestIsOutsideOfAScope(t *testing.T) {
	var audit []fleet.AuditEntry
	sent := 0
	v := &Verbs{Receivers: func() []export.Receipt { return []export.Receipt{{Name: "pager"}} },
		TestReceiver: func(context.Context, string) (string, error) { sent++; return "thanks", nil },
		Audit:        func(_ context.Context, e fleet.AuditEntry) error { audit = append(audit, e); return nil }}
	_, err := notifyCall(t, v, &fleet.Scope{Regions: []string{"ams"}}, export.Text, "test", "pager")
	var f *Failure
	if !errors.As(err, &f) || !strings.Contains(err.Error(), "outside of your scope") || sent != 0 || len(audit) != 1 || audit[0].Outcome != "denied" {
		t.Errorf("with a scope: %v, %d sent, %+v", err, sent, audit)
	}
	if text, err := notifyCall(t, v, nil, export.Text, "test", "pager"); err != nil || sent != 1 || !strings.Contains(text, "pager says: thanks") {
		t.Errorf("without: %q, %v, %d sent", text, err, sent)
	}
}
