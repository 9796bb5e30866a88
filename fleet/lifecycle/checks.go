package lifecycle

import (
	"strings"
	"time"

	"plumb/fleet"
)

// Kinds are the findings that this judge makes.
var Kinds = []fleet.FindingKind{fleet.FindLifecycle, fleet.FindResilience}

// Check is one thing that is looked for. A finding of it has the check's id as
// its facet, or begins with it and a blank.
type Check struct {
	ID       string
	Title    string
	Severity fleet.Severity // at its worst
	How      string         // how it is looked at, or why it cannot be
	Fix      string
}

// Ids of the checks.
const (
	Warranty     = "lifecycle.warranty"
	FirmwareWave = "lifecycle.firmware-wave"
	Recurring    = "lifecycle.recurring"
	Unowned      = "lifecycle.unowned"
	Idle         = "lifecycle.idle"
	Balance      = "lifecycle.balance"
	OnePlace     = "resilience.one-place"
	AntiAffinity = "resilience.anti-affinity"
	Retirement   = "resilience.retirement"
	ZoneQuota    = "resilience.quota"
	Visibility   = "resilience.visibility"
)

// Checks are all that are made.
var Checks = []Check{
	{Warranty, "support has not ended, and does not within 90 d", fleet.SeverityWarn, "warranty_until of the inventory; where it is not given, nobody knows", "renew it, or plan the replacement"},
	{FirmwareWave, "the machines of one model in one region run one firmware", fleet.SeverityWarn, "the fact firmware of all of them", "finish the wave, or take it back"},
	{Recurring, "no trouble and no action came back three times in 30 d, on a machine or a model", fleet.SeverityWarn, "what began on each device, and what was done to it, an hour or more apart", "treat the root: exchange the part, or find what it hangs on"},
	{Unowned, "every device and service has an owner", fleet.SeverityWarn, "owner of the inventory", "name the owner in the inventory"},
	{Idle, "no server takes idle watts for 7 d and carries nothing", fleet.SeverityInfo, "power by the hour against the idlest of its like; its guests and its services now", "switch it off, or give it work"},
	{Balance, "feeds, racks and phases carry their shares", fleet.SeverityInfo, "watts of PDUs and feeds, side against side; output of UPSes, phase against phase", "move cords from the fuller side"},
	{OnePlace, "no service stands on one host, in one rack or one zone", fleet.SeverityWarn, "the places of its running replicas", "place replicas apart"},
	{AntiAffinity, "server groups keep their policy on real hosts", fleet.SeverityCrit, "the policies and members of server groups, against the host of each member", "move members to hosts that have none"},
	{Retirement, "services keep their floor without the hosts that are to go", fleet.SeverityCrit, "hosts that their cloud disabled with a reason, and the replicas on them", "make the replicas anew elsewhere before the host goes"},
	{ZoneQuota, "the quota has room to make the fullest zone anew", fleet.SeverityWarn, "limits and usage of the project; lost instances still count", "ask for a higher quota"},
	{Visibility, "what could be seen of a cloud can still be seen", fleet.SeverityWarn, "how the last try of each call ended", "look at the account's roles and at the API"},
}

// Unread are checks that no probe brings the facts of yet. They are listed, so
// that nobody takes them for passed.
var Unread = []Check{
	{ID: "lifecycle.age", Title: "no machine is older than its depreciation", Severity: fleet.SeverityInfo, How: "no probe reads the date of manufacture"},
	{ID: "lifecycle.spares", Title: "spares outlast the failures until the next delivery", Severity: fleet.SeverityWarn, How: "the inventory does not say what is a spare"},
	{ID: "lifecycle.oversized", Title: "instances use what they are given", Severity: fleet.SeverityInfo, How: "no probe reads the usage of guests"},
	{ID: "resilience.burst-credits", Title: "burst credits last", Severity: fleet.SeverityWarn, How: "no cloud here tells its credits"},
	{ID: "resilience.deprecated", Title: "no type or image is deprecated", Severity: fleet.SeverityInfo, How: "no probe reads whether a type or an image is deprecated"},
	{ID: "resilience.egress", Title: "a network has more than one way out", Severity: fleet.SeverityWarn, How: "no probe reads cloud routers"},
	{ID: "resilience.orphans", Title: "nothing is billed that nobody uses", Severity: fleet.SeverityInfo, How: "no probe reads volumes and addresses that are not attached"},
	{ID: "resilience.subnets", Title: "subnets have free addresses", Severity: fleet.SeverityWarn, How: "no probe reads subnets"},
	{ID: "resilience.termination", Title: "instances are protected from deletion", Severity: fleet.SeverityInfo, How: "no probe reads deletion protection"},
}

func check(id string) *Check {
	for i := range Checks {
		if Checks[i].ID == id {
			return &Checks[i]
		}
	}
	return nil
}

// Of reports whether a finding is one of the check's.
func (c *Check) Of(f *fleet.Finding) bool { return fleet.OfCheck(f.Facet, c.ID) }

// finding makes a finding of a check; text is one sentence.
func finding(id, observed, text string) *fleet.Finding {
	c := check(id)
	kind := fleet.FindLifecycle
	if strings.HasPrefix(id, "resilience.") {
		kind = fleet.FindResilience
	}
	return &fleet.Finding{Kind: kind, Class: fleet.ClassChanged, Observed: observed, Evidence: c.How, Severity: c.Severity, Confidence: fleet.ConfidenceHigh, Text: text, Fix: c.Fix}
}

// Coverage counts every check over the fleet: what was found is what stands in
// the dockets; what was looked at and could not be told is counted anew. Its
// numbers are of what a check is about: devices, also where a finding speaks of
// many, or services, hosts, feeds. A device of which two findings speak counts
// once.
func Coverage(s *fleet.Snapshot, now time.Time) []fleet.Checked {
	v := newSurvey(s, now)
	v.walk()
	v.devices()
	out := make([]fleet.Checked, 0, len(Checks)+len(Unread))
	for i := range Checks {
		c := &Checks[i]
		n := v.counts[c.ID]
		t := fleet.Checked{ID: c.ID, Title: c.Title, Severity: c.Severity, Passed: n.passed, NotVisible: n.blind, How: c.How, Fix: c.Fix}
		open, ruled := map[int]bool{}, map[int]bool{}
		for f := range s.Findings() {
			if c.Of(f) {
				tally(&t, f, v.speaksOf(f), open, ruled)
			}
		}
		for i := range ruled {
			if !open[i] {
				t.Decided++
			}
		}
		t.Found += len(open)
		out = append(out, t)
	}
	for _, c := range Unread {
		blind := s.Devices.Len()
		if strings.HasPrefix(c.ID, "resilience.") {
			blind = s.Clouds.Len()
		}
		out = append(out, fleet.Checked{ID: c.ID, Title: c.Title, Severity: c.Severity, How: c.How, NotVisible: blind})
	}
	return out
}

// speaksOf are the devices of which a finding speaks; none where it is of
// something else.
func (v *survey) speaksOf(f *fleet.Finding) []int {
	if i := v.s.Devices.Number(f.Target); i >= 0 {
		return []int{i}
	}
	return v.members[finds{f.Target, f.Facet}]
}

// tally counts a finding: its devices in the sets, or itself.
func tally(t *fleet.Checked, f *fleet.Finding, devices []int, open, ruled map[int]bool) {
	if len(devices) == 0 {
		t.Add(f)
		return
	}
	set := ruled
	if f.Open() {
		set = open
		t.Stands(f.Since)
	}
	for _, i := range devices {
		set[i] = true
	}
}
