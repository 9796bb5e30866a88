package world

// ServerModel is a kind of server.
type ServerModel struct {
	Name          string
	Units         float64
	Sockets       int
	IdleW, MaxW   float64
	VCPU, MemMB   int
	WeightKg      int
	Firmware      string // what its BMC should run
	OldFirmware   string // what it runs after firmware-drift
	ProductID     uint16
	FanRPM        float64 // at full speed
	ThermalKPerW  float64 // CPU over inlet, per watt above idle
	ThermalOffset float64
}

var (
	modelR6515 = &ServerModel{"R6515", 1, 1, 95, 310, 64, 262144, 17, "2.19", "2.11", 0x6515, 16000, 0.155, 16}
	modelR7515 = &ServerModel{"R7515", 2, 1, 105, 340, 64, 524288, 22, "2.19", "2.11", 0x7515, 12000, 0.130, 14}
	modelR650  = &ServerModel{"R650", 1, 2, 120, 360, 96, 524288, 19, "5.10", "4.40", 0x0650, 17000, 0.140, 17}
	modelR750  = &ServerModel{"R750", 2, 2, 130, 380, 112, 786432, 26, "5.10", "4.40", 0x0750, 12500, 0.120, 15}
	modelR7525 = &ServerModel{"R7525", 2, 2, 135, 390, 128, 1048576, 27, "2.19", "2.11", 0x7525, 12500, 0.120, 15}
	modelR940  = &ServerModel{"R940", 4, 2, 190, 620, 160, 1572864, 46, "5.10", "4.40", 0x0940, 11000, 0.080, 15}
)

// role is what servers are for, with its two models.
type role struct {
	name   string
	models [2]*ServerModel
	owner  string
	tenant string
	vlan   int
	load   [2]float64
	mbps   [2]float64 // traffic of its own, megabits per second
	// service it carries on bare metal, or none
	service string
}

// roles share the servers that are no hypervisors, in this rhythm.
var (
	computeRole = role{"compute", [2]*ServerModel{modelR7525, modelR750}, "team-cloud", "shared", 110, [2]float64{0.35, 0.55}, [2]float64{40, 120}, ""}
	metalRoles  = []role{
		{"game", [2]*ServerModel{modelR6515, modelR650}, "team-game", "arena", 120, [2]float64{0.30, 0.60}, [2]float64{150, 500}, "match"},
		{"web", [2]*ServerModel{modelR6515, modelR7515}, "team-web", "shop", 130, [2]float64{0.20, 0.45}, [2]float64{80, 300}, ""},
		{"db", [2]*ServerModel{modelR750, modelR7525}, "team-data", "shared", 140, [2]float64{0.25, 0.50}, [2]float64{100, 350}, "ledger"},
		{"storage", [2]*ServerModel{modelR7515, modelR750}, "team-data", "shared", 150, [2]float64{0.15, 0.35}, [2]float64{300, 900}, ""},
		{"batch", [2]*ServerModel{modelR650, modelR6515}, "team-ml", "lab", 160, [2]float64{0.40, 0.60}, [2]float64{30, 200}, ""},
	}
)

// Switch and power models.
const (
	torModel, torVendor, torFirmware         = "7050SX3-48YC6", "Arista Networks", "4.31.2F"
	spineModel, spineFirmware                = "7060CX-32S", "4.31.2F"
	pduModel, pduVendor, pduFirmware         = "AP8959EU3", "APC", "7.1.2"
	halfPDUModel                             = "AP7900B"
	upsModel, upsVendor, upsFirmware         = "93PM-100", "Eaton", "3.09"
	torBaseW, spineBaseW, portW      float64 = 110, 180, 1.1
)

// Service is what users see.
type Service struct {
	Name, Owner string
	Floor       int
	share       int // of the instances, in percent
	mbps        float64
	flavor      string
}

var serviceList = []Service{
	{"match", "team-game", 0, 22, 30, "c2.large"},
	{"lobby", "team-game", 0, 12, 12, "c2.medium"},
	{"chat", "team-game", 0, 10, 8, "c2.medium"},
	{"auth", "team-platform", 0, 8, 5, "c2.medium"},
	{"shop", "team-web", 0, 14, 18, "c2.large"},
	{"ledger", "team-data", 0, 6, 6, "m2.large"},
	{"telemetry", "team-platform", 0, 16, 25, "m2.large"},
	{"ci", "team-platform", 0, 12, 10, "c2.xlarge"},
}

// Flavor is an instance type.
type Flavor struct {
	ID, Name           string
	VCPU, RAMMB, DiskG int
}

// Flavors of the cloud.
var Flavors = []Flavor{
	{"1", "c2.medium", 2, 4096, 20},
	{"2", "c2.large", 4, 8192, 40},
	{"3", "c2.xlarge", 8, 16384, 80},
	{"4", "m2.large", 4, 32768, 80},
	{"5", "m2.xlarge", 8, 65536, 160},
}

// FlavorOf returns the flavor with a name.
func FlavorOf(name string) Flavor {
	for _, f := range Flavors {
		if f.Name == name {
			return f
		}
	}
	return Flavors[0]
}

// Instance is a virtual machine as it was created.
type Instance struct {
	ID, Name string
	Region   int
	Zone     string
	Service  int
	Flavor   Flavor
	Host     int // hypervisor number at creation
	Launched int64
	Group    string // server group, or empty
	Tenant   string
	MbPerSec float64
}
