package fleet

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Danger grades an action: 0 reads, 1 asks for confirmation, 2 shows the blast
// radius first, 3 needs the serial typed and a second person.
type Danger uint8

// ActionKind names something that can be done to a target.
type ActionKind string

// Actions, as the contract spells them.
const (
	ActIdentify   ActionKind = "identify"
	ActPowerOn    ActionKind = "power-on"
	ActPowerOff   ActionKind = "power-off"
	ActSoftOff    ActionKind = "soft-off"
	ActPowerCycle ActionKind = "power-cycle"
	ActReset      ActionKind = "reset"
	ActBootOnce   ActionKind = "boot-once"
	ActBMCReset   ActionKind = "bmc-reset"
	ActSELClear   ActionKind = "sel-clear"
	ActUserOff    ActionKind = "bmc-user-off"
	ActCipherOff  ActionKind = "bmc-cipher-off"
	ActCipherSet  ActionKind = "bmc-cipher-set"

	ActOutletOn    ActionKind = "outlet-on"
	ActOutletOff   ActionKind = "outlet-off"
	ActOutletCycle ActionKind = "outlet-cycle"

	ActPortUp     ActionKind = "port-up"
	ActPortDown   ActionKind = "port-down"
	ActPortBounce ActionKind = "port-bounce"
	ActPortVLAN   ActionKind = "port-vlan"
	ActPortAlias  ActionKind = "port-alias"

	ActInstanceStart    ActionKind = "instance-start"
	ActInstanceStop     ActionKind = "instance-stop"
	ActInstanceReboot   ActionKind = "instance-reboot"
	ActInstanceEvacuate ActionKind = "instance-evacuate"
	ActInstanceMigrate  ActionKind = "instance-migrate"
	ActHostDrain        ActionKind = "host-drain"
	ActHostUndrain      ActionKind = "host-undrain"
	ActRuleRemove       ActionKind = "rule-remove"
)

// TargetKind is what an action is done to.
type TargetKind uint8

// Kinds of targets, with how a target of each is written.
const (
	OnServer   TargetKind = iota // a server by its BMC: DEVICE
	OnOutlet                     // PDU/NUMBER
	OnPort                       // SWITCH/IFNAME
	OnInstance                   // the instance's id
	OnGroup                      // a security group: CLOUD/GROUP
	OnHost                       // a server as its cloud's hypervisor: DEVICE
)

// ActionSpec says what an action is. The executor, the menus and the verbs all
// read this one table.
type ActionSpec struct {
	Kind   ActionKind
	Danger Danger
	On     TargetKind
	// Takes says that it takes away what runs on its target, for a while at
	// least; Ends that it ends in the state that it began in.
	Takes, Ends bool
	Undo        ActionKind // "": none
	Source      Source     // the wire that carries it
	Shows       Lane       // the lane that reads back what it changes
	// Within is how long it may take to show after the device said yes; 0: as
	// long as most do.
	Within time.Duration
	Args   []Arg
	Help   string
}

// Arg is a named argument of an action.
type Arg struct {
	Name     string
	Needed   bool
	Words    []string // what it may be; nil: see Help
	Help     string
	Low, Top int  // bounds of a number; both 0: it is no number
	Many     bool // several may be said, with one blank between
	Written  bool // it is written as an alias: see WritableAlias
}

