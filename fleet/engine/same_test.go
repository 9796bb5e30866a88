package engine

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"plumb/fleet"
)

// differs changes one field of a row after the other and returns the names of
// those whose change same does not see. A field that is new to a noun is thus
// compared, or left out on purpose.
func differs[T any](t *testing.T, same func(a, b *T) bool) (unseen []string) {
	t.Helper()
	var zero T
	for i := range reflect.TypeFor[T]().NumField() {
		var row T
		f := reflect.ValueOf(&row).Elem().Field(i)
		switch v := f.Addr().Interface().(type) {
		case *string:
			*v = "other"
		case *int:
			*v = 7
		case *int64:
			*v = 7
		case *fleet.State:
			*v = fleet.StateCrit
		case *fleet.Num:
			*v = fleet.Int(7)
		case *time.Time:
			*v = t0
		case *[]string:
			*v = []string{"other"}
		case *map[string]string:
			*v = map[string]string{"a": "b"}
		case *[]fleet.Resource:
			*v = []fleet.Resource{{Class: "VCPU"}}
		default:
			t.Fatalf("%T: teach this test", v)
		}
		if same(&zero, &row) {
			unseen = append(unseen, reflect.TypeFor[T]().Field(i).Name)
		}
	}
	if !same(&zero, &zero) {
		t.Error("a row is not the same as itself")
	}
	return unseen
}

func TestRowsAreComparedByEveryField(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want []string
	}{
		{"outlet", differs(t, sameOutlet), []string{"CurrentA", "PowerW"}},
		{"vlan", differs(t, sameVLAN), nil},
		{"host", differs(t, sameHost), []string{"RunningVMs"}},
		{"resource", differs(t, func(a, b *fleet.Resource) bool {
			return sameHost(&fleet.Host{Resources: []fleet.Resource{*a}}, &fleet.Host{Resources: []fleet.Resource{*b}})
		}), []string{"Used"}},
		{"instance", differs(t, func(a, b *fleet.Instance) bool { return sameInstance(a, b, a.State, b.Cloud) }), []string{"Service"}},
		{"entity", differs(t, equal[fleet.Entity]), nil},
		{"neighbor", differs(t, equal[fleet.Neighbor]), nil},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: changes of %v are not seen, want %v", c.name, c.got, c.want)
		}
	}
}
