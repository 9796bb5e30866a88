package config

import "plumb/store"

// The shapes of the file, key by key, as CONTRACT's "Configuration" writes them.

type fileYAML struct {
	Store       *storeYAML                 `yaml:"store"`
	SSH         *sshYAML                   `yaml:"ssh"`
	Poll        *pollYAML                  `yaml:"poll"`
	Credentials map[string]*credentialYAML `yaml:"credentials"`
	Regions     []regionYAML               `yaml:"regions"`
	Clouds      []cloudYAML                `yaml:"clouds"`
	Services    []serviceYAML              `yaml:"services"`
	Include     []ref                      `yaml:"include"`
	Runbooks    []ref                      `yaml:"runbooks"`
	Alerts      *alertsYAML                `yaml:"alerts"`
	Policies    *policiesYAML              `yaml:"policies"`
	Metrics     *metricsYAML               `yaml:"metrics"`
	Audit       *auditYAML                 `yaml:"audit"`
	RemoteWrite []remoteWriteYAML          `yaml:"remote_write"`
	At          place
}

type storeYAML struct {
	Dir       ref            `yaml:"dir"`
	Retention *retentionYAML `yaml:"retention"`
	Ballast   *int           `yaml:"ballast_mib"` // 0: none
	At        place
}

type retentionYAML struct {
	Raw     duration `yaml:"raw"`
	FiveMin duration `yaml:"5m"`
	Hour    duration `yaml:"1h"`

	Gauges   *tiersYAML `yaml:"gauges"`
	Counters *tiersYAML `yaml:"counters"`
	States   *tiersYAML `yaml:"states"`
}

// tiersYAML is what one class of series keeps for another time than the others.
type tiersYAML struct {
	Raw     duration `yaml:"raw"`
	FiveMin duration `yaml:"5m"`
	Hour    duration `yaml:"1h"`
}

func (y *tiersYAML) to(t *store.Tiers) {
	if y == nil {
		return
	}
	y.Raw.to(&t.Raw)
	y.FiveMin.to(&t.FiveMin)
	y.Hour.to(&t.Hour)
}

type sshYAML struct {
	Listen      ref        `yaml:"listen"`
	HostKey     ref        `yaml:"host_key"`
	MaxSessions int        `yaml:"max_sessions"`
	Idle        duration   `yaml:"idle"`
	Users       []userYAML `yaml:"users"`
	TrustedCA   []ref      `yaml:"trusted_ca"`
	At          place
}

type userYAML struct {
	Name     ref        `yaml:"name"`
	Role     ref        `yaml:"role"`
	Keys     []ref      `yaml:"keys"`
	KeysFile ref        `yaml:"keys_file"`
	Scope    *scopeYAML `yaml:"scope"`
	Bell     ref        `yaml:"bell"` // off crit warn
	At       place
}

type scopeYAML struct {
	Regions []ref `yaml:"regions"`
	Owners  []ref `yaml:"owners"`
	Tenants []ref `yaml:"tenants"`
	At      place
}

type pollYAML struct {
	Interval   duration `yaml:"interval"`
	Tables     duration `yaml:"tables"`
	Slow       duration `yaml:"slow"`
	Timeout    duration `yaml:"timeout"`
	TrapListen ref      `yaml:"trap_listen"`
	At         place
}

type metricsYAML struct {
	Listen     ref `yaml:"listen"`
	Credential ref `yaml:"credential"`
	CertFile   ref `yaml:"cert_file"`
	KeyFile    ref `yaml:"key_file"`
	ClientCA   ref `yaml:"client_ca_file"`
	At         place
}

type regionYAML struct {
	Name  ref        `yaml:"name"`
	Sites []siteYAML `yaml:"sites"`
	At    place
}

type siteYAML struct {
	Name    ref          `yaml:"name"`
	Feeds   []feedYAML   `yaml:"feeds"`
	Racks   []rackYAML   `yaml:"racks"`
	Devices []deviceYAML `yaml:"devices"` // what stands in no rack
	At      place
}

type feedYAML struct {
	Name     ref     `yaml:"name"`
	Parent   ref     `yaml:"parent"`
	BreakerA decimal `yaml:"breaker_a"`
	Volts    int     `yaml:"volts"`
	Phases   int     `yaml:"phases"`
	At       place
}

