package benchline

import (
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	for _, c := range []struct {
		name string
		line Line
		want string
	}{
		{"lower", Line{Bench: "poll", Value: 0.51236, Unit: "cpu_ms", Goal: 0.5},
			`{"bench":"poll","value":0.5124,"unit":"cpu_ms","goal":0.5,"goal_of":"value","better":"lower","ok":false}`},
		{"higher than a peer", Line{Bench: "ingest", Value: 16.2e6, Unit: "samples/cpu_s", Peer: "tsdb", PeerValue: 2.7e6, Goal: 6, OfRatio: true, Higher: true},
			`{"bench":"ingest","value":16200000,"unit":"samples/cpu_s","peer":"tsdb","peer_value":2700000,"ratio":6,"goal":6,"goal_of":"ratio","better":"higher","ok":true}`},
		{"lower than a peer", Line{Bench: "poll", Value: 2, Unit: "cpu_ms", Peer: "tool", PeerValue: 14, Goal: 10, OfRatio: true},
			`{"bench":"poll","value":2,"unit":"cpu_ms","peer":"tool","peer_value":14,"ratio":7,"goal":10,"goal_of":"ratio","better":"lower","ok":false}`},
		{"a peer that did nothing", Line{Bench: "poll", Value: 0, Unit: "cpu_ms", Peer: "tool", Goal: 1},
			`{"bench":"poll","value":0,"unit":"cpu_ms","peer":"tool","peer_value":0,"ratio":null,"goal":1,"goal_of":"value","better":"lower","ok":true}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			if err := Fprint(&b, c.line); err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(b.String()); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestMedianIsOfEachLine(t *testing.T) {
	values := []float64{9, 1, 4}
	round := 0
	got := Median(3, func() []Line {
		v := values[round]
		round++
		return []Line{{Bench: "a", Value: v, PeerValue: -v}, {Bench: "b", Value: 10 * v}}
	})
	if got[0].Value != 4 || got[0].PeerValue != -4 || got[1].Value != 40 || got[1].Bench != "b" {
		t.Errorf("%+v", got)
	}
}