// Actions are all actions there are.
var Actions = []ActionSpec{
	{Kind: ActIdentify, Danger: 1, Source: SourceIPMI, Ends: true, Args: []Arg{{Name: "seconds", Help: "how long, 15 where not said", Low: 1, Top: 255}}, Help: "light the identify LED"},
	{Kind: ActPowerOn, Danger: 1, Source: SourceIPMI, Undo: ActSoftOff, Help: "switch the server on"},
	{Kind: ActSoftOff, Danger: 2, Source: SourceIPMI, Takes: true, Undo: ActPowerOn, Help: "ask the operating system to shut down (ACPI)"},
	{Kind: ActPowerOff, Danger: 2, Source: SourceIPMI, Takes: true, Undo: ActPowerOn, Help: "cut the power at once"},
	{Kind: ActPowerCycle, Danger: 2, Source: SourceIPMI, Takes: true, Ends: true, Help: "off and on again"},
	{Kind: ActReset, Danger: 2, Source: SourceIPMI, Takes: true, Ends: true, Help: "hard reset without losing power"},
	{Kind: ActBootOnce, Danger: 1, Source: SourceIPMI, Args: []Arg{{Name: "from", Needed: true, Words: []string{"pxe", "disk", "cdrom", "bios", "none"}, Help: "what the next start boots from; none takes it back"}}, Help: "choose what the next start boots from"},
	{Kind: ActBMCReset, Danger: 2, Source: SourceIPMI, Ends: true, Help: "restart the BMC (cold reset); the host runs on"},
	{Kind: ActSELClear, Danger: 2, Source: SourceIPMI, Help: "clear the event log, after every record of it was read"},
	{Kind: ActUserOff, Danger: 2, Shows: LaneSlow, Source: SourceIPMI, Args: []Arg{{Name: "slot", Needed: true, Help: "number of the user", Low: 1, Top: 63}}, Help: "disable a user of the BMC"},
	{Kind: ActCipherOff, Danger: 2, Shows: LaneSlow, Source: SourceIPMI, Undo: ActCipherSet, Args: []Arg{{Name: "suite", Needed: true, Help: "number of the cipher suite, or several", Low: 0, Top: 17, Many: true}}, Help: "let nobody in by a cipher suite"},
	{Kind: ActCipherSet, Danger: 2, Shows: LaneSlow, Source: SourceIPMI, Undo: ActCipherSet, Args: []Arg{{Name: "limits", Needed: true, Help: "SUITE=PRIVILEGE, or several; privilege none closes one"}}, Help: "set up to which privilege cipher suites let in"},

	{Kind: ActOutletOn, Danger: 3, On: OnOutlet, Source: SourceSNMP, Undo: ActOutletOff, Help: "switch the outlet on"},
	{Kind: ActOutletOff, Danger: 3, On: OnOutlet, Source: SourceSNMP, Takes: true, Undo: ActOutletOn, Help: "switch the outlet off"},
	{Kind: ActOutletCycle, Danger: 3, On: OnOutlet, Source: SourceSNMP, Takes: true, Ends: true, Help: "outlet off and on again"},

	{Kind: ActPortUp, Danger: 1, On: OnPort, Source: SourceSNMP, Undo: ActPortDown, Help: "set the port's ifAdminStatus to up"},
	{Kind: ActPortDown, Danger: 2, On: OnPort, Source: SourceSNMP, Takes: true, Undo: ActPortUp, Help: "set the port's ifAdminStatus to down"},
	{Kind: ActPortBounce, Danger: 2, On: OnPort, Source: SourceSNMP, Takes: true, Ends: true, Help: "port down and up again"},
	{Kind: ActPortVLAN, Danger: 2, Shows: LaneSlow, On: OnPort, Source: SourceSNMP, Takes: true, Undo: ActPortVLAN, Args: []Arg{{Name: "vlan", Needed: true, Help: "the access VLAN", Low: 1, Top: 4094}}, Help: "put an access port into a VLAN"},
	{Kind: ActPortAlias, Danger: 1, Shows: LaneSlow, On: OnPort, Source: SourceSNMP, Undo: ActPortAlias, Args: []Arg{{Name: "alias", Needed: true, Written: true, Help: "the description, at most 64 characters"}}, Help: "describe the port (ifAlias)"},

	{Kind: ActInstanceStart, Danger: 1, On: OnInstance, Undo: ActInstanceStop, Help: "start the instance"},
	{Kind: ActInstanceStop, Danger: 2, On: OnInstance, Takes: true, Undo: ActInstanceStart, Help: "stop the instance"},
	{Kind: ActInstanceReboot, Danger: 2, On: OnInstance, Takes: true, Ends: true, Args: []Arg{{Name: "type", Words: []string{"soft", "hard"}, Help: "soft where not said"}}, Help: "reboot the instance"},
	{Kind: ActInstanceMigrate, Danger: 2, On: OnInstance, Within: 10 * time.Minute, Help: "move the instance to another host while it runs (live migration)"},
	{Kind: ActInstanceEvacuate, Danger: 2, On: OnInstance, Takes: true, Within: 10 * time.Minute, Help: "build the instance again on another host, where its own is down"},
	{Kind: ActHostDrain, Danger: 2, On: OnHost, Undo: ActHostUndrain, Help: "let the cloud place nothing new on the host; what runs there stays"},
	{Kind: ActHostUndrain, Danger: 2, On: OnHost, Undo: ActHostDrain, Help: "let the cloud use the host again"},
	{Kind: ActRuleRemove, Danger: 2, Shows: LaneTables, On: OnGroup, Args: []Arg{{Name: "rule", Needed: true, Help: "id of the rule"}}, Help: "take a rule out of a security group"},
}

