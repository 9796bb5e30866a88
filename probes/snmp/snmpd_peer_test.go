package snmp

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"plumb/fleet"
)

// snmpdUsers are the users of the peer's snmpd.conf.
var snmpdUsers = []Config{
	{User: "md5des", Auth: "MD5", Priv: "DES"}, {User: "shaaes", Auth: "SHA", Priv: "AES"}, {User: "sha224aes", Auth: "SHA-224", Priv: "AES"}, {User: "sha256aes", Auth: "SHA-256", Priv: "AES"},
	{User: "sha384aes", Auth: "SHA-384", Priv: "AES"}, {User: "sha512aes", Auth: "SHA-512", Priv: "AES"}, {User: "sha256aes192", Auth: "SHA-256", Priv: "AES-192"},
	{User: "sha256aes256", Auth: "SHA-256", Priv: "AES-256"}, {User: "sha512aes256", Auth: "SHA-512", Priv: "AES-256"}, {User: "sha256only", Auth: "SHA-256"},
}

func snmpdAgent(t *testing.T, c Config) *Agent {
	t.Helper()
	c.Target, c.Address, c.Timeout = "peer", fmt.Sprintf("127.0.0.1:%d", snmpdPort), time.Second
	if c.User == "" {
		c.Community = secret("public")
	} else {
		c.Version = "3"
		if c.AuthPassword == nil {
			c.AuthPassword = secret("authpass12345")
		}
		if c.PrivPassword == nil {
			c.PrivPassword = secret("privpass12345")
		}
	}
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestPeerSnmpd(t *testing.T) {
	dir := shared(t)
	state := filepath.Join(t.TempDir(), "snmpd")
	start := func(env ...string) func() {
		stop := peer(t, "snmpd", filepath.Join(dir, "peers/snmp/run-snmpd.sh"), append(env, "PORT="+strconv.Itoa(snmpdPort)), state)
		ready(t, func() *Agent { return snmpdAgent(t, Config{}) })
		return stop
	}
	stop := start()

	t.Run("v2c", func(t *testing.T) { seen(t, snmpdAgent(t, Config{})) })
	for _, c := range snmpdUsers {
		t.Run(c.User, func(t *testing.T) {
			a := snmpdAgent(t, c)
			seen(t, a)
			seen(t, a)
		})
	}
	for name, c := range map[string]Config{
		"wrong password":     {User: "sha256aes", Auth: "SHA-256", Priv: "AES", AuthPassword: secret("wrongpassword")},
		"wrong protocol":     {User: "sha256aes", Auth: "SHA", Priv: "AES"},
		"wrong privacy":      {User: "sha256aes", Auth: "SHA-256", Priv: "AES", PrivPassword: secret("wrongpassword")},
		"wrong privacy DES":  {User: "md5des", Auth: "MD5", Priv: "DES", PrivPassword: secret("wrongpassword")},
		"unknown user":       {User: "nobody", Auth: "SHA-256", Priv: "AES"},
		"level not allowed":  {User: "sha256aes"},
		"privacy not set up": {User: "sha256only", Auth: "SHA-256", Priv: "AES"},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := snmpdAgent(t, c).Observe(deadline(t, 5*time.Second), fleet.LaneFast)
			if err != nil || !errors.Is(o.Err, fleet.ErrAuth) {
				t.Errorf("%v %v", err, o.Err)
			}
			t.Logf("%v after %v", o.Err, o.Took.Round(time.Millisecond))
		})
	}

	// The write community reaches the peer, and the one that reads may not
	// write. What is written is what is there already: the loopback is up.
	t.Run("write", func(t *testing.T) { writes(t) })

	t.Run("alias", func(t *testing.T) { describes(t) })

	// A restart keeps the engine and raises its boots; a replaced device is a
	// new engine. The same agent value must follow both.
	agents := map[string]*Agent{}
	for _, c := range snmpdUsers {
		agents[c.User] = snmpdAgent(t, c)
		seen(t, agents[c.User])
	}
	for _, env := range [][]string{nil, {"NEWENGINE=1"}} {
		stop()
		stop = start(env...)
		for user, a := range agents {
			before := a.sec.(*usm).engine
			seen(t, a)
			after := a.sec.(*usm).engine
			if changed := before.id != after.id; changed != (env != nil) {
				t.Errorf("%v: %s: engine changed %v", env, user, changed)
			}
			if env == nil && after.boots <= before.boots {
				t.Errorf("%s: boots %d, %d before", user, after.boots, before.boots)
			}
		}
	}
}

