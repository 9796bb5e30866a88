package trace

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"plumb/fleet"
)

// plainly is Trace without numbers: every part is found by its name, every id is
// made when it is needed.
func plainly(g *Graph, s *fleet.Snapshot, p Part, w Walk) Chain {
	t := &tracer{g: g, s: s, guests: fleet.NewGuests(s)}
	out := Chain{Nodes: []Node{}, Edges: []Edge{}}
	have, drawn := map[Part]bool{}, map[string]bool{}
	node := func(p Part) bool {
		if !have[p] && (w.Limit == 0 || len(out.Nodes) < w.Limit) {
			have[p] = true
			out.Nodes = append(out.Nodes, Node{g.ID(s, p), p.Kind, g.State(s, p)})
		}
		return have[p]
	}
	edge := func(p Part, x step) {
		e := Edge{From: g.ID(s, p), To: g.ID(s, x.next), Kind: x.kind, Intended: x.intended, Observed: x.observed, Evidence: x.evidence, Contradict: x.contradict, Back: x.back}
		from, to := p, x.next
		if x.back {
			e.From, e.To, from, to = e.To, e.From, to, from
		}
		if !x.at.IsZero() {
			at := x.at.UTC()
			e.At = &at
		}
		if key := fmt.Sprint(from, to); !drawn[key] {
			drawn[key] = true
			out.Edges = append(out.Edges, e)
		}
	}
	follow := func(neighbours func(Part) []step) {
		seen := map[Part]bool{p: true}
		for todo := []Part{p}; len(todo) > 0; todo = todo[1:] {
			for _, x := range slices.Clone(neighbours(todo[0])) {
				in := node(x.next)
				if in {
					edge(todo[0], x)
				}
				if !seen[x.next] && in {
					todo = append(todo, x.next)
				} else if !seen[x.next] {
					out.Omitted++
				}
				seen[x.next] = true
			}
		}
	}
	node(p)
	if w.Up {
		follow(t.above)
	}
	if w.Down {
		follow(t.below)
	}
	return out
}

func TestTraceIsThePlainWalk(t *testing.T) {
	for seed := range uint64(30) {
		s := jumble(rand.New(rand.NewPCG(seed, 1)))
		g := Build(s)
		for _, p := range everything(g, s) {
			for _, w := range []Walk{{Up: true}, {Down: true, Limit: 9}, {Up: true, Down: true}, {Up: true, Down: true, Limit: 25}} {
				if got, want := g.Trace(s, p, w), plainly(g, s, p, w); !reflect.DeepEqual(got, want) {
					t.Fatalf("seed %d %v %+v:\n%+v\nwant\n%+v", seed, p, w, got, want)
				}
			}
		}
	}
}

// plainGuests asks every instance by its own row whether it is lost, and counts
// every replica of every service.
func plainGuests(g *Graph, s *fleet.Snapshot, failed ...Part) (ids []string, hits []Hit) {
	b := newInquiry(g, s, s.At).spreadFrom(failed)
	lost := map[int]bool{}
	for n := range s.Instances.Len() {
		if x := s.Instances.At(n); b.guest(n, x) != "" && Running(x.State) {
			if lost[n] = true; !b.after.failed[Part{Kind: Instance, N: n}] {
				ids = append(ids, x.ID)
			}
		}
	}
	for n := range s.Services.Len() {
		v := s.Services.At(n)
		h := Hit{Service: v.Spec.Name, Floor: v.Spec.Floor}
		count := func(gone bool) {
			if h.Before++; !gone {
				h.After++
			}
		}
		for _, i := range v.Instances {
			if x := s.Instances.At(i); Running(x.State) && (x.Device < 0 || b.stands(x.Device)) {
				count(lost[i])
			}
		}
		for _, d := range v.Devices {
			if Running(s.Devices.At(d).State) && b.stands(d) {
				count(b.lost[d])
			}
		}
		if h.Below = h.Floor > 0 && h.After < h.Floor; h.After < h.Before {
			hits = append(hits, h)
		}
	}
	return ids, hits
}

func TestBlastTakesThePlainGuests(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		s := jumble(r)
		g := Build(s)
		all := everything(g, s)
		for _, p := range all {
			q := all[r.IntN(len(all))]
			got := g.Blast(s, p, q)
			ids, hits := plainGuests(g, s, p, q)
			var lost []string
			for _, x := range got.Lost {
				if x.Kind == Instance {
					lost = append(lost, x.ID)
				}
			}
			if !slices.Equal(lost, ids) || !slices.Equal(got.Services, hits) {
				t.Fatalf("seed %d %v %v: %v %+v, want %v %+v", seed, p, q, lost, got.Services, ids, hits)
			}
			if !slices.IsSortedFunc(got.Lost, func(a, b Loss) int {
				return cmp.Compare(slices.Index(ranks[:], a.Kind), slices.Index(ranks[:], b.Kind))
			}) {
				t.Fatalf("seed %d %v %v: %+v", seed, p, q, got.Lost)
			}
		}
	}
}