// Spec returns what the kind is; nil: there is no such action.
func (k ActionKind) Spec() *ActionSpec {
	for i := range Actions {
		if Actions[i].Kind == k {
			return &Actions[i]
		}
	}
	return nil
}

// Danger of the kind; a kind that is not known is as dangerous as can be.
func (k ActionKind) Danger() Danger {
	if s := k.Spec(); s != nil {
		return s.Danger
	}
	return 3
}

// CheckArgs says what is wrong with the arguments of an action, or "".
func (s *ActionSpec) CheckArgs(args map[string]string) string {
	for name := range args {
		if s.arg(name) == nil {
			return string(s.Kind) + " takes no argument " + strconv.Quote(Clean(name, 40))
		}
	}
	for i := range s.Args {
		a := &s.Args[i]
		value, given := args[a.Name]
		switch {
		case given:
			if why := a.Check(value); why != "" {
				return why
			}
		case a.Needed:
			return string(s.Kind) + " needs " + a.Name + ": " + a.Help
		}
	}
	return ""
}

// Check says what is wrong with a value of the argument, or "".
func (a *Arg) Check(value string) string {
	if a.Many {
		seen := map[string]bool{}
		for one := range strings.SplitSeq(value, " ") {
			if why := a.check(one); why != "" {
				return why
			}
			if seen[one] {
				return a.Name + " names " + one + " twice"
			}
			seen[one] = true
		}
		return ""
	}
	return a.check(value)
}

func (a *Arg) check(value string) string {
	switch n, err := strconv.Atoi(value); {
	case a.Words != nil && !slices.Contains(a.Words, value):
		return a.Name + " is one of " + strings.Join(a.Words, " ")
	case a.number() && (err != nil || n < a.Low || n > a.Top || strconv.Itoa(n) != value):
		return a.Name + " is a number from " + strconv.Itoa(a.Low) + " to " + strconv.Itoa(a.Top)
	case len(value) > MaxText || Clean(value, MaxText) != value:
		return a.Name + " is too long or holds control characters"
	case a.Written && !WritableAlias(value):
		return a.Name + " is at most " + strconv.Itoa(MaxAlias) + " printable ASCII characters"
	}
	return ""
}

func (a *Arg) number() bool { return a.Low != 0 || a.Top != 0 }

// Asks is the question for the argument: its name, what it may be, and last what
// it is, which may be cut: "vlan, 1 to 4094 (the access VLAN)".
func (a *Arg) Asks() string {
	text := a.Name
	switch {
	case a.Words != nil:
		text += ", " + strings.Join(a.Words, " ")
	case a.number():
		text += ", " + strconv.Itoa(a.Low) + " to " + strconv.Itoa(a.Top)
	}
	return text + " (" + a.Help + ")"
}

// HasArg reports whether the action takes an argument of that name.
func (s *ActionSpec) HasArg(name string) bool { return s.arg(name) != nil }

func (s *ActionSpec) arg(name string) *Arg {
	for i := range s.Args {
		if s.Args[i].Name == name {
			return &s.Args[i]
		}
	}
	return nil
}
