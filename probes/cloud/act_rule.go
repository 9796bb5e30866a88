package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"plumb/fleet"
)

// removeRule takes one rule out of the group CLOUD/GROUP (Networking API v2.0,
// "Delete security group rule"). The rule is read twice, on its own and as one
// of the group's, and must be the same as the last look saw, if that saw it:
// Neutron's rules never change, so one that did is not the one that was meant.
func (o *OpenStack) removeRule(ctx context.Context, a fleet.Action, out *fleet.Outcome) (op string, err error) {
	name, ok := strings.CutPrefix(a.Target, o.cfg.Target+"/")
	id := a.Args["rule"]
	switch {
	case !ok || name == "":
		return string(a.Kind), fmt.Errorf("%w: the target is %s/GROUP", fleet.ErrUnsupported, o.cfg.Target)
	case !usableID(id):
		return string(a.Kind), fmt.Errorf("%w: no rule has such an id", fleet.ErrUnsupported)
	case o.session.network == nil:
		return string(a.Kind), errNoNetwork
	}
	g, err := o.securityGroup(ctx, name)
	if err != nil {
		return "read the group", err
	}
	rule, group, err := o.securityRule(ctx, id)
	if err != nil {
		return "read the rule", err
	}
	out.Before = ruleText(rule)
	out.After = out.Before
	if err := o.sameRule(rule, group, g); err != nil {
		out.Text = "nothing was sent"
		return "check the rule", err
	}
	sent := o.deleteRule(ctx, id)
	if answered(sent) && !missing(sent) {
		return string(a.Kind), sent
	}
	_, _, err = o.securityRule(ctx, id)
	switch {
	case missing(err):
		out.Done, out.After, out.Text = true, ruleGone, out.Before+" -> gone"
		return "", nil
	case err != nil:
		out.After, out.Text = "", "it may have happened; it could not be read back"
		return "read back the rule", err
	case sent != nil:
		out.Text = "no answer, and the rule is still there"
		return string(a.Kind), sent
	}
	out.Text = "the cloud said yes and the rule is still there"
	return "read back the rule", fmt.Errorf("%w: %s", fleet.ErrProtocol, out.Text)
}

// ruleGone is a rule that is not there any more.
const ruleGone = "gone"

func usableID(id string) bool { return id != "" && len(id) <= maxID && fleet.Clean(id, maxID) == id }

// securityGroup finds a group by its id, else by its name, if one alone has it.
func (o *OpenStack) securityGroup(ctx context.Context, name string) (fleet.SecurityGroup, error) {
	const path = "security-groups"
	none := fleet.SecurityGroup{}
	if usableID(name) {
		var doc struct {
			Group json.RawMessage `json:"security_group"`
		}
		err := o.get(ctx, o.session.network, path+"/"+url.PathEscape(name), nil, &doc)
		if err == nil {
			return wholeGroup(doc.Group, name)
		}
		if !missing(err) {
			return none, err
		}
	}
	got, err := list(ctx, o, source{o.session.network, path, "security_groups"}, url.Values{"limit": {groupPage}, "name": {name}},
		func(raw json.RawMessage) (string, fleet.SecurityGroup, error) {
			g, err := wholeGroup(raw, "")
			return g.ID, g, err
		})
	if err != nil {
		return none, err
	}
	var found []fleet.SecurityGroup
	for _, g := range got.rows {
		if g.Name == name {
			found = append(found, g)
		}
	}
	switch {
	case len(found) > 1:
		return none, fmt.Errorf("%w: %d groups are called so; say the id", fleet.ErrUnsupported, len(found))
	case len(found) == 0:
		return none, fmt.Errorf("%w: no such group", fleet.ErrUnsupported)
	}
	return found[0], nil
}

// wholeGroup reads a group with all of its rules, which is id's where one was
// asked for.
func wholeGroup(raw json.RawMessage, id string) (fleet.SecurityGroup, error) {
	g, whole, err := parseSecurityGroup(raw)
	switch {
	case err != nil:
		return g, fmt.Errorf("%w: %v", fleet.ErrProtocol, err)
	case !whole:
		return g, fmt.Errorf("%w: more than %d rules", fleet.ErrProtocol, maxRules)
	case id != "" && g.ID != id:
		return g, fmt.Errorf("%w: asked for one group, answered another", fleet.ErrProtocol)
	}
	return g, nil
}

// securityRule reads one rule and the id of its group.
func (o *OpenStack) securityRule(ctx context.Context, id string) (r fleet.SecurityRule, group string, err error) {
	var doc struct {
		Rule struct {
			securityRule
			Group string `json:"security_group_id"`
		} `json:"security_group_rule"`
	}
	if err := o.get(ctx, o.session.network, rulePath(id), nil, &doc); err != nil {
		return r, "", err
	}
	if doc.Rule.ID != id {
		return r, "", fmt.Errorf("%w: asked for one rule, answered another", fleet.ErrProtocol)
	}
	return doc.Rule.rule(), doc.Rule.Group, nil
}

func rulePath(id string) string { return "security-group-rules/" + url.PathEscape(id) }

var errOtherRule = errors.New("it is not the rule that was meant")

// sameRule compares a rule with the group's, and with what the last look saw.
func (o *OpenStack) sameRule(r fleet.SecurityRule, group string, g fleet.SecurityGroup) error {
	if group != g.ID {
		return fmt.Errorf("%w: %w: it belongs to another group", fleet.ErrUnsupported, errOtherRule)
	}
	shown := false
	for _, x := range g.Rules {
		shown = shown || x == r
	}
	if !shown {
		return fmt.Errorf("%w: %w: the group does not show it", fleet.ErrProtocol, errOtherRule)
	}
	for _, seen := range o.memory.security {
		for _, x := range seen.Rules {
			if x.ID == r.ID && (x != r || seen.ID != g.ID) {
				return fmt.Errorf("%w: %w: it was %s when it was last seen", fleet.ErrProtocol, errOtherRule, ruleText(x))
			}
		}
	}
	return nil
}

func (o *OpenStack) deleteRule(ctx context.Context, id string) error {
	ctx, cancel := half(ctx)
	defer cancel()
	sc := o.session.network
	_, err := sc.Delete(withAPI(ctx, sc.Type), sc.Endpoint+rulePath(id), &gophercloud.RequestOpts{OkCodes: []int{http.StatusNoContent}})
	return classify(sc.Type, err)
}

// ruleText is a rule in words: "ingress ipv4 tcp 22 from 0.0.0.0/0".
func ruleText(r fleet.SecurityRule) string {
	word := func(s, other string) string {
		if s == "" {
			return other
		}
		return s
	}
	text := r.Direction + " " + r.Family + " " + word(r.Protocol, "any protocol")
	switch {
	case r.PortMin.Known && r.PortMin != r.PortMax:
		text += " " + r.PortMin.String() + "-" + r.PortMax.String()
	case r.PortMin.Known:
		text += " " + r.PortMin.String()
	}
	way := "from"
	if r.Direction == "egress" {
		way = "to"
	}
	return text + " " + way + " " + word(r.Remote, "anywhere")
}