type rackYAML struct {
	Name        ref          `yaml:"name"`
	Row         string       `yaml:"row"`
	Units       int          `yaml:"units"`
	MaxWeightKg decimal      `yaml:"max_weight_kg"`
	Feeds       []ref        `yaml:"feeds"`
	Devices     []deviceYAML `yaml:"devices"`
	At          place
}

type deviceYAML struct {
	ID            ref               `yaml:"id"`
	Name          ref               `yaml:"name"`
	Kind          ref               `yaml:"kind"`
	Unit          halves            `yaml:"unit"`
	Height        halves            `yaml:"height"`
	Face          ref               `yaml:"face"`
	Depth         ref               `yaml:"depth"`
	Model         string            `yaml:"model"`
	Serial        string            `yaml:"serial"`
	Owner         string            `yaml:"owner"`
	Tenant        string            `yaml:"tenant"`
	Env           string            `yaml:"env"`
	BMC           *endpointYAML     `yaml:"bmc"`
	Redfish       *endpointYAML     `yaml:"redfish"`
	SNMP          *endpointYAML     `yaml:"snmp"`
	Power         []cordYAML        `yaml:"power"`
	Links         []cableYAML       `yaml:"links"`
	Ports         []portYAML        `yaml:"ports"`
	Feed          ref               `yaml:"feed"`
	RatingA       decimal           `yaml:"rating_a"`
	Expect        expectations      `yaml:"expect"`
	Tags          map[string]string `yaml:"tags"`
	WarrantyUntil date              `yaml:"warranty_until"`
	At            place
}

type endpointYAML struct {
	Address    ref      `yaml:"address"`
	Credential ref      `yaml:"credential"`
	Act        ref      `yaml:"act"`
	Quirks     []string `yaml:"quirks"`
	At         place
}

type cordYAML struct {
	PSU    int `yaml:"psu"`
	Outlet ref `yaml:"outlet"`
	At     place
}

type cableYAML struct {
	NIC string `yaml:"nic"`
	MAC ref    `yaml:"mac"`
	To  ref    `yaml:"to"`
	At  place
}

type cloudYAML struct {
	Name       ref               `yaml:"name"`
	Provider   ref               `yaml:"provider"`
	Region     string            `yaml:"region"`
	Endpoint   ref               `yaml:"endpoint"`
	Credential ref               `yaml:"credential"`
	Options    map[string]string `yaml:"options"`
	Terraform  *terraformYAML    `yaml:"terraform"`
	At         place
}

// terraformYAML names states as `terraform show -json` prints them.
type terraformYAML struct {
	State  []ref `yaml:"state"`
	Covers ref   `yaml:"covers"` // all (what no state names is unmanaged) or part
	At     place
}

type serviceYAML struct {
	Name   ref         `yaml:"name"`
	Owner  string      `yaml:"owner"`
	Select *selectYAML `yaml:"select"`
	Floor  int         `yaml:"floor"`
	Health *healthYAML `yaml:"health"`
	At     place
}

type selectYAML struct {
	Tag map[string]string `yaml:"tag"`
}

type credentialYAML struct {
	Username ref    `yaml:"username"`
	Version  ref    `yaml:"version"`
	Auth     ref    `yaml:"auth"`
	Priv     ref    `yaml:"priv"`
	Context  string `yaml:"context"`
	Cipher   ref    `yaml:"cipher"`
	Plain    bool   `yaml:"plain"`

	Project       string `yaml:"project"`
	UserDomain    string `yaml:"user_domain"`
	ProjectDomain string `yaml:"project_domain"`

	Password     hidden `yaml:"password"`
	PasswordEnv  ref    `yaml:"password_env"`
	PasswordFile ref    `yaml:"password_file"`
	PasswordExec args   `yaml:"password_exec"`

	Community     hidden `yaml:"community"`
	CommunityEnv  ref    `yaml:"community_env"`
	CommunityFile ref    `yaml:"community_file"`
	CommunityExec args   `yaml:"community_exec"`

	AuthPassword     hidden `yaml:"auth_password"`
	AuthPasswordEnv  ref    `yaml:"auth_password_env"`
	AuthPasswordFile ref    `yaml:"auth_password_file"`
	AuthPasswordExec args   `yaml:"auth_password_exec"`

	PrivPassword     hidden `yaml:"priv_password"`
	PrivPasswordEnv  ref    `yaml:"priv_password_env"`
	PrivPasswordFile ref    `yaml:"priv_password_file"`
	PrivPasswordExec args   `yaml:"priv_password_exec"`

	At place
}
