package store

import (
	"fmt"
	"testing"
	"time"

	"plumb/fleet"
)

// What must be told survives a restart, in the order in which it was said,
// until it was delivered; what waits already is not put in twice.
func TestOutbox(t *testing.T) {
	dir := t.TempDir()
	o := start(t, dir, testStep)
	waits := func(want ...string) {
		t.Helper()
		list, err := o.Outbox(t.Context(), 100)
		var got []string
		for _, n := range list {
			got = append(got, n.Key)
		}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v wait, want %v; %v", got, want, err)
		}
	}
	say := func(keys ...string) {
		t.Helper()
		var p payload
		for _, k := range keys {
			p.Notices = append(p.Notices, fleet.Notice{Key: k, Receiver: "pager", At: day0, Expires: day0.Add(time.Hour), Body: []byte(k + " fires")})
		}
		o.apply(t, p)
	}
	say("c", "a")
	say("a", "b", "")
	if o.Stats().Refused != 1 {
		t.Error("a notice without a key was taken")
	}
	waits("c", "a", "b")
	o.stop()
	o = start(t, dir, testStep)
	waits("c", "a", "b")
	if list, err := o.Outbox(t.Context(), 1); err != nil || len(list) != 1 || string(list[0].Body) != "c fires" || !list[0].Expires.Equal(day0.Add(time.Hour)) {
		t.Errorf("%+v, %v", list, err)
	}
	for range 2 { // a second time is no harm
		if err := o.Apply(t.Context(), fleet.Delivered{Keys: []string{"c", "b", "never said"}}); err != nil {
			t.Fatal(err)
		}
		waits("a")
	}
	say("c")
	waits("a", "c")
}

// Judgements are kept like what was read: what was firing at a time is what was
// firing then, under ids that are no device's.
func TestJudgementsHaveAPast(t *testing.T) {
	o := start(t, t.TempDir(), testStep)
	alert := func(minute int, value string) {
		c := fleet.Change{Target: "s1/fan-slow", Table: fleet.TableAlerts, Row: "alert", At: day0.Add(time.Duration(minute) * time.Minute)}
		if value != "" {
			c.Value = []byte(value)
		}
		o.apply(t, payload{Changes: []fleet.Change{c}})
	}
	alert(0, `"pending"`)
	alert(5, `"firing"`)
	alert(9, "")
	for minute, want := range map[int]string{-1: "", 0: `"pending"`, 4: `"pending"`, 5: `"firing"`, 8: `"firing"`, 9: "", 60: ""} {
		m, err := o.At(t.Context(), day0.Add(time.Duration(minute)*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, c := range m.Latest() {
			got += string(c.Value)
		}
		if got != want {
			t.Errorf("after %d minutes %q, want %q", minute, got, want)
		}
	}
}
