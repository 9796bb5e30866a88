package drift

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"plumb/fleet"
)

func TestCohortSpeaksWhereEnoughAgree(t *testing.T) {
	for _, c := range []struct {
		name   string
		values map[string]int // with the device itself
		own    string
		want   string
		ok     bool
	}{
		{"five others of one mind", map[string]int{"a": 5, "b": 1}, "b", "a", true},
		{"four others are too few", map[string]int{"a": 4, "b": 1}, "b", "", false},
		{"it does not count itself", map[string]int{"a": 5}, "a", "", false},
		{"four of five", map[string]int{"a": 4, "b": 2}, "b", "a", true},
		{"three of five", map[string]int{"a": 3, "b": 3}, "b", "", false},
		{"eight of ten", map[string]int{"a": 8, "b": 3}, "b", "a", true},
		{"seven of ten", map[string]int{"a": 7, "b": 4}, "b", "", false},
		{"its own value is that of the others", map[string]int{"a": 9, "b": 2}, "a", "a", true},
		{"it has none of it", map[string]int{"a": 5}, "", "a", true},
		{"it has none of it, and four have", map[string]int{"a": 4}, "", "", false},
		{"nobody has it", nil, "b", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := (Cohort{"firmware": c.values}).Others("firmware", c.own); got != c.want || ok != c.ok {
				t.Errorf("%q %v, want %q %v", got, ok, c.want, c.ok)
			}
		})
	}
}

// TestCohortAgainstCounting holds the shares against whole numbers, for every
// size and both sides of the boundary.
func TestCohortAgainstCounting(t *testing.T) {
	for others := range 200 {
		for same := others/2 + 1; same <= others; same++ {
			c := Cohort{"firmware": {"a": same, "b": others - same + 1}}
			_, ok := c.Others("firmware", "b")
			if want := others >= 5 && 5*same >= 4*others; ok != want {
				t.Fatalf("%d of %d others agree: %v", same, others, ok)
			}
		}
	}
}

func TestAUserThatNobodyElseHas(t *testing.T) {
	see := func(n int) map[string]int { return map[string]int{"yes": n} }
	for _, c := range []struct {
		name string
		c    Cohort
		fact string
		ok   bool
	}{
		{"five others would show one", Cohort{"bmc.sees.users": see(6), "bmc.user.eve": {"4": 1}}, "bmc.user.eve", true},
		{"four others would", Cohort{"bmc.sees.users": see(5), "bmc.user.eve": {"4": 1}}, "bmc.user.eve", false},
		{"one of five others has it too", Cohort{"bmc.sees.users": see(6), "bmc.user.eve": {"4": 2}}, "bmc.user.eve", true},
		{"two of six others have it too", Cohort{"bmc.sees.users": see(7), "bmc.user.eve": {"4": 3}}, "bmc.user.eve", false},
		{"nobody shows users", Cohort{"bmc.user.eve": {"4": 1}}, "bmc.user.eve", false},
		{"absence says something of users only", Cohort{"bmc.sees.users": see(6), "bios.sriov": {"on": 1}}, "bios.sriov", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			own := "4"
			if c.fact == "bios.sriov" {
				own = "on"
			}
			if got, ok := c.c.Others(c.fact, own); got != "" || ok != c.ok {
				t.Errorf("%q %v, want none and %v", got, ok, c.ok)
			}
		})
	}
}

// TestCohortByChanges counts devices as their facts change, and holds that
// against counting them anew; moved must be said exactly when what the cohort
// has in common is another value.
func TestCohortByChanges(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	devices := make([]string, 8)
	c, moves := Cohort(nil), 0
	for range 5000 {
		i, value := r.IntN(len(devices)), []string{"", "a", "a", "a", "b"}[r.IntN(5)]
		before := common(c["firmware"])
		was := fmt.Sprint(c)
		next, moved := c.With("firmware", devices[i], value)
		if fmt.Sprint(c) != was {
			t.Fatal("a cohort was written after it was made")
		}
		devices[i], c = value, next
		anew := Cohort{"firmware": {}}
		for _, v := range devices {
			if v != "" {
				anew.Add("firmware", v)
			}
		}
		if !maps.Equal(anew["firmware"], c["firmware"]) {
			t.Fatalf("counted by changes %v, anew %v", c["firmware"], anew["firmware"])
		}
		if now := common(anew["firmware"]); moved != (now != before) {
			t.Fatalf("in common %q, then %q, moved %v", before, now, moved)
		}
		if moved {
			moves++
		}
	}
	if moves < 50 {
		t.Errorf("the majority moved %d times: the test proves little", moves)
	}
}

func TestTheLikeOfADevice(t *testing.T) {
	d := &fleet.Device{Spec: &fleet.DeviceSpec{Kind: fleet.KindServer, Model: "R6515", Tags: map[string]string{"role": "game"}}}
	same := &fleet.Device{Spec: &fleet.DeviceSpec{Kind: fleet.KindServer, Tags: map[string]string{"role": "game"}}}
	same.Facts.Set(fleet.FactModel, "R6515")
	if CohortKey(d) != CohortKey(same) {
		t.Error("a model that was read is as good as one that was written down")
	}
	for _, other := range []fleet.DeviceSpec{
		{Kind: fleet.KindServer, Model: "R6525", Tags: d.Spec.Tags}, {Kind: fleet.KindSwitch, Model: "R6515", Tags: d.Spec.Tags}, {Kind: fleet.KindServer, Model: "R6515"},
	} {
		if CohortKey(&fleet.Device{Spec: &other}) == CohortKey(d) {
			t.Errorf("%+v is of its like", other)
		}
	}
}
