package store

import (
	"encoding/json"
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

// Ten thousand notices for one who is dead cost another one nothing: what is
// asked for is found by its place, not by walking over what is not.
func TestOutboxOfOneBesideTheDead(t *testing.T) {
	dir := t.TempDir()
	o := start(t, dir, testStep)
	const dead = 10_000
	for from := 0; from < dead; from += 1000 {
		var p payload
		for i := range 1000 {
			p.Notices = append(p.Notices, fleet.Notice{Key: fmt.Sprint("d", from+i), Receiver: "dead", At: day0, Body: make([]byte, 2000)})
		}
		o.apply(t, p)
	}
	o.apply(t, payload{Notices: []fleet.Notice{{Key: "x", Receiver: "alive", At: day0.Add(time.Minute), Body: []byte("x")}}})
	began := time.Now()
	const asked = 1000
	for range asked {
		list, err := o.Notices(t.Context(), "alive", 0, 64)
		if err != nil || len(list) != 1 || list[0].Key != "x" {
			t.Fatalf("%+v, %v", list, err)
		}
	}
	each := time.Since(began) / asked
	t.Logf("one look past %d others: %v", dead, each)
	if each > 2*time.Millisecond { // a walk takes 50 ms and more
		t.Errorf("one look takes %v", each)
	}
	b := o.Backlogs()
	if len(b) != 2 || b[0].Receiver != "alive" || b[1].Waiting != dead || !b[1].Oldest.Equal(day0) {
		t.Errorf("%+v", b)
	}
	o.stop()
	began = time.Now()
	o = start(t, dir, testStep)
	t.Logf("opened with all of them within %v", time.Since(began))
	if w := o.Waiting("dead"); len(w) != dead || w[1].Key != "d1" {
		t.Errorf("%d wait", len(w))
	}
}

// What is read without its body is what was said, whatever stands in it.
func TestWithoutBody(t *testing.T) {
	for _, n := range []fleet.Notice{
		{Key: `k","body":"x`, Receiver: `r,"body":1,"repeat":true}`, At: day0, Expires: day0.Add(time.Hour), Body: []byte("b")},
		{Key: "k", Receiver: "r", At: day0, Body: []byte(`,"repeat":true}`)},
		{Key: "k", Receiver: "r", At: day0},
	} {
		v, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		got, err := withoutBody(v)
		if n.Body = nil; err != nil || fmt.Sprint(got) != fmt.Sprint(n) {
			t.Errorf("%+v, want %+v; %v", got, n, err)
		}
	}
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
