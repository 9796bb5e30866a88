package engine

import (
	"encoding/json"
	"reflect"
	"testing"

	"plumb/fleet"
)

// TestAPortIsRecalledByEveryField: what is read without reflection misses no
// field that was kept, whatever is added to a port.
func TestAPortIsRecalledByEveryField(t *testing.T) {
	for i := range reflect.TypeFor[fleet.PortDef]().NumField() {
		var kept, got fleet.PortDef
		switch v := reflect.ValueOf(&kept).Elem().Field(i).Addr().Interface().(type) {
		case *string:
			*v = "other"
		case *int:
			*v = 7
		case *bool:
			*v = true
		case *fleet.Num:
			*v = fleet.Int(7)
		default:
			t.Fatalf("%T: teach this test", v)
		}
		b, err := json.Marshal(&kept)
		if err != nil {
			t.Fatal(err)
		}
		if ok := newRecaller(nil).port(b, &got); !ok || got != kept {
			t.Errorf("%s: %v, %+v of %s", reflect.TypeFor[fleet.PortDef]().Field(i).Name, ok, got, b)
		}
	}
}