func writes(t *testing.T) {
	ctx := deadline(t, 10*time.Second)
	refuses := func(act *Access) error {
		a := snmpdAgent(t, Config{Act: act})
		seen(t, a)
		index := 0
		for _, p := range observe(t, a, fleet.LaneFast).Ports {
			if p.Name == "lo" && p.Admin == "up" {
				index = p.Index
			}
		}
		if index == 0 {
			t.Skip("the peer has no loopback that is up")
		}
		w, err := a.connectToWrite(ctx)
		if err == nil && w == nil {
			w, err = a.connect(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer w.close()
		r, err := w.do(ctx, &request{kind: pduSet, names: []oid{ifAdminStatus.plus(uint32(index))}, set: []value{integer(1)}}, 1)
		if err != nil {
			return err
		}
		if r.status != statusOK {
			return r.status
		}
		return nil
	}
	if err := refuses(nil); err == nil {
		t.Error("the reading community may write")
	} else {
		t.Logf("public: %v", err)
	}
	if err := refuses(&Access{Community: secret("private")}); err != nil {
		t.Errorf("the writing community may not: %v", err)
	}
	if err := refuses(&Access{Version: "3", User: "shaaes", Auth: "SHA", AuthPassword: secret("authpass12345"), Priv: "AES", PrivPassword: secret("privpass12345")}); err == nil {
		t.Error("a user that may only read may write")
	} else {
		t.Logf("shaaes: %v", err)
	}
}

// describes gives a port of the peer an alias, and takes it back.
func describes(t *testing.T) {
	a := snmpdAgent(t, Config{Act: &Access{Community: secret("private")}})
	for _, alias := range []string{"made by a test", ""} {
		out, err := a.Act(deadline(t, 20*time.Second), fleet.Action{Kind: fleet.ActPortAlias, Target: "peer/lo", Args: map[string]string{"alias": alias}})
		t.Logf("%+v, %v", out, err)
		if err != nil || !out.Done || out.After != alias {
			t.Errorf("%q: %+v, %v", alias, out, err)
		}
		for _, p := range observe(t, a, fleet.LaneSlow).Ports {
			if p.Name == "lo" && p.Alias != alias {
				t.Errorf("a poll reads %q", p.Alias)
			}
		}
	}
	if out, err := snmpdAgent(t, Config{}).Act(deadline(t, 20*time.Second), fleet.Action{Kind: fleet.ActPortAlias, Target: "peer/lo", Args: map[string]string{"alias": "x"}}); err == nil || out.Done {
		t.Errorf("with the reading community: %+v, %v", out, err)
	}
}

// seen polls once and expects the peer's own words.
func seen(t *testing.T, a *Agent) {
	t.Helper()
	o, err := a.Observe(deadline(t, 10*time.Second), fleet.LaneSlow)
	if err != nil || o.Err != nil {
		t.Fatalf("%v %v", err, o.Err)
	}
	if o.Facts.Get(fleet.FactName) != "snmpd-peer" || o.Facts.Get(fleet.FactLocation) != `"rack A1 / U42 / region lab"` || o.Facts.Get(fleet.FactVendor) != "net-snmp" {
		t.Errorf("facts %v", o.Facts)
	}
	if o.Tables[fleet.TablePorts] != fleet.Complete || len(o.Ports) == 0 {
		t.Errorf("ports %v %d", o.Tables[fleet.TablePorts], len(o.Ports))
	}
	seenNet(t, a, o)
}

// seenNet expects the door that was used, and of each neighbour of the host
// that snmpd serves a port that it has.
func seenNet(t *testing.T, a *Agent, o *fleet.Observation) {
	t.Helper()
	community := ""
	if a.cfg.Version == "2c" {
		community = "default"
	}
	if o.Facts.Get(factAccess) != a.cfg.access() || o.Facts.Get(factCommunity) != community || o.Facts.Get(factAuth) != a.cfg.Auth || o.Facts.Get(factPriv) != a.cfg.Priv {
		t.Errorf("door %q %q %q %q", o.Facts.Get(factAccess), o.Facts.Get(factCommunity), o.Facts.Get(factAuth), o.Facts.Get(factPriv))
	}
	if is := o.Tables[fleet.TableARP]; is != fleet.Complete && is != fleet.Absent {
		t.Errorf("ARP is %v", is)
	}
	for _, n := range o.ARP {
		if !slices.ContainsFunc(o.Ports, func(p fleet.Port) bool { return p.Name == n.Port }) {
			t.Errorf("%+v is on no port", n)
		}
	}
	t.Logf("%d neighbours", len(o.ARP))
}
