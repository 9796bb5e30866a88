package terraform

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumb/fleet"
)

// resources wraps resources as `terraform show -json` writes them.
func resources(list string) []byte {
	return []byte(`{"format_version":"1.0","terraform_version":"1.9.8","values":{"root_module":{"resources":[],"child_modules":[{"address":"module.game","resources":[` + list + `]}]}}}`)
}

const planted = `
{"address":"data.openstack_compute_flavor_v2.m1","mode":"data","type":"openstack_compute_flavor_v2","values":{"id":"f"},"sensitive_values":{}},
{"address":"module.game.openstack_networking_secgroup_rule_v2.ssh","mode":"managed","type":"openstack_networking_secgroup_rule_v2","values":
  {"id":"r1","direction":"ingress","ethertype":"IPv4","protocol":"tcp","port_range_min":22,"port_range_max":22,"remote_ip_prefix":"10.0.0.0/8","remote_group_id":"","security_group_id":"g1"},"sensitive_values":{}},
{"address":"module.game.openstack_networking_secgroup_rule_v2.peers","mode":"managed","type":"openstack_networking_secgroup_rule_v2","values":
  {"id":"r2","direction":"ingress","ethertype":"IPv6","protocol":"","port_range_min":0,"port_range_max":0,"remote_ip_prefix":"","remote_group_id":"g1","security_group_id":"g1"},"sensitive_values":{}},
{"address":"module.game.openstack_networking_secgroup_v2.game","mode":"managed","type":"openstack_networking_secgroup_v2","values":{"id":"g1","name":"game","description":"x"},"sensitive_values":{}},
{"address":"module.game.openstack_compute_instance_v2.match[0]","mode":"managed","type":"openstack_compute_instance_v2","values":
  {"id":"i1","name":"match-01","flavor_name":"m1.large","image_id":"img","availability_zone":"az1","power_state":"active","security_groups":["game","default"],
   "metadata":{"service":"match","token":"hunter2"},"tags":["blue","tier=1"],"admin_pass":"hunter2"},"sensitive_values":{"admin_pass":true,"metadata":{"token":true},"security_groups":[false,false]}},
{"address":"module.game.openstack_compute_instance_v2.match[1]","mode":"managed","type":"openstack_compute_instance_v2","values":{"id":null,"name":"not made yet"},"sensitive_values":{}}`

func TestParse(t *testing.T) {
	got, err := Parse(resources(planted))
	if err != nil {
		t.Fatal(err)
	}
	want := &fleet.Declared{
		Instances: []fleet.DeclaredInstance{{Resource: "module.game.openstack_compute_instance_v2.match[0]", ID: "i1", Name: "match-01", Type: "m1.large", Image: "img", Zone: "az1", RunState: "ACTIVE",
			Groups: []string{"default", "game"}, Tags: map[string]string{"service": "match", "blue": "", "tier": "1"}}},
		Groups: []fleet.DeclaredGroup{{Resource: "module.game.openstack_networking_secgroup_v2.game", ID: "g1", Name: "game", Rules: []fleet.SecurityRule{
			{ID: "r1", Direction: "ingress", Family: "ipv4", Protocol: "tcp", PortMin: fleet.Int(22), PortMax: fleet.Int(22), Remote: "10.0.0.0/8"},
			{ID: "r2", Direction: "ingress", Family: "ipv6", Remote: "g1"},
		}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestNothingSensitiveIsTaken(t *testing.T) {
	for _, c := range []struct{ attribute, mark string }{
		{`"name":"hunter2"`, `"name":true`}, {`"tags":["hunter2"]`, `"tags":true`}, {`"tags":["hunter2"]`, `"tags":[true]`},
		{`"metadata":{"a":"hunter2"}`, `"metadata":true`}, {`"metadata":{"hunter2":"b"}`, `"metadata":{"hunter2":true}`},
		{`"security_groups":["hunter2"]`, `"security_groups":[false,true]`},
	} {
		d, err := Parse(resources(`{"mode":"managed","type":"openstack_compute_instance_v2","values":{"id":"i",` + c.attribute + `},"sensitive_values":{` + c.mark + `}}`))
		if err != nil || len(d.Instances) != 1 {
			t.Fatalf("%s: %v", c.attribute, err)
		}
		if text, _ := json.Marshal(d); strings.Contains(string(text), "hunter2") {
			t.Errorf("%s marked %s: %s", c.attribute, c.mark, text)
		}
	}
}

func TestWhatIsNoState(t *testing.T) {
	deep := strings.Repeat(`{"child_modules":[`, maxDepth+2) + strings.Repeat("]}", maxDepth+2)
	for text, want := range map[string]string{
		``: "unexpected end", `[]`: "cannot unmarshal", `{"version":4,"resources":[]}`: "no format_version", `{"format_version":"2.0"}`: "format 2.0, this reads 1.x",
		`{"format_version":"1.0","values":{"root_module":` + deep + `}}`:                                                             "nested deeper",
		string(resources(`{"address":"a.b","mode":"managed","type":"openstack_compute_instance_v2","values":{"id":"i","tags":{}}}`)): "a.b: tags:",
	} {
		if _, err := Parse([]byte(text)); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", text, err, want)
		}
	}
	if d, err := Parse([]byte(`{"format_version":"1.0"}`)); err != nil || len(d.Instances) != 0 {
		t.Errorf("an empty state: %+v %v", d, err)
	}
}

// TestRealState reads what a real Terraform printed.
func TestRealState(t *testing.T) {
	text, err := os.ReadFile("../../../shared/recordings/terraform/show.json")
	if err != nil {
		t.Skip("no recording of a real state here:", err)
	}
	d, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Instances) != 3 || len(d.Groups) != 1 {
		t.Fatalf("%d instances and %d groups, want 3 and 1", len(d.Instances), len(d.Groups))
	}
	if x := d.Instances[2]; x.Name != "match-2" || x.Zone != "eu-central-1a" || x.Type == "" || x.Image == "" || x.Tags["owner"] != "netops" {
		t.Errorf("%+v", x)
	}
	if g := d.Groups[0]; g.Name != "game" || len(g.Rules) == 0 || g.Rules[0].Direction != "ingress" || !g.Rules[0].PortMin.Known {
		t.Errorf("%+v", g)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(resources(planted))
	f.Add([]byte(`{"format_version":"1.0"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse(text)
		if (d == nil) != (err != nil) || err != nil && !errors.Is(err, ErrFormat) {
			t.Errorf("%+v, %v", d, err)
		}
	})
}
