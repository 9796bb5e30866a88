package snmp

import (
	"maps"
	"testing"

	"plumb/fleet"
)

// TestDoor: what let the poll in is told, and no secret with it.
func TestDoor(t *testing.T) {
	tell := func(cfg Config, s security) map[string]string {
		cfg = cfg.withDefaults()
		p := &poll{conn: &conn{sec: s}, cfg: &cfg, obs: &fleet.Observation{}}
		p.tellDoor()
		got := map[string]string{}
		for _, f := range p.obs.Facts {
			got[f.Name] = f.Value
			if f.Volatile || f.Number {
				t.Errorf("%+v", f)
			}
		}
		return got
	}
	for name, c := range map[string]struct {
		cfg  Config
		sec  security
		want map[string]string
	}{
		"public":      {Config{}, community("public"), map[string]string{factAccess: "v2c", factCommunity: "default"}},
		"Private":     {Config{}, community("PrIvate"), map[string]string{factAccess: "v2c", factCommunity: "default"}},
		"own":         {Config{Act: &Access{}}, community("public1"), map[string]string{factAccess: "v2c", factCommunity: "own", factWrite: "v2c"}},
		"nobody":      {Config{Version: "3", Act: &Access{Version: "3"}}, nil, map[string]string{factAccess: "v3 noAuthNoPriv", factWrite: "v3"}},
		"signed":      {Config{Version: "3", Auth: "md5"}, nil, map[string]string{factAccess: "v3 authNoPriv", factAuth: "MD5"}},
		"sealed":      {Config{Version: "3", Auth: "sha256", Priv: "aes-256-c"}, nil, map[string]string{factAccess: "v3 authPriv", factAuth: "SHA-256", factPriv: "AES-256-C"}},
		"old and bad": {Config{Version: "3", Auth: "SHA1", Priv: "DES"}, nil, map[string]string{factAccess: "v3 authPriv", factAuth: "SHA", factPriv: "DES"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tell(c.cfg, c.sec); !maps.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
	for name := range authProtocols {
		if name != "" && spelled[name] == "" {
			t.Errorf("%s has no spelling", name)
		}
	}
	for name := range privProtocols {
		if name != "" && spelled[name] == "" {
			t.Errorf("%s has no spelling", name)
		}
	}
	if o := observe(t, agentOf(t, newFake(t, switchTree(1, "sw1")...)), fleet.LaneSlow); o.Facts.Get(factAccess) != "v2c" || o.Facts.Get(factCommunity) != "default" {
		t.Errorf("over the wire: %v", o.Facts)
	}
}
