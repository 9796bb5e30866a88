package fleet

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestObservationTrip: an observation with anything in it survives a trip
// through JSON, as it has to between two machines.
func TestObservationTrip(t *testing.T) {
	same := cmp.Options{
		cmp.Comparer(func(a, b Num) bool { return a.String() == b.String() }), // 1.50 comes back as 1.5
		cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }),
		cmp.Comparer(func(a, b *ProbeError) bool {
			if a == nil || b == nil {
				return a == b
			}
			return a.Target == b.Target && a.Error() == b.Error() && errors.Is(b, kindOf(a.Err))
		}),
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var o, back Observation
		fill(r, reflect.ValueOf(&o).Elem())
		if o.Err != nil {
			o.Err.Target = o.Target
		}
		b, err := json.Marshal(&o)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		if d := cmp.Diff(o, back, same); d != "" {
			t.Fatalf("changed on the way:\n%s\n%s", d, b)
		}
	}
}

// fill puts anything into a value: what the wires may say.
func fill(r *rand.Rand, v reflect.Value) {
	if v.CanAddr() && fillNoun(r, v.Addr().Interface()) {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString([]string{"", "a", "<b>&\u2028", "é", "\"\\", "=1"}[r.IntN(6)])
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64N(1 << 40))
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(r.Uint32()))
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem())
	case reflect.Slice:
		n := 1 + r.IntN(2)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(r, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 1 + r.IntN(3) {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(r, key)
			fill(r, elem)
			v.SetMapIndex(key, elem)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	}
}

// fillNoun fills the types whose values are bounded by more than their kind.
func fillNoun(r *rand.Rand, to any) bool {
	switch x := to.(type) {
	case *time.Time:
		*x = time.Unix(r.Int64N(1<<31), r.Int64N(1e9)).UTC()
	case *Num:
		if r.IntN(4) > 0 {
			*x = Dec(r.Int64N(math.MaxInt64)-1<<62, int8(r.IntN(60)-30))
		}
	case **ProbeError:
		if r.IntN(2) == 0 {
			*x = &ProbeError{Op: "op", Err: probeKinds[r.IntN(len(probeKinds))]}
		}
	case *Facts:
		x.Set("model", "M")
		x.SetNum(FactUptime, Dec(r.Int64N(1e9), -2), true)
		x.SetNum("sel.entries", Int(r.Int64N(9)), r.IntN(2) == 0)
		x.SetNum("poll.requests", Int(3), true)
		x.Put(Fact{Name: "clock", Value: "late", Volatile: true})
	case *State:
		*x = State(r.IntN(NumStates))
	case *Severity:
		*x = Severity(r.IntN(3))
	case *Lane:
		*x = Lane(r.IntN(3))
	case *TableID:
		for *x = TableAlerts; x.Judged(); {
			*x = TableID(r.IntN(NumTables))
		}
	case *Completeness:
		*x = Completeness(r.IntN(5))
	case *Counters:
		for i := range CounterID(NumCounters) {
			if r.IntN(2) == 0 {
				x.Set(i, r.Uint64(), r.IntN(2) == 0)
			}
		}
	default:
		return false
	}
	return true
}

// TestNamesOfVolatileFacts: only those that do not look like it are listed.
func TestNamesOfVolatileFacts(t *testing.T) {
	o := Observation{Target: "a"}
	o.Facts.SetNum(FactUptime, Int(1), true)
	var m map[string]json.RawMessage
	for _, want := range []string{"", `["sel.entries"]`} {
		b, err := json.Marshal(o)
		if err == nil {
			m = nil
			err = json.Unmarshal(b, &m)
		}
		if err != nil || string(m["volatile"]) != want || string(m["target"]) != `"a"` {
			t.Errorf("%v: %s", err, b)
		}
		o.Facts.SetNum("sel.entries", Int(1), true)
	}
}

// TestDecFitsItsText: every number that can be made can be read back.
func TestDecFitsItsText(t *testing.T) {
	for _, n := range []int64{0, 1, -1, 7, 999_999_999, math.MaxInt64, math.MinInt64, math.MinInt64 + 1} {
		for scale := -128; scale <= 127; scale++ {
			x := Dec(n, int8(scale))
			back, err := ParseNum(x.String())
			if err != nil || back.String() != x.String() {
				t.Errorf("%d * 10^%d is %s, and read back %s: %v", n, scale, x, back, err)
			}
		}
	}
	for _, c := range []struct {
		x    Num
		want string
	}{
		{Dec(999_999_999, 9), "999999999000000000"}, {Dec(999_999_999, 18), "null"}, {Dec(2, 24), "null"}, {Dec(5, -19), "0.000000000000000001"}, {Dec(math.MaxInt64, -19), "0.922337203685477581"},
	} {
		if got := c.x.String(); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
