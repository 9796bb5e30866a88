package cloud

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestAddresses(t *testing.T) {
	for name, c := range map[string]struct {
		raw         string
		all, public []string
	}{
		"none":           {`{}`, nil, nil},
		"private":        {`{"a": [{"addr": "10.0.0.9", "OS-EXT-IPS:type": "fixed"}, {"addr": "fd00::1"}]}`, []string{"10.0.0.9", "fd00::1"}, nil},
		"floating":       {`{"a": [{"addr": "10.0.0.9", "OS-EXT-IPS:type": "fixed"}, {"addr": "198.18.0.7", "OS-EXT-IPS:type": "floating"}]}`, []string{"198.18.0.7", "10.0.0.9"}, []string{"198.18.0.7"}},
		"fixed, global":  {`{"a": [{"addr": "10.0.0.9"}], "b": [{"addr": "8.8.8.8", "OS-EXT-IPS:type": "fixed"}, {"addr": "2a00::5"}]}`, []string{"2a00::5", "8.8.8.8", "10.0.0.9"}, []string{"2a00::5", "8.8.8.8"}},
		"not routed":     {`{"a": [{"addr": "100.64.0.1"}, {"addr": "198.18.0.1"}, {"addr": "169.254.1.1"}, {"addr": "fe80::1%eth0"}, {"addr": "2001:db8::1"}, {"addr": "240.0.0.1"}, {"addr": "127.0.0.1"}]}`, []string{"100.64.0.1", "127.0.0.1", "169.254.1.1", "198.18.0.1", "2001:db8::1", "240.0.0.1", "fe80::1"}, nil},
		"twice":          {`{"a": [{"addr": "10.0.0.9"}, {"addr": "::ffff:10.0.0.9"}]}`, []string{"10.0.0.9"}, nil},
		"no address":     {`{"a": [{"addr": "\u001b[2J"}, {"addr": ""}, {}]}`, nil, nil},
		"empty networks": {`{"a": [], "b": null}`, nil, nil},
	} {
		var s server
		if err := json.Unmarshal([]byte(c.raw), &s.Addresses); err != nil {
			t.Fatal(err)
		}
		if all, public := addressesOf(&s); !slices.Equal(all, c.all) || !slices.Equal(public, c.public) {
			t.Errorf("%s: %v and %v, want %v and %v", name, all, public, c.all, c.public)
		}
	}
}

// TestAddressesBounded: what is left out does not depend on the order of a map.
func TestAddressesBounded(t *testing.T) {
	s := server{Addresses: map[string][]address{}}
	for i := range 300 {
		n := string(rune('a' + i%7))
		s.Addresses[n] = append(s.Addresses[n], address{Addr: "10.0." + string(rune('0'+i%10)) + "." + string(rune('0'+i/30))})
	}
	first, _ := addressesOf(&s)
	for range 20 {
		if again, _ := addressesOf(&s); !slices.Equal(first, again) || len(again) != maxAddresses {
			t.Fatalf("%d addresses, then %d others", len(first), len(again))
		}
	}
}

func TestImage(t *testing.T) {
	for raw, want := range map[string]imageID{`{"image": {"id": "abc", "links": []}}`: "abc", `{"image": ""}`: "", `{"image": null}`: "", `{}`: ""} {
		var s server
		if err := json.Unmarshal([]byte(raw), &s); err != nil || s.Image != want {
			t.Errorf("%s: %q %v", raw, s.Image, err)
		}
	}
}
